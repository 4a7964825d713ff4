"""How the models fared on lessons that they have not seen: anomalies against what was at work, warnings against
effects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from models.events import Episodes, EventScore, judge
from twin.anomalies import Anomalies, Happened, Rules, step
from twin.curriculum import AFTER_H, AFTER_USUAL_H, EXPLAINED, Truth, class_of
from twin.frames import Floats, Ints
from twin.lessons import Lesson
from twin.scoring import COLUMNS, LINE_COLUMNS, Judges, matrix
from twin.tuning import grid
from twin.units import NS_PER_S

__all__ = [
    "Effects",
    "Judged",
    "anomalies_of",
    "effects_of",
    "episodes",
    "first_named",
    "ignored_of",
    "judged",
    "truth_episodes",
]

HOUR_NS, MINUTE_NS, DAY_NS = 3600 * NS_PER_S, 60 * NS_PER_S, 86400 * NS_PER_S
LATE_NS = 20 * MINUTE_NS  # after a cause an alarm still counts for it
SLOW_NS = 30 * MINUTE_NS  # an anode effect that has been building up for so long builds up slowly
AHEAD_NS = 90 * MINUTE_NS  # so early a warning is still one of this effect
BATCH = 40_000
MISSED = "(missed)"
GROUPS = 100_000  # of one lesson


@dataclass
class Judged:
    """Anomalies of pots or of lines against truths; `named` of every event (true class, named, severity)."""

    score: EventScore
    named: list[tuple[str, str, float]] = field(default_factory=list)
    severity: Floats = field(default_factory=lambda: np.zeros(0))


def probabilities(lesson: Lesson, says: object, line: bool) -> tuple[Ints, Floats]:
    """What a model says of a lesson with every minute: times (times,), table (times, units, causes)."""
    found = []
    rows = np.arange(len(lesson.line_ns if line else lesson.time_ns))
    for begin in range(0, len(rows), BATCH):
        part = rows[begin : begin + BATCH]
        values = np.asarray((lesson.line_values if line else lesson.values)[part], np.float64)
        times = np.asarray((lesson.line_ns if line else lesson.time_ns)[part])
        unit = np.zeros(len(part), np.int64) if line else np.asarray(lesson.pot[part])
        said = says(matrix(values, times, unit, LINE_COLUMNS if line else COLUMNS))  # type: ignore[operator]
        found.append((said[:, None] if said.ndim == 1 else said).astype(np.float32))
    unit = np.zeros(len(rows), np.int64) if line else np.asarray(lesson.pot)
    times = np.asarray(lesson.line_ns if line else lesson.time_ns)
    ends, table = grid(times - 1, unit, np.concatenate(found), 1)
    return ends, table


def anomalies_of(rules: Rules, ends: Ints, table: Floats) -> list[Happened]:
    """What the live service would have said of these minutes."""
    state, happened = Anomalies(table.shape[1], table.shape[2]), []
    for end_ns, row in zip(ends.tolist(), table.astype(np.float64), strict=True):
        state, new = step(state, rules, end_ns, row)
        happened += new
    return happened


def episodes(happened: Sequence[Happened], end_ns: int, group: int = 0) -> Episodes:
    """Anomalies as periods: from the alarm to its end, with the cause named first."""
    open_: dict[int, Happened] = {}
    rows: list[tuple[int, int, int, str]] = []
    for one in happened:
        if one.kind == "began":
            open_[one.unit] = one
        elif one.kind == "ended":
            first = open_.pop(one.unit)
            rows.append((group + one.unit, first.time_ns, one.time_ns, first.cause))
    rows += [(group + unit, first.time_ns, end_ns, first.cause) for unit, first in open_.items()]
    return Episodes.of([r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows], [r[3] for r in rows] or "")


def _rows(truths: Sequence[Truth], line: bool) -> Iterator[tuple[int, Truth]]:
    for truth in truths:
        if bool(truth.pots) != line:
            for unit in truth.pots or (0,):
                yield unit, truth


def truth_episodes(truths: Sequence[Truth], line: bool, group: int = 0) -> tuple[Episodes, Floats]:
    """What should have been told, with severities."""
    rows = [(unit, truth) for unit, truth in _rows(truths, line) if class_of(truth.cause) not in EXPLAINED]
    made = Episodes.of(
        [group + unit for unit, _ in rows], [t.begin_ns for _, t in rows], [t.end_ns for _, t in rows],
        [class_of(t.cause) for _, t in rows] or "",
    )  # fmt: skip
    return made, np.array([t.severity for _, t in rows])


def ignored_of(lesson: Lesson, line: bool, group: int = 0) -> Episodes:
    """When alarms count neither way: while what a cause did to a pot is still there, and while the line has no
    current.
    """
    rows = []
    for unit, truth in _rows(lesson.truths, line):
        after = AFTER_H.get(truth.cause, AFTER_USUAL_H)
        explained = truth.cause == "start_up"
        rows.append((group + unit, truth.begin_ns if explained else truth.end_ns, truth.end_ns + int(after * HOUR_NS)))
    if not line:
        for truth in lesson.truths:
            if truth.cause == "line_current_loss":
                rows += [(group + pot, truth.begin_ns, truth.end_ns + 3 * HOUR_NS) for pot in range(lesson.pots)]
        rows += [(group + int(pot), int(at), int(at) + 2 * HOUR_NS) for at, pot in lesson.effects.tolist()]
    return Episodes.of([r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows])


def first_named(happened: Sequence[Happened], unit: int, begin_ns: int, end_ns: int, also: frozenset[str]) -> str:
    """The cause that was named first while an event lasted; of an anomaly that stood before, its cause. What was named
    rightly of something else at work meanwhile (`also`) is passed over."""
    before = MISSED
    for one in happened:
        if one.unit != unit or one.time_ns > end_ns:
            continue
        if one.time_ns >= begin_ns:
            if one.kind in ("began", "changed") and one.cause not in also:
                return one.cause
        else:
            before = MISSED if one.kind == "ended" else one.cause
    return MISSED if before in also else before


def _also(truths: Sequence[Truth], line: bool, unit: int, begin_ns: int, end_ns: int, kind: str) -> frozenset[str]:
    """Other classes at work at a unit during an event."""
    return frozenset(
        class_of(truth.cause)
        for truth in truths
        if bool(truth.pots) != line and (line or unit in truth.pots) and class_of(truth.cause) != kind
        and truth.begin_ns <= end_ns and truth.end_ns >= begin_ns - LATE_NS
    )  # fmt: skip


def joined(parts: Sequence[Episodes]) -> Episodes:
    """Several as one."""
    return Episodes(*(np.concatenate([getattr(p, n) for p in parts]) for n in
                      ("group", "begin_ns", "raised_ns", "end_ns", "kind")))  # fmt: skip


def pot_days(lessons: Sequence[Lesson], line: bool) -> float:
    """Days observed, summed over pots or lines."""
    return sum((1 if line else one.pots) * float(one.line_ns[-1] - one.line_ns[0]) / DAY_NS for one in lessons)


def judged(lessons: Sequence[Lesson], happened: Sequence[list[Happened]], line: bool) -> Judged:
    """Anomalies of several lessons against their truths."""
    given, events, ignored, severity, named = [], [], [], [], []
    for number, (lesson, said) in enumerate(zip(lessons, happened, strict=True)):
        group = number * GROUPS
        given.append(episodes(said, int(lesson.line_ns[-1]), group))
        made, strong = truth_episodes(lesson.truths, line, group)
        events.append(made)
        severity.append(strong)
        ignored.append(ignored_of(lesson, line, group))
        for unit, begin, end, kind, how in zip(
            made.group - group, made.begin_ns, made.end_ns, made.kind, strong, strict=True
        ):
            also = _also(lesson.truths, line, int(unit), int(begin), int(end), str(kind))
            first = first_named(said, int(unit), int(begin), int(end) + LATE_NS, also)
            named.append((str(kind), first, float(how)))
    score = judge(joined(given), joined(events), pot_days(lessons, line), late_ns=LATE_NS, ignored=joined(ignored))
    return Judged(score, named, np.concatenate(severity))


@dataclass(frozen=True, slots=True)
class Effects:
    """Warnings against anode effects: `slow` and `all` of them, with leads [s] of those found."""

    all: EventScore
    slow: EventScore


def effects_of(lessons: Sequence[Lesson], happened: Sequence[list[Happened]]) -> Effects:
    """Warnings of several lessons against the anode effects that came."""
    given, events, slow = [], [], []
    for number, (lesson, said) in enumerate(zip(lessons, happened, strict=True)):
        group = number * GROUPS
        given.append(episodes(said, int(lesson.line_ns[-1]), group))
        at, pot = lesson.effects[:, 0], lesson.effects[:, 1]
        kinds = [
            "slow" if _builds_up(lesson.truths, int(a), int(p)) else "sudden" for a, p in zip(at, pot, strict=True)
        ]
        events.append(Episodes.of(group + pot, at, at + MINUTE_NS, kinds or ""))
        slow += kinds
    every = judge(joined(given), joined(events), pot_days(lessons, False), early_ns=AHEAD_NS)
    return Effects(every, every.of_kind("slow"))


def _builds_up(truths: Sequence[Truth], at_ns: int, pot: int) -> bool:
    """Whether what led to an anode effect had been at work for half an hour, or nothing had."""
    begun = [t.begin_ns for t in truths if pot in t.pots and t.begin_ns <= at_ns and at_ns <= t.end_ns + HOUR_NS]
    return not begun or at_ns - max(begun) >= SLOW_NS


def judges_said(judges: Judges, lesson: Lesson) -> dict[str, tuple[Ints, Floats]]:
    """Probabilities of every model over a lesson."""
    return {
        "pots": probabilities(lesson, judges.pots.probability, line=False),
        "lines": probabilities(lesson, judges.lines.probability, line=True),
        "warning": probabilities(lesson, judges.warning.probability, line=False),
    }
