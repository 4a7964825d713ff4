"""From lessons to rows with labels: which minutes are taught, as what, and of whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.matrix import Matrix
from twin.curriculum import LEFT_OUT, LINE_CLASSES, NORMAL, POT_CLASSES, truth_of
from twin.frames import Floats, Ints
from twin.lessons import Lesson
from twin.scoring import COLUMNS, LINE_COLUMNS, matrix
from twin.units import NS_PER_S

__all__ = ["HORIZON_MIN", "Rows", "line_rows", "pot_rows", "soon", "warning_rows"]

OWN = 100_000  # groups of one lesson
HORIZON_MIN = 40  # an anode effect is warned of when it begins within this time
AROUND_MIN = 60  # after an anode effect nothing is taught of the next
WARM_H = 10.0  # of a lesson: what is usual is not known yet
RING = 7919  # a prime: rows are thinned by it, evenly over pots and times


@dataclass(frozen=True, slots=True)
class Rows:
    """A matrix with a label each: number of the class, or for warnings 0 and 1."""

    matrix: Matrix
    label: Ints


def _unique(lesson: Lesson) -> Ints:
    """Rows of a lesson in order of time, each minute of a pot once, the warm-up left out."""
    order = np.lexsort((lesson.pot, lesson.time_ns))
    time, pot = lesson.time_ns[order], lesson.pot[order]
    new = np.concatenate([[True], (np.diff(time) != 0) | (np.diff(pot) != 0)])
    warm = time >= time[0] + int(WARM_H * 3600) * NS_PER_S
    result: Ints = order[new & warm]
    return result


def _gather(parts: list[tuple[Lesson, int, Ints]], columns: tuple[str, ...], line: bool) -> Matrix:
    found = []
    for lesson, number, rows in parts:
        values: Floats = np.asarray((lesson.line_values if line else lesson.values)[rows], np.float64)
        time: Ints = np.asarray((lesson.line_ns if line else lesson.time_ns)[rows])
        group: Ints = np.full(len(rows), number * OWN, np.int64)
        if not line:
            group += lesson.pot[rows]
        found.append(matrix(values, time, group, columns))
    return Matrix.concat(found)


def pot_rows(lessons: Sequence[Lesson], *, an_episode: int = 24, normal: float = 1.0) -> Rows:
    """Rows of pots: at most `an_episode` evenly over each time that a cause was at work, and `normal` as many of normal
    minutes as of all causes together."""
    parts, labels = [], []
    for number, lesson in enumerate(lessons):
        rows = _unique(lesson)
        label = truth_of(lesson.time_ns[rows], lesson.pot[rows], lesson.truths, POT_CLASSES)
        chosen = _chosen(lesson.pot[rows], label, an_episode, normal)
        parts.append((lesson, number, rows[chosen]))
        labels.append(label[chosen])
    return Rows(_gather(parts, COLUMNS, line=False), np.concatenate(labels))


def _chosen(pot: Ints, label: Ints, an_episode: int, normal: float) -> Ints:
    """Places of the rows that are taught."""
    order = np.lexsort((np.arange(len(pot)), pot))
    same = (np.diff(pot[order]) == 0) & (np.diff(label[order]) == 0)
    run = np.concatenate([[0], np.cumsum(~same)])
    size = np.bincount(run)
    first = np.concatenate([[0], np.cumsum(size)[:-1]])
    place = np.arange(len(order)) - first[run]
    every = np.maximum(size[run] // an_episode, 1)
    ill = label[order] > 0
    kept = ill & (place % every == 0)
    well = np.flatnonzero(label[order] == 0)
    share = min(1.0, normal * max(int(kept.sum()), 1) / max(len(well), 1))
    kept[well[(well * RING) % 10_000 < 10_000 * share]] = True
    result: Ints = np.sort(order[kept])
    return result


def line_rows(lessons: Sequence[Lesson], *, every: int = 4) -> Rows:
    """Rows of lines, every so many minutes; where nothing is known of the line's cause none."""
    parts, labels = [], []
    for number, lesson in enumerate(lessons):
        rows = np.arange(len(lesson.line_ns))
        rows = rows[(lesson.line_ns >= lesson.line_ns[0] + int(WARM_H * 3600) * NS_PER_S)]
        line_truths = [truth for truth in lesson.truths if not truth.pots]
        label = truth_of(lesson.line_ns[rows], np.full(len(rows), -1), line_truths, LINE_CLASSES)
        short = np.isin(label, [LINE_CLASSES.index(name) for name in ("line_current_loss", "power_modulation")])
        kept = (label != LEFT_OUT) & (short | (rows % every == 0))
        parts.append((lesson, number, rows[kept]))
        labels.append(label[kept])
    return Rows(_gather(parts, LINE_COLUMNS, line=True), np.concatenate(labels))


def soon(lesson: Lesson, rows: Ints, horizon_min: int = HORIZON_MIN) -> Ints:
    """1 where an anode effect begins within the horizon, LEFT_OUT in it and for a while after, else 0."""
    label = np.zeros(len(rows), np.int64)
    time, pot = lesson.time_ns[rows], lesson.pot[rows]
    order = np.lexsort((time, pot))
    for at_ns, of in lesson.effects.tolist():
        low, high = np.searchsorted(pot[order], of, "left"), np.searchsorted(pot[order], of, "right")
        mine = order[low:high]
        ahead = (at_ns - time[mine]) / (60 * NS_PER_S)
        label[mine[(ahead <= 0) & (ahead > -AROUND_MIN)]] = LEFT_OUT
        label[mine[(ahead > 0) & (ahead <= horizon_min) & (label[mine] == 0)]] = 1
    return label


def warning_rows(lessons: Sequence[Lesson], *, quiet: float = 12.0) -> Rows:
    """Rows for the early warning: every one before an anode effect, and `quiet` as many others; of the others all of
    the hours when feeders failed without an anode effect."""
    parts, labels = [], []
    starving = [POT_CLASSES.index(name) for name in ("feeder_hang", "feeder_plugged")]
    for number, lesson in enumerate(lessons):
        rows = _unique(lesson)
        label = soon(lesson, rows)
        cause = truth_of(lesson.time_ns[rows], lesson.pot[rows], lesson.truths, POT_CLASSES)
        near = (label == 0) & (cause == starving[0])
        well = np.flatnonzero((label == 0) & ~near)
        share = min(1.0, quiet * int((label == 1).sum()) / max(len(well), 1))
        kept = (label == 1) | near
        kept[well[(well * RING) % 10_000 < 10_000 * share]] = True
        parts.append((lesson, number, rows[kept]))
        labels.append(label[kept])
    return Rows(_gather(parts, COLUMNS, line=False), np.concatenate(labels))


def clean_rows(lessons: Sequence[Lesson], columns: tuple[str, ...], *, every: int = 6) -> Matrix:
    """Normal minutes alone, for detectors that learn what is usual, with these columns."""
    parts = []
    for number, lesson in enumerate(lessons):
        rows = _unique(lesson)
        label = truth_of(lesson.time_ns[rows], lesson.pot[rows], lesson.truths, POT_CLASSES)
        well = rows[label == POT_CLASSES.index(NORMAL)]
        parts.append((lesson, number, well[::every]))
    return _gather(parts, COLUMNS, line=False).choose(columns)
