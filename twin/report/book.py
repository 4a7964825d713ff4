"""Everything that the store holds of one line over one period, read once, in arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from twin.frames import Floats, Ints
from twin.plant import Line, Site
from twin.report.period import FINER, POT_FINER, Period, parts, span
from twin.report.source import FigureStore, Table
from twin.units import NS_PER_S
from twin.windows import Calendar, Window

__all__ = ["LINE", "POT", "Book", "Course", "read_book", "read_site", "strip_kind"]

LINE, POT, SITE, EVENT = "twin_line", "twin_pot", "twin_site", "event"
PAGE_POTS = 40_000  # pot figures read at once: a page a second or so
Say = Callable[[int, str], None]
_LOOK_BACK_NS = 7 * 86400 * NS_PER_S  # faults that began before the period and go on


@dataclass(frozen=True, slots=True)
class Course:
    """Figures of the windows that make up a period; `values` name -> (windows,), NaN = none."""

    windows: tuple[Window, ...] = ()
    values: Mapping[str, Floats] = field(default_factory=dict)

    def of(self, name: str) -> Floats:
        """One figure (windows,)."""
        return self.values.get(name, np.full(len(self.windows), np.nan))


@dataclass(frozen=True, slots=True)
class Book:
    """One line. Figures by KPI name without window, `<name>_u` their standard uncertainties; absent = not measured.

    pots (pots,) paths; of_pots name -> (pots,); pot_course (pots, windows of `pot_windows`) of the metric that pots are
    compared by, line_course the line's own; faults: rows of the events (time, path, fault, began).
    """

    site: Site
    line: Line
    path: str
    window: Window
    before_window: Window
    now: Mapping[str, float]
    before: Mapping[str, float]
    course: Course
    before_course: Course
    pots: tuple[str, ...]
    of_pots: Mapping[str, Floats]
    pot_windows: tuple[Window, ...]
    pot_course: Floats
    line_course: Floats
    faults: tuple[tuple[int, str, str, bool], ...]

    @property
    def empty(self) -> bool:
        """True where the store has no figure of this period."""
        return not self.now and not np.isfinite(self.course.of("coverage_pct")).any()

    def pot(self, name: str) -> Floats:
        """One figure of the pots (pots,)."""
        return self.of_pots.get(name, np.full(len(self.pots), np.nan))


def strip_kind(field_name: str, kind: str) -> str:
    """Name of a figure without its window: `metal_t_day` -> `metal_t`."""
    return field_name.removesuffix(f"_{kind}")


async def read_book(
    store: FigureStore, site: Site, line: Line, period: Period, baseline: Period, metric: str, say: Say
) -> Book:
    """Read one line; `metric`: the KPI whose course is read of every pot; `say` is told how far it has come."""
    calendar, path = Calendar(site), f"{site.id}/{line.id}"
    window, before = span(period, calendar), span(baseline, calendar)
    say(window.start_ns, f"{path}: the line")
    course = await _course(store, path, window, FINER[period.kind], calendar)
    before_course = await _course(store, path, before, FINER[baseline.kind], calendar)
    now, then = await _figures(store, path, window), await _figures(store, path, before)
    say(window.start_ns, f"{path}: its pots")
    pots, of_pots = await _pots(store, path, line, window)
    windows = tuple(parts(window, POT_FINER[period.kind], calendar))
    pot_course = await _pot_course(store, path, pots, windows, f"{metric}_{POT_FINER[period.kind]}", say)
    line_course = await _line_course(store, path, windows, f"{metric}_{POT_FINER[period.kind]}")
    faults = await _faults(store, path, window)
    return Book(
        site, line, path, window, before, now, then, course, before_course, pots, of_pots, windows, pot_course,
        line_course, faults,
    )  # fmt: skip


async def read_site(store: FigureStore, site: Site, period: Period) -> dict[str, float]:
    """Figures of a whole site over a period, by name without window; empty where the store has none."""
    return await _figures(store, site.id, span(period, Calendar(site)), SITE)


async def _names(store: FigureStore, measurement: str, kind: str) -> list[str]:
    return sorted(name for name in await store.fields(measurement) if name.endswith(f"_{kind}"))


async def _figures(store: FigureStore, path: str, window: Window, measurement: str = LINE) -> dict[str, float]:
    """Figures of a unit over one window; only those that there are."""
    names = await _names(store, measurement, window.kind)
    table = await store.read(measurement, names, window.start_ns, window.start_ns + 1, path)
    rows = [row for row, unit in enumerate(table.path) if unit == path]
    if not rows:
        return {}
    found = {strip_kind(name, window.kind): float(table.columns[name][rows[0]]) for name in names}
    return {name: value for name, value in found.items() if np.isfinite(value)}


async def _course(store: FigureStore, path: str, window: Window, kind: str, calendar: Calendar) -> Course:
    windows = tuple(parts(window, kind, calendar))
    names = await _names(store, LINE, kind)
    table = await store.read(LINE, names, window.start_ns, window.end_ns, path)
    row_of = _rows(table, path)
    values = {}
    for name in names:
        column = table.columns[name]
        values[strip_kind(name, kind)] = np.array([column[row_of[w.start_ns]] if w.start_ns in row_of else np.nan
                                                   for w in windows])  # fmt: skip
    return Course(windows, values)


def _rows(table: Table, path: str) -> dict[int, int]:
    return {time: row for row, (time, unit) in enumerate(zip(table.time_ns.tolist(), table.path, strict=True))
            if unit == path}  # fmt: skip


async def _pots(store: FigureStore, path: str, line: Line, window: Window) -> tuple[tuple[str, ...], dict[str, Floats]]:
    """Pots of the plant file and those that the store has besides, with their figures."""
    names = await _names(store, POT, window.kind)
    table = await store.read(POT, names, window.start_ns, window.start_ns + 1, path)
    planned = [f"{path}/{pot}" for pot in line.pot_ids()]
    pots = (*planned, *sorted(set(table.path) - set(planned)))
    place = {pot: row for row, pot in enumerate(table.path)}
    found = {}
    for name in names:
        column = table.columns[name]
        values = np.array([column[place[pot]] if pot in place else np.nan for pot in pots])
        if np.isfinite(values).any():
            found[strip_kind(name, window.kind)] = values
    return pots, found


async def _pot_course(
    store: FigureStore, path: str, pots: Sequence[str], windows: Sequence[Window], name: str, say: Say
) -> Floats:
    """A figure of every pot over the windows (pots, windows), a page after the other."""
    out = np.full((len(pots), len(windows)), np.nan)
    row_of, column_of = {pot: row for row, pot in enumerate(pots)}, {w.start_ns: c for c, w in enumerate(windows)}
    step = max(PAGE_POTS // max(len(pots), 1), 1)
    for first in range(0, len(windows), step):
        page = windows[first : first + step]
        table = await store.read(POT, [name], page[0].start_ns, page[-1].end_ns, path)
        times: Ints = table.time_ns
        for time, unit, value in zip(times.tolist(), table.path, table.columns[name].tolist(), strict=True):
            if unit in row_of and time in column_of:
                out[row_of[unit], column_of[time]] = value
        say(page[-1].end_ns, f"{path}: the course of its pots")
    return out


async def _line_course(store: FigureStore, path: str, windows: Sequence[Window], name: str) -> Floats:
    """The line's own figure over the windows of its pots."""
    table = await store.read(LINE, [name], windows[0].start_ns, windows[-1].end_ns, path)
    row_of = _rows(table, path)
    return np.array([table.columns[name][row_of[w.start_ns]] if w.start_ns in row_of else np.nan for w in windows])


async def _faults(store: FigureStore, path: str, window: Window) -> tuple[tuple[int, str, str, bool], ...]:
    names = sorted(name for name in await store.fields(EVENT) if name.startswith("fault_"))
    table = await store.read(EVENT, names, window.start_ns - _LOOK_BACK_NS, window.end_ns, path)
    found = []
    for name in names:
        column = table.columns[name]
        for row in np.flatnonzero(np.isfinite(column)).tolist():
            code = name.removeprefix("fault_")
            found.append((int(table.time_ns[row]), table.path[row], code, bool(column[row] > 0.5)))
    return tuple(sorted(found))
