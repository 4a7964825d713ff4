"""What the alarm system hears: fault events, the crews' events and the line current, as columns in order of time.

Everything counts in the second in which it could be known: a fault's hold is part of that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from twin.alarms.conditions import CONDITIONS
from twin.alarms.layout import Layout
from twin.alarms.rows import ALARMS, OF_LINE, PLANNED, index_of
from twin.faults import FAULTS, JUDGED
from twin.frames import Event, Floats, Ints, Readings
from twin.signals import by_name
from twin.units import NS_PER_S

__all__ = ["Inputs", "told"]

_HOLD = {fault.code: (int(fault.hold_s * NS_PER_S), int(fault.clear_hold_s * NS_PER_S)) for fault in FAULTS}
_ROW = {row.code: index for index, row in enumerate(ALARMS)}
_SIGNALS = {by_name(c.signal): (row, c.ends) for row, c in enumerate(CONDITIONS) if c.signal}
_FAULTS = {fault.code: fault for fault in FAULTS}
_BEYOND = [(row, _FAULTS[c.limit_of]) for row, c in enumerate(CONDITIONS) if c.limit_of]
_CURRENT = by_name("line_current_ka")
_LOW = index_of("line_current_low")
_LOOKED_FOR = _FAULTS.keys() & {row.code for row in ALARMS if row.is_root}  # a root alarm finds it sooner than the rule


@dataclass(frozen=True, slots=True)
class Inputs:
    """Columns of equal length, by `time_ns` [ns, whole seconds]. `alarm` >= 0: an alarm's condition; else `condition`
    >= 0: a condition of the pot. `at_ns`: when it really was; `evidence` by (alarm, unit)."""

    time_ns: Ints
    alarm: Ints
    condition: Ints
    unit: Ints
    on: Ints
    at_ns: Ints
    value: Floats
    limit: Floats
    evidence: dict[tuple[int, int], str]

    def __len__(self) -> int:
        return len(self.time_ns)

    def part(self, rows: slice) -> Inputs:
        """Some of them, in order."""
        time_ns, alarm, condition = self.time_ns[rows], self.alarm[rows], self.condition[rows]
        unit, on, at_ns = self.unit[rows], self.on[rows], self.at_ns[rows]
        return Inputs(time_ns, alarm, condition, unit, on, at_ns, self.value[rows], self.limit[rows], self.evidence)


Row = tuple[int, int, int, int, int, int, float, float]


def told(layout: Layout, events: Iterable[Event] = (), readings: Readings | None = None) -> Inputs:
    """Inputs of one report: its fault events, and the readings that it was made of."""
    rows: list[Row] = []
    evidence = {}
    for event in events:
        kind = layout.kinds[event.unit]
        code = OF_LINE.get(event.code, event.code) if kind == "line" else event.code
        alarm = _ROW.get(code)
        # What is said of another kind of unit has no alarm, nor has a cause that asks nobody to do anything.
        if alarm is None or code in _LOOKED_FOR or ALARMS[alarm].scope != kind or (event.began and _planned(event)):
            continue
        hold = _HOLD.get(event.code, (0, 0))[0 if event.began else 1]
        rows.append((event.time_ns + hold, alarm, -1, event.unit, event.began, event.time_ns, event.value, event.limit))
        if event.evidence:
            evidence[alarm, event.unit] = event.evidence
    if readings is not None and len(readings):
        rows += _crews(readings)
        rows += _beyond(readings)
        rows += _currents(layout, readings)
    columns = list(zip(*rows, strict=True)) if rows else [()] * 8
    order = np.lexsort((np.array(columns[5], np.int64), np.array(columns[0], np.int64)))
    time_ns, alarms, condition, unit, on, at_ns = (np.array(column, np.int64)[order] for column in columns[:6])
    value, limit = (np.array(column, np.float64)[order] for column in columns[6:])
    return Inputs(time_ns // NS_PER_S * NS_PER_S, alarms, condition, unit, on, at_ns, value, limit, evidence)


def _planned(event: Event) -> bool:
    """Whether a model names what people do on purpose."""
    return event.code in JUDGED and event.evidence in PLANNED


def _crews(readings: Readings) -> list[Row]:
    """Tapping, anode changes and beam raises."""
    found: list[Row] = []
    for signal, (condition, ends) in _SIGNALS.items():
        at = np.flatnonzero(readings.signal == signal)
        for time, unit, value in zip(
            readings.time_ns[at].tolist(), readings.unit[at].tolist(), readings.value[at].tolist(), strict=True
        ):
            found.append((time, -1, condition, unit, not ends or value > 0, time, value, np.nan))
    return found


def _beyond(readings: Readings) -> list[Row]:
    """Values that say that a condition is over: the first and the last of each pot, what lies between says no more."""
    found: list[Row] = []
    for condition, fault in _BEYOND:
        value = -readings.value if fault.sense == "below" else readings.value
        limit = -fault.limit if fault.sense == "below" else fault.limit
        at = np.flatnonzero((readings.signal == fault.column) & (value > limit))
        for unit in np.unique(readings.unit[at]).tolist():
            times = readings.time_ns[at[readings.unit[at] == unit]]
            found += [(t, -1, condition, unit, 0, t, np.nan, np.nan) for t in {int(times.min()), int(times.max())}]
    return found


def _currents(layout: Layout, readings: Readings) -> list[Row]:
    """Where the line current crosses one of its two limits; between them it says nothing."""
    at = np.flatnonzero((readings.signal == _CURRENT) & np.isfinite(readings.value))
    at = at[np.argsort(readings.time_ns[at], kind="stable")]
    begin, end = ALARMS[_LOW].share
    found: list[Row] = []
    for unit in np.unique(readings.unit[at]).tolist():
        mine = at[readings.unit[at] == unit]
        share = readings.value[mine] / layout.rated_ka[unit]
        said = np.where(share < begin, 1, np.where(share > end, 0, -1))
        known = said >= 0
        mine, said = mine[known], said[known]
        turns = np.flatnonzero(np.diff(said, prepend=-1))
        for time, on, value in zip(
            readings.time_ns[mine[turns]].tolist(), said[turns].tolist(), readings.value[mine[turns]].tolist(),
            strict=True,
        ):  # fmt: skip
            found.append((time, _LOW, -1, unit, on, time, value, begin * float(layout.rated_ka[unit])))
    return found
