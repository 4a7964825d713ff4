"""Solubility: how much alumina the bath can hold dissolved."""

from __future__ import annotations

from twin.physics.elementary import T, at_least, power, shaped, sqrt
from twin.units import KELVIN_AT_0_C

__all__ = ["alumina_saturation"]


def alumina_saturation(
    temperature: T | float, alf3: T | float, caf2: T | float, mgf2: T | float = 0.0, lif: T | float = 0.0
) -> T:
    """Alumina content at which the bath is saturated.

    Parameters (each a scalar or an array; arrays broadcast):
        temperature: bath temperature [K]
        alf3: excess AlF3 [wt%]
        caf2, mgf2, lif: additives [wt%]
    Returns: saturation content of Al2O3 [wt%], the common shape.

    Equation (t in C):
        C_sat = A (t / 1000)^B
        A = 11.9 - 0.062 AlF3 - 0.0031 AlF3^2 - 0.2 CaF2 - 0.5 LiF - 0.3 MgF2 + 42 AlF3 LiF / (2000 + AlF3 LiF)
        B = 4.8 - 0.048 AlF3 + 2.2 LiF^1.5 / (10 + LiF + 0.001 AlF3^3)
    Validity: 850-1050 C, standard deviation 0.29 wt% (paper's abstract, which rounds 0.0031 to 0.003).
    Reference: Skybakmoen, Solheim, Sterten, Met. Trans. B 28 (1997) 81.

    >>> round(alumina_saturation(1233.15, 10.5, 5.0), 2)
    8.31
    """
    lithium: T = at_least(lif, 0.0)
    product = alf3 * lithium
    scale = (11.9 - alf3 * (0.062 + 0.0031 * alf3) - 0.2 * caf2 - 0.5 * lithium - 0.3 * mgf2) + 42.0 * product / (
        2000.0 + product
    )
    exponent = 4.8 - 0.048 * alf3 + 2.2 * lithium * sqrt(lithium) / (10.0 + lithium + 0.001 * alf3 * alf3 * alf3)
    ratio = (temperature - KELVIN_AT_0_C) * 1e-3
    growth: T = power(ratio, exponent)
    return shaped(scale * growth)
