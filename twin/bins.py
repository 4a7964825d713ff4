"""Minute bins: what the ledger remembers of every signal it accounts, in a ring over the last hours.

The bins are filled by integer sums, sets of seconds and newest-wins, so their content does not depend on the order
in which readings come, on how they are batched, or on how often the same reading comes again (F17).
One sample a second is counted: a second sample in the same second of the same unit is the same sample.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.frames import Floats, Ints

__all__ = ["Metered", "Ring", "Sampled"]


class Ring:
    """Which minutes the bins hold: minute m in slot m % minutes, whole cells only.

    `minutes` is a multiple of `cell`; the cell that the newest minute has begun to overwrite is no longer held.
    """

    def __init__(self, minutes: int, cell: int) -> None:
        self.minutes = minutes
        self.cell = cell
        self.newest = -1  # minute number since 1970; -1 before any data

    @property
    def oldest(self) -> int:
        """First minute held."""
        return (self.newest // self.cell + 1) * self.cell - self.minutes

    def slot(self, minute: Ints) -> Ints:
        return minute % self.minutes

    def holds(self, minute: Ints) -> NDArray[np.bool_]:
        return (minute >= self.oldest) & (minute <= self.newest)

    def advance(self, minute: int) -> Ints:
        """Make room up to `minute`; returns the slots whose content is now outdated."""
        if minute <= self.newest:
            return np.empty(0, np.int64)
        first = max(self.newest + 1, minute - self.minutes + 1)
        self.newest = minute
        return self.slot(np.arange(first, minute + 1))


class Sampled:
    """Sum and set of seconds per (minute, row) of a sampled signal: minutes come, are read and go as a whole.

    `resolution` [SI] is the step in which values are summed, as integers: addition in any order gives the same sum.
    """

    def __init__(self, rows: int, minutes: int, resolution: float) -> None:
        self.resolution = resolution
        self.total = np.zeros((minutes, rows), np.int64)
        self.seconds = np.zeros((minutes, rows), np.uint64)

    def grow(self, rows: int) -> None:
        extra = rows - self.total.shape[1]
        self.total = np.pad(self.total, ((0, 0), (0, extra)))
        self.seconds = np.pad(self.seconds, ((0, 0), (0, extra)))

    def clear(self, slots: Ints) -> None:
        self.total[slots] = 0
        self.seconds[slots] = 0

    def add(self, row: Ints, slot: Ints, second: Ints, value: Floats) -> None:
        """Count each (row, slot, second) once; `value` [SI]."""
        place = slot * self.total.shape[1] + row
        _, first = np.unique(place * 60 + second, return_index=True)
        place, second, value = place[first], second[first], value[first]
        bit = np.left_shift(np.uint64(1), second.astype(np.uint64))
        seconds, total = self.seconds.reshape(-1), self.total.reshape(-1)
        new = (seconds[place] & bit) == 0
        np.add.at(total, place[new], np.rint(value[new] / self.resolution).astype(np.int64))
        np.add.at(seconds, place[new], bit[new])  # distinct unset bits: adding is setting

    def read(self, slots: Ints) -> tuple[Floats, Floats]:
        """Mean [SI] and number of samples, each (rows, len(slots)); mean is 0 where there is no sample."""
        count = np.bitwise_count(self.seconds[slots]).astype(np.float64)
        mean = self.total[slots] * self.resolution / np.maximum(count, 1.0)
        return mean.T, count.T


class Metered:
    """Last reading per minute of one cumulative meter [J], and when it was taken."""

    def __init__(self, minutes: int, rollover: float) -> None:
        self.rollover = rollover
        self.value = np.full(minutes, np.nan)
        self.time_ns = np.zeros(minutes, np.int64)

    def clear(self, slots: Ints) -> None:
        self.value[slots] = np.nan
        self.time_ns[slots] = 0

    def add(self, slot: Ints, time_ns: Ints, value: Floats) -> None:
        order = np.argsort(time_ns, kind="stable")
        slot, time_ns, value = slot[order], time_ns[order], value[order]
        newer = time_ns > self.time_ns[slot]
        self.value[slot[newer]] = value[newer]
        self.time_ns[slot[newer]] = time_ns[newer]

    def spent(self, before: Ints, slots: Ints) -> tuple[Floats, Floats]:
        """Energy [J] from the last reading in slot `before` to the last in `slots`, and that time [s].

        0 and 0 where a reading is missing, where the meter was reset, or across a gap: never integrated over.
        A fall from the top tenth to the bottom tenth of the register is a rollover.
        """
        old, new = self.value[before], self.value[slots]
        duration = (self.time_ns[slots] - self.time_ns[before]) / 1e9
        with np.errstate(invalid="ignore"):
            energy = new - old
            rolled = (old > 0.9 * self.rollover) & (new < 0.1 * self.rollover)
            energy = np.where(rolled, energy + self.rollover, energy)
            good = (energy >= 0) & (duration > 0)
        return np.where(good, energy, 0.0), np.where(good, duration, 0.0)
