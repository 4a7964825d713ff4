"""Minutes through the trained models: probabilities, early warnings, and the anomalies that come of them.

    judges = load(folder)                              # the files that `twin models train` wrote; `packaged()` has
    the default state = judges.start(pots, lines)
    state, scored = judges.step(state, minute)         # features.Minute -> Scored

Training, evaluation and the live service use this and nothing else. A model for other columns is refused on loading.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from models.contract import State as DetectorState
from models.diagnosis import Diagnosis
from models.matrix import Matrix
from models.saving import Metadata
from models.saving import load as load_model
from models.warning import EarlyWarning
from twin.anomalies import Anomalies, Happened, Rules, step
from twin.features import FEATURES, LINE_FEATURES, VERSION, Minute
from twin.frames import Floats, Ints

__all__ = ["FILES", "INPUTS", "WARNED", "Judges", "Scored", "Scoring", "load", "packaged", "signal_set"]

FILES = {"pots": "pots.skops", "lines": "lines.skops", "warning": "anode-effect.skops", "unusual": "unusual.skops"}
INPUTS = "inputs.skops"  # what the columns were in training, to watch drift against; a folder may do without
WARNED = "anode_effect"
COLUMNS = tuple(row.name for row in FEATURES)
LINE_COLUMNS = tuple(row.name for row in LINE_FEATURES)


def signal_set() -> str:
    """One word for the columns that models see: their version, names and units."""
    text = ";".join(f"{row.name}[{row.unit}]" for row in (*FEATURES, *LINE_FEATURES))
    return f"features-{VERSION}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True)
class Scored:
    """One minute: probabilities of causes (pots, causes) and (lines, causes), of an anode effect within the horizon
    (pots,),
    score of the unsupervised detector (pots,); what happened to anomalies of pots, of lines, and to warnings (unit =
    row)."""

    pots: Floats
    lines: Floats
    warning: Floats
    unusual: Floats
    of_pots: list[Happened]
    of_lines: list[Happened]
    warned: list[Happened]


class Scoring:
    """What is remembered between minutes."""

    def __init__(self, pots: Anomalies, lines: Anomalies, warned: Anomalies, unusual: DetectorState) -> None:
        self.pots, self.lines, self.warned, self.unusual = pots, lines, warned, unusual


@dataclass(frozen=True, slots=True)
class Judges:
    """The trained models with the rules by which their probabilities become anomalies."""

    pots: Diagnosis
    lines: Diagnosis
    warning: EarlyWarning
    unusual: Any
    pot_rules: Rules
    line_rules: Rules
    warning_rules: Rules
    about: dict[str, Metadata]

    def start(self, pots: int, lines: int) -> Scoring:
        """Before the first minute."""
        return Scoring(
            Anomalies(pots, len(self.pots.causes)), Anomalies(lines, len(self.lines.causes)), Anomalies(pots, 1),
            self.unusual.start(),
        )  # fmt: skip

    def step(self, state: Scoring, minute: Minute) -> tuple[Scoring, Scored]:
        """One minute of all pots and lines; pots enrolled since the last are taken in."""
        if len(minute.units) > len(state.pots.cause):
            state.pots.grow(len(minute.units))
            state.warned.grow(len(minute.units))
        rows = matrix(minute.values, minute.time_ns, minute.units.astype(np.int64))
        lines = matrix(minute.line_values, minute.time_ns, minute.lines.astype(np.int64), LINE_COLUMNS)
        pots = self.pots.probability(rows)
        of_line = self.lines.probability(lines)
        warning = self.warning.probability(rows)
        state.unusual, unusual = self.unusual.score(state.unusual, rows)
        state.pots, of_pots = step(state.pots, self.pot_rules, minute.time_ns, pots)
        state.lines, of_lines = step(state.lines, self.line_rules, minute.time_ns, of_line)
        state.warned, warned = step(state.warned, self.warning_rules, minute.time_ns, warning[:, None])
        return state, Scored(pots, of_line, warning, unusual, of_pots, of_lines, warned)

    def reasons(self, minute: Minute, unit: int, count: int = 5) -> list[tuple[str, float]]:
        """The columns that speak most for the likeliest cause at a pot (row of the minute), with their log odds."""
        row = matrix(minute.values[unit : unit + 1], minute.time_ns, minute.units[unit : unit + 1].astype(np.int64))
        return _top(self.pots, row, count)

    def line_reasons(self, minute: Minute, line: int, count: int = 5) -> list[tuple[str, float]]:
        """The same of a line."""
        units = minute.lines[line : line + 1].astype(np.int64)
        row = matrix(minute.line_values[line : line + 1], minute.time_ns, units, LINE_COLUMNS)
        return _top(self.lines, row, count)


def _top(model: Diagnosis, row: Matrix, count: int) -> list[tuple[str, float]]:
    said = model.explain(row)[0]
    order = np.argsort(-said)[:count]
    return [(model.columns[n], float(said[n])) for n in order.tolist() if said[n] > 0.0]


def matrix(values: Floats, time_ns: int | Ints, group: Ints, columns: tuple[str, ...] = COLUMNS) -> Matrix:
    """Rows as models take them; what is not finite is missing. Values pass through single precision: training had no
    more.
    """
    narrow = values.astype(np.float32).astype(np.float64)
    clean = np.where(np.isfinite(narrow), narrow, np.nan)
    times = np.broadcast_to(np.asarray(time_ns, np.int64), group.shape).copy()
    return Matrix(columns, clean, times, group.copy())


def load(folder: Path) -> Judges:
    """The models in a folder. Raises models.errors.ModelError: damaged, not trusted, of another version or set of
    columns.
    """
    about, found = {}, {}
    kinds = {"pots": "diagnosis", "lines": "diagnosis", "warning": "warning", "unusual": "detector"}
    for name, file in FILES.items():
        found[name], about[name] = load_model(folder / file, signal_set=signal_set(), kind=kinds[name])
    return Judges(
        found["pots"], found["lines"], found["warning"], found["unusual"],
        Rules.of(found["pots"].causes, about["pots"].parameters),
        Rules.of(found["lines"].causes, about["lines"].parameters),
        Rules.of((WARNED,), about["warning"].parameters),
        about,
    )  # fmt: skip


def packaged() -> Path:
    """The folder of the models that come with the product."""
    return Path(str(resources.files("models") / "files"))
