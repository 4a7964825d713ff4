"""Faraday: how much metal, alumina, carbon and energy a coulomb stands for."""

from __future__ import annotations

from twin.physics.elementary import T, shaped

__all__ = [
    "ALUMINA_PER_METAL",
    "CARBON_PER_METAL",
    "METAL_PER_COULOMB",
    "alumina_rate",
    "anode_carbon",
    "dc_energy_per_mass",
    "metal_rate",
]

FARADAY_CONSTANT = 96485.33212  # C/mol
ALUMINIUM = 26.98154e-3  # kg/mol
OXYGEN = 15.9994e-3  # kg/mol
CARBON = 12.011e-3  # kg/mol

METAL_PER_COULOMB = ALUMINIUM / (3.0 * FARADAY_CONSTANT)  # kg/C at 100 % efficiency, 0.335573 kg/kAh
ALUMINA_PER_METAL = (2.0 * ALUMINIUM + 3.0 * OXYGEN) / (2.0 * ALUMINIUM)  # kg Al2O3 per kg Al, 1.889
CARBON_PER_METAL = 3.0 * CARBON / (4.0 * ALUMINIUM)  # kg C per kg Al at 100 % efficiency, 0.3339


def metal_rate(current: T | float, efficiency: T | float) -> T:
    """Metal made per second.

    Parameters (each a scalar or an array; arrays broadcast):
        current: line current [A]
        efficiency: current efficiency [1]
    Returns: aluminium [kg/s], the common shape.

    Equation: m = CE I M / (3 F)
    Validity: any.
    Reference: Faraday's law, M = 26.98154 g/mol, F = 96485.33212 C/mol.

    >>> round(metal_rate(1e3, 1.0) * 3600, 6)
    0.335573
    """
    return shaped(current * efficiency * METAL_PER_COULOMB)


def alumina_rate(current: T | float, efficiency: T | float) -> T:
    """Alumina that the reaction takes up per second.

    Parameters (each a scalar or an array; arrays broadcast):
        current: line current [A]
        efficiency: current efficiency [1]
    Returns: alumina [kg/s], the common shape.

    Equation: m = 1.889 CE I M / (3 F)
    Validity: pure alumina; what is fed also carries moisture and dust losses.
    Reference: 2 Al2O3 + 3 C = 4 Al + 3 CO2.

    >>> round(alumina_rate(350e3, 0.95), 4)
    0.0586
    """
    return shaped(current * efficiency * (METAL_PER_COULOMB * ALUMINA_PER_METAL))


def dc_energy_per_mass(voltage: T | float, efficiency: T | float) -> T:
    """Direct current energy per mass of metal made.

    Parameters (each a scalar or an array; arrays broadcast):
        voltage: average pot voltage, anode effects and busbar share included [V]
        efficiency: current efficiency [1]
    Returns: energy [J/kg], the common shape.

    Equation: E = V / (CE M / (3 F)), that is 2980 V / CE in kWh/t
    Validity: efficiency > 0; the average voltage, not the set voltage.
    Reference: Faraday's law.

    >>> round(dc_energy_per_mass(1.0, 1.0) / 3.6e3)
    2980
    """
    return shaped(voltage / (efficiency * METAL_PER_COULOMB))


def anode_carbon(efficiency: T | float) -> T:
    """Anode carbon that the reaction burns per mass of metal.

    Parameters:
        efficiency: current efficiency [1], scalar or array
    Returns: carbon over metal [kg/kg], the same shape.

    Equation: c = 0.3339 / CE
    Validity: without air burn and carboxy attack: a real pot's net consumption is 0.40-0.42.
    Reference: 2 Al2O3 + 3 C = 4 Al + 3 CO2.

    >>> round(anode_carbon(1.0), 4)
    0.3339
    """
    return shaped(CARBON_PER_METAL / efficiency)
