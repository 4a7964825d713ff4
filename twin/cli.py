"""The command line: `twin up | run | ingest | simulate | record | replay | status | report | deadletter ...`."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Annotated

import typer
from rich.console import Console

from twin import (
    cli_alarms,
    cli_deadletter,
    cli_evaluate,
    cli_grafana,
    cli_map,
    cli_models,
    cli_record,
    cli_replay,
    cli_report,
    cli_simulate,
    cli_size,
    cli_status,
    cli_train,
)
from twin.alarm_parts import alarm_file_of, alarm_secrets_of
from twin.cli_options import ConfigOption, SetOption, product_version, settings_of
from twin.cli_options import loop_factory as _loop_factory
from twin.console import Terminal, settings_table, signals_table
from twin.errors import ConfigError, SmelterError
from twin.log import Log
from twin.parts import codec_of, engine_of, roles_of, roster_of, secrets_of
from twin.ports import Message
from twin.service import SystemClock
from twin.service import run as run_service
from twin.settings import Settings
from twin.trace import trace as trace_hops

__all__ = ["app", "main"]

app = typer.Typer(
    help="Digital twin telemetry for aluminium smelters.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(cli_record.record)
app.command()(cli_replay.replay)
app.command()(cli_status.status)
app.command()(cli_report.report)
app.command()(cli_size.size)
app.add_typer(cli_alarms.app, name="alarms")
cli_evaluate.app.command("models")(cli_train.evaluate_models)
app.add_typer(cli_evaluate.app, name="evaluate")
cli_models.app.command()(cli_train.train)
app.add_typer(cli_models.app, name="models")
app.add_typer(cli_deadletter.app, name="deadletter")
app.add_typer(cli_map.app, name="map")
app.add_typer(cli_grafana.app, name="grafana")


def _alarm_secrets(settings: Settings) -> list[str]:
    return alarm_secrets_of(alarm_file_of(settings, roster_of(settings))) if settings["alarms.file"] else []


def _run(settings: Settings, roles: tuple[str, ...]) -> None:
    form = settings["log.format"]
    terminal = Terminal(Console(), lines_only=form == "json")
    log = Log(form, settings["log.level"], terminal.write, [*secrets_of(settings), *_alarm_secrets(settings)])

    async def process() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop.set)
        await run_service(settings, roles, stop=stop, say=log, watch=terminal.watch, version=product_version())

    with log.libraries(), asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(process())


@app.command()
def up(
    config: ConfigOption = None,
    words: SetOption = None,
    port: Annotated[int | None, typer.Option(help="Port of the page.")] = None,
) -> None:
    """Start everything in one process: broker, simulated line, ingest, store, twin, page."""
    settings = settings_of(config, words, page__port=port)
    roles = ("simulate", "ingest", "engine", "page")
    _run(settings, roles if settings["mqtt.url"] else ("broker", *roles))


@app.command()
def run(config: ConfigOption = None, words: SetOption = None) -> None:
    """Start the roles that the setting `roles` names."""
    settings = settings_of(config, words)
    _run(settings, roles_of(settings["roles"]))


@app.command()
def ingest(config: ConfigOption = None, words: SetOption = None) -> None:
    """Start the ingest alone: broker to store."""
    _run(settings_of(config, words), ("ingest",))


@app.command()
def simulate(
    config: ConfigOption = None,
    words: SetOption = None,
    scenario: Annotated[str | None, typer.Option(help="Name of a packaged scenario, or a TOML file.")] = None,
    pots: Annotated[int | None, typer.Option(help="Pots of every line, instead of what the plant file says.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the line: same seed, same line.")] = None,
    speed: Annotated[str | None, typer.Option(help="Simulated seconds a second, or max.")] = None,
    length: Annotated[str | None, typer.Option("--for", help="How long, simulated: 30m, 24h, 7d.")] = None,
    start: Annotated[str | None, typer.Option(help="First moment, ISO 8601 with a zone.")] = None,
    to: Annotated[str | None, typer.Option(help="mqtt://host:port, or parquet:FILE.parquet.")] = None,
    truth_s: Annotated[float, typer.Option(help="Seconds between two rows of the truth beside a Parquet file.")] = 60.0,
) -> None:
    """Publish a simulated line to a broker, or record it with its truth and the causes of trouble."""
    settings = cli_simulate.settings_for(config, words, scenario, pots, seed, speed, length, start, to)
    if cli_simulate.is_file(to):
        cli_simulate.to_file(settings, str(to), truth_s)
    elif scenario or to or length or start:
        cli_simulate.to_broker(settings)
    else:
        _run(settings, ("simulate",))


@app.command()
def trace(
    topic: Annotated[str, typer.Argument(help="Topic of the message.")],
    payload: Annotated[str, typer.Argument(help="Its payload, as text.")],
    config: ConfigOption = None,
    words: SetOption = None,
) -> None:
    """Print every hop of one message."""
    settings = settings_of(config, words)
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
    Console().print(settings_table(settings_of(config, words)))


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
