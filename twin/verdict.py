"""What uncertainty leaves of a verdict: pass and fail need the whole interval on one side of the limit."""

from __future__ import annotations

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
    low, high = (np.asarray(end, np.float64) for end in figure.interval(confidence))
    strict = sense == "below"
    good = high < limit if strict else high <= limit
    bad = low >= limit if strict else low > limit
    met: T = figure.probability_at_most(limit)
    if strict:
        met = shaped(1.0 - Figure(shaped(-figure.value), figure.u).probability_at_most(-limit))
    margin: T = shaped(limit - figure.value)
    known = np.isfinite(low) & np.isfinite(high) & np.isfinite(margin) & np.asarray(sufficient)
    status = np.where(~known, "insufficient", np.where(good, "pass", np.where(bad, "fail", "indeterminate")))
    return Judgement(like(status), met, margin)
