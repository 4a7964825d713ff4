"""Slope and projection: exact where they must be, honest where they estimate."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.report.trend import projection, slope
from twin.uncertainty import Figure


@given(st.floats(-50, 50), st.floats(12_000, 14_000), st.integers(3, 60))
def test_a_straight_line_gives_its_slope(step: float, start: float, count: int) -> None:
    found = slope(start + step * np.arange(count, dtype=np.float64), np.full(count, 200.0))
    assert found is not None
    assert found.value == pytest.approx(step, abs=1e-6)
    assert found.u == pytest.approx(0.0, abs=1e-5)
    assert found.points == count


def test_gaps_and_windows_without_metal_do_not_count() -> None:
    course = np.array([10.0, 11.0, np.nan, 13.0, 99.0, 15.0])
    found = slope(course, np.array([1.0, 1.0, 1.0, 1.0, 0.0, 1.0]))
    assert found is not None
    assert (round(found.value, 9), found.points) == (1.0, 4)
    assert slope(course[:3], np.ones(3)) is None


def test_the_error_of_a_slope_covers_the_truth() -> None:
    rng, inside = np.random.default_rng(3), 0
    for _ in range(2000):
        course = 12_950.0 + 2.0 * np.arange(30) + 15.0 * rng.standard_normal(30)
        found = slope(course, np.ones(30))
        assert found is not None
        inside += abs(found.value - 2.0) <= 2.048 * found.u  # Student, 28 degrees of freedom
    assert 0.93 < inside / 2000 < 0.97


def test_a_period_that_is_over_ends_with_its_own_figure() -> None:
    figure = Figure(12_974.0, 24.0)
    assert projection(figure, np.full(31, 12_974.0), np.ones(31), 0.0) == figure


def test_few_windows_carry_no_projection() -> None:
    assert projection(Figure(12_974.0, 24.0), np.array([12_970.0, np.nan, 12_980.0]), np.ones(3), 28.0) is None
    assert projection(Figure(math.nan, math.nan), np.full(9, 12_970.0), np.ones(9), 3.0) is None


def test_the_interval_of_a_projection_covers_what_the_month_ends_with() -> None:
    rng, inside = np.random.default_rng(5), 0
    for _ in range(2000):
        weight = rng.uniform(150, 250, 30)
        days = 12_950.0 + 20.0 * rng.standard_normal(30)
        seen = np.where(np.arange(30) < 12, days, np.nan)
        so_far = Figure(float(days[:12] @ weight[:12] / weight[:12].sum()), 0.0)
        found = projection(so_far, seen, weight, 18.0)
        assert found is not None
        low, high = found.interval()
        inside += low <= float(days @ weight / weight.sum()) <= high
    assert 0.92 < inside / 2000 < 0.97


def test_the_uncertainty_of_the_instruments_stays_and_the_scatter_comes_on_top() -> None:
    course = np.array([12_950.0, 12_990.0, 12_970.0, 12_930.0, 12_960.0])
    early = projection(Figure(12_960.0, 24.0), course, np.ones(5), 26.0)
    late = projection(Figure(12_960.0, 24.0), course, np.ones(5), 1.0)
    assert early is not None
    assert late is not None
    assert early.u > late.u > 24.0
