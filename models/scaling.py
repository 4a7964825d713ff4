"""Centre and spread of columns, such that a few bad training rows do not move them."""

from __future__ import annotations

import numpy as np

from models.matrix import Floats, Matrix

__all__ = ["group_offset", "robust", "scaled"]

MAD_TO_SIGMA = 1.4826  # of a normal distribution


def robust(values: Floats) -> tuple[Floats, Floats]:
    """Median and spread of each column: 1.4826 times the median absolute deviation; where that is 0, the standard
    deviation. A column that never changes, or has no value, gets an infinite spread: it cannot be strange.

    (rows, columns) -> centre (columns,), spread (columns,) (Rousseeuw and Croux 1993).
    """
    columns = values.shape[1]
    centre, spread = np.zeros(columns), np.full(columns, np.inf)
    for place in range(columns):
        known = values[:, place]
        known = known[np.isfinite(known)]
        if not len(known):
            continue
        centre[place] = np.median(known)
        found = MAD_TO_SIGMA * np.median(np.abs(known - centre[place])) or np.std(known)
        if found > 1e-12 * max(abs(centre[place]), 1e-300):
            spread[place] = found
    return centre, spread


def scaled(values: Floats, centre: Floats, spread: Floats) -> Floats:
    """Values in spreads from the centre (rows, columns); missing stays NaN."""
    result: Floats = (values - centre) / spread
    return result


def group_offset(matrix: Matrix, centre: Floats, spread: Floats) -> Floats:
    """By how much the groups differ for good: the 95 % quantile over the groups of |median - centre| in spreads.

    Returns (columns,), 0 for a single group. Groups may have different levels without anything being wrong.
    """
    medians = [robust(matrix.values[matrix.group == group])[0] for group in np.unique(matrix.group)]
    if len(medians) < 2:
        return np.zeros(len(centre))
    return np.quantile(np.abs(scaled(np.array(medians), centre, spread)), 0.95, axis=0)
