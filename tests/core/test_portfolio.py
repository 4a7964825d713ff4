"""Rules above a line: shares of capacity and of energy, and a province's own target."""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np
import pytest

from tests.core.plants import packaged_plan, roster_of
from twin.frames import WindowFigures
from twin.plan import Grade
from twin.plant import Line, Plant, Site
from twin.portfolio import PORTFOLIO, capacity, portfolio_grades

DAY = date(2026, 11, 24)


def figures(kwh_t: float, clean: float, energy: float, coverage: float = 100.0) -> WindowFigures:
    kpis = {"ac_liquid_kwh_t": kwh_t, "clean_share_pct": clean, "ac_energy_kwh": energy, "coverage_pct": coverage}
    values = {name: np.array([value, value]) for name, value in kpis.items()}
    return WindowFigures(
        "month", 0, 1, True, np.array([0, 1], np.int32), values, {"ac_liquid_kwh_t": np.array([5.0, 5.0])}
    )


def graded(*each: WindowFigures, province: str = "", day: date = DAY) -> dict[str, Grade]:
    plant = roster_of(3).plant
    site, line = next(plant.lines())
    owner = msgspec.structs.replace(site, province=province)
    lines: list[tuple[Site, Line]] = []
    for number, size in zip(range(len(each)), (100.0, 300.0, 50.0), strict=False):
        lines.append((owner, msgspec.structs.replace(line, id=f"L{number}", capacity_t_per_year=size)))
    return {g.rule.id: g for g in portfolio_grades(packaged_plan(), plant, lines, each, day, 0.94)}


def test_the_share_of_capacity_is_weighted_by_capacity() -> None:
    found = graded(figures(12900, 30, 1), figures(13100, 30, 1))["benchmark_share"]
    assert found.value == pytest.approx(25.0)
    assert (found.verdict, found.unit, found.rule.scope) == ("fail", PORTFOLIO, "portfolio")
    assert graded(figures(13100, 30, 1), figures(12900, 30, 1))["benchmark_share"].verdict == "pass"


def test_capacity_without_a_figure_counts_as_not_covered() -> None:
    found = graded(figures(12900, 30, 1), figures(12900, 30, 1, coverage=10.0))["benchmark_share"]
    assert found.coverage_pct == pytest.approx(25.0)
    assert found.verdict == "insufficient"


def test_the_clean_share_is_weighted_by_energy_and_its_limit_is_not_met_at_the_limit() -> None:
    assert graded(figures(12900, 20, 3), figures(12900, 60, 1))["clean_share"].verdict == "fail", "above means above"
    assert graded(figures(12900, 20, 3), figures(12900, 61, 1))["clean_share"].verdict == "pass"


def test_a_province_has_its_own_target_for_its_year_alone() -> None:
    found = graded(figures(12900, 25, 1), province="Shandong", day=date(2024, 6, 1))["clean_target_2024"]
    assert (found.rule.limit, found.verdict, found.rule.scope) == (21.0, "pass", "plant")
    assert "clean_target_2025" not in graded(figures(12900, 25, 1), province="Shandong", day=date(2025, 6, 1))


def test_capacity_is_faradays_where_the_plant_file_gives_none() -> None:
    plant: Plant = roster_of(3).plant
    _, line = next(plant.lines())
    assert capacity(plant, msgspec.structs.replace(line, capacity_t_per_year=7.0), 0.94) == 7.0
    bare = msgspec.structs.replace(line, capacity_t_per_year=None)
    assert capacity(plant, bare, 0.94) == pytest.approx(0.0080537 * 500 * 0.94 * 3 * 365, rel=1e-4)
