"""Detectors that judge each row by itself, column by column: robust limits, and the trivial ones to compare with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.contract import EMPTY, State, worst
from models.errors import ModelError
from models.matrix import Floats, Matrix
from models.scaling import robust, scaled

__all__ = ["Constant", "OneColumn", "RobustLimits", "always", "never", "one_column", "robust_limits"]


@dataclass(frozen=True, slots=True)
class RobustLimits:
    """Score: the largest distance of a value from the column's training median, in robust standard deviations."""

    columns: tuple[str, ...]
    limit: float
    centre: Floats
    spread: Floats
    name: str = ""

    def start(self) -> State:
        return EMPTY

    def score(self, state: State, matrix: Matrix) -> tuple[State, Floats]:
        return state, worst(self._distance(matrix))

    def explain(self, state: State, matrix: Matrix) -> Floats:
        return np.nan_to_num(self._distance(matrix), nan=0.0)

    def _distance(self, matrix: Matrix) -> Floats:
        return np.abs(scaled(matrix.choose(self.columns).values, self.centre, self.spread))


@dataclass(frozen=True, slots=True)
class Constant:
    """The same score for every row that holds a value."""

    columns: tuple[str, ...]
    limit: float
    value: float
    name: str = ""

    def start(self) -> State:
        return EMPTY

    def score(self, state: State, matrix: Matrix) -> tuple[State, Floats]:
        return state, np.where(np.isnan(matrix.choose(self.columns).values).all(axis=1), np.nan, self.value)

    def explain(self, state: State, matrix: Matrix) -> Floats:
        return np.zeros((len(matrix), len(self.columns)))


@dataclass(frozen=True, slots=True)
class OneColumn:
    """Score: the value of one column, `sense` 1, or its negative, -1."""

    columns: tuple[str, ...]
    limit: float
    sense: float
    name: str = ""

    def start(self) -> State:
        return EMPTY

    def score(self, state: State, matrix: Matrix) -> tuple[State, Floats]:
        return state, self.sense * matrix.choose(self.columns).values[:, 0]

    def explain(self, state: State, matrix: Matrix) -> Floats:
        return np.where(np.isnan(matrix.choose(self.columns).values), 0.0, 1.0)


def robust_limits(matrix: Matrix, seed: int, **_: Any) -> RobustLimits:
    """Median and spread of the training rows."""
    return RobustLimits(matrix.columns, np.nan, *robust(matrix.values))


def always(matrix: Matrix, seed: int, **_: Any) -> Constant:
    """Every row that holds a value is flagged."""
    return Constant(matrix.columns, 0.5, 1.0)


def never(matrix: Matrix, seed: int, **_: Any) -> Constant:
    """No row is flagged."""
    return Constant(matrix.columns, 0.5, 0.0)


def one_column(matrix: Matrix, seed: int, *, column: str, limit: float, sense: str) -> OneColumn:
    """`column` above or below `limit`; NaN = the limit comes from the training rows. Raises ModelError."""
    if sense not in ("above", "below"):
        raise ModelError(f"sense {sense!r} of one_column is not allowed; it must be above or below")
    sign = 1.0 if sense == "above" else -1.0
    chosen = matrix.choose([column] if column else matrix.columns[:1])
    return OneColumn(chosen.columns, sign * limit, sign)
