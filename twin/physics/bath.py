"""Bath: its ratio of sodium fluoride to aluminium fluoride, and how well it conducts."""

from __future__ import annotations

from twin.physics.elementary import T, exp, shaped

__all__ = ["bath_ratio", "conductivity"]

SIEMENS_PER_M = 100.0  # one S/cm


def bath_ratio(alumina: T | float, alf3: T | float, caf2: T | float, mgf2: T | float = 0.0, lif: T | float = 0.0) -> T:
    """Weight ratio NaF/AlF3 of the bath.

    Parameters (each a scalar or an array; arrays broadcast):
        alumina: dissolved Al2O3 [wt%]
        alf3: excess AlF3, above cryolite [wt%]
        caf2, mgf2, lif: additives [wt%]
    Returns: weight ratio NaF/AlF3 [1], the common shape; 1.5 is cryolite, the molar ratio is twice that.

    Equation: BR = (1 - r) / (2/3 + r), r = AlF3 / (100 - Al2O3 - CaF2 - LiF - MgF2)
    Validity: any bath made of cryolite, excess AlF3 and these additives.
    Reference: mass balance of cryolite (3 NaF to 1 AlF3 = 60 to 40 by weight).

    >>> bath_ratio(3.0, 0.0, 5.0)
    1.5
    """
    free = alf3 / (100.0 - alumina - caf2 - lif - mgf2)
    return shaped((1.0 - free) / (2.0 / 3.0 + free))


def conductivity(
    temperature: T | float,
    alumina: T | float,
    alf3: T | float,
    caf2: T | float,
    mgf2: T | float = 0.0,
    lif: T | float = 0.0,
) -> T:
    """Electrical conductivity of the bath, free of bubbles.

    Parameters (each a scalar or an array; arrays broadcast):
        temperature: bath temperature [K]
        alumina: dissolved Al2O3 [wt%]
        alf3: excess AlF3 [wt%]
        caf2, mgf2, lif: additives [wt%]
    Returns: conductivity [S/m], the common shape.

    Equation (k in S/cm):
        k = exp(1.9362 + 0.3092 BWR - 0.004132 CaF2 - 0.01755 Al2O3 + 0.008123 LiF - 0.00398 MgF2 - 1751.1 / T)
        BWR = (NaF/41.99 + LiF/25.94 - MgF2/62.31) / (2 (AlF3 + 2 NaF/3) / 83.98)
        NaF = 0.6 (100 - Al2O3 - AlF3 - CaF2 - MgF2 - LiF)
    Validity: the operating window, 950-980 C, Al2O3 up to about 6 wt%.
    Reference: Haupin's voltage components as used by Yao et al., AIChE J. 63 (2017) 2806.

    >>> round(conductivity(1233.15, 3.0, 10.5, 5.0), 1)
    221.2
    """
    sodium = 0.6 * (100.0 - alumina - alf3 - caf2 - mgf2 - lif)
    alkali = sodium * (1.0 / 41.99) + lif * (1.0 / 25.94) - mgf2 * (1.0 / 62.31)
    molar = 41.99 * alkali / (alf3 + sodium * (2.0 / 3.0))
    additives = 0.008123 * lif - 0.004132 * caf2 - 0.01755 * alumina - 0.00398 * mgf2
    siemens_per_cm: T = exp(1.9362 + 0.3092 * molar + additives - 1751.1 / temperature)
    return siemens_per_cm * SIEMENS_PER_M
