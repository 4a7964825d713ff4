"""Answers to what a person asks beyond the snapshot: where a line's energy goes, what is estimated of a pot, what if.

Pure functions of engine and report, in rim units, asked for on demand. None = not known. `Refused` where a question
has no answer, with what would be allowed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import msgspec
import numpy as np

from twin.engine import Engine
from twin.frames import Report, WindowFigures
from twin.judge_thread import JudgeThread
from twin.levers import WhatIfAnswer, supposed
from twin.losses import TERMS, Term
from twin.point import Refused, figure, figures_of
from twin.states import STATES, TwinState, column
from twin.times import iso
from twin.unusual import AnomaliesAnswer, anomalies_answer
from twin.whatif import SUPERHEAT_BAND

__all__ = [
    "LineAnswer",
    "PotAnswer",
    "Refused",
    "WhatIfAnswer",
    "answer",
    "line_answer",
    "pot_answer",
    "what_if_answer",
]

WINDOWS = ("day", "month")
MOST_TERMS = 5
NO_LOSSES = ("theoretical", "reaction_heat", "auxiliary", "unexplained")  # nothing that a pot does
SURE = 1.96  # half the 95 % interval in standard uncertainties


class TermView(msgspec.Struct, frozen=True):
    """A term of the loss tree [kWh/t]; it reaches from `start` to `end` of the sum, `share_pct` is of ac_liquid."""

    name: str
    title: str
    group: str
    help: str
    kwh_t: float | None
    share_pct: float | None
    start: float | None
    end: float | None


class TreeView(msgspec.Struct, frozen=True):
    """Where the energy of one window goes. `missing`: "" or why the terms are not known: off, metal, estimate."""

    missing: str
    coverage_pct: float | None
    metal_t: float | None
    ac_liquid: float | None
    ac_liquid_u: float | None
    ac_comprehensive: float | None
    terms: list[TermView]  # up to ac_liquid
    auxiliary: TermView


class LineAnswer(msgspec.Struct, frozen=True):
    """The loss trees of a line, by window."""

    path: str
    time: str
    trees: dict[str, TreeView]


class StateView(msgspec.Struct, frozen=True):
    """An estimated state: value, standard uncertainty and 95 % interval, None where it is not known yet."""

    name: str
    unit: str
    help: str
    value: float | None
    u: float | None
    low: float | None
    high: float | None
    band: tuple[float, float] | None  # of the design


class AgainstView(msgspec.Struct, frozen=True):
    """A loss term of a pot beside its line's mean [kWh/t]."""

    name: str
    title: str
    help: str
    kwh_t: float
    line: float
    difference: float


class PotAnswer(msgspec.Struct, frozen=True):
    """What is estimated of a pot now, its efficiency of the day [%], and its loss terms furthest from the line's."""

    path: str
    time: str
    estimated: str  # end of the minute that the states tell of, "" where none are estimated
    states: list[StateView]
    efficiency_pct: float | None
    efficiency_u: float | None
    line_efficiency_pct: float | None
    terms: list[AgainstView]


_BANDS = {
    "alumina_pct": "alumina_pct",
    "bath_temperature_c": "bath_temperature_c",
    "excess_alf3_pct": "excess_alf3_pct",
    "ledge_mm": "ledge_mm",
    "distance_mm": "anode_cathode_distance_mm",
    "efficiency_pct": "current_efficiency_pct",
}


def answer(
    engine: Engine,
    report: Report | None,
    question: str,
    path: str,
    changes: Mapping[str, float],
    judge: JudgeThread | None = None,
) -> LineAnswer | PotAnswer | WhatIfAnswer | AnomaliesAnswer:
    """The answer to `question` (line, pot, whatif or anomalies). Raises Refused."""
    if report is None or not report.time_ns:
        raise Refused("yet", "warming up: no measurement has been processed yet")
    if question == "anomalies":
        return anomalies_answer(engine, judge, _code(engine, path, "line"))
    if question == "whatif":
        return what_if_answer(engine, report, path, changes)
    return line_answer(engine, report, path) if question == "line" else pot_answer(engine, report, path)


def _code(engine: Engine, path: str, kind: str) -> int:
    roster = engine.roster
    code = roster.code(path)
    if code is None or roster.kinds[code] != kind:
        of_kind = [roster.paths[unit] for unit in range(len(roster)) if roster.kinds[unit] == kind]
        known = ", ".join(of_kind[:3]) + (" ..." if len(of_kind) > 3 else "")
        raise Refused("unknown", f"there is no {kind} {path[:80]!r}; there is {known}")
    return code


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def line_answer(engine: Engine, report: Report, path: str) -> LineAnswer:
    """Where the energy of a line goes, in the open day and the open month. Raises Refused."""
    code = _code(engine, path, "line")
    trees = {window: _tree(engine, figures_of(report, code, window)) for window in WINDOWS}
    return LineAnswer(path, iso(report.time_ns), trees)


def _tree(engine: Engine, figures: WindowFigures | None) -> TreeView:
    total = figure(figures, "ac_liquid_kwh_t")
    values = {term.name: figure(figures, f"loss_{term.name}_kwh_t") for term in TERMS}
    explained = math.isfinite(values["unexplained"])
    missing = ""
    if not explained:
        missing = "off" if not engine.settings.estimate else "metal" if not math.isfinite(total) else "estimate"
    terms = [term for term in TERMS if term.name != "auxiliary"]
    ends = np.cumsum([0.0, *(values[term.name] for term in terms)]).tolist()
    views = [
        _term(term, values[term.name], total, start, end)
        for term, (start, end) in zip(terms, pairwise(ends), strict=True)
    ]
    auxiliary = next(term for term in TERMS if term.name == "auxiliary")
    both = figure(figures, "ac_comprehensive_kwh_t")
    u = math.nan if figures is None else float(figures.u["ac_liquid_kwh_t"][0])
    return TreeView(
        missing, _known(figure(figures, "coverage_pct")), _known(figure(figures, "metal_t")), _known(total), _known(u),
        _known(both), views, _term(auxiliary, both - total, total, total, both),
    )  # fmt: skip


def _term(term: Term[float], value: float, total: float, start: float, end: float) -> TermView:
    share = 100.0 * value / total if total else math.nan
    return TermView(
        term.name, term.title, term.group, term.help, _known(value), _known(share), _known(start), _known(end)
    )


def pot_answer(engine: Engine, report: Report, path: str) -> PotAnswer:
    """What is estimated of a pot, and where it loses more or less than its line. Raises Refused."""
    code = _code(engine, path, "pot")
    line = engine.roster.line_of[code]
    figures = figures_of(report, line, "day")
    row = 0 if figures is None else int(np.flatnonzero(figures.units == code)[0])
    estimate = report.estimate
    states = [] if estimate is None else [_state(engine, report, code, state) for state in STATES]
    u = math.nan if figures is None or "efficiency_pct" not in figures.u else float(figures.u["efficiency_pct"][row])
    return PotAnswer(
        path=path,
        time=iso(report.time_ns),
        estimated="" if estimate is None or not estimate.time_ns else iso(estimate.time_ns),
        states=states,
        efficiency_pct=_known(figure(figures, "efficiency_pct", row)),
        efficiency_u=_known(u),
        line_efficiency_pct=_known(figure(figures, "efficiency_pct")),
        terms=_furthest(figures, row),
    )


def _state(engine: Engine, report: Report, code: int, state: TwinState) -> StateView:
    assert report.estimate is not None
    row = int(np.flatnonzero(report.estimate.units == code)[0])
    value, u = (float(part[row]) for part in column(report.estimate, state))
    design = engine.plant.design_of(engine.lines[engine.roster.line_of[code]][1])
    band = getattr(design, _BANDS[state.name]) if state.name in _BANDS else None
    return StateView(
        state.name, state.unit, state.help, _known(value), _known(u),
        _known(value - SURE * u), _known(value + SURE * u),
        SUPERHEAT_BAND if state.name == "superheat_c" else band,
    )  # fmt: skip


def _furthest(figures: WindowFigures | None, row: int) -> list[AgainstView]:
    """The losses in which a pot differs most from its line, and last what neither explains."""
    found = []
    for term in TERMS:
        mine, line = (figure(figures, f"loss_{term.name}_kwh_t", at) for at in (row, 0))
        if math.isfinite(mine - line):
            found.append(AgainstView(term.name, term.title, term.help, mine, line, mine - line))
    losses = [view for view in found if view.name not in NO_LOSSES]
    rest = [view for view in found if view.name == "unexplained"]
    return [*sorted(losses, key=lambda view: -abs(view.difference))[:MOST_TERMS], *rest]


def what_if_answer(engine: Engine, report: Report, path: str, changes: Mapping[str, float]) -> WhatIfAnswer:
    """A line before and after changes of its levers, in the units of `levers.CONTROLS`. Raises Refused."""
    return supposed(engine, report, _code(engine, path, "line"), changes)
