"""Gaussian beliefs of many pots at once: means (states, pots) and covariances (states, states, pots), in place.

Pots are the last axis, so that every operation is one pass over contiguous pots whatever the state. Only elementwise
arithmetic: a pot's numbers do not depend on which other pots are in the batch, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from twin.frames import Floats

__all__ = ["fade", "propagate", "update"]


def propagate(cov: Floats, slopes: Mapping[tuple[int, int], Floats]) -> None:
    """cov <- F cov F' with F = 1 + slopes; symmetric afterwards to the last bit."""
    rows: dict[int, Floats] = {}
    for (i, j), slope in slopes.items():
        term = slope * cov[j]
        if i in rows:
            rows[i] += term
        else:
            rows[i] = term
    for i, row in rows.items():
        cov[i] += row
    columns: dict[int, Floats] = {}
    for (i, j), slope in slopes.items():
        term = slope * cov[:, j]
        if i in columns:
            columns[i] += term
        else:
            columns[i] = term
    for i, column in columns.items():
        cov[:, i] += column
    for i in rows:  # only these rows and columns can have lost their symmetry
        both = 0.5 * (cov[:, i] + cov[i])
        cov[:, i] = both
        cov[i] = both


def fade(mean: Floats, cov: Floats, prior: Floats, sd: Floats, keep: Mapping[int, float]) -> None:
    """Offsets forget: mean and covariance of a state fade towards its prior by the factor `keep` (0-1)."""
    for state, factor in keep.items():
        mean[state] = prior[state] + factor * (mean[state] - prior[state])
        cov[state] *= factor
        cov[:, state] *= factor
        cov[state, state] += (1.0 - factor * factor) * sd[state] * sd[state]


def update(
    mean: Floats, cov: Floats, group: slice, slopes: Mapping[int, Floats], innovation: Floats, variance: Floats,
    gate: Floats | float = np.inf, blame: int | None = None,
) -> Floats:  # fmt: skip
    """Take one scalar measurement a pot; NaN innovation = none. Returns the innovation in sigmas, as it came.

    slopes: state -> derivative of the measurement (pots,); variance of its noise (pots,).
    Only the states of `group` move; how unsure the others are still counts (Schmidt's "consider" update): a thousand
    voltages a day would else, by the small errors of the model, carry temperature and efficiency away with them.
    A surprise beyond `gate` sigmas is a step of the offset `blame` (the variance of which is raised until the surprise
    is one sigma, so that the other states stay where they are), or is left aside when nobody is to blame.
    """
    seen = np.isfinite(innovation)
    cross = _cross(cov, slopes)
    total = _along(cross, slopes) + variance
    sigmas = innovation / np.sqrt(total)
    shock = np.abs(sigmas) > gate
    if blame is None:
        seen &= ~shock
    elif shock.any():
        derivative = slopes[blame]
        extra = np.where(shock, innovation * innovation - total, 0.0) / (derivative * derivative)
        cov[blame, blame] += extra
        cross[blame] += derivative * extra
        total = np.where(shock, _along(cross, slopes) + variance, total)
    weight = np.where(seen, 1.0 / np.sqrt(total), 0.0)
    cross *= weight
    mean[group] += cross[group] * (weight * np.where(seen, innovation, 0.0))
    cov[group] -= cross[group, None] * cross[None, :]
    before, behind = slice(0, group.start), slice(group.stop, None)
    cov[before, group] = cov[group, before].swapaxes(0, 1)
    cov[behind, group] = cov[group, behind].swapaxes(0, 1)
    return sigmas


def _cross(cov: Floats, slopes: Mapping[int, Floats]) -> Floats:
    """cov h (states, pots)."""
    items = iter(slopes.items())
    state, derivative = next(items)
    result: Floats = cov[state] * derivative
    for state, derivative in items:
        result += cov[state] * derivative
    return result


def _along(cross: Floats, slopes: Mapping[int, Floats]) -> Floats:
    """h' cov h (pots,)."""
    total = np.zeros(cross.shape[1])
    for state, derivative in slopes.items():
        total += cross[state] * derivative
    return total
