"""`twin deadletter`: what was parked, why, and what to do with it; beside a running ingest.

Exit codes: 0 done, also when nothing is meant; 1 not possible now (broker or disk) or not confirmed; 2 wrong usage.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from twin.adapters.deadletter import ParkedFile
from twin.cli_options import ConfigOption, SetOption, duration_s, moment_ns, run_process, settings_of
from twin.connections import brokers_of, publisher_of
from twin.errors import ConfigError, SourceUnavailable
from twin.letter_texts import drop_view, letter_view, plain, readable, state_words
from twin.letters import Selection, State
from twin.ports import Publisher
from twin.salvage import REASONS
from twin.settings import Settings
from twin.shares import client_id
from twin.times import iso
from twin.units import NS_PER_S

__all__ = ["app", "replay_messages"]

app = typer.Typer(help="Parked messages: list, show, replay, drop.", no_args_is_help=True)

CHUNK = 64  # messages that are marked together once the broker has them
PATIENCE_S = 10.0  # for a broker that does not answer
SHOWN_BYTES = 4096

ReasonOption = Annotated[str | None, typer.Option(help="Only this reason.")]
TopicOption = Annotated[str | None, typer.Option(help="Only topics that fit this MQTT filter (+ and #).")]
SinceOption = Annotated[
    str | None, typer.Option(help="Only what came since: ISO 8601 with a zone, or 30m, 2h, 7d ago.")
]
StateOption = Annotated[str, typer.Option(help="waiting, replayed or any.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
IdsArgument = Annotated[list[int] | None, typer.Argument(help="Ids, as `list` and `show` tell them.")]
AllOption = Annotated[bool, typer.Option("--all", help="Everything that waits.")]


@app.command("list")
def list_(
    reason: ReasonOption = None,
    topic: TopicOption = None,
    since: SinceOption = None,
    state: StateOption = "waiting",
    as_json: JsonOption = False,
    config: ConfigOption = None,
    words: SetOption = None,
) -> None:
    """What is parked, by reason: how much, since when, and what to do."""
    with _opened(settings_of(config, words)) as (file, path):
        groups = file.groups(_selection(None, reason, topic, since, state))
        dropped = file.dropped()
    if as_json:
        rows = [{**g._asdict(), "first": iso(g.first_ns), "last": iso(g.last_ns)} for g in groups]
        _print_json({"file": str(path), "groups": rows, "dropped": [drop_view(one) for one in dropped]})
        return
    console = Console(highlight=False)
    table = Table("reason", "problems", "messages", "first", "last", "again", "id", "topic", "what to do")
    for g in groups:
        counts = (
            str(g.problems),
            str(g.messages),
            _moment(g.first_ns),
            _moment(g.last_ns),
            str(g.again),
            str(g.newest),
        )
        table.add_row(g.reason, *counts, Text(plain(g.topic)), Text(g.hint))
    if groups:
        console.print(table)
        console.print("One of them: twin deadletter show ID. Again: parked once more after a replay.")
    else:
        console.print(f"nothing is parked that is meant here ({path})", soft_wrap=True)
    if dropped:
        messages = sum(one.messages for one in dropped)
        console.print(f"dropped on purpose: {messages} messages, last at {_moment(dropped[-1].time_ns)}")


@app.command()
def show(
    number: Annotated[int, typer.Argument(metavar="ID", help="Id, as `list` tells it.", show_default=False)],
    whole: Annotated[bool, typer.Option("--whole", help=f"The payload beyond {SHOWN_BYTES} bytes too.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    words: SetOption = None,
) -> None:
    """One parked message with its payload, the reason and what to do."""
    with _opened(settings_of(config, words)) as (file, path):
        letter = file.letter(number)
    if letter is None:
        raise ConfigError(f"{path}: there is no parked message {number}; see `twin deadletter list`")
    if as_json:
        _print_json(letter_view(letter))
        return
    rows = [
        ("id", str(letter.id)), ("received", iso(letter.received_ns)), ("topic", plain(letter.topic)),
        ("reason", letter.reason), ("field", plain(letter.field)), ("detail", plain(letter.detail)),
        ("what to do", letter.hint), ("state", state_words(letter)),
    ]  # fmt: skip
    console = Console(highlight=False, markup=False)
    for name, text in rows:
        if text:
            console.print(f"{name:<11} {text}", soft_wrap=True)
    shown = letter.payload if whole else letter.payload[:SHOWN_BYTES]
    cut = "" if len(shown) == len(letter.payload) else f", the first {len(shown)} shown (--whole shows all)"
    console.print(f"payload     {len(letter.payload)} bytes{cut}")
    console.print(readable(shown), soft_wrap=True)


@app.command()
def replay(
    ids: IdsArgument = None,
    reason: ReasonOption = None,
    topic: TopicOption = None,
    since: SinceOption = None,
    everything: AllOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be published.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    words: SetOption = None,
) -> None:
    """Publish parked messages again, as they came, to the broker of the settings (QoS 1).

    A message is marked as replayed when the broker has it. One that is parked again points back to where it came from.
    """
    settings = settings_of(config, words)
    chosen = replace(_named(_selection(ids, reason, topic, since, "waiting"), everything), addressed=True)
    at = ", ".join(map(str, brokers_of(settings)))
    with _opened(settings) as (file, path):
        rows = _there(file, chosen, path)
        done = {"messages": len({digest for _, digest in rows}), "problems": len(rows)}
        told = {**done, "broker": at, "dry_run": dry_run}
        if rows and not dry_run:
            run_process(lambda: _publish(settings, file, rows))
    if as_json:
        _print_json(told)
        return
    verb = "would be published" if dry_run else "published"
    text = f"{done['messages']} messages ({done['problems']} problems) {verb} to {told['broker']}"
    Console(highlight=False).print(text if rows else "nothing is parked that is meant here; nothing to replay")


@app.command()
def drop(
    ids: IdsArgument = None,
    reason: ReasonOption = None,
    topic: TopicOption = None,
    since: SinceOption = None,
    state: StateOption = "waiting",
    everything: AllOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    words: SetOption = None,
) -> None:
    """Delete parked messages for good; time, count and reasons are recorded."""
    chosen = _named(_selection(ids, reason, topic, since, state), everything or state != "waiting")
    with _opened(settings_of(config, words)) as (file, path):
        rows = _there(file, chosen, path)
        if rows and not yes:
            typer.confirm(f"Drop {len(rows)} parked problems for good? They cannot be replayed any more.", abort=True)
        # What was parked while the question was open is not dropped unseen.
        up_to = max((number for number, _ in rows), default=0)
        done = file.drop(replace(chosen, up_to=up_to), time.time_ns())
    if as_json:
        _print_json(drop_view(done))
        return
    text = f"dropped {done.messages} messages ({done.problems} problems, {done.bytes} bytes)"
    Console(highlight=False).print(text if rows else "nothing is parked that is meant here; nothing dropped")


async def replay_messages(file: ParkedFile, publisher: Publisher, rows: list[tuple[int, int]], now_ns: int) -> int:
    """Publish the messages of these problems (id, digest), each once, in order; returns how many the broker has.

    They are noted as attempted first, so that what comes back is known however soon it comes. Raises
    SourceUnavailable with the rest neither published nor marked.
    """
    first: dict[int, int] = {}
    for number, digest in rows:
        first.setdefault(digest, number)
    up_to = max(number for number, _ in rows)
    digests = list(first)
    for start in range(0, len(digests), CHUNK):
        some = digests[start : start + CHUNK]
        file.attempt(some, up_to, now_ns)
        try:
            await publisher.publish(file.messages([first[digest] for digest in some]))
        except SourceUnavailable as error:
            left = len(digests) - start
            raise SourceUnavailable(f"{error}. {start} of {len(digests)} are replayed, {left} still wait") from error
        file.replayed(some, up_to, now_ns)
    return len(digests)


async def _publish(settings: Settings, file: ParkedFile, rows: list[tuple[int, int]]) -> None:
    # A name of its own: two replays under one name would take each other's connection.
    name = client_id(settings, f"replay-{os.getpid()}")
    async with publisher_of(settings, name, patience_s=PATIENCE_S) as publisher:
        await replay_messages(file, publisher, rows, time.time_ns())


@contextmanager
def _opened(settings: Settings) -> Iterator[tuple[ParkedFile, Path]]:
    path = Path(settings["data.dir"]) / "parked.sqlite"
    if not path.is_file():
        said = f"data.dir = {settings['data.dir']!r}, {settings.origins['data.dir']}"
        raise ConfigError(
            f"there is no {path.absolute()} ({said}); nothing was parked there yet, or give the --config of the ingest"
        )
    file = ParkedFile(path)
    try:
        yield file, path
    finally:
        file.close()


def _selection(
    ids: list[int] | None, reason: str | None, topic: str | None, since: str | None, state: str
) -> Selection:
    if reason is not None and reason not in REASONS:
        raise ConfigError(f"--reason {reason!r} is not allowed; it is one of {', '.join(REASONS)}")
    states: dict[str, State] = {"waiting": "waiting", "replayed": "replayed", "any": "any"}
    if state not in states:
        raise ConfigError(f"--state {state!r} is not allowed; it is one of {', '.join(states)}")
    if ids and (reason or topic or since):
        raise ConfigError("give ids or filters, not both")
    since_ns = 0
    if since is not None:
        ago = re.fullmatch(r"\d+(\.\d+)?\s*(s|m|min|h|d)", since.strip())
        since_ns = time.time_ns() - int(duration_s(since, "--since") * NS_PER_S) if ago else moment_ns(since, "--since")
    return Selection(tuple(ids or ()), reason, topic, since_ns, states[state])


def _named(chosen: Selection, everything: bool) -> Selection:
    """What may be changed is named: nothing is replayed or dropped by leaving an option out."""
    if not (everything or chosen.ids or chosen.reason or chosen.topic or chosen.since_ns):
        raise ConfigError("say which: ids, --reason, --topic, --since, or --all")
    return chosen


def _there(file: ParkedFile, chosen: Selection, path: Path) -> list[tuple[int, int]]:
    rows = file.chosen(chosen)
    if missing := set(chosen.ids) - {number for number, _ in rows}:
        which = ", ".join(map(str, sorted(missing)))
        which += " with a topic" if chosen.addressed else ""
        raise ConfigError(f"{path}: there is no parked message {which}; see `twin deadletter list`")
    return rows


def _print_json(content: object) -> None:
    sys.stdout.write(msgspec.json.encode(content).decode() + "\n")


def _moment(time_ns: int) -> str:
    return iso(time_ns // NS_PER_S * NS_PER_S)
