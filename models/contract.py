"""What every detector does: score and explain rows, with all that it remembers in an explicit state.

A fitted detector is a frozen dataclass with the fields `name`, `columns` and `limit`; the rest is its own. Scoring is
pure: the same state and rows give the same scores, in one batch or row by row, whatever the order of the rows and
whatever other groups are among them. A score above `limit` flags the row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from models.errors import ModelError
from models.matrix import Flags, Floats, Ints, Matrix, in_order

__all__ = ["EMPTY", "Detector", "State", "Step", "flagged", "walk", "worst"]


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered of each group; empty for a detector that judges rows alone. Grows with groups, not with rows.

    group (groups,) ascending; time_ns (groups,) of the newest row; memory (groups, slots, columns).
    """

    group: Ints
    time_ns: Ints
    memory: Floats

    def keep(self, groups: Ints) -> State:
        """Only these groups: forgets what has left the plant."""
        stay = np.isin(self.group, groups)
        return State(self.group[stay], self.time_ns[stay], self.memory[stay])


EMPTY = State(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 0, 0)))
Step = Callable[[Floats, Floats], tuple[Floats, Floats]]


@runtime_checkable
class Detector(Protocol):
    """A fitted detector."""

    @property
    def name(self) -> str:
        """Its row in the table of detectors."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it sees."""
        ...

    @property
    def limit(self) -> float:
        """A row with a higher score is flagged."""
        ...

    def start(self) -> State:
        """The state before the first row."""
        ...

    def score(self, state: State, matrix: Matrix) -> tuple[State, Floats]:
        """Scores (rows,), higher = stranger, NaN while warming up or where a row says too little; the state after
        them. Raises ModelError when a column is missing or a row is not newer than the state of its group."""
        ...

    def explain(self, state: State, matrix: Matrix) -> Floats:
        """Contributions (rows, columns) >= 0 in the order of `columns`: what each column has to do with the score;
        `state` is that before these rows, as for `score`. 0 where a row has no score."""
        ...


def flagged(detector: Detector, scores: Floats) -> Flags:
    """Mask (rows,) of the rows above the limit; a row without a score is not flagged."""
    found: Flags = scores > detector.limit
    return found


def walk(state: State, matrix: Matrix, start: Floats, step: Step) -> tuple[State, Floats]:
    """Take every row of every group in order of time through `step`.

    start (slots, columns) is the memory of a group before its first row; step(memory (n, slots, columns), values
    (n, columns)) -> (memory, contributions (n, columns), NaN = none yet), one row each of n groups. Returns the state
    and the contributions (rows, columns) in the order of the rows of the matrix.
    """
    order, place = in_order(matrix)
    groups = np.unique(np.concatenate([state.group, matrix.group]))
    memory = np.broadcast_to(start, (len(groups), *start.shape)).copy()
    times = np.full(len(groups), np.iinfo(np.int64).min)
    known = np.searchsorted(groups, state.group)
    if len(state.group):
        memory[known], times[known] = state.memory, state.time_ns
    row_group = np.searchsorted(groups, matrix.group)
    _forward(matrix, times, row_group)
    contributions = np.full(matrix.values.shape, np.nan)
    rounds = np.argsort(place, kind="stable")
    ends = np.cumsum(np.bincount(place)) if len(matrix) else np.zeros(0, np.int64)
    begin = 0
    for end in ends:
        rows = order[rounds[begin:end]]
        who = row_group[rows]
        memory[who], contributions[rows] = step(memory[who], matrix.values[rows])
        times[who] = matrix.time_ns[rows]
        begin = int(end)
    return State(groups, times, memory), contributions


def _forward(matrix: Matrix, times: Ints, row_group: Ints) -> None:
    late = np.flatnonzero(matrix.time_ns <= times[row_group])
    if len(late):
        row = int(late[0])
        raise ModelError(
            f"a row of group {matrix.group[row]} at {matrix.time_ns[row]} ns is not newer than the last one scored, "
            f"{times[row_group[row]]} ns; score rows in order of time, or begin again with start()"
        )


def worst(contributions: Floats) -> Floats:
    """The largest contribution of each row, NaN where all are NaN. (rows, columns) -> (rows,)."""
    if not contributions.shape[1]:
        return np.full(contributions.shape[0], np.nan)
    none = np.isnan(contributions).all(axis=1)
    return np.where(none, np.nan, np.where(np.isnan(contributions), -np.inf, contributions).max(axis=1))
