"""The sums of days and months: they outlast the minute bins, for windows of months and years.

A day that late data can still reach stands by itself; older ones are added to their month, in order.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from twin.frames import Floats
from twin.windows import Window

__all__ = ["Days"]

MONTHS_KEPT = 14  # a year, and the one before its first day is over
Sums = tuple[Floats, Floats]  # (quantities, rows) and (sources,)


@dataclass(slots=True)
class Days:
    """`kept`: how many days stand by themselves, more than late data reach back.

    `days` start of a day [ns] -> start of its month [ns] and its sums; `months` start [ns] -> sums of its old days.
    """

    kept: int
    days: dict[int, tuple[int, Sums]] = field(default_factory=dict)
    months: dict[int, Sums] = field(default_factory=dict)

    def keep(self, day: Window, month: Window, sums: Sums) -> None:
        """Write the sums of a day, over those it had. A day that has gone into its month stays as it was."""
        full = len(self.days) >= self.kept  # before that no day has gone into its month
        if full and day.start_ns < min(self.days):
            return
        self.days[day.start_ns] = month.start_ns, sums
        while len(self.days) > self.kept:
            oldest = min(self.days)
            of, gone = self.days.pop(oldest)
            before = self.months.get(of)
            self.months[of] = gone if before is None else (before[0] + gone[0], before[1] + gone[1])
        while len(self.months) > MONTHS_KEPT:
            del self.months[min(self.months)]

    def total(self, window: Window, nothing: Sums) -> Sums:
        """Sums of the days and months that begin within a window of months; `nothing` gives the shape."""
        parts = [self.months[start] for start in sorted(self.months) if window.start_ns <= start < window.end_ns]
        parts += [self.days[start][1] for start in sorted(self.days) if window.start_ns <= start < window.end_ns]
        sums, mix = nothing
        for part in parts:
            sums, mix = sums + part[0], mix + part[1]
        return sums, mix

    def grow(self, extra: int) -> None:
        """Make room for pots enrolled since."""
        room = ((0, 0), (0, extra))
        self.days = {day: (of, (np.pad(sums, room), mix)) for day, (of, (sums, mix)) in self.days.items()}
        self.months = {month: (np.pad(sums, room), mix) for month, (sums, mix) in self.months.items()}
