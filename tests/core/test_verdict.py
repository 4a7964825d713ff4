"""One figure and an array of figures are judged alike."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twin.uncertainty import Figure
from twin.verdict import judge


@given(
    st.floats(allow_nan=True, allow_infinity=True), st.one_of(st.floats(1e-6, 1e9), st.just(0.0), st.just(math.nan)),
    st.floats(-1e9, 1e9), st.sampled_from(["at_most", "at_least", "above", "below"]), st.booleans(),
)  # fmt: skip
def test_one_figure_is_judged_as_in_an_array(value: float, u: float, limit: float, sense: Any, enough: bool) -> None:
    one = judge(Figure(value, u), limit, sense, sufficient=enough)
    many = judge(Figure(np.array([value]), np.array([u])), limit, sense, sufficient=np.array([enough]))
    assert one.status == many.status[0]
    assert one.probability == many.probability[0] or (math.isnan(one.probability) and math.isnan(many.probability[0]))
    assert one.margin == many.margin[0] or (math.isnan(one.margin) and math.isnan(many.margin[0]))
