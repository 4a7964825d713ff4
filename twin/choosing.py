"""From which probability on a cause is worth an alarm, and below which an alarm is over: chosen on lines that the model
has not seen, by what the scoreboard counts.

One limit after the other is moved as long as that makes all anomalies together cheaper: a pot has one anomaly at a
time, so that what one limit opens keeps another from being told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from twin.anomalies import NEVER, Rules
from twin.curriculum import EXPLAINED
from twin.frames import Floats, Ints
from twin.lessons import Lesson
from twin.model_scores import MISSED, anomalies_of, judged
from twin.tuning import smooth_of

__all__ = ["Unseen", "chosen", "cost", "unseen"]

Told = Callable[[str], None]
LEVELS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
ENDS = (0.3, 0.4, 0.5, 0.6, 0.7)
FIRST_LEVEL, FIRST_END = 0.6, 0.5
ROUNDS = 2
FALSE_COSTS = 0.5  # a false alarm costs a look at a pot, half as much as a cause that nobody was told of
WRONG_COSTS = 0.5  # so much of it is lost with another cause named first
MANY = 60  # events of a cause count as so many at most: a gateway takes a whole section with it


@dataclass(frozen=True, slots=True)
class Unseen:
    """A lesson, what was at work at the pots in question, and what was said of them: `ends` [ns] (times,), `table`
    (times, units, causes), NaN where nothing was."""

    lesson: Lesson
    ends: Ints
    table: Floats


def unseen(lesson: Lesson, pots: frozenset[int], ends: Ints, table: Floats) -> Unseen:
    """The lesson as of these pots alone, as long as `ends` say."""
    truths = [replace(t, pots=tuple(pot for pot in t.pots if pot in pots)) for t in lesson.truths if t.pots]
    lines = [truth for truth in lesson.truths if not truth.pots]
    known = tuple([truth for truth in truths if truth.pots and truth.begin_ns <= ends[-1]] + lines)
    return Unseen(replace(lesson, truths=known, line_ns=ends), ends, table)


def cost(rules: Rules, runs: Sequence[Unseen]) -> float:
    """What anomalies by these rules cost, in causes missed."""
    total = 0.0
    for run in runs:
        found = judged([run.lesson], [anomalies_of(rules, run.ends, run.table)], line=False)
        number = Counter(true for true, _, _ in found.named)
        for (true, said, _), seen in zip(found.named, found.score.found.tolist(), strict=True):
            wrong = WRONG_COSTS if said not in (true, MISSED) else 0.0
            total += min(1.0, MANY / number[true]) * (wrong if seen else 1.0)
        total += FALSE_COSTS * found.score.false
    return total


def chosen(causes: Sequence[str], runs: Sequence[Unseen], told: Told = lambda text: None) -> Rules:
    """The rules of least cost that moving one limit at a time leads to."""
    on = np.array([NEVER if name in EXPLAINED else FIRST_LEVEL for name in causes])
    rules = Rules(tuple(causes), on, smooth_of(causes), off=FIRST_END)
    least = cost(rules, runs)
    for number in range(ROUNDS):
        told(f"limits: round {number + 1} of {ROUNDS}")
        before = least
        for end in ENDS:
            rules, least = _better(replace(rules, off=end), rules, least, runs)
        for place in np.flatnonzero(np.isfinite(on)).tolist():
            rules, least = _moved(rules, least, place, runs)
        if least == before:
            break
    return rules


def _better(new: Rules, rules: Rules, least: float, runs: Sequence[Unseen]) -> tuple[Rules, float]:
    costs = cost(new, runs)
    return (new, costs) if costs < least else (rules, least)


def _moved(rules: Rules, least: float, place: int, runs: Sequence[Unseen]) -> tuple[Rules, float]:
    """The limit of one cause, as far down and up as it gets cheaper."""
    for step in (-1, 1):
        at = LEVELS.index(float(rules.on[place])) + step
        while 0 <= at < len(LEVELS):
            on = rules.on.copy()
            on[place] = LEVELS[at]
            new, costs = _better(replace(rules, on=on), rules, least, runs)
            if new is rules:
                break
            rules, least, at = new, costs, at + step
    return rules, least
