"""Early warning: the probability that something begins within a horizon, learned from labelled rows.

The horizon is in the labels: a row is true when what is warned of begins within it. Rows during the event itself
belong in neither class; leave them out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.boosting import Boosting, Progress, cross_fit, log_probability, occlusion
from models.errors import ModelError
from models.matrix import Flags, Floats, Matrix
from models.splits import Split

__all__ = ["EarlyWarning", "fit_warning"]


@dataclass(frozen=True, slots=True)
class EarlyWarning:
    """columns; the boosted model with its calibration; normal (columns,) the medians of rows without a warning."""

    columns: tuple[str, ...]
    model: Any
    slope: float
    bias: Floats
    normal: Floats

    def probability(self, matrix: Matrix) -> Floats:
        """Calibrated probability (rows,); NaN for a row without any value. Raises ModelError for a missing column."""
        return np.exp(self._logs(matrix.choose(self.columns).values)[:, 1])

    def explain(self, matrix: Matrix) -> Floats:
        """By how much each column raises the log odds (rows, columns), against its normal value; see `occlusion`."""
        return occlusion(self._log_odds, matrix.choose(self.columns).values, self.normal)

    def _logs(self, values: Floats) -> Floats:
        return log_probability(self.model, self.slope, self.bias, values)

    def _log_odds(self, values: Floats) -> Floats:
        logs = self._logs(values)
        odds: Floats = logs[:, 1] - logs[:, 0]
        return odds


def fit_warning(
    matrix: Matrix,
    target: Flags,
    splits: Sequence[Split],
    *,
    seed: int = 0,
    options: Boosting | None = None,
    progress: Progress | None = None,
) -> tuple[EarlyWarning, Floats]:
    """Learn to warn. target (rows,): something begins within the horizon of the row.

    Returns the model, and the probability (rows,) that models of the splits give to rows which they have not seen
    (NaN in no test part): judge the model by these. Raises ModelError.
    """
    wanted = np.asarray(target)
    if wanted.dtype != np.bool_:
        raise ModelError(f"the target of a warning is {wanted.dtype}; it must be bool, one a row")
    names = ("quiet", "warn")
    options = options or Boosting()
    fitted = cross_fit(matrix, wanted.astype(np.int64), names, splits, options, seed, progress)
    normal = medians(matrix.values[~wanted])
    model = EarlyWarning(matrix.columns, fitted.model, fitted.slope, fitted.bias, normal)
    return model, fitted.held_out[:, 1]


def medians(values: Floats) -> Floats:
    """Medians of the columns, NaN for a column without any value. (rows, columns) -> (columns,)."""
    result = np.full(values.shape[1], np.nan)
    known = np.isfinite(values).any(axis=0)
    if known.any():
        result[known] = np.nanmedian(values[:, known], axis=0)
    return result
