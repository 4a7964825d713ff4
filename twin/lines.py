"""Readings -> InfluxDB line protocol: prepared prefixes, every number a float, tags site, line, pot only."""

from __future__ import annotations

import numpy as np
import orjson

from twin.catalogue import CATALOGUE, FIELDS
from twin.frames import Readings, Wide, wide
from twin.plant import Roster

__all__ = ["LineProtocol"]


class LineProtocol:
    """Encoder with one prepared prefix per measurement and unit. Ids are safe by the roster's allow-list."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._prefixes: dict[str, list[bytes]] = {measurement: [] for measurement in FIELDS}

    def encode(self, readings: Readings) -> bytes:
        """One line a (measurement, unit, time); readings without a value leave no trace in it."""
        low, high = (int(readings.signal.min()), int(readings.signal.max())) if len(readings) else (0, -1)
        return b"".join(
            block
            for measurement, codes in FIELDS.items()
            if codes[0] <= high and codes[-1] >= low
            for block in self._encode(measurement, wide(readings, codes))
        )

    def _prefix(self, measurement: str) -> list[bytes]:
        prefixes = self._prefixes[measurement]
        for path in self._roster.paths[len(prefixes) :]:
            tags = ",".join(
                f"{tag}={level}" for tag, level in zip(("site", "line", "pot"), path.split("/"), strict=False)
            )
            prefixes.append(f"{measurement},{tags} ".encode())
        return prefixes

    def _encode(self, measurement: str, rows: Wide) -> list[bytes]:
        if not len(rows):
            return []
        names = [CATALOGUE[code].db_field for code in rows.signals]
        prefixes = self._prefix(measurement)
        said = np.isfinite(rows.values)
        if said.all():
            return [_block(rows, np.arange(len(rows)), names, prefixes)]
        # Rows that say the same signals are encoded together.
        patterns, group = np.unique(said, axis=0, return_inverse=True)
        return [
            _block(
                Wide(rows.time_ns, rows.unit, (), rows.values[:, pattern]),
                np.flatnonzero(group.ravel() == index),
                [name for name, is_said in zip(names, pattern.tolist(), strict=True) if is_said],
                prefixes,
            )
            for index, pattern in enumerate(patterns)
        ]


def _block(
    rows: Wide, index: np.ndarray[tuple[int], np.dtype[np.int64]], names: list[str], prefixes: list[bytes]
) -> bytes:
    """Lines of rows that say every name: prefixes, names and numbers laid into one list, joined once."""
    values = np.ascontiguousarray(rows.values[index]).ravel()
    # Floats as JSON: shortest text that reads back as the same float.
    numbers = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
    count, width = len(index), len(names)
    stride = 2 * width + 2
    parts = [b""] * (count * stride)
    parts[0::stride] = [prefixes[unit] for unit in rows.unit[index].tolist()]
    for place, name in enumerate(names):
        parts[1 + 2 * place :: stride] = [f"{',' if place else ''}{name}=".encode()] * count
        parts[2 + 2 * place :: stride] = numbers[place::width]
    parts[stride - 1 :: stride] = [b" %d\n" % time for time in rows.time_ns[index].tolist()]
    return b"".join(parts)
