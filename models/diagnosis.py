"""Diagnosis: which of several causes a row speaks for, with a calibrated probability each, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from models.boosting import Boosting, Progress, cross_fit, log_probability, occlusion
from models.matrix import Flags, Floats, Ints, Matrix
from models.splits import Split
from models.warning import medians

__all__ = ["Diagnosis", "fit_diagnosis"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """columns; the names of the causes; the boosted model with its calibration; normal (columns,) for explanations."""

    columns: tuple[str, ...]
    causes: tuple[str, ...]
    model: Any
    slope: float
    bias: Floats
    normal: Floats

    def probability(self, matrix: Matrix) -> Floats:
        """(rows, causes), each row sums to 1; NaN for a row without any value. Raises ModelError."""
        return np.exp(self._logs(matrix.choose(self.columns).values))

    def explain(self, matrix: Matrix) -> Floats:
        """By how much each column raises the log probability of the row's likeliest cause (rows, columns), against
        its normal value; see `occlusion`. Costs `columns` times as much as the probability: ask for flagged rows."""
        values = matrix.choose(self.columns).values
        top = np.argmax(np.nan_to_num(self._logs(values), nan=-np.inf), axis=1)
        result = np.zeros(values.shape)
        for cause in np.unique(top):
            rows = top == cause
            result[rows] = occlusion(partial(self._log, int(cause)), values[rows], self.normal)
        return result

    def _log(self, cause: int, values: Floats) -> Floats:
        return self._logs(values)[:, cause]

    def _logs(self, values: Floats) -> Floats:
        return log_probability(self.model, self.slope, self.bias, values)


def fit_diagnosis(
    matrix: Matrix,
    label: Ints,
    causes: Sequence[str],
    splits: Sequence[Split],
    *,
    normal: Flags | None = None,
    seed: int = 0,
    options: Boosting | None = None,
    progress: Progress | None = None,
) -> tuple[Diagnosis, Floats]:
    """Learn to tell causes. label (rows,): number of the cause in `causes`; "nothing is wrong" may be one of them.

    normal (rows,): rows from which the normal values for explanations are taken, all if not given. Returns the model
    and the probabilities (rows, causes) that models of the splits give to rows which they have not seen (NaN in no
    test part). Raises ModelError.
    """
    options = options or Boosting(trees=40)
    label = np.asarray(label, np.int64)
    fitted = cross_fit(matrix, label, causes, splits, options, seed, progress)
    usual = medians(matrix.values if normal is None else matrix.values[normal])
    model = Diagnosis(matrix.columns, tuple(causes), fitted.model, fitted.slope, fitted.bias, usual)
    return model, fitted.held_out
