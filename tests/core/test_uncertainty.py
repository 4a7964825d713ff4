"""Uncertainty: the propagation against a Monte Carlo of the same measurement, and the verdicts."""

from __future__ import annotations

import doctest
import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twin.uncertainty
from twin.frames import Floats
from twin.uncertainty import (
    SOURCES,
    Amount,
    Figure,
    Instruments,
    MetalPad,
    integrated,
    metal_by_faraday,
    metal_by_tapping,
    metered,
    plus,
    ratio,
    total,
    unseen,
)
from twin.verdict import judge

DRAWS, POTS = 10_000, 6
ROOT3 = math.sqrt(3.0)
TOOLS = Instruments(current_class_pct=0.3, voltage_class_pct=0.4, ac_class_pct=0.2, scale_common_part=0.36)
PAD = MetalPad(area=60.0, density=2300.0, level_limit=0.002, class_pct=5.0, readings=2)
TAPS, COVERAGE, SPREAD, U_CE, COMMON_CE = 4.0, 0.8, 0.02, 0.008, 0.25
CE = np.linspace(0.92, 0.95, POTS)
METAL = np.linspace(3500.0, 3900.0, POTS)  # kg
CHANGE = np.linspace(-400.0, 900.0, POTS)  # kg
ENERGY = np.full(POTS, 1.8e11)  # J, each pot's share of the AC
AUXILIARY = np.full(POTS, 5e9)


class Random:
    """Errors whose every column fills its distribution evenly (Latin hypercube): 10,000 draws say more than 2 %."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(20261124)

    def even(self, *shape: int) -> Floats:
        columns = self.random.permuted(np.tile(np.arange(DRAWS), (math.prod(shape), 1)), axis=1).T
        return (columns.reshape(DRAWS, *shape) + self.random.uniform(size=(DRAWS, *shape))) / DRAWS

    def limit(self, limit: float, *shape: int) -> Floats:
        """Rectangular between -limit and limit."""
        return (2 * self.even(*shape) - 1) * limit

    def normal(self, u: float, *shape: int) -> Floats:
        return u * np.asarray(np.frompyfunc(NormalDist().inv_cdf, 1, 1)(self.even(*shape)), float)


class Draws:
    """The measurement itself, 10,000 times: what each meter and scale says when the truth is ENERGY, METAL ..."""

    def __init__(self) -> None:
        r = Random()
        sensor = r.limit(TOOLS.voltage_class_pct / 100, POTS)
        current = r.limit(TOOLS.current_class_pct / 100, 1)
        self.ac_line = ENERGY.sum() * (1 + r.limit(TOOLS.ac_class_pct / 100, 1))
        self.auxiliary_line = AUXILIARY.sum() * (1 + r.limit(TOOLS.auxiliary_class_pct / 100, 1))
        share = ENERGY * (1 + sensor)
        share /= share.sum(axis=1, keepdims=True)
        self.ac, self.auxiliary = self.ac_line * share, self.auxiliary_line * share
        self.dc = ENERGY * (1 + sensor) * (1 + current)
        own, shared = r.normal(U_CE, POTS), r.normal(U_CE, 1)
        ce = CE + math.sqrt(COMMON_CE) * shared + math.sqrt(1 - COMMON_CE) * own
        self.faraday = METAL * (1 + current) * ce / CE
        common, each = math.sqrt(TOOLS.scale_common_part), math.sqrt(1 - TOOLS.scale_common_part)
        weigh = TOOLS.scale_class_pct / 100
        tap = each * r.limit(weigh, POTS, int(TAPS)).mean(axis=2) + common * r.limit(weigh, 1)
        ends = r.limit(PAD.level_limit, POTS, 2, PAD.readings).mean(axis=3)
        level = PAD.area * PAD.density * (ends[:, :, 1] - ends[:, :, 0])
        self.tapped = METAL * (1 + tap) + CHANGE * (1 + r.limit(PAD.class_pct / 100, 1)) + level
        self.rest = 1 + (1 - COVERAGE) * r.normal(SPREAD, 1)


@pytest.fixture(scope="module")
def draws() -> Draws:
    return Draws()


AC = metered(ENERGY, "ac", TOOLS, POTS)
AUX = metered(AUXILIARY, "auxiliary", TOOLS, POTS)
DC = integrated(ENERGY, TOOLS)
FARADAY = metal_by_faraday(METAL, CE, U_CE * math.sqrt(COMMON_CE), U_CE * math.sqrt(1 - COMMON_CE), TOOLS)
TAPPED = metal_by_tapping(METAL, TAPS, CHANGE, PAD, TOOLS)
AC_LINE = metered(float(ENERGY.sum()), "ac", TOOLS)


def agrees(analytic: Amount[Any], drawn: Floats) -> None:
    spread = drawn.std(axis=0)
    assert np.linalg.norm(analytic.u) == pytest.approx(np.linalg.norm(spread), rel=0.02)
    np.testing.assert_allclose(analytic.u, spread, rtol=0.03)  # 10,000 draws leave 0.7 %, and there are 66 of these
    bias = np.abs(analytic.value - drawn.mean(axis=0))  # of second order: left out by the first-order law
    assert (bias < 0.1 * np.asarray(analytic.u)).all()


def test_pots_agree_with_the_monte_carlo(draws: Draws) -> None:
    agrees(AC, draws.ac)
    agrees(DC, draws.dc)
    agrees(FARADAY, draws.faraday)
    agrees(TAPPED, draws.tapped)
    agrees(ratio(AC, FARADAY), draws.ac / draws.faraday)
    agrees(ratio(AC, TAPPED), draws.ac / draws.tapped)
    agrees(ratio(DC, FARADAY), draws.dc / draws.faraday)
    agrees(ratio(DC, TAPPED), draws.dc / draws.tapped)
    agrees(ratio(plus(AC, AUX), FARADAY), (draws.ac + draws.auxiliary) / draws.faraday)
    agrees(plus(ratio(AC, FARADAY), ratio(AUX, FARADAY)), (draws.ac + draws.auxiliary) / draws.faraday)
    agrees(unseen(ratio(AC, FARADAY), COVERAGE, SPREAD), draws.ac / draws.faraday * draws.rest)


def test_the_line_agrees_with_the_monte_carlo(draws: Draws) -> None:
    faraday, tapped = draws.faraday.sum(axis=1), draws.tapped.sum(axis=1)
    agrees(total(FARADAY), faraday)
    agrees(total(TAPPED), tapped)
    agrees(ratio(AC_LINE, total(FARADAY)), draws.ac_line[:, 0] / faraday)
    agrees(ratio(AC_LINE, total(TAPPED)), draws.ac_line[:, 0] / tapped)
    agrees(ratio(total(AC, POTS), total(FARADAY)), draws.ac_line[:, 0] / faraday)
    agrees(ratio(total(DC), total(FARADAY)), draws.dc.sum(axis=1) / faraday)
    agrees(unseen(ratio(AC_LINE, total(FARADAY)), COVERAGE, SPREAD), draws.ac_line[:, 0] / faraday * draws.rest[:, 0])


def test_some_pots_of_a_line_keep_part_of_the_error_of_allocation(draws: Draws) -> None:
    half, section = metered(ENERGY[:3], "ac", TOOLS, POTS), float(ENERGY[:3].sum())
    agrees(total(half, POTS), draws.ac[:, :3].sum(axis=1))
    agrees(metered(section, "ac", TOOLS, POTS, 3.0), draws.ac[:, :3].sum(axis=1))
    agrees(integrated(section, TOOLS, 3.0), draws.dc[:, :3].sum(axis=1))
    assert metered(section, "ac", TOOLS, POTS, 3.0).u == pytest.approx(total(half, POTS).u), (
        "told in one, or pot by pot"
    )


def test_half_a_percent_of_a_meter_is_65_kwh_a_tonne_and_more_than_the_step_between_levels() -> None:
    meter = metered(13000.0, "ac", Instruments(0.0, 0.0, ac_class_pct=0.5))
    low, high = 13000.0 * 0.995, 13000.0 * 1.005
    assert (13000.0 - low, high - 13000.0) == pytest.approx((65.0, 65.0))
    assert meter.u * ROOT3 == pytest.approx(65.0)
    assert meter.u * ROOT3 > 13000 - 12950
    assert judge(Figure(12975.0, meter.u), 13000.0, "at_most").status == "indeterminate"


def test_the_current_cancels_in_dc_over_faradays_metal_and_not_in_ac() -> None:
    exact = Instruments(current_class_pct=0.5, voltage_class_pct=0.0, ac_class_pct=0.0)
    metal = metal_by_faraday(3785.0, 0.94, 0.0, 0.0, exact)
    assert ratio(integrated(1.7e11, exact), metal).u == pytest.approx(0.0, abs=1e-6)
    ac = ratio(metered(1.7e11, "ac", exact), metal)
    assert ac.u / ac.value == pytest.approx(0.005 / ROOT3)


def test_common_errors_do_not_average_out_and_independent_ones_do() -> None:
    one = Instruments(current_class_pct=0.5, voltage_class_pct=0.5, scale_common_part=0.0)
    pots = 100
    metal = total(metal_by_faraday(np.full(pots, 3785.0), np.full(pots, 0.94), 0.0, np.full(pots, 0.0094), one))
    assert metal.parts["current"] / metal.value == pytest.approx(0.005 / ROOT3)
    assert metal.parts["efficiency"] / metal.value == pytest.approx(0.01 / 10)
    taps = total(metal_by_tapping(np.full(pots, 3000.0), 4.0, np.zeros(pots), PAD, one))
    assert taps.parts["weighing"] / taps.value == pytest.approx(0.005 / ROOT3 / math.sqrt(4 * pots))
    assert taps.parts["scale"] == 0.0


def test_every_contribution_has_its_row() -> None:
    names = {source.name for source in SOURCES}
    amounts = (AC, AUX, DC, FARADAY, TAPPED, unseen(AC, 0.5, 0.1), metered(1.0, "dc", TOOLS))
    assert {name for amount in amounts for name in amount.parts} == names
    assert len(names) == len(SOURCES)


@given(scale=st.floats(1e-3, 1e3), pots=st.integers(2, 8))
def test_the_relative_uncertainty_does_not_know_the_unit(scale: float, pots: int) -> None:
    metal, ce = np.linspace(3000, 4000, pots), np.linspace(0.9, 0.95, pots)
    small = total(metal_by_faraday(metal, ce, ce * 0.007, ce * 0.007, TOOLS))
    large = total(metal_by_faraday(metal * scale, ce, ce * 0.007, ce * 0.007, TOOLS))
    assert large.u / large.value == pytest.approx(small.u / small.value)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_the_less_was_seen_the_larger_the_uncertainty(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert unseen(AC_LINE, low, 0.02).u >= unseen(AC_LINE, high, 0.02).u >= AC_LINE.u
    assert unseen(AC_LINE, 1.01, 0.02).u == AC_LINE.u


def test_scalars_stay_scalars_and_a_nan_keeps_to_its_pot() -> None:
    scalar = ratio(metered(1.8e11, "ac", TOOLS, 6.0), metal_by_tapping(3500.0, 4.0, 100.0, PAD, TOOLS))
    assert type(scalar.u) is float
    energy, change = ENERGY.copy(), CHANGE.copy()
    energy[1], change[2] = np.nan, np.nan
    some = unseen(
        ratio(metered(energy, "ac", TOOLS, POTS), metal_by_tapping(METAL, TAPS, change, PAD, TOOLS)), 0.9, 0.1
    )
    assert np.isnan(some.u).tolist() == np.isnan(some.value).tolist() == [False, True, True, False, False, False]
    assert math.isnan(ratio(metered(1.0, "ac", TOOLS), metal_by_tapping(0.0, 0.0, 0.0, PAD, TOOLS)).value)


@pytest.mark.parametrize(("k", "p", "width"), [(1.0, None, 1.0), (2.0, None, 2.0), (None, 0.95, 1.959964)])
def test_intervals(k: float | None, p: float | None, width: float) -> None:
    figure = Figure(13000.0, 30.0)
    low, high = figure.interval(k=k) if p is None else figure.interval(p)
    assert (high - 13000.0, 13000.0 - low) == pytest.approx((30 * width, 30 * width), rel=1e-6)


@pytest.mark.parametrize(("z", "p"), [(-1.96, 0.024998), (-1.0, 0.158655), (0.0, 0.5), (1.645, 0.950015)])
def test_probabilities_of_the_normal(z: float, p: float) -> None:
    assert Figure(0.0, 2.0).probability_at_most(2.0 * z) == pytest.approx(p, abs=1e-6)


def test_without_uncertainty_a_probability_is_all_or_nothing() -> None:
    figure = Figure(np.array([1.0, 2.0, 3.0, np.nan, 1.0]), np.array([0.0, 0.0, 0.0, 0.0, np.nan]))
    assert figure.probability_at_most(2.0).tolist()[:3] == [1.0, 1.0, 0.0]
    assert np.isnan(figure.probability_at_most(2.0)[3:]).all()


@pytest.mark.parametrize(
    ("value", "u", "status"),
    [
        (12900.0, 30.0, "pass"),
        (12960.0, 30.0, "indeterminate"),
        (13040.0, 30.0, "indeterminate"),
        (13100.0, 30.0, "fail"),
        (math.nan, 30.0, "insufficient"),
        (12900.0, math.nan, "insufficient"),
        (13000.0, 0.0, "pass"),
    ],
)
def test_verdicts(value: float, u: float, status: str) -> None:
    found = judge(Figure(value, u), 13000.0, "at_most")
    assert found.status == status
    assert found.margin == pytest.approx(13000.0 - value, nan_ok=True)
    mirrored = judge(Figure(-value, u), -13000.0, "at_least")
    assert mirrored.status == status
    assert mirrored.probability == pytest.approx(found.probability, nan_ok=True)
    assert mirrored.margin == pytest.approx(found.margin, nan_ok=True)


@pytest.mark.parametrize(
    ("sense", "status", "met"),
    [("at_most", "pass", 1.0), ("at_least", "pass", 1.0), ("below", "fail", 0.0), ("above", "fail", 0.0)],
)
def test_a_limit_met_exactly_counts_for_the_senses_that_include_it(sense: Any, status: str, met: float) -> None:
    found = judge(Figure(30.0, 0.0), 30.0, sense)
    assert (found.status, found.probability) == (status, met)


def test_verdicts_of_many_units_at_once() -> None:
    figures = Figure(np.array([12900.0, 13000.0, 13100.0, 12900.0]), np.full(4, 30.0))
    found = judge(figures, 13000.0, "at_most", sufficient=np.array([True, True, True, False]))
    assert found.status.tolist() == ["pass", "indeterminate", "fail", "insufficient"]
    assert found.probability[1] == 0.5


@settings(max_examples=50)
@given(value=st.floats(12000, 14000), u=st.floats(1, 200), p=st.floats(0.5, 0.999))
def test_more_confidence_never_turns_a_doubt_into_a_verdict(value: float, u: float, p: float) -> None:
    figure = Figure(value, u)
    if judge(figure, 13000.0, "at_most", p).status == "indeterminate":
        assert judge(figure, 13000.0, "at_most", p + 0.0009).status == "indeterminate"
    sure = {"pass": 0.5 + p / 2, "fail": 0.5 - p / 2}
    status, met = judge(figure, 13000.0, "at_most", p).status, figure.probability_at_most(13000.0)
    assert status != "pass" or met >= sure["pass"] - 1e-9
    assert status != "fail" or met <= sure["fail"] + 1e-9


def test_examples_of_the_docstrings() -> None:
    assert doctest.testmod(twin.uncertainty).failed == 0


def test_an_efficiency_learnt_from_taps_has_the_error_of_the_scale_and_not_of_the_current() -> None:
    rng = np.random.default_rng(5)
    one = Instruments(current_class_pct=0.8, voltage_class_pct=0.5, scale_class_pct=0.3)
    current, scale = (1 + rng.uniform(-pct, pct, 200_000) / 100 for pct in (0.8, 0.3))
    charge, weighed = (
        3785.0 / 0.94 * current,
        3785.0 * scale,
    )  # efficiency = weighed / charge, metal = efficiency x charge
    made = weighed / charge * charge
    told = metal_by_faraday(3785.0, 0.94, 0.0, 0.0, one, learnt=1.0)
    assert told.u == pytest.approx(made.std(), rel=0.01)
    assert told.parts["current"] == 0.0
    energy = integrated(3785.0 * 12.7, one)
    per_mass = energy.value * current / made
    drawn = np.hypot(per_mass.std(), energy.value / 3785.0 * 0.005 / 3**0.5)
    assert ratio(energy, told).u == pytest.approx(drawn, rel=0.01), "the current no longer cancels"
