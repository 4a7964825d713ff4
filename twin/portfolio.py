"""Rules above a single line: the portfolio's share of capacity at benchmark, its clean share, a province's target.

Graded over months and years, from the figures of the lines. A portfolio rule is never a pass or fail of one line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np

from twin.carbon import benchmark_share
from twin.frames import WindowFigures
from twin.kpis import METRICS
from twin.physics.faraday import metal_rate
from twin.plan import Grade, Plan, Rule, grade
from twin.plant import Line, Plant, Site
from twin.uncertainty import Figure
from twin.units import to_si

__all__ = ["PORTFOLIO", "capacity", "portfolio_grades"]

PORTFOLIO = -1  # the unit of a grade of the whole portfolio
_YEAR_S = 365.0 * 86400.0


def capacity(plant: Plant, line: Line, efficiency: float) -> float:
    """Capacity of a line [t/year]: as the plant file says, else Faraday's at the rated current."""
    if line.capacity_t_per_year is not None:
        return line.capacity_t_per_year
    current = to_si(plant.rated_current_ka(line), "kA")
    return metal_rate(current, efficiency) * line.pots * _YEAR_S / 1e3


def portfolio_grades(
    plan: Plan,
    plant: Plant,
    lines: Sequence[tuple[Site, Line]],
    figures: Sequence[WindowFigures],
    day: date,
    efficiency: float,
) -> Iterator[Grade]:
    """Grades over one window; `figures` of the lines in the order of `lines`, all of the same window."""
    window = figures[0].window
    coverage = float(np.mean([figure.kpis["coverage_pct"][0] for figure in figures]))
    for rule in plan.rules:
        if rule.scope != "portfolio" or not rule.valid_on(day):
            continue
        if rule.metric == "benchmark_share":
            found, coverage_pct = _benchmark(plan, plant, lines, figures, efficiency)
        else:
            found, coverage_pct = _weighted(figures, METRICS[rule.metric][1]), coverage
        yield grade(rule, PORTFOLIO, window, found, coverage_pct, plan.minimum_coverage_pct)
    for site in dict.fromkeys(site.id for site, _ in lines):
        mine = [(owner, figure) for (owner, _), figure in zip(lines, figures, strict=True) if owner.id == site]
        target = plan.carbon.clean_target(mine[0][0].province, day.year)
        if target is not None:
            rule = Rule(
                f"clean_target_{target.year}", f"Clean share, {target.province} {target.year}", "clean_share",
                target.limit_pct, "%", "at_least", "plant", target.source, target.sure,
            )  # fmt: skip
            found = _weighted([figure for _, figure in mine], "clean_share_pct")
            yield grade(rule, PORTFOLIO, window, found, coverage, plan.minimum_coverage_pct)


def _weighted(figures: Sequence[WindowFigures], kpi: str) -> Figure[float]:
    """Mean of a line KPI by metered AC; as reported, without an uncertainty of its own."""
    if not kpi or any(kpi not in figure.kpis for figure in figures):
        return Figure(math.nan, math.nan)
    energy = np.array([figure.kpis["ac_energy_kwh"][0] for figure in figures])
    value = np.array([figure.kpis[kpi][0] for figure in figures])
    whole = float(energy.sum())
    return Figure(float((energy * value).sum()) / whole, 0.0) if whole > 0 else Figure(math.nan, math.nan)


def _benchmark(
    plan: Plan, plant: Plant, lines: Sequence[tuple[Site, Line]], figures: Sequence[WindowFigures], efficiency: float
) -> tuple[Figure[float], float]:
    """Share [%] with its uncertainty, and the part of capacity [%] for which there is a figure."""
    if not plan.benchmark_rule:
        return Figure(math.nan, math.nan), 0.0
    rule = plan.rule(plan.benchmark_rule)
    kpi = METRICS[rule.metric][1]
    found = [Figure(float(figure.kpis[kpi][0]), float(figure.u[kpi][0])) for figure in figures]
    enough = [figure.kpis["coverage_pct"][0] >= plan.minimum_coverage_pct for figure in figures]
    share = benchmark_share(
        np.array([capacity(plant, line, efficiency) for _, line in lines]),
        np.array([one.value if seen else math.nan for one, seen in zip(found, enough, strict=True)]),
        np.array([one.probability_at_most(rule.limit) for one in found]),
        rule.limit,
    )
    return Figure(100.0 * share.measured, 100.0 * share.u), 100.0 * (1.0 - share.unknown)
