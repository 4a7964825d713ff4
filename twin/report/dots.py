"""Every pot of a line as a dot on the axis of its kWh/t, stacked where several are alike; the worst are named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from twin.report.data import PotView
from twin.report.svg import Drawing, nice_ticks
from twin.report.words import number

__all__ = ["pots"]

WIDE, NARROW = 880.0, 340.0
SIZES = (4.6, 3.8, 3.2, 2.6, 2.0, 1.5)  # radius of a dot, the largest that keeps the stacks low
HIGHEST = 150.0
HEAD, FOOT, SIDE = 34.0, 22.0, 20.0  # room for names, ticks, and half a tick's figure
NAMED = 3


@dataclass(frozen=True, slots=True)
class _Axis:
    """Values from `low` to `high` across a drawing of `width`, in `bins` stacks of dots of radius `size`."""

    width: float
    low: float
    high: float
    size: float

    @property
    def bins(self) -> int:
        return int((self.width - 2 * SIDE) / self.step)

    @property
    def step(self) -> float:
        """Room for a dot, across and up."""
        return 2 * self.size + 1

    def x(self, value: float) -> float:
        return SIDE + (value - self.low) / (self.high - self.low) * (self.width - 2 * SIDE)

    def bin(self, value: float) -> int:
        return min(int((value - self.low) / (self.high - self.low) * self.bins), self.bins - 1)

    def middle(self, place: int) -> float:
        return SIDE + (place + 0.5) / self.bins * (self.width - 2 * SIDE)


def pots(views: Sequence[PotView], limit: float | None, line: float | None, title: str) -> Markup:
    """The drawing for wide and for narrow pages; `views` with the worst first. Empty for fewer than 3 pots."""
    told = [(pot.kwh_t.value, pot.id) for pot in views if pot.kwh_t.value is not None]
    if len(told) < NAMED:
        return Markup("")
    marks = [(value, kind, said) for value, kind, said in ((line, "mean", "line"), (limit, "limit", "limit"))
             if value is not None]  # fmt: skip
    values = [value for value, _ in told] + [value for value, _, _ in marks]
    ticks = nice_ticks(min(values), max(values), 6)
    return Markup("").join(_drawn(width, told, marks, ticks, title) for width in (WIDE, NARROW))


def _axis(width: float, values: Sequence[float], ticks: Sequence[float]) -> tuple[_Axis, int]:
    """The axis with the largest dots whose stacks stay low, and its highest stack."""
    for size in SIZES:
        axis = _Axis(width, ticks[0], ticks[-1], size)
        tallest = max(Counter(axis.bin(value) for value in values).values())
        if tallest * axis.step <= HIGHEST:
            break
    return axis, tallest


def _drawn(
    width: float,
    told: Sequence[tuple[float, str]],
    marks: Sequence[tuple[float, str, str]],
    ticks: Sequence[float],
    title: str,
) -> Markup:
    axis, tallest = _axis(width, [value for value, _ in told], ticks)
    bottom = HEAD + 24.0 + tallest * axis.step
    drawing = Drawing(width, bottom + FOOT, title)
    drawing.line(SIDE, bottom, width - SIDE, bottom, "axis")
    for tick in ticks if width == WIDE or len(ticks) < 6 else ticks[::2]:
        drawing.text(axis.x(tick), bottom + 16, number(tick), "tick", "middle")
    for row, (value, kind, said) in enumerate(marks):
        y = 13.0 + 13.0 * row
        drawing.line(axis.x(value), y, axis.x(value), bottom, kind)
        left = axis.x(value) > width - 110.0  # no room on the right
        drawing.text(
            axis.x(value) + (-5 if left else 5), y, f"{said} {number(value)}", "tick", "end" if left else "start"
        )
    level: Counter[int] = Counter()
    for place in range(len(told) - 1, -1, -1):  # the worst last: on top of their stacks
        value, name = told[place]
        at = axis.bin(value)
        level[at] += 1
        y = bottom - 1.0 - axis.step * (level[at] - 0.5)
        drawing.dot(
            axis.middle(at), y, axis.size, "worst" if place < NAMED else "pot", f"{name}: {number(value)} kWh/t"
        )
    _names(drawing, axis, told[:NAMED], level, bottom)
    return drawing.markup("wide" if width == WIDE else "narrow")


def _names(
    drawing: Drawing, axis: _Axis, worst: Sequence[tuple[float, str]], level: Counter[int], bottom: float
) -> None:
    """Each name above the stacks that it would cover, and above names that are in the way."""
    taken: list[tuple[float, float]] = []
    reach = int(18.0 / axis.step) + 1
    for value, name in worst:
        at = axis.bin(value)
        top = max(level[place] for place in range(at - reach, at + reach + 1))
        x, y = min(max(axis.middle(at), 18.0), axis.width - 18.0), bottom - 1.0 - axis.step * top - 5.0
        while any(abs(x - other) < 40.0 and abs(y - height) < 12.0 for other, height in taken):
            y -= 6.0
        taken.append((x, y))
        drawing.text(x, y, name, "tick", "middle")
