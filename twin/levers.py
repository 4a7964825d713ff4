"""What if: the levers of a line, with bounds, and the answer to a change of them. From `whatif`, in rim units."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from twin.engine import Engine
from twin.frames import Report
from twin.kpis import METRICS
from twin.plan import Rule
from twin.point import Refused, Working, figure, working_point
from twin.times import day_of, iso
from twin.uncertainty import Figure
from twin.units import SI, from_si, to_si
from twin.verdict import Judgement, judge
from twin.whatif import (
    LEVERS,
    SUPERHEAT_BAND,
    Change,
    Heat,
    Lever,
    Point,
    WhatIf,
    closing_steps,
    moved,
    sensitivities,
    what_if,
)

__all__ = ["CONTROLS", "WhatIfAnswer", "supposed"]


class LeverView(msgspec.Struct, frozen=True):
    """A lever: bounds and step of its change [change_unit], value before and after [unit], where that comes from.

    `closes`: its change at which the rule is just met, the other levers as they are; to first order, in whole steps.
    `within`: that is inside the bounds.
    """

    name: str
    title: str
    unit: str
    change_unit: str
    low: float
    high: float
    step: float
    digits: int
    change: float
    before: float
    after: float
    origin: str
    kwh_t_per_step: float
    closes: float | None
    within: bool


class FigureView(msgspec.Struct, frozen=True):
    """A figure before and after the change."""

    name: str
    unit: str
    digits: int
    before: float | None
    after: float | None
    difference: float | None


class RuleView(msgspec.Struct, frozen=True):
    """A rule of the plan for lines, judged before and after; margins positive = good, `u` standard uncertainty."""

    rule: str
    title: str
    metric: str
    sense: str
    limit: float
    before: str
    after: str
    margin_before: float | None
    margin_after: float | None
    u: float | None
    probability: float | None  # that it is met afterwards


class HeatView(msgspec.Struct, frozen=True):
    """Heat loss of a pot [kW], superheat now, asked for, and that it would drift to [K]; warning -1 cold, +1 hot."""

    before: float
    after: float
    superheat: float
    expected: float
    low: float
    high: float
    mismatch: float
    warning: int


class WhatIfAnswer(msgspec.Struct, frozen=True):
    """A line before and after a change of levers; the first rule is the plan's own for pots and lines."""

    path: str
    time: str
    window: str
    coverage_pct: float | None
    pots: int
    levers: list[LeverView]
    figures: list[FigureView]
    rules: list[RuleView]
    heat: HeatView


class Control(NamedTuple):
    """How a lever of `whatif.LEVERS` is offered: units of value and change, bounds, step and decimals of the change."""

    unit: str
    change_unit: str
    low: float
    high: float
    step: float
    digits: int


CONTROLS: dict[str, Control] = {
    "current": Control("kA", "kA", -30.0, 30.0, 1.0, 0),
    "distance": Control("mm", "mm", -6.0, 6.0, 0.5, 1),
    "voltage": Control("V", "mV", -200.0, 200.0, 5.0, 0),
    "efficiency": Control("%", "%", -4.0, 4.0, 0.1, 1),
    "alf3": Control("wt%", "wt%", -3.0, 3.0, 0.1, 1),
    "superheat": Control("K", "K", -8.0, 8.0, 0.5, 1),
    "effects": Control("1", "1", -2.0, 2.0, 0.01, 2),
    "rectifier_efficiency": Control("%", "%", -1.0, 1.0, 0.1, 1),
}


def supposed(engine: Engine, report: Report, line: int, changes: Mapping[str, float]) -> WhatIfAnswer:
    """A line (roster code) before and after `changes` of its levers [change_unit of CONTROLS]. Raises Refused."""
    wanted = _allowed(changes)
    working = working_point(engine, report, line)
    point = working.point
    wanted["effects"] = max(wanted["effects"], -point.effects)  # a line cannot have fewer than none
    steps = {name: value * SI[CONTROLS[name].change_unit][0] for name, value in wanted.items()}
    change: Change[float] = Change(**steps)
    after = moved(point, change)
    if not (after.efficiency <= 1.0 and after.rectifier_efficiency <= 1.0):
        raise Refused("not_allowed", "together these changes give an efficiency above 100 %")
    found = what_if(point, change)
    first = engine.plan.rule(engine.plan.pot_rule)
    limit = to_si(first.limit, "kWh/t")
    closing = closing_steps(after, limit) if first.metric == "ac_liquid" else {}
    effects = sensitivities(after)
    return WhatIfAnswer(
        path=engine.roster.paths[line],
        time=iso(report.time_ns),
        window=working.figures.window,
        coverage_pct=_known(figure(working.figures, "coverage_pct")),
        pots=round(point.pots),
        levers=[
            _lever(lever, wanted[lever.name], working, after, effects[lever.name], closing.get(lever.name, math.nan))
            for lever in LEVERS
        ],
        figures=_figures(found),
        rules=[_rule(rule, working, found) for rule in _rules(engine, first, report)],
        heat=_heat(point, found.heat),
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _allowed(changes: Mapping[str, float]) -> dict[str, float]:
    """Every lever with its change, 0 where none is asked for."""
    for name, value in changes.items():
        control = CONTROLS.get(name)
        if control is None:
            raise Refused("not_allowed", f"{name[:40]!r} is not a lever; there is {', '.join(CONTROLS)}")
        if not control.low <= value <= control.high:
            bounds = f"{control.low:g} to {control.high:g} {control.change_unit}"
            raise Refused("not_allowed", f"{name}={value:g} is not allowed: {bounds}")
    return {lever.name: float(changes.get(lever.name, 0.0)) for lever in LEVERS}


def _lever(
    lever: Lever, change: float, working: Working, after: Point[float], effect: float, closing: float
) -> LeverView:
    control, name = CONTROLS[lever.name], lever.name
    factor = SI[control.change_unit][0]
    closes = _on_the_good_side(change + closing / factor, effect / lever.step, control)
    least = -working.point.effects if name == "effects" else control.low
    low = max(control.low, _steps(math.ceil, least, control))
    return LeverView(
        name=name,
        title=lever.title,
        unit=control.unit,
        change_unit=control.change_unit,
        low=low,
        high=control.high,
        step=control.step,
        digits=control.digits,
        change=change,
        before=from_si(getattr(working.point, name), control.unit),
        after=from_si(getattr(after, name), control.unit),
        origin=working.origins[name],
        kwh_t_per_step=from_si(effect, "kWh/t") * control.step * factor / lever.step,
        closes=_known(closes),
        within=low <= closes <= control.high,
    )


def _steps(rounding: Callable[[float], int], value: float, control: Control) -> float:
    """A change rounded to whole steps of its lever."""
    steps = rounding(round(value / control.step, 6))
    return round(steps * control.step, control.digits) + 0.0  # no -0


def _on_the_good_side(value: float, effect: float, control: Control) -> float:
    """The change of a lever that meets the limit, rounded to the step at which less energy is used."""
    return _steps(math.floor if effect > 0 else math.ceil, value, control) if math.isfinite(value) else value


def _figures(found: WhatIf[float]) -> list[FigureView]:
    def view(name: str, unit: str, digits: int, factor: float) -> FigureView:
        before, after = getattr(found.before, name) / factor, getattr(found.after, name) / factor
        return FigureView(name, unit, digits, _known(before), _known(after), _known(after - before))

    kwh_t, tonne, mwh = SI["kWh/t"][0], SI["t"][0], 1e3 * SI["kWh"][0]
    return [
        view("dc", "kWh/t", 0, kwh_t),
        view("ac_liquid", "kWh/t", 0, kwh_t),
        view("ac_comprehensive", "kWh/t", 0, kwh_t),
        view("metal", "t/day", 1, tonne),
        view("ac_energy", "MWh/day", 0, mwh),
        view("co2_direct", "t/t", 3, 1.0),
    ]


def _rules(engine: Engine, first: Rule, report: Report) -> list[Rule]:
    """The plan's rules for the energy of lines that hold now, that of the pots first."""
    day = day_of(report.time_ns)
    rest = [
        rule
        for rule in engine.plan.rules
        if rule.graded_at("line") and rule.valid_on(day) and rule.unit == "kWh/t" and rule.id != first.id
    ]
    return [first, *rest]


def _rule(rule: Rule, working: Working, found: WhatIf[float]) -> RuleView:
    """Judged with the uncertainty that the metered figure has."""
    kpi = METRICS[rule.metric][1]
    u = float(working.figures.u[kpi][0]) if kpi in working.figures.u else math.nan

    def judged(side: Any) -> tuple[float, Judgement[float]]:
        value = from_si(getattr(side, rule.metric, math.nan), "kWh/t")
        return value, judge(Figure(value, u), rule.limit, rule.sense)

    (before, was), (after, now) = judged(found.before), judged(found.after)
    return RuleView(
        rule.id, rule.title, rule.metric, rule.sense, rule.limit, str(was.status), str(now.status),
        _known(rule.margin(before)), _known(rule.margin(after)), _known(u), _known(float(now.probability)),
    )  # fmt: skip


def _heat(point: Point[float], heat: Heat[float]) -> HeatView:
    low, high = SUPERHEAT_BAND
    return HeatView(
        heat.before / 1e3, heat.after / 1e3, point.superheat, heat.expected, low, high, heat.mismatch,
        int(heat.warning) if math.isfinite(heat.warning) else 0,
    )  # fmt: skip
