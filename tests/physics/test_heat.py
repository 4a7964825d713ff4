"""The heat balance against the published 500 kA pot."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.physics.faraday import METAL_PER_COULOMB, metal_rate
from twin.physics.heat import (
    feed_heating_power,
    heat_loss,
    ledge_rate,
    ledge_resistance,
    metal_voltage,
    reaction_power,
    side_resistance,
)

LEDGE_HEAT = 310e3 * 3000.0 * 16.0  # J per metre of ledge, latent rho A
BATH, GAS, AMBIENT = 965.0 + 273.15, 50.0 + 273.15, 30.0 + 273.15
TOP, BOTTOM = 0.001769, 0.003749  # K/W


def ledge_inflow(superheat: float) -> float:
    """Heat that the bath gives to the ledge at this superheat [W]."""
    return LEDGE_HEAT * (ledge_rate(1228.15, 1228.15, 0.006) - ledge_rate(1228.15 + superheat, 1228.15, 0.006))


def test_powers_of_the_500_ka_pot() -> None:
    assert reaction_power(metal_rate(500e3, 0.94)) / 1e3 == pytest.approx(863.0, abs=0.5)
    assert feed_heating_power(5.0 / 60.0) / 1e3 == pytest.approx(179.0, abs=0.5)  # fed at 5 kg/min
    assert ledge_inflow(10.0) / 1e3 == pytest.approx(132.0, abs=0.5)


def test_balance_of_the_500_ka_pot_closes_to_2_percent() -> None:
    """The bath at 965 C gives the published top and bottom losses; the sum leaves 35 kW of 1,975."""
    top, bottom = (BATH - GAS) / TOP, (BATH - AMBIENT) / BOTTOM
    assert top / 1e3 == pytest.approx(517.0, abs=0.5)
    assert bottom / 1e3 == pytest.approx(249.0, abs=0.5)
    power = 500e3 * 3.95
    used = reaction_power(metal_rate(500e3, 0.94)) + feed_heating_power(5.0 / 60.0) + top + bottom + ledge_inflow(10.0)
    assert power == pytest.approx(1975e3)
    assert abs(power - used) < 0.02 * power


def test_the_two_published_energies_of_metal_agree_to_3_percent() -> None:
    """0.48 + 1.65 CE volts against 5.474 kWh/kg metal + 0.596 kWh/kg alumina: two sources, two reference states."""
    by_voltage = metal_voltage(0.94) / (0.94 * METAL_PER_COULOMB)
    by_energy = reaction_power(1.0) + feed_heating_power(1.889)
    assert by_energy == pytest.approx(by_voltage, rel=0.03)
    assert metal_voltage(1.0) / METAL_PER_COULOMB / 3.6e6 == pytest.approx(6.35, abs=0.01)  # the least, kWh/kg


@given(current=st.floats(1e5, 6e5), volts=st.floats(3.5, 5.0), efficiency=st.floats(0.85, 0.97))
def test_heat_and_metal_share_the_power(current: float, volts: float, efficiency: float) -> None:
    total = heat_loss(current, volts, efficiency) + current * metal_voltage(efficiency)
    assert total == pytest.approx(current * volts, rel=1e-12)


def test_side_resistance_is_ledge_wall_and_shell() -> None:
    wall = 0.25 / (47.0 * 16.0) + 1.0 / (22.0 * 16.0)
    assert side_resistance(0.0) == pytest.approx(wall)
    assert side_resistance(0.08) == pytest.approx(0.08 / (1.5 * 16.0) + wall)
    assert side_resistance(0.08) - side_resistance(0.0) == pytest.approx(ledge_resistance(0.08))


def test_ledge_settles_where_inflow_and_outflow_meet() -> None:
    """At 10 C superheat the 500 kA pot keeps a ledge of 9 cm, inside the published 5-10 cm."""
    thickness = np.full(3, 0.05), np.full(3, 0.12)
    superheat = np.array([9.0, 10.0, 11.0])
    for start in thickness:
        ledge = start.copy()
        for _ in range(4000):
            ledge += 60.0 * ledge_rate(1228.15 + superheat, 1228.15, side_resistance(ledge))
        assert ledge[1] == pytest.approx(24.0 * (925.0 * 7.6e-5 / 10.0 - side_resistance(0.0)), abs=1e-4)
        assert ledge[0] > ledge[1] > ledge[2]
        assert 0.05 < ledge[1] < 0.10
