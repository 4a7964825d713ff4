"""Energy and metal of one potline, from minute bins to quarter-hour cells to windows.

All of it is a function of the set of readings received within the horizon, not of their order: late, repeated and
out-of-order data give the same books. Nothing is integrated over a gap: a minute counts for the seconds it has
samples for, and each figure carries its coverage.

Definitions (twin tonnes by Faraday; the domain's kWh/t metrics are made of these in `twin.kpis`):
- DC of a pot: mean V times mean I of a minute, for the seconds in which the pot's voltage was seen.
- DC of the line: line voltage times current, busbars included.
- AC and auxiliaries: metered for the line; allocated to pots by their share of the sum of pot voltages.
- Charge: current times time, for a line times the number of pots that make metal (more than 1.65 V).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.bins import Metered, Ring, Sampled
from twin.frames import Floats, Ints, Readings
from twin.plant import Line
from twin.signals import by_name
from twin.units import NS_PER_S, to_si
from twin.windows import CELL_MINUTES, MINUTE_NS, Window

__all__ = ["LineLedger", "Totals"]

# Below the extrapolated back-EMF no metal is made: the pot is cut out (short-circuited).
CUT_OUT_VOLTAGE = 1.65
CELL_NS = CELL_MINUTES * MINUTE_NS
_QUANTITIES = (
    "dc_energy",
    "dc_charge",
    "covered",
    "ac_energy",
    "ac_charge",
    "auxiliary_energy",
    "auxiliary_charge",
    "tapped",
)
_VOLTAGE, _CURRENT, _LINE_VOLTAGE = by_name("voltage_v"), by_name("line_current_ka"), by_name("line_voltage_v")
_METERS = {by_name("ac_energy_kwh"): "ac", by_name("auxiliary_energy_kwh"): "auxiliary"}
_TAPPED = by_name("tapped_metal_kg")
ACCOUNTED = np.array([_VOLTAGE, _CURRENT, _LINE_VOLTAGE, *_METERS, _TAPPED], np.int16)


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over one window; arrays (1 + pots,), the line first. Energy [J], charge [A s], covered [s], tapped [kg].

    `elapsed` [s] of the window up to the newest data. Allocated AC of a pot and its charge cover the same minutes.
    """

    elapsed: float
    dc_energy: Floats
    dc_charge: Floats
    covered: Floats
    ac_energy: Floats
    ac_charge: Floats
    auxiliary_energy: Floats
    auxiliary_charge: Floats
    tapped: Floats


class LineLedger:
    """The books of one line: row 0 is the line, rows 1.. its pots. Mutable; owned by the engine's state."""

    def __init__(self, line: Line, pots: int, horizon_h: int) -> None:
        minutes = horizon_h * 60
        self.period = line.sample_period_s
        self.pots = pots
        self.ring = Ring(minutes, CELL_MINUTES)
        self.voltage = Sampled(pots, minutes, 1e-5)
        self.current = Sampled(1, minutes, 1e-2)
        self.line_voltage = Sampled(1, minutes, 1e-3)
        self.meters = {
            "ac": Metered(minutes, to_si(line.ac_meter.rollover_kwh, "kWh")),
            "auxiliary": Metered(minutes, to_si(line.auxiliary_meter.rollover_kwh, "kWh")),
        }
        self.tapped: dict[int, dict[tuple[int, int], float]] = {}  # cell -> (row, time) -> kg
        self.cells = np.zeros((minutes // CELL_MINUTES, len(_QUANTITIES), 1 + pots))
        self.dirty: set[int] = set()
        self.newest_ns = 0  # end of the second of the newest reading booked
        self.too_old = 0

    def grow(self, pots: int) -> None:
        """Make room for pots enrolled since."""
        self.cells = np.pad(self.cells, ((0, 0), (0, 0), (0, pots - self.pots)))
        self.voltage.grow(pots)
        self.pots = pots

    def add(self, readings: Readings, row: Ints, value: Floats) -> None:
        """Book readings of this line: `row` (0 = the line) and SI `value` of each; BAD values are not booked."""
        booked = np.isin(readings.signal, ACCOUNTED) & np.isfinite(value)
        time, signal, row, value = readings.time_ns[booked], readings.signal[booked], row[booked], value[booked]
        if not len(time):
            return
        self.newest_ns = max(self.newest_ns, (int(time.max()) // NS_PER_S + 1) * NS_PER_S)
        minute = time // MINUTE_NS
        last = self.ring.newest
        outdated = self.ring.advance(int(minute.max()))
        if len(outdated):
            self._forget(outdated, last)
        held = self.ring.holds(minute)
        if not held.all():
            self.too_old += int((~held).sum())
            time, signal, row, value, minute = time[held], signal[held], row[held], value[held], minute[held]
        slot, second = self.ring.slot(minute), time // NS_PER_S % 60
        for code, sampled, base in (
            (_VOLTAGE, self.voltage, 1),
            (_CURRENT, self.current, 0),
            (_LINE_VOLTAGE, self.line_voltage, 0),
        ):
            at = signal == code
            sampled.add(row[at] - base, slot[at], second[at], value[at])
        for code, name in _METERS.items():
            at = signal == code
            self.meters[name].add(slot[at], time[at], value[at])
        for index in np.flatnonzero(signal == _TAPPED).tolist():
            book = self.tapped.setdefault(int(minute[index]) // CELL_MINUTES, {})
            book[int(row[index]), int(time[index])] = float(value[index])
        # A minute's last meter reading is also where the next minute's energy begins.
        touched = np.unique(np.concatenate([minute, minute + 1]) // CELL_MINUTES).tolist()
        newest = self.ring.newest // CELL_MINUTES
        self.dirty.update(cell for cell in touched if cell <= newest)

    def _forget(self, slots: Ints, last: int) -> None:
        """Clear minutes about to be used again; `last` is the minute that was the newest until now."""
        for sampled in (self.voltage, self.current, self.line_voltage):
            sampled.clear(slots)
        for meter in self.meters.values():
            meter.clear(slots)
        newest, oldest = self.ring.newest // CELL_MINUTES, self.ring.oldest // CELL_MINUTES
        for cell in {int(s) for s in slots // CELL_MINUTES}:
            self.cells[cell] = 0.0
        self.dirty |= {newest, last // CELL_MINUTES}  # both were begun, and are cleared as a whole
        self.dirty = {cell for cell in self.dirty if cell >= oldest}
        self.tapped = {cell: book for cell, book in self.tapped.items() if cell >= oldest}

    def settle(self) -> set[int]:
        """Recompute the cells that got data since; returns their numbers (quarter hours since 1970)."""
        settled, self.dirty = self.dirty, set()
        for cell in settled:
            self._settle(cell)
        return settled

    def _settle(self, cell: int) -> None:
        minutes = np.arange(cell * CELL_MINUTES, (cell + 1) * CELL_MINUTES)
        slots = self.ring.slot(minutes)
        known = self.ring.holds(minutes)
        voltage, samples = self.voltage.read(slots)
        (current,), (current_samples,) = self.current.read(slots)
        (line_voltage,), (line_samples,) = self.line_voltage.read(slots)
        flowing = known & (current_samples > 0)
        seen = (samples > 0) & flowing
        covered = np.minimum(samples * self.period, 60.0) * flowing
        making = seen & (voltage > CUT_OUT_VOLTAGE)
        watched = seen.sum(axis=0)
        share_making = making.sum(axis=0) / np.maximum(watched, 1)
        pots_making = self.pots * np.where(watched > 0, share_making, 1.0)
        # Voltage the whole line would show, from the pots seen: the base of allocation.
        all_voltage = (voltage * making).sum(axis=0) / np.maximum(making.sum(axis=0), 1) * pots_making
        line_covered = np.minimum(line_samples * self.period, 60.0) * flowing
        out = np.zeros((len(_QUANTITIES), 1 + self.pots))
        out[0, 0] = (line_voltage * current * line_covered).sum()
        out[1, 0] = (current * line_covered * pots_making).sum()
        out[2, 0] = (np.minimum(current_samples * self.period, 60.0) * flowing).sum()
        out[0, 1:] = (voltage * current * covered).sum(axis=1)
        out[1, 1:] = (current * covered * making).sum(axis=1)
        out[2, 1:] = covered.sum(axis=1)
        before = self.ring.slot(minutes - 1)
        fraction = voltage * making / np.maximum(all_voltage, 1e-9)
        for place, name in ((3, "ac"), (5, "auxiliary")):
            energy, duration = self.meters[name].spent(before, slots)
            metered = flowing & (duration > 0) & self.ring.holds(minutes - 1)
            charge = current * duration * metered
            out[place, 0] = (energy * metered).sum()
            out[place + 1, 0] = (charge * pots_making).sum()
            # Not `@`: a BLAS adds in an order of its own on each processor, and books are equal to the last bit.
            out[place, 1:] = (fraction * (energy * metered)).sum(axis=1)
            out[place + 1, 1:] = (making * charge).sum(axis=1)
        for (row, _), mass in sorted(self.tapped.get(cell, {}).items()):
            out[7, row] += mass
            out[7, 0] += mass
        self.cells[cell % len(self.cells)] = out

    def totals(self, window: Window, now_ns: int) -> Totals:
        """Sums over a window, of what has been settled."""
        newest = self.ring.newest // CELL_MINUTES
        first = max(window.start_ns // CELL_NS, newest - len(self.cells) + 1)
        last = min((window.end_ns - 1) // CELL_NS, newest)
        total = np.zeros((len(_QUANTITIES), 1 + self.pots))
        for cell in range(first, last + 1):
            total += self.cells[cell % len(self.cells)]
        elapsed = (min(now_ns, window.end_ns) - window.start_ns) / 1e9
        return Totals(elapsed, *total)
