"""The energy baseline: finds what made the data, refuses what cannot carry a model, sees a change and no other."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twin.baseline
from twin.baseline import Baseline, Limits, Refusal, cusum, expected, f_tail, fit, t_tail
from twin.frames import Floats

PERIODS = 36


def months(seed: int = 1, periods: int = PERIODS, noise: float = 15.0) -> tuple[Floats, dict[str, Floats]]:
    """kWh/t = 13,400 + 2 per kA above 500 - 137 per point above 93 % + 115 per effect; ambient does nothing."""
    r = np.random.default_rng(seed)
    columns = {
        "current_ka": r.uniform(490, 510, periods),
        "efficiency_pct": r.uniform(92, 94.5, periods),
        "effects": r.uniform(0.02, 0.3, periods),
        "ambient_c": r.uniform(-5, 30, periods),
    }
    energy = 13400 + 2 * (columns["current_ka"] - 500) - 137 * (columns["efficiency_pct"] - 93)
    return energy + 115 * columns["effects"] + r.normal(0, noise, periods), columns


def made(energy: Floats, columns: dict[str, Floats], limits: Limits | None = None) -> Baseline:
    found = fit(energy, columns, limits)
    assert isinstance(found, Baseline), found
    return found


def test_it_finds_what_made_the_data() -> None:
    found = made(*months())
    by_name = {c.name: c for c in found.coefficients}
    for name, truth in (("current_ka", 2.0), ("efficiency_pct", -137.0), ("effects", 115.0), ("ambient_c", 0.0)):
        assert abs(by_name[name].value - truth) < 3.5 * by_name[name].u, name
    assert by_name["efficiency_pct"].significant
    assert by_name["effects"].significant
    assert not by_name["ambient_c"].significant
    assert found.significant
    assert 0.9 < found.adjusted_r2 < found.r2 < 1.0
    assert found.sigma == pytest.approx(15.0, rel=0.35)
    assert (found.periods, found.left_out) == (PERIODS, 0)


def test_a_straight_line_by_hand() -> None:
    x = np.arange(12.0)
    y = 10 + 3 * x + np.tile([1.0, -1.0, -1.0, 1.0], 3)
    found = made(y, {"x": x})
    mean, spread = x.mean(), np.square(x - x.mean()).sum()
    slope = float(((x - mean) * y).sum() / spread)
    (coefficient,) = found.coefficients
    assert coefficient.value == pytest.approx(slope)
    residual = np.square(y - y.mean() - slope * (x - mean)).sum()
    assert found.sigma == pytest.approx(math.sqrt(residual / 10))
    assert coefficient.u == pytest.approx(found.sigma / math.sqrt(spread))
    assert found.p == pytest.approx(coefficient.p), "with one variable F is t squared"
    level, u, _, _ = expected(found, {"x": np.array([20.0])})
    assert level[0] == pytest.approx(y.mean() + slope * (20 - mean))
    assert u[0] == pytest.approx(found.sigma * math.sqrt(1 + 1 / 12 + (20 - mean) ** 2 / spread))


def test_noise_alone_is_not_significant() -> None:
    r = np.random.default_rng(7)
    found = made(r.normal(13000, 50, PERIODS), {"ambient_c": r.uniform(-5, 30, PERIODS)})
    assert not found.significant
    assert not found.coefficients[0].significant


def test_too_few_periods_are_refused() -> None:
    found = fit(*months(periods=11))
    assert isinstance(found, Refusal)
    assert found.why == "11 complete periods; 4 variables need at least 12"
    few = fit(*months(periods=6), Limits(minimum_periods=2))
    assert isinstance(few, Refusal), "without freedom there is no scatter to judge by"
    assert "at least 7" in few.why


def test_periods_with_a_gap_are_left_out_and_counted() -> None:
    energy, columns = months()
    energy[3], columns["effects"][5] = np.nan, np.nan
    found = made(energy, columns)
    assert (found.periods, found.left_out) == (PERIODS - 2, 2)
    energy[:26] = np.nan
    assert isinstance(fit(energy, columns), Refusal)


def test_variables_that_say_the_same_are_refused_by_name() -> None:
    energy, columns = months()
    columns["metal_t"] = 0.0080537 * 0.94 * columns["current_ka"] * 30
    found = fit(energy, columns)
    assert isinstance(found, Refusal)
    assert set(found.variables) == {"current_ka", "metal_t"}
    del columns["current_ka"]
    assert isinstance(fit(energy, columns), Baseline)


def test_a_variable_that_is_the_sum_of_others_is_refused() -> None:
    energy, columns = months()
    columns["sum"] = columns["current_ka"] + columns["efficiency_pct"] - columns["ambient_c"]
    found = fit(energy, columns)
    assert isinstance(found, Refusal)
    assert "sum" in found.variables


def test_a_variable_that_did_not_vary_is_refused_by_name() -> None:
    energy, columns = months()
    columns["current_ka"] = np.full(PERIODS, 500.0)
    found = fit(energy, columns)
    assert isinstance(found, Refusal)
    assert found == Refusal("current_ka did not vary", ("current_ka",))
    assert isinstance(fit(energy, {}), Refusal)


def test_improvement_and_where_the_model_is_stretched() -> None:
    found = made(*months())
    energy, columns = months(seed=2, periods=12, noise=0.0)
    columns["current_ka"][0] = 530.0
    level, u, improvement, outside = expected(found, columns, energy - 100.0)
    assert improvement[1:] == pytest.approx(np.full(11, 100.0), abs=30)
    assert (u > found.sigma).all()
    assert outside[0] == 1.0
    assert u[0] == u.max()
    assert np.isnan(expected(found, columns)[2]).all()
    assert level.shape == (12,)


@settings(max_examples=30)
@given(factor=st.floats(0.01, 1e6), shift=st.floats(-1e3, 1e3))
def test_units_do_not_change_the_verdict(factor: float, shift: float) -> None:
    energy, columns = months()
    plain = made(energy, columns)
    scaled = made(energy * factor, {**columns, "current_ka": columns["current_ka"] * 1000 + shift})
    assert scaled.r2 == pytest.approx(plain.r2, abs=1e-9)
    for one, other in zip(plain.coefficients, scaled.coefficients, strict=True):
        assert other.p == pytest.approx(one.p, rel=1e-5, abs=1e-12)
    assert scaled.sigma == pytest.approx(plain.sigma * factor, rel=1e-6)


def test_cusum_sees_a_shift_of_one_sigma_and_when() -> None:
    r = np.random.default_rng(3)
    energy = r.normal(0.0, 1.0, 120)
    energy[60:] += 1.5
    found = cusum(energy, np.zeros(120), 1.0)
    assert not found.worse[:60].any()
    assert 60 < int(np.flatnonzero(found.worse)[0]) < 75
    assert not found.better.any()
    assert found.total[-1] == pytest.approx(energy.sum())
    mirrored = cusum(-energy, np.zeros(120), 1.0)
    assert (mirrored.better == found.worse).all()


def test_cusum_cries_wolf_as_rarely_as_the_page_says() -> None:
    r = np.random.default_rng(4)
    rows = r.normal(0, 1, (1000, 100))
    worse = np.mean([bool(cusum(row, np.zeros(100), 1.0).worse.any()) for row in rows])
    assert worse == pytest.approx(1 - math.exp(-100 / 930), abs=0.03), "one side: half of 1 in 465"


def test_a_period_without_data_adds_nothing() -> None:
    energy = np.array([1.0, np.nan, 2.0])
    found = cusum(energy, np.zeros(3), 1.0)
    assert found.total.tolist() == [1.0, 1.0, 3.0]
    assert found.high.tolist() == [0.5, 0.5, 2.0]


@pytest.mark.parametrize(
    ("t", "freedom", "p"),
    [(12.706, 1, 0.05), (2.228, 10, 0.05), (3.169, 10, 0.01), (2.042, 30, 0.05), (1.96, 10**6, 0.05)],
)
def test_tail_of_student(t: float, freedom: int, p: float) -> None:
    assert t_tail(t, freedom) == pytest.approx(p, abs=2e-4)
    assert t_tail(-t, freedom) == t_tail(t, freedom)
    assert t_tail(0.0, freedom) == pytest.approx(1.0)


@pytest.mark.parametrize(("f", "above", "below", "p"), [(3.33, 5, 10, 0.05), (4.96, 1, 10, 0.05), (5.64, 5, 10, 0.01)])
def test_tail_of_fisher(f: float, above: int, below: int, p: float) -> None:
    assert f_tail(f, above, below) == pytest.approx(p, abs=2e-4)
    assert t_tail(2.0, 12) == pytest.approx(f_tail(4.0, 1, 12))


def test_examples_of_the_docstrings() -> None:
    assert doctest.testmod(twin.baseline).failed == 0
