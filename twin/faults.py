"""The table of faults: limits on signals that begin and end events, all pots at once.

A fault begins when its condition has held for `hold_s`, and ends when the value has stayed on the good side of the
clear limit for `clear_hold_s`; the event's times are those of the first crossing. Numbers marked U in the domain
pages are defaults of this table and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twin.frames import Codes, Event, Floats
from twin.signals import SIGNALS, by_name
from twin.units import NS_PER_S, from_si, to_si

__all__ = ["FAULTS", "Fault", "FaultState", "watch"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One row: `limit` and `clear` in the signal's rim unit; sense "old" limits the age of the signal [s]."""

    code: str
    title: str
    signal: str
    sense: Literal["above", "below", "old"]
    limit: float
    clear: float
    hold_s: float
    clear_hold_s: float
    severity: Literal["low", "medium", "high"]
    advice: str

    @property
    def column(self) -> int:
        return by_name(self.signal)

    def si(self, value: float) -> float:
        return value if self.sense == "old" else to_si(value, SIGNALS[self.column].unit)

    def rim(self, value: float) -> float:
        return value if self.sense == "old" else from_si(value, SIGNALS[self.column].unit)


FAULTS: tuple[Fault, ...] = (
    # 8 V: energy-and-plan.md section 5 (P); hold 3 s and re-strike within 15 min (U)
    Fault("anode_effect", "Anode effect", "voltage_v", "above", 8.0, 8.0, 3, 900, "high", "Quench: feed, lower the beam."),
    Fault("voltage_high", "Voltage high", "voltage_v", "above", 4.6, 4.5, 300, 300, "medium", "Check feed and anode distance."),
    Fault("voltage_low", "Voltage low", "voltage_v", "below", 3.6, 3.7, 300, 300, "medium", "Check for a spike or short."),
    Fault("bath_hot", "Bath hot", "bath_temperature_c", "above", 975.0, 970.0, 900, 900, "medium", "Check heat balance."),
    Fault("bath_cold", "Bath cold", "bath_temperature_c", "below", 935.0, 940.0, 900, 900, "medium", "Check for sludge."),
    Fault("noisy", "Unstable pot", "metal_wave_mv", "above", 15.0, 10.0, 600, 600, "low", "Check anodes, metal pad."),
    Fault("no_data", "No data", "voltage_v", "old", 60.0, 10.0, 0, 0, "medium", "Check sensor and gateway."),
)  # fmt: skip


class FaultState:
    """Per fault and pot: active, and since when the condition (or its clearing) holds [ns]; owned by the engine."""

    def __init__(self, pots: int) -> None:
        shape = (len(FAULTS), pots)
        self.active = np.zeros(shape, bool)
        self.since = np.full(shape, NEVER, np.int64)

    def grow(self, pots: int) -> None:
        extra = pots - self.active.shape[1]
        self.active = np.pad(self.active, ((0, 0), (0, extra)))
        self.since = np.pad(self.since, ((0, 0), (0, extra)), constant_values=NEVER)


NEVER = np.iinfo(np.int64).max


def watch(
    state: FaultState,
    time_ns: int,
    value: Floats,
    said_ns: NDArray[np.int64],
    units: Codes,
    *,
    period_s: float = 86400.0,
) -> Iterator[Event]:
    """One tick: `value` (pots, signals) [SI], `said_ns` (pots, signals) time each was said (negative = never).

    `period_s` [s] is how long a value speaks for: the longest sample period of the lines.
    """
    for index, fault in enumerate(FAULTS):
        column = fault.column
        seen = (time_ns - said_ns[:, column]) / 1e9 if fault.sense == "old" else value[:, column]
        # An unknown value neither begins nor ends anything.
        known = (said_ns[:, column] > 0) & np.isfinite(seen)
        # A value speaks for one period: an old one, however bad, holds no condition for longer.
        spoken = np.full(len(seen), time_ns) if fault.sense == "old" else said_ns[:, column] + int(period_s * NS_PER_S)
        active, since = state.active[index], state.since[index]
        limit = np.where(active, fault.si(fault.clear), fault.si(fault.limit))
        beyond = seen < limit if fault.sense == "below" else seen > limit
        # Not active: waiting for the condition to hold. Active: waiting for it to stay away.
        turning = (beyond != active) & known
        since[known & ~turning] = NEVER
        np.minimum(since, time_ns, out=since, where=turning)
        hold = np.where(active, fault.clear_hold_s, fault.hold_s) * NS_PER_S
        due = np.flatnonzero(turning & (np.minimum(spoken, time_ns) - since >= hold))
        for pot in due.tolist():
            active[pot] = not active[pot]
            yield Event(
                time_ns=int(since[pot]),
                unit=int(units[pot]),
                code=fault.code,
                began=bool(active[pot]),
                severity=fault.severity,
                value=fault.rim(float(seen[pot])),
                limit=fault.limit if active[pot] else fault.clear,
            )
            since[pot] = NEVER
