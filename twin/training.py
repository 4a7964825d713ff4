"""Training of the models that the service uses, from lessons: fit, choose limits on unseen pots, save with a card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.boosting import Boosting
from models.detectors import fit
from models.diagnosis import Diagnosis, fit_diagnosis
from models.drift import Reference, refer
from models.matrix import Flags, Matrix
from models.saving import Metadata, save
from models.splits import grouped_splits
from models.warning import EarlyWarning, fit_warning
from twin.anomalies import Rules
from twin.choosing import chosen, unseen
from twin.curriculum import LINE_CLASSES, POT_CLASSES
from twin.features.table import PLAIN
from twin.frames import Floats, Ints
from twin.lessons import Lesson
from twin.scoring import COLUMNS, FILES, INPUTS, LINE_COLUMNS, WARNED, matrix, signal_set
from twin.teaching import HORIZON_MIN, OWN, Rows, clean_rows, line_rows, pot_rows, soon, warning_rows
from twin.tuning import grid, smooth_of, smoothed

__all__ = ["Trained", "train", "write"]

Told = Callable[[str], None]
POTS = Boosting(trees=30, learning_rate=0.2, leaves=12, rows_per_leaf=30, bins=40)
LINES = Boosting(trees=25, learning_rate=0.15, leaves=4, rows_per_leaf=10, bins=64)
WARNING = Boosting(trees=80, learning_rate=0.1, leaves=10, rows_per_leaf=20, bins=64)
DAYS = 86_400_000_000_000  # ns, blocks of time dealt out to folds
EVERY_MIN = 5
LEAST_EVENTS = 40  # causes at pots in a lesson that is left out to choose limits by
BATCH = 50_000
WARNED_PRECISION = 0.7
WARNED_MIN = 90  # a warning comes true when an anode effect begins within so many minutes
# what tells causes apart, by the shape of the column: levels of instruments that differ from pot to pot are left out
SHAPES = ("_1h", "_1d", "_4h_5d", "_sigma", "_10m_1h")
EXTRA = (
    "slope_10m", "bubble_noise_10m", "wave_noise_10m", "anode_max_10m", "anode_min_10m", "anode_spread_10m", "fed_10m",
    "margin_10m", "iron_now", "hand_gap_now", "surprise_voltage_10m", "thermocouple_offset_10m", "voltage_gap_10m",
    "underfeed_10m", "overfeed_10m", "stopped_10m", "superheat_10m", "bar_1d_5d", "cathode_1d_5d", "iron_1d_5d",
    "alf3_1d_5d", "liquidus_offset_1d_5d", "alf3_loss_1d_5d", "laboratory_alf3_1d_5d", "fed_1d_5d", "temperature_10m",
    "feed_gain_10m",
)  # fmt: skip
LEAVE = ("voltage_offset_10m_1h", "surprise_voltage_1h_1d", "undissolved_1h_1d", "duct_flow", "surprise_voltage_10m_1h")
TOLD = tuple(
    name for name in COLUMNS
    if (name.endswith(SHAPES) or name in EXTRA or name in {row.name for row in PLAIN}) and not name.startswith(LEAVE)
    and not name.endswith(("_now_10m", "line_1h"))
)  # fmt: skip
AHEAD = tuple(name for name in COLUMNS if name.startswith((
    "voltage_now", "voltage_10m", "voltage_1h_4h", "voltage_gap", "voltage_range", "voltage_sd", "slope",
    "bubble_noise_10m", "bubble_noise_1h", "fed_10m", "fed_1h_4h", "overfeed_10m", "overfeed_1h_4h", "underfeed_10m",
    "stopped", "alumina", "margin", "undissolved", "feed_gain_10m", "surprise_voltage", "since_", "mode",
    "distance_1h_1d", "line_", "stuck", "covered",
)))  # fmt: skip
LINE_TOLD = tuple(name for name in LINE_COLUMNS if name.startswith((
    "current_now", "current_10m_1h", "current_1h", "set_mean_10m_1h", "set_mean_1h", "ac_over_dc_10m_1h",
    "ac_over_dc_1h", "ac_over_dc_4h_5d", "dc_over_power_10m_1h", "dc_over_power_1h", "tap_scale_now",
)))  # fmt: skip
UNUSUAL = tuple(name for name in COLUMNS if name.endswith("_sigma"))
COMPARED = ("robust_limits", "cusum", "change_point", "isolation_forest", "local_outlier", "always", "never")
ANODES = {"largest": "anode_max_10m", "smallest": "anode_min_10m", "spread": "anode_spread_10m"}
FALSE_SHARE = 1e-3  # of clean rows over the limit of a detector
LIMITS = (
    "Trained on simulated lines: probabilities on a real line are to be checked there before they are relied on.",
    "Causes are far more frequent in training than on a real line: rules decide on alarms, not probability alone.",
    "feeder_hang stands for everything that starves the pot within the hour.",
)


@dataclass(frozen=True, slots=True)
class Trained:
    """The models with their rules, and scores on rows that were left out."""

    pots: Diagnosis
    lines: Diagnosis
    warning: EarlyWarning
    unusual: object
    pot_rules: Rules
    line_rules: Rules
    warning_rules: Rules
    scores: dict[str, dict[str, float]]
    others: dict[str, object]
    inputs: Reference | None = None  # what the columns were, to watch drift against


def _present(rows: Rows, classes: Sequence[str]) -> tuple[Ints, tuple[str, ...]]:
    """Labels without the classes that no row has, and the classes that are left."""
    there = np.unique(rows.label)
    place = np.full(len(classes), -1)
    place[there] = np.arange(len(there))
    return place[rows.label], tuple(classes[n] for n in there.tolist())


def _diagnosis(
    rows: Rows, classes: Sequence[str], options: Boosting, seed: int, folds: int, blocks: int = 2
) -> tuple[Diagnosis, float]:
    label, names = _present(rows, classes)
    splits = grouped_splits(rows.matrix, group_folds=folds, block_folds=blocks, block_ns=DAYS, seed=seed)
    normal = label == 0
    model, held_out = fit_diagnosis(rows.matrix, label, names, splits, normal=normal, seed=seed, options=options)
    judged = np.isfinite(held_out[:, 0])
    right = float((np.argmax(held_out[judged], axis=1) == label[judged]).mean())
    return model, right


def _seen(rows: Rows, columns: tuple[str, ...]) -> Rows:
    return Rows(rows.matrix.choose(columns), rows.label)


def _line_folds(lessons: Sequence[Lesson]) -> tuple[int, int]:
    """A line has few causes: all but one lesson teach where there are several, else times are dealt out."""
    return (min(len(lessons), 4), 1) if len(lessons) > 1 else (1, 2)


def _parts(lessons: Sequence[Lesson], rows: Rows) -> list[tuple[Rows, list[tuple[Lesson, Ints]]]]:
    """Rows to learn from, and what is told of by whom has not seen it: one lesson after the other is left out, or of a
    single lesson the odd pots. Lessons in which nothing happens to pots teach no limits."""
    group = rows.matrix.group
    own = [n for n, lesson in enumerate(lessons) if sum(bool(truth.pots) for truth in lesson.truths) >= LEAST_EVENTS]
    if len(own) < 2:
        odd = [(lesson, np.flatnonzero(lesson.pot % 2 == 1)) for lesson in lessons]
        return [(_some(rows, group % OWN % 2 == 0), odd)]
    return [
        (_some(rows, group // OWN != n), [(lessons[n], np.arange(len(lessons[n].time_ns)))]) for n in own
    ]  # fmt: skip


def _some(rows: Rows, mine: Flags) -> Rows:
    return Rows(rows.matrix.take(mine), rows.label[mine])


def _all(lesson: Lesson, rows: Ints, says: Callable[[Matrix], Floats], line: bool) -> Floats:
    """What a model says of rows of a lesson, in batches."""
    found = []
    for begin in range(0, len(rows), BATCH):
        part = rows[begin : begin + BATCH]
        values = np.asarray((lesson.line_values if line else lesson.values)[part], np.float64)
        times = (lesson.line_ns if line else lesson.time_ns)[part]
        group = np.zeros(len(part), np.int64) if line else np.asarray(lesson.pot[part])
        found.append(says(matrix(values, np.asarray(times), group, LINE_COLUMNS if line else COLUMNS)))
    return np.concatenate(found)


def _told_of(lesson: Lesson, mine: Ints, said: Floats) -> tuple[Ints, Floats]:
    return grid(np.asarray(lesson.time_ns[mine]), np.asarray(lesson.pot[mine]), said, EVERY_MIN)


def _pot_rules(lessons: Sequence[Lesson], rows: Rows, seed: int, told: Told) -> Rules:
    """Limits from what models say of lines, or pots, that they have not seen."""
    _, causes = _present(rows, POT_CLASSES)
    runs = []
    for part, others in _parts(lessons, rows):
        told("limits: a model of the others")
        model, _ = _diagnosis(part, POT_CLASSES, POTS, seed, 2, 1)
        for lesson, mine in others:
            said = np.zeros((len(mine), len(causes)))
            said[:, [causes.index(name) for name in model.causes]] = _all(lesson, mine, model.probability, line=False)
            pots = frozenset(np.unique(lesson.pot[mine]).tolist())
            runs.append(unseen(lesson, pots, *_told_of(lesson, mine, said)))
    return chosen(causes, runs, told)


def _line_rules(model: Diagnosis) -> Rules:
    """Limits of lines: there are too few causes of lines to choose by; what is clear is asked for."""
    on = np.array([np.inf if name in ("normal", "power_modulation") else 0.5 for name in model.causes])
    return Rules(model.causes, on, smooth_of(model.causes))


def _warning_rules(lessons: Sequence[Lesson], rows: Rows, seed: int) -> tuple[Rules, dict[str, float]]:
    """The limit from which of ten warnings seven come true, where the models have not been."""
    smooth, tables = smooth_of((WARNED,)), []
    for half, others in _parts(lessons, rows):
        splits = grouped_splits(half.matrix, group_folds=2, block_folds=1, seed=seed)
        model, _ = fit_warning(half.matrix, half.label == 1, splits, seed=seed, options=WARNING)
        for lesson, mine in others:
            _, table = _told_of(lesson, mine, _all(lesson, mine, model.probability, line=False)[:, None])
            _, near = _told_of(lesson, mine, soon(lesson, mine, WARNED_MIN)[:, None].astype(np.float64))
            tables.append((smoothed(table, smooth, EVERY_MIN)[:, :, 0], near[:, :, 0]))
    best, scores = 0.5, {}
    for level in np.linspace(0.1, 0.9, 33).tolist():
        raised = right = 0
        for series, near in tables:
            begins = (series[1:] >= level) & (series[:-1] < level)
            raised += int((begins & (near[1:] >= 0)).sum())
            right += int((begins & (near[1:] == 1)).sum())
        if raised and right / raised >= WARNED_PRECISION:
            best, scores = level, {"precision on unseen pots": right / raised}
            break
    return Rules((WARNED,), np.array([best]), smooth, off=0.5 * best, clear_min=20.0), scores


def train(lessons: Sequence[Lesson], *, seed: int, told: Told = lambda text: None) -> Trained:
    """Everything from lessons. Raises models.errors.ModelError where they hold too little."""
    rows = _seen(pot_rows(lessons), TOLD)
    told(f"{len(rows.matrix)} rows of pots")
    pot_rules = _pot_rules(lessons, rows, seed, told)
    told("diagnosis of pots")
    pots, right = _diagnosis(rows, POT_CLASSES, POTS, seed, 2)
    scores = {"pots": {"rows right, left out": right}}
    told("diagnosis of lines")
    of_lines = _seen(line_rows(lessons), LINE_TOLD)
    lines, right = _diagnosis(of_lines, LINE_CLASSES, LINES, seed, *_line_folds(lessons))
    scores["lines"] = {"rows right, left out": right}
    told("early warning")
    ahead = _seen(warning_rows(lessons), AHEAD)
    warning_rules, scores["warning"] = _warning_rules(lessons, ahead, seed)
    splits = grouped_splits(ahead.matrix, group_folds=2, block_folds=2, block_ns=DAYS, seed=seed)
    warning, _ = fit_warning(ahead.matrix, ahead.label == 1, splits, seed=seed, options=WARNING)
    told("what is unusual")
    clean = clean_rows(lessons, UNUSUAL)
    unusual = fit("pca", clean, seed=seed, false_alarms=FALSE_SHARE)
    others = {name: fit(name, clean, seed=seed, false_alarms=FALSE_SHARE) for name in COMPARED}
    anodes = clean_rows(lessons, tuple(ANODES.values()))
    others["anode_pattern"] = fit("anode_pattern", anodes, seed=seed, false_alarms=FALSE_SHARE, parameters=ANODES)
    return Trained(
        pots, lines, warning, unusual, pot_rules, _line_rules(lines), warning_rules, scores, others,
        references(lessons),
    )  # fmt: skip


def references(lessons: Sequence[Lesson]) -> Reference:
    """What columns that models read look like in clean minutes; times since something happened are left out."""
    plain = {row.name for row in PLAIN}
    seen = tuple(name for name in COLUMNS if name in {*TOLD, *AHEAD} - plain)
    return refer(clean_rows(lessons, seen))


def write(folder: Path, trained: Trained, *, data: str, made: str, seeds: tuple[int, ...]) -> dict[str, Metadata]:
    """Model files into a folder; returns what each says of itself."""
    folder.mkdir(parents=True, exist_ok=True)
    titles = {
        "pots": "Which cause is at work at a pot", "lines": "Which cause is at work at a line",
        "warning": f"An anode effect begins within {HORIZON_MIN} min", "unusual": "A pot is not as pots usually are",
    }  # fmt: skip
    rules = {"pots": trained.pot_rules, "lines": trained.line_rules, "warning": trained.warning_rules}
    written = {}
    for name, file in FILES.items():
        model = getattr(trained, name)
        table = rules[name].table() if name in rules else {}
        about = Metadata(
            "",
            model.columns,
            signal_set(),
            titles[name],
            data,
            made,
            seeds,
            table,
            trained.scores.get(name, {}),
            LIMITS,
        )
        written[name] = save(folder / file, model, about)
    for name, model in trained.others.items():
        about = Metadata("", (), signal_set(), f"To compare with: {name}", data, made, seeds)
        save(folder / f"detector-{name}.skops", model, about)
    if trained.inputs is not None:
        about = Metadata("", (), signal_set(), "What the columns are in clean minutes of training", data, made, seeds)
        save(folder / INPUTS, trained.inputs, about)
    return written
