"""Drawings as inline SVG: shapes with class names, coloured by the page; every text is escaped."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from markupsafe import Markup

__all__ = ["Drawing", "apart", "nice_ticks", "runs"]


def _at(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".") or "0"


class Drawing:
    """A drawing of `width` x `height` units; `title` is what it shows, for those who do not see it."""

    def __init__(self, width: float, height: float, title: str) -> None:
        self.width, self.height, self._title = width, height, title
        self._parts: list[Markup] = []

    def rect(self, x: float, y: float, width: float, height: float, kind: str, title: str = "") -> None:
        """A filled rectangle; drawn at least a hair wide, so that a small term is still seen."""
        tip = Markup("<title>{}</title>").format(title) if title else ""
        self._parts.append(
            Markup('<rect x="{}" y="{}" width="{}" height="{}" class="{}">{}</rect>').format(
                _at(x), _at(y), _at(max(width, 1.0)), _at(max(height, 0.0)), kind, tip
            )
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """A straight line."""
        self._parts.append(
            Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" class="{}"/>').format(
                _at(x1), _at(y1), _at(x2), _at(y2), kind
            )
        )

    def path(self, points: Sequence[tuple[float, float]], kind: str, *, closed: bool = False) -> None:
        """A line through points, closed to an area if wanted."""
        if points:
            steps = "L".join(f"{_at(x)} {_at(y)}" for x, y in points)
            self._parts.append(Markup('<path d="M{}{}" class="{}"/>').format(steps, "Z" if closed else "", kind))

    def dot(self, x: float, y: float, radius: float, kind: str, title: str = "") -> None:
        """A dot, with a word for the pointer."""
        tip = Markup("<title>{}</title>").format(title) if title else ""
        self._parts.append(
            Markup('<circle cx="{}" cy="{}" r="{}" class="{}">{}</circle>').format(
                _at(x), _at(y), _at(radius), kind, tip
            )
        )

    def text(self, x: float, y: float, said: str, kind: str = "", anchor: str = "start") -> None:
        """Text on the baseline y; anchor start, middle or end."""
        self._parts.append(
            Markup('<text x="{}" y="{}" text-anchor="{}" class="{}">{}</text>').format(
                _at(x), _at(y), anchor, kind, said
            )
        )

    def markup(self, kind: str = "") -> Markup:
        """The finished element."""
        head = Markup(
            '<svg viewBox="0 0 {} {}" class="{}" role="img" aria-label="{}" preserveAspectRatio="xMidYMid meet">'
        ).format(_at(self.width), _at(self.height), kind, self._title)
        return head + Markup("").join(self._parts) + Markup("</svg>")


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers that span low to high, about as many as wanted.

    >>> nice_ticks(12_880.0, 13_350.0)
    [12800.0, 12900.0, 13000.0, 13100.0, 13200.0, 13300.0, 13400.0]
    """
    if not high > low:
        low, high = low - 1.0, high + 1.0
    raw = (high - low) / max(about, 1)
    base = 10.0 ** math.floor(math.log10(raw))
    step = base * min((m for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * base >= raw), default=10.0)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 9) for n in range(first, last + 1)]


def apart(wanted: Sequence[float], least: float, low: float, high: float) -> list[float]:
    """Places near the wanted ones, in the same order, at least `least` apart and within low to high.

    >>> apart([50.0, 52.0, 100.0], 12.0, 0.0, 200.0)
    [45.0, 57.0, 100.0]
    """
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    groups: list[tuple[list[int], float]] = []  # members, mean place
    for index in order:
        groups.append(([index], wanted[index]))
        while len(groups) > 1:
            (before, at), (after, here) = groups[-2], groups[-1]
            if here - at >= least * (len(before) + len(after)) / 2.0:
                break
            members = before + after
            groups[-2:] = [(members, sum(wanted[i] for i in members) / len(members))]
    places = [0.0] * len(wanted)
    for members, middle in groups:
        for n, index in enumerate(members):
            places[index] = middle + least * (n - (len(members) - 1) / 2.0)
    shift = max(low - min(places, default=low), 0.0)
    places = [place + shift for place in places]
    over = max(max(places, default=high) - high, 0.0)
    return [place - over for place in places]


def runs(values: Sequence[float | None]) -> Iterator[tuple[int, int]]:
    """[first, end) of each stretch without a gap."""
    first: int | None = None
    for index, value in enumerate([*values, None]):
        if value is not None and first is None:
            first = index
        elif value is None and first is not None:
            yield first, index
            first = None
