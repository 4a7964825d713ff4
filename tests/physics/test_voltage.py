"""The pot voltage against the published test vectors and the 350 kA table."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.physics.pots import KELVIN, POT_126, POT_350, pot_126, pot_350
from twin.physics.bubbles import bubble_coverage
from twin.physics.faraday import alumina_rate
from twin.physics.overvoltage import (
    anode_concentration,
    anode_reaction,
    cathode,
    critical_density,
    reversible_voltage,
)
from twin.physics.voltage import pot_voltage

STEP = 1e-3
ALUMINA = (1.7, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0)


@pytest.mark.parametrize(
    ("alumina", "distance_cm", "current", "volts"),
    [
        (2.63280651, 2.91442895, 125987.37, 4.50156156),
        (2.74865090, 2.91442916, 125987.622, 4.49269015),
        (2.51696212, 2.91442874, 125987.118, 4.51305282),
    ],
)
def test_published_vectors_of_the_126_ka_pot(alumina: float, distance_cm: float, current: float, volts: float) -> None:
    assert pot_126(alumina, distance_cm * 1e-2, current).total == pytest.approx(volts, abs=1e-6)


@pytest.mark.parametrize(
    ("alumina", "volts"), list(zip(ALUMINA, (4.245, 4.142, 4.097, 4.079, 4.071, 4.068, 4.070), strict=True))
)
def test_table_of_the_350_ka_pot(alumina: float, volts: float) -> None:
    assert pot_350(alumina).total == pytest.approx(volts, abs=1e-3)


def test_table_shifts_as_a_whole_with_the_cathode_area_it_does_not_give() -> None:
    pot = {**POT_350, "cathode_area": POT_350["anode_area"]}
    volts = pot_voltage(350e3, 960.0 + KELVIN, np.array(ALUMINA), 10.5, 5.0, 0.0, 0.0, 0.042, **pot).total
    shift = volts - pot_350(np.array(ALUMINA)).total
    assert shift == pytest.approx(0.0055, abs=1e-3)
    assert np.ptp(shift) < 1e-3


def slope(alumina: float) -> float:
    """dV/dC [V/wt%]."""
    return (pot_350(alumina + STEP).total - pot_350(alumina - STEP).total) / (2.0 * STEP)


@pytest.mark.parametrize(("alumina", "millivolt"), list(zip(ALUMINA, (-751, -164, -52, -24, -10, -3, 6), strict=True)))
def test_alumina_slope_of_the_350_ka_pot(alumina: float, millivolt: float) -> None:
    assert slope(alumina) * 1e3 == pytest.approx(millivolt, rel=0.006, abs=0.6)


@pytest.mark.parametrize(
    ("alumina", "small_bath", "large_bath"),
    [(1.7, 44.0, 33.0), (2.0, 9.6, 7.2), (2.5, 3.0, 2.3), (3.0, 1.4, 1.0), (3.5, 0.6, 0.5), (4.0, 0.16, 0.12)],
)
def test_rise_without_feed(alumina: float, small_bath: float, large_bath: float) -> None:
    for mass, expected in ((6000.0, small_bath), (8000.0, large_bath)):
        fall = alumina_rate(350e3, 0.95) / mass * 100.0 * 60.0  # wt% per minute
        assert -slope(alumina) * fall * 1e3 == pytest.approx(expected, rel=0.01, abs=0.06)


def test_acceptance_bands_of_the_rise_without_feed() -> None:
    for mass in (6000.0, 8000.0):
        fall = alumina_rate(350e3, 0.95) / mass * 100.0 * 60.0
        assert 2.0 < -slope(2.5) * fall * 1e3 < 4.0
        assert 7.0 < -slope(2.0) * fall * 1e3 < 10.0


def test_voltage_has_its_minimum_near_4_percent_alumina() -> None:
    alumina = np.linspace(2.0, 7.0, 5001)
    volts = pot_350(alumina).total
    assert alumina[np.argmin(volts)] == pytest.approx(4.23, abs=0.03)
    assert volts.min() == pytest.approx(4.067, abs=1e-3)
    assert pot_350(3.5).total == pytest.approx(pot_350(5.1).total, abs=1e-3)  # one voltage, two contents


def test_distance_and_temperature_slopes() -> None:
    assert (pot_350(3.0, 0.0425).total - pot_350(3.0, 0.0415).total) * 1e3 == pytest.approx(34.0, abs=0.5)
    warm, cold = pot_350(3.0, temperature=1233.65), pot_350(3.0, temperature=1232.65)
    assert (warm.total - cold.total) * 1e3 == pytest.approx(-1.7, abs=0.05)


@pytest.mark.parametrize(("alumina", "wt_percent"), [(2.5, 0.02), (3.5, 0.09), (4.0, 0.3)])
def test_what_7_mv_of_noise_leaves_of_the_alumina(alumina: float, wt_percent: float) -> None:
    sigma = 7e-3 / np.sqrt(60.0)
    assert sigma / -slope(alumina) == pytest.approx(wt_percent, rel=0.2)


@given(alumina=st.floats(1.0, 7.0), distance=st.floats(0.02, 0.06), current=st.floats(80e3, 160e3))
def test_parts_add_up(alumina: float, distance: float, current: float) -> None:
    pot = pot_126(alumina, distance, current)
    assert pot.total == pytest.approx(sum(getattr(pot, field.name) for field in fields(pot)), rel=1e-12)
    assert pot.internal == pytest.approx(pot.total - pot.external, rel=1e-12)
    assert min(getattr(pot, field.name) for field in fields(pot)) >= 0.0


@given(alumina=st.floats(1.0, 7.0), distance=st.floats(0.02, 0.06))
def test_the_bubble_layer_is_taken_off_the_bath(alumina: float, distance: float) -> None:
    full = pot_126(alumina, distance, 126e3)
    less = pot_voltage(126e3, 963.0 + KELVIN, alumina, 12.0, 4.1, 0.25, 0.0, distance, **POT_126)
    assert less.bath < full.bath
    assert less.total - less.bath == pytest.approx(full.total - full.bath, rel=1e-12)


def test_array_parts_have_one_shape() -> None:
    pot = pot_350(np.array([2.0, 3.0, 4.0]))
    assert {np.shape(getattr(pot, field.name)) for field in fields(pot)} == {(3,)}
    assert isinstance(pot_350(3.0).total, float)


def test_a_stopped_line_and_an_empty_bath_stay_finite() -> None:
    current = np.array([0.0, 350e3, 350e3, 2e6])
    alumina = np.array([3.0, 0.0, 12.0, 3.0])
    pot = pot_voltage(current, 960.0 + KELVIN, alumina, 10.5, 5.0, 0.0, 0.0, 0.042, **POT_350)
    assert np.isfinite(pot.total).all()
    assert pot.total[0] == pytest.approx(pot.reversible[0])


def test_equations_are_held_at_the_edge_of_their_range() -> None:
    assert reversible_voltage(1233.15, 1.2) == reversible_voltage(1233.15, 1.0)
    assert reversible_voltage(1233.15, 0.0) == reversible_voltage(1233.15, 0.025)
    assert critical_density(1233.15, 0.0, 1.0) == critical_density(1233.15, 0.2, 1.0) > 0.0
    assert anode_concentration(1233.15, 9e3, 8e3) == pytest.approx(1233.15 / 23209.0 * math.log(1000.0))
    assert anode_reaction(1233.15, 1.0, 3.0) == cathode(1233.15, 1.0, 1.2) == 0.0
    assert bubble_coverage(8e3, 1.2, 1.0, 1.5) == bubble_coverage(8e3, 1.2, 1.51, 1.5)
    assert bubble_coverage(6e4, 1.2, 3.0, 1.5) == 0.98


def test_a_missing_value_stays_missing_and_stays_alone() -> None:
    pot = pot_350(np.array([3.0, np.nan, 3.0])).total
    assert np.isnan(pot).tolist() == [False, True, False]
    assert np.isnan(pot_350(float("nan")).total)
