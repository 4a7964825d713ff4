"""Plan files: what they may say, and how a figure is graded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.plants import packaged_plan
from twin.errors import ConfigError
from twin.kpis import METRICS
from twin.plan import Rule, grade, parse
from twin.uncertainty import Figure

GOOD = """
id = "p"
title = "P"
pot_rule = "a"
[[rules]]
id = "a"
title = "A"
metric = "ac_liquid"
limit = 13000
unit = "kWh/t"
sense = "at_most"
scope = "line"
source = "S"
sure = "U"
"""
FIELDS: Mapping[str, Any] = {
    "id": "a",
    "title": "A",
    "metric": "ac_liquid",
    "limit": 100.0,
    "unit": "kWh/t",
    "sense": "at_most",
    "scope": "line",
    "source": "S",
    "sure": "U",
}


def rule(**changes: Any) -> Rule:
    return Rule(**{**FIELDS, **changes})


def test_the_packaged_plan_says_what_the_plan_says() -> None:
    plan = packaged_plan()
    new = plan.rule("new_capacity")
    assert (new.metric, new.limit, new.sense, new.scope, new.sure) == ("ac_liquid", 13000, "at_most", "line", "P")
    assert (new.valid_from, new.valid_to) == (date(2025, 1, 1), date(2027, 12, 31))
    levels = [
        plan.rule(f"{m}_level_{n}").limit for m in ("ac_liquid", "ac_comprehensive", "ac_ingot") for n in (1, 2, 3)
    ]
    assert levels == [12950, 13000, 13350, 13250, 13350, 13700, 13300, 13400, 13750]
    assert (plan.rule("benchmark").limit, plan.rule("baseline").limit) == (13000, 13350)
    assert plan.rule("tiered_price_step").metric == "ac_comprehensive", "the tiered price is on metric b"
    for share in ("benchmark_share", "clean_share"):
        assert (plan.rule(share).sense, plan.rule(share).scope) == ("above", "portfolio")
    assert plan.rule(plan.pot_rule).scope == "line"
    assert all(r.source and r.title for r in plan.rules)
    assert {r.metric for r in plan.rules} <= set(METRICS)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("ac_liquid", "liquid", ("rule a", "'liquid'", "dc, ac_liquid")),
        ('unit = "kWh/t"', 'unit = "MWh/t"', ("rule a", "'MWh/t'", "is in kWh/t")),
        ('pot_rule = "a"', 'pot_rule = "b"', ("pot_rule 'b'", "one of a")),
        ("limit = 13000", "limit = nan", ("rule a", "nan")),
        ("limit = 13000", "limit = inf", ("rule a", "inf")),
        ("limit = 13000", 'limit = "13000"', ("$.rules[0].limit", "float")),
        ("at_most", "less_than", ("$.rules[0].sense", "less_than")),
        ('scope = "line"', 'scope = "potline"', ("$.rules[0].scope", "potline")),
        ('sure = "U"', 'sure = "X"', ("$.rules[0].sure", "X")),
        ('sure = "U"', 'sure = "U"\nnote = ""', ("$.rules[0]", "note")),
        ('source = "S"', "", ("$.rules[0]", "source")),
        ('[[rules]]\nid = "a"', '[[rules]]\nid = "A b"', ("$.rules[0].id", "regex")),
        ("limit = 13000", "limit = 13000\nvalid_from = 2025", ("$.rules[0].valid_from", "date")),
        ('title = "P"', 'title = "P"\nminimum_coverage_pct = 101', ("$.minimum_coverage_pct", "<= 100")),
        ("[[rules]]", "[[rules]", ("line 5",)),
    ],
)
def test_a_wrong_file_says_where_and_what_is_allowed(old: str, new: str, said: tuple[str, ...]) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        parse(GOOD.replace(old, new, 1), "mine.toml", METRICS)
    message = str(caught.value)
    assert message.startswith("mine.toml: ")
    for part in said:
        assert part in message


def test_a_rule_given_twice_is_refused() -> None:
    text = GOOD + GOOD[GOOD.index("[[rules]]") :]
    with pytest.raises(ConfigError, match=r"mine\.toml: rule 'a' is given twice"):
        parse(text, "mine.toml", METRICS)


@pytest.mark.parametrize(
    ("first", "last", "day", "valid"),
    [
        (None, None, date(1970, 1, 1), True),
        (date(2025, 1, 1), None, date(2024, 12, 31), False),
        (date(2025, 1, 1), None, date(2025, 1, 1), True),
        (None, date(2027, 12, 31), date(2027, 12, 31), True),
        (None, date(2027, 12, 31), date(2028, 1, 1), False),
    ],
)
def test_a_rule_is_valid_from_its_first_to_its_last_day(
    first: date | None, last: date | None, day: date, valid: bool
) -> None:
    assert rule(valid_from=first, valid_to=last).valid_on(day) is valid


@pytest.mark.parametrize(
    ("sense", "below", "at", "above"),
    [
        ("at_most", True, True, False),
        ("below", True, False, False),
        ("at_least", False, True, True),
        ("above", False, False, True),
    ],
)
def test_what_each_sense_makes_of_the_limit(sense: str, below: bool, at: bool, above: bool) -> None:
    demand = rule(sense=sense)
    just_below, just_above = math.nextafter(100, 0), math.nextafter(100, 200)
    assert [demand.met(v) for v in (just_below, 100.0, just_above)] == [below, at, above]
    assert (demand.margin(99.0) > 0) is below
    assert demand.margin(100.0) == 0


@given(st.sampled_from(["at_most", "at_least", "above", "below"]), st.floats(-1e6, 1e6), st.floats(0, 100))
def test_a_grade_agrees_with_its_margin(sense: str, value: float, coverage: float) -> None:
    g = grade(rule(sense=sense), 3, "hour", Figure(value, 0.0), coverage, 75.0)
    assert (g.unit, g.window, g.value, g.coverage_pct) == (3, "hour", value, coverage)
    if coverage < 75.0:
        assert g.verdict == "insufficient"
        assert "75 %" in g.why
    elif g.margin != 0:
        assert g.verdict == ("pass" if g.margin > 0 else "fail")
        assert g.why == ""


def test_little_data_is_never_graded() -> None:
    assert grade(rule(), 0, "day", Figure(1.0, 0.0), 75.0, 75.0).verdict == "pass"
    little = grade(rule(), 0, "day", Figure(1.0, 0.0), 74.99, 75.0)
    assert (little.verdict, little.value, little.margin) == ("insufficient", 1.0, 99.0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_was_not_measured_is_never_graded(value: float) -> None:
    g = grade(rule(), 0, "day", Figure(value, 0.0), 100.0, 75.0)
    assert (g.verdict, g.why) == ("insufficient", "not measured")
    assert math.isnan(g.value)
    assert math.isnan(g.margin)


def test_a_verdict_is_no_surer_than_its_figure() -> None:
    def judged(value: float) -> str:
        return grade(rule(), 0, "day", Figure(value, 10.0), 100.0, 75.0).verdict

    assert [judged(v) for v in (80.0, 81.0, 100.0, 119.0, 120.0)] == ["pass", *["indeterminate"] * 3, "fail"]
    close = grade(rule(), 0, "day", Figure(95.0, 10.0), 100.0, 75.0)
    assert close.probability == pytest.approx(0.691, abs=1e-3)
    assert "69 %" in close.why
