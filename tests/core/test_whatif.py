"""What-if: the sensitivities of the domain page, the direction of each lever, the warning of the heat balance."""

from __future__ import annotations

import doctest
import math
from dataclasses import astuple, fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twin.whatif
from tests.physics.pots import pot_350
from twin.physics.efficiency import current_efficiency
from twin.units import to_si
from twin.whatif import (
    LEVERS,
    Change,
    Point,
    closing_steps,
    effect_energy,
    highest_voltage,
    moved,
    predict,
    sensitivities,
    what_if,
)

KWH_T = to_si(1.0, "kWh/t")
KWH = to_si(1.0, "kWh")
# the 500 kA reference pot: 3.92-4.0 V, 92.5-94.5 %
POT = Point(500e3, 3.96, 0.94, 0.18)


def kwh(change: Change[Any], point: Point[Any] = POT) -> Any:
    """Change of ac_liquid [kWh/t]."""
    found = what_if(point, change)
    return (found.after.ac_liquid - found.before.ac_liquid) / KWH_T


@pytest.mark.parametrize(("volts", "ac"), [(3.90, 12552), (3.95, 12713), (4.00, 12874), (4.05, 13035), (4.10, 13196)])
def test_the_table_of_voltage_and_ac(volts: float, ac: float) -> None:
    found = predict(replace(POT, voltage=volts))
    assert found.ac_liquid / KWH_T == pytest.approx(ac, abs=0.5)
    assert found.dc / KWH_T == pytest.approx(2980 * volts / 0.94, rel=1e-4)


@pytest.mark.parametrize(("efficiency", "volts"), [(0.92, 3.953), (0.93, 3.996), (0.94, 4.039), (0.95, 4.082)])
def test_the_highest_voltage_that_meets_the_plan(efficiency: float, volts: float) -> None:
    limit = 13000 * KWH_T
    found = highest_voltage(limit, efficiency, 0.985)
    assert found == pytest.approx(volts, abs=5e-4)
    assert predict(replace(POT, voltage=found, efficiency=efficiency)).ac_liquid == pytest.approx(limit)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (Change(voltage=0.010), 32),
        (Change(efficiency=-0.01), 137),
        (Change(rectifier_efficiency=-0.001), 13),
    ],
)
def test_the_sensitivities_of_the_domain(change: Change[float], expected: float) -> None:
    assert kwh(change) == pytest.approx(expected, abs=0.5)


def test_one_anode_effect_is_434_kwh_and_115_a_tonne_for_that_pot_that_day() -> None:
    assert effect_energy(500e3, 120.0, 30.0, 3.96) / KWH == pytest.approx(434, abs=0.5)
    found = what_if(POT, Change(effects=1.0))
    assert (found.after.dc - found.before.dc) / KWH_T == pytest.approx(115, abs=0.5)
    metal = found.after.metal
    assert (found.after.dc - found.before.dc) * metal / KWH == pytest.approx(434, abs=0.5)


def test_the_table_of_levers_says_the_same() -> None:
    found = {name: value / KWH_T for name, value in sensitivities(POT).items()}
    assert list(found) == [lever.name for lever in LEVERS]
    assert {lever.name for lever in LEVERS} | {"effect_time"} == {field.name for field in fields(Change)}
    for name, expected in (("voltage", 32), ("efficiency", 137), ("rectifier_efficiency", 13)):
        assert found[name] == pytest.approx(expected, abs=0.5)
    assert found["effects"] == pytest.approx(115 / 0.985, abs=0.5)


def test_tonnes_a_day() -> None:
    assert predict(POT).metal / 1000 == pytest.approx(0.0080537 * 500 * 0.94, rel=1e-4)
    line = predict(replace(POT, pots=300))
    assert line.metal == pytest.approx(300 * predict(POT).metal)
    assert line.ac_energy == pytest.approx(line.ac_liquid * line.metal)
    assert line.ac_liquid == predict(POT).ac_liquid


def test_a_millimetre_is_34_millivolts_on_the_350_ka_pot() -> None:
    point = Point(350e3, pot_350(3.0).total, 0.94, 0.175, alf3=10.5)
    after = moved(point, Change(distance=1e-3))
    assert after.voltage - point.voltage == pytest.approx(0.034)
    assert after.voltage == pytest.approx(pot_350(3.0, 0.043).total, abs=5e-4)


def test_the_bath_acts_as_the_physics_says() -> None:
    richer = moved(POT, Change(alf3=2.0))
    assert richer.efficiency == pytest.approx(current_efficiency(10.0, 13.0), abs=5e-4)
    cooler = moved(POT, Change(superheat=-5.0))
    assert cooler.efficiency == pytest.approx(current_efficiency(5.0, 11.0), abs=5e-4)
    assert richer.voltage > POT.voltage, "AlF3 and the lower liquidus make the bath a worse conductor"


def test_a_higher_current_costs_voltage_by_the_pseudo_resistance() -> None:
    found = what_if(POT, Change(current=10e3))
    assert found.after.voltage == pytest.approx(1.65 + (3.96 - 1.65) * 510 / 500)
    assert found.after.metal / found.before.metal == pytest.approx(510 / 500)
    assert found.heat.after > found.heat.before


def test_less_voltage_cools_the_pot_and_a_lot_of_it_is_flagged() -> None:
    small = what_if(POT, Change(voltage=-0.05)).heat
    assert small.after - small.before == pytest.approx(-0.05 * 500e3)
    assert small.equivalent == pytest.approx(-0.05 * 500e3 * 7.6e-5)  # -1.9 K
    assert small.expected == pytest.approx(8.1)
    assert small.warning == 0
    assert what_if(POT, Change(voltage=-0.15)).heat.warning == -1
    assert what_if(POT, Change(voltage=0.15)).heat.warning == 1


def test_asking_for_a_cooler_pot_without_taking_heat_away_shows_the_mismatch() -> None:
    heat = what_if(POT, Change(superheat=-3.0)).heat
    assert heat.equivalent == pytest.approx((heat.after - heat.before) * 7.6e-5)
    assert heat.mismatch == pytest.approx(heat.equivalent + 3.0)


def test_heat_loss_of_the_public_200_ka_example() -> None:
    volts = 377e3 / 200e3 + 0.48 + 1.65 * 0.94  # 377 kW
    found = predict(Point(200e3, volts + 0.2, 0.94, 0.2))
    assert found.heat_loss == pytest.approx(377e3)


def test_carbon_dioxide() -> None:
    quiet = predict(replace(POT, grid_factor=0.5568))
    assert quiet.co2_direct == pytest.approx(1.471, abs=5e-4)
    assert quiet.co2_electricity == pytest.approx(0.5568 * quiet.ac_liquid / KWH_T / 1000)
    minute = predict(replace(POT, effects=1.0, effect_time=60.0))
    pfc = 0.143e-3 * (6630 + 0.100 * 11100)
    assert minute.co2_direct - quiet.co2_direct == pytest.approx(pfc)
    assert math.isnan(predict(POT).co2_electricity)
    better = what_if(POT, Change(efficiency=0.01))
    carbon = 0.3339 * (1 / 0.95 - 1 / 0.94) * 0.976 * 44 / 12
    assert better.after.co2_direct - better.before.co2_direct == pytest.approx(carbon, rel=1e-3)


def test_auxiliaries_are_a_power_not_a_share() -> None:
    point = replace(POT, auxiliary_power=60e3)
    found = what_if(point, Change(current=10e3))
    before = found.before.ac_comprehensive - found.before.ac_liquid
    after = found.after.ac_comprehensive - found.after.ac_liquid
    assert after / before == pytest.approx(500 / 510)
    assert math.isnan(predict(POT).ac_comprehensive)


@pytest.mark.parametrize("lever", ["voltage", "distance", "efficiency"])
def test_the_step_that_closes_the_gap_closes_it(lever: str) -> None:
    point = replace(POT, voltage=4.10)
    limit = 13000 * KWH_T
    step = closing_steps(point, limit)[lever]
    left = predict(moved(point, Change(**{lever: step}))).ac_liquid - limit
    assert abs(left) < 0.05 * (predict(point).ac_liquid - limit), "to first order"


def test_steps_that_cannot_be_are_not_told() -> None:
    found = closing_steps(POT, 12500 * KWH_T)
    assert math.isnan(found["effects"])
    assert math.isnan(found["rectifier_efficiency"])
    assert closing_steps(replace(POT, effects=0.5), 12780 * KWH_T)["effects"] < 0
    assert math.isnan(closing_steps(replace(POT, effect_time=0.0), 12500 * KWH_T)["effects"])


steps = st.floats(1e-4, 0.05)


@settings(max_examples=40)
@given(up=steps, volts=st.floats(3.8, 4.3), ce=st.floats(0.9, 0.95))
def test_each_lever_has_its_direction(up: float, volts: float, ce: float) -> None:
    point = replace(POT, voltage=volts, efficiency=ce)
    assert kwh(Change(voltage=up), point) > 0
    assert kwh(Change(distance=up * 0.1), point) > 0
    assert kwh(Change(efficiency=up * 0.5), point) < 0
    assert kwh(Change(effects=up), point) > 0
    assert kwh(Change(current=up * 1e5), point) > 0
    assert kwh(Change(rectifier_efficiency=up * 0.1), point) < 0
    assert kwh(Change(), point) == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=40)
@given(scale=st.floats(0.2, 2.0))
def test_kwh_a_tonne_does_not_know_the_size_of_a_pot(scale: float) -> None:
    large = replace(POT, current=500e3 * scale)
    assert predict(large).ac_liquid == pytest.approx(predict(POT).ac_liquid)
    assert predict(large).metal == pytest.approx(scale * predict(POT).metal)
    assert predict(large).heat_loss == pytest.approx(scale * predict(POT).heat_loss)


def test_many_pots_at_once_as_one_by_one() -> None:
    volts = np.array([3.92, np.nan, 4.00])
    change: Change[Any] = Change(current=5e3, distance=-1e-3, alf3=0.5, superheat=-1.0, effects=0.1)
    pot: Point[Any] = POT
    together = what_if(replace(pot, voltage=volts, auxiliary_power=60e3, grid_factor=0.55), change)
    alone = what_if(replace(POT, voltage=3.92, auxiliary_power=60e3, grid_factor=0.55), change)
    for part in ("before", "after", "heat"):
        for many, one in zip(astuple(getattr(together, part)), astuple(getattr(alone, part)), strict=True):
            assert type(one) is float
            assert many.shape == (3,)
            assert many[0] == pytest.approx(one)
            assert np.isfinite(many[[0, 2]]).all()
    assert np.isnan(together.after.ac_liquid[1])
    assert np.isnan(together.heat.warning).tolist() == [False, True, False]


def test_examples_of_the_docstrings() -> None:
    assert doctest.testmod(twin.whatif).failed == 0
