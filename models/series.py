"""Detectors that follow each group through time: CUSUM and change point. Their memory is a few numbers a column.

Neither learns from what it flags: the sums of CUSUM have fixed centres, and the reference of the change point stands
still while the row is flagged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.contract import State, walk, worst
from models.errors import ModelError
from models.matrix import Flags, Floats, Matrix
from models.scaling import group_offset, robust, scaled

__all__ = ["ChangePoint", "Cusum", "change_point", "change_point_of", "cusum", "follow", "hold_still"]


@dataclass(frozen=True, slots=True)
class Cusum:
    """Two-sided cumulative sums of standardised values: S = max(0, S + z - slack) and the same downwards (Page 1954).

    Finds small shifts and slow drifts from the training centre. One value counts for `clip` at most, and a sum stays
    below `cap` limits, so that it falls back when all is well again. Score: the largest sum of the columns.
    """

    columns: tuple[str, ...]
    limit: float
    centre: Floats
    spread: Floats
    slack: Floats  # (columns,)
    clip: float
    cap: float
    warm: int
    name: str = ""

    def start(self) -> State:
        return _nothing(3, len(self.columns))

    def score(self, state: State, matrix: Matrix) -> tuple[State, Floats]:
        after, sums = self._walk(state, matrix)
        return after, worst(sums)

    def explain(self, state: State, matrix: Matrix) -> Floats:
        return np.nan_to_num(self._walk(state, matrix)[1], nan=0.0)

    def _walk(self, state: State, matrix: Matrix) -> tuple[State, Floats]:
        chosen = matrix.choose(self.columns)
        return walk(state, chosen, np.zeros((3, len(self.columns))), self._step)

    def _step(self, memory: Floats, values: Floats) -> tuple[Floats, Floats]:
        upper, lower, count = memory[:, 0], memory[:, 1], memory[:, 2]
        z = np.clip(scaled(values, self.centre, self.spread), -self.clip, self.clip)
        known = ~np.isnan(z)
        top = np.inf if np.isnan(self.limit) else self.cap * self.limit
        with np.errstate(invalid="ignore"):
            upper = np.where(known, np.clip(upper + z - self.slack, 0.0, top), upper)
            lower = np.where(known, np.clip(lower - z - self.slack, 0.0, top), lower)
        count = np.minimum(count + known, self.warm)
        ready = known & (count >= self.warm)
        return np.stack([upper, lower, count], axis=1), np.where(ready, np.maximum(upper, lower), np.nan)


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """The recent level of a column against the group's own reference: exponential means of several spans (Roberts 1959)
    against a slow one, each difference in robust standard deviations of its own in training.

    Finds what has changed in a group, whatever its usual level is. The reference learns for `warm` rows, then slowly,
    and not at all while the group is flagged. Score: the largest difference of columns and spans.
    """

    columns: tuple[str, ...]
    limit: float
    centre: Floats
    spread: Floats
    noise: Floats  # (spans, columns)
    spans: Floats  # rows, ascending; the last one is the reference's
    clip: float
    warm: int
    name: str = ""

    def start(self) -> State:
        return _nothing(1 + len(self.spans), len(self.columns))

    def score(self, state: State, matrix: Matrix) -> tuple[State, Floats]:
        after, change = self._walk(state, matrix)
        return after, worst(change)

    def explain(self, state: State, matrix: Matrix) -> Floats:
        return np.nan_to_num(self._walk(state, matrix)[1], nan=0.0)

    def _walk(self, state: State, matrix: Matrix) -> tuple[State, Floats]:
        chosen = matrix.choose(self.columns)
        return walk(state, chosen, np.zeros((1 + len(self.spans), len(self.columns))), self._step)

    def _step(self, memory: Floats, values: Floats) -> tuple[Floats, Floats]:
        z = np.clip(scaled(values, self.centre, self.spread), -self.clip, self.clip)
        after, difference = follow(memory, z, self.spans, self.warm)
        change = np.abs(difference / self.noise).max(axis=1)
        hold_still(after, memory, worst(change) > self.limit)
        return after, change


def cusum(matrix: Matrix, seed: int, *, slack: float, clip: float, cap: float, warm: float) -> Cusum:
    """Centre and spread from the training rows; the slack is widened by how much training groups differ for good."""
    centre, spread = robust(matrix.values)
    wide = slack + group_offset(matrix, centre, spread)
    return Cusum(matrix.columns, np.nan, centre, spread, wide, clip, cap, int(warm))


def change_point(matrix: Matrix, seed: int, *, reference: float, clip: float, warm: float) -> ChangePoint:
    """Spans of a 64th, a 16th and a quarter of the reference [rows]. Raises ModelError as `change_point_of` does."""
    spans = np.array([reference / 64, reference / 16, reference / 4, reference])
    return change_point_of(matrix, spans, clip, int(warm))


def change_point_of(matrix: Matrix, spans: Floats, clip: float, warm: int) -> ChangePoint:
    """With any spans. Raises ModelError when no training group is long enough to be judged."""
    centre, spread = robust(matrix.values)
    noise = []
    for span in spans[:-1]:
        one = ChangePoint(
            matrix.columns, np.nan, centre, spread, np.ones((1, len(centre))), np.array([span, spans[-1]]), clip, warm
        )
        change = one._walk(one.start(), matrix)[1]
        noise.append(robust(np.concatenate([change, -change]))[1])  # differences lie on both sides of 0
    if not np.isfinite(noise).any():
        raise ModelError(
            f"no training group has more than {warm} rows, by when a group's own level is known; give more rows, or a "
            "smaller reference and warm"
        )
    return ChangePoint(matrix.columns, np.nan, centre, spread, np.array(noise), spans, clip, warm)


def follow(memory: Floats, z: Floats, spans: Floats, warm: int) -> tuple[Floats, Floats]:
    """Exponential means of some spans, the last one the reference, and how far the others are from it.

    memory (groups, 1 + spans, columns): count of values, then the means; z (groups, columns). Returns the memory after
    it and the differences (groups, spans - 1, columns), NaN before `warm` values and where there is no value.
    """
    count, means = memory[:, :1], memory[:, 1:]
    known = ~np.isnan(z)[:, None, :]
    count = np.minimum(count + known, np.ceil(spans[-1]))
    # a plain mean of all values until there are enough for its span
    rate = np.maximum(2.0 / (spans[:, None] + 1.0), 1.0 / np.maximum(count, 1.0))
    moved = np.where(known, means + rate * (np.where(known, z[:, None, :], 0.0) - means), means)
    difference = np.where(known & (count >= warm), moved[:, :-1] - moved[:, -1:], np.nan)
    return np.concatenate([count, moved], axis=1), difference


def hold_still(after: Floats, before: Floats, flagged: Flags) -> None:
    """Takes back, in place, what the reference of flagged groups has learned from this row."""
    after[flagged, -1] = before[flagged, -1]


def _nothing(slots: int, columns: int) -> State:
    return State(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, slots, columns)))
