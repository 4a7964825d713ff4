"""The port of the report to a store: figures of windows as plain columns, by name, whatever the store knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from twin.frames import Floats, Ints

__all__ = ["FigureStore", "Table", "table_of"]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one measurement in order of time, then unit: `time_ns` (rows,), `path` of the unit, `columns` (rows,).

    NaN = not said. A field that the store does not know is a column of NaN: nothing is invented, nothing fails.
    """

    time_ns: Ints
    path: tuple[str, ...]
    columns: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.time_ns)


class FigureStore(Protocol):
    """What the twin wrote, read back. Raises ConfigError (no such store, open elsewhere) or SourceUnavailable."""

    @property
    def name(self) -> str:
        """The store in words."""
        ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def fields(self, measurement: str) -> frozenset[str]:
        """Names of the fields that a measurement has; none where there is no such measurement."""
        ...

    async def read(self, measurement: str, fields: Sequence[str], start_ns: int, end_ns: int, under: str = "") -> Table:
        """Rows with start_ns <= time < end_ns that say any of `fields`, of the unit `under` and of those below it."""
        ...

    async def starts(self, measurement: str, field: str, path: str) -> Ints:
        """Every time at which a unit has this field, in order."""
        ...


def table_of(rows: Sequence[tuple[int, str, str, float]], fields: Sequence[str]) -> Table:
    """A table of (time, path, field, value); the last value of a key counts."""
    keys = sorted({(time, path) for time, path, _, _ in rows})
    place = {key: row for row, key in enumerate(keys)}
    columns = {field: np.full(len(keys), np.nan) for field in fields}
    for time, path, field, value in rows:
        columns[field][place[time, path]] = value
    return Table(np.array([time for time, _ in keys], np.int64), tuple(path for _, path in keys), columns)
