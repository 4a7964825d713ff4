"""Simulated sensors into the estimator: a scoreboard beside the naive method.

    python -m tests.estimator.evaluate --scenario normal-week --pots 300 --days 7 --seed 1001 --thermocouple off

Tuning used seeds 1-20 only; 1001-1010 are for judging. What is judged is what a screen would have shown at that
moment: samples count from when they came (hours late), the first `--warm` hours are left out. The efficiency of a
week is told at its end. `--design-error 0.1` writes a plant file that is off by about so much in every dimension.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field

import msgspec
import numpy as np

from tests.estimator.line import Minute, minutes, simulated
from tests.estimator.naive import EFFICIENCY, Naive
from tests.estimator.score import Score
from twin.estimator import OUTPUTS, SAMPLES, Estimator, Samples, Settings, State
from twin.estimator.advance import CHANNELS
from twin.frames import Floats
from twin.plant import PotDesign

__all__ = ["Evaluation", "evaluate", "off_by"]

DAY = 1440  # minutes
PLACE = {output.name: n for n, output in enumerate(OUTPUTS)}


def off_by(design: PotDesign, error: float, seed: int) -> PotDesign:
    """A plant file whose dimensions are wrong by about this share, all pots of a line alike."""
    rng = np.random.default_rng(seed)
    base = {
        "anode_area_m2": 58.8, "cathode_area_m2": 64.7, "metal_pad_area_m2": 70.4, "side_area_m2": 16.0,
        "bath_kg": 7056.0, "metal_kg": 32384.0, "anode_resistance_uohm": 0.63, "cathode_resistance_uohm": 0.665,
        "external_resistance_uohm": 0.35, "closing_mm_h": 0.175, "alf3_kg_per_t": 18.0, "new_anode_higher_mm": 10.0,
    }  # fmt: skip
    return msgspec.structs.replace(design, **{n: v * (1.0 + error * rng.standard_normal()) for n, v in base.items()})


@dataclass(slots=True)
class Evaluation:
    """One run: estimator and naive method side by side."""

    estimator: Estimator
    state: State
    naive: Naive
    line_of: np.ndarray
    units: np.ndarray
    score: Score = field(default_factory=Score)
    waiting: list[Samples] = field(default_factory=list)
    quiet: list[Floats] = field(default_factory=list)  # Dewing's efficiency of each pot at each moment
    true: list[Floats] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: {"step": 0.0, "late": 0.0})

    @classmethod
    def of(cls, design: PotDesign, pots: int, settings: Settings | None = None) -> Evaluation:
        estimator = Estimator([design] * pots, settings)
        return cls(estimator, estimator.start(), Naive(pots), np.zeros(pots, np.int64), np.arange(pots, dtype=np.int32))

    def take(self, minute: Minute, *, late_now: bool, judge: bool) -> None:
        """One minute of the line; late samples are gathered until `late_now`."""
        start = time.perf_counter()
        self.state = self.estimator.step(self.state, minute.number, minute.inputs)
        self.seconds["step"] += time.perf_counter() - start
        if judge:
            self.score.surprised("voltage", self.state.belief.innovation[0])
            if minute.number % 10 == 0:
                for n, channel in enumerate(CHANNELS[1:3], 1):
                    self.score.surprised(channel, self.state.belief.innovation[n])
        if len(minute.samples.value):
            self.waiting.append(minute.samples)
        if late_now and self.waiting:
            self._late(judge)
        self.naive.take(minute)
        if minute.truth:
            self._look(minute, judge)

    def _late(self, judge: bool) -> None:
        columns = zip(*((s.number, s.pot, s.kind, s.value) for s in self.waiting), strict=True)
        samples = Samples(*(np.concatenate(column) for column in columns))
        self.waiting = []
        start = time.perf_counter()
        self.state = self.estimator.late(self.state, samples)
        self.seconds["late"] += time.perf_counter() - start
        if judge:
            sigmas = self.state.belief.innovation[len(CHANNELS) + samples.kind, samples.pot]
            for n, kind in enumerate(SAMPLES):
                self.score.surprised(kind.signal, sigmas[samples.kind == n])

    def _look(self, minute: Minute, judge: bool) -> None:
        estimate, known = self.estimator.estimate(self.state, self.units, self.line_of)
        efficiency, offset = estimate.mean[:, PLACE["efficiency"]], estimate.mean[:, PLACE["efficiency_offset"]]
        self.quiet.append(efficiency - offset)
        self.true.append(minute.truth["metal_made_kg"])
        if judge:
            self.score.look(minute.truth, estimate, known, self.naive.told())

    def week(self, name: str, true: Floats) -> None:
        """Efficiency of the line and of its pots over what was looked at, told now; `true` (pots,) [1]."""
        estimate, _ = self.estimator.estimate(self.state, self.units, self.line_of)
        offset = estimate.mean[:, PLACE["efficiency_offset"]]
        pots = np.mean(self.quiet, axis=0) + offset
        self.quiet = []
        line = (100.0 * float(pots.mean()), 100.0 * EFFICIENCY, 100.0 * float(true.mean()))
        self.score.week.append((name, *line))
        self.score.pot_week.add(100.0 * (pots - true))
        self.score.pot_week_naive.add(100.0 * (EFFICIENCY - true))


def evaluate(
    scenario: str, pots: int, days: float, seed: int, *, thermocouple: bool, wall: bool = True, warm_h: float = 24.0,
    design_error: float = 0.0, late_every: int = 60, dt: float = 5.0,
) -> Evaluation:  # fmt: skip
    """Run one scenario of one seed."""
    design = PotDesign()
    design = off_by(design, design_error, seed) if design_error else design
    line, run = simulated(scenario, pots, seed), Evaluation.of(design, pots)
    made, charge = np.zeros(pots), 0.0
    count = round(days * DAY)
    for n, minute in enumerate(minutes(line, seed, count, dt)):
        if not thermocouple:
            minute.inputs.thermocouple[:] = np.nan
        if not wall:
            minute.inputs.wall[:] = np.nan
        run.take(minute, late_now=n % late_every == late_every - 1, judge=n >= warm_h * 60.0)
        if minute.truth:  # efficiency of the moment, weighed by the current: the truth of the week
            made += minute.truth["efficiency"] * line.rectifier.current
            charge += line.rectifier.current
        if n % (7 * DAY) == 7 * DAY - 1 or n == count - 1:
            run.week(f"day {(n + 1) / DAY:.3g}", made / charge)
            made, charge = np.zeros(pots), 0.0
    return run


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", default="normal-week")
    parser.add_argument("--pots", type=int, default=300)
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument("--seed", type=int, default=1001)
    parser.add_argument("--thermocouple", choices=("on", "off"), default="off")
    parser.add_argument("--wall", choices=("on", "off"), default="on")
    parser.add_argument("--warm", type=float, default=24.0, help="hours left out at the start")
    parser.add_argument("--design-error", type=float, default=0.0)
    options = parser.parse_args()
    start = time.perf_counter()
    run = evaluate(
        options.scenario, options.pots, options.days, options.seed, thermocouple=options.thermocouple == "on",
        wall=options.wall == "on", warm_h=options.warm, design_error=options.design_error,
    )  # fmt: skip
    steps = options.days * DAY
    print(f"{options.scenario}, {options.pots} pots, {options.days:g} days, seed {options.seed}")
    print(
        f"thermocouple {options.thermocouple}, side wall {options.wall}, plant file off by {options.design_error:.0%}"
    )
    print("| figure | twin | naive | limit |\n|---|---|---|---|")
    for row in run.score.rows():
        print("| " + " | ".join(row) + " |")
    print(f"step {1e3 * run.seconds['step'] / steps:.2f} ms, late samples {run.seconds['late']:.0f} s, "
          f"too old {run.state.too_old}, in all {time.perf_counter() - start:.0f} s")  # fmt: skip


if __name__ == "__main__":
    main()
