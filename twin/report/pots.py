"""Pots by their excess over the line, with where the excess is; and the faults of the period."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping

import numpy as np

from twin.faults import FAULTS
from twin.frames import Floats
from twin.report.book import Book
from twin.report.data import FaultView, PotView
from twin.report.losses import pot_excess
from twin.report.quantities import known, listed, unit_of, with_u
from twin.uncertainty import Figure
from twin.units import NS_PER_S

__all__ = ["fault_views", "pot_views"]

LARGEST = 3  # terms told of a pot
WORTH_TELLING = 5.0  # kWh/t: less is rounding and chance
_TITLE = {fault.code: fault.title for fault in FAULTS}


def title_of(code: str) -> str:
    """A fault in words, also one that this version has no row for."""
    return _TITLE.get(code, code.replace("_", " ").capitalize())


def pot_views(book: Book, metric: str) -> list[PotView]:
    """Every pot of the line, the largest excess first, those without a figure last."""
    value, weight = book.pot(metric), book.pot("metal_t")
    excess = value - book.now.get(metric, math.nan)
    terms, faults = pot_excess(book.of_pots, weight), _by_pot(book)
    order = np.lexsort((np.arange(len(excess)), -np.nan_to_num(excess, nan=-np.inf)))
    return [_pot(book, metric, row, float(excess[row]), terms, faults) for row in order.tolist()]


def _pot(
    book: Book, metric: str, row: int, excess: float, terms: Mapping[str, Floats], faults: Mapping[str, Counter[str]]
) -> PotView:
    path = book.pots[row]
    name = path.rsplit("/", 1)[1]
    ids = book.line.pot_ids()
    above = sorted(((title, float(of[row])) for title, of in terms.items() if of[row] >= WORTH_TELLING),
                   key=lambda pair: -pair[1])  # fmt: skip
    return PotView(
        id=name,
        section=book.line.section_of(ids.index(name)) if name in ids else 0,
        kwh_t=with_u(Figure(float(book.pot(metric)[row]), float(book.pot(f"{metric}_u")[row])), unit_of(metric)),
        excess_kwh_t=known(excess),
        largest=above[:LARGEST],
        anode_effects_per_day=known(book.pot("anode_effects_per_day")[row]),
        anode_effect_s_per_day=known(book.pot("anode_effect_s_per_day")[row]),
        efficiency_pct=known(book.pot("efficiency_pct")[row]),
        coverage_pct=known(book.pot("coverage_pct")[row]),
        faults=[f"{title_of(code)} ×{count}" for code, count in faults.get(path, Counter()).most_common()],
        course=listed(book.pot_course[row]),
    )


def _by_pot(book: Book) -> dict[str, Counter[str]]:
    """How often each fault began in the period, by pot."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for time, path, code, began in book.faults:
        if began and time >= book.window.start_ns:
            counts[path][code] += 1
    return counts


def fault_views(book: Book, clock_ns: int) -> list[FaultView]:
    """The faults of the period: beginnings, pots concerned, and how long they stood within it."""
    start, end = book.window.start_ns, min(book.window.end_ns, clock_ns)
    stood: dict[str, float] = defaultdict(float)
    since: dict[tuple[str, str], int] = {}
    for time, path, code, began in book.faults:
        if began:
            since.setdefault((path, code), time)
        else:
            # An end without a beginning: it had begun before what was read.
            at = since.pop((path, code), start)
            stood[code] += max(min(time, end) - max(at, start), 0)
    for (_, code), at in since.items():
        stood[code] += max(end - max(at, start), 0)
    began_at = _by_pot(book)
    views = []
    for code in sorted(stood, key=lambda one: (-stood[one], one)):
        pots = [path for path, counts in began_at.items() if counts[code]]
        count = sum(counts[code] for counts in began_at.values())
        if count or stood[code]:
            views.append(FaultView(code, title_of(code), count, len(pots), stood[code] / NS_PER_S / 3600.0))
    return views
