"""How long the estimator takes on one core.

    python -m tests.estimator.speed --pots 10000

Prints the median time of a step, of a quarter hour's estimate of all pots, of the pooled efficiency alone, and of the
re-run that late samples of some pots ask for. Readings are made up; time does not depend on what they say.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from twin.estimator import Estimator, Inputs, Samples, State
from twin.estimator.outputs import efficiency_offset
from twin.plant import PotDesign

__all__ = ["main", "readings"]

SHARE_TAPPED, SHARE_CHANGED = 1.0 / (28 * 60), 1.0 / (16 * 60)  # of the pots, a minute


def readings(step: int, pots: int, seed: int = 0) -> Inputs:
    """A minute of pots that are fed evenly, with noise, taps and anode changes at their usual pace."""
    rng = np.random.default_rng([seed, step])
    seen = Inputs.nothing(pots)
    seen.covered_s[:], seen.current[:], seen.beam[:] = 60.0, 500e3, 0.2
    seen.voltage[:] = 4.0 + 0.01 * rng.standard_normal(pots)
    seen.alumina_counter[:], seen.alf3_counter[:] = 5.0 * step, 0.05 * step
    seen.thermocouple[:] = 1228.0 + rng.standard_normal(pots)
    seen.wall[:] = 670.0 + rng.standard_normal(pots)
    seen.wave_noise[:], seen.bubble_noise[:] = 4e-3, 6e-3
    seen.tapped[:] = np.where(rng.random(pots) < SHARE_TAPPED, 4300.0, 0.0)
    seen.anodes_changed[:] = rng.random(pots) < SHARE_CHANGED
    return seen


def median_ms(work: Callable[[], object], count: int) -> float:
    """Median time of so many calls [ms]."""
    took = []
    for _ in range(count):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return 1e3 * float(np.median(took))


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pots", type=int, default=10000)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--late-pots", type=int, default=100, help="pots whose samples came an hour's worth late")
    options = parser.parse_args()
    twin = Estimator([PotDesign()] * options.pots)
    state: State = twin.step(twin.start(), 0, readings(0, options.pots))
    minutes = iter([(n, readings(n, options.pots)) for n in range(1, options.steps + 1)])
    line_of = np.arange(options.pots) // 300
    units = np.arange(options.pots, dtype=np.int32)

    def late() -> None:
        few = np.arange(min(options.late_pots, options.pots))
        twin.late(state, Samples(np.ones_like(few), few, np.zeros_like(few), np.full(len(few), 1228.0)))

    print(f"{options.pots} pots, one core")
    print(f"step {median_ms(lambda: twin.step(state, *next(minutes)), options.steps):.1f} ms")
    print(f"estimate of all pots {median_ms(lambda: twin.estimate(state, units, line_of), 3):.0f} ms")
    pooled = median_ms(lambda: efficiency_offset(twin.design, state.belief, line_of), 3)
    print(f"pooled efficiency of all pots {pooled:.0f} ms")
    took = median_ms(late, 1)
    print(f"{options.late_pots} pots run again over {options.steps} steps {took:.0f} ms")


if __name__ == "__main__":
    main()
