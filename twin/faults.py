"""The table of faults: limits on signals and on the columns of the features, all pots and lines at once.

A row watches a signal at every tick, or a column of `twin.features` of a pot or a line at every minute. A fault begins
when its condition has held for `hold_s`, and ends when the value has stayed on the good side of the clear limit for
`clear_hold_s`; the event's times are those of the first crossing. What is not known begins and ends nothing.
`not_while` names what explains the condition: while it lasts, and for so many minutes after it, nothing begins.
Numbers marked U in the domain pages, and those of columns (chosen on simulated lines), are defaults of this table and
nowhere else. No rule tells a bad clamp (the other anodes take over too little of its current), a voltage sensor that
drifts (the controller keeps what it shows at the set point) or AlF3 that does not arrive (days pass before the bath
leaves its range): see docs/anomalies.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twin.frames import Codes, Event, Floats
from twin.signals import SIGNALS, by_name
from twin.units import NS_PER_S, from_si, to_si

__all__ = ["EXPLAINS", "FAULTS", "JUDGED", "SIGNAL_ROWS", "Fault", "FaultState", "turn", "watch"]

# what may stand in `not_while` with the minutes for which it explains, and without
TIMED = ("tap", "anode", "raise", "effect")
EXPLAINS: Mapping[str, str] = MappingProxyType({
    "tap": "metal was tapped", "anode": "an anode was changed", "raise": "the beam was raised",
    "effect": "an anode effect", "start_up": "the fault start_up is active at the pot",
    "modulation": "the set points of the whole line are raised: power is modulated",
    "line_quiet": "the line's own current did not come",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """One row. `limit` and `clear` in the signal's rim unit or the column's unit; sense "old" limits the age of a
    signal [s], "beyond" the size of a value whatever its sign."""

    code: str
    title: str
    signal: str  # or the column
    sense: Literal["above", "below", "beyond", "old"]
    limit: float
    clear: float
    hold_s: float
    clear_hold_s: float
    severity: Literal["low", "medium", "high"]
    advice: str
    of: Literal["signal", "pot", "line"] = "signal"
    not_while: str = ""  # "tap 30, effect 60, start_up"

    @property
    def column(self) -> int:
        """Code of the signal of a row that watches one."""
        return by_name(self.signal)

    @property
    def explained_by(self) -> tuple[tuple[str, float], ...]:
        """Names of EXPLAINS with their minutes."""
        words = (part.split() for part in self.not_while.split(",") if part.strip())
        return tuple((name, float(minutes[0]) if minutes else 0.0) for name, *minutes in words)

    def si(self, value: float) -> float:
        """What is compared: SI of a signal; columns are in their unit."""
        plain = self.sense == "old" or self.of != "signal"
        return value if plain else to_si(value, SIGNALS[self.column].unit)

    def rim(self, value: float) -> float:
        """What is told."""
        plain = self.sense == "old" or self.of != "signal"
        return value if plain else from_si(value, SIGNALS[self.column].unit)


H = 3600.0
FAULTS: tuple[Fault, ...] = (
    # 8 V: energy-and-plan.md section 5 (P); hold 3 s and re-strike within 15 min (U)
    Fault("anode_effect", "Anode effect", "voltage_v", "above", 8.0, 8.0, 3, 900, "high", "Quench: feed, lower the beam."),
    Fault("voltage_high", "Voltage high", "voltage_v", "above", 4.6, 4.5, 300, 300, "medium", "Check feed and anode distance.", not_while="effect 15"),
    Fault("voltage_low", "Voltage low", "voltage_v", "below", 3.6, 3.7, 300, 300, "medium", "Check for a spike or short."),
    Fault("bath_hot", "Bath hot", "bath_temperature_c", "above", 975.0, 970.0, 900, 900, "medium", "Check heat balance.", not_while="effect 240, start_up"),
    Fault("bath_cold", "Bath cold", "bath_temperature_c", "below", 935.0, 940.0, 900, 900, "medium", "Check for sludge."),
    Fault("noisy", "Unstable pot", "metal_wave_mv", "above", 15.0, 10.0, 600, 600, "low", "Check anodes, metal pad.", not_while="tap 30, anode 120, effect 60"),
    Fault("no_data", "No data", "voltage_v", "old", 60.0, 10.0, 0, 0, "medium", "Check sensor and gateway."),
    # + 0.35 V at the start of a pot, fading (U)
    Fault("start_up", "Pot just started", "voltage_set_v", "above", 4.2, 4.1, 1800, 1800, "low", "Follow the start-up plan.", not_while="modulation"),
    # 12-18 nOhm/min are 4-6 mV/min at 350 kA: more than a pot without any feed shows at 2.5 wt% of alumina
    Fault("feeder_hang", "Feeders hang", "slope_now", "above", 3e-10, 1e-10, 300, 900, "high", "Check feeders and silo; feed by hand.", "pot", "tap 30, anode 60, raise 60, effect 60, modulation"),
    Fault("feeder_plugged", "Feeder plugged", "overfeed_4h_5d", "above", 0.125, 0.08, H, 2 * H, "medium", "Check breakers and feeders one by one.", "pot", "effect 240"),
    Fault("feeder_overdosing", "Feeder gives too much", "fed_line_4h_5d", "below", -0.13, -0.08, H, 2 * H, "medium", "Weigh the shots of each feeder.", "pot", "effect 480"),
    Fault("sludge", "Sludge on the cathode", "cathode_1h_1d", "above", 7e-8, 3e-8, H, 2 * H, "medium", "Feed less, raise superheat.", "pot", "effect 120"),
    Fault("anode_current_high", "Anode takes too much current", "anode_max_10m", "above", 1.25, 1.2, 600, 1800, "high", "Measure anode currents; look for a slip or spike.", "pot", "effect 60"),
    Fault("anode_current_low", "Anode takes no current", "anode_min_10m", "below", 0.01, 0.02, 600, 1800, "high", "Measure anode currents; look for a burn-off.", "pot", "anode 30"),
    Fault("alf3_low", "AlF3 low", "laboratory_alf3_now", "below", 7.0, 7.5, 0, 0, "medium", "Check the AlF3 feeder; add by hand.", "pot", "start_up"),
    Fault("side_wall_hot", "Side wall hot", "wall_1h_1d", "above", 75.0, 50.0, 1800, 2 * H, "high", "Look at the shell; cool it, lower superheat.", "pot", "effect 600, start_up"),
    Fault("cathode_drop_high", "Cathode drop high", "cathode_drop_mv", "above", 355.0, 340.0, H, 2 * H, "medium", "Check for sludge; measure bars and iron."),
    Fault("collector_bar_hot", "Collector bar hotter than usual", "bar_4h_5d", "above", 8.0, 5.0, H, 2 * H, "high", "Measure the bars by hand; follow iron.", "pot", "start_up"),
    Fault("iron_high", "Iron rises", "iron_4h_5d", "above", 1e-4, 5e-5, H, 2 * H, "medium", "Check anodes and bars for attack.", "pot", "start_up"),
    Fault("off_gas_hot", "Off-gas hot: cover lost", "duct_4h_5d", "above", 8.0, 5.0, 1800, 2 * H, "low", "Look at the cover; dress it.", "pot", "effect 600, start_up"),
    Fault("off_gas_cool", "Off-gas cool: cover thick", "duct_4h_5d", "below", -8.0, -5.0, 1800, 2 * H, "low", "Check cover and superheat.", "pot", "start_up"),
    Fault("stuck", "Reading stuck", "stuck", "above", 15.0, 5.0, 0, 300, "low", "Check the instrument.", "pot"),
    Fault("thermocouple_bias", "Thermocouple off", "hand_gap_now", "beyond", 10.0, 6.0, 0, 0, "low", "Measure again by hand; change the thermocouple.", "pot", "effect 60"),
    Fault("clock_skew", "Clock wrong", "clock", "above", 30.0, 20.0, 180, 180, "low", "Set the clock of the gateway.", "pot", "line_quiet"),
    # modulation is -8 % with raised set points in the demo line; up to -25 % elsewhere
    Fault("line_current_low", "Line current low", "current_now", "below", 0.85, 0.95, 120, 300, "high", "Ask the rectifier station.", "line", "modulation"),
    Fault("rectifier_efficiency_low", "Rectifier efficiency low", "ac_over_dc_10m", "above", 1.0235, 1.021, 1800, 1800, "medium", "Check diodes and transformers; compare meters.", "line"),
    Fault("energy_meter_drift", "AC meter counts too much", "ac_over_dc_10m", "above", 1.0325, 1.03, H, H, "medium", "Compare with the meter of the grid.", "line"),
    Fault("metal_scale_error", "Ladle scale off", "tap_scale_now", "beyond", 0.015, 0.01, 0, 0, "medium", "Check the scale with a weight.", "line"),
)  # fmt: skip
SIGNAL_ROWS = tuple(n for n, fault in enumerate(FAULTS) if fault.of == "signal")

# events that models raise (twin.judge): code -> title, severity, advice where the cause gives no better
JUDGED: Mapping[str, tuple[str, str, str]] = MappingProxyType({
    "anomaly": ("Anomaly", "medium", "See its cause and signals on the page."),
    "anode_effect_warning": ("Anode effect ahead", "high", "Check the feeders now; feed."),
})  # fmt: skip


class FaultState:
    """Per fault and unit: active; since when the condition (or its clearing) holds [ns]; explained by something, so
    that it does not begin. Owned by the engine."""

    def __init__(self, pots: int) -> None:
        shape = (len(FAULTS), pots)
        self.explained = np.zeros(shape, bool)
        self.active = np.zeros(shape, bool)
        self.since = np.full(shape, NEVER, np.int64)

    def grow(self, pots: int) -> None:
        extra = pots - self.active.shape[1]
        self.active = np.pad(self.active, ((0, 0), (0, extra)))
        self.explained = np.pad(self.explained, ((0, 0), (0, extra)))
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
    for index in SIGNAL_ROWS:
        fault, column = FAULTS[index], FAULTS[index].column
        seen = (time_ns - said_ns[:, column]) / 1e9 if fault.sense == "old" else value[:, column]
        # An unknown value neither begins nor ends anything.
        known = (said_ns[:, column] > 0) & np.isfinite(seen)
        # A value speaks for one period: an old one, however bad, holds no condition for longer.
        spoken = np.full(len(seen), time_ns) if fault.sense == "old" else said_ns[:, column] + int(period_s * NS_PER_S)
        yield from turn(state, index, time_ns, seen, known, np.minimum(spoken, time_ns), units, slice(None))


def turn(
    state: FaultState,
    index: int,
    time_ns: int,
    seen: Floats,
    known: NDArray[np.bool_],
    spoken: NDArray[np.int64],
    units: Codes,
    places: Codes | slice,
) -> Iterator[Event]:
    """A row and what it sees of `units` (roster codes) at `places` of the state, arrays (units,): who begins, who ends.
    `spoken` [ns]: until when what is seen holds."""
    fault = FAULTS[index]
    active, since = state.active[index, places], state.since[index, places]
    limit = np.where(active, fault.si(fault.clear), fault.si(fault.limit))
    size = np.abs(seen) if fault.sense == "beyond" else seen
    with np.errstate(invalid="ignore"):
        beyond = size < limit if fault.sense == "below" else size > limit
    # Not active: waiting for the condition to hold. Active: waiting for it to stay away.
    turning = (beyond != active) & known & (active | ~state.explained[index, places])
    since[known & ~turning] = NEVER
    np.minimum(since, time_ns, out=since, where=turning)
    hold = np.where(active, fault.clear_hold_s, fault.hold_s) * NS_PER_S
    due = np.flatnonzero(turning & (spoken - since >= hold))
    begun_ns, began_now = since[due].tolist(), (~active[due]).tolist()
    active[due], since[due] = ~active[due], NEVER
    state.active[index, places], state.since[index, places] = active, since
    for row, begin_ns, began in zip(due.tolist(), begun_ns, began_now, strict=True):
        yield Event(
            time_ns=begin_ns,
            unit=int(units[row]),
            code=fault.code,
            began=began,
            severity=fault.severity,
            value=fault.rim(float(seen[row])),
            limit=fault.limit if began else fault.clear,
        )
