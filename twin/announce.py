"""The twin's state for the broker: one retained message a line and a pot, for whoever subscribes to `twin/#`.

    twin/<site>/<line>          figures by window with standard uncertainty, verdicts, faults, scores of models
    twin/<site>/<line>/<pot>    estimated state, figures by window, faults that are active, scores of models

Rim units, the unit is part of each name; what is not known is left out. Retained: a subscriber has the last word at
once. Described in docs/data-contract.md.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np

from twin.causes import CAUSES
from twin.engine import Engine
from twin.faults import FAULTS
from twin.frames import Report, WindowFigures
from twin.plan import Grade
from twin.ports import Message
from twin.states import STATES, column
from twin.times import iso

__all__ = ["state_messages"]

WINDOWS = ("hour", "day", "month")


def state_messages(engine: Engine, report: Report, root: str) -> list[Message]:
    """Every line and pot as the report has it; nothing before the first tick."""
    if not report.time_ns:
        return []
    told: dict[int, dict[str, Any]] = {}
    for figures in report.figures:
        if figures.open and figures.window in WINDOWS:
            _figures(told, figures)
    _states(told, report)
    for grade in report.grades:
        if isinstance(grade, Grade) and grade.window in WINDOWS and grade.unit in engine.lines:
            told.setdefault(grade.unit, {}).setdefault("grades", []).append(_grade(grade))
    for unit in (*engine.lines, *engine.roster.pot_codes()):
        faults = [fault.code for fault, on in zip(FAULTS, report.active[unit].tolist(), strict=True) if on]
        told.setdefault(unit, {})["faults"] = faults
    _scores(told, report)
    kinds, paths, time = engine.roster.kinds, engine.roster.paths, iso(report.time_ns)
    return [
        Message(f"{root}/{paths[unit]}", msgspec.json.encode({"time": time, "unit": paths[unit], **said}))
        for unit, said in sorted(told.items())
        if kinds[unit] in ("line", "pot")
    ]


def _figures(told: dict[int, dict[str, Any]], figures: WindowFigures) -> None:
    """Every known figure as {"value", "u"}, by window and KPI."""
    names = list(figures.kpis)
    values = np.array([figures.kpis[name] for name in names]).T.tolist()
    us = np.array([figures.u[name] for name in names]).T.tolist()
    for unit, value, u in zip(figures.units.tolist(), values, us, strict=True):
        said = {name: _known(v, s) for name, v, s in zip(names, value, u, strict=True) if math.isfinite(v)}
        window = {"start": iso(figures.start_ns), "figures": said}
        told.setdefault(unit, {}).setdefault("windows", {})[figures.window] = window


def _states(told: dict[int, dict[str, Any]], report: Report) -> None:
    estimate = report.estimate
    if estimate is None or not estimate.time_ns:
        return
    for row in STATES:
        values, us = (part.tolist() for part in column(estimate, row))
        for unit, value, u in zip(estimate.units.tolist(), values, us, strict=True):
            state = told.setdefault(unit, {}).setdefault("state", {})
            if math.isfinite(value):
                state[row.name] = _known(value, u)


def _scores(told: dict[int, dict[str, Any]], report: Report) -> None:
    """What models say of pots and lines: each score that is known, the cause by its name."""
    for name, values in report.scores.items():
        for unit in np.flatnonzero(np.isfinite(values)).tolist():
            value: float | str = float(values[unit])
            if name == "cause":
                value = CAUSES[int(values[unit]) - 1].name if values[unit] > 0 else ""
            told.setdefault(unit, {}).setdefault("scores", {})[name] = value


def _known(value: float, u: float) -> dict[str, float]:
    return {"value": value, "u": u} if math.isfinite(u) and u > 0 else {"value": value}


def _grade(grade: Grade) -> dict[str, Any]:
    rule = grade.rule
    said = {"rule": rule.id, "window": grade.window, "limit": rule.limit, "unit": rule.unit, "sense": rule.sense}
    numbers = {"value": grade.value, "u": grade.u, "margin": grade.margin, "probability": grade.probability}
    known = {name: number for name, number in numbers.items() if math.isfinite(number)}
    return said | known | {"verdict": grade.verdict, "coverage_pct": grade.coverage_pct, "why": grade.why}
