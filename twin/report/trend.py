"""Slope of a course, and what the period will end with if the rest is like the part that is over."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from twin.baseline import t_tail
from twin.frames import Floats
from twin.uncertainty import Figure

__all__ = ["Slope", "projection", "slope"]

LEAST_POINTS = 3  # a line through two points has no scatter


@dataclass(frozen=True, slots=True)
class Slope:
    """Slope per window and its standard error [unit of the figure per window], `points` used, two-sided `p` [1]."""

    value: float
    u: float
    points: int
    p: float


def slope(course: Floats, weight: Floats) -> Slope | None:
    """Slope of a course (windows,) by least squares, weighted by metal; None where fewer than 3 windows have both.

    The error comes from the scatter about the line, not from the instruments: what they all share moves no slope.
    """
    known = np.isfinite(course) & (np.nan_to_num(weight) > 0.0)
    if known.sum() < LEAST_POINTS:
        return None
    x, y, w = np.flatnonzero(known).astype(float), course[known], weight[known] / weight[known].mean()
    x0, y0 = float(w @ x / w.sum()), float(w @ y / w.sum())
    sxx = float(w @ np.square(x - x0))
    found = float(w @ ((x - x0) * (y - y0)) / sxx)
    rest = float(w @ np.square(y - y0 - found * (x - x0)))
    freedom = len(x) - 2
    u = math.sqrt(rest / freedom / sxx)
    p = t_tail(found / u, freedom) if u > 0.0 else float(found == 0.0)
    return Slope(found, u, len(x), p)


def projection(so_far: Figure[float], course: Floats, weight: Floats, left: float) -> Figure[float] | None:
    """The figure at the end of a period of which `left` windows are to come; None with fewer than 3 windows.

    The rest is taken as the mean so far, weighted by metal. Uncertainty: that of the figure so far (instruments, the
    same for all days), and the scatter between windows: of the mean, which the rest repeats, and of the rest itself.
    """
    if left <= 0.0:
        return so_far
    known = np.isfinite(course) & (np.nan_to_num(weight) > 0.0)
    if known.sum() < LEAST_POINTS or not math.isfinite(so_far.value):
        return None
    y, w = course[known], weight[known] / weight[known].sum()
    scatter = math.sqrt(float(w @ np.square(y - w @ y)) / (1.0 - float(w @ w)))
    part = left / (left + float(known.sum()))
    spread = part * scatter * math.sqrt(float(w @ w) + 1.0 / left)
    return Figure(so_far.value, math.hypot(so_far.u, spread))
