"""Detectors that ask how alone a row is among the training rows: isolation forest and local outlier factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.contract import EMPTY, State
from models.cores import cores
from models.errors import ModelError
from models.matrix import Flags, Floats, Matrix, enough
from models.scaling import robust, scaled

__all__ = ["Alone", "isolation_forest", "local_outlier"]


@dataclass(frozen=True, slots=True)
class Alone:
    """Score: what `model`, a scikit-learn estimator, says of the standardised row, higher = more alone. A missing value
    is put to the training median: it makes a row look more usual, never stranger by itself."""

    columns: tuple[str, ...]
    limit: float
    centre: Floats
    spread: Floats
    clip: float
    model: Any
    name: str = ""

    def start(self) -> State:
        return EMPTY

    def score(self, state: State, matrix: Matrix) -> tuple[State, Floats]:
        x, judged = self._filled(matrix)
        return state, np.where(judged, self._strange(x), np.nan)

    def explain(self, state: State, matrix: Matrix) -> Floats:
        """The part of the score that goes away when the column alone is put to its training median; costs as many
        scores as there are columns."""
        x, judged = self._filled(matrix)
        result, whole = np.zeros(x.shape), self._strange(x)
        for place in np.flatnonzero(np.isfinite(self.spread)):
            without = x.copy()
            without[:, place] = 0.0
            result[:, place] = np.maximum(whole - self._strange(without), 0.0)
        return np.where(judged[:, None], result, 0.0)

    def _strange(self, x: Floats) -> Floats:
        if not len(x):
            return np.zeros(0)
        with cores():
            strange: Floats = -self.model.score_samples(x)
        return strange

    def _filled(self, matrix: Matrix) -> tuple[Floats, Flags]:
        values = matrix.choose(self.columns).values
        x = np.clip(scaled(values, self.centre, self.spread), -self.clip, self.clip)
        return np.nan_to_num(x, nan=0.0), enough(values)


def isolation_forest(matrix: Matrix, seed: int, *, trees: float, rows: float, clip: float) -> Alone:
    """Liu, Ting and Zhou 2008. Its trees know no place beyond the training rows: a row is strange when it is at the
    edge in many columns at once, and how far beyond the edge does not count."""
    from sklearn.ensemble import IsolationForest

    centre, spread, x = _training(matrix, seed, clip, len(matrix))
    with cores():
        model = IsolationForest(n_estimators=int(trees), max_samples=min(int(rows), len(x)), random_state=seed).fit(x)
    return Alone(matrix.columns, np.nan, centre, spread, clip, model)


def local_outlier(matrix: Matrix, seed: int, *, rows: float, neighbours: float, clip: float) -> Alone:
    """Breunig et al. 2000, of new rows against at most `rows` training rows drawn by chance."""
    from sklearn.neighbors import LocalOutlierFactor

    centre, spread, x = _training(matrix, seed, clip, int(rows))
    x = np.unique(x, axis=0)  # copies of a row would make its neighbourhood endlessly dense
    near = min(int(neighbours), len(x) - 1)
    with cores():
        model = LocalOutlierFactor(n_neighbors=near, novelty=True, algorithm="brute").fit(x)
    return Alone(matrix.columns, np.nan, centre, spread, clip, model)


def _training(matrix: Matrix, seed: int, clip: float, most: int) -> tuple[Floats, Floats, Floats]:
    centre, spread = robust(matrix.values)
    x = scaled(matrix.values, centre, spread)[enough(matrix.values)]
    if len(x) < 3:
        raise ModelError(f"{len(x)} training rows have half of the columns or more; give 3 at least")
    if len(x) > most:
        x = x[np.sort(np.random.default_rng(seed).choice(len(x), most, replace=False))]
    return centre, spread, np.nan_to_num(np.clip(x, -clip, clip), nan=0.0)
