"""Overvoltage: the reversible voltage and what the electrode reactions cost above it.

Outside the range where an equation has a meaning the result is held at its edge instead of becoming infinite: a
stopped line (no current) or a pot in an anode effect must not put a NaN into a whole potline. The limits are the
constants below and each docstring names the one it uses.
"""

from __future__ import annotations

from twin.physics.elementary import T, at_least, at_most, log, power, shaped, sqrt

__all__ = [
    "anode_concentration",
    "anode_reaction",
    "cathode",
    "critical_density",
    "reversible_voltage",
]

GAS_CONSTANT = 8.314462618  # J/(mol K)
FARADAY_CONSTANT = 96485.33212  # C/mol
PER_CM2 = 1e-4  # A/m2 -> A/cm2
CM2_PER_M2 = 1e4
LEAST_ALUMINA = 0.2  # wt%; below it the critical density falls through zero
LEAST_SATURATION = 0.025  # 1; below 0.0163 the activity polynomial is negative
LARGEST_LOAD = 0.999  # i / i_c; above it the pot is in an anode effect


def reversible_voltage(temperature: T | float, saturation: T | float) -> T:
    """Voltage at which alumina and carbon react reversibly to metal and CO2.

    Parameters (each a scalar or an array; arrays broadcast):
        temperature: bath temperature [K]
        saturation: alumina content over its saturation content, C/C_sat [1]
    Returns: reversible voltage [V], the common shape.

    Equation: E = 1.896 - 0.000572 T + R T / (12 F) ln(1 / a^2)
        a = -0.03791 s + 2.364 s^2 - 2.194 s^3 + 0.8686 s^4
    Validity: 0.025 <= s <= 1, held at the edges (above saturation the alumina is solid, its activity is 1).
    Reference: Haupin, in Essential Readings in Light Metals 2, doi 10.1007/978-3-319-48156-2_21.

    >>> round(reversible_voltage(1233.15, 0.4), 4)
    1.2156
    """
    s: T = at_most(at_least(saturation, LEAST_SATURATION), 1.0)
    activity = s * (-0.03791 + s * (2.364 + s * (-2.194 + s * 0.8686)))
    slope = temperature * (GAS_CONSTANT / (6.0 * FARADAY_CONSTANT))
    logarithm: T = log(activity)
    return shaped(1.896 - 0.000572 * temperature - slope * logarithm)


def anode_reaction(temperature: T | float, density: T | float, alumina: T | float) -> T:
    """Overvoltage of the reaction at the anode.

    Parameters (each a scalar or an array; arrays broadcast):
        temperature: bath temperature [K]
        density: anode current density, fanning included [A/m2]
        alumina: dissolved Al2O3 [wt%]
    Returns: overvoltage [V], the common shape.

    Equation (A/cm2): eta = T / 12533 ln(i / i_r), i_r = 0.0029 C^0.56
    Validity: i above i_r (0 V below it), C >= 0.2 wt% (held there).
    Reference: Haupin's components as used by Yao et al., AIChE J. 63 (2017) 2806.

    >>> round(anode_reaction(1233.15, 7500.0, 3.0), 4)
    0.4861
    """
    exchange: T = power(at_least(alumina, LEAST_ALUMINA), 0.56)
    ratio: T = at_least(density * (PER_CM2 / 0.0029) / exchange, 1.0)
    logarithm: T = log(ratio)
    return shaped(temperature * (1.0 / 12533.0) * logarithm)


def anode_concentration(temperature: T | float, density: T | float, critical: T | float) -> T:
    """Overvoltage from alumina running short at the anode.

    Parameters (each a scalar or an array; arrays broadcast):
        temperature: bath temperature [K]
        density: anode current density, fanning included [A/m2]
        critical: critical current density, see `critical_density` [A/m2]
    Returns: overvoltage [V], the common shape.

    Equation: eta = T / 23209 ln(i_c / (i_c - i))
    Validity: i below 0.999 i_c, held there (0.37 V): beyond it the pot is in an anode effect.
    Reference: Haupin's components as used by Yao et al., AIChE J. 63 (2017) 2806.

    >>> round(anode_concentration(1233.15, 7500.0, 22000.0), 4)
    0.0222
    """
    load: T = at_most(density / critical, LARGEST_LOAD)
    logarithm: T = log(1.0 - load)
    return shaped(temperature * (-1.0 / 23209.0) * logarithm)


def critical_density(temperature: T | float, alumina: T | float, anode_area: T | float) -> T:
    """Anode current density at which the pot goes into an anode effect.

    Parameters (each a scalar or an array; arrays broadcast):
        temperature: bath temperature [K]
        alumina: dissolved Al2O3 [wt%]
        anode_area: bottom area of one anode [m2]
    Returns: critical current density [A/m2], the common shape.

    Equation (A/cm2, cm2): i_c = (5.5 + 0.018 (T - 1323)) A1^-0.1 (C^0.5 - 0.4)
    Validity: C >= 0.2 wt%, held there. In practice the anode effect comes earlier, by local depletion, at a content
        that is a parameter of the pot (1.5-2.0 wt%).
    Reference: Haupin's components as used by Yao et al., AIChE J. 63 (2017) 2806.

    >>> round(critical_density(1233.15, 3.0, 1.03))
    20529
    """
    content: T = sqrt(at_least(alumina, LEAST_ALUMINA))
    size: T = power(anode_area * CM2_PER_M2, -0.1)
    return shaped((5.5 + 0.018 * (temperature - 1323.0)) * size * (content - 0.4) / PER_CM2)


def cathode(temperature: T | float, density: T | float, ratio: T | float) -> T:
    """Overvoltage at the metal pad, from AlF3 running short in the boundary layer.

    Parameters (each a scalar or an array; arrays broadcast):
        temperature: bath temperature [K]
        density: cathode current density [A/m2]
        ratio: weight ratio NaF/AlF3, see `bath.bath_ratio` [1]
    Returns: overvoltage [V], the common shape.

    Equation (A/cm2): eta = 5.7448e-5 T (1.375 - 0.25 BR) ln(i / 0.257)
    Validity: i above 0.257 A/cm2 (0 V below it).
    Reference: Haupin's components as used by Yao et al., AIChE J. 63 (2017) 2806.

    >>> round(cathode(1233.15, 8000.0, 1.2), 4)
    0.0865
    """
    load: T = at_least(density * (PER_CM2 / 0.257), 1.0)
    logarithm: T = log(load)
    return shaped(5.7448e-5 * temperature * (1.375 - 0.25 * ratio) * logarithm)
