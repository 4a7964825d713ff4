"""Metal, alumina, energy, efficiency: the arithmetic of the energy page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.physics.efficiency import current_efficiency
from twin.physics.faraday import alumina_rate, anode_carbon, dc_energy_per_mass, metal_rate
from twin.units import from_si

efficiencies = st.floats(0.80, 0.98)


def kwh_per_t(volts: float, efficiency: float) -> float:
    return from_si(dc_energy_per_mass(volts, efficiency), "kWh/t")


def test_faraday_constant() -> None:
    assert metal_rate(3.6e6, 1.0) == pytest.approx(0.335573, abs=5e-7)  # kg per kAh
    assert metal_rate(1e3, 1.0) * 86400.0 / 1e3 == pytest.approx(0.0080537, abs=5e-8)  # t per pot-day and kA


def test_alumina_consumption() -> None:
    assert alumina_rate(1.0, 0.95) == pytest.approx(1.673e-7, rel=3e-4)
    assert alumina_rate(350e3, 0.95) == pytest.approx(0.0586, abs=5e-5)
    assert alumina_rate(1.0, 1.0) / metal_rate(1.0, 1.0) == pytest.approx(1.889, abs=5e-4)


@pytest.mark.parametrize(("volts", "ac"), [(3.90, 12552), (3.95, 12713), (4.00, 12874), (4.05, 13035), (4.10, 13196)])
def test_ac_energy_at_94_percent(volts: float, ac: float) -> None:
    assert kwh_per_t(volts, 0.94) / 0.985 == pytest.approx(ac, abs=1.0)


@pytest.mark.parametrize(("efficiency", "volts"), [(0.92, 3.953), (0.93, 3.996), (0.94, 4.039), (0.95, 4.082)])
def test_highest_voltage_that_meets_the_plan(efficiency: float, volts: float) -> None:
    assert kwh_per_t(volts, efficiency) / 0.985 == pytest.approx(13000.0, abs=2.0)


def test_sensitivities() -> None:
    base = kwh_per_t(3.95, 0.94) / 0.985
    assert kwh_per_t(3.96, 0.94) / 0.985 - base == pytest.approx(32.0, abs=0.5)
    assert kwh_per_t(3.95, 0.93) / 0.985 - base == pytest.approx(137.0, abs=0.5)
    assert kwh_per_t(3.95, 0.94) / 0.984 - base == pytest.approx(13.0, abs=0.5)


def test_one_anode_effect_on_a_500_ka_pot() -> None:
    extra = (30.0 - 3.96) * 500.0 * 2.0 / 60.0  # kWh
    assert extra == pytest.approx(434.0, abs=0.5)
    assert extra / (metal_rate(500e3, 0.94) * 86400.0 / 1e3) == pytest.approx(115.0, abs=0.5)


def test_dc_energy_is_2980_volts_over_efficiency() -> None:
    assert kwh_per_t(1.0, 1.0) == pytest.approx(2980.0, abs=0.1)


def test_anode_carbon() -> None:
    assert anode_carbon(1.0) == pytest.approx(0.3339, abs=5e-5)
    assert anode_carbon(0.94) == pytest.approx(0.3339 / 0.94, abs=1e-4)


@given(volts=st.floats(3.5, 5.0), efficiency=efficiencies, current=st.floats(1e5, 6e5))
def test_energy_per_mass_times_mass_is_the_energy(volts: float, efficiency: float, current: float) -> None:
    power = dc_energy_per_mass(volts, efficiency) * metal_rate(current, efficiency)
    assert power == pytest.approx(volts * current, rel=1e-12)


@given(efficiency=efficiencies, current=st.floats(1e5, 6e5))
def test_the_reaction_closes_its_mass_balance(efficiency: float, current: float) -> None:
    """2 Al2O3 + 3 C = 4 Al + 3 CO2, the oxygen and carbon of the gas coming from alumina and anode."""
    metal = metal_rate(current, efficiency)
    carbon = metal * anode_carbon(1.0)
    oxygen = alumina_rate(current, efficiency) - metal
    assert oxygen / carbon == pytest.approx(2.0 * 15.9994 / 12.011, rel=1e-12)


@pytest.mark.parametrize(
    ("superheat", "alf3", "percent"),
    [(5, 11, 94.6), (10, 11, 94.0), (15, 11, 93.3), (20, 11, 92.5), (10, 9, 93.5), (10, 13, 94.5)],
)
def test_dewing_table(superheat: float, alf3: float, percent: float) -> None:
    assert current_efficiency(superheat, alf3) * 100.0 == pytest.approx(percent, abs=0.06)


@given(superheat=st.floats(0.0, 25.0), alf3=st.floats(6.0, 14.0))
def test_efficiency_falls_with_superheat_and_rises_with_fluoride(superheat: float, alf3: float) -> None:
    assert current_efficiency(superheat + 1.0, alf3) < current_efficiency(superheat, alf3)
    loss, with_lithium = 1.0 - current_efficiency(superheat, alf3), 1.0 - current_efficiency(superheat, alf3, 1.0)
    assert with_lithium == pytest.approx(loss * 10.0**-0.060)
