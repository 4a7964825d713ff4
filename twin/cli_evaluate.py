"""`twin evaluate`: the twin judged against simulated lines whose truth is known."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from twin.cli_options import ConfigOption, SetOption, settings_of
from twin.evaluate import evaluation, rows
from twin.evaluate_alarms import Judged, begin_ns, judge
from twin.parts import engine_of, roster_of
from twin.progress import Progress
from twin.score import Row, Scores
from twin.units import NS_PER_S

__all__ = ["app"]

app = typer.Typer(help="Judge the twin against simulated lines whose truth is known.", no_args_is_help=True)
STYLES = {True: "", False: "bold red", None: ""}


@app.callback()
def evaluate() -> None:
    """Judge the twin against simulated lines whose truth is known."""


@app.command()
def twin(
    config: ConfigOption = None,
    words: SetOption = None,
    scenario: Annotated[str, typer.Option(help="Name of a packaged scenario.")] = "normal-week",
    pots: Annotated[int, typer.Option(min=1, max=2000, help="Pots of the line.")] = 300,
    days: Annotated[float, typer.Option(min=1.0, max=31.0, help="Days simulated.")] = 7.0,
    seed: Annotated[list[int] | None, typer.Option(help="Seed of a line; may be given several times.")] = None,
    to: Annotated[Path | None, typer.Option(help="Write the table here too: .md or .json.")] = None,
) -> None:
    """Estimates, figures a tonne and their intervals against the truth, beside raw averages and Faraday at 94 %."""
    settings = settings_of(config, words)
    roster = roster_of(settings)
    plan = engine_of(settings, roster).plan
    scores, seeds = Scores(), seed or [1001]
    for one in seeds:
        run = evaluation(roster, plan, scenario, pots, one)
        run.scores = scores
        first = run.line.now_ns
        with Progress(f"{scenario}, seed {one}", first, first + int(days * 86400) * NS_PER_S) as progress:
            run.run(days, lambda now_ns: progress.show(now_ns, ""))
    made = f"{scenario}, {pots} pots, {days:g} days, seeds {', '.join(map(str, seeds))}"
    table = rows(scores)
    Console().print(_table(made, table))
    if to is not None:
        to.write_text(_markdown(made, table) if to.suffix == ".md" else _json(made, table), "utf-8")


@app.command()
def alarms(
    config: ConfigOption = None,
    words: SetOption = None,
    scenario: Annotated[str, typer.Option(help="Name of a packaged scenario.")] = "bad-month",
    pots: Annotated[int, typer.Option(min=1, max=2000, help="Pots of the line.")] = 300,
    days: Annotated[float, typer.Option(min=0.25, max=31.0, help="Days simulated.")] = 30.0,
    seed: Annotated[list[int] | None, typer.Option(help="Seed of a line; may be given several times.")] = None,
    to: Annotated[Path | None, typer.Option(help="Write the table here too, in Markdown.")] = None,
) -> None:
    """What one operating position is told before and after alarm management, against the standard's targets."""
    settings = settings_of(config, words)
    roster = roster_of(settings)
    plan = engine_of(settings, roster).plan
    text, seeds = "", seed or [1001]
    for one in seeds:
        made = f"{scenario}, {pots} pots, {days:g} days, seed {one}"
        begin = begin_ns(roster)
        with Progress(made, begin, begin + int(days * 86400) * NS_PER_S) as progress:
            found = judge(roster, plan, scenario, pots, days, one, partial(progress.show, note=""))
        table = alarm_rows(found)
        shown = Table(title=made, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for name in ALARM_HEAD:
            shown.add_column(name)
        for row in table:
            shown.add_row(*row)
        Console().print(shown)
        text += f"{made}\n\n| {' | '.join(ALARM_HEAD)} |\n{'|---' * len(ALARM_HEAD)}|\n"
        text += "".join(f"| {' | '.join(row)} |\n" for row in table) + "\n"
    if to is not None:
        to.write_text(text, "utf-8")


ALARM_HEAD = ("figure", "before", "after", "target", "met")


def alarm_rows(found: Judged) -> list[tuple[str, ...]]:
    """The table of figures before and after."""
    rows: list[tuple[str, ...]] = [("Alarms", str(found.before.alarms), str(found.after.alarms), "", "")]
    for (target, before, _), (_, after, met) in zip(found.before.verdicts(), found.after.verdicts(), strict=True):
        title = target.title if target.unit == "1" else f"{target.title}, {target.unit}"
        rows.append((title, f"{before:.3g}", f"{after:.3g}", target.words, "yes" if met else "no"))
    return rows


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3g}"


def _wanted(row: Row) -> str:
    low, high = _number(row.low), _number(row.high)
    return f"{low}-{high}" if low and high else f"<= {high}" if high else ""


def _cells(row: Row) -> tuple[str, ...]:
    verdict = {True: "yes", False: "no", None: ""}[row.met]
    return row.name, row.unit, _number(row.twin), _number(row.naive), _wanted(row), verdict, row.note


HEAD = ("figure", "unit", "twin", "naive", "wanted", "met", "")


def _table(made: str, table: list[Row]) -> Table:
    shown = Table(title=made, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(HEAD):
        shown.add_column(name, no_wrap=place != len(HEAD) - 1, justify="right" if place in (2, 3, 4) else "left")
    for row in table:
        shown.add_row(*(Text(cell, style=STYLES[row.met]) for cell in _cells(row)))
    return shown


def _markdown(made: str, table: list[Row]) -> str:
    lines = [made, "", "| " + " | ".join(HEAD) + " |", "|---" * len(HEAD) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(_cells(row)) + " |" for row in table)]) + "\n"


def _json(made: str, table: list[Row]) -> str:
    return msgspec.json.encode({"made": made, "rows": [msgspec.to_builtins(row) for row in table]}).decode()
