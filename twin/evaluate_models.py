"""`twin evaluate models`: the figures of the scoreboard, from lessons of seeds, pots and severities that no model has
seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from models.events import Episodes, EventScore, alarms, judge
from twin.anomalies import Happened, Rules
from twin.curriculum import EXPLAINED, LEFT_OUT, SENSORS, truth_of
from twin.features import FEATURES, LINE_FEATURES, Minute
from twin.frames import Floats, Ints
from twin.lessons import Lesson
from twin.model_scores import (
    GROUPS,
    LATE_NS,
    MISSED,
    Effects,
    Judged,
    anomalies_of,
    effects_of,
    ignored_of,
    joined,
    judged,
    judges_said,
    pot_days,
    truth_episodes,
)
from twin.scoring import Judges, matrix
from twin.teaching import soon
from twin.units import NS_PER_S

__all__ = ["Findings", "evaluate", "speed"]

Told = Callable[[str], None]
MODERATE = 0.8  # of a cause's usual strength; a weaker one is not "moderate severity"
EVERY_MIN = 5  # minutes between rows that detectors are judged on
HOLD_NS, CLEAR_NS = 10 * 60 * NS_PER_S, 30 * 60 * NS_PER_S
BINS = np.linspace(0.0, 1.0, 11)


@dataclass
class Findings:
    """Everything that is told: anomalies of pots and of lines, effects, detectors by name, reliability as rows (said,
    came true, how many), seconds for 10,000 pots, and how many pot-days were observed."""

    pots: Judged
    lines: Judged
    effects: Effects
    detectors: dict[str, EventScore]
    reliability: dict[str, list[tuple[float, float, int]]]
    seconds: float
    pot_days: float
    clean_false: float
    hours: dict[str, float] = field(default_factory=dict)


def evaluate(judges: Judges, detectors: Sequence[object], lessons: Sequence[Lesson], told: Told) -> Findings:
    """Judge models on lessons with every minute (`every_min` = 1)."""
    of_pots: list[list[Happened]] = []
    of_lines: list[list[Happened]] = []
    warned: list[list[Happened]] = []
    reliability = {"diagnosis": _Reliability(), "warning": _Reliability()}
    for lesson in lessons:
        told(f"{lesson.name}: probabilities")
        said = judges_said(judges, lesson)
        told(f"{lesson.name}: anomalies")
        of_pots.append(anomalies_of(judges.pot_rules, *said["pots"]))
        of_lines.append(anomalies_of(judges.line_rules, *said["lines"]))
        warned.append(anomalies_of(judges.warning_rules, *said["warning"]))
        _reliable(judges, lesson, said, reliability)
    pots, lines = judged(lessons, of_pots, line=False), judged(lessons, of_lines, line=True)
    told("detectors")
    scores = {getattr(one, "name", "?"): _detector(one, lessons) for one in detectors}
    scores["voltage over 4.6 V"] = _over_limit(lessons)
    clean = [n for n, lesson in enumerate(lessons) if lesson.name.startswith("clean")]
    quiet = [lessons[n] for n in clean]
    clean_false = judged(quiet, [of_pots[n] for n in clean], line=False).score.false_per_group_day if quiet else np.nan
    told("speed")
    return Findings(
        pots, lines, effects_of(lessons, warned), scores, {name: one.rows() for name, one in reliability.items()},
        speed(judges, lessons[0]), pot_days(lessons, False), clean_false,
    )  # fmt: skip


class _Reliability:
    """Counts by tenth of the probability: how often it was said, and how often it came true."""

    def __init__(self) -> None:
        self.said, self.true, self.count = np.zeros(10), np.zeros(10), np.zeros(10)

    def add(self, probability: Floats, true: np.ndarray) -> None:
        place = np.clip((probability * 10).astype(int), 0, 9)
        self.said += np.bincount(place, probability, 10)
        self.true += np.bincount(place, true, 10)
        self.count += np.bincount(place, minlength=10)

    def rows(self) -> list[tuple[float, float, int]]:
        some = self.count > 0
        return [
            (s / n, t / n, int(n)) for s, t, n in zip(self.said[some], self.true[some], self.count[some], strict=True)
        ]


def _reliable(
    judges: Judges, lesson: Lesson, said: dict[str, tuple[Ints, Floats]], into: dict[str, _Reliability]
) -> None:
    """The likeliest cause of rows with one known truth; warnings of all rows outside anode effects."""
    rows = np.arange(0, len(lesson.time_ns), 3)
    ends, table = said["pots"]
    time_ns, pot = np.asarray(lesson.time_ns[rows]), np.asarray(lesson.pot[rows])
    label = truth_of(time_ns, pot, lesson.truths, judges.pots.causes)
    places = (time_ns - 1) // (60 * NS_PER_S) - (int(ends[0]) // (60 * NS_PER_S) - 1)
    found = table[places, pot]
    good = (label != LEFT_OUT) & np.isfinite(found).all(axis=1)
    top = found[good].argmax(axis=1)
    into["diagnosis"].add(found[good].max(axis=1), top == label[good])
    ahead = soon(lesson, rows)
    says = said["warning"][1][places, pot, 0]
    good = (ahead != LEFT_OUT) & np.isfinite(says)
    into["warning"].add(says[good], ahead[good] == 1)


def _thin(lesson: Lesson, columns: tuple[str, ...], number: int) -> object:
    rows = np.flatnonzero((lesson.time_ns // (60 * NS_PER_S)) % EVERY_MIN == 0)
    values = np.asarray(lesson.values[rows], np.float64)
    group = np.asarray(lesson.pot[rows]) + number * GROUPS
    return matrix(values, np.asarray(lesson.time_ns[rows]), group).choose(columns)


def _truths(lessons: Sequence[Lesson]) -> tuple[Episodes, Episodes]:
    parts = [truth_episodes(lesson.truths, False, n * GROUPS)[0] for n, lesson in enumerate(lessons)]
    return joined(parts), joined([ignored_of(lesson, False, n * GROUPS) for n, lesson in enumerate(lessons)])


def _scored(given: Sequence[Episodes], lessons: Sequence[Lesson]) -> EventScore:
    events, ignored = _truths(lessons)
    return judge(joined(given), events, pot_days(lessons, False), late_ns=LATE_NS, ignored=ignored)


def _detector(detector: object, lessons: Sequence[Lesson]) -> EventScore:
    """Alarms of an unsupervised or trivial detector over its own limit, held for ten minutes."""
    given = []
    for number, lesson in enumerate(lessons):
        rows = _thin(lesson, detector.columns, number)  # type: ignore[attr-defined]
        _, scores = detector.score(detector.start(), rows)  # type: ignore[attr-defined]
        limit = detector.limit  # type: ignore[attr-defined]
        given.append(alarms(rows, scores > limit, hold_ns=HOLD_NS, clear_ns=CLEAR_NS, merge_ns=CLEAR_NS))  # type: ignore[arg-type]
    return _scored(given, lessons)


def _over_limit(lessons: Sequence[Lesson]) -> EventScore:
    """What a line without a twin has: the pot voltage over the limit of the fault table."""
    given = []
    for number, lesson in enumerate(lessons):
        rows = _thin(lesson, ("voltage_high",), number)
        given.append(alarms(rows, rows.values[:, 0], on=4.6, off=4.5, merge_ns=CLEAR_NS))  # type: ignore[attr-defined,arg-type]
    return _scored(given, lessons)


def speed(judges: Judges, lesson: Lesson, pots: int = 10_000) -> float:
    """Seconds of one minute of so many pots through every model, the best of three."""
    take = np.resize(np.arange(min(len(lesson.values), 2000)), pots)
    values = np.asarray(lesson.values[take], np.float64)
    line = np.asarray(lesson.line_values[:1], np.float64)
    assert values.shape[1] == len(FEATURES)
    assert line.shape[1] == len(LINE_FEATURES)
    units, place = np.arange(pots, dtype=np.int32), np.zeros(pots, np.int64)
    state, best = judges.start(pots, 1), np.inf
    for n in range(3):
        began = time.perf_counter()
        state, _ = judges.step(
            state, Minute((n + 1) * 60 * NS_PER_S, units, np.array([pots], np.int32), place, values, line)
        )
        best = min(best, time.perf_counter() - began)
    return best


def moderate(found: Judged, kind: str, least: float = MODERATE) -> tuple[float, int]:
    """Recall of the events of a cause that are not weak, and how many they are."""
    mine = (found.score.events.kind == kind) & (found.severity >= least)
    return (float(found.score.found[mine].mean()) if mine.any() else float("nan")), int(mine.sum())


def right_first(found: Judged, kind: str = "") -> float:
    """Share of the events found whose cause was named first time."""
    told = [(true, said) for true, said, _ in found.named if said != MISSED and kind in ("", true)]
    return sum(true == said for true, said in told) / len(told) if told else float("nan")


def process_recall(found: Judged) -> tuple[float, int]:
    """Recall over all process faults of moderate severity."""
    kinds = found.score.events.kind
    mine = (found.severity >= MODERATE) & ~np.isin(kinds, sorted(SENSORS | EXPLAINED))
    return float(found.score.found[mine].mean()) if mine.any() else float("nan"), int(mine.sum())


def rules_of(judges: Judges) -> dict[str, Rules]:
    """For whoever shows them."""
    return {"pots": judges.pot_rules, "lines": judges.line_rules, "warning": judges.warning_rules}
