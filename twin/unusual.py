"""What the page asks of the models: open anomalies of a line with cause, signals, advice and evidence, the risk of
anode effects worst first, drift of inputs, and which models speak or why none does."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from twin.causes import cause_of
from twin.engine import Engine
from twin.faults import JUDGED
from twin.judge_thread import JudgeThread
from twin.opinions import DriftView, ModelView, Opinion, Reason
from twin.times import iso

__all__ = ["AnomaliesAnswer", "AnomalyView", "RiskView", "anomalies_answer"]

MOST_RISKS = 12


class AnomalyView(msgspec.Struct, frozen=True):
    """An open anomaly of a pot or of the line. `kind`: process or sensor; `others`: next likely causes."""

    unit: str
    cause: str
    title: str
    kind: str
    probability: float
    others: list[tuple[str, str, float]]  # cause, title, probability
    reasons: list[Reason]
    advice: str
    begin: str  # of the evidence
    told: str


class RiskView(msgspec.Struct, frozen=True):
    """How likely an anode effect is at a pot within the horizon; `warned`: a warning is open."""

    unit: str
    probability: float
    warned: bool


class AnomaliesAnswer(msgspec.Struct, frozen=True):
    """What models say of a line. `judged`: end of the minute of which they speak, "" before the first; `problem`: ""
    or why there are no models; `warning_advice` goes with the risks."""

    path: str
    judged: str
    problem: str
    anomalies: list[AnomalyView]
    risks: list[RiskView]
    warning_advice: str
    drift: list[DriftView]
    drift_columns: int
    models: list[ModelView]
    minutes: int
    skipped: int
    seconds: float


def anomalies_answer(engine: Engine, judge: JudgeThread | None, line: int) -> AnomaliesAnswer:
    """Of the line with this roster code, likeliest first."""
    roster = engine.roster
    if judge is None:
        return AnomaliesAnswer(roster.paths[line], "", "no models in this process", [], [], "", [], 0, [], 0, 0, 0.0)
    latest = judge.latest
    mine = [one for one in latest.opinions.values() if roster.line_of[one.unit] == line]
    mine.sort(key=lambda one: -one.probability)
    risk = latest.scores.get("anode_effect_risk", np.empty(0))
    known = [unit for unit in np.argsort(-np.nan_to_num(risk, nan=-1.0)).tolist() if math.isfinite(risk[unit])]
    risks = [
        RiskView(roster.paths[unit], float(risk[unit]), unit in latest.warned)
        for unit in known
        if roster.line_of[unit] == line
    ]
    return AnomaliesAnswer(
        roster.paths[line], iso(latest.time_ns) if latest.time_ns else "", judge.problem,
        [_view(one, roster.paths[one.unit]) for one in mine], risks[:MOST_RISKS],
        JUDGED["anode_effect_warning"][2], list(latest.drift), latest.drift_columns, list(latest.models),
        judge.minutes, judge.skipped, judge.seconds,
    )  # fmt: skip


def _view(one: Opinion, path: str) -> AnomalyView:
    row = cause_of(one.cause)
    others = [(name, cause_of(name).title, probability) for name, probability in one.others]
    return AnomalyView(
        path, one.cause, row.title, row.kind, one.probability, others, one.reasons, row.advice,
        iso(one.begin_ns), iso(one.told_ns),
    )  # fmt: skip
