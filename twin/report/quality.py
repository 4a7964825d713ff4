"""How good the data is: coverage by window, the difference of the meters, and what is missing."""

from __future__ import annotations

from datetime import datetime, tzinfo

import numpy as np

from twin.kpis import KPIS
from twin.plan import Plan
from twin.report.book import Book
from twin.report.data import CoverageView, Missing
from twin.report.quantities import coverage_of, elapsed_s, known, listed, local
from twin.units import NS_PER_S
from twin.windows import Window

__all__ = ["coverage_view", "missing"]

SHOWN = 8  # units or windows named before "and n more"


def coverage_view(book: Book, plan: Plan, clock_ns: int) -> CoverageView:
    """Coverage and meter difference over the course."""
    course = book.course
    return CoverageView(
        [local(window.start_ns, book.site.zone()) for window in course.windows],
        course.windows[0].kind,
        listed(course.of("coverage_pct")),
        listed(course.of("dc_difference_pct")),
        plan.minimum_coverage_pct,
        coverage_of(book, clock_ns),
        known(book.now.get("dc_difference_pct")),
    )


def missing(book: Book, plan: Plan, clock_ns: int) -> list[Missing]:
    """What is not there, most important first."""
    found = [*_windows(book, plan, clock_ns), *_pots(book, plan), *_meters(book)]
    absent = [kpi for kpi in KPIS if book.window.kind in kpi.windows and kpi.name not in book.now]
    losses = [kpi for kpi in absent if kpi.name.startswith("loss_")]
    plain = [kpi.name for kpi in absent if kpi not in losses]
    if plain:
        found.append(Missing(f"Not measured: {', '.join(plain)}", "shown as not measured, and no rule is graded on it"))
    if losses:
        found.append(Missing(f"{len(losses)} terms of the loss tree", "the state of the pots was not estimated"))
    if not book.before and not book.empty:
        found.append(Missing("Figures of the baseline period", "changes against it are not told"))
    return found


def _windows(book: Book, plan: Plan, clock_ns: int) -> list[Missing]:
    windows = book.course.windows
    past = elapsed_s(windows, clock_ns) > 0.0
    covered = np.nan_to_num(book.course.of("coverage_pct"))
    kind, zone = windows[0].kind, book.site.zone()
    none = [window for window, c, over in zip(windows, covered, past, strict=True) if over and c <= 0.0]
    few = [
        window
        for window, c, over in zip(windows, covered, past, strict=True)
        if over and 0.0 < c < plan.minimum_coverage_pct
    ]
    found = []
    if none:
        found.append(
            Missing(f"{_count(none, kind)} without figures: {_named(none, kind, zone)}", "counted as not covered")
        )
    if few:
        limit = f"{plan.minimum_coverage_pct:.0f} %"
        found.append(Missing(
            f"{_count(few, kind)} covered less than {limit}: {_named(few, kind, zone)}", "figures of the time seen"
        ))  # fmt: skip
    return found


def _count(windows: list[Window], kind: str) -> str:
    return f"{len(windows)} {kind}{'' if len(windows) == 1 else 's'}"


def _named(windows: list[Window], kind: str, zone: tzinfo) -> str:
    def said(window: Window) -> str:
        moment = datetime.fromtimestamp(window.start_ns / NS_PER_S, zone)
        return f"{moment:%H:%M}" if kind == "hour" else f"{moment.day} {moment:%b}"

    return _some([said(window) for window in windows])


def _some(names: list[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _pots(book: Book, plan: Plan) -> list[Missing]:
    covered = book.pot("coverage_pct")
    names = [path.rsplit("/", 1)[1] for path in book.pots]
    silent = [name for name, c in zip(names, covered, strict=True) if not c > 0.0]
    few = [name for name, c in zip(names, covered, strict=True) if 0.0 < c < plan.minimum_coverage_pct]
    found = []
    if silent:
        found.append(
            Missing(f"No figures: {_who(silent, names)}", "not in the list of pots; the line's own meters still count")
        )
    if few:
        found.append(Missing(
            f"{_who(few, names)} covered less than {plan.minimum_coverage_pct:.0f} %",
            "their excess may be chance",
        ))  # fmt: skip
    return found


def _who(some: list[str], names: list[str]) -> str:
    return "Every pot" if len(some) == len(names) else f"{len(some)} of {len(names)} pots ({_some(some)})"


def _meters(book: Book) -> list[Missing]:
    difference = book.now.get("dc_difference_pct")
    if difference is None:
        return [Missing("The DC meter", "DC is voltage times current alone, without a cross-check")]
    line = book.line
    allowed = line.current_class_pct + line.voltage_class_pct + line.dc_meter.accuracy_class
    if abs(difference) <= allowed:
        return []
    return [Missing(
        f"DC by voltage and current differs from the DC meter by {difference:+.2f} %",
        f"more than the classes of the instruments together, {allowed:.2g} %: check them",
    )]  # fmt: skip
