"""Verdicts of the report: by coverage of the whole period, never of a young line, with what comes at its end."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from tests.report.making import report_of, rows_of
from tests.report.plants import demo, line_of, two_lines
from tests.report.story import Story
from twin.report.data import LineReport, RuleView


def rule(line: LineReport, name: str) -> RuleView:
    return next(one for one in line.rules if one.rule == name)


def test_each_verdict_is_that_of_its_interval() -> None:
    (line,) = report_of(rows_of()).lines
    verdicts = {one.rule: one.verdict for one in line.rules}
    assert verdicts["ac_comprehensive_level_1"] == "fail"
    assert verdicts["ac_liquid_level_3"] == "pass"
    assert verdicts["new_capacity"] == "indeterminate"
    one = rule(line, "new_capacity")
    assert one.value.low is not None
    assert one.value.high is not None
    assert one.value.low < one.limit < one.value.high
    assert one.margin == pytest.approx(13_000.0 - (one.value.value or 0.0))
    assert (one.source.startswith("Implementation Plan"), one.sure) == (True, "P")


def test_a_month_that_is_over_projects_its_own_figure() -> None:
    (line,) = report_of(rows_of()).lines
    assert line.period.over
    assert all(one.projected == one.value for one in line.rules)


def test_a_month_that_goes_on_is_projected_with_a_wider_interval() -> None:
    clock = int(datetime(2026, 10, 15, 4, tzinfo=UTC).timestamp()) * 10**9
    (line,) = report_of(rows_of(story=Story(end=date(2026, 10, 15), gone=(), half=())), clock_ns=clock).lines
    one = rule(line, "new_capacity")
    assert not line.period.over
    assert one.projected is not None
    assert one.projected.u is not None
    assert one.projected.value == one.value.value
    assert one.projected.u > (one.value.u or 0.0)
    assert one.trend is not None
    assert one.trend.points == 14


def test_days_on_which_nothing_came_count_against_coverage() -> None:
    """The twin's own figure says 100 % of the time up to the newest data; two thirds of the month are missing."""
    story = Story(end=date(2026, 10, 11), gone=(), half=())
    (line,) = report_of(rows_of(story=story)).lines
    assert line.coverage.period_pct == pytest.approx(100 * 10 / 31)
    assert {one.verdict for one in line.rules} == {"insufficient"}
    assert "coverage 32 % is below 75 %" in line.rules[0].why


@pytest.mark.parametrize(
    ("commissioned", "day", "young"),
    [
        ("", date(2026, 10, 31), False),
        ("2026-05-01", date(2026, 10, 31), True),
        ("2026-04-30", date(2026, 10, 31), False),
        ("2026-05-01", date(2026, 11, 1), False),
        ("2025-08-31", date(2026, 2, 27), True),
        ("2025-08-31", date(2026, 2, 28), False),
        ("2026-07-31", date(2027, 1, 30), True),
        ("2026-07-31", date(2027, 1, 31), False),
    ],
)
def test_six_months_are_counted_by_the_calendar(commissioned: str, day: date, young: bool) -> None:
    _, line = line_of(demo())
    assert bool(replace(line, commissioned=commissioned).too_young(day)) is young


def test_a_young_line_is_not_graded_and_the_portfolio_says_so() -> None:
    plant = two_lines()
    report = report_of(rows_of(plant), plant)
    old, young = report.lines
    assert {one.verdict for one in young.rules} == {"insufficient"}
    assert {one.verdict for one in old.rules} != {"insufficient"}
    assert "commissioned 2026-06-15" in young.rules[0].why
    assert young.rules[0].projected_verdict == "insufficient"
    assert report.portfolio is not None
    assert any("north/B" in one.why for one in report.portfolio.rules)
    assert report.portfolio.production_t == pytest.approx(
        sum(line.production[0].now.value or 0.0 for line in report.lines)
    )


def test_a_figure_without_uncertainty_is_not_graded_and_says_why() -> None:
    rows = {key: value for key, value in rows_of().items() if "_u_" not in key[3]}
    (line,) = report_of(rows).lines
    assert {(one.verdict, one.why) for one in line.rules} == {("insufficient", "without a standard uncertainty")}


def test_a_rule_of_plants_is_graded_on_the_figures_of_the_site() -> None:
    rows = rows_of()
    measured = {"ac_liquid_kwh_t": 12_900.0, "ac_liquid_kwh_t_u": 20.0, "coverage_pct": 99.0}
    portfolio = report_of(rows, sites={"demo": measured}).portfolio
    assert portfolio is not None
    plant = [one for one in portfolio.rules if one.scope == "plant" and one.metric == "ac_ingot"]
    assert {(one.verdict, one.why, one.where) for one in plant} == {("insufficient", "not measured", "Demo smelter")}
    assert len(plant) == 3
    on_site = [one for one in portfolio.rules if one.scope == "plant" and one.metric == "ac_liquid"]
    assert {one.value.value for one in on_site} <= {12_900.0}
