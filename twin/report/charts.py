"""Courses drawn: a line with its interval and the plan's limits, the CUSUM, coverage, a margin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from twin.report.data import CoverageView, CusumView, RuleView, Series
from twin.report.svg import Drawing, apart, nice_ticks, runs
from twin.report.words import moment, number, short_day

__all__ = ["course", "coverage", "cusum", "margin", "near", "spark"]

WIDE, NARROW = 880.0, 340.0
K95 = 1.959964
Number = float | None


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where a chart draws: its box, the range of y, and how many places x has."""

    left: float
    right: float
    top: float
    bottom: float
    low: float
    high: float
    count: int

    def x(self, place: float) -> float:
        """Middle of a window."""
        return self.left + (place + 0.5) / self.count * (self.right - self.left)

    def y(self, value: float) -> float:
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)


def _both(draw: Callable[[float], Markup]) -> Markup:
    """The same chart for wide and for narrow pages."""
    return draw(WIDE) + draw(NARROW)


def _kind(width: float) -> str:
    return "wide" if width == WIDE else "narrow"


def _x_labels(drawing: Drawing, plot: _Plot, starts: Sequence[str], window: str) -> None:
    """Hours, days of the month, or months, as many as fit."""
    every = max(round(plot.count / ((plot.right - plot.left) / 46.0)), 1)
    for place, text in enumerate(starts):
        at = moment(text)
        if window == "hour":
            if at.hour % max(every, 2) == 0:
                drawing.text(plot.x(place), plot.bottom + 17, f"{at:%H}", "tick", "middle")
        elif plot.count > 62:
            if at.day == 1 and (plot.right - plot.left > 400 or at.month % 3 == 1):
                drawing.line(plot.x(place), plot.bottom, plot.x(place), plot.bottom + 4, "axis")
                drawing.text(plot.x(place) + 2, plot.bottom + 17, f"{at:%b}", "tick")
        elif (at.day - 1) % (2 if every <= 2 else 5) == 0 and (at.day == 1 or every <= 2 or at.day < 30):
            label = short_day(text) if at.day == 1 else str(at.day)
            drawing.text(plot.x(place), plot.bottom + 17, label, "tick", "middle")


def _y_axis(drawing: Drawing, plot: _Plot, ticks: Sequence[float], digits: int = 0) -> None:
    for tick in ticks:
        drawing.line(plot.left, plot.y(tick), plot.right, plot.y(tick), "grid")
        drawing.text(plot.left - 8, plot.y(tick) + 4, number(tick, digits), "tick", "end")


def course(series: Series, limits: Sequence[float], coverage: Sequence[Number], least: float, title: str) -> Markup:
    """A figure over the windows of the period, with its 95 % band and the plan's limits."""
    if not any(value is not None for value in series.value):
        return Markup("")
    half = [None if u is None or v is None else K95 * u for v, u in zip(series.value, series.u, strict=True)]
    ends = [v + s * (h or 0.0) for v, h in zip(series.value, half, strict=True) if v is not None for s in (-1, 1)]
    ticks = nice_ticks(min([*ends, *limits]), max([*ends, *limits]), 5)

    def draw(width: float) -> Markup:
        height = 250.0 if width == WIDE else 230.0
        plot = _Plot(52, width - 62, 10, height - 26, ticks[0], ticks[-1], len(series.value))
        drawing = Drawing(width, height, title)
        _y_axis(drawing, plot, ticks)
        _x_labels(drawing, plot, series.starts, series.window)
        for first, end in runs(half):
            upper = [(plot.x(n), plot.y((series.value[n] or 0.0) + (half[n] or 0.0))) for n in range(first, end)]
            lower = [(plot.x(n), plot.y((series.value[n] or 0.0) - (half[n] or 0.0))) for n in range(first, end)]
            drawing.path([*_wide_enough(upper), *_wide_enough(lower[::-1], -1.0)], "band", closed=True)
        places = apart([plot.y(limit) for limit in limits], 13.0, plot.top + 4, plot.bottom)
        for limit, label in zip(limits, places, strict=True):
            drawing.line(plot.left, plot.y(limit), plot.right, plot.y(limit), "limit")
            drawing.line(plot.right, plot.y(limit), plot.right + 8, label, "lead-line")
            drawing.text(plot.right + 11, label + 4, number(limit), "limit-text")
        _points(drawing, plot, series, coverage, least)
        return drawing.markup(_kind(width))

    return _both(draw)


def near(limits: Sequence[float], low: float, high: float) -> list[float]:
    """The limits worth drawing: those that lie about as close to the figures as these spread, else the closest one."""
    reach = 0.8 * (high - low)
    close = [limit for limit in limits if low - reach <= limit <= high + reach]
    return close or sorted(limits, key=lambda limit: min(abs(limit - low), abs(limit - high)))[:1]


def _wide_enough(points: list[tuple[float, float]], direction: float = 1.0) -> list[tuple[float, float]]:
    """A single window still has a band that can be seen."""
    if len(points) > 1:
        return points
    return [(points[0][0] - 3 * direction, points[0][1]), (points[0][0] + 3 * direction, points[0][1])]


def _points(drawing: Drawing, plot: _Plot, series: Series, coverage: Sequence[Number], least: float) -> None:
    """The line, and a dot a window where there is room; hollow where too little was seen."""
    for first, end in runs(series.value):
        drawing.path([(plot.x(n), plot.y(series.value[n] or 0.0)) for n in range(first, end)], "course")
    if plot.count > 62:
        return
    for n, value in enumerate(series.value):
        if value is not None:
            seen = coverage[n] if n < len(coverage) else None
            kind = "dot hollow" if seen is not None and seen < least else "dot"
            tip = f"{short_day(series.starts[n])} {moment(series.starts[n]):%H:%M}: {number(value)} {series.unit}"
            drawing.dot(plot.x(n), plot.y(value), 2.6, kind, tip)


def cusum(view: CusumView, title: str) -> Markup:
    """Running sum of energy less expected [MWh], shaded, with the days on which a change is taken as real."""
    total = [None if value is None else value / 1000.0 for value in view.total_kwh]
    known = [value for value in total if value is not None]
    if not known:
        return Markup("")
    ticks = nice_ticks(min(0.0, *known), max(0.0, *known), 4)

    def draw(width: float) -> Markup:
        height = 190.0
        plot = _Plot(52, width - 12, 18, height - 26, ticks[0], ticks[-1], len(total))
        drawing = Drawing(width, height, title)
        digits = 0 if ticks[1] - ticks[0] >= 1.0 else 1
        _y_axis(drawing, plot, ticks, digits)
        drawing.line(plot.left, plot.y(0.0), plot.right, plot.y(0.0), "axis")
        _x_labels(drawing, plot, view.starts, "day")
        for first, end in runs(total):
            points = [(plot.x(n), plot.y(total[n] or 0.0)) for n in range(first, end)]
            drawing.path([(points[0][0], plot.y(0.0)), *points, (points[-1][0], plot.y(0.0))], "band", closed=True)
            drawing.path(points, "course")
        _alarms(drawing, plot, total, view)
        return drawing.markup(_kind(width))

    return _both(draw)


def _alarms(drawing: Drawing, plot: _Plot, total: Sequence[Number], view: CusumView) -> None:
    """A dot and its day where a change is first taken as real; a stretch of such days has one."""
    before = ""
    for n, (value, alarm) in enumerate(zip(total, view.alarm, strict=True)):
        if value is not None and alarm and alarm != before:
            drawing.dot(plot.x(n), plot.y(value), 4.0, f"alarm-{alarm}")
            y = plot.y(value) + (16 if alarm == "worse" else -9)  # where the line does not go
            drawing.text(plot.x(n) + 7, y, f"{alarm} from {short_day(view.starts[n])}", "tick")
        before = alarm if value is not None else before


def coverage(view: CoverageView, title: str) -> Markup:
    """A bar a window, with the coverage below which nothing is graded."""

    def draw(width: float) -> Markup:
        height = 112.0
        plot = _Plot(52, width - 62, 8, height - 26, 0.0, 100.0, len(view.starts))
        drawing = Drawing(width, height, title)
        for tick in (0.0, 50.0, 100.0):
            drawing.line(plot.left, plot.y(tick), plot.right, plot.y(tick), "grid")
            drawing.text(plot.left - 8, plot.y(tick) + 4, f"{tick:.0f} %", "tick", "end")
        bar = max((plot.right - plot.left) / plot.count - 2.0, 1.0)
        for n, value in enumerate(view.coverage_pct):
            x = plot.x(n) - bar / 2
            if value is None:
                drawing.rect(
                    x, plot.top, bar, plot.bottom - plot.top, "none", f"{short_day(view.starts[n])}: no figures"
                )
            else:
                kind = "few" if value < view.minimum_pct else "seen"
                tip = f"{short_day(view.starts[n])} {moment(view.starts[n]):%H:%M}: {value:.0f} %"
                drawing.rect(x, plot.y(min(value, 100.0)), bar, plot.bottom - plot.y(min(value, 100.0)), kind, tip)
        drawing.line(plot.left, plot.y(view.minimum_pct), plot.right, plot.y(view.minimum_pct), "limit")
        drawing.text(plot.right + 11, plot.y(view.minimum_pct) + 4, f"{view.minimum_pct:.0f} %", "limit-text")
        _x_labels(drawing, plot, view.starts, view.window)
        return drawing.markup(_kind(width))

    return _both(draw)


def margin(rule: RuleView, reach: float) -> Markup:
    """How far a figure is on the good side (right) of its limit, with its 95 % interval; `reach` at the edge."""
    width, height, middle = 132.0, 18.0, 66.0
    drawing = Drawing(width, height, f"margin {number(rule.margin, sign=True)}")
    drawing.line(0, height / 2, width, height / 2, "grid")
    if rule.margin is not None and rule.value.value is not None:
        half = K95 * (rule.value.u or 0.0)
        zoom = (middle - 4) / max(reach, 1e-9)
        x = middle + rule.margin * zoom
        if abs(rule.margin) > reach:  # beyond the drawing: an arrow
            tip, way = (width, -7.0) if rule.margin > 0 else (0.0, 7.0)
            drawing.path([(tip, 9.0), (tip + way, 5.0), (tip + way, 13.0)], f"at {rule.verdict}", closed=True)
        else:
            low, high = max(x - half * zoom, 0.0), min(x + half * zoom, width)
            drawing.rect(low, 5, high - low, 8, f"interval {rule.verdict}")
            drawing.dot(x, height / 2, 3.2, f"at {rule.verdict}")
    drawing.line(middle, 0, middle, height, "limit-at")
    return drawing.markup("gauge")


def spark(values: Sequence[Number], line: Sequence[Number], low: float, high: float) -> Markup:
    """The course of a pot, over that of its line in grey."""
    plot = _Plot(1, 109, 2, 22, low, max(high, low + 1.0), max(len(values), 1))
    drawing = Drawing(110, 24, "course over the period")
    for kind, column in (("ghost", line if len(line) == len(values) else []), ("course", values)):
        for first, end in runs(column):
            drawing.path([(plot.x(n), plot.y(column[n] or 0.0)) for n in range(first, end)], kind)
    return drawing.markup("spark")
