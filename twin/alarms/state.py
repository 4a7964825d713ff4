"""What the alarm system remembers: active and acknowledged of every alarm at every unit, and who took it out of sight.

Dense columns (alarms, units), so that a whole plant may alarm within one second. What is shown of an alarm follows
from them (`shown`): the states of ISA-18.2 / IEC 62682. Owned by the caller and changed in place by `machine`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.alarms.conditions import CONDITIONS
from twin.alarms.rows import ALARMS, index_of
from twin.frames import Ints

__all__ = [
    "ACKED", "ANNUNCIATED", "COVERS", "LATCHED_ACKED", "LATCHED_UNACKED", "NAMES", "NEVER", "NORMAL", "OUT",
    "RETURNED", "SHELVED", "SUPPRESSED", "UNACKED", "AlarmState", "Note",
]  # fmt: skip

NEVER = np.iinfo(np.int64).max
(NORMAL, UNACKED, ACKED, RETURNED, LATCHED_UNACKED, LATCHED_ACKED, SHELVED, SUPPRESSED, OUT) = range(9)
NAMES = (
    "normal", "unacknowledged", "acknowledged", "returned_unacknowledged", "latched_unacknowledged",
    "latched_acknowledged", "shelved", "suppressed", "out_of_service",
)  # fmt: skip
ANNUNCIATED = (UNACKED, ACKED, RETURNED, LATCHED_UNACKED, LATCHED_ACKED)
# by active + 2 acknowledged + 4 latched
_SHOWN = np.array([RETURNED, UNACKED, NORMAL, ACKED, LATCHED_UNACKED, UNACKED, LATCHED_ACKED, ACKED], np.uint8)
# (conditions, alarms): which condition silences which alarm
COVERS = np.zeros((len(CONDITIONS), len(ALARMS)), bool)
for _row, _condition in enumerate(CONDITIONS):
    COVERS[_row, [index_of(code) for code in _condition.silences]] = True

Note = tuple[str, str, int]  # who, why, when [ns]
# name -> (type, what a new unit has); times in ns
_ALARM_COLUMNS: dict[str, tuple[Any, Any]] = {
    "raw": (np.bool_, False),  # the condition as it is told, before delays
    "active": (np.bool_, False),  # after delays
    "acked": (np.bool_, True),
    "latched": (np.bool_, False),
    "out": (np.bool_, False),
    "due": (np.int64, NEVER),  # when `active` becomes `raw`
    "shelf": (np.int64, 0),  # shelved until; 0 = not
    "since": (np.int64, 0),  # when the condition began
    "told": (np.int64, 0),  # when it was last annunciated
    "known": (np.int64, 0),  # when it was last acknowledged
    "heard": (np.int64, 0),  # newest event: what is heard again changes nothing
    "level": (np.uint8, 0),  # escalations made since it was annunciated
    "value": (np.float64, np.nan),
    "limit": (np.float64, np.nan),
}
_CONDITION_COLUMNS: dict[str, tuple[Any, Any]] = {
    "held": (np.int64, 0),  # the condition holds until; 0 = it does not
    "begun": (np.int64, 0),  # newest event of the condition
}


class AlarmState:
    """See the module. `notes`: of shelved, removed and acknowledged cells who, why and when; `evidence` of active ones.

    A cell is a place in the flattened columns: alarm * units + unit.
    """

    raw: NDArray[np.bool_]
    active: NDArray[np.bool_]
    acked: NDArray[np.bool_]
    latched: NDArray[np.bool_]
    out: NDArray[np.bool_]
    silenced: NDArray[np.bool_]  # by a condition; follows from `held`
    due: Ints
    shelf: Ints
    since: Ints
    told: Ints
    known: Ints
    heard: Ints
    level: NDArray[np.uint8]
    value: NDArray[np.float64]
    limit: NDArray[np.float64]
    held: Ints
    begun: Ints

    def __init__(self, units: int) -> None:
        self.units = 0
        self.time_ns = 0
        self.moment_ns = 0  # of what is being taken; before `time_ns` where that came late
        self.next_ns = NEVER  # when something is due without anything being heard
        self.notes: dict[str, dict[tuple[int, int], Note]] = {"shelf": {}, "out": {}, "acked": {}, "held": {}}
        self.evidence: dict[tuple[int, int], str] = {}
        for name, rows, kind, _ in self.columns():
            setattr(self, name, np.zeros((rows, 0), kind))
        self.silenced = np.zeros((len(ALARMS), 0), bool)
        self.grow(units)

    @staticmethod
    def columns() -> list[tuple[str, int, Any, Any]]:
        """Name, rows, type and fill of every column that is remembered."""
        alarms = [(name, len(ALARMS), kind, fill) for name, (kind, fill) in _ALARM_COLUMNS.items()]
        return alarms + [(name, len(CONDITIONS), kind, fill) for name, (kind, fill) in _CONDITION_COLUMNS.items()]

    def grow(self, units: int) -> None:
        """Make room for units enrolled since."""
        extra = units - self.units
        if extra <= 0:
            return
        for name, _, _, fill in self.columns():
            wider = np.pad(getattr(self, name), ((0, 0), (0, extra)), constant_values=fill)
            setattr(self, name, np.ascontiguousarray(wider))
        self.silenced = np.ascontiguousarray(np.pad(self.silenced, ((0, 0), (0, extra))))
        self.units = units

    def shown(self, cells: Ints) -> NDArray[np.uint8]:
        """The state of these cells, one of `NAMES` by number."""
        at = self._at(cells)
        code = self.active[at] + 2 * self.acked[at].astype(np.uint8) + 4 * self.latched[at].astype(np.uint8)
        found: NDArray[np.uint8] = _SHOWN[code]
        found[self.shelf[at] > 0] = SHELVED
        found[self.silenced[at]] = SUPPRESSED
        found[self.out[at]] = OUT
        return found

    def inhibited(self, cells: Ints) -> NDArray[np.bool_]:
        """Shelved, suppressed by design or out of service: nobody is told."""
        at = self._at(cells)
        found: NDArray[np.bool_] = self.out[at] | self.silenced[at] | (self.shelf[at] > 0)
        return found

    def _at(self, cells: Ints) -> tuple[Ints, Ints]:
        return cells // self.units, cells % self.units

    def at(self, cells: Ints) -> tuple[Ints, Ints]:
        """Alarm and unit of these cells, to index a column with."""
        return self._at(cells)

    def schedule(self, realarm_ns: Ints) -> None:
        """Find out when something is due next; `realarm_ns` (alarms,), 0 = never."""
        soonest = [int(self.due.min(initial=NEVER))]
        soonest += [int(column[column > 0].min(initial=NEVER)) for column in (self.shelf, self.held)]
        again = self.known_since() & (realarm_ns > 0)[:, None] & ~(self.out | self.silenced | (self.shelf > 0))
        rows, units = np.nonzero(again)
        soonest.append(int((self.known[rows, units] + realarm_ns[rows]).min(initial=NEVER)))
        self.next_ns = min(soonest)

    def known_since(self) -> NDArray[np.bool_]:
        """(alarms, units): its condition goes on, and was acknowledged at `known`."""
        found: NDArray[np.bool_] = self.active & self.raw & self.acked & (self.known > 0)
        return found
