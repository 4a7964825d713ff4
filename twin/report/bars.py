"""The loss tree drawn: a waterfall from the theoretical minimum to the metered figure, and beside it what changed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from twin.report.data import LossView
from twin.report.svg import Drawing, nice_ticks
from twin.report.words import number

__all__ = ["WIDE", "waterfall"]

WIDE, NARROW = 880.0, 340.0
_NEGATIVE = " neg"


@dataclass(frozen=True, slots=True)
class _Bar:
    """One row: bar from `start` to `end` [kWh/t], its figure and its change as they are printed."""

    title: str
    kind: str
    start: float
    end: float
    shown: str
    change: float | None
    changed: str
    whole: bool = False


def _printed(levels: list[float]) -> list[int]:
    """Steps between levels in whole kWh/t that add up to what the last level is rounded to."""
    rounded = [round(level) for level in levels]
    return [after - before for before, after in pairwise(rounded)]


def _bars(losses: LossView) -> list[_Bar]:
    """The terms, the metered figure, then auxiliaries and the comprehensive figure where they are known."""
    steps = _printed([0.0, *(term.to_level for term in losses.terms)])
    sums, at = [0.0], 0.0
    for term in losses.terms:
        at += term.change_kwh_t or 0.0
        sums.append(at)
    moved = _printed(sums)
    bars = [
        _Bar(
            term.title, term.group, term.from_level, term.to_level, number(step, sign=not first), term.change_kwh_t,
            "" if term.change_kwh_t is None else number(change, sign=True),
        )
        for first, (term, step, change) in zip(
            [True] + [False] * (len(steps) - 1), zip(losses.terms, steps, moved, strict=True), strict=True
        )
    ]  # fmt: skip
    assert losses.total is not None
    total = losses.total
    changed = "" if losses.change is None else number(losses.change, sign=True)
    bars.append(_Bar("AC, liquid aluminium", "total", 0.0, total, number(total), losses.change, changed, whole=True))
    if losses.auxiliary is not None and losses.comprehensive is not None:
        top = losses.comprehensive
        added = number(round(top) - round(total), sign=True)
        bars.append(_Bar("Auxiliaries", "auxiliary", total, top, added, None, ""))
        bars.append(_Bar("AC, comprehensive", "total", 0.0, top, number(top), None, "", whole=True))
    return bars


def waterfall(losses: LossView, baseline: str, title: str) -> Markup:
    """Both drawings of a tree, for wide and for narrow pages; empty where there is no tree."""
    if not losses.terms:
        return Markup("")
    bars = _bars(losses)
    changes = losses.change is not None
    return _wide(bars, baseline if changes else "", title) + _narrow(bars, baseline if changes else "", title)


def _scale(bars: list[_Bar]) -> float:
    return max(1.0, *(max(bar.start, bar.end) for bar in bars))


def _largest(bars: list[_Bar]) -> float:
    return max((abs(bar.change) for bar in bars if bar.change is not None), default=0.0) or 1.0


def _wide(bars: list[_Bar], baseline: str, title: str) -> Markup:
    row, top = 23.0, 30.0
    left, right = 196.0, 560.0 if baseline else 800.0
    middle, reach = 745.0, 78.0
    drawing = Drawing(WIDE, top + row * len(bars) + 8.0, title)
    factor, zoom = (right - left) / _scale(bars), reach / _largest(bars)
    for tick in nice_ticks(0.0, _scale(bars), 4):
        if tick <= _scale(bars):
            drawing.line(left + tick * factor, top - 4, left + tick * factor, top + row * len(bars), "grid")
            drawing.text(left + tick * factor, top - 10, number(tick), "tick", "middle")
    if baseline:
        drawing.text(middle, top - 10, f"change against {baseline}", "tick", "middle")
        drawing.line(middle, top - 4, middle, top + row * len(bars), "axis")
    for place, bar in enumerate(bars):
        y = top + row * place
        strong = "strong" if bar.whole else ""
        if bar.whole:
            drawing.line(0, y, WIDE, y, "grid")
        drawing.text(left - 12, y + 15.5, bar.title, strong, "end")
        low, high = min(bar.start, bar.end), max(bar.start, bar.end)
        negative = _NEGATIVE if bar.end < bar.start else ""
        drawing.rect(left + low * factor, y + 4, (high - low) * factor, row - 8, f"bar {bar.kind}{negative}")
        if place + 1 < len(bars):
            x = left + bar.end * factor
            drawing.line(x, y + row - 4, x, y + row + 4, "link")
        drawing.text(right + 62, y + 15.5, bar.shown, f"figure {strong}", "end")
        if bar.change is not None and baseline:
            _change(drawing, bar, (middle, y + 5, row - 10), zoom)
            drawing.text(WIDE, y + 15.5, bar.changed, f"figure {strong}", "end")
    return drawing.markup("wide")


def _change(drawing: Drawing, bar: _Bar, at: tuple[float, float, float], zoom: float) -> None:
    """A bar to the right where more energy was used, to the left where less."""
    middle, y, height = at
    assert bar.change is not None
    width = abs(bar.change) * zoom
    if width < 0.3:
        return
    drawing.rect(middle if bar.change > 0 else middle - width, y, width, height, "more" if bar.change > 0 else "less")


def _narrow(bars: list[_Bar], baseline: str, title: str) -> Markup:
    """Label and figure above each bar; the change as a figure of its own column."""
    row, top = 35.0, 22.0
    drawing = Drawing(NARROW, top + row * len(bars), title)
    factor = NARROW / _scale(bars)
    right = NARROW - 66.0 if baseline else NARROW
    drawing.text(right, 12, "kWh/t", "tick", "end")
    if baseline:
        drawing.text(NARROW, 12, "change", "tick", "end")
    for place, bar in enumerate(bars):
        y, strong = top + row * place, "strong" if bar.whole else ""
        if bar.whole:
            drawing.line(0, y - 3, NARROW, y - 3, "grid")
        drawing.text(0, y + 11, bar.title, strong)
        drawing.text(right, y + 11, bar.shown, f"figure {strong}", "end")
        if baseline:
            kind = "moreish" if (bar.change or 0.0) >= 0.5 else "lessish" if (bar.change or 0.0) <= -0.5 else "tick"
            drawing.text(NARROW, y + 11, bar.changed, f"figure {kind} {strong}", "end")
        low, high = min(bar.start, bar.end), max(bar.start, bar.end)
        negative = _NEGATIVE if bar.end < bar.start else ""
        drawing.rect(low * factor, y + 16, (high - low) * factor, 9, f"bar {bar.kind}{negative}")
    return drawing.markup("narrow")
