"""The loss tree: adds up to what was metered, at every shape, and so does the change."""

from __future__ import annotations

import doctest
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twin.losses
from twin.frames import Floats
from twin.losses import TERMS, Averages, LossTree, above_target, change, effect_voltage, pooled, tree
from twin.physics.bubbles import bubble_thickness
from twin.physics.faraday import dc_energy_per_mass
from twin.physics.voltage import PotVoltage, pot_voltage
from twin.units import to_si

KWH_T = to_si(1.0, "kWh/t")
PAGE = Path(__file__).parents[2] / "docs" / "method" / "losses.md"
SHAPE: dict[str, Any] = {"anode_area": 56.0, "anodes": 48, "cathode_area": 60.0, "alumina_ae": 1.7}
OHMS: dict[str, Any] = {"r_anode": 0.62e-6, "r_cathode": 0.60e-6, "r_external": 0.36e-6}


def parts(distance: Any = 0.045, current: float = 500e3) -> PotVoltage[Any]:
    return pot_voltage(current, 1228.15, 2.6, 11.0, 5.0, 0.0, 0.0, distance, **SHAPE, **OHMS)


def averages(efficiency: Any = 0.93, extra: Any = 0.03, **more: Any) -> Averages[Any]:
    """A pot (or pots) with 30 mV that no part explains and 36 mV of anode effects."""
    v = more.pop("parts", parts())
    effects = effect_voltage(120.0, 30.0, 3.96, 86400.0)
    voltage = v.total + effects + 0.012 + extra
    dc = dc_energy_per_mass(voltage, efficiency)
    given = {"effects": effects, "instability": 0.012, "above_target": 0.06, "auxiliary": 450.0 * KWH_T, **more}
    return Averages(voltage, efficiency, dc / 0.985, dc, v, **given)


def summed(found: LossTree[Any]) -> Any:
    return sum(found.in_kwh_t.values())


def adds_up(found: LossTree[Any]) -> None:
    np.testing.assert_allclose(summed(found) - found.total / KWH_T, 0.0, atol=1e-9)


def test_the_minimum_is_the_same_by_both_figures_of_the_domain() -> None:
    found = tree(averages())
    assert found.in_kwh_t["theoretical"] == pytest.approx(2980 * (0.48 + 1.65), rel=1e-4)
    assert found.in_kwh_t["theoretical"] / 1000 == pytest.approx(6.35, abs=5e-3)


def test_a_tree_by_hand() -> None:
    v = PotVoltage(1.22, 0.48, 0.02, 0.09, 0.30, 1.15, 0.12, 0.28, 0.20)
    dc = dc_energy_per_mass(4.00, 0.94)
    given = Averages(4.00, 0.94, dc / 0.985, dc, v, above_target=0.05, effects=0.04, instability=0.01)
    found = tree(given)
    kwh = found.in_kwh_t
    assert found.metric == "ac_liquid"
    assert found.total / KWH_T == pytest.approx(12874, abs=1)
    assert kwh["reaction_heat"] == pytest.approx(2980 * (1.22 - 2.13), rel=1e-4)
    assert kwh["efficiency"] == pytest.approx(2980 * 4.00 * (1 / 0.94 - 1), rel=1e-4)
    assert kwh["anode_overvoltage"] == pytest.approx(2980 * 0.50, rel=1e-4)
    assert kwh["bath"] == pytest.approx(2980 * 1.10, rel=1e-4)
    assert kwh["above_target"] == pytest.approx(2980 * 0.05, rel=1e-4)
    assert kwh["rectifier"] == pytest.approx(12874 * 0.015, abs=0.1)
    assert kwh["busbar"] == kwh["auxiliary"] == 0.0
    assert kwh["unexplained"] == pytest.approx(2980 * (4.00 - 3.86 - 0.05), rel=1e-3)
    adds_up(found)


def test_voltage_that_no_part_explains_is_unexplained_and_nothing_else() -> None:
    assert tree(averages(extra=0.03)).in_kwh_t["unexplained"] == pytest.approx(2980 * 0.03, rel=1e-3)
    assert tree(averages(extra=0.0)).in_kwh_t["unexplained"] == pytest.approx(0.0, abs=1e-9)


def test_one_point_of_efficiency_is_137_kwh_a_tonne_in_its_own_terms() -> None:
    v = PotVoltage(1.22, 0.48, 0.02, 0.09, 0.30, 1.13, 0.12, 0.28, 0.32)

    def at(efficiency: float) -> LossTree[float]:
        dc = dc_energy_per_mass(3.96, efficiency)
        return tree(Averages(3.96, efficiency, dc / 0.985, dc, v))

    moved = change(at(0.93), at(0.94))
    kwh = moved.in_kwh_t
    assert moved.total / KWH_T == pytest.approx(137, abs=0.5)
    assert kwh["efficiency"] + kwh["rectifier"] == pytest.approx(137, abs=0.5)
    assert all(abs(kwh[term.name]) < 1e-9 for term in TERMS if term.name not in ("efficiency", "rectifier"))


volts = st.floats(0.0, 2.0)


@settings(max_examples=60)
@given(
    drops=st.lists(volts, min_size=9, max_size=9),
    efficiency=st.floats(0.8, 0.98),
    energies=st.lists(st.floats(1e4, 2e4), min_size=4, max_size=4),
    more=st.lists(st.floats(-0.2, 0.5), min_size=3, max_size=3),
)
def test_any_tree_and_any_change_adds_up(
    drops: list[float], efficiency: float, energies: list[float], more: list[float]
) -> None:
    ac, dc, station, auxiliary = (energy * KWH_T for energy in energies)
    above, effects, instability = more
    v = PotVoltage(*drops)
    given_pot = Averages(sum(drops), efficiency, ac, dc, v, above, effects, instability, station, auxiliary)
    found = tree(given_pot)
    adds_up(found)
    assert list(found.terms) == [term.name for term in TERMS]
    groups = {term.group for term in TERMS}
    assert sum(found.group(group) for group in groups) == pytest.approx(found.total)
    other = tree(averages())
    adds_up(change(found, other))
    assert change(found, found).total == 0.0
    there, back = change(found, other).terms, change(other, found).terms
    assert all(there[name] == pytest.approx(-back[name], abs=1e-5) for name in there)


def test_many_pots_at_once_as_one_by_one() -> None:
    ce, distance = np.array([0.92, 0.93, 0.95]), np.array([0.040, 0.045, 0.050])
    together = tree(averages(ce, parts=parts(distance)))
    adds_up(together)
    for pot in range(3):
        alone = tree(averages(float(ce[pot]), parts=parts(float(distance[pot]))))
        assert type(alone.total) is float
        for name, value in alone.terms.items():
            assert type(value) is float
            assert together.terms[name].shape == (3,)
            assert together.terms[name][pot] == pytest.approx(value, rel=1e-9, abs=1e-3)


def test_what_is_not_known_of_one_pot_stays_with_it() -> None:
    given = averages(np.array([0.92, 0.93, np.nan]))
    found = tree(replace(given, ac=np.array([5e7, np.nan, 5e7])))
    assert np.isnan(found.terms["efficiency"]).tolist() == [False, True, True]
    assert np.isnan(found.terms["bath"]).tolist() == [False, True, False]
    assert np.isnan(found.terms["unexplained"]).tolist() == [False, True, True]
    line = pooled(found, np.full(3, 3785.0))
    assert line.total == pytest.approx(5e7 + 450.0 * KWH_T)


def test_pots_together_are_weighted_by_their_metal() -> None:
    metal = np.array([3000.0, 4000.0])
    found = tree(averages(np.array([0.92, 0.95])))
    line = pooled(found, metal)
    adds_up(line)
    assert line.total == pytest.approx(float(found.total @ metal) / 7000.0)
    assert line.terms["efficiency"] == pytest.approx(float(found.terms["efficiency"] @ metal) / 7000.0)
    assert np.isnan(pooled(found, np.zeros(2)).total)


def test_trees_of_different_metrics_are_not_compared() -> None:
    with pytest.raises(ValueError, match="ac_liquid"):
        change(tree(averages()), tree(averages(auxiliary=None)))


def test_the_station_splits_into_busbars_and_rectifier() -> None:
    given = averages()
    found = tree(replace(given, station=given.dc + 100 * KWH_T)).in_kwh_t
    plain = tree(given).in_kwh_t
    assert found["busbar"] == pytest.approx(100)
    assert found["rectifier"] + 100 == pytest.approx(plain["rectifier"])


@pytest.mark.parametrize(("distance", "target"), [(0.045, 0.042), (0.040, 0.042), (0.042, 0.042)])
def test_the_voltage_above_target_is_what_going_to_the_target_saves(distance: float, target: float) -> None:
    density = 500e3 / (1.1382 * SHAPE["anode_area"])
    excess = above_target(parts(distance).bath, distance, target, bubble_thickness(density))
    assert excess == pytest.approx(parts(distance).bath - parts(target).bath, abs=1e-12)


def test_one_anode_effect_a_day_is_115_kwh_a_tonne() -> None:
    excess = effect_voltage(120.0, 30.0, 3.96, 86400.0)
    assert dc_energy_per_mass(excess, 0.94) / KWH_T == pytest.approx(115, abs=0.5)
    dc = dc_energy_per_mass(3.96 + excess, 0.94)
    with_effect = tree(Averages(3.96 + excess, 0.94, dc, dc, parts(), effects=excess)).in_kwh_t
    assert with_effect["effects"] / 0.94 == pytest.approx(115, abs=0.5)


def test_names_are_unique_and_the_page_is_the_table() -> None:
    assert len({term.name for term in TERMS}) == len(TERMS)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", term.name) and term.help.endswith(".") for term in TERMS)
    assert TERMS[-1].group == "closing"
    text = PAGE.read_text("utf-8")
    for term in TERMS:
        assert f"| `{term.name}` | {term.title} | {term.help} |" in text
    used = {field.name for field in fields(PotVoltage)}
    assert used == {
        *("reversible", "anode_reaction", "anode_concentration", "cathode", "anode_drop", "bath", "bubbles"),
        *("cathode_drop", "external"),
    }, "a new part of the voltage needs a term"


def test_a_whole_plant_takes_no_time() -> None:
    pots = 10_000
    wide: Floats = np.full(pots, 0.045)
    found = tree(averages(np.full(pots, 0.93), parts=parts(wide)))
    assert found.total.shape == (pots,)


def test_examples_of_the_docstrings() -> None:
    assert doctest.testmod(twin.losses).failed == 0
