"""`twin map check`: read a mapping file, and show what becomes of one message."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from twin.cli_options import ConfigOption, SetOption, settings_of
from twin.codec import Codec
from twin.decoded import Decoded
from twin.errors import ConfigError
from twin.frames import Quality
from twin.mapping.file import Row, TimeAt
from twin.mapping.table import Mapping
from twin.parts import codec_of, roster_of
from twin.plant import Roster
from twin.ports import Message
from twin.salvage import REASONS
from twin.signals import SIGNALS, by_name
from twin.sparkplug.session import NAMESPACE, told
from twin.times import iso

__all__ = ["app", "check"]

app = typer.Typer(help="Mapping files: an existing plant's topics without code.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Mapping files: an existing plant's topics without code."""


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="Mapping file (TOML).", show_default=False)],
    topic: Annotated[str | None, typer.Option(help="Topic of a message to try.")] = None,
    payload: Annotated[str | None, typer.Option(help="Its payload, or @FILE that holds it.")] = None,
    config: ConfigOption = None,
    words: SetOption = None,
) -> None:
    """Check a mapping file against the plant file; with --topic and --payload show what becomes of a message."""
    settings = settings_of(config, words, ingest__map=str(file))
    if (topic is None) != (payload is None):
        raise ConfigError("give --topic and --payload together, or neither")
    codec = codec_of(settings, roster_of(settings))
    found = codec.beside
    assert isinstance(found, Mapping)
    lines = _rows(found) if topic is None else _tried(found, codec, topic, payload or "")
    console = Console(highlight=False, markup=False)
    for line in lines:
        console.print(line, soft_wrap=True)


def _rows(found: Mapping) -> Iterator[str]:
    yield f"{len(found.rows)} rows; subscriptions: {', '.join(found.filters)}"
    for number, mapped in enumerate(found.rows, 1):
        row = mapped.row
        yield f"row {number} ({row.title}): {row.format} of {row.topic} -> {row.unit}, {_time_of(row)}"
        for one in row.signal:
            unit = one.unit or SIGNALS[by_name(one.name)].unit
            where = " ".join(part for part in (one.path, one.key and f"key {one.key}") if part)
            yield f"    {one.name} <- {where or 'the payload'} [{unit}] * {one.factor:g} + {one.offset:g}"


def _time_of(row: Row) -> str:
    if isinstance(row.time, TimeAt):
        return f"time {row.time.path} as {row.time.format}{' in ' + row.time.zone if row.time.zone else ''}"
    return "time of arrival, marked UNCERTAIN" if row.time == "arrival" else "its own time"


def _tried(found: Mapping, codec: Codec, topic: str, payload: str) -> Iterator[str]:
    own = told(codec.router.root, topic) if topic.startswith(f"{NAMESPACE}/") else topic
    message = Message(own, _payload(payload))
    rows = [place for place in found.of(own) if place >= 0]
    if not rows:
        yield f"no row matches the topic; patterns are {', '.join(mapped.row.topic for mapped in found.rows)}"
        return
    yield f"matches {', '.join(f'row {place + 1} ({found.rows[place].row.title})' for place in rows)}"
    yield from _shown(codec.decode([message], time.time_ns()), codec.roster)


def _payload(text: str) -> bytes:
    if not text.startswith("@"):
        return text.encode()
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise ConfigError(f"--payload {text}: {error.strerror or error}") from error


def _shown(decoded: Decoded, roster: Roster) -> Iterator[str]:
    found = decoded.readings
    columns = (found.time_ns, found.unit, found.signal, found.value, found.quality)
    for time_ns, unit, signal, value, quality in zip(*(column.tolist() for column in columns), strict=True):
        row = SIGNALS[signal]
        yield f"  {iso(time_ns)}  {roster.paths[unit]}  {row.name} = {value:.10g} {row.unit}  {Quality(quality).name}"
    for name, count in decoded.unknown.items():
        yield f"  {name!r} ({count}) is the key of no signal: counted, ignored"
    for problem in decoded.problems:
        where = f" at {problem.field}" if problem.field else ""
        yield f"  parked: {problem.reason}{where}: {problem.detail}. {REASONS.get(problem.reason, '')}"
    if not len(found) and not decoded.problems:
        yield "  nothing: none of the row's paths is there"
