"""Deterministic by seed, independent of who looks, the same after a checkpoint."""

from __future__ import annotations

import copy
import pickle

import numpy as np

from simulators.potline import Potline
from simulators.schedule import Cause
from simulators.sensors import Sensors
from tests.simulators.lines import potline

SCHEDULE = (Cause("anode_effect", 1, 300.0, 1800.0), Cause("gateway_outage", 2, 300.0, 600.0))


def same(a: Potline, b: Potline) -> bool:
    left, right = a.truth(), b.truth()
    return all(np.array_equal(left[name], right[name]) for name in left) and np.array_equal(a.measured, b.measured)


def test_same_seed_is_bit_equal_and_another_is_not() -> None:
    lines = [potline(8, SCHEDULE, seed=seed) for seed in (3, 3, 4)]
    sensors = [Sensors(line, line.seed) for line in lines]
    for n in range(600):
        for line in lines:
            line.step(2.5)
        if n % 30 == 0:
            first, second, third = (instrument.observe() for instrument in sensors)
            for name, values in first.telemetry.items():
                assert np.array_equal(values, second.telemetry[name], equal_nan=True), name
            assert first.line == second.line
            assert (first.events, first.samples) == (second.events, second.samples)
            assert np.array_equal(first.pot_time_ns, second.pot_time_ns)
            assert not np.array_equal(first.telemetry["voltage_v"], third.telemetry["voltage_v"])
    assert same(lines[0], lines[1])
    assert not same(lines[0], lines[2])


def test_looking_changes_nothing() -> None:
    watched, alone = potline(6), potline(6)
    sensors = Sensors(watched, 1)
    for _ in range(300):
        watched.step()
        sensors.observe()
        watched.truth()
        alone.step()
    assert same(watched, alone)


def test_a_checkpoint_goes_on_as_if_nothing_happened() -> None:
    line = potline(6, SCHEDULE)
    for _ in range(400):
        line.step()
    copies = [pickle.loads(pickle.dumps(line)), copy.deepcopy(line)]
    for _ in range(400):
        for one in (line, *copies):
            one.step()
    assert all(same(line, one) for one in copies)


def test_a_fault_at_one_pot_leaves_the_luck_of_the_others() -> None:
    """So that a run with a fault and one without can be compared pot by pot."""
    struck, spared = potline(6, [Cause("hot_pot", 0, 0.0, 7200.0)]), potline(6)
    for _ in range(720):
        struck.step(5.0)
        spared.step(5.0)
    assert struck.state.temperature[0] != spared.state.temperature[0]
    assert np.array_equal(struck.noise.voltage[1:], spared.noise.voltage[1:])
    assert np.allclose(struck.state.temperature[1:], spared.state.temperature[1:], rtol=1e-9)
