"""Mapping files and codecs for the tests; the plant is `s/L` with pots 001 ... 003."""

from __future__ import annotations

import math
from typing import Any

import orjson

from tests.core.plants import NOW_NS, roster_of
from twin.codec import Codec
from twin.decoded import Decoded
from twin.frames import Quality
from twin.mapping.table import mapping
from twin.plant import Roster
from twin.ports import Message
from twin.signals import SIGNALS
from twin.topics import Router

__all__ = ["MS", "PLAIN", "codec_with", "decode", "readings", "reasons"]

MS = NOW_NS // 1_000_000


PLAIN = """
[[row]]
topic = "plant/pot{pot:d}"
format = "json"
unit = "s/L/{pot:03d}"
time = { path = "ts" }
signal = [{ name = "voltage_v", path = "u" }]
"""


def codec_with(text: str, *, max_payload: int = 262_144, roster: Roster | None = None) -> Codec:
    """A codec with a mapping file beside the contract."""
    router = Router(roster or roster_of(3), root="smelter", discover=False)
    beside = mapping(text, "map.toml", router, max_payload=max_payload)
    return Codec(router, max_payload=max_payload, beside=beside)


def decode(text: str, *messages: tuple[str, Any], **options: Any) -> Decoded:
    """What becomes of messages; a payload that is neither bytes nor text is sent as JSON."""
    raw = [
        Message(
            topic, load if isinstance(load, bytes) else load.encode() if isinstance(load, str) else orjson.dumps(load)
        )
        for topic, load in messages
    ]
    return codec_with(text, **options).decode(raw, NOW_NS)


def readings(decoded: Decoded) -> list[tuple[float, int, str, float | None, str]]:
    """(seconds after now, unit, signal, value or None, quality), as decoded."""
    found = decoded.readings
    columns = (found.time_ns, found.unit, found.signal, found.value, found.quality)
    return [
        ((time - NOW_NS) / 1e9, unit, SIGNALS[signal].name, None if math.isnan(value) else value, Quality(quality).name)
        for time, unit, signal, value, quality in zip(*(column.tolist() for column in columns), strict=True)
    ]


def reasons(decoded: Decoded) -> list[tuple[str, str]]:
    """(reason, path) of each problem."""
    return [(problem.reason, problem.field) for problem in decoded.problems]
