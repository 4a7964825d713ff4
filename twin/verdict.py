"""What uncertainty leaves of a verdict: pass and fail need the whole interval on one side of the limit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal

import numpy as np

from twin.physics.elementary import T, shaped
from twin.uncertainty import CONFIDENCE, Figure, like

__all__ = ["Judgement", "Sense", "Status", "judge"]

Sense = Literal["at_most", "at_least", "above", "below"]
Status = Literal["pass", "fail", "indeterminate", "insufficient"]
_MIRROR: Mapping[Sense, Sense] = {"at_least": "at_most", "above": "below"}


@dataclass(frozen=True, slots=True)
class Judgement(Generic[T]):
    """`status` a `Status` or an array of them; `probability` [1] that the rule is met; `margin` > 0 = good side."""

    status: Any
    probability: T
    margin: T


def judge(
    figure: Figure[T], limit: T | float, sense: Sense, confidence: float = CONFIDENCE, sufficient: Any = True
) -> Judgement[T]:
    """Grade figures against a limit: pass or fail where the whole interval is on one side, else indeterminate.

    `sufficient` bool or (units,): False (coverage, under six months ...) and NaN give "insufficient".

    >>> judge(Figure(12990.0, 30.0), 13000.0, "at_most").status
    'indeterminate'
    """
    if sense in ("at_least", "above"):  # the mirror image of at most and below
        return judge(Figure(shaped(-figure.value), figure.u), -limit, _MIRROR[sense], confidence, sufficient)
    strict = sense == "below"
    if isinstance(figure.value, float) and isinstance(limit, float) and isinstance(sufficient, bool):
        alone: Any = _judge_one(figure, limit, strict, confidence, sufficient)
        return alone  # type: ignore[no-any-return]
    low, high = (np.asarray(end, np.float64) for end in figure.interval(confidence))
    good = high < limit if strict else high <= limit
    bad = low >= limit if strict else low > limit
    met: T = figure.probability_at_most(limit)
    if strict:
        met = shaped(1.0 - Figure(shaped(-figure.value), figure.u).probability_at_most(-limit))
    margin: T = shaped(limit - figure.value)
    known = np.isfinite(low) & np.isfinite(high) & np.isfinite(margin) & np.asarray(sufficient)
    status = np.where(~known, "insufficient", np.where(good, "pass", np.where(bad, "fail", "indeterminate")))
    return Judgement(like(status), met, margin)


def _judge_one(
    figure: Figure[float], limit: float, strict: bool, confidence: float, sufficient: bool
) -> Judgement[float]:
    """The same for one figure, without arrays: rules are graded by the thousand a second."""
    low, high = figure.interval(confidence)
    met = figure.probability_at_most(limit)
    if strict:
        met = 1.0 - Figure(-figure.value, figure.u).probability_at_most(-limit)
    margin = limit - figure.value
    status: Status = "indeterminate"
    if not (sufficient and math.isfinite(low) and math.isfinite(high) and math.isfinite(margin)):
        status = "insufficient"
    elif high < limit if strict else high <= limit:
        status = "pass"
    elif low >= limit if strict else low > limit:
        status = "fail"
    return Judgement(status, met, margin)
