"""Readings -> messages of the data contract, for simulators, replay and tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import orjson

from twin.frames import Readings, Wide, wide
from twin.plant import Roster
from twin.ports import Message
from twin.signals import MEASUREMENTS, SIGNALS, of_topic
from twin.topics import section_topic, topic_of

__all__ = ["encode"]


def encode(readings: Readings, roster: Roster, root: str, *, batched: bool = False) -> list[Message]:
    """One message a unit and time, or (`batched`, telemetry only) one a section and time.

    Readings without a value (BAD) are left out: absent and null mean the same to the codec's users.
    """
    messages: list[Message] = []
    for kind in MEASUREMENTS:
        codes = of_topic(kind)
        rows = wide(readings, codes)
        names = [SIGNALS[code].topic_field for code in codes]
        if batched and kind == "telemetry":
            messages += _sections(rows, names, roster, root)
            continue
        for time, unit, values in zip(rows.time_ns.tolist(), rows.unit.tolist(), rows.values.tolist(), strict=True):
            said = {name: value for name, value in zip(names, values, strict=True) if value == value}
            topic = topic_of(root, roster.paths[unit], kind)
            messages.append(Message(topic, orjson.dumps({"time": time, **said})))
    return messages


def _sections(rows: Wide, names: Sequence[str], roster: Roster, root: str) -> list[Message]:
    """Section messages; the pots of one may have clocks of their own, so `time` is a list where they differ."""
    sections: dict[tuple[int, int, int], list[int]] = {}
    units = rows.unit.tolist()
    said_before = Counter[int]()
    for row, unit in enumerate(units):
        # The n-th row of a pot goes into the n-th message of its section.
        key = (roster.line_of[unit], roster.section_of(unit), said_before[unit])
        said_before[unit] += 1
        sections.setdefault(key, []).append(row)
    messages = []
    for (line, section, _), members in sections.items():
        block = rows.values[members]
        said = set(np.flatnonzero(np.isfinite(block).any(axis=0)).tolist())
        columns = {
            name: [value if value == value else None for value in block[:, index].tolist()]
            for index, name in enumerate(names)
            if index in said
        }
        times = rows.time_ns[members].tolist()
        time = times[0] if len(set(times)) == 1 else times
        pots = [roster.paths[units[row]].rsplit("/", 1)[1] for row in members]
        topic = section_topic(root, roster.paths[line], section)
        messages.append(Message(topic, orjson.dumps({"time": time, "pot": pots, **columns})))
    return messages
