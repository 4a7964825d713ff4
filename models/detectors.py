"""The table of detectors. A row is all it takes: command line, files, tests of the contract and docs follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from models.components import Components, components
from models.contract import Detector
from models.errors import ModelError
from models.limits import Constant, OneColumn, RobustLimits, always, never, one_column, robust_limits
from models.matrix import Flags, Floats, Matrix, in_order
from models.neighbours import Alone, isolation_forest, local_outlier
from models.pattern import BranchPattern, branch_pattern
from models.series import ChangePoint, Cusum, change_point, cusum

__all__ = ["DETECTORS", "Row", "fit", "row"]

Value = float | str


@dataclass(frozen=True, slots=True)
class Row:
    """A detector. make(training rows, seed, **parameters) gives one without a limit (NaN), or with a fixed one; `form`
    is its class; `sees`: one row at a time, or the rows of a group in order of time."""

    name: str
    title: str
    sees: str
    make: Callable[..., Detector]
    form: type
    help: str
    defaults: Mapping[str, Value] = field(default_factory=dict)


DETECTORS: tuple[Row, ...] = (
    Row("robust_limits", "Robust limits", "row", robust_limits, RobustLimits,
        "One value far outside its column's usual range."),
    Row("cusum", "CUSUM", "series", cusum, Cusum,
        "A small shift or slow drift of a column away from 0 or its training level; meant for residuals.",
        {"slack": 0.5, "clip": 6.0, "cap": 2.0, "warm": 10.0}),
    Row("change_point", "Change point", "series", change_point, ChangePoint,
        "A lasting change of a column against the group's own past, whatever the usual level of the group.",
        {"reference": 240.0, "clip": 8.0, "warm": 120.0}),
    Row("pca", "PCA: T2 and Q", "row", components, Components,
        "Columns that no longer belong together as they did, even if each is within its limits.",
        {"variance": 0.9, "clip": 20.0}),
    Row("isolation_forest", "Isolation forest", "row", isolation_forest, Alone,
        "Many columns at the edge of their range at once; how far beyond it one column is does not count.",
        {"trees": 100.0, "rows": 256.0, "clip": 20.0}),
    Row("local_outlier", "Local outlier factor", "row", local_outlier, Alone,
        "Rows between or beside the operating points of training, where these are several.",
        {"rows": 1000.0, "neighbours": 20.0, "clip": 20.0}),
    Row("anode_pattern", "Anode current pattern", "series", branch_pattern, BranchPattern,
        "One anode that takes too much (slip, spike) or nothing (burn-off), from largest, smallest and spread.",
        {"largest": "anode_current_max_ka", "smallest": "anode_current_min_ka", "spread": "anode_current_spread_pct",
         "recent": 5.0, "reference": 240.0, "clip": 20.0, "warm": 60.0}),
    Row("always", "Always", "row", always, Constant, "To compare with: flags every row."),
    Row("never", "Never", "row", never, Constant, "To compare with: flags no row."),
    Row("one_column", "One column over a limit", "row", one_column, OneColumn,
        "To compare with: one column (the first if none is named) above or below a limit; nan = from training.",
        {"column": "", "limit": float("nan"), "sense": "above"}),
)  # fmt: skip
_BY_NAME = {row.name: row for row in DETECTORS}


def row(name: str) -> Row:
    """The row of a name. Raises ModelError."""
    if name not in _BY_NAME:
        raise ModelError(f"there is no detector {name!r}; there are {', '.join(_BY_NAME)}")
    return _BY_NAME[name]


def fit(
    name: str,
    matrix: Matrix,
    clean: Flags | None = None,
    seed: int = 0,
    *,
    false_alarms: float = 0.001,
    held_out: float = 0.25,
    parameters: Mapping[str, Value] | None = None,
) -> Any:
    """A detector fitted on the clean rows; other rows are as if they were not there.

    name: of a row of DETECTORS; clean (rows,), all rows if not given. A detector that sees single rows is made from the
    first part of each group's clean rows; `limit` is such that a share of `false_alarms` of the last part, `held_out`
    of the rows, lies above it (of less than 1 / false_alarms rows: the largest score). One that sees series learns
    medians only, which single rows do not move, and has scores that stay the same for long: it is made from all clean
    rows and gets its limit from all of them. Same rows and seed, same detector. Raises ModelError.
    """
    kind = row(name)
    values = _parameters(kind, parameters or {})
    if not 0.0 < false_alarms < 1.0 or not 0.0 < held_out < 1.0:
        raise ModelError("the shares of false alarms and of rows held out must lie between 0 and 1")
    mask = np.ones(len(matrix), bool) if clean is None else np.asarray(clean, bool)
    if mask.shape != (len(matrix),):
        raise ModelError(f"there are {len(matrix)} rows and {mask.shape} marks of clean ones; give one a row")
    rows = matrix.take(mask)
    late = _late(rows, held_out)
    if late.all() or not late.any():
        raise ModelError(f"{name} has {len(rows)} clean rows to learn from; give it more")
    top, bottom = (how(rows.values, axis=0, initial=edge) for how, edge in ((np.nanmax, -np.inf), (np.nanmin, np.inf)))
    if not (top > bottom).any():
        raise ModelError(f"no column changes in the clean rows of {name}; give it rows that do")
    series = kind.sees == "series"
    made: Any = kind.make(rows if series else rows.take(~late), seed, **values)
    judged = np.ones_like(late) if series else late
    limit = made.limit if not np.isnan(made.limit) else _limit(name, made, rows, judged, false_alarms)
    return replace(made, name=name, limit=limit)


def _limit(name: str, made: Any, rows: Matrix, judged: Flags, false_alarms: float) -> float:
    scores: Floats = made.score(made.start(), rows)[1][judged]
    scores = scores[np.isfinite(scores)]
    if not len(scores):
        raise ModelError(f"{name} is still warming up at the end of its training rows; give it more, or a smaller warm")
    return float(np.quantile(scores, 1.0 - false_alarms, method="higher"))


def _late(rows: Matrix, held_out: float) -> Flags:
    """The last part of each group's rows, by time."""
    order, place = in_order(rows)
    late = np.zeros(len(rows), bool)
    size = np.unique(rows.group[order], return_counts=True)[1]
    late[order] = place >= np.repeat(np.ceil((1.0 - held_out) * size), size)
    return late


def _parameters(kind: Row, given: Mapping[str, Value]) -> dict[str, Value]:
    unknown = sorted(set(given) - set(kind.defaults))
    if unknown:
        allowed = ", ".join(kind.defaults) or "none"
        raise ModelError(f"{kind.name} has no parameter {', '.join(unknown)}; it has {allowed}")
    values = dict(kind.defaults)
    for name, value in given.items():
        try:
            values[name] = type(kind.defaults[name])(value)
        except ValueError as error:
            raise ModelError(f"parameter {name} of {kind.name} is {value!r}; it must be a number") from error
    return values
