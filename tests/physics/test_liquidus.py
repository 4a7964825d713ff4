"""Liquidus, solubility and bath against their published check values."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.physics.bath import bath_ratio, conductivity
from twin.physics.liquidus import liquidus
from twin.physics.solubility import alumina_saturation

KELVIN = 273.15
STEP = 1e-4


@pytest.mark.parametrize(
    ("alumina", "alf3", "celsius"),
    [(2, 10.5, 967.9), (2.5, 10.5, 964.8), (3, 10.5, 961.9), (3, 9, 967.5), (3, 11, 959.8), (3, 12, 955.2)],
)
def test_liquidus_table(alumina: float, alf3: float, celsius: float) -> None:
    assert liquidus(alumina, alf3, 5.0) - KELVIN == pytest.approx(celsius, abs=0.05)


@pytest.mark.parametrize(("column", "slope"), [(0, -5.69), (1, -4.38), (2, -2.22)])
def test_liquidus_slopes(column: int, slope: float) -> None:
    low, high = [3.0, 11.0, 5.0], [3.0, 11.0, 5.0]
    low[column] -= STEP
    high[column] += STEP
    assert (liquidus(*high) - liquidus(*low)) / (2 * STEP) == pytest.approx(slope, abs=0.005)


def test_cryolite_melts_at_1011_celsius() -> None:
    assert liquidus(0.0, 0.0, 0.0) - KELVIN == pytest.approx(1011.0, abs=1e-6)


@pytest.mark.parametrize(
    ("additive", "fall"),  # at 10 wt% excess AlF3, worked by hand from the published terms
    [("mgf2", 2 * 3.95), ("kf", 2 * 3.95), ("lif", 17.8 / (1.0 + 0.0094 + 0.1))],
)
def test_additives_lower_the_liquidus(additive: str, fall: float) -> None:
    assert liquidus(3.0, 10.0, 5.0) - liquidus(3.0, 10.0, 5.0, **{additive: 2.0}) == pytest.approx(fall)


def test_a_basic_bath_counts_no_excess_in_the_broken_powers() -> None:
    assert liquidus(0.0, -1.0, 5.0) == pytest.approx(liquidus(0.0, 0.0, 5.0) - 0.5 - 0.62)


def test_saturation_check_value() -> None:
    assert alumina_saturation(960.0 + KELVIN, 10.5, 5.0) == pytest.approx(8.31, abs=0.005)


def test_additives_change_the_saturation() -> None:
    """960 C, AlF3 10, CaF2 5, MgF2 1, LiF 2, worked by hand: A = 9.0858, B = 4.7987."""
    scale = 11.9 - 0.62 - 0.31 - 1.0 - 1.0 - 0.3 + 840.0 / 2020.0
    exponent = 4.8 - 0.48 + 2.2 * 2.8284271 / 13.0
    assert alumina_saturation(960.0 + KELVIN, 10.0, 5.0, 1.0, 2.0) == pytest.approx(scale * 0.96**exponent, rel=1e-7)


@given(temperature=st.floats(1200.0, 1300.0), alf3=st.floats(0.0, 18.0), caf2=st.floats(0.0, 8.0))
def test_a_hotter_bath_dissolves_more_and_conducts_better(temperature: float, alf3: float, caf2: float) -> None:
    assert alumina_saturation(temperature + 1.0, alf3, caf2) > alumina_saturation(temperature, alf3, caf2)
    assert conductivity(temperature + 1.0, 3.0, alf3, caf2) > conductivity(temperature, 3.0, alf3, caf2)


def test_bath_ratio_of_cryolite_and_of_acid_baths() -> None:
    assert bath_ratio(0.0, 0.0, 0.0) == pytest.approx(1.5)
    # 89.5 g cryolite = 53.7 g NaF and 35.8 g AlF3; with 10.5 g excess AlF3
    assert bath_ratio(0.0, 10.5, 0.0) == pytest.approx(53.7 / (35.8 + 10.5))


def test_conductivity_is_that_of_a_molten_salt() -> None:
    assert 200.0 < conductivity(1233.15, 3.0, 10.5, 5.0) < 240.0


def test_lithium_conducts() -> None:
    """Al2O3 3, AlF3 10, CaF2 5, LiF 2: NaF = 48; the ratio and the exponent worked by hand."""
    molar = (48.0 / 41.99 + 2.0 / 25.94) / (2.0 * (10.0 + 32.0) / 83.98)
    exponent = 1.9362 + 0.3092 * molar - 0.02066 - 0.05265 + 0.016246 - 1751.1 / 1233.15
    assert conductivity(1233.15, 3.0, 10.0, 5.0, 0.0, 2.0) == pytest.approx(100.0 * math.exp(exponent), rel=1e-9)
