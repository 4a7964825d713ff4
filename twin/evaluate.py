"""The twin judged against a simulated line whose truth is known, beside what a line without a twin would say.

Sensors -> readings -> the whole engine, as in service; what is judged is what a screen would have shown at that moment
and what the books said at the end. The simulator shares no model with the twin, its pots differ from the plant file,
and seeds 1001-1010 were used for no tuning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from msgspec.structs import replace

from simulators import scenarios
from simulators.publish import SimulatedLine
from twin.engine import Engine, Settings, State
from twin.estimator import SAMPLES
from twin.frames import Estimate, Floats, Readings, Report, WindowFigures
from twin.physics.faraday import METAL_PER_COULOMB
from twin.plan import Plan
from twin.plant import Roster
from twin.score import Row, Scores, within
from twin.signals import SIGNALS, by_name
from twin.states import STATES, column
from twin.units import JOULE_PER_KWH, NS_PER_S, SI

__all__ = ["Evaluation", "evaluation", "rows"]

EVERY_S = 300  # between two looks at the truth
PERIOD_S = 5  # between two messages of a pot
DAY_S = 86400
NAIVE_EFFICIENCY = 0.94
DEPTH_TO_KG = 2300.0 * 70.4  # kg a metre of metal of the nominal cavity
LEAN = 3.0  # wt%
TURN, CLEARLY = 4.2, 0.5  # wt%: where V(C) turns, and how far off an estimate must be to be on the wrong branch
USED = np.array([by_name(name) for name in (
    "voltage_v", "voltage_set_v", "noise_mv", "metal_wave_mv", "bath_temperature_c", "side_wall_temperature_c",
    "alumina_feed_kg", "alf3_feed_kg", "beam_position_mm",
)] + [code for code, signal in enumerate(SIGNALS) if signal.topic != "telemetry"])  # fmt: skip
# state -> the sample that a line without a twin holds until the next, and the factor between them
HELD = {
    "alumina_pct": ("alumina_pct", 1.0),
    "bath_temperature_c": ("bath_temperature_manual_c", 1.0),
    "superheat_c": ("superheat_c", 1.0),
    "excess_alf3_pct": ("excess_alf3_pct", 1.0),
    "metal_kg": ("metal_level_cm", DEPTH_TO_KG / 100.0),
}
TRUE = {
    "alumina_pct": "alumina_wt_pct", "bath_temperature_c": "temperature_k", "superheat_c": "superheat_k",
    "excess_alf3_pct": "excess_alf3_wt_pct", "ledge_mm": "ledge_m", "distance_mm": "distance_m",
    "bath_kg": "bath_kg", "metal_kg": "metal_kg", "efficiency_pct": "efficiency",
}  # fmt: skip


@dataclass(slots=True)
class Made:
    """What was really made and used: metal [kg] and DC [J] of pots, charge [A s], AC of the line [J]."""

    metal: Floats
    energy: Floats
    charge: float = 0.0
    ac: float = 0.0

    @classmethod
    def nothing(cls, pots: int) -> Made:
        return cls(np.zeros(pots), np.zeros(pots))

    def per_tonne(self) -> tuple[float, Floats, float, Floats]:
        """True ac_liquid [kWh/t] of line and pots, and current efficiency [%] of line and pots."""
        ac_pots = self.ac * self.energy / self.energy.sum()
        unit = JOULE_PER_KWH / 1e3
        efficiency = 100.0 * self.metal / (self.charge * METAL_PER_COULOMB)
        return self.ac / self.metal.sum() / unit, ac_pots / self.metal / unit, float(efficiency.mean()), efficiency


@dataclass
class Evaluation:
    """One run of one seed; `scores` are complete when `run` is over (the table of them: `rows`)."""

    engine: Engine
    line: SimulatedLine
    warm_s: float = DAY_S
    scores: Scores = field(default_factory=Scores)
    held: dict[str, Floats] = field(default_factory=dict)
    state: State | None = None
    told: Report | None = None
    _day: Made | None = None
    _whole: Made | None = None
    _days: list[Made] = field(default_factory=list)
    _day_told: dict[int, WindowFigures] = field(default_factory=dict)
    _sample_looked: dict[str, Floats] = field(default_factory=dict)

    def run(self, days: float, told: Callable[[int], None] = lambda now_ns: None) -> None:
        """Run so many days from midnight; `told` the time simulated."""
        line, pots = self.line, len(self.line.pots)
        self.state = self.engine.start()
        self._day, self._whole = Made.nothing(pots), Made.nothing(pots)
        self.held = {name: np.full(pots, np.nan) for name, _ in HELD.values()}
        start = line.now_ns
        for n in range(round(days * DAY_S / EVERY_S)):
            truth = line.potline.truth()  # of the end of the minute that the next step closes
            readings = Readings.concat(list(self._sensors()))
            at_once, rest = self._split(readings)
            self._step(at_once)
            if n and (line.now_ns - start) / NS_PER_S > self.warm_s:
                self._look(truth)
            self._step(rest)
            self._hold(readings)
            if (line.now_ns - start) % (DAY_S * NS_PER_S) == 0:
                self._days.append(self._day)
                self._day = Made.nothing(pots)
            told(line.now_ns)
        self._close(start)

    def _sensors(self) -> Iterator[Readings]:
        """What the sensors send until the next look; the truth is counted beside."""
        assert self._day is not None
        assert self._whole is not None
        potline = self.line.potline
        for _ in range(EVERY_S // PERIOD_S):
            for _ in range(PERIOD_S):
                before = potline.rectifier.ac.energy
                potline.step()
                energy = potline.electric.total * potline.rectifier.current
                for made in (self._day, self._whole):
                    made.metal += potline.alumina.made
                    made.energy += energy
                    made.charge += potline.rectifier.current
                    made.ac += potline.rectifier.ac.energy - before
            for part in self.line.advance(0):
                yield part.take(np.isin(part.signal, USED))

    def _split(self, readings: Readings) -> tuple[Readings, Readings]:
        """The readings that close the minute before, and the others: the estimate is judged in between."""
        first = readings.time_ns < readings.time_ns[0] + 10 * NS_PER_S
        return readings.take(first), readings.take(~first)

    def _step(self, readings: Readings) -> None:
        assert self.state is not None
        self.state, self.told = self.engine.step(self.state, readings)
        for figures in self.told.figures:
            if figures.window == "day" and int(figures.units[0]) == self.line.unit:
                self._day_told[figures.start_ns] = figures

    def _hold(self, readings: Readings) -> None:
        """What a line without a twin knows: the last sample of each kind."""
        place = {unit: n for n, unit in enumerate(self.line.pots.tolist())}
        for name, held in self.held.items():
            at = np.flatnonzero(readings.signal == by_name(name))
            for row in at[np.argsort(readings.time_ns[at], kind="stable")].tolist():
                held[place[int(readings.unit[row])]] = readings.value[row]

    def _look(self, truth: dict[str, Floats]) -> None:
        assert self.told is not None
        estimate = self.told.estimate
        assert estimate is not None
        naive = self._naive()
        for row in STATES:
            value, u = column(estimate, row)
            factor, offset = SI[row.unit]
            true = (truth[TRUE[row.name]] - offset) / factor
            theirs = naive.get(row.name)
            self.scores.add(row.name, value - true, u, naive=None if theirs is None else theirs - true)
            self.scores.add(f"known {row.name}", 100.0 * np.isfinite(value))
        alumina, _ = column(estimate, STATES[0])
        true = truth["alumina_wt_pct"]
        lean = true < LEAN
        self.scores.add("lean", (alumina - true)[lean], naive=(naive["alumina_pct"] - true)[lean])
        wrong = ((alumina > TURN) != (true > TURN)) & (np.abs(alumina - true) > CLEARLY)
        self.scores.add("wrong branch", np.where(np.isfinite(alumina), 100.0 * wrong, np.nan))
        self._surprised(estimate)

    def _surprised(self, estimate: Estimate) -> None:
        channels = estimate.innovation.shape[1] - len(SAMPLES)
        self.scores.add("innovation of the voltage", estimate.innovation[:, 0], 1.0)
        for n, kind in enumerate(SAMPLES):
            sigmas = estimate.innovation[:, channels + n]
            before = self._sample_looked.get(kind.signal, np.full(len(sigmas), np.nan))
            self.scores.add(f"innovation of {kind.signal}", np.where(sigmas != before, sigmas, np.nan), 1.0)
            self._sample_looked[kind.signal] = sigmas.copy()

    def _naive(self) -> dict[str, Floats]:
        found = {}
        for name, (sample, factor) in HELD.items():
            held = self.held[sample]
            usual = float(np.nanmean(held)) if np.isfinite(held).any() else np.nan
            found[name] = factor * np.where(np.isfinite(held), held, usual)
        return found | {"efficiency_pct": np.full(len(self.line.pots), 100.0 * NAIVE_EFFICIENCY)}

    def _close(self, start: int) -> None:
        """The books: the whole time as the month tells it, and the days."""
        assert self.told is not None
        assert self._whole is not None
        figures = {f.window: f for f in self.told.figures if int(f.units[0]) == self.line.unit and f.open}
        self._judge("whole", figures["month"], self._whole)
        for n, made in enumerate(self._days):
            if n and (day := self._day_told.get(start + n * DAY_S * NS_PER_S)) is not None:
                self._judge("pot-day", day, made)

    def _judge(self, name: str, told: WindowFigures, made: Made) -> None:
        """Figures a tonne and efficiencies of the line and its pots against what was really made."""
        pots = slice(1, 1 + len(self.line.pots))
        ac_line, ac_pots, efficiency, each = made.per_tonne()
        for kpi, line, of_pots in (("ac_liquid_kwh_t", ac_line, ac_pots), ("efficiency_pct", efficiency, each)):
            value, u = told.kpis[kpi], told.u[kpi]
            # What Faraday at 94 % makes of the same meters.
            share = told.kpis["efficiency_pct"] / (100.0 * NAIVE_EFFICIENCY)
            naive = value * share if kpi == "ac_liquid_kwh_t" else np.full(len(value), 100.0 * NAIVE_EFFICIENCY)
            relative = 100.0 / line if kpi == "ac_liquid_kwh_t" else 1.0
            self.scores.add(
                f"{name}: line {kpi}", np.array([relative * (value[0] - line)]), relative * u[0],
                naive=np.array([relative * (naive[0] - line)]),
            )  # fmt: skip
            self.scores.add(
                f"{name}: pots {kpi}", relative * (value[pots] - of_pots), relative * u[pots],
                naive=relative * (naive[pots] - of_pots),
            )  # fmt: skip


def evaluation(roster: Roster, plan: Plan, scenario: str, pots: int, seed: int) -> Evaluation:
    """One line of the plant, resized, from the first of a month by its site's calendar. Raises ConfigError."""
    site, line = next(roster.plant.lines())
    line = replace(line, pots=pots, capacity_t_per_year=None, sample_period_s=PERIOD_S)
    plant = replace(roster.plant, sites=[replace(site, lines=[line])])
    own = Roster(plant)
    start = int(datetime(2026, 3, 1, tzinfo=site.zone()).timestamp()) * NS_PER_S
    causes = scenarios.schedule(scenarios.load(scenario), line, scenario, seed=seed)
    engine = Engine(own, plan, Settings(grace=2, estimate=True))
    return Evaluation(engine, SimulatedLine(own, site, line, seed, start, causes))


WANTED = {
    "line ac_liquid_kwh_t": ("ac_liquid of the line, whole time", "% of truth", 0.3),
    "pots ac_liquid_kwh_t": ("ac_liquid of pots, whole time, RMSE", "% of truth", None),
    "line efficiency_pct": ("current efficiency of the line, whole time", "points", 0.3),
    "pots efficiency_pct": ("current efficiency of pots, whole time, RMSE", "points", 1.0),
}
STATE_LIMITS = {"alumina_pct": 0.35, "bath_temperature_c": 3.0}


def rows(scores: Scores) -> list[Row]:
    """The table: books first, then the state."""
    table = []
    for key, (title, unit, limit) in WANTED.items():
        mine, naive = scores.of(f"whole: {key}")
        high = float("nan") if limit is None else limit
        table.append(Row(title, unit, mine.rmse, naive.rmse, high=high))
    mine, naive = scores.of("pot-day: pots ac_liquid_kwh_t")
    table.append(Row("ac_liquid of a pot-day, RMSE", "% of truth", mine.rmse, naive.rmse, high=1.5))
    table.append(within(mine, "ac_liquid of a pot-day"))
    table.append(within(scores.of("whole: pots ac_liquid_kwh_t")[0], "ac_liquid of pots"))
    table.append(within(scores.of("whole: pots efficiency_pct")[0], "current efficiency of pots"))
    for state in STATES:
        mine, naive = scores.of(state.name)
        unit = {"C": "K"}.get(state.unit, state.unit)
        known = scores.of(f"known {state.name}")[0].bias
        high = STATE_LIMITS.get(state.name, float("nan"))
        note = f"known {known:.0f} % of the time, bias {mine.bias:+.2g}"
        table.append(Row(f"{state.name}, RMSE", unit, mine.rmse, naive.rmse, high=high, note=note))
        table.append(within(mine, state.name))
    mine, naive = scores.of("lean")
    table.append(Row(f"alumina below {LEAN:g} wt%, RMSE", "wt%", mine.rmse, naive.rmse, high=0.2))
    table.append(Row("wrong branch of V(C)", "% of time", scores.of("wrong branch")[0].bias, float("nan"), high=1.0))
    channels = ("innovation of the voltage", *(f"innovation of {kind.signal}" for kind in SAMPLES))
    table += [within(scores.of(name)[0], name) for name in channels]
    return table
