"""The line: current, meters, power mix."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.rectifier import SOURCES, EnergyMeter, mix
from tests.simulators.lines import potline, run
from twin.plant import Meter


def test_meter_counts_with_class_error_and_starts_again_at_its_rollover() -> None:
    meter = EnergyMeter(Meter(accuracy_class=0.5, rollover_kwh=1000.0), 990.0, -1.0)
    for _ in range(20):
        meter.add(3.6e6, 1.0)
    assert meter.energy == 20 * 3.6e6
    assert meter.reading() == 9
    assert meter.shown == pytest.approx(990.0 + 20 * 0.995 - 1000.0)


def test_meters_of_a_line_stay_in_their_class() -> None:
    line = potline(20)
    result = run(line, 1.0)
    for meter, name in ((line.rectifier.ac, "ac_energy_kwh"), (line.rectifier.dc, "dc_energy_kwh")):
        shown = [row.line[name] for row in result.seen]
        assert np.all(np.diff(shown) > 0.0)
        counted = (shown[-1] - shown[0]) * 3.6e6 * 12 / 11
        assert counted == pytest.approx(meter.energy, rel=0.005 + 0.001)


def test_rollover_shows_in_the_readings() -> None:
    line = potline(10, rollover_kwh=16_000.0)
    shown = [row.line["ac_energy_kwh"] for row in run(line, 1.0).seen]
    assert min(np.diff(shown)) < -8_000.0
    assert min(shown) >= 0.0
    assert max(shown) < 16_000.0


def test_auxiliaries_take_350_kwh_per_tonne() -> None:
    """Plan 1: level 2 of ac_comprehensive less that of ac_liquid: 350 kWh/t; more by day than by night."""
    line = potline(10)
    line.step()
    powers = []
    for hour in range(24):
        line.rectifier.slow(line.now_ns * 1e-9 + hour * 3600.0)
        powers.append(line.rectifier.auxiliary_power)
    assert np.mean(powers) / 3.6e6 / (float(line.alumina.made.sum()) * 1e-3) == pytest.approx(350.0, abs=5.0)
    assert max(powers) > 1.1 * min(powers)
    run(line, 0.5)
    assert line.rectifier.auxiliary.energy == pytest.approx(1800.0 * np.mean(powers), rel=0.1)


def test_power_mix_adds_up_and_follows_the_sun() -> None:
    base = {"coal": 70.0, "hydro": 10.0, "wind": 12.0, "solar": 6.0, "nuclear": 2.0}
    day = [mix(base, hour, hour * 3600.0, 3) for hour in np.arange(0.0, 24.0, 0.25)]
    for shares in day:
        assert set(shares) == set(SOURCES)
        assert sum(shares.values()) == pytest.approx(100.0)
        assert min(shares.values()) >= 0.0
    solar = np.array([shares["solar"] for shares in day])
    assert solar[:20].max() == 0.0  # before five
    assert solar.argmax() in range(46, 55)  # around noon
    assert solar.mean() == pytest.approx(6.0, rel=0.1)
    assert np.std([shares["wind"] for shares in day]) > 0.5
    assert mix({}, 12.0, 0.0, 1)["coal"] == 100.0


def test_anode_effect_pulls_the_current_down_for_a_moment() -> None:
    line = potline(40)
    line.step()
    rectifier = line.rectifier
    before = rectifier.current
    rectifier.step(30.0, line.effects, 1.0)
    assert rectifier.current < 0.97 * before
    for _ in range(300):
        rectifier.step(30.0, line.effects, 1.0)
    assert rectifier.current > 0.99 * before
