"""Journals of alarms for the tests of the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from tests.report.plants import CLOCK_NS, demo
from twin.adapters.alarm_memory import MemoryBook
from twin.alarms.moved import Transition
from twin.report.alarm_data import AlarmSystemView
from twin.report.alarms import alarm_system, of_lines
from twin.report.period import parse_period

__all__ = ["OCTOBER_NS", "flooded", "journal_of", "october", "told"]

OCTOBER_NS = int(datetime(2026, 9, 30, 16, tzinfo=UTC).timestamp()) * 10**9  # 1 October at the site of the demo plant


def told(at_s: float, unit: str = "demo/A/A001", code: str = "anode_effect", priority: str = "high") -> Transition:
    """An alarm that is told so long after the beginning of October 2026 [s]."""
    time_ns = OCTOBER_NS + round(at_s * 1e9)
    return Transition(
        time_ns, unit, code, "normal", "unacknowledged", "activated", "", "", priority, time_ns, None, None, ""
    )


def journal_of(moved: Iterable[Transition]) -> MemoryBook:
    """A journal in memory."""
    book = MemoryBook()
    book.commit(list(moved), [], b"", OCTOBER_NS)
    return book


def flooded() -> list[Transition]:
    """Before October one; on the 2nd, from 8:00, 15 pots within 5 minutes; on the 3rd and 4th one of low priority."""
    day, eight = 86400.0, 8 * 3600.0
    flood = [told(day + eight + 20 * n, f"demo/A/A{n + 1:03d}") for n in range(15)]
    return [told(-day), *flood, *(told(n * day, "demo/A/A007", "noisy", "low") for n in (2, 3))]


def october(
    moved: Iterable[Transition], positions: Mapping[str, Sequence[str]] | None = None, *, words: str = "2026-10",
    clock_ns: int = CLOCK_NS,
) -> AlarmSystemView:  # fmt: skip
    """What the report of October has of a journal."""
    named = positions or {"demo/A": ["demo/A"]}
    chosen = of_lines(named, list(demo().lines()))
    return alarm_system(journal_of(moved), "alarms.sqlite", chosen, parse_period(words, "--month"), clock_ns)
