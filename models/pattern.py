"""Branches in parallel, such as anodes, seen through the largest, smallest and spread of their currents.

One branch that takes more (a slipped anode, a spike) raises the largest and the spread together; one that is lost (a
burn-off) lowers the smallest and raises the spread. Other troubles move one of the three alone, or all branches alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.contract import State, walk, worst
from models.matrix import Floats, Matrix
from models.scaling import scaled
from models.series import change_point_of, follow, hold_still

__all__ = ["BranchPattern", "branch_pattern"]


@dataclass(frozen=True, slots=True)
class BranchPattern:
    """columns: largest, smallest, spread. Score: how far, in robust standard deviations from the group's own
    reference, both members of a pattern have gone: min(largest up, spread up) or min(smallest down, spread up).

    The contribution of the largest is the first, that of the smallest the second, that of the spread half the score.
    The reference learns for `warm` rows, then slowly, and not while the group is flagged.
    """

    columns: tuple[str, ...]
    limit: float
    centre: Floats
    spread: Floats
    noise: Floats  # (1, 3)
    spans: Floats  # (2,) rows: recent, reference
    clip: float
    warm: int
    name: str = ""

    def start(self) -> State:
        return State(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 3, 3)))

    def score(self, state: State, matrix: Matrix) -> tuple[State, Floats]:
        after, found = self._walk(state, matrix)
        return after, worst(found)

    def explain(self, state: State, matrix: Matrix) -> Floats:
        return np.nan_to_num(self._walk(state, matrix)[1], nan=0.0)

    def _walk(self, state: State, matrix: Matrix) -> tuple[State, Floats]:
        return walk(state, matrix.choose(self.columns), np.zeros((3, 3)), self._step)

    def _step(self, memory: Floats, values: Floats) -> tuple[Floats, Floats]:
        z = np.clip(scaled(values, self.centre, self.spread), -self.clip, self.clip)
        after, difference = follow(memory, z, self.spans, self.warm)
        largest, smallest, wide = (difference[:, 0] / self.noise[0]).T
        more = np.maximum(np.minimum(largest, wide), 0.0)
        lost = np.maximum(np.minimum(-smallest, wide), 0.0)
        found = np.stack([more, lost, np.fmax(more, lost) / 2], axis=1)
        hold_still(after, memory, worst(found) > self.limit)
        return after, found


def branch_pattern(
    matrix: Matrix, seed: int, *, largest: str, smallest: str, spread: str, recent: float, reference: float,
    clip: float, warm: float,
) -> BranchPattern:  # fmt: skip
    """The columns named; spans `recent` and `reference` [rows]. Raises ModelError when a column is missing."""
    chosen = matrix.choose((largest, smallest, spread))
    fitted = change_point_of(chosen, np.array([recent, reference]), clip, int(warm))
    return BranchPattern(
        chosen.columns, np.nan, fitted.centre, fitted.spread, fitted.noise, fitted.spans, clip, int(warm)
    )
