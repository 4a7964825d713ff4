"""Bubbles: the gas layer under the anode that narrows the way for the current."""

from __future__ import annotations

from twin.physics.elementary import T, at_least, at_most, shaped

__all__ = ["bubble_coverage", "bubble_thickness"]

PER_CM2 = 1e-4  # A/m2 -> A/cm2
LEAST_MARGIN = 0.01  # wt% above the anode effect
LARGEST_COVERAGE = 0.98  # 1


def bubble_thickness(density: T | float) -> T:
    """Thickness of the gas layer under the anode.

    Parameters:
        density: anode current density, fanning included [A/m2], scalar or array
    Returns: thickness [m], the same shape.

    Equation (cm, A/cm2): d_b = (0.5517 + i) / (1 + 2.167 i)
    Validity: i >= 0, measured around 0.5-1.5 A/cm2.
    Reference: Haupin's components as used by Yao et al., AIChE J. 63 (2017) 2806.

    >>> round(bubble_thickness(7500.0), 5)
    0.00496
    """
    i = density * PER_CM2
    return shaped(0.01 * (0.5517 + i) / (1.0 + 2.167 * i))


def bubble_coverage(density: T | float, ratio: T | float, alumina: T | float, alumina_ae: T | float) -> T:
    """Share of the anode's bottom that gas covers.

    Parameters (each a scalar or an array; arrays broadcast):
        density: anode current density, fanning included [A/m2]
        ratio: weight ratio NaF/AlF3, see `bath.bath_ratio` [1]
        alumina: dissolved Al2O3 [wt%]
        alumina_ae: content at which this pot goes into an anode effect [wt%]
    Returns: coverage [1], the common shape.

    Equation (A/cm2): phi = 0.9 (0.509 + 0.1823 i - 0.1723 i^2 + 0.05504 i^3
        + (0.4322 - 0.3781 BR) / (1 + 1.637 BR) + (0.431 - 0.1437 dC) / (1 + 7.353 dC)), dC = C - C_AE
    Validity: dC >= 0.01 wt% (held there), result below 0.98 (held there; only far outside 0.5-1.5 A/cm2).
    Reference: Haupin's components as used by Yao et al., AIChE J. 63 (2017) 2806.

    >>> round(bubble_coverage(7500.0, 1.18, 3.0, 1.5), 3)
    0.527
    """
    i = density * PER_CM2
    margin: T = at_least(alumina - alumina_ae, LEAST_MARGIN)
    current = 0.509 + i * (0.1823 + i * (-0.1723 + i * 0.05504))
    bath = (0.4322 - 0.3781 * ratio) / (1.0 + 1.637 * ratio)
    oxide = (0.431 - 0.1437 * margin) / (1.0 + 7.353 * margin)
    return at_most(0.9 * (current + bath + oxide), LARGEST_COVERAGE)
