"""Heat: where the power goes that does not become metal, and how the ledge follows."""

from __future__ import annotations

from twin.physics.elementary import T, shaped
from twin.units import JOULE_PER_KWH

__all__ = [
    "feed_heating_power",
    "heat_loss",
    "ledge_rate",
    "ledge_resistance",
    "metal_voltage",
    "reaction_power",
    "side_resistance",
]

REACTION_ENERGY = 5.474 * JOULE_PER_KWH  # J per kg Al
FEED_HEATING_ENERGY = 0.596 * JOULE_PER_KWH  # J per kg Al2O3


def metal_voltage(efficiency: T | float) -> T:
    """Voltage equivalent of making metal, feed heating included.

    Parameters:
        efficiency: current efficiency [1], scalar or array
    Returns: voltage [V], the same shape.

    Equation: V = 0.48 + 1.65 CE
    Validity: alumina fed cold, carbon anodes; CE 0.85-0.97.
    Reference: heat balance in Haupin's manner; agrees with P. Entner's public 200 kA example (AlPrg, 377 kW).

    >>> round(metal_voltage(0.94), 3)
    2.031
    """
    return shaped(0.48 + 1.65 * efficiency)


def heat_loss(current: T | float, internal_voltage: T | float, efficiency: T | float) -> T:
    """Heat that a pot in balance gives off.

    Parameters (each a scalar or an array; arrays broadcast):
        current: line current [A]
        internal_voltage: pot voltage less the external busbars [V]
        efficiency: current efficiency [1]
    Returns: heat [W], the common shape.

    Equation: Q = I (V_int - 0.48 - 1.65 CE)
    Validity: averages over days, a pot in balance.
    Reference: as `metal_voltage`.

    >>> round(heat_loss(500e3, 3.80, 0.94))
    884500
    """
    return shaped(current * (internal_voltage - 0.48 - 1.65 * efficiency))


def reaction_power(metal_rate: T | float) -> T:
    """Power that the reaction itself takes.

    Parameters:
        metal_rate: aluminium made [kg/s], scalar or array
    Returns: power [W], the same shape.

    Equation: P = 5.474 kWh/kg * m
    Validity: bath temperatures of 950-980 C.
    Reference: 500 kA model of "Data-driven dimension reduction for industrial load modeling", IEEE TSG 2025.

    >>> round(reaction_power(0.0438) / 1e3)
    863
    """
    return shaped(metal_rate * REACTION_ENERGY)


def feed_heating_power(alumina_rate: T | float) -> T:
    """Power that heats the fed alumina to the bath.

    Parameters:
        alumina_rate: alumina fed [kg/s], scalar or array
    Returns: power [W], the same shape.

    Equation: P = 0.596 kWh/kg * m
    Validity: alumina fed near ambient temperature.
    Reference: as `reaction_power`.

    >>> round(feed_heating_power(5.0 / 60.0) / 1e3)
    179
    """
    return shaped(alumina_rate * FEED_HEATING_ENERGY)


def ledge_resistance(thickness: T | float, area: T | float = 16.0, conductivity: T | float = 1.5) -> T:
    """Thermal resistance of the frozen ledge.

    Parameters (each a scalar or an array; arrays broadcast):
        thickness: ledge thickness [m]
        area: ledge area of the pot [m2]
        conductivity: of the ledge [W/(m K)]
    Returns: resistance [K/W], the common shape.

    Equation: R = L / (k A)
    Validity: a flat ledge, 0-0.2 m.
    Reference: as `reaction_power`.

    >>> round(ledge_resistance(0.072), 6)
    0.003
    """
    return shaped(thickness / (conductivity * area))


def side_resistance(
    thickness: T | float,
    area: T | float = 16.0,
    conductivity: T | float = 1.5,
    wall_thickness: T | float = 0.25,
    wall_conductivity: T | float = 47.0,
    shell_transfer: T | float = 22.0,
) -> T:
    """Thermal resistance from the face of the ledge through the wall to the air.

    Parameters (each a scalar or an array; arrays broadcast):
        thickness: ledge thickness [m]
        area: side area of the pot [m2]
        conductivity: of the ledge [W/(m K)]
        wall_thickness: [m]; wall_conductivity: [W/(m K)]
        shell_transfer: heat transfer from shell to air [W/(m2 K)]
    Returns: resistance [K/W], the common shape.

    Equation: R = L / (k A) + L_w / (k_w A) + 1 / (h A)
    Validity: steady heat flow; the defaults are those of a 500 kA pot.
    Reference: as `reaction_power`; shell value also Wong et al. 2023, doi 10.1007/s11663-022-02709-w.

    >>> round(side_resistance(0.075), 6)
    0.006298
    """
    return shaped((thickness / conductivity + wall_thickness / wall_conductivity + 1.0 / shell_transfer) / area)


def ledge_rate(
    temperature: T | float,
    liquidus: T | float,
    resistance: T | float,
    *,
    ambient: T | float = 303.15,
    bath_resistance: T | float = 7.6e-5,
    area: T | float = 16.0,
    ledge_density: T | float = 3000.0,
    latent: T | float = 310e3,
) -> T:
    """Speed at which the ledge grows (positive) or melts (negative).

    Parameters (each a scalar or an array; arrays broadcast):
        temperature: bath temperature [K]; liquidus: [K]; ambient: [K]
        resistance: from the face of the ledge to the air, see `side_resistance` [K/W]
        bath_resistance: thermal resistance bath to ledge [K/W]
        area: ledge area [m2]; ledge_density: [kg/m3]; latent: heat of fusion [J/kg]
    Returns: change of thickness [m/s], the common shape.

    Equation: dL/dt = ((T_liq - T_amb) / R_side(L) - (T_b - T_liq) / R_bath) / (latent rho A)
    Validity: a ledge is there; the caller keeps its thickness from falling below zero.
    Reference: as `reaction_power`; the defaults are those of a 500 kA pot.

    >>> round(ledge_rate(1238.15, 1228.15, side_resistance(0.075)) * 3.6e6, 2)
    3.7
    """
    outflow = (liquidus - ambient) / resistance
    inflow = (temperature - liquidus) / bath_resistance
    return shaped((outflow - inflow) / (latent * ledge_density * area))
