"""The window that a late sample can still change: drives of every step, a belief each few hours, the samples.

All are rings of fixed size. What came of a step is a function of the belief kept before it, the drives and the samples
in the window, never of the order in which samples came: that is why a late sample gives what an early one would have.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from twin.estimator.belief import PACKED, Belief, packed, unpacked
from twin.estimator.drive import DRIVES, Drive, Narrow
from twin.frames import Floats, Ints

__all__ = ["NEVER", "Window"]

NEVER = -1  # number of the step before the first
EMPTY = -2  # of a place in the ring where no belief is kept
Kept = dict[tuple[int, int], float]  # (pot, kind) -> value [SI]


@dataclass(slots=True)
class Window:
    """`drives` (steps, drives, pots); `kept` (keeps, PACKED, pots) beliefs after the steps `kept_at` (keeps,).

    `samples` step -> (pot, kind) -> value; the newest of the same key counts. A belief is kept every `every` steps.
    """

    every: int
    drives: Narrow
    kept: Floats
    kept_at: Ints
    samples: dict[int, Kept] = field(default_factory=dict)

    @classmethod
    def empty(cls, steps: int, every: int, pots: int) -> Window:
        """Room for so many steps."""
        keeps = steps // every + 2
        drives = np.full((steps, len(DRIVES), pots), np.nan, np.float32)
        return cls(every, drives, np.zeros((keeps, PACKED, pots)), np.full(keeps, EMPTY, np.int64))

    def begin(self, number: int, prior: Belief) -> None:
        """The first step to come is the one after this number."""
        self.kept[0], self.kept_at[0] = packed(prior), number

    def note(self, number: int, rows: Narrow) -> None:
        """Remember the drive of a step; forget what no re-run can reach any more."""
        self.drives[number % len(self.drives)] = rows
        oldest = number - len(self.drives)
        self.kept_at[self.kept_at < oldest] = EMPTY
        first = self.first()
        for step in [step for step in self.samples if step <= first]:
            del self.samples[step]

    def first(self) -> int:
        """The step after which the oldest belief was kept: samples up to it are too old."""
        valid = self.kept_at[self.kept_at >= NEVER]
        return int(valid.min()) if len(valid) else EMPTY

    def drive(self, number: int, pots: Ints) -> Drive:
        """What drove some pots in a step."""
        return Drive.of(self.drives[number % len(self.drives)][:, pots])

    def before(self, number: int, pots: Ints) -> tuple[int, Belief]:
        """The newest belief of some pots kept before a step, and the step after which it was kept."""
        candidates = np.where((self.kept_at >= NEVER) & (self.kept_at < number), self.kept_at, EMPTY)
        slot = int(np.argmax(candidates))
        return int(candidates[slot]), unpacked(self.kept[slot][:, pots])

    def keep(self, number: int, belief: Belief, pots: Ints | None = None) -> None:
        """Keep a belief when it is due after this step; of some pots only where a re-run passes by."""
        if number % self.every:
            return
        if pots is not None:
            slot = np.flatnonzero(self.kept_at == number)
            if len(slot):
                self.kept[slot[0]][:, pots] = packed(belief)
            return
        slot_free = int(np.argmin(self.kept_at))
        self.kept[slot_free], self.kept_at[slot_free] = packed(belief), number

    def sampled(self, number: int) -> dict[int, tuple[Ints, Floats]]:
        """Samples of a step: kind -> pots and values, in order of kind and pot whatever the order they came in."""
        found: dict[int, tuple[Ints, Floats]] = {}
        here = self.samples.get(number, {})
        for kind in sorted({kind for _, kind in here}):
            of_kind = sorted((pot, value) for (pot, k), value in here.items() if k == kind)
            found[kind] = (np.array([pot for pot, _ in of_kind], np.int64), np.array([v for _, v in of_kind]))
        return found
