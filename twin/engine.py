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
from datetime import date

import numpy as np

from twin.accounting import LineLedger
from twin.faults import FaultState, watch
from twin.features import Features, Minute, Remembered
from twin.figures import Belief, Books, Figures
from twin.frames import Event, Floats, Frame, Ints, Quality, Readings, Report, WindowFigures
from twin.kpis import METRICS
from twin.late import too_late_to_tell
from twin.plan import Grade, Plan, grade
from twin.plant import Line, Plant, Roster, Site
from twin.portfolio import portfolio_grades
from twin.rules import watch_minute
from twin.signals import SIGNALS, of_topic
from twin.times import day_of
from twin.tracking import Track, Tracker
from twin.uncertainty import Figure
from twin.units import NS_PER_S, SI
from twin.windows import LONG

__all__ = ["Engine", "Settings", "State"]

_FACTOR = np.array([SI[signal.unit][0] for signal in SIGNALS])
_OFFSET = np.array([SI[signal.unit][1] for signal in SIGNALS])
_POT_SIGNALS = (*of_topic("telemetry"), *of_topic("sample"))
_LINE_SIGNALS = of_topic("line")


@dataclass(frozen=True, slots=True)
class Settings:
    """`tick_s` [s], `grace` [ticks] before a tick closes, `horizon_h` [h] of late data.

    `estimate`: estimate the state of every pot, its current efficiency too; else `efficiency` [1] with its standard
    uncertainty `u_efficiency` [1] is taken as it is. `features`: work out every minute what models see
    (`Report.minutes`); it needs the estimate.
    """

    tick_s: float = 1.0
    grace: int = 2
    horizon_h: int = 36
    efficiency: float = 0.94
    u_efficiency: float = 0.006
    estimate: bool = False
    features: bool = False


class State:
    """Everything the twin remembers. Row = place in the roster, for every unit; column = code in SIGNALS."""

    def __init__(
        self, roster: Roster, settings: Settings, track: Track | None, remembered: Remembered | None = None
    ) -> None:
        self.remembered = remembered
        self.minutes: list[Minute] = []  # finished in the step being taken
        self.beside = b""  # what goes on with this state: the memory of who judges the minutes
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
        self.is_pot = self.is_line = np.empty(0, bool)
        self.books = Books({}, {})
        self.track = track
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
        kinds = np.array(roster.kinds)
        self.is_pot, self.is_line = kinds == "pot", kinds == "line"
        self.row_in_line = np.zeros(len(roster), np.int64)
        for code, (_, line) in zip(roster.line_codes(), roster.plant.lines(), strict=True):
            pots = np.flatnonzero((self.line_of == code) & self.is_pot)
            self.row_in_line[pots] = np.arange(1, len(pots) + 1)
            ledgers = self.books.ledgers
            if code not in ledgers:
                ledgers[code] = LineLedger(line, len(pots), self.horizon_h)
            elif ledgers[code].pots < len(pots):
                ledgers[code].grow(len(pots))


class Engine:
    """The constant part of the twin: plant, plan, calendars and settings.

    Of `cut_sites`, whose other lines another engine computes, no figures are told; nor is the portfolio graded then,
    or where not `all_sites` are here.
    """

    def __init__(
        self,
        roster: Roster,
        plan: Plan,
        settings: Settings | None = None,
        *,
        cut_sites: frozenset[str] = frozenset(),
        all_sites: bool = True,
    ) -> None:
        self.roster = roster
        self.plan = plan
        self.settings = settings or Settings()
        self.lines: Mapping[int, tuple[Site, Line]] = dict(zip(roster.line_codes(), roster.plant.lines(), strict=True))
        self.period_s = max(line.sample_period_s for _, line in self.lines.values())
        self.cut = frozenset(roster.codes[site] for site in cut_sites)
        self.whole = all_sites and not cut_sites
        self.figures = Figures(roster, plan, self.settings.efficiency)
        self.tracker = Tracker(roster, self.settings.horizon_h) if self.settings.estimate else None
        self.features: Features | None = None
        if self.tracker is not None and self.settings.features:
            self.features = Features(roster, self.tracker)

    @property
    def plant(self) -> Plant:
        return self.roster.plant

    def start(self) -> State:
        """The state of a twin that has seen nothing."""
        track = None if self.tracker is None else self.tracker.start()
        return State(self.roster, self.settings, track, None if self.features is None else self.features.start())

    def step(self, state: State, readings: Readings) -> tuple[State, Report]:
        """Take readings in any order and amount; the report tells of the last closed tick."""
        state.grow(self.roster)
        if state.track is not None and self.tracker is not None:
            self.tracker.grow(state.track)
        if state.remembered is not None and self.features is not None:
            self.features.grow(state.remembered)
        state.minutes = []
        si = readings.value * _FACTOR[readings.signal] + _OFFSET[readings.signal]
        self._book(state, readings, si)
        events = self._ticks(state, readings)
        figures = self._figures(state)
        grades = tuple(self._grades(state, figures))
        return state, Report(
            time_ns=state.closed_ns,
            pots=self._frame(state, np.flatnonzero(state.is_pot), _POT_SIGNALS),
            lines=self._frame(state, np.flatnonzero(state.is_line), _LINE_SIGNALS),
            figures=figures,
            grades=grades,
            events=tuple(events),
            active=state.faults.active.T.copy(),
            estimate=None if state.track is None else state.track.estimate,
            minutes=tuple(state.minutes),
        )

    def _book(self, state: State, readings: Readings, si: Floats) -> None:
        line = state.line_of[readings.unit]
        row = state.row_in_line[readings.unit]
        if len(state.books.ledgers) == 1:
            (ledger,) = state.books.ledgers.values()
            ledger.add(readings, row, si)
            return
        for code in np.unique(line).tolist():
            mine = line == code
            state.books.ledgers[code].add(readings.take(mine), row[mine], si[mine])

    def _ticks(self, state: State, readings: Readings) -> list[Event]:
        """Close every tick that is due, in order."""
        if not len(readings):
            return []
        tick = readings.time_ns // int(self.settings.tick_s * NS_PER_S)
        newest = np.maximum.accumulate(np.concatenate([[state.newest_tick], tick]))
        # A late reading takes effect in the next tick to close after it came.
        effective = np.maximum(tick, newest[:-1] - self.settings.grace)
        told = too_late_to_tell(state.said_ns, readings, tick, effective)
        if told.any():
            readings, effective = readings.take(~told), effective[~told]
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
        said = state.said_ns[readings.unit, readings.signal]
        si = readings.value * _FACTOR[readings.signal] + _OFFSET[readings.signal]
        if state.track is not None and self.tracker is not None:
            fresh = readings.time_ns > said
            self.tracker.begin(state.track, closed_ns, state.value, state.said_ns)
            if state.remembered is not None and self.features is not None:
                over = self.features.begin(state.remembered, closed_ns, state.value, state.said_ns, state.track)
                if over is not None:
                    state.minutes.append(over)
                    events.extend(watch_minute(state.faults, over))
                self.features.take(state.remembered, readings, si, fresh, closed_ns)
            self.tracker.take(state.track, readings, si, fresh)
        newer = readings.time_ns >= said
        if not newer.all():
            readings, si = readings.take(newer), si[newer]
        place = (readings.unit, readings.signal)
        state.value[place] = si
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

    def _beliefs(self, state: State) -> dict[int, Belief]:
        """What is believed of the pots of each line."""
        track, u = state.track, self.settings.u_efficiency
        if track is None or self.tracker is None:
            return {code: Belief.fixed(ledger.pots, u) for code, ledger in state.books.ledgers.items()}
        columns = (track.offset, track.u_common, track.u_own, track.learnt, track.metal_sd)
        return {code: Belief(*(c[pots] for c in columns)) for code, pots in self.tracker.pots_of.items()}

    def _figures(self, state: State) -> tuple[WindowFigures, ...]:
        """Settle the books and tell the figures of every window that changed."""
        track, tracker = state.track, self.tracker
        settled = {}
        changed = tracker.changed(track) if track is not None and tracker is not None else set()
        for code, ledger in state.books.ledgers.items():
            ledger.touch(changed)
            rates = None if track is None or tracker is None else tracker.rates(track, code)
            settled[code] = ledger.settle(rates)
        told = self.figures.tell(state.books, settled, self._beliefs(state))
        return tuple(figures for figures in told if int(figures.units[0]) not in self.cut)

    def _grades(self, state: State, figures: tuple[WindowFigures, ...]) -> list[Grade]:
        """Every rule of lines and plants over each open window; of the portfolio over the open months and years."""
        day = day_of(max(state.closed_ns, 0))
        now = [figure for figure in figures if figure.open]
        grades = [found for figure in now for found in self._graded(figure, day)]
        for kind in sorted(LONG) if self.whole else ():
            mine = [f for f in now if f.window == kind and int(f.units[0]) in self.lines]
            if mine:
                lines = [self.lines[int(figure.units[0])] for figure in mine]
                grades += portfolio_grades(self.plan, self.plant, lines, mine, day, self.settings.efficiency)
        return grades

    def _graded(self, figures: WindowFigures, day: date) -> Iterator[Grade]:
        """Every rule of the plan that holds on `day` for units of this kind, over this window of a line or site."""
        plan, unit = self.plan, int(figures.units[0])
        line = self.lines.get(unit)
        scope, unfit = ("plant", "") if line is None else ("line", line[1].too_young(day))
        coverage = float(figures.kpis["coverage_pct"][0])
        for rule in plan.rules:
            if rule.graded_at(scope) and rule.valid_on(day):
                kpi = METRICS[rule.metric][1]
                value = Figure(math.nan, math.nan)
                if kpi in figures.kpis:
                    value = Figure(float(figures.kpis[kpi][0]), float(figures.u[kpi][0]))
                yield grade(rule, unit, figures.window, value, coverage, plan.minimum_coverage_pct, unfit)
