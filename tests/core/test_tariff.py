"""The tiered price: the steps of the years, started blocks, and what the next block saves."""

from __future__ import annotations

import doctest
import math
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import twin.tariff
from twin.errors import ConfigError
from twin.tariff import Tariff, parse, surcharge

PAGE = Path(__file__).parents[2] / "docs" / "method" / "plan-and-carbon.md"


def proposed() -> dict[str, Any]:
    """The `[tariff]` table as the page proposes it."""
    blocks = PAGE.read_text("utf-8").split("```toml\n")[1:]
    tables = [tomllib.loads(block.split("```")[0]) for block in blocks]
    table: dict[str, Any] = next(t["tariff"] for t in tables if "tariff" in t)
    return table


TARIFF = parse(proposed(), "plan.toml")


@pytest.mark.parametrize(
    ("day", "step"),
    [
        (date(2022, 1, 1), 13650),
        (date(2022, 12, 31), 13650),
        (date(2023, 1, 1), 13450),
        (date(2024, 6, 1), 13450),
        (date(2025, 1, 1), 13300),
        (date(2027, 12, 31), 13300),
    ],
)
def test_the_step_of_a_day(day: date, step: float) -> None:
    assert TARIFF.step_on(day) == step


def test_before_the_first_step_nothing_is_known() -> None:
    assert math.isnan(TARIFF.step_on(date(2021, 12, 31)))
    assert math.isnan(surcharge(TARIFF, 13400.0, TARIFF.step_on(date(2021, 12, 31))).yuan_kwh)


def test_the_worked_example() -> None:
    found = surcharge(TARIFF, 13400.0, TARIFF.step_on(date(2026, 10, 1)))
    assert found.yuan_kwh == pytest.approx(0.05)
    assert found.yuan_t == pytest.approx(670)
    assert found.yuan(13400.0 * 6900) == pytest.approx(670 * 6900), "a month of 6,900 t"
    assert found.blocks == 5
    assert found.to_next == pytest.approx(20)
    assert found.saved_t == pytest.approx(670 - 0.04 * 13380)


@pytest.mark.parametrize(
    ("figure", "blocks"),
    [(13000, 0), (13300, 0), (13300.0000000001, 0), (13300.1, 1), (13320, 1), (13320.000000000002, 1), (13320.1, 2)],
)
def test_a_started_block_counts_and_rounding_does_not_start_one(figure: float, blocks: int) -> None:
    assert surcharge(TARIFF, figure, 13300.0).blocks == blocks


def test_many_lines_at_once() -> None:
    found = surcharge(TARIFF, np.array([13400.0, np.nan, 13000.0]), 13300.0)
    assert found.yuan_kwh[[0, 2]].tolist() == pytest.approx([0.05, 0.0])
    assert found.saved_t[2] == found.to_next[2] == 0.0
    for name in ("blocks", "yuan_kwh", "yuan_t", "to_next", "saved_t"):
        assert np.isnan(getattr(found, name)).tolist() == [False, True, False], name
    assert type(surcharge(TARIFF, 13400.0, 13300.0).saved_t) is float


@pytest.mark.parametrize(("share", "kept"), [(0.0, 1.0), (15.0, 1.0), (25.0, 0.9), (100.0, 0.15)])
def test_renewables_cut_the_rate_only_where_told_to(share: float, kept: float) -> None:
    assert surcharge(TARIFF, 13400.0, 13300.0, share).yuan_kwh == pytest.approx(0.05)
    cutting = parse({**proposed(), "renewable_cut": True}, "plan.toml")
    assert surcharge(cutting, 13400.0, 13300.0, share).yuan_kwh == pytest.approx(0.05 * kept)
    figure: Any = 13400.0
    many = surcharge(cutting, figure, 13300.0, np.array([share, share]))
    assert np.shape(many.yuan_kwh) == np.shape(many.blocks) == np.shape(many.to_next) == (2,)
    steep = parse({**proposed(), "renewable_cut": True, "renewable_cut_pct": 2.0}, "plan.toml")
    assert surcharge(steep, 13400.0, 13300.0, 100.0).yuan_kwh == 0.0


@given(a=st.floats(12500, 15000), b=st.floats(12500, 15000))
def test_more_energy_never_costs_less(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert surcharge(TARIFF, low, 13300.0).yuan_t <= surcharge(TARIFF, high, 13300.0).yuan_t


@given(figure=st.floats(13300.1, 15000))
def test_going_to_the_next_block_saves_what_was_said(figure: float) -> None:
    found = surcharge(TARIFF, figure, 13300.0)
    less = surcharge(TARIFF, figure - found.to_next, 13300.0)
    assert less.blocks == found.blocks - 1
    assert found.yuan_t - less.yuan_t == pytest.approx(found.saved_t, abs=1e-6)
    assert 0 < found.to_next <= 20 + 1e-6


def test_the_table_says_what_the_domain_says() -> None:
    assert isinstance(TARIFF, Tariff)
    assert (TARIFF.metric, TARIFF.rate_yuan_kwh, TARIFF.block_kwh_t) == ("ac_comprehensive", 0.01, 20.0)
    assert (TARIFF.renewable_cut, TARIFF.renewable_free_pct, TARIFF.renewable_cut_pct) == (False, 15.0, 1.0)
    assert [step.step_kwh_t for step in TARIFF.steps] == [13650, 13450, 13300]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rate_yuan_kwh": -0.01}, "rate_yuan_kwh"),
        ({"steps": []}, "steps"),
        ({"steps": [{"valid_from": date(2025, 1, 1)}]}, "step_kwh_t"),
        ({"metric": "ac_liquid"}, "metric"),
        ({"note": 1}, "note"),
    ],
)
def test_a_wrong_table_says_where(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=rf"plan\.toml: tariff: .*{said}"):
        parse({**proposed(), **change}, "plan.toml")


def test_steps_out_of_order_are_refused() -> None:
    with pytest.raises(ConfigError, match="order of valid_from"):
        parse({**proposed(), "steps": proposed()["steps"][::-1]}, "plan.toml")


def test_examples_of_the_docstrings() -> None:
    assert doctest.testmod(twin.tariff).failed == 0
