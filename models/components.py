"""Principal components: rows that break the usual relations between columns, and the columns that break them.

T2 is the distance within the plane of the components, Q that from the plane (Jackson and Mudholkar 1979). Both are one
index, phi = T2 / limit(T2) + Q / limit(Q) = x' M x (Yue and Qin 2001). The contribution of a column is the part of phi
that goes away when the column is put to what the others say it should be: (M x)_j^2 / M_jj, which names the right
column of a single bad one (Alcala and Qin 2009).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.contract import EMPTY, State
from models.errors import ModelError
from models.matrix import Flags, Floats, Matrix, enough
from models.scaling import robust, scaled

__all__ = ["Components", "components"]

FEWEST = 1e-3  # of the variance: less is no direction of its own


@dataclass(frozen=True, slots=True)
class Components:
    """within, beside: (columns, columns) forms of T2 and Q, each over its limit. A missing value is put to what the
    other columns say, which makes phi smaller, never larger."""

    columns: tuple[str, ...]
    limit: float
    centre: Floats
    spread: Floats
    within: Floats
    beside: Floats
    clip: float
    name: str = ""

    def start(self) -> State:
        return EMPTY

    def score(self, state: State, matrix: Matrix) -> tuple[State, Floats]:
        x, judged = self._filled(matrix)
        phi = np.einsum("ij,ij->i", x @ self._form, x)
        return state, np.where(judged, phi, np.nan)

    def explain(self, state: State, matrix: Matrix) -> Floats:
        x, judged = self._filled(matrix)
        weight = np.diagonal(self._form)
        away = (x @ self._form) ** 2 / np.where(weight > 0.0, weight, np.inf)
        return np.where(judged[:, None], away, 0.0)

    def indices(self, matrix: Matrix) -> tuple[Floats, Floats]:
        """T2 and Q of each row over their limits, (rows,) each."""
        x, judged = self._filled(matrix)
        parts = (np.einsum("ij,ij->i", x @ form, x) for form in (self.within, self.beside))
        t2, q = (np.where(judged, part, np.nan) for part in parts)
        return t2, q

    @property
    def _form(self) -> Floats:
        form: Floats = self.within + self.beside
        return form

    def _filled(self, matrix: Matrix) -> tuple[Floats, Flags]:
        """Standardised rows without gaps, and which of them say enough to be judged."""
        values = matrix.choose(self.columns).values
        judged = enough(values)
        x = np.clip(scaled(values, self.centre, self.spread), -self.clip, self.clip)
        x[~judged] = 0.0
        _fill(x, self._form)
        return x, judged


def _fill(x: Floats, form: Floats) -> None:
    """Put missing values where phi is least: x_m = -M_mm^-1 M_mo x_o; one solution for rows with the same gaps."""
    gaps = np.isnan(x)
    rows = np.flatnonzero(gaps.any(axis=1))
    if not len(rows):
        return
    patterns, which = np.unique(gaps[rows], axis=0, return_inverse=True)
    by_pattern = np.argsort(which.reshape(-1), kind="stable")
    ends = np.cumsum(np.bincount(which.reshape(-1), minlength=len(patterns)))
    begin = 0
    for pattern, end in zip(patterns, ends, strict=True):
        mine = rows[by_pattern[begin:end]]
        inner = form[np.ix_(pattern, pattern)]
        outer = form[np.ix_(pattern, ~pattern)]
        x[np.ix_(mine, pattern)] = -(x[np.ix_(mine, ~pattern)] @ np.linalg.pinv(inner, hermitian=True).dot(outer).T)
        begin = int(end)


def components(matrix: Matrix, seed: int, *, variance: float, clip: float) -> Components:
    """Components that hold `variance` of the training rows' variance span the plane."""
    if not 0.0 < variance < 1.0:
        raise ModelError(f"variance {variance:g} of pca is not allowed; it must lie between 0 and 1")
    centre, spread = robust(matrix.values)
    x = np.clip(scaled(matrix.values, centre, spread), -clip, clip)
    x = x[enough(x)]
    if len(x) <= 2:
        raise ModelError(f"pca has {len(x)} training rows with half of the columns or more; give it more rows")
    cov = _covariance(x)
    power, axes = np.linalg.eigh(cov)
    power, axes = power[::-1], axes[:, ::-1]
    share = np.cumsum(power) / max(power.sum(), 1e-300)
    kept = int(np.searchsorted(share, variance) + 1)
    kept = max(1, min(kept, int((power > FEWEST * power.sum()).sum())))
    plane, strength = axes[:, :kept], power[:kept]
    within = (plane / strength) @ plane.T
    rest = np.eye(len(centre)) - plane @ plane.T
    beside = rest @ rest
    x = np.nan_to_num(x, nan=0.0)
    t2, q = (np.quantile(np.einsum("ij,ij->i", x @ form, x), 0.99) for form in (within, beside))
    return Components(matrix.columns, np.nan, centre, spread, within / max(t2, 1e-12), beside / max(q, 1e-12), clip)


def _covariance(x: Floats) -> Floats:
    """Of the pairs of values that are there, without negative directions. (rows, columns) -> (columns, columns)."""
    known = np.isfinite(x)
    filled = np.where(known, x, 0.0)
    pairs = known.T.astype(float) @ known
    cov = (filled.T @ filled) / np.maximum(pairs, 1.0)
    power, axes = np.linalg.eigh(cov)
    sound: Floats = (axes * np.maximum(power, 0.0)) @ axes.T
    return sound
