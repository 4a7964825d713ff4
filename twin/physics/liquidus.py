"""Liquidus: the temperature at which the bath begins to freeze."""

from __future__ import annotations

from twin.physics.elementary import T, at_least, power, shaped, sqrt
from twin.units import KELVIN_AT_0_C

__all__ = ["liquidus"]


def liquidus(
    alumina: T | float,
    alf3: T | float,
    caf2: T | float,
    mgf2: T | float = 0.0,
    lif: T | float = 0.0,
    kf: T | float = 0.0,
) -> T:
    """Temperature at which cryolite begins to freeze out of the bath.

    Parameters (each a scalar or an array; arrays broadcast):
        alumina: dissolved Al2O3 [wt%]
        alf3: excess AlF3, above cryolite [wt%]
        caf2, mgf2, lif, kf: additives [wt%]
    Returns: liquidus temperature [K], the common shape.

    Equation (t in C):
        t = 1011 + 0.50 AlF3 - 0.13 AlF3^2.2 - 3.45 CaF2 / (1 + 0.0173 CaF2) + 0.124 CaF2 AlF3
            - 0.00542 (CaF2 AlF3)^1.5 - 7.93 Al2O3 / (1 + 0.0936 Al2O3 - 0.0017 Al2O3^2 - 0.0023 AlF3 Al2O3)
            - 8.90 LiF / (1 + 0.0047 LiF + 0.0010 AlF3^2) - 3.95 MgF2 - 3.95 KF
    Validity: AlF3, CaF2 and LiF below 20 wt%, MgF2 and KF below 5, Al2O3 up to saturation (paper's abstract, which
        also confirms the LiF and KF terms). Acid baths: excess AlF3 below 0 counts as 0 in the broken powers.
    Reference: Solheim, Rolseth, Skybakmoen, Stoen, Sterten, Store, Met. Trans. B 27 (1996) 739.

    >>> round(liquidus(3.0, 11.0, 5.0) - 273.15, 1)
    959.8
    """
    acid: T = at_least(alf3, 1e-9)
    product: T = at_least(caf2 * acid, 0.0)
    fluorides = 0.50 * alf3 - 0.13 * power(acid, 2.2) - 3.45 * caf2 / (1.0 + 0.0173 * caf2)
    mixed = 0.124 * caf2 * alf3 - 0.00542 * product * sqrt(product)
    oxide = 7.93 * alumina / (1.0 + alumina * (0.0936 - 0.0017 * alumina - 0.0023 * alf3))
    lithium = 8.90 * lif / (1.0 + 0.0047 * lif + 0.0010 * alf3 * alf3)
    return shaped(KELVIN_AT_0_C + 1011.0 + fluorides + mixed - oxide - lithium - 3.95 * (mgf2 + kf))
