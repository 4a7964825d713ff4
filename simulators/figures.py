"""Figures of a simulated line beside their published ranges: what an engineer looks at first.

    python -m simulators.figures PLANT.toml --pots 300 --hours 168 --step 1 --seed 7 --scenario normal-week

prints a Markdown table; docs/simulator.md keeps one, with the sources.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulators import scenarios
from simulators.figure_rows import ROWS, Figure, figure, table
from simulators.journal import Event
from simulators.potline import Potline
from twin.frames import Floats
from twin.plant import Plant, parse

__all__ = ["START_NS", "Survey", "line_of", "main"]

EVERY_S = 300.0  # between two looks at the truth
CYCLE_S = 10.0  # between two looks at the feed mode: the controllers decide as often
WINDOW_S = 300.0  # of voltage noise, once an hour
SETTLED_S = 1800.0  # after an anode effect
SAME_EFFECT_S = 900.0  # an anode effect that comes back within 15 min is the same one (U)
START_NS = 1_760_000_000_000_000_000
KEPT = (
    *("alumina_wt_pct", "excess_alf3_wt_pct", "temperature_k", "superheat_k", "ledge_m", "wall_k", "distance_m"),
    *("pot_voltage_v", "efficiency", "cathode_drop_v"),
)


@dataclass(slots=True)
class Survey:
    """Runs a line and gathers its figures; arrays are (pots,) unless said otherwise."""

    line: Potline
    rows: dict[str, list[Floats]] = field(default_factory=dict)  # truth, one entry a look
    events: list[Event] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)  # of events
    cycle_min: list[float] = field(default_factory=list)
    cycle_wt_pct: list[float] = field(default_factory=list)
    cycle_mv: list[float] = field(default_factory=list)
    noise_1s: list[Floats] = field(default_factory=list)  # V, standard deviation within a window
    noise_5s: list[Floats] = field(default_factory=list)
    lost_w: list[float] = field(default_factory=list)  # heat a pot gives off, mean of the line
    effect_began: dict[int, float] = field(default_factory=dict)  # pot -> s of its last anode effect
    effects: int = 0
    effect_s: float = 0.0
    effect_volts: list[float] = field(default_factory=list)
    metal: Floats = field(default_factory=lambda: np.zeros(0))  # kg
    energy: Floats = field(default_factory=lambda: np.zeros(0))  # J
    fed: float = 0.0  # kg of alumina that arrived
    carbon: float = 0.0  # kg
    alf3: float = 0.0  # kg, doses and bags
    _window: list[Floats] = field(default_factory=list)
    _cycle: Floats = field(default_factory=lambda: np.zeros(0))  # (5, pots): begin, lowest and highest wt%, V
    _smooth: Floats = field(default_factory=lambda: np.zeros(0))  # V, over a minute

    def run(self, hours: float, dt: float, watch: Callable[[Potline], None] = lambda line: None) -> None:
        """Advance by so many hours; `watch` sees the line after every step."""
        line = self.line
        self.metal, self.energy = np.zeros(line.pots), np.zeros(line.pots)
        self._cycle = np.full((5, line.pots), np.nan)
        self._smooth = line.electric.total.copy()
        mode = line.control.mode.copy()
        look, ten = round(EVERY_S / dt), round(CYCLE_S / dt)
        for n in range(1, round(hours * 3600.0 / dt) + 1):
            line.step(dt)
            self.metal += line.alumina.made
            self.energy += line.electric.total * (line.rectifier.current * dt)
            self.fed += float(line.alumina.delivered.sum())
            self._smooth += (line.electric.total - self._smooth) * (dt / 60.0)
            self._effects(dt)
            self._noise(dt)
            if n % ten == 0:
                self.carbon += float(line.anodes.burned.sum())
                self.alf3 += float(line.dosing.added.sum())
                self._cycles(mode)
                mode[:] = line.control.mode
            if n % look == 0:
                self._look()
            watch(line)

    def _effects(self, dt: float) -> None:
        line = self.line
        for pot in line.effect.begun.tolist():
            self.effects += line.time_s - self.effect_began.get(pot, -np.inf) > SAME_EFFECT_S
            self.effect_began[pot] = line.time_s
        if line.state.effect.any():
            self.effect_s += float(line.state.effect.sum()) * dt
            self.effect_volts += line.electric.total[line.state.effect].tolist()

    def _noise(self, dt: float) -> None:
        """Standard deviation about a straight line over five minutes, of pots that nobody works at."""
        line = self.line
        if 0.0 < line.time_s % 3600.0 <= WINDOW_S:
            self._window.append(line.measured.copy())
            return
        if self._window:
            since = line.time_s - np.array([self.effect_began.get(pot, -1e9) for pot in range(line.pots)])
            calm = (line.control.hold_until <= line.time_s - WINDOW_S) & (since > SETTLED_S)
            volts, step = np.array(self._window)[:, calm], round(5.0 / dt)
            self._window.clear()
            if calm.any():
                self.noise_1s.append(_about_a_line(volts))
                self.noise_5s.append(_about_a_line(volts.reshape(-1, step, volts.shape[1]).mean(axis=1)))

    def _cycles(self, mode: NDArray[np.int8]) -> None:
        """A feed cycle lasts from the begin of one overfeed to the next."""
        line, cycle = self.line, self._cycle
        np.fmin(cycle[1], line.bath.alumina, out=cycle[1])
        np.fmax(cycle[2], line.bath.alumina, out=cycle[2])
        np.fmin(cycle[3], self._smooth, out=cycle[3])
        np.fmax(cycle[4], self._smooth, out=cycle[4])
        for pot in np.flatnonzero((line.control.mode == 2) & (mode == 1)).tolist():
            began, low, high, least, most = cycle[:, pot].tolist()
            if began == began:
                self.cycle_min.append((line.time_s - began) / 60.0)
                self.cycle_wt_pct.append(high - low)
                self.cycle_mv.append((most - least) * 1e3)
            cycle[:, pot] = line.time_s, np.nan, np.nan, np.nan, np.nan
        cycle[0, (mode != 1) & (mode != 2)] = np.nan  # disturbed: not a cycle to be counted

    def _look(self) -> None:
        truth, thermal = self.line.truth(), self.line.thermal
        for name in KEPT:
            self.rows.setdefault(name, []).append(truth[name])
        events = self.line.journal.take()[0]
        self.events += events
        for _, _, name, _ in events:
            self.counts[name] = self.counts.get(name, 0) + 1
        lost = thermal.q_top + thermal.q_bottom + thermal.q_side + thermal.q_cold + thermal.q_melt
        self.lost_w.append(float(lost.mean()))

    @property
    def pot_days(self) -> float:
        return self.line.pots * self.line.time_s / 86400.0

    def figures(self) -> list[Figure]:
        """All figures of the run."""
        return [figure(row, row.of(self)) for row in ROWS]


def _about_a_line(volts: Floats) -> Floats:
    """Standard deviation of every column about its own straight line."""
    place = np.arange(len(volts)) - 0.5 * (len(volts) - 1)
    rest = volts - volts.mean(axis=0)
    rest -= np.outer(place, place @ rest / (place @ place))
    deviation: Floats = rest.std(axis=0)
    return deviation


def line_of(plant: Plant, *, pots: int | None, seed: int, scenario: str) -> Potline:
    """The first line of a plant under a scenario ("" = nothing goes wrong by plan)."""
    site, line = next(plant.lines())
    line = msgspec.structs.replace(line, pots=pots or line.pots)
    causes = scenarios.schedule(scenarios.load(scenario), line, scenario, seed=seed) if scenario else []
    return Potline.of(plant, line, site.id, seed=seed, start_ns=START_NS, cause_schedule=causes)


def main(arguments: list[str]) -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description="Figures of a simulated line beside their published ranges.")
    parser.add_argument("plant", type=Path)
    parser.add_argument("--pots", type=int, help="default: as in the plant file")
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--step", type=float, default=5.0, help="s, a whole part of 5")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scenario", default="", help="one of " + ", ".join(scenarios.names()))
    given = parser.parse_args(arguments)
    plant = parse(given.plant.read_text("utf-8"), str(given.plant))
    survey = Survey(line_of(plant, pots=given.pots, seed=given.seed, scenario=given.scenario))
    survey.run(given.hours, given.step)
    sys.stdout.write(table(survey.figures()))


if __name__ == "__main__":
    main(sys.argv[1:])
