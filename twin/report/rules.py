"""The rules of the plan, each by itself: verdict, trend, and what the period will end with."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from msgspec.structs import replace

from twin.frames import WindowFigures
from twin.kpis import KPIS, METRICS
from twin.plan import Grade, Plan, Rule, grade
from twin.plant import YOUNG_MONTHS, Line, Plant, Site
from twin.portfolio import portfolio_grades
from twin.report.book import Book
from twin.report.data import RuleView, Trend
from twin.report.period import day_of
from twin.report.quantities import coverage_of, elapsed_s, figure, known, with_u
from twin.report.trend import projection, slope
from twin.uncertainty import Figure
from twin.verdict import judge

__all__ = ["portfolio_rules", "rule_views", "site_rules"]

WEIGHT = "metal_t"
NOBODY = 0  # a grade of the report is of no roster unit


def _view(found: Grade, **more: object) -> RuleView:
    rule = found.rule
    view = RuleView(
        rule.id, rule.title, rule.metric, rule.scope, rule.sense, rule.limit,
        with_u(Figure(found.value, found.u), rule.unit), known(found.margin), known(found.probability),
        found.coverage_pct, found.verdict, found.why, rule.source, rule.sure,
    )  # fmt: skip
    return replace(view, **more)


def rule_views(book: Book, plan: Plan, clock_ns: int) -> list[RuleView]:
    """The plan's rules of a line that hold on the last day of the period, or on the day of the clock if it goes on."""
    day = day_of(min(book.window.end_ns - 1, clock_ns), book.site)
    young, coverage = book.line.too_young(day), coverage_of(book, clock_ns)
    return [
        _rule_view(book, rule, coverage, plan.minimum_coverage_pct, young, clock_ns)
        for rule in plan.rules
        if rule.graded_at("line") and rule.valid_on(day)
    ]


def _rule_view(book: Book, rule: Rule, coverage: float, minimum: float, young: str, clock_ns: int) -> RuleView:
    name = METRICS[rule.metric][1]
    value = figure(book.now, name) if name else Figure(math.nan, math.nan)
    found = grade(rule, NOBODY, book.window.kind, value, coverage, minimum)
    view = _view(found)
    if young:
        view = replace(view, verdict="insufficient", why=young)
    elif view.verdict == "insufficient" and not view.why:
        view = replace(view, why="without a standard uncertainty")
    if not name:
        return view
    course, weight = book.course.of(name), book.course.of(WEIGHT)
    if not np.isfinite(weight).any():
        weight = np.ones(len(weight))
    trend = slope(course, weight)
    kind = book.course.windows[0].kind
    left = len(book.course.windows) - float(elapsed_s(book.course.windows, clock_ns).sum()) / _length(book)
    end = projection(value, course, weight, left if left > 1e-6 else 0.0)
    view = replace(
        view,
        trend=None if trend is None else Trend(trend.value, trend.u, kind, trend.points, trend.p),
        projected=None if end is None else with_u(end, rule.unit),
    )
    if end is None or not math.isfinite(end.u):
        return view
    judged = judge(end, rule.limit, rule.sense, sufficient=found.verdict != "insufficient" and not young)
    return replace(view, projected_probability=known(judged.probability), projected_verdict=judged.status)


def _length(book: Book) -> float:
    """Mean length of the windows of the course [s]."""
    return (book.window.end_ns - book.window.start_ns) / 1e9 / len(book.course.windows)


def portfolio_rules(plan: Plan, plant: Plant, books: list[Book], efficiency: float, clock_ns: int) -> list[RuleView]:
    """Rules of the portfolio and of the provinces, over the figures of all lines."""
    lines: list[tuple[Site, Line]] = [(book.site, book.line) for book in books]
    day = day_of(min(books[0].window.end_ns - 1, clock_ns), books[0].site)
    figures = [_as_window(book, clock_ns) for book in books]
    views = [_view(found) for found in portfolio_grades(plan, plant, lines, figures, day, efficiency)]
    young = [book.path for book in books if book.line.too_young(day)]
    if young:
        note = f"with {', '.join(young)}, commissioned less than {YOUNG_MONTHS} months ago"
        views = [replace(view, why=f"{view.why}; {note}" if view.why else note) for view in views]
    return views


def site_rules(
    plan: Plan, books: list[Book], sites: Mapping[str, Mapping[str, float]], clock_ns: int
) -> list[RuleView]:
    """Rules of whole plants, for each site; `sites`: the figures of those that the store has.

    A rule that is of lines in the first place is graded here only where there are figures of the site.
    """
    views = []
    for site in {book.site.id: book.site for book in books}.values():
        mine, figures = [book for book in books if book.site.id == site.id], sites.get(site.id, {})
        day = day_of(min(mine[0].window.end_ns - 1, clock_ns), site)
        coverage = min(
            float(np.mean([coverage_of(book, clock_ns) for book in mine])), figures.get("coverage_pct", 100.0)
        )
        for rule in plan.rules:
            name = METRICS[rule.metric][1]
            also = "plant" in rule.also and name in figures
            if rule.valid_on(day) and (rule.scope == "plant" or also):
                value = figure(figures, name) if name else Figure(math.nan, math.nan)
                found = grade(rule, NOBODY, mine[0].window.kind, value, coverage, plan.minimum_coverage_pct)
                views.append(replace(_view(found), scope="plant", where=site.title or site.id))
    return views


def _as_window(book: Book, clock_ns: int) -> WindowFigures:
    """The line's figures in the shape that the portfolio's rules take."""
    named = dict(book.now) | {"coverage_pct": coverage_of(book, clock_ns)}
    kpis = {kpi.name: np.array([named.get(kpi.name, np.nan)]) for kpi in KPIS}
    u = {kpi.name: np.array([named.get(f"{kpi.name}_u", np.nan)]) for kpi in KPIS}
    window = book.window
    return WindowFigures(window.kind, window.start_ns, window.end_ns, False, np.zeros(1, np.int32), kpis, u)
