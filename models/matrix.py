"""What every model sees: rows of numbers with named columns, a time and a group for each row. Read-only, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError

__all__ = ["Flags", "Floats", "Ints", "Matrix", "enough", "in_order"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Matrix:
    """A table. Rows come in any order; two rows of one group never have the same time.

    columns: names, each once
    values:  (rows, columns), NaN = missing, never infinite
    time_ns: (rows,) ns since 1970 [or any other epoch, the same for all rows]
    group:   (rows,) what a row belongs to: rows of one group are a series in time, groups are independent

    Raises ModelError when the parts do not fit. The arrays are copied only where their type is another one.
    """

    columns: tuple[str, ...]
    values: Floats
    time_ns: Ints
    group: Ints

    def __post_init__(self) -> None:
        put: Any = object.__setattr__
        put(self, "columns", tuple(self.columns))
        put(self, "values", _frozen(self.values, np.float64, "values"))
        put(self, "time_ns", _frozen(self.time_ns, np.int64, "time_ns"))
        put(self, "group", _frozen(self.group, np.int64, "group"))
        twice = sorted({name for name in self.columns if self.columns.count(name) > 1})
        if twice:
            raise ModelError(f"columns {', '.join(twice)} are there twice; each name may stand for one column")
        rows = self.values.shape[0] if self.values.ndim else 0
        wanted = (rows, len(self.columns))
        if self.values.shape != wanted or self.time_ns.shape != (rows,) or self.group.shape != (rows,):
            raise ModelError(
                f"a matrix of {len(self.columns)} columns has values {self.values.shape}, time_ns {self.time_ns.shape},"
                f" group {self.group.shape}; they must be (rows, {len(self.columns)}), (rows,) and (rows,)"
            )
        if np.isinf(self.values).any():
            names = [self.columns[place] for place in np.flatnonzero(np.isinf(self.values).any(axis=0))]
            raise ModelError(f"columns {', '.join(names)} hold infinite values; a missing value is NaN")

    def __len__(self) -> int:
        return int(self.values.shape[0])

    def choose(self, columns: Sequence[str]) -> Matrix:
        """The same rows with these columns, in this order. Raises ModelError that names what is missing."""
        if tuple(columns) == self.columns:
            return self
        places = {name: place for place, name in enumerate(self.columns)}
        missing = [name for name in columns if name not in places]
        if missing:
            raise ModelError(
                f"the table has no column {', '.join(missing)}; it has {', '.join(self.columns) or 'none'}: "
                "give the model the columns that it was fitted on"
            )
        return Matrix(tuple(columns), self.values[:, [places[name] for name in columns]], self.time_ns, self.group)

    def take(self, rows: Flags | Ints) -> Matrix:
        """Some of the rows: a mask (rows,) or their numbers."""
        return Matrix(self.columns, self.values[rows], self.time_ns[rows], self.group[rows])

    @classmethod
    def concat(cls, parts: Sequence[Matrix]) -> Matrix:
        """The rows of several matrices that have the same columns, one after the other. Raises ModelError."""
        if not parts:
            raise ModelError("there is no matrix to put together; give at least one")
        first = parts[0]
        chosen = [part.choose(first.columns) for part in parts]
        return cls(
            first.columns,
            np.concatenate([part.values for part in chosen]),
            np.concatenate([part.time_ns for part in chosen]),
            np.concatenate([part.group for part in chosen]),
        )


def _frozen(values: Any, kind: type, name: str) -> Any:
    """A read-only array of a type; what the caller holds stays as writable as it was."""
    try:
        array: NDArray[Any] = np.asarray(values).astype(kind, casting="same_kind", copy=False).view()
    except (TypeError, ValueError) as error:
        raise ModelError(f"{name} cannot be {np.dtype(kind).name}: {error}") from error
    array.flags.writeable = False
    return array


def in_order(matrix: Matrix) -> tuple[Ints, Ints]:
    """Row numbers by group and time, and the place of each of them within its group.

    Returns (order (rows,), place (rows,)). Raises ModelError when a group has two rows of one time.
    """
    order = np.lexsort((matrix.time_ns, matrix.group)).astype(np.int64)
    group, time_ns = matrix.group[order], matrix.time_ns[order]
    same = group[1:] == group[:-1]
    if (same & (time_ns[1:] == time_ns[:-1])).any():
        row = int(np.flatnonzero(same & (time_ns[1:] == time_ns[:-1]))[0])
        raise ModelError(
            f"group {group[row]} has two rows of the time {time_ns[row]} ns; keep one row a group and time, or name "
            "the column that tells the groups apart"
        )
    number = np.arange(len(matrix), dtype=np.int64)
    first = np.concatenate([[True], ~same]) if len(matrix) else np.zeros(0, bool)
    return order, number - np.maximum.accumulate(np.where(first, number, 0))


def enough(values: Floats) -> Flags:
    """Rows that say enough to be judged: at least half of their columns, and one. (rows, columns) -> (rows,)."""
    known = np.isfinite(values).sum(axis=1)
    says: Flags = (known > 0) & (2 * known >= values.shape[1])
    return says
