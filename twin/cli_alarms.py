"""`twin alarms`: what stands, commands, the journal, asked of a running twin; `verify` reads its file."""

from __future__ import annotations

import getpass
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from twin.adapters.alarm_book import SqliteBook
from twin.alarms.chain import broken
from twin.alarms.commands import ACTIONS, Answer
from twin.alarms.figures import SPAN_H, Figures
from twin.alarms.views import AlarmsView
from twin.cli_options import ConfigOption, SetOption, duration_s, moment_ns, settings_of
from twin.errors import ConfigError, SinkRejected, SourceUnavailable
from twin.files import read_secret
from twin.letter_texts import plain
from twin.settings import Settings

__all__ = ["app"]

app = typer.Typer(help="Alarms of a running twin: list, acknowledge, shelve, journal.", no_args_is_help=True)
STYLES = {"high": "bold red", "medium": "yellow", "low": ""}
PART = 5000  # rows of an export at once

UnitArgument = Annotated[str, typer.Argument(help="Path of a unit; site/line/* = all below it.")]
CodeOption = Annotated[str, typer.Option("--code", help="Code of the alarm.")]
WhyOption = Annotated[str, typer.Option("--why", help="The reason, for the journal.")]
UserOption = Annotated[
    str, typer.Option("--user", help="Who you are; without it the name that you are logged in with.")
]
TokenOption = Annotated[str, typer.Option("--token-file", help="File with your token; without it page.token_file.")]
SinceOption = Annotated[str, typer.Option(help="From this time, ISO 8601 with a zone.")]
FileOption = Annotated[Path | None, typer.Option("--file", help="The book; without it alarms.sqlite in data.dir.")]


class _Twin:
    """The page's server of a running twin."""

    def __init__(self, settings: Settings, token_file: str = "") -> None:
        host = f"[{settings['page.host']}]" if ":" in settings["page.host"] else settings["page.host"]
        self._url = f"http://{host}:{settings['page.port']}/api/alarms"
        name, origin = (token_file, "--token-file") if token_file else (settings["page.token_file"], "page.token_file")
        token = read_secret(name, origin)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, path: str, query: dict[str, Any], *, user: str = "") -> bytes:
        """GET, or POST in the name of `user`. Raises SourceUnavailable, SinkRejected."""
        words = urllib.parse.urlencode({name: value for name, value in query.items() if value not in ("", None)})
        headers = self._headers | ({"X-Alarm-User": user.encode().decode("latin-1")} if user else {})
        request = urllib.request.Request(  # noqa: S310
            f"{self._url}{path}{'?' if words else ''}{words}", headers=headers, method="POST" if user else "GET"
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            said = error.read().decode("utf-8", "replace")
            detail = _detail(said)
            kind = SourceUnavailable if error.code >= 500 else SinkRejected
            raise kind(f"the twin answers {error.code}: {detail}") from error
        except OSError as error:
            raise SourceUnavailable(
                f"no twin answers at {self._url} ({error}); start one with `twin up`, or set page.port"
            ) from error


def _detail(said: str) -> str:
    try:
        return str(json.loads(said)["detail"])[:300]
    except (ValueError, KeyError, TypeError):
        return said[:300]


@app.command("list")
def list_alarms(
    unit: Annotated[str, typer.Argument(help="Only this unit and those below it.")] = "",
    language: Annotated[str, typer.Option(help="en or zh.")] = "",
    config: ConfigOption = None,
    words: SetOption = None,
    token_file: TokenOption = "",
) -> None:
    """Print what is not normal, the most urgent first."""
    asked = _Twin(settings_of(config, words), token_file).ask("", {"unit": unit, "language": language})
    shown = msgspec.json.decode(asked, type=AlarmsView)
    table = Table("priority", "state", "where", "what", "code", "since", "seen", "by", box=box.SIMPLE_HEAD)
    for one in shown.alarms:
        by = f"{one.who} {one.why} {f'until {one.until}' if one.until else ''}".strip() or ", ".join(one.silenced_by)
        under = f" (+{one.children})" if one.children else ""
        cells = (
            one.priority, one.state, one.unit, one.title + under, one.code, one.since, one.evidence, by,
        )  # fmt: skip
        table.add_row(*(Text(plain(cell), style=STYLES[one.priority]) for cell in cells))
    console = Console()
    console.print(table)
    counts = ", ".join(f"{count} {state}" for state, count in shown.counts.items()) or "no alarm"
    console.print(f"{shown.time}: {counts}", highlight=False)
    if shown.left_out:
        console.print(f"... and {shown.left_out} more; give a unit to see them", highlight=False)


def _command(name: str) -> None:
    action = ACTIONS[name]

    def run(
        unit: UnitArgument = "", code: CodeOption = "", why: WhyOption = "",
        until: Annotated[str, typer.Option(help="For so long (90m, 8h), or until a time with a zone.")] = "",
        user: UserOption = "", config: ConfigOption = None, words: SetOption = None, token_file: TokenOption = "",
    ) -> None:  # fmt: skip
        if not (unit or code):
            raise ConfigError(f"{name} what? Give a unit (site/line/* = all below it), or --code, or both")
        query = {"unit": unit, "code": code, "why": why, "until": _until(until)}
        asked = _Twin(settings_of(config, words), token_file).ask(f"/{name}", query, user=user or getpass.getuser())
        answer = msgspec.json.decode(asked, type=Answer)
        count = f"{answer.count} alarms" if answer.count != 1 else "1 alarm"
        Console().print(answer.detail or f"{name}: {count}", highlight=False, markup=False)

    app.command(name, help=f"{action.help[0].upper()}{action.help[1:]} ({action.role}s).")(run)


def _until(text: str) -> str:
    """A moment in ns; what is a duration counts from now."""
    if not text:
        return ""
    if text[-1:].isalpha() and "T" not in text:
        return str(time.time_ns() + int(duration_s(text, "--until") * 1e9))
    return str(moment_ns(text, "--until"))


for _name in ACTIONS:
    _command(_name)


@app.command()
def journal(
    unit: Annotated[str, typer.Argument(help="Only this unit and those below it.")] = "",
    code: CodeOption = "",
    state: Annotated[str, typer.Option(help="Only transitions into this state.")] = "",
    since: SinceOption = "",
    until: Annotated[str, typer.Option(help="Before this time.")] = "",
    last: Annotated[int, typer.Option(min=1, max=10000, help="At most so many, the newest.")] = 50,
    config: ConfigOption = None,
    words: SetOption = None,
    token_file: TokenOption = "",
) -> None:
    """Print the last transitions: when, where, what, from which state to which, who, why."""
    query = {"unit": unit, "code": code, "state": state, "since": since, "until": until, "limit": last}
    rows = json.loads(_Twin(settings_of(config, words), token_file).ask("/journal", query))
    table = Table("number", "time", "where", "code", "from", "to", "event", "who", "why", box=box.SIMPLE_HEAD)
    for row in rows:
        names = ("number", "time", "unit", "code", "before", "after", "event", "who", "why")
        table.add_row(*(Text(plain(str(row[name]))) for name in names))
    Console().print(table)


@app.command()
def export(
    to: Annotated[Path | None, typer.Option(help="File; without it the terminal.")] = None,
    form: Annotated[str, typer.Option("--format", help="jsonl or csv.")] = "jsonl",
    since: SinceOption = "",
    config: ConfigOption = None,
    words: SetOption = None,
    token_file: TokenOption = "",
) -> None:
    """Write the whole journal, with the hashes by which it can be checked."""
    if form not in ("jsonl", "csv"):
        raise ConfigError(f"--format {form!r} is not allowed; it is jsonl or csv")
    twin, after, written = _Twin(settings_of(config, words), token_file), 0, 0
    with to.open("wb") if to is not None else sys.stdout.buffer as out:
        while True:
            query = {"since": since, "after": str(after), "limit": PART}
            rows = json.loads(twin.ask("/journal", query))
            if not rows:
                break
            content = twin.ask("/journal", query | {"format": form, "limit": len(rows)})
            out.write(content if not written or form == "jsonl" else content.split(b"\n", 1)[1])
            after, written = rows[-1]["number"], written + len(rows)
    if to is not None:
        Console().print(f"{written} rows in {to}", highlight=False)


@app.command()
def verify(config: ConfigOption = None, words: SetOption = None, file: FileOption = None) -> None:
    """Check the chain of hashes of the journal; exit code 1 when a row was changed, lost or put in."""
    path = file or Path(settings_of(config, words)["data.dir"]) / "alarms.sqlite"
    if not path.is_file():
        raise ConfigError(f"no alarm was journalled yet: there is no file {path.absolute()}")
    book = SqliteBook(path)
    try:
        last, head = book.head()
        problem = broken((entry for entry in book.whole() if entry.number <= last), last, head)
    finally:
        book.close()
    if problem:
        Console(stderr=True).print(f"{path}: {problem}", highlight=False, markup=False)
        raise typer.Exit(1)
    Console().print(f"{path}: {last} rows, as they were written; the last one is {head}", highlight=False)


@app.command("figures")
def show_figures(
    hours: Annotated[float, typer.Option(min=1, help="Over so many hours until now.")] = SPAN_H,
    config: ConfigOption = None,
    words: SetOption = None,
    token_file: TokenOption = "",
) -> None:
    """Print how well the alarm system serves each operating position, against the standard's targets."""
    asked = _Twin(settings_of(config, words), token_file).ask("/figures", {"hours": hours})
    for one in msgspec.json.decode(asked, type=list[Figures]):
        table = Table("figure", "value", "target", "met", title=one.position, title_justify="left", box=box.SIMPLE_HEAD)
        for target, value, met in one.verdicts():
            style = "" if met else "bold red"
            cells = (target.title, f"{value:.3g}", target.words, "yes" if met else "no")
            table.add_row(*(Text(cell, style=style) for cell in cells))
        Console().print(table)
        for top in one.top_ten:
            Console().print(f"{top.count:6d}  {top.pct:4.1f} %  {top.code} {top.unit}", highlight=False)
