"""Energy baseline after ISO 50006: expected consumption from relevant variables, improvement, CUSUM.

Ordinary least squares of energy (kWh, or kWh/t) per period on named columns. It refuses where the data cannot carry
a model, and says why; a variable that is not significant stays in and is marked. Nothing here knows which energy it is:
figures are in the unit of `energy`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from twin.frames import Floats

__all__ = ["Baseline", "Coefficient", "Cusum", "Limits", "Refusal", "cusum", "expected", "f_tail", "fit", "t_tail"]

CONVERGED = 1e-14


@dataclass(frozen=True, slots=True)
class Limits:
    """What a baseline must fulfil; conventions of statistics, not of any source about smelters.

    minimum_periods: a year of months; largest_inflation: variance inflation factor above which a variable repeats
    others; significance: two-sided [1], for each variable and for the whole.
    """

    minimum_periods: int = 12
    largest_inflation: float = 10.0
    significance: float = 0.05


@dataclass(frozen=True, slots=True)
class Refusal:
    """No baseline: `why` in words, `variables` that are the reason."""

    why: str
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coefficient:
    """`value` [unit of energy per unit of the variable], its standard uncertainty, p-value [1], and the verdict."""

    name: str
    value: float
    u: float
    p: float
    significant: bool
    inflation: float
    low: float
    high: float  # range of the variable in the baseline periods


@dataclass(frozen=True, slots=True)
class Baseline:
    """energy = intercept + sum of coefficient times variable.

    r2, adjusted_r2 [1]; sigma: residual standard deviation [unit of energy]; relative_sigma: over the mean [1]
    p: of the whole model [1]; `significant`: of the whole; periods used, and left out for a missing value
    inverse: (X'X)^-1 for the uncertainty of a prediction (1 + variables, 1 + variables)
    """

    intercept: float
    coefficients: tuple[Coefficient, ...]
    r2: float
    adjusted_r2: float
    sigma: float
    relative_sigma: float
    p: float
    significant: bool
    periods: int
    left_out: int
    inverse: Floats


def fit(energy: Floats, variables: Mapping[str, Floats], limits: Limits | None = None) -> Baseline | Refusal:
    """Fit a baseline to `energy` (periods,) and named columns (periods,); a period with a NaN is left out."""
    limits = limits or Limits()
    names = tuple(variables)
    columns = np.column_stack([np.ones(len(energy)), *(np.asarray(variables[name], float) for name in names)])
    known = np.isfinite(columns).all(axis=1) & np.isfinite(energy)
    x, y = columns[known], np.asarray(energy, float)[known]
    if refusal := _refused(x, y, names, limits):
        return refusal
    return _fitted(x, y, names, limits, int((~known).sum()))


def _refused(x: Floats, y: Floats, names: tuple[str, ...], limits: Limits) -> Refusal | None:
    """Why these data carry no model, None where they do."""
    least = max(limits.minimum_periods, len(names) + 3)
    if not names:
        return Refusal("no variable was given")
    if len(y) < least:
        return Refusal(f"{len(y)} complete periods; {len(names)} variables need at least {least}")
    still = tuple(name for name, column in zip(names, x.T[1:], strict=True) if np.ptp(column) <= 1e-12 * abs(column[0]))
    if still:
        return Refusal(f"{', '.join(still)} did not vary", still)
    inflation = _inflation(x)
    repeated = tuple(name for name, factor in zip(names, inflation, strict=True) if factor > limits.largest_inflation)
    if repeated:
        worst = max(inflation)
        return Refusal(f"{', '.join(repeated)} say the same (variance inflation {worst:.3g}); drop one", repeated)
    return None


def _inflation(x: Floats) -> list[float]:
    """Variance inflation factor of each column but the first: 1 / (1 - R2) against the others."""
    deviations = x[:, 1:] - x[:, 1:].mean(axis=0)
    scaled = deviations / np.sqrt(np.square(deviations).sum(axis=0))
    factors = []
    for place in range(scaled.shape[1]):
        others = np.delete(scaled, place, axis=1)
        solution, *_ = np.linalg.lstsq(others, scaled[:, place], rcond=None)
        rest = float(np.square(scaled[:, place] - others @ solution).sum())
        factors.append(1.0 / max(rest, 1e-12))
    return factors


def _fitted(x: Floats, y: Floats, names: tuple[str, ...], limits: Limits, left_out: int) -> Baseline:
    scale = np.abs(x).max(axis=0)  # columns of about 1: kA, wt% and t are far apart
    solution, *_ = np.linalg.lstsq(x / scale, y, rcond=None)
    # (X'X)^-1 = pinv(X) pinv(X)', column by column with least squares, no squared condition number
    pseudo, *_ = np.linalg.lstsq(x / scale, np.eye(len(y)), rcond=None)
    inverse = (pseudo @ pseudo.T) / np.outer(scale, scale)
    b = solution / scale
    freedom = len(y) - x.shape[1]
    residual = float(np.square(y - x @ b).sum())
    spread = float(np.square(y - y.mean()).sum())
    r2 = 1.0 - residual / spread if spread > 0.0 else 0.0
    sigma = math.sqrt(residual / freedom)
    u = sigma * np.sqrt(np.diag(inverse))
    explained = max(spread - residual, 0.0) / len(names)
    whole = f_tail(explained / sigma**2, len(names), freedom) if sigma > 0.0 else float(explained == 0.0)
    coefficients = []
    for place, (name, factor) in enumerate(zip(names, _inflation(x), strict=True), start=1):
        p = t_tail(float(b[place] / u[place]), freedom) if u[place] > 0.0 else float(b[place] == 0.0)
        low, high = float(x[:, place].min()), float(x[:, place].max())
        significant = p <= limits.significance
        coefficients.append(Coefficient(name, float(b[place]), float(u[place]), p, significant, factor, low, high))
    return Baseline(
        intercept=float(b[0]),
        coefficients=tuple(coefficients),
        r2=r2,
        adjusted_r2=1.0 - (1.0 - r2) * (len(y) - 1) / freedom,
        sigma=sigma,
        relative_sigma=sigma / abs(float(y.mean())) if y.mean() else math.nan,
        p=whole,
        significant=whole <= limits.significance,
        periods=len(y),
        left_out=left_out,
        inverse=inverse,
    )


def expected(
    baseline: Baseline, variables: Mapping[str, Floats], energy: Floats | None = None
) -> tuple[Floats, Floats, Floats, Floats]:
    """Expected energy of later periods, its standard uncertainty, improvement, and where the model was stretched.

    Returns four arrays (periods,): expected; uncertainty of a single period (model and scatter), both in the unit of
    energy; improvement = expected less `energy`, positive = less was used (NaN without `energy`); 1.0 where a variable
    lies outside the range of the baseline, else 0.0. Raises KeyError for a missing variable.
    """
    columns = [np.atleast_1d(np.asarray(variables[c.name], float)) for c in baseline.coefficients]
    x = np.column_stack([np.ones(len(columns[0])), *columns])
    level = x @ np.array([baseline.intercept, *(c.value for c in baseline.coefficients)])
    leverage = np.einsum("pi,ij,pj->p", x, baseline.inverse, x)
    u = baseline.sigma * np.sqrt(1.0 + leverage)
    outside = np.zeros(len(x))
    for column, c in zip(columns, baseline.coefficients, strict=True):
        outside[(column < c.low) | (column > c.high)] = 1.0
    improvement = np.full(len(x), np.nan) if energy is None else level - np.asarray(energy, float)
    return level, u, improvement, outside


@dataclass(frozen=True, slots=True)
class Cusum:
    """`total`: running sum of energy less expected [unit of energy], falling = improving.

    `high`, `low`: tabular CUSUM [1, in sigmas] of worse and better; `worse`, `better`: bool, beyond the interval.
    """

    total: Floats
    high: Floats
    low: Floats
    worse: np.ndarray[tuple[int], np.dtype[np.bool_]]
    better: np.ndarray[tuple[int], np.dtype[np.bool_]]


def cusum(energy: Floats, level: Floats, sigma: Floats | float, slack: float = 0.5, interval: float = 5.0) -> Cusum:
    """CUSUM of `energy` against the expected `level` (periods,), with a decision interval.

    slack [sigmas] that is let pass each period, interval [sigmas] beyond which the change is taken as real: 0.5 and 5
    are the usual pair, a false alarm about every 465 periods when both sides are watched. A NaN adds nothing.
    """
    excess = np.asarray(energy, float) - np.asarray(level, float)
    idle = ~np.isfinite(excess)
    known = np.where(idle, 0.0, excess)
    z = known / sigma
    high, low = np.zeros(len(z)), np.zeros(len(z))
    up = down = 0.0
    for place, value in enumerate(z.tolist()):
        if not idle[place]:
            up, down = max(0.0, up + value - slack), max(0.0, down - value - slack)
        high[place], low[place] = up, down
    return Cusum(np.cumsum(known), high, low, high > interval, low > interval)


def t_tail(t: float, freedom: int) -> float:
    """Two-sided p-value [1] of Student's t.

    >>> round(t_tail(2.228, 10), 3)
    0.05
    """
    return _incomplete_beta(freedom / (freedom + t * t), freedom / 2.0, 0.5)


def f_tail(f: float, above: int, below: int) -> float:
    """Upper p-value [1] of Fisher's F with `above` and `below` degrees of freedom.

    >>> round(f_tail(3.33, 5, 10), 3)
    0.05
    """
    return _incomplete_beta(below / (below + above * f), below / 2.0, above / 2.0)


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function, by its continued fraction (Lentz)."""
    if x <= 0.0 or x >= 1.0:
        return min(max(x, 0.0), 1.0)
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _incomplete_beta(1.0 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, 500):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / (1.0 + step * d)
            c = 1.0 + step / c
            value *= c * d
        if abs(c * d - 1.0) < CONVERGED:
            break
    return front * value
