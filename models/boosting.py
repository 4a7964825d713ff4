"""Gradient boosting as both supervised models use it: fitted on folds, calibrated on the rows that were left out.

Raw scores of the left-out rows are turned into probabilities by softmax(slope * raw + bias), with slope and bias of
greatest likelihood (Platt 1999; Guo et al. 2017): what the model says with 0.7 has to happen in 7 of 10 cases among
groups that it has not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from models.cores import cores
from models.errors import ModelError
from models.matrix import Flags, Floats, Ints, Matrix
from models.splits import Split, check_splits

__all__ = ["Boosting", "Fitted", "Progress", "cross_fit", "log_probability", "occlusion"]

Progress = Callable[[int, int, str], None]  # fits done, fits to do, what was fitted
CHUNK_CELLS = 20_000_000  # of one block of occluded rows


@dataclass(frozen=True, slots=True)
class Boosting:
    """How to boost. weights: how much more rows of rare classes count, `balanced` = in full, `sqrt` = half way; bins:
    into how many a column is cut, less is faster.

    threads: more than one is slower by far where other programs share the cores, for each waits for the last one."""

    trees: int = 100
    learning_rate: float = 0.1
    leaves: int = 15
    rows_per_leaf: int = 20
    l2: float = 1.0
    weights: Literal["none", "sqrt", "balanced"] = "sqrt"
    bins: int = 255
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Fitted:
    """model: fitted on all rows; slope, bias (classes,); held_out (rows, classes) probabilities of the left-out rows,
    NaN where a row was in no test part."""

    model: Any
    slope: float
    bias: Floats
    held_out: Floats


def cross_fit(
    matrix: Matrix, label: Ints, names: Sequence[str], splits: Sequence[Split], options: Boosting, seed: int,
    progress: Progress | None,
) -> Fitted:  # fmt: skip
    """One model on all rows, calibrated on what models of the splits say of the rows that they have not seen.

    label (rows,) in 0..classes-1. Raises ModelError when a class has no row, or when no row of a class was left out
    while the class was among the training rows.
    """
    _check(matrix, label, names, splits)
    raw = np.full((len(matrix), len(names)), np.nan)
    seen = np.zeros(len(matrix), bool)  # rows left out whose class the model could know
    steps = len(splits) + 1
    for done, split in enumerate(splits):
        if progress:
            progress(done, steps, split.name)
        part = label[split.train]
        if len(np.unique(part)) < 2:
            raise ModelError(f"the training rows of {split.name} are all {names[part[0]]!r}; take less folds")
        model = _boost(matrix.values[split.train], part, options, seed)
        raw[split.test] = _raw(model, matrix.values[split.test], len(names))
        seen[split.test] = np.isin(label[split.test], part)
    if progress:
        progress(steps - 1, steps, "all rows")
    whole = _boost(matrix.values, label, options, seed)
    if not seen.any():
        raise ModelError("no split tests a row of a class that it trains on; take less folds")
    slope, bias = _calibrate(raw[seen], label[seen])
    held_out = np.exp(log_softmax(slope * raw + bias, axis=1))
    if progress:
        progress(steps, steps, "")
    return Fitted(whole, slope, bias, held_out)


def log_probability(model: Any, slope: float, bias: Floats, values: Floats) -> Floats:
    """Calibrated log probabilities (rows, classes); NaN for a row without any value."""
    if not len(values):
        return np.zeros((0, len(bias)))
    result: Floats = log_softmax(slope * _raw(model, values, len(bias)) + bias, axis=1)
    result[np.isnan(values).all(axis=1)] = np.nan
    return result


def occlusion(says: Callable[[Floats], Floats], values: Floats, normal: Floats) -> Floats:
    """How much of what a model says of a row is due to each column: what it says less what it says when the column is
    put to its normal value.

    says (rows, columns) -> (rows,); values (rows, columns); normal (columns,). Returns (rows, columns); 0 where the
    row is judged to be nothing. Columns that say the same thing share the blame less than they should: each alone
    can be put back without much change.
    """
    rows, columns = values.shape
    result = np.zeros((rows, columns))
    step = max(1, CHUNK_CELLS // max(columns * columns, 1))
    for begin in range(0, rows, step):
        part = values[begin : begin + step]
        changed = np.repeat(part, columns, axis=0).reshape(len(part), columns, columns)
        place = np.arange(columns)
        changed[:, place, place] = normal
        without = says(changed.reshape(-1, columns)).reshape(len(part), columns)
        result[begin : begin + step] = says(part)[:, None] - without
    return np.nan_to_num(result, nan=0.0)


def _check(matrix: Matrix, label: Ints, names: Sequence[str], splits: Sequence[Split]) -> None:
    if label.shape != (len(matrix),):
        raise ModelError(f"there are {len(matrix)} rows and {label.shape} labels; give one label a row")
    if not splits:
        raise ModelError("there is no split to calibrate on; use models.splits.grouped_splits")
    check_splits(matrix, splits)
    if len(label) and not 0 <= label.min() <= label.max() < len(names):
        raise ModelError(f"labels go from {label.min()} to {label.max()}; they must lie in 0 .. {len(names) - 1}")
    count = np.bincount(label, minlength=len(names))
    empty = [name for name, rows in zip(names, count, strict=True) if not rows]
    if empty:
        raise ModelError(f"no row is labelled {', '.join(empty)}; leave these classes out or add data that has them")


def _boost(values: Floats, label: Ints, options: Boosting, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    count = np.bincount(label).astype(float)
    power = {"none": 0.0, "sqrt": 0.5, "balanced": 1.0}[options.weights]
    weight = (len(label) / np.maximum(count, 1.0)) ** power
    model = HistGradientBoostingClassifier(
        max_iter=options.trees, learning_rate=options.learning_rate, max_leaf_nodes=options.leaves,
        min_samples_leaf=options.rows_per_leaf, l2_regularization=options.l2, early_stopping=False, random_state=seed,
        max_bins=options.bins,
    )  # fmt: skip
    with cores(options.threads):
        return model.fit(values, label, sample_weight=weight[label] / np.mean(weight[label]))


def _raw(model: Any, values: Floats, classes: int) -> Floats:
    """Raw scores (rows, classes); a class that the model has not seen is far below the others."""
    with cores():
        found = model.decision_function(values)
    if found.ndim == 1:  # two classes: the second one's log odds
        found = np.stack([np.zeros_like(found), found], axis=1)
    raw = np.repeat(found.min(axis=1, keepdims=True) - 5.0, classes, axis=1)
    raw[:, model.classes_] = found
    return raw


def _calibrate(raw: Floats, label: Ints) -> tuple[float, Floats]:
    """Slope and bias of greatest likelihood, drawn a little towards 1 and 0 so that they exist for separable data. A
    class without a row here keeps the bias 0: nothing is known of how sure the model may be of it."""
    there, place = np.unique(label, return_inverse=True)
    hit: Flags = np.zeros((len(raw), len(there)), bool)
    hit[np.arange(len(raw)), place.reshape(-1)] = True
    bias, raw = np.zeros(raw.shape[1]), raw[:, there]

    def loss(at: Floats) -> tuple[float, Floats]:
        slope, shift = at[0], at[1:]
        logs = log_softmax(slope * raw + shift, axis=1)
        off = np.exp(logs) - hit
        slope_pull, shift_pull = slope - 1.0, shift / 9.0
        value = -float(logs[hit].sum()) + 0.5 * slope_pull**2 + 0.5 * float(shift @ shift_pull)
        return value, np.concatenate([[(off * raw).sum() + slope_pull], off.sum(axis=0) + shift_pull])

    bounds = [(1e-3, None)] + [(None, None)] * len(there)
    best = minimize(loss, np.concatenate([[1.0], np.zeros(len(there))]), jac=True, method="L-BFGS-B", bounds=bounds)
    bias[there] = best.x[1:]
    return float(best.x[0]), bias
