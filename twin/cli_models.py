"""`twin models`: detectors on any table, without a plant, a broker or a store. Nothing else knows tables and models."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich import box
from rich.console import Console
from rich.table import Table as Shown

from models.card import card
from models.contract import Detector, flagged
from models.detectors import DETECTORS, fit, row
from models.errors import ModelError
from models.matrix import Flags, Floats, Matrix
from models.saving import Metadata, describe, load, save
from twin.errors import ConfigError
from twin.frames import Ints
from twin.progress import Progress
from twin.table_file import Table, read_table

__all__ = ["app"]

app = typer.Typer(help="Learned models: detectors on any table, and what a model file holds.", no_args_is_help=True)
BATCH = 20_000  # rows scored between two signs of progress

DataOption = Annotated[Path, typer.Option("--data", help="Table: a .csv or .parquet file with a header.")]
TimeOption = Annotated[str, typer.Option("--time", help="Column of the time: moments, or numbers (seconds).")]
GroupOption = Annotated[str, typer.Option("--group", help="Column that tells independent series apart.")]
WithoutOption = Annotated[list[str] | None, typer.Option("--without", help="Column to leave out; may be repeated.")]
TrainRowsOption = Annotated[int, typer.Option(min=0, help="Learn from the first rows only, by time; 0 = all.")]
DetectorOption = Annotated[str, typer.Option("--detector", help="Name from `twin models list`.")]
ParameterOption = Annotated[
    list[str] | None, typer.Option("--parameter", "-p", help="NAME=VALUE of the detector; may be repeated.")
]
SeedOption = Annotated[int, typer.Option(min=0, help="Same seed and rows, same detector.")]
FalseOption = Annotated[float, typer.Option(help="Share of normal rows that may be flagged.")]


@app.callback()
def models() -> None:
    """Learned models: detectors on any table, and what a model file holds."""


@contextmanager
def _told() -> Iterator[None]:
    """What models refuse is a wrong input of this command."""
    try:
        yield
    except ModelError as error:
        raise ConfigError(str(error)) from error


@app.command("list")
def list_detectors() -> None:
    """Print the table of detectors."""
    shown = Shown(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("detector", "looks at", "finds", "parameters"):
        shown.add_column(name, no_wrap=name == "detector")
    for one in DETECTORS:
        shown.add_row(one.name, one.sees, one.help, " ".join(f"{name}={value}" for name, value in one.defaults.items()))
    Console().print(shown)


@app.command("card")
def show_card(file: Annotated[Path, typer.Argument(help="Model file.")]) -> None:
    """Print the card of a model file as Markdown: data, features, scores, limits, versions."""
    with _told():
        typer.echo(card(describe(file)), nl=False)


@app.command("fit")
def fit_detector(
    data: DataOption,
    time: TimeOption,
    detector: DetectorOption,
    model: Annotated[Path, typer.Option(help="Model file to write.")],
    group: GroupOption = "",
    without: WithoutOption = None,
    train_rows: TrainRowsOption = 0,
    parameter: ParameterOption = None,
    seed: SeedOption = 0,
    false_alarms: FalseOption = 0.001,
) -> None:
    """Fit a detector on a table whose rows are normal and write it to a file."""
    with _told():
        table = read_table(data, time, group, without or ())
        fitted = _fit(table, detector, train_rows, parameter, seed, false_alarms)
        rows = _training(table, train_rows).sum()
        save(
            model,
            fitted,
            Metadata(
                "", (), title=row(detector).title, data=f"{rows} rows of {data.name}, {len(set(table.group))} groups.",
                made=datetime.now(UTC).isoformat(timespec="seconds"), seeds=(seed,),
                parameters={"false_alarms": false_alarms, **row(detector).defaults, **_parameters(parameter)},
                limits=(f"A row is flagged above {fitted.limit:.6g}.", "Not judged on known anomalies."),
            ),
        )  # fmt: skip
    _say(f"wrote {model}: {detector}, {len(fitted.columns)} columns, limit {fitted.limit:.6g}")


@app.command()
def score(
    data: DataOption,
    time: TimeOption,
    out: Annotated[Path, typer.Option(help="CSV file to write: time, group, score, flagged, column.")],
    detector: DetectorOption = "",
    model: Annotated[Path | None, typer.Option(help="Model file of `twin models fit`, instead of --detector.")] = None,
    group: GroupOption = "",
    without: WithoutOption = None,
    train_rows: TrainRowsOption = 0,
    parameter: ParameterOption = None,
    seed: SeedOption = 0,
    false_alarms: FalseOption = 0.001,
) -> None:
    """Score every row of a table: with a model file, or with a detector fitted on its first rows."""
    if (model is None) == (not detector):
        raise ConfigError("twin models score needs --detector NAME or --model FILE, and not both")
    if model is not None and (train_rows or parameter):
        raise ConfigError(f"--train-rows and --parameter go with --detector; {model} is already fitted")
    with _told():
        table = read_table(data, time, group, without or ())
        if model is not None:
            fitted, _ = load(model, kind="detector")
        else:
            fitted = _fit(table, detector, train_rows, parameter, seed, false_alarms)
        scored = _score(table, fitted, data.name)
    _write(out, table, scored, fitted)
    judged = int(np.isfinite(scored.score).sum())
    _say(
        f"wrote {out}: {len(table.time_ns)} rows, {judged} scored, {int(scored.flagged.sum())} above the limit "
        f"{fitted.limit:.6g}"
    )


def _say(text: str) -> None:
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(text)


def _matrix(table: Table) -> Matrix:
    return Matrix(table.columns, table.values, table.time_ns, table.group)


def _training(table: Table, train_rows: int) -> Flags:
    if train_rows > len(table.time_ns):
        raise ConfigError(f"--train-rows {train_rows} is more than the {len(table.time_ns)} rows of the table")
    return np.arange(len(table.time_ns)) < (train_rows or len(table.time_ns))


def _parameters(words: list[str] | None) -> dict[str, str]:
    found = {}
    for word in words or []:
        name, separator, value = word.partition("=")
        if not separator:
            raise ConfigError(f"--parameter {word!r} is not allowed; it must look like NAME=VALUE")
        found[name] = value
    return found


def _fit(table: Table, detector: str, train_rows: int, words: list[str] | None, seed: int, false_alarms: float) -> Any:
    row(detector)
    clean = _training(table, train_rows)
    with Progress(f"fitting {detector} on {int(clean.sum())} rows, {len(table.columns)} columns"):
        return fit(detector, _matrix(table), clean, seed, false_alarms=false_alarms, parameters=_parameters(words))


@dataclass(frozen=True, slots=True)
class _Scored:
    """Of each row: its score, whether it is above the limit, and then the number of the column that has most to do with
    it, else -1."""

    score: Floats
    flagged: Flags
    column: Ints


def _score(table: Table, detector: Detector, what: str) -> _Scored:
    """In batches in order of time; what a batch of rows costs to explain is spent on flagged rows only."""
    matrix, rows = _matrix(table), len(table.time_ns)
    scores, column = np.full(rows, np.nan), np.full(rows, -1, np.int64)
    series = row(detector.name).sees == "series"
    state = detector.start()
    with Progress(f"scoring {what} with {detector.name}", int(table.time_ns[0]), int(table.time_ns[-1])) as progress:
        for begin, end in _batches(table.time_ns):
            part = matrix.take(np.arange(begin, end))
            before = state
            state, scores[begin:end] = detector.score(state, part)
            high = flagged(detector, scores[begin:end])
            if high.any():
                why = detector.explain(before, part if series else part.take(high))
                column[np.arange(begin, end)[high]] = np.argmax(why[high] if series else why, axis=1)
            progress.show(int(table.time_ns[end - 1]), f"{end} rows")
    return _Scored(scores, flagged(detector, scores), column)


def _batches(time_ns: Ints) -> Iterator[tuple[int, int]]:
    """Ranges of about `BATCH` rows that do not part rows of one time."""
    begin = 0
    while begin < len(time_ns):
        last = time_ns[min(begin + BATCH, len(time_ns)) - 1]
        end = int(np.searchsorted(time_ns, last, "right"))
        yield begin, end
        begin = end


def _write(out: Path, table: Table, scored: _Scored, detector: Detector) -> None:
    try:
        with out.open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(["time", "group", "score", "flagged", "column"])
            for place, value in enumerate(scored.score.tolist()):
                column, who = int(scored.column[place]), table.group_names[table.group[place]]
                lines.writerow([
                    table.when[place], who, "" if np.isnan(value) else repr(value), int(scored.flagged[place]),
                    detector.columns[column] if column >= 0 else "",
                ])  # fmt: skip
    except OSError as error:
        raise ConfigError(f"--out {out} cannot be written: {error}") from error
