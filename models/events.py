"""From flags of rows to alarms, and alarms against what really happened: what a crew sees, counted as a crew would.

An alarm begins when a value has stayed at or above `on` for `hold_ns`, and ends when it has stayed below `off` for
`clear_ns`; it is known from `raised_ns` on. Missing values change nothing. An alarm that stands is looked at again
every `renew_ns` (a shift), and counts again: a detector that always alarms is not one that gave a single false alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.matrix import Flags, Floats, Ints, Matrix, in_order

__all__ = ["Episodes", "EventScore", "alarms", "judge"]

SHIFT_NS = 8 * 3600 * 1_000_000_000
DAY_NS = 24 * 3600 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Episodes:
    """Periods of groups, end included. group, begin_ns, raised_ns (when it was known), end_ns (episodes,); kind
    (episodes,) texts. Raises ModelError unless begin <= raised <= end."""

    group: Ints
    begin_ns: Ints
    raised_ns: Ints
    end_ns: Ints
    kind: NDArray[np.str_]

    def __post_init__(self) -> None:
        shapes = {array.shape for array in (self.group, self.begin_ns, self.raised_ns, self.end_ns, self.kind)}
        if len(shapes) != 1 or self.group.ndim != 1:
            raise ModelError(f"the columns of episodes have shapes {shapes}; they must be one and the same (episodes,)")
        if ((self.begin_ns > self.raised_ns) | (self.raised_ns > self.end_ns)).any():
            raise ModelError("an episode ends before it begins or is known; give begin_ns <= raised_ns <= end_ns")

    def __len__(self) -> int:
        return len(self.group)

    def take(self, rows: Flags | Ints) -> Episodes:
        """Some of them."""
        return Episodes(self.group[rows], self.begin_ns[rows], self.raised_ns[rows], self.end_ns[rows], self.kind[rows])

    @classmethod
    def of(
        cls, group: Sequence[int] | Ints, begin_ns: Sequence[int] | Ints, end_ns: Sequence[int] | Ints,
        kind: Sequence[str] | NDArray[np.str_] | str = "",
    ) -> Episodes:  # fmt: skip
        """Episodes that are known when they begin, e.g. what really happened."""
        begin = np.asarray(begin_ns, np.int64)
        kinds = np.broadcast_to(np.asarray(kind, np.str_), begin.shape)
        return cls(np.asarray(group, np.int64), begin, begin, np.asarray(end_ns, np.int64), kinds)


@dataclass(frozen=True, slots=True)
class EventScore:
    """How alarms fared. found, delay_ns (events,): delay from the event's begin to the alarm, negative = ahead, and
    the largest int64 where not found; true (alarms,); ignored alarms are in no figure. group_days observed."""

    events: Episodes
    found: Flags
    delay_ns: Ints
    alarms: int
    false: int
    group_days: float

    @property
    def recall(self) -> float:
        """Share of events found; NaN without events."""
        return float(self.found.mean()) if len(self.found) else float("nan")

    @property
    def precision(self) -> float:
        """Share of alarms that were for an event; NaN without alarms."""
        return 1.0 - self.false / self.alarms if self.alarms else float("nan")

    @property
    def false_per_group_day(self) -> float:
        """False alarms a day and group."""
        return self.false / self.group_days if self.group_days else float("nan")

    def delay_s(self, quantile: float = 0.5) -> float:
        """Quantile of the delays of found events [s]; NaN if none was."""
        return float(np.quantile(self.delay_ns[self.found], quantile)) / 1e9 if self.found.any() else float("nan")

    def ahead(self, lead_s: float) -> float:
        """Share of events of which an alarm was known at least `lead_s` [s] before they began; NaN without events."""
        early = self.found & (self.delay_ns <= -lead_s * 1e9)
        return float(early.mean()) if len(early) else float("nan")

    def of_kind(self, kind: str) -> EventScore:
        """Recall and delays of the events of one kind; alarms are not told apart and stay as they are."""
        mine = self.events.kind == kind
        return EventScore(
            self.events.take(mine), self.found[mine], self.delay_ns[mine], self.alarms, self.false, self.group_days
        )


def alarms(
    matrix: Matrix, value: Floats | Flags, *, on: float = 0.5, off: float | None = None, hold_ns: int = 0,
    clear_ns: int = 0, merge_ns: int = 0, kind: str = "",
) -> Episodes:  # fmt: skip
    """Alarms from a value a row: scores with their limit as `on`, probabilities, or flags (on = 0.5).

    value (rows,), NaN = nothing known; off <= on, the same if not given. An alarm that follows the end of another one
    of its group within `merge_ns` [ns] is the same alarm. An open one ends with the last row of its group. Sorted by
    group and begin. Raises ModelError.
    """
    off = on if off is None else off
    numbers = np.asarray(value, np.float64)
    if numbers.shape != (len(matrix),) or off > on or min(hold_ns, clear_ns, merge_ns) < 0:
        raise ModelError(
            f"{len(matrix)} rows, values {numbers.shape}, on {on:g}, off {off:g}: give one value a row, off <= on, and "
            "times that are not negative"
        )
    order, place = in_order(matrix)
    found: list[tuple[int, int, int, int]] = []
    edges = np.append(np.flatnonzero(place == 0), len(order))
    for begin, end in pairwise(edges):
        rows = order[begin:end]
        rows = rows[np.isfinite(numbers[rows])]
        if not len(rows):
            continue
        level = np.where(numbers[rows] >= on, 1, np.where(numbers[rows] < off, -1, 0))
        episodes = _merged(_of_group(matrix.time_ns[rows], level, hold_ns, clear_ns), merge_ns)
        found += [(int(matrix.group[rows[0]]), *episode) for episode in episodes]
    table = np.array(found, np.int64).reshape(-1, 4)
    return Episodes(table[:, 0], table[:, 1], table[:, 2], table[:, 3], np.full(len(table), kind))


def _of_group(time_ns: Ints, level: Ints, hold_ns: int, clear_ns: int) -> list[tuple[int, int, int]]:
    """(begin, raised, end) of one group's alarms, going from run to run of equal levels."""
    starts = np.flatnonzero(np.diff(level, prepend=2))
    lasts = np.append(starts[1:], len(level)) - 1
    found: list[tuple[int, int, int]] = []
    open_: tuple[int, int] | None = None
    for start, last in zip(starts, lasts, strict=True):
        begin, length = int(time_ns[start]), int(time_ns[last] - time_ns[start])
        if open_ is None and level[start] == 1 and length >= hold_ns:
            raised = int(time_ns[start + np.searchsorted(time_ns[start : last + 1], begin + hold_ns)])
            open_ = begin, raised
        elif open_ is not None and level[start] == -1 and length >= clear_ns:
            found.append((*open_, max(begin, open_[1])))
            open_ = None
    if open_ is not None:
        found.append((*open_, int(time_ns[-1])))
    return found


def _merged(found: list[tuple[int, int, int]], merge_ns: int) -> list[tuple[int, int, int]]:
    merged: list[tuple[int, int, int]] = []
    for begin, raised, end in found:
        if merged and merge_ns and begin - merged[-1][2] <= merge_ns:
            merged[-1] = merged[-1][0], merged[-1][1], end
        else:
            merged.append((begin, raised, end))
    return merged


def judge(
    given: Episodes, events: Episodes, group_days: float, *, early_ns: int = 0, late_ns: int = 0,
    ignored: Episodes | None = None, renew_ns: int = SHIFT_NS,
) -> EventScore:  # fmt: skip
    """Alarms against events.

    An alarm is true when, from `raised_ns` to its end, it stands at any moment from `early_ns` before an event of its
    group to `late_ns` after it [ns]; the event is then found, at the first such moment. Other alarms are false, unless
    they stand during an `ignored` episode. group_days: days observed, summed over the groups. Raises ModelError.
    """
    if min(early_ns, late_ns) < 0 or renew_ns < 1 or not group_days >= 0:
        raise ModelError("early_ns, late_ns and group_days must not be negative, renew_ns not below 1")
    shown = _renewed(given, renew_ns)
    delay = np.full(len(events), np.iinfo(np.int64).max)
    true = np.zeros(len(shown), bool)
    for number, alarm in _meetings(shown, events, early_ns, late_ns):
        true[alarm] = True
        first = np.maximum(shown.raised_ns[alarm], events.begin_ns[number] - early_ns).min()
        delay[number] = first - events.begin_ns[number]
    aside = np.zeros(len(shown), bool)
    for _, alarm in _meetings(shown, ignored, 0, 0) if ignored is not None else ():
        aside[alarm] = True
    counted = true | ~aside
    found = delay != np.iinfo(np.int64).max
    return EventScore(events, found, delay, int(counted.sum()), int((counted & ~true).sum()), group_days)


def _renewed(given: Episodes, renew_ns: int) -> Episodes:
    """Alarms cut into pieces: one from raising to renewal, the next from there."""
    pieces = (given.end_ns - given.raised_ns) // renew_ns + 1
    which = np.repeat(np.arange(len(given)), pieces)
    number = np.arange(len(which)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    raised = given.raised_ns[which] + number * renew_ns
    begin = np.where(number == 0, given.begin_ns[which], raised)
    end = np.minimum(given.end_ns[which], raised + renew_ns - 1)
    return Episodes(given.group[which], begin, raised, end, given.kind[which])


def _meetings(shown: Episodes, events: Episodes, early_ns: int, late_ns: int) -> list[tuple[int, Ints]]:
    """The number of each event that alarms stand at, and the numbers of these alarms."""
    order = np.lexsort((shown.raised_ns, shown.group))
    group = shown.group[order]
    met = []
    for number in range(len(events)):
        first, last = (
            np.searchsorted(group, events.group[number], "left"),
            np.searchsorted(group, events.group[number], "right"),
        )
        mine = order[first:last]
        there = (shown.raised_ns[mine] <= events.end_ns[number] + late_ns) & (
            shown.end_ns[mine] >= events.begin_ns[number] - early_ns
        )
        if there.any():
            met.append((number, mine[there].astype(np.int64)))
    return met
