"""Energy per window of the course against a baseline of the period before, and its running sum (ISO 50006 style)."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from twin.baseline import Baseline, Limits, Refusal, cusum, expected, fit
from twin.frames import Floats
from twin.report.book import Book, Course
from twin.report.data import CusumView
from twin.report.quantities import listed, local
from twin.report.words import number

__all__ = ["cusum_view"]

ENERGY = "ac_energy_kwh"
# name of the figure -> how it is called in the formula
VARIABLES = {"metal_t": "t of metal", "anode_effect_s_per_day": "s of anode effect per pot-day"}
LIMITS = Limits()


def _fit(course: Course) -> tuple[Baseline | Refusal, tuple[str, ...]]:
    """A baseline of the variables that the data can carry: one that did not vary, or repeats another, is left out."""
    names = tuple(VARIABLES)
    while True:
        found = fit(course.of(ENERGY), {name: course.of(name) for name in names}, LIMITS)
        if not isinstance(found, Refusal) or not found.variables or len(names) == 1:
            return found, names
        # Metal stays as long as it can: energy without it says nothing.
        names = tuple(name for name in names if name != found.variables[-1])


def _formula(baseline: Baseline) -> str:
    said = f"{number(baseline.intercept)} kWh"
    for c in baseline.coefficients:
        sign, mark = "−" if c.value < 0.0 else "+", "" if c.significant else " (not significant)"
        said += f" {sign} {number(abs(c.value))} kWh per {VARIABLES[c.name]}{mark}"
    return said


def cusum_view(book: Book, baseline_label: str) -> CusumView:
    """The CUSUM of the period; `why` where the baseline period carries no model."""
    kind = book.course.windows[0].kind
    starts = [local(window.start_ns, book.site.zone()) for window in book.course.windows]
    nothing = CusumView(starts, [], [], [], [], "", None, None, 0, 0, "")
    if kind != "day" or book.before_course.windows[0].kind != "day":
        return _because(nothing, "it is made of days; take a month or a year, and a baseline of months or years")
    found, names = _fit(book.before_course)
    if isinstance(found, Refusal):
        return _because(nothing, f"{baseline_label} carries no baseline: {found.why}")
    variables: dict[str, Floats] = {name: book.course.of(name) for name in names}
    energy = book.course.of(ENERGY)
    known = np.isfinite(energy) & np.all([np.isfinite(column) for column in variables.values()], axis=0)
    if not known.any():
        return _because(nothing, "no day of this period has energy and metal")
    level, u, _, outside = expected(found, variables, energy)
    level = np.where(known, level, np.nan)
    # A day is judged by its own scatter: that of the model and of the day.
    run = cusum(np.where(known, energy, np.nan), level, np.where(known, u, 1.0))
    total = np.where(known, run.total, np.nan)
    alarm = [
        "worse" if worse else "better" if better else "" for worse, better in zip(run.worse, run.better, strict=True)
    ]
    return CusumView(
        starts, listed(energy), listed(level), listed(total), alarm, _formula(found), found.r2, found.relative_sigma,
        found.periods, int(outside[known].sum()), "",
    )  # fmt: skip


def _because(view: CusumView, why: str) -> CusumView:
    return replace(view, why=why)
