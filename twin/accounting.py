"""The books of one potline: minute bins -> quarter-hour cells -> days -> windows.

All of it is a function of the set of readings received within the horizon, not of their order: late, repeated and
out-of-order data give the same books (docs/decisions/0003-books-of-integers.md). What a quarter hour sums up, and how,
stands in `twin.cells`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from twin.bins import Metered, Ring, Sampled
from twin.cells import EFFECT_VOLTAGE, PLACE, QUANTITIES, SOURCES, Minutes, explain, quantities
from twin.days import Days
from twin.frames import Floats, Ints, Readings
from twin.plant import Line
from twin.signals import by_name
from twin.units import NS_PER_S, to_si
from twin.windows import CELL_MINUTES, LONG, MINUTE_NS, Window

__all__ = ["LineLedger"]

CELL_NS = CELL_MINUTES * MINUTE_NS
BEGUN_KEPT = 6  # windows whose sums so far are remembered
Rates = Callable[[int], tuple[Floats, Floats] | None]  # quarter hour -> what `cells.explain` takes
_VOLTAGE, _CURRENT, _LINE_VOLTAGE = by_name("voltage_v"), by_name("line_current_ka"), by_name("line_voltage_v")
_METERS = {by_name(f"{name}_energy_kwh"): name for name in ("ac", "auxiliary", "dc")}
_SHARES = {by_name(f"power_{source}_pct"): row for row, source in enumerate(SOURCES)}
_TAPPED, _KILL = by_name("tapped_metal_kg"), by_name("anode_effect_kill")
ACCOUNTED = np.array([_VOLTAGE, _CURRENT, _LINE_VOLTAGE, *_METERS, *_SHARES, _TAPPED, _KILL], np.int16)


class LineLedger:
    """The books of one line: row 0 is the line, rows 1.. its pots. Mutable; owned by the engine's state."""

    def __init__(self, line: Line, pots: int, horizon_h: int) -> None:
        minutes = horizon_h * 60
        self.period = line.sample_period_s
        self.pots = pots
        self.ring = Ring(minutes, CELL_MINUTES)
        self.voltage = Sampled(pots, minutes, 1e-5)
        self.effect = Sampled(pots, minutes, 1e-3)  # only what is above EFFECT_VOLTAGE
        self.current = Sampled(1, minutes, 1e-2)
        self.line_voltage = Sampled(1, minutes, 1e-3)
        self.shares = Sampled(len(SOURCES), minutes, 1e-6)
        meters = {"ac": line.ac_meter, "auxiliary": line.auxiliary_meter, "dc": line.dc_meter}
        self.meters = {name: Metered(minutes, to_si(m.rollover_kwh, "kWh")) for name, m in meters.items()}
        self.happened: dict[int, dict[tuple[str, int, int], float]] = {}  # cell -> (quantity, row, time) -> amount
        self.cells = np.zeros((minutes // CELL_MINUTES, len(QUANTITIES), 1 + pots))
        self.sources = np.zeros((minutes // CELL_MINUTES, len(SOURCES)))
        self.days = Days(horizon_h // 24 + 3)
        self._begun: dict[Window, tuple[int, Floats, Floats]] = {}  # window -> sums up to (not with) a quarter hour
        self.dirty: set[int] = set()
        self.newest_ns = 0  # end of the second of the newest reading booked
        self.too_old = 0

    def grow(self, pots: int) -> None:
        """Make room for pots enrolled since."""
        extra = pots - self.pots
        self.cells = np.pad(self.cells, ((0, 0), (0, 0), (0, extra)))
        self.days.grow(extra)
        self._begun = {}
        self.voltage.grow(pots)
        self.effect.grow(pots)
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
        self._bin(time, signal, row, value, self.ring.slot(minute))
        for index in np.flatnonzero((signal == _TAPPED) | (signal == _KILL)).tolist():
            book = self.happened.setdefault(int(minute[index]) // CELL_MINUTES, {})
            quantity, amount = _event(int(signal[index]), float(value[index]))
            book[quantity, int(row[index]), int(time[index])] = amount
        # A minute's last meter reading is where the next minute's energy begins; whether an anode effect is a new one
        # depends on the quarter hour before.
        touched = np.unique(np.concatenate([minute, minute + 1, minute + CELL_MINUTES]) // CELL_MINUTES).tolist()
        newest = self.ring.newest // CELL_MINUTES
        self.dirty.update(cell for cell in touched if cell <= newest)

    def _bin(self, time: Ints, signal: NDArray[np.int16], row: Ints, value: Floats, slot: Ints) -> None:
        second = time // NS_PER_S % 60
        for code, sampled, base in (
            (_VOLTAGE, self.voltage, 1),
            (_CURRENT, self.current, 0),
            (_LINE_VOLTAGE, self.line_voltage, 0),
        ):
            at = signal == code
            sampled.add(row[at] - base, slot[at], second[at], value[at])
        at = (signal == _VOLTAGE) & (value > EFFECT_VOLTAGE)
        if at.any():
            self.effect.add(row[at] - 1, slot[at], second[at], value[at])
        for code, name in _METERS.items():
            at = signal == code
            self.meters[name].add(slot[at], time[at], value[at])
        for code, source in _SHARES.items():
            at = signal == code
            self.shares.add(np.full(int(at.sum()), source), slot[at], second[at], value[at])

    def _forget(self, slots: Ints, last: int) -> None:
        """Clear minutes about to be used again; `last` is the minute that was the newest until now."""
        for sampled in (self.voltage, self.effect, self.current, self.line_voltage, self.shares):
            sampled.clear(slots)
        for meter in self.meters.values():
            meter.clear(slots)
        newest, oldest = self.ring.newest // CELL_MINUTES, self.ring.oldest // CELL_MINUTES
        for cell in {int(s) for s in slots // CELL_MINUTES}:
            self.cells[cell] = 0.0
            self.sources[cell] = 0.0
        self.dirty |= {newest, last // CELL_MINUTES}  # both were begun, and are cleared as a whole
        self.dirty = {cell for cell in self.dirty if cell >= oldest}
        self.happened = {cell: book for cell, book in self.happened.items() if cell >= oldest}

    def settle(self, rates: Rates | None = None) -> set[int]:
        """Recompute the cells that got data since; returns their numbers (quarter hours since 1970).

        `rates` tells what the estimated state says of a cell; None for a cell of which it says nothing.
        """
        settled, self.dirty = self.dirty, set()
        for cell in settled:
            place = cell % len(self.cells)
            self.cells[place], self.sources[place] = quantities(self._minutes(cell))
            for (quantity, row, _), amount in sorted(self.happened.get(cell, {}).items()):
                self.cells[place, PLACE[quantity], [0, row]] += amount
            said = rates(cell) if rates is not None else None
            if said is not None:
                explain(self.cells[place], *said)
        if settled:
            oldest = min(settled)
            self._begun = {window: begun for window, begun in self._begun.items() if begun[0] <= oldest}
        return settled

    def touch(self, cells: set[int]) -> None:
        """Have quarter hours settled again: the estimated state says something else of them."""
        oldest, newest = self.ring.oldest // CELL_MINUTES, self.ring.newest // CELL_MINUTES
        self.dirty |= {cell for cell in cells if oldest <= cell <= newest}

    def _minutes(self, cell: int) -> Minutes:
        minutes = np.arange(cell * CELL_MINUTES, (cell + 1) * CELL_MINUTES)
        slots, known = self.ring.slot(minutes), self.ring.holds(minutes)
        before = self.ring.slot(minutes - 1)
        earlier = minutes - CELL_MINUTES
        voltage, samples = self.voltage.read(slots)
        (current,), (current_samples,) = self.current.read(slots)
        (line_voltage,), (line_samples,) = self.line_voltage.read(slots)
        linked = known & self.ring.holds(minutes - 1)
        spent = {name: meter.spent(before, slots) for name, meter in self.meters.items()}
        return Minutes(
            voltage=voltage,
            voltage_s=self._seconds(samples),
            effect_s=self._seconds(self.effect.read(slots)[1]),
            effect_before=self._seconds(self.effect.read(self.ring.slot(earlier))[1] * self.ring.holds(earlier)),
            current=current,
            current_s=self._seconds(current_samples) * known,
            line_voltage=line_voltage,
            line_s=self._seconds(line_samples),
            metered={name: (energy * linked, duration * linked) for name, (energy, duration) in spent.items()},
            shares=self.shares.read(slots)[0],
        )

    def _seconds(self, samples: Floats) -> Floats:
        return np.minimum(samples * self.period, 60.0)

    def keep_day(self, day: Window, month: Window, offset: Floats) -> None:
        """Write the sums of a day of a month into the book of days, which outlasts the bins."""
        self.days.keep(day, month, self.sums(day, offset))

    def sums(self, window: Window, offset: Floats) -> tuple[Floats, Floats]:
        """Sums (QUANTITIES, 1 + pots) over a window of what has been settled, and AC by source (SOURCES,) [J].

        `offset` (pots,): current efficiency beyond the model's [1]. Of months and years: what `keep_day` has kept.
        """
        if window.kind in LONG:
            return self.days.total(window, (np.zeros((len(QUANTITIES), 1 + self.pots)), np.zeros(len(SOURCES))))
        sums, mix = self._sum(window)
        beyond = sums[PLACE["beyond"]]
        beyond[1:] = sums[PLACE["explained"], 1:] * offset
        beyond[0] = beyond[1:].sum()
        return sums, mix

    def _sum(self, window: Window) -> tuple[Floats, Floats]:
        """Cell after cell, in order; what comes before the newest cell is remembered for the next time."""
        newest, size = self.ring.newest // CELL_MINUTES, len(self.cells)
        first = max(window.start_ns // CELL_NS, newest - size + 1)
        last = min((window.end_ns - 1) // CELL_NS, newest)
        nothing = np.zeros((len(QUANTITIES), 1 + self.pots)), np.zeros(len(SOURCES))
        if last < first:
            return nothing
        upto, sums, mix = self._begun.pop(window, (first, *nothing))
        for cell in range(upto, last):
            sums, mix = sums + self.cells[cell % size], mix + self.sources[cell % size]
        self._begun[window] = last, sums, mix
        while len(self._begun) > BEGUN_KEPT:
            del self._begun[next(iter(self._begun))]
        return sums + self.cells[last % size], mix + self.sources[last % size]


def _event(signal: int, value: float) -> tuple[str, float]:
    """The quantity that an event adds to, and how much: metal tapped [kg], or one kill, automatic (1) or by hand."""
    if signal == _TAPPED:
        return "tapped", value
    return "kills_automatic" if value == 1.0 else "kills_manual", 1.0
