"""The command line: `twin up | run | ingest | simulate | trace | settings | signals`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from twin.console import Terminal, settings_table, signals_table
from twin.errors import ConfigError, SmelterError
from twin.parts import codec_of, engine_of, roles_of, roster_of
from twin.ports import Message
from twin.service import SystemClock
from twin.service import run as run_service
from twin.settings import Settings, resolve
from twin.trace import trace as trace_hops

__all__ = ["app", "main"]

app = typer.Typer(
    help="Digital twin telemetry for aluminium smelters.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="Settings file (TOML).", envvar="SMELTER_CONFIG")
]
SetOption = Annotated[list[str] | None, typer.Option("--set", "-s", help="NAME=VALUE of any setting; may be repeated.")]


def _settings(config: Path | None, words: list[str] | None, **named: object) -> Settings:
    """Settings of this command: file, environment, --set, then the command's own options."""
    flags: dict[str, str] = {}
    for word in words or []:
        name, separator, value = word.partition("=")
        if not separator:
            raise ConfigError(f"--set {word!r} is not allowed; it must look like page.port=8081")
        flags[name] = value
    flags |= {name.replace("__", "."): str(value) for name, value in named.items() if value is not None}
    text, where = "", ""
    if config is not None:
        where = str(config)
        try:
            text = config.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"--config {where} cannot be read: {error}") from error
    environment: Mapping[str, str] = os.environ
    return resolve(toml=text, toml_name=where, environment=environment, flags=flags)


def _run(settings: Settings, roles: tuple[str, ...]) -> None:
    terminal = Terminal(Console(stderr=False))

    async def process() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop.set)
        await run_service(settings, roles, stop=stop, say=terminal.say, watch=terminal.watch)

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(process())


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:  # not on Windows; the standard loop does the same, slower
        return None
    return uvloop.new_event_loop


@app.command()
def up(
    config: ConfigOption = None,
    words: SetOption = None,
    port: Annotated[int | None, typer.Option(help="Port of the page.")] = None,
) -> None:
    """Start everything in one process: broker, simulated line, ingest, store, twin, page."""
    settings = _settings(config, words, page__port=port)
    roles = ("simulate", "ingest", "engine", "page")
    _run(settings, roles if settings["mqtt.url"] else ("broker", *roles))


@app.command()
def run(config: ConfigOption = None, words: SetOption = None) -> None:
    """Start the roles that the setting `roles` names."""
    settings = _settings(config, words)
    _run(settings, roles_of(settings["roles"]))


@app.command()
def ingest(config: ConfigOption = None, words: SetOption = None) -> None:
    """Start the ingest alone: broker to store."""
    _run(_settings(config, words), ("ingest",))


@app.command()
def simulate(
    config: ConfigOption = None,
    words: SetOption = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the line.")] = None,
    speed: Annotated[float | None, typer.Option(help="Simulated seconds a second.")] = None,
) -> None:
    """Publish a simulated line to the broker of `mqtt.url`."""
    _run(_settings(config, words, simulate__seed=seed, simulate__speed=speed), ("simulate",))


@app.command()
def trace(topic: str, payload: str, config: ConfigOption = None, words: SetOption = None) -> None:
    """Print every hop of one message."""
    settings = _settings(config, words)
    roster = roster_of(settings)
    message = Message(topic, payload.encode())
    console = Console(highlight=False, markup=False)
    for hop, text in trace_hops(
        message, codec_of(settings, roster), engine_of(settings, roster), SystemClock().now_ns()
    ):
        console.print(f"{hop:<16} {text}", soft_wrap=True)


@app.command("settings")
def show_settings(config: ConfigOption = None, words: SetOption = None) -> None:
    """Print every setting with unit, default, value and where it came from."""
    Console().print(settings_table(_settings(config, words)))


@app.command("signals")
def show_signals() -> None:
    """Print the table of signals."""
    Console().print(signals_table())


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def main() -> None:
    """Entry point: a wrong setting ends with code 2, any other known error with 1, each with one sentence."""
    try:
        app()
    except (SmelterError, BaseExceptionGroup) as caught:
        error = _first(caught)
        if not isinstance(error, SmelterError):
            raise
        Console(stderr=True).print(f"twin: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2 if isinstance(error, ConfigError) else 1)
