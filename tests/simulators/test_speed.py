"""Fast and flat: 300 pots a thousand times real time, 10,000 pots twenty times, no growth."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest

from simulators import chance
from simulators.potline import Potline
from simulators.sensors import Sensors
from tests.simulators.lines import potline


def milliseconds(line: Potline, steps: int, rounds: int) -> float:
    """Processor time of a step, best of several rounds."""
    best = np.inf
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(steps):
            line.step()
        best = min(best, (time.process_time() - start) / steps)
    return float(best) * 1e3


@pytest.mark.parametrize(("pots", "steps", "limit"), [(300, 100, 1.0), (10_000, 10, 50.0)])
def test_fast(pots: int, steps: int, limit: float) -> None:
    line = potline(pots)
    line.step()
    assert milliseconds(line, steps, 3) < limit


def test_memory_is_flat() -> None:
    """Nobody takes events or samples here, and still nothing grows but the few of them that wait."""
    line = potline(6)
    sensors = Sensors(line, 1)

    def go_on(steps: int) -> None:
        for n in range(steps):
            line.step(5.0)
            if n % 12 == 0:
                sensors.observe()

    go_on(100)
    tracemalloc.start()
    go_on(100)
    first = tracemalloc.get_traced_memory()[0]
    go_on(250)
    grown = tracemalloc.get_traced_memory()[0] - first
    tracemalloc.stop()
    assert grown < 40_000  # results of the laboratory that wait to be due
    assert len(line.agenda) < 6 * 12


def test_chance_depends_on_the_key_alone() -> None:
    drawn = np.array([chance.uniform(3, n) for n in range(4000)])
    assert (drawn > 0.0).all()
    assert (drawn < 1.0).all()
    assert drawn.mean() == pytest.approx(0.5, abs=0.02)
    assert drawn.std() == pytest.approx(12**-0.5, abs=0.01)
    normal = np.array([chance.normal(3, n) for n in range(4000)])
    assert normal.mean() == pytest.approx(0.0, abs=0.05)
    assert normal.std() == pytest.approx(1.0, abs=0.04)
    assert np.corrcoef(drawn[1:], drawn[:-1])[0, 1] == pytest.approx(0.0, abs=0.05)
    waits = [chance.exponential(5.0, 3, n) for n in range(4000)]
    assert np.mean(waits) == pytest.approx(5.0, rel=0.06)


@pytest.mark.parametrize("dt", [0.0, -1.0, 3.0, 7.0, 10.0])
def test_a_step_that_does_not_fit_is_refused(dt: float) -> None:
    with pytest.raises(ValueError, match="does not divide"):
        potline(2).step(dt)
