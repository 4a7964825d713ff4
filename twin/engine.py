"""The twin's step: (state, readings) -> (state, report). The pure core ends here: no clock, no socket, no file.

Readings are aligned to ticks by their source time. A tick closes when a reading from `grace` ticks later comes;
what comes after that is late: it still goes into the books (`accounting`) and, if newer than what is known, into
the frame. Splitting the readings anywhere into several steps gives the same books, frames and events.

The state is owned by the caller and consumed by `step`: go on with the state it returns.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from twin.accounting import LineLedger
from twin.faults import FaultState, watch
from twin.frames import Event, Floats, Frame, Ints, Quality, Readings, Report, WindowFigures
from twin.kpis import METRICS, Basis, compute
from twin.plan import Grade, Plan, grade
from twin.plant import Line, Plant, Roster, Site
from twin.portfolio import portfolio_grades
from twin.signals import SIGNALS, of_topic
from twin.uncertainty import Figure, Instruments
from twin.units import NS_PER_S, SI
from twin.windows import CELL_MINUTES, LONG, MINUTE_NS, WINDOWS, Calendar, Window

__all__ = ["Engine", "Settings", "State", "grades_of"]

_FACTOR = np.array([SI[signal.unit][0] for signal in SIGNALS])
_OFFSET = np.array([SI[signal.unit][1] for signal in SIGNALS])
_POT_SIGNALS = (*of_topic("telemetry"), *of_topic("sample"))
_LINE_SIGNALS = of_topic("line")


@dataclass(frozen=True, slots=True)
class Settings:
    """`tick_s` [s], `grace` [ticks] before a tick closes, `horizon_h` [h] of late data, `efficiency` [1] and its
    standard uncertainty `u_efficiency` [1] (fixed)."""

    tick_s: float = 1.0
    grace: int = 2
    horizon_h: int = 36
    efficiency: float = 0.94
    u_efficiency: float = 0.006


class State:
    """Everything the twin remembers. Row = place in the roster, for every unit; column = code in SIGNALS."""

    def __init__(self, roster: Roster, settings: Settings) -> None:
        self.newest_tick = -1
        self.closed_ns = 0
        self.pending = Readings.empty()
        self.pending_tick: Ints = np.empty(0, np.int64)
        self.value: Floats = np.full((0, len(SIGNALS)), np.nan)
        self.said_ns: Ints = np.full((0, len(SIGNALS)), -1, np.int64)
        self.quality = np.zeros((0, len(SIGNALS)), np.uint8)
        self.faults = FaultState(0)
        self.row_in_line: Ints = np.empty(0, np.int64)
        self.line_of: Ints = np.empty(0, np.int64)
        self.is_pot = np.empty(0, bool)
        self.ledgers: dict[int, LineLedger] = {}
        self.members: dict[int, Ints] = {}
        self.told_ns: dict[int, int] = {}  # up to when a line's figures were told last
        self.horizon_h = settings.horizon_h
        self.grow(roster)

    def grow(self, roster: Roster) -> None:
        """Make room for units enrolled since."""
        extra = len(roster) - len(self.value)
        if not extra:
            return
        self.value = np.pad(self.value, ((0, extra), (0, 0)), constant_values=np.nan)
        self.said_ns = np.pad(self.said_ns, ((0, extra), (0, 0)), constant_values=-1)
        self.quality = np.pad(self.quality, ((0, extra), (0, 0)), constant_values=Quality.BAD)
        self.faults.grow(len(roster))
        self.line_of = np.array(roster.line_of, np.int64)
        self.is_pot = self.line_of != np.arange(len(roster))
        self.row_in_line = np.zeros(len(roster), np.int64)
        for code, (_, line) in zip(roster.line_codes(), roster.plant.lines(), strict=True):
            pots = np.flatnonzero((self.line_of == code) & self.is_pot)
            self.row_in_line[pots] = np.arange(1, len(pots) + 1)
            self.members[code] = np.concatenate([[code], pots])
            if code not in self.ledgers:
                self.ledgers[code] = LineLedger(line, len(pots), self.horizon_h)
            elif self.ledgers[code].pots < len(pots):
                self.ledgers[code].grow(len(pots))


class Engine:
    """The constant part of the twin: plant, plan, calendars and settings."""

    def __init__(self, roster: Roster, plan: Plan, settings: Settings | None = None) -> None:
        self.roster = roster
        self.plan = plan
        self.settings = settings or Settings()
        self.lines: Mapping[int, tuple[Site, Line]] = dict(zip(roster.line_codes(), roster.plant.lines(), strict=True))
        self.period_s = max(line.sample_period_s for _, line in self.lines.values())
        calendars = {site.id: Calendar(site) for site in roster.plant.sites}
        self.calendars = {code: calendars[site.id] for code, (site, _) in self.lines.items()}

    @property
    def plant(self) -> Plant:
        return self.roster.plant

    def start(self) -> State:
        """The state of a twin that has seen nothing."""
        return State(self.roster, self.settings)

    def step(self, state: State, readings: Readings) -> tuple[State, Report]:
        """Take readings in any order and amount; the report tells of the last closed tick."""
        state.grow(self.roster)
        si = readings.value * _FACTOR[readings.signal] + _OFFSET[readings.signal]
        self._book(state, readings, si)
        events = self._ticks(state, readings)
        figures = self._figures(state)
        grades = tuple(self._grades(state, figures))
        return state, Report(
            time_ns=state.closed_ns,
            pots=self._frame(state, np.flatnonzero(state.is_pot), _POT_SIGNALS),
            lines=self._frame(state, np.flatnonzero(~state.is_pot), _LINE_SIGNALS),
            figures=figures,
            grades=grades,
            events=tuple(events),
            active=state.faults.active.T.copy(),
        )

    def _book(self, state: State, readings: Readings, si: Floats) -> None:
        line = state.line_of[readings.unit]
        row = state.row_in_line[readings.unit]
        if len(state.ledgers) == 1:
            (ledger,) = state.ledgers.values()
            ledger.add(readings, row, si)
            return
        for code in np.unique(line).tolist():
            mine = line == code
            state.ledgers[code].add(readings.take(mine), row[mine], si[mine])

    def _ticks(self, state: State, readings: Readings) -> list[Event]:
        """Close every tick that is due, in order."""
        if not len(readings):
            return []
        tick = readings.time_ns // int(self.settings.tick_s * NS_PER_S)
        newest = np.maximum.accumulate(np.concatenate([[state.newest_tick], tick]))
        # A late reading takes effect in the next tick to close after it came.
        effective = np.maximum(tick, newest[:-1] - self.settings.grace)
        state.newest_tick = int(newest[-1])
        waiting = Readings.concat([state.pending, readings])
        waiting_tick = np.concatenate([state.pending_tick, effective])
        due = waiting_tick < state.newest_tick - self.settings.grace
        state.pending, state.pending_tick = waiting.take(~due), waiting_tick[~due]
        waiting, waiting_tick = waiting.take(due), waiting_tick[due]
        order = np.lexsort((waiting.time_ns, waiting_tick))
        waiting, waiting_tick = waiting.take(order), waiting_tick[order]
        edges = np.flatnonzero(np.diff(waiting_tick)) + 1
        events: list[Event] = []
        starts = [0, *edges.tolist()] if len(waiting) else []
        for start, end in zip(starts, [*edges.tolist(), len(waiting)], strict=False):
            closed_ns = (int(waiting_tick[start]) + 1) * int(self.settings.tick_s * NS_PER_S)
            self._close(state, waiting.take(slice(start, end)), closed_ns, events)
        return events

    def _close(self, state: State, readings: Readings, closed_ns: int, events: list[Event]) -> None:
        newer = readings.time_ns >= state.said_ns[readings.unit, readings.signal]
        if not newer.all():
            readings = readings.take(newer)
        place = (readings.unit, readings.signal)
        state.value[place] = readings.value * _FACTOR[readings.signal] + _OFFSET[readings.signal]
        state.said_ns[place] = readings.time_ns
        state.quality[place] = readings.quality
        state.closed_ns = closed_ns
        units = np.arange(len(state.value), dtype=np.int32)
        events.extend(watch(state.faults, closed_ns, state.value, state.said_ns, units, period_s=self.period_s))

    def _frame(self, state: State, rows: Ints, signals: tuple[int, ...]) -> Frame:
        cells = np.ix_(rows, np.array(signals))
        said = state.said_ns[cells]
        age = np.where(said > 0, (state.closed_ns - said) / 1e9, np.inf)
        return Frame(
            time_ns=state.closed_ns,
            units=rows.astype(np.int32),
            signals=signals,
            value=state.value[cells],
            age_s=age,
            quality=state.quality[cells],
        )

    def _figures(self, state: State) -> tuple[WindowFigures, ...]:
        """Figures of every window that got data in this step, that was open before it, or that is open now.

        A window whose beginning is forgotten stays as it was told last: late data would tell of its end alone.
        """
        figures = []
        for code, ledger in state.ledgers.items():
            cells = ledger.settle()
            if ledger.ring.newest < 0:
                continue
            now = ledger.newest_ns
            calendar = self.calendars[code]
            moments = [now - 1, state.told_ns.get(code, now) - 1, *(cell * CELL_MINUTES * MINUTE_NS for cell in cells)]
            state.told_ns[code] = now
            windows: set[Window] = {calendar.window(kind, moment) for kind in WINDOWS for moment in moments}
            whole = {w for w in windows if w.kind in LONG or w.start_ns >= ledger.ring.oldest * MINUTE_NS}
            for day in (window for window in whole if window.kind == "day"):
                ledger.keep_day(day)
            for window in sorted(whole):
                totals = ledger.totals(window, now)
                found = compute(totals, self._basis(code, ledger), window.kind)
                is_open = window.start_ns < now <= window.end_ns
                units = state.members[code].astype(np.int32)
                kpis = {name: figure.value for name, figure in found.items()}
                u = {name: figure.u for name, figure in found.items()}
                figures.append(WindowFigures(window.kind, window.start_ns, window.end_ns, is_open, units, kpis, u))
        return tuple(figures)

    def _basis(self, code: int, ledger: LineLedger) -> Basis:
        _, line = self.lines[code]
        rows = 1 + ledger.pots
        instruments = Instruments(
            current_class_pct=line.current_class_pct,
            voltage_class_pct=line.voltage_class_pct,
            ac_class_pct=line.ac_meter.accuracy_class,
            dc_class_pct=line.dc_meter.accuracy_class,
            auxiliary_class_pct=line.auxiliary_meter.accuracy_class,
            scale_class_pct=line.scale_class_pct,
        )
        step = math.nan if self.plan.tariff is None else self.plan.tariff.step_on(_day(ledger.newest_ns - 1))
        return Basis(
            efficiency=np.full(rows, self.settings.efficiency),
            u_efficiency=np.full(rows, self.settings.u_efficiency),
            instruments=instruments,
            carbon=self.plan.carbon,
            tariff=self.plan.tariff,
            step_kwh_t=step,
        )

    def _grades(self, state: State, figures: tuple[WindowFigures, ...]) -> list[Grade]:
        """Every rule of a line over each open window; rules of the portfolio over the open months and years."""
        day = _day(max(state.closed_ns, 0))
        grades = [found for figure in figures if figure.open for found in grades_of(self.plan, figure, day)]
        for kind in sorted(LONG):
            now = {int(figure.units[0]): figure for figure in figures if figure.open and figure.window == kind}
            if now:
                lines, mine = zip(*((self.lines[code], figure) for code, figure in now.items()), strict=True)
                grades += portfolio_grades(self.plan, self.plant, lines, mine, day, self.settings.efficiency)
        return grades


def _day(time_ns: int) -> date:
    return datetime.fromtimestamp(time_ns // NS_PER_S, UTC).date()


def grades_of(plan: Plan, figures: WindowFigures, day: date) -> Iterator[Grade]:
    """Every rule of the plan that holds for lines on `day`, graded over this window of one line."""
    coverage = float(figures.kpis["coverage_pct"][0])
    for rule in plan.rules:
        if rule.scope == "line" and rule.valid_on(day):
            kpi = METRICS[rule.metric][1]
            known = kpi in figures.kpis
            value = (
                Figure(float(figures.kpis[kpi][0]), float(figures.u[kpi][0])) if known else Figure(math.nan, math.nan)
            )
            yield grade(rule, int(figures.units[0]), figures.window, value, coverage, plan.minimum_coverage_pct)
