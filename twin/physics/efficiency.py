"""Efficiency: the share of the current that ends as metal."""

from __future__ import annotations

import math

from twin.physics.elementary import T, exp

__all__ = ["current_efficiency"]

LN_10 = math.log(10.0)


def current_efficiency(superheat: T | float, alf3: T | float, lif: T | float = 0.0, constant: T | float = 0.892) -> T:
    """Current efficiency of a quiet pot from its superheat and bath.

    Parameters (each a scalar or an array; arrays broadcast):
        superheat: bath temperature less liquidus [K]
        alf3: excess AlF3 [wt%]
        lif: LiF [wt%]
        constant: level of this pot [1]; 0.892 gives 94 % at superheat 10 K, AlF3 11 wt%
    Returns: current efficiency [1], the common shape.

    Equation: log10(loss in %) = 0.0095 superheat - 0.019 AlF3 - 0.060 LiF + constant
    Validity: superheat 0-25 K, acid baths, a stable metal pad; instability lowers it further.
    Reference: Dewing, Met. Trans. B 22 (1991), doi 10.1007/BF02652482.

    >>> round(current_efficiency(10.0, 11.0), 3)
    0.94
    """
    loss: T = exp(LN_10 * (0.0095 * superheat - 0.019 * alf3 - 0.060 * lif + constant))
    return 1.0 - 0.01 * loss
