"""Transitions: what moved from which state to which, when, why and by whom. Columns for many that move alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from twin.alarms.layout import Layout
from twin.alarms.rows import ALARMS
from twin.alarms.state import NAMES, UNACKED, AlarmState
from twin.faults import FAULTS
from twin.frames import Ints
from twin.times import iso

__all__ = ["Moved", "Transition", "transitions"]

_SIGN = {fault.code: ("<" if fault.sense == "below" else ">", fault.signal) for fault in FAULTS}
_COUNTED = {row.code: row.counts for row in ALARMS if row.counts}


class Transition(msgspec.Struct, frozen=True, gc=False):
    """One transition as the journal keeps it. `unit` is a path; NaN numbers are None; `who` "" = the system."""

    time_ns: int
    unit: str
    code: str
    before: str
    after: str
    event: str
    who: str
    why: str
    priority: str
    since_ns: int
    value: float | None
    limit: float | None
    evidence: str

    @property
    def annunciated(self) -> bool:
        """Whether an operator is told anew."""
        return self.after == NAMES[UNACKED]


@dataclass(frozen=True, slots=True)
class Moved:
    """Alarms that moved in the same second, by the same event. `before`, `after`: states by number."""

    time_ns: int
    event: str
    alarm: Ints
    unit: Ints
    before: NDArray[np.uint8]
    after: NDArray[np.uint8]
    who: str = ""
    why: str = ""

    def __len__(self) -> int:
        return len(self.alarm)


def transitions(layout: Layout, state: AlarmState, moved: Iterable[Moved]) -> Iterator[Transition]:
    """One object each, with the numbers and the evidence that the state has of it."""
    for group in moved:
        at = (group.alarm, group.unit)
        rows = zip(
            group.alarm.tolist(), group.unit.tolist(), group.before.tolist(), group.after.tolist(),
            state.since[at].tolist(), state.value[at].tolist(), state.limit[at].tolist(), strict=True,
        )  # fmt: skip
        for alarm, unit, before, after, since, value, limit in rows:
            row = ALARMS[alarm]
            text = state.evidence.get((alarm, unit)) or _evidence(row.code, value, limit, since)
            yield Transition(
                group.time_ns, layout.paths[unit], row.code, NAMES[before], NAMES[after], group.event, group.who,
                group.why, row.priority, since, _known(value), _known(limit), text,
            )  # fmt: skip


def _known(value: float) -> float | None:
    return value if value == value else None


def _evidence(code: str, value: float, limit: float, since_ns: int) -> str:
    """What was seen, in one line."""
    if value != value or not since_ns:
        return ""
    if code in _COUNTED:
        return f"{_COUNTED[code]} at {value:.0f} % of the pots, limit {limit:g} %, since {iso(since_ns)}"
    sign, signal = _SIGN.get(code, ("=", "value"))
    return f"{signal} {value:g} {sign} {limit:g} since {iso(since_ns)}"
