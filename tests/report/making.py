"""A report made in memory, as the command makes it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from tests.report.plants import CLOCK_NS, demo, packaged_plan
from tests.report.story import Story, tell
from twin.adapters.figures import MemoryFigures
from twin.plant import Plant
from twin.report.alarm_data import AlarmSystemView
from twin.report.book import Book, read_book
from twin.report.compose import Made, compose, pot_metric
from twin.report.data import PeriodReport, SettingView
from twin.report.period import parse_period

__all__ = ["books_of", "report_of", "rows_of"]

Values = Mapping[tuple[str, str, int, str], float]
NO_JOURNAL = AlarmSystemView("there is no file alarms.sqlite", "alarms.sqlite", None, [])


def rows_of(plant: Plant | None = None, story: Story | None = None) -> dict[tuple[str, str, int, str], float]:
    """The story of every line of a plant."""
    rows: dict[tuple[str, str, int, str], float] = {}
    for site, line in (plant or demo()).lines():
        rows |= tell(site, line, story)
    return rows


def books_of(values: Values, plant: Plant | None = None, words: str = "2026-10", baseline: str = "") -> list[Book]:
    """What is read of every line of a plant."""
    period = parse_period(words, "--period")
    before = parse_period(baseline, "--baseline") if baseline else period.before()
    store, metric = MemoryFigures(values), pot_metric(packaged_plan())

    async def read() -> list[Book]:
        return [
            await read_book(store, site, line, period, before, metric, lambda _time, _text: None)
            for site, line in (plant or demo()).lines()
        ]

    return asyncio.run(read())


def report_of(
    values: Values,
    plant: Plant | None = None,
    words: str = "2026-10",
    *,
    baseline: str = "",
    clock_ns: int = CLOCK_NS,
    sites: Mapping[str, Mapping[str, float]] | None = None,
    alarms: AlarmSystemView = NO_JOURNAL,
) -> PeriodReport:
    """The report over what is stored."""
    of, period = plant or demo(), parse_period(words, "--period")
    before = parse_period(baseline, "--baseline") if baseline else period.before()
    settings = (SettingView("plan.file", "china-2025-2027", "", "default"),)
    made = Made("0.1.0", clock_ns, f"twin report --month {words}", "memory", settings, 0.94)
    books = books_of(values, of, words, baseline)
    return compose(of, packaged_plan(), period, before, books, made, alarms=alarms, whole=True, sites=sites)
