"""From a report to what a person sees: one Snapshot in rim units."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from twin.causes import CAUSES, cause_of
from twin.engine import Engine
from twin.faults import FAULTS, JUDGED
from twin.frames import Event, Floats, Quality, Report, WindowFigures
from twin.kpis import METRICS
from twin.plan import Grade, grade
from twin.portfolio import PORTFOLIO
from twin.signals import SIGNALS, by_name
from twin.snapshot import EventView, GradeView, IngestView, LineView, PotView, Snapshot
from twin.times import iso
from twin.uncertainty import Figure
from twin.units import from_si

__all__ = ["event_view", "snapshot"]

STALE_S = 10.0
POT_WINDOW = "hour"
SHOWN = ("hour", "shift", "day")  # windows of the strip; months are for reports
PORTFOLIO_WINDOW = "year"
_FAULT = {fault.code: fault for fault in FAULTS}
_ENERGY = {metric: kpi for metric, (unit, kpi) in METRICS.items() if unit == "kWh/t" and kpi}


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def event_view(event: Event, paths: Sequence[str]) -> EventView:
    """One event in words."""
    if event.code in JUDGED:
        title, _, advice = JUDGED[event.code]
        cause = cause_of(event.evidence)
        title = f"{title}: {cause.title}" if event.code == "anomaly" else title
        advice = cause.advice or advice if event.code == "anomaly" else advice
    else:
        title, advice = _FAULT[event.code].title, _FAULT[event.code].advice
    return EventView(
        iso(event.time_ns), paths[event.unit], event.code, title, event.severity, event.began, event.value, advice,
        event.evidence,
    )  # fmt: skip


def snapshot(engine: Engine, report: Report, events: Iterable[EventView], ingest: IngestView) -> Snapshot:
    """What the page shows of this report; `events` newest first."""
    lines = [_line(engine, report, code) for code in engine.lines]
    return Snapshot(iso(report.time_ns), engine.plant.title, engine.plan.title, lines, list(events), ingest)


def _line(engine: Engine, report: Report, code: int) -> LineView:
    site, line = engine.lines[code]
    figures = {f.window: f for f in report.figures if f.open and int(f.units[0]) == code}
    design = engine.plant.design_of(line)
    rule = engine.plan.rule(engine.plan.pot_rule)
    row = int(np.flatnonzero(report.lines.units == code)[0])
    pots = _pots(engine, report, code, figures.get(POT_WINDOW))
    path = engine.roster.paths[code]
    return LineView(
        path=path,
        title=line.title or f"{site.title or site.id} {line.id}",
        current_ka=_rim(report.lines.value[row], report.lines.signals, "line_current_ka"),
        voltage_v=_rim(report.lines.value[row], report.lines.signals, "line_voltage_v"),
        pots_total=len(pots),
        pots_reporting=sum(not pot.stale for pot in pots),
        pot_metric=rule.metric,
        pot_window=POT_WINDOW,
        pot_limit=rule.limit,
        voltage_band_v=design.voltage_v,
        temperature_band_c=design.bath_temperature_c,
        energy={metric: {w: _figure(figures.get(w), kpi) for w in SHOWN} for metric, kpi in _ENERGY.items()},
        production_t={w: _figure(figures.get(w), "metal_t") for w in SHOWN},
        coverage_pct={w: _figure(figures.get(w), "coverage_pct") or 0.0 for w in SHOWN},
        grades=[_grade_view(g) for g in report.grades if isinstance(g, Grade) and _concerns(g, code)],
        pots=pots,
    )


def _concerns(g: Grade, code: int) -> bool:
    return g.window in SHOWN if g.unit == code else (g.unit, g.window) == (PORTFOLIO, PORTFOLIO_WINDOW)


def _figure(figures: WindowFigures | None, kpi: str, row: int = 0) -> float | None:
    if figures is None or kpi not in figures.kpis:
        return None
    return _known(float(figures.kpis[kpi][row]))


def _uncertainty(figures: WindowFigures | None, kpi: str, row: int = 0) -> float | None:
    return None if figures is None or kpi not in figures.u else _known(float(figures.u[kpi][row]))


def _rim(values: Floats, signals: tuple[int, ...], name: str) -> float | None:
    code = by_name(name)
    return _known(float(from_si(float(values[signals.index(code)]), SIGNALS[code].unit)))


def _grade_view(g: Grade) -> GradeView:
    rule = g.rule
    return GradeView(
        rule.id, rule.title, rule.scope, rule.metric, rule.unit, g.window, rule.sense, rule.limit, _known(g.value),
        _known(g.u), _known(g.margin), _known(g.probability), g.verdict, g.coverage_pct, g.why, rule.source, rule.sure,
    )  # fmt: skip


def _pots(engine: Engine, report: Report, code: int, figures: WindowFigures | None) -> list[PotView]:
    frame, roster, plan = report.pots, engine.roster, engine.plan
    rule = plan.rule(plan.pot_rule)
    voltage, temperature = (by_name(name) for name in ("voltage_v", "bath_temperature_c"))
    columns: dict[int, list[Any]] = {
        s: from_si(frame.column(s), SIGNALS[s].unit).tolist() for s in (voltage, temperature)
    }
    ages = frame.age_s[:, frame.signals.index(voltage)].tolist()
    bad = (frame.quality[:, frame.signals.index(voltage)] == Quality.BAD).tolist()
    place = {} if figures is None else {int(unit): index for index, unit in enumerate(figures.units)}
    scores = {name: values.tolist() for name, values in report.scores.items()}
    pots = []
    for row, unit in enumerate(frame.units.tolist()):
        if roster.line_of[unit] != code:
            continue
        value = _figure(figures, METRICS[rule.metric][1], place[unit]) if unit in place else None
        coverage = _figure(figures, "coverage_pct", place[unit]) if unit in place else None
        u = None if value is None else _uncertainty(figures, METRICS[rule.metric][1], place[unit])
        figure = Figure(math.nan if value is None else value, math.nan if u is None else u)
        verdict = grade(rule, unit, POT_WINDOW, figure, coverage or 0.0, plan.minimum_coverage_pct).verdict
        active = [fault.code for fault, is_on in zip(FAULTS, report.active[unit].tolist(), strict=True) if is_on]
        pots.append(
            PotView(
                id=roster.paths[unit].rsplit("/", 1)[1],
                section=roster.section_of(unit),
                voltage_v=_known(columns[voltage][row]),
                bath_temperature_c=_known(columns[temperature][row]),
                kwh_per_t=value,
                kwh_per_t_u=u,
                verdict=verdict,
                stale=ages[row] > STALE_S or bad[row],
                faults=active,
                **_scored(scores, unit),
            )
        )
    return pots


def _scored(scores: dict[str, list[float]], unit: int) -> dict[str, Any]:
    """What models say of a unit now; nothing where there are no models, or the unit is new to them."""
    if not scores or unit >= len(scores["cause"]):
        return {}
    number, risk = scores["cause"][unit], scores["anode_effect_risk"][unit]
    found: dict[str, Any] = {"anode_effect_risk": _known(risk)}
    if number > 0:
        found |= {"cause": CAUSES[int(number) - 1].name, "cause_probability": _known(scores["cause_probability"][unit])}
    return found
