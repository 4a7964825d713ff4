"""Emissions and control figures against the published defaults."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.physics.control import normalised_voltage, pseudo_resistance
from twin.physics.emissions import (
    GWP,
    OVERVOLTAGE_CWPB,
    SLOPES,
    anode_co2,
    c2f6,
    cf4_overvoltage,
    cf4_slope,
    co2_equivalent,
)


@pytest.mark.parametrize(
    ("technology", "slope", "ratio"),
    [("cwpb", 0.143, 0.121), ("pfpb_legacy", 0.122, 0.097), ("pfpb_modern", 0.104, 0.057), ("china", 0.143, 0.100)],
)
def test_slope_method(technology: str, slope: float, ratio: float) -> None:
    chosen = SLOPES[technology]
    per_t = cf4_slope(2.0 * 60.0, chosen.slope) * 1e3  # two minutes per pot-day
    assert per_t == pytest.approx(2.0 * slope)
    assert c2f6(per_t, chosen.c2f6_ratio) == pytest.approx(2.0 * slope * ratio)
    assert chosen.source


def test_overvoltage_method() -> None:
    assert cf4_overvoltage(5e-3, 0.95) * 1e3 == pytest.approx(1.16 * 5.0 / 95.0)
    assert c2f6(1.0, OVERVOLTAGE_CWPB.c2f6_ratio) == pytest.approx(0.121)


def test_anode_carbon_dioxide() -> None:
    assert anode_co2(0.411) == pytest.approx(1.471, abs=5e-4)
    assert anode_co2(1.0) == pytest.approx(0.976 * 44.0 / 12.0)
    assert anode_co2(1.0, 0.0, 0.0) == pytest.approx(44.0 / 12.0)


@pytest.mark.parametrize(
    ("report", "cf4", "ethane"), [("AR4", 7390, 12200), ("AR5", 6630, 11100), ("AR6", 7380, 12400)]
)
def test_warming_potentials(report: str, cf4: float, ethane: float) -> None:
    assert co2_equivalent(1.0, 2.0, 3.0, GWP[report]) == pytest.approx(1.0 + 2.0 * cf4 + 3.0 * ethane)


def test_tables_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        GWP["AR5"] = GWP["AR4"]  # type: ignore[index]


def test_one_millivolt_is_2_9_nanoohm_at_350_ka() -> None:
    rise = pseudo_resistance(4.001, 350e3) - pseudo_resistance(4.000, 350e3)
    assert rise * 1e9 == pytest.approx(2.9, abs=0.05)


@given(resistance=st.floats(2e-6, 40e-6), current=st.floats(1e5, 6e5), nominal=st.floats(1e5, 6e5))
def test_normalised_voltage_does_not_see_the_current(resistance: float, current: float, nominal: float) -> None:
    volts = 1.65 + resistance * current
    assert normalised_voltage(volts, current, nominal) == pytest.approx(1.65 + resistance * nominal, rel=1e-12)


def test_without_current_there_is_no_resistance() -> None:
    assert math.isnan(pseudo_resistance(1.6, 0.0))
    result = normalised_voltage(np.array([4.0, 1.6]), np.array([350e3, 0.0]), 350e3)
    assert np.isnan(result).tolist() == [False, True]
