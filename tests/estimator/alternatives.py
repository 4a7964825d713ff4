"""Other ways to weigh a voltage that bends, against the exact answer: what the choice of the filter rests on.

    python -m tests.estimator.alternatives              # alumina alone, one voltage after the other
    python -m tests.estimator.alternatives --line       # the whole estimator on a simulated line, tangent or not

Alumina is drawn from a belief, voltages of it are measured with noise, and each way says what it believes then. `exact`
is the posterior on a grid: the best that anyone could say. A way is honest when 95 % intervals cover 95 %.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from unittest import mock

import numpy as np

from tests.estimator.evaluate import evaluate
from twin.estimator.belief import Belief
from twin.estimator.design import Design
from twin.estimator.states import ALUMINA, ONSET
from twin.estimator.voltage import Shown, shown
from twin.frames import Floats
from twin.plant import PotDesign

__all__ = ["main", "tangent"]

BELIEFS = ((2.3, 0.1), (2.5, 0.3), (3.0, 0.5), (3.5, 0.5), (4.2, 0.5))  # wt%: mean, standard deviation
NOISE = 5e-3  # V
MEMBERS, CELLS, SLICE = 50, 400, 1000
MINIMUM, CLEARLY = 4.2, 0.5  # wt%, as in `score`
NORMAL_95 = 1.959964
Way = Callable[["Case", Floats], tuple[Floats, Floats]]


def tangent(design: Design, mean: Floats, cov: Floats, current: Floats) -> Shown:
    """The voltage as a plain extended Kalman filter takes it: value and slope at the mean, no bend."""
    at = shown(design, mean, np.zeros_like(cov), current)
    return Shown(at.voltage, at.slopes, np.zeros_like(at.bend))


class Case:
    """Pots of one belief of alumina."""

    def __init__(self, mean: float, sd: float, pots: int, seed: int) -> None:
        self.design = Design.of([PotDesign()] * pots)
        self.prior, self.sd, self.rng = mean, sd, np.random.default_rng(seed)
        self.floor = float(self.design.mean[ONSET, 0]) + 0.05
        self.true = np.maximum(mean + sd * self.rng.standard_normal(pots), self.floor)

    def volts(self, alumina: Floats) -> Floats:
        """Voltage without noise of any number of alumina contents."""
        flat = alumina.ravel()
        found = []
        for start in range(0, len(flat), SLICE):
            some = flat[start : start + SLICE]
            design = self.design.take(np.zeros(len(some), np.int64))
            belief = Belief.prior(design)
            belief.mean[ALUMINA] = some
            found.append(tangent(design, belief.mean, belief.cov, design.rated_current).voltage)
        return np.concatenate(found).reshape(alumina.shape)

    def linear(self, measured: Floats, way: Callable[..., Shown]) -> tuple[Floats, Floats]:
        """Mean and standard deviation after voltages (count, pots), by a slope each."""
        belief = Belief.prior(self.design)
        mean, var = np.full(len(self.true), self.prior), np.full(len(self.true), self.sd**2)
        for volts in measured:
            belief.mean[ALUMINA], belief.cov[ALUMINA, ALUMINA] = mean, var
            seen = way(self.design, belief.mean, belief.cov, self.design.rated_current)
            slope = seen.slopes[ALUMINA]
            gain = var * slope / (slope * slope * var + NOISE**2 + seen.bend)
            mean, var = np.maximum(mean + gain * (volts - seen.voltage), self.floor), var * (1.0 - gain * slope)
        return mean, np.sqrt(var)

    def ensemble(self, measured: Floats) -> tuple[Floats, Floats]:
        """The same by members with perturbed measurements."""
        members = self.prior + self.sd * self.rng.standard_normal((MEMBERS, len(self.true)))
        for volts in measured:
            expected = self.volts(np.maximum(members, self.floor))
            off = members - members.mean(axis=0)
            along = expected - expected.mean(axis=0)
            gain = (off * along).mean(axis=0) / (np.square(along).mean(axis=0) + NOISE**2)
            noise = NOISE * self.rng.standard_normal(members.shape)
            members = np.maximum(members + gain * (volts + noise - expected), self.floor)
        return members.mean(axis=0), members.std(axis=0)

    def exact(self, measured: Floats) -> tuple[Floats, Floats]:
        """The same on a grid."""
        grid = np.linspace(self.floor, self.prior + 6.0 * self.sd, CELLS)
        curve = self.volts(grid)
        log = np.repeat(-0.5 * np.square((grid - self.prior) / self.sd)[:, None], len(self.true), axis=1)
        for volts in measured:
            log -= 0.5 * np.square((volts - curve[:, None]) / NOISE)
        weight = np.exp(log - log.max(axis=0))
        weight /= weight.sum(axis=0)
        mean = (weight * grid[:, None]).sum(axis=0)
        return mean, np.sqrt((weight * np.square(grid[:, None] - mean)).sum(axis=0))


WAYS: dict[str, Way] = {
    "tangent": lambda case, measured: case.linear(measured, tangent),
    "three points": lambda case, measured: case.linear(measured, shown),
    f"{MEMBERS} members": lambda case, measured: case.ensemble(measured),
    "exact": lambda case, measured: case.exact(measured),
}


def compare(pots: int, count: int, seed: int) -> None:
    """Print a table of all beliefs and ways."""
    print(f"{count} voltages of noise {NOISE * 1e3:g} mV one after the other, {pots} pots, seed {seed}")
    print("| belief [wt%] | way | RMSE [wt%] | 95 % interval covers | wrong branch | ms a voltage |")
    print("|---|---|---|---|---|---|")
    for prior, sd in BELIEFS:
        for name, way in WAYS.items():
            case = Case(prior, sd, pots, seed)
            noise = NOISE * case.rng.standard_normal((count, pots))
            measured = case.volts(case.true) + noise
            start = time.perf_counter()
            mean, spread = way(case, measured)
            took = 1e3 * (time.perf_counter() - start) / count
            off = mean - case.true
            covered = float(np.mean(np.abs(off) < NORMAL_95 * spread))
            wrong = float(np.mean(((mean > MINIMUM) != (case.true > MINIMUM)) & (np.abs(off) > CLEARLY)))
            print(f"| {prior} +- {sd} | {name} | {np.sqrt(np.mean(off * off)):.3f} | {covered:.1%} | {wrong:.1%} "
                  f"| {took:.1f} |")  # fmt: skip


def on_a_line(scenario: str, pots: int, days: float, seed: int) -> None:
    """Print what the whole estimator makes of a simulated line with the tangent and with three points."""
    print(f"{scenario}, {pots} pots, {days:g} days, seed {seed}, thermocouple off")
    print("| way | alumina RMSE [wt%] | its interval covers | wrong branch | voltage surprises inside 95 % |")
    print("|---|---|---|---|---|")
    for name, way in (("tangent", tangent), ("three points", shown)):
        with mock.patch("twin.estimator.advance.shown", way):
            score = evaluate(scenario, pots, days, seed, thermocouple=False, late_every=240).score
        mine, inside = score.mine["alumina_wt_pct"], score.inside["voltage"]
        print(f"| {name} | {mine.rmse:.3f} | {mine.share(mine.covered):.1%} | "
              f"{score.wrong.share(score.wrong.total):.2%} | {inside.share(inside.covered):.1%} |")  # fmt: skip


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--line", action="store_true")
    parser.add_argument("--scenario", default="bad-month")
    parser.add_argument("--pots", type=int)
    parser.add_argument("--days", type=float, default=5.0)
    parser.add_argument("--voltages", type=int, default=10)
    parser.add_argument("--seed", type=int, default=4)
    options = parser.parse_args()
    if options.line:
        on_a_line(options.scenario, options.pots or 30, options.days, options.seed)
    else:
        compare(options.pots or 2000, options.voltages, options.seed)


if __name__ == "__main__":
    main()
