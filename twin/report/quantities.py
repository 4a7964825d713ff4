"""Figures of a book as quantities of the report: NaN becomes None, u becomes an interval, a window its coverage."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo

import numpy as np

from twin.frames import Floats
from twin.kpis import KPIS
from twin.report.book import Book, Course
from twin.report.data import Quantity, Series
from twin.uncertainty import Figure
from twin.units import NS_PER_S
from twin.windows import Window

__all__ = [
    "coverage_of", "elapsed_s", "figure", "known", "listed", "local", "quantity", "series", "unit_of", "with_u",
]  # fmt: skip

_UNIT = {kpi.name: kpi.unit for kpi in KPIS}
# Of a figure that a newer twin wrote and this one has no row for: its name ends with its unit.
_SUFFIX = {"_kwh_t": "kWh/t", "_kwh": "kWh", "_pct": "%", "_yuan_t": "yuan/t", "_t_t": "t/t", "_kg": "kg", "_t": "t"}


def unit_of(name: str) -> str:
    """Unit of a figure by its name.

    >>> unit_of("ac_liquid_kwh_t"), unit_of("loss_bath_kwh_t"), unit_of("metal_t_u")
    ('kWh/t', 'kWh/t', 't')
    """
    plain = name.removesuffix("_u")
    if plain in _UNIT:
        return _UNIT[plain]
    return next((unit for suffix, unit in _SUFFIX.items() if plain.endswith(suffix)), "1")


def known(value: float | None) -> float | None:
    """None for what is not a number."""
    return None if value is None or not math.isfinite(value) else float(value)


def listed(values: Floats) -> list[float | None]:
    """A column with None for what is not known."""
    return [known(value) for value in values.tolist()]


def figure(figures: Mapping[str, float], name: str) -> Figure[float]:
    """Value and standard uncertainty; NaN where not measured."""
    return Figure(figures.get(name, math.nan), figures.get(f"{name}_u", math.nan))


def with_u(found: Figure[float] | None, unit: str) -> Quantity:
    """A figure with its 95 % interval."""
    if found is None or not math.isfinite(found.value):
        return Quantity(unit)
    if not math.isfinite(found.u):
        return Quantity(unit, found.value)
    low, high = found.interval()
    if unit == "%":  # a share ends where it ends
        low, high = max(low, min(found.value, 0.0)), min(high, max(found.value, 100.0))
    return Quantity(unit, found.value, found.u, low, high)


def quantity(figures: Mapping[str, float], name: str) -> Quantity:
    """A figure of the store with its interval, where it has one."""
    return with_u(figure(figures, name), unit_of(name))


def local(time_ns: int, zone: tzinfo) -> str:
    """A moment as ISO 8601 in a zone."""
    return datetime.fromtimestamp(time_ns // NS_PER_S, UTC).astimezone(zone).isoformat()


def series(course: Course, name: str, title: str, zone: tzinfo) -> Series:
    """The course of one figure."""
    starts = [local(window.start_ns, zone) for window in course.windows]
    kind = course.windows[0].kind if course.windows else ""
    return Series(name, title, unit_of(name), kind, starts, listed(course.of(name)), listed(course.of(f"{name}_u")))


def elapsed_s(windows: Sequence[Window], clock_ns: int) -> Floats:
    """How much of each window is over at the clock [s]."""
    return np.array([min(max(clock_ns - w.start_ns, 0), w.end_ns - w.start_ns) / NS_PER_S for w in windows])


def coverage_of(book: Book, clock_ns: int) -> float:
    """Part of the period [%], as far as it is over at the clock, for which there is data.

    The store's own figure is of the time up to the newest data: it does not know of days on which nothing came.
    """
    covered = book.course.of("coverage_pct")
    time = elapsed_s(book.course.windows, clock_ns)
    if np.isfinite(covered).any() and time.sum() > 0.0:
        return float(np.nan_to_num(covered) @ time / time.sum())
    return book.now.get("coverage_pct", 0.0)
