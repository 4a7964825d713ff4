"""`twin replay`: a recording into a broker, a store or the engine, with a bar and keys."""

from __future__ import annotations

import asyncio
import math
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer

from twin.cli_options import (
    ConfigOption,
    SetOption,
    moment_ns,
    on_stop,
    run_process,
    settings_of,
    speed_of,
)
from twin.connections import publisher_of
from twin.errors import ConfigError
from twin.keys import listening
from twin.parts import engine_of, sink_of
from twin.plant import Roster
from twin.ports import Bounds, Recording
from twin.progress import Progress
from twin.recording import EVER, Selection, Skipped
from twin.recordings import SOURCES, recording_of, router_of
from twin.replay import BrokerTarget, Control, Player, StoreTarget, SystemTimer, Target, shift_to_now
from twin.replay_report import EngineTarget
from twin.settings import Settings

__all__ = ["replay"]

_KEYS = "space pauses, left and right seek 60 s (with shift 10 min), + and - change the speed, q quits"
_SEEKS = {"left": -60.0, "right": 60.0, "shift-left": -600.0, "shift-right": 600.0}
_SPEEDS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0, math.inf)
_BROKERS = ("mqtt://", "mqtts://")


def replay(
    source: Annotated[str, typer.Argument(help=SOURCES, show_default=False)],
    config: ConfigOption = None,
    words: SetOption = None,
    to: Annotated[str, typer.Option(help="mqtt://host:port, engine, or store (that of `sink.url`).")] = "engine",
    speed: Annotated[str, typer.Option(help="Source seconds a second, or max.")] = "max",
    begin: Annotated[str | None, typer.Option("--from", help="First source time: ISO 8601 with a zone.")] = None,
    until: Annotated[str | None, typer.Option(help="Source time before which to end.")] = None,
    line: Annotated[list[str] | None, typer.Option(help="Only this line (may be repeated).")] = None,
    pot: Annotated[list[str] | None, typer.Option(help="Only this pot, and its line's own readings.")] = None,
    map_file: Annotated[Path | None, typer.Option("--map", help="Column map (TOML) of a CSV table.")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Keep what can be read, count the rest.")] = False,
    shift: Annotated[bool, typer.Option("--shift-to-now", help="Move times so that it seems to happen now.")] = False,
    report: Annotated[Path | None, typer.Option(help="File for the engine's report; else standard output.")] = None,
    batched: Annotated[bool, typer.Option("--batched", help="Publish a message a section, not one a pot.")] = False,
) -> None:
    """Play a recording into a broker, a store or the engine."""
    to_broker = to.startswith(_BROKERS)
    if to not in ("engine", "store") and not to_broker:
        raise ConfigError(
            f"--to {to!r} is not allowed; it is mqtt://host:port, engine or store (times are --from and --until)"
        )
    if to != "engine" and report is not None:
        raise ConfigError(f"--report {report} is for --to engine")
    if to == "engine" and shift:
        raise ConfigError("--shift-to-now is for a broker or a store: the engine takes its time from the data")
    settings = settings_of(config, words, mqtt__url=to if to_broker else None)
    start_ns = moment_ns(begin, "--from") if begin else EVER[0]
    end_ns = moment_ns(until, "--until") if until else EVER[1]
    if start_ns >= end_ns:
        raise ConfigError(f"--from {begin} does not lie before --until {until}")
    skipped, control = Skipped(skip_bad), Control(speed_of(speed))
    router = router_of(source, settings)
    selection = Selection(start_ns, end_ns, tuple(line or ()), tuple(pot or ()))
    recording = recording_of(source, settings, router, selection, skipped, map_file)

    async def process() -> None:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(recording.close)
            bounds = await recording.open()
            target = await _target(to, settings, router.roster, stack, batched=batched)
            await _play(source, recording, target, control, bounds, shift=shift)
        for text in skipped.told():
            print(text, file=sys.stderr)  # noqa: T201
        if isinstance(target, EngineTarget):
            _write(target, report)

    run_process(process)


async def _target(to: str, settings: Settings, roster: Roster, stack: AsyncExitStack, *, batched: bool) -> Target:
    if to == "engine":
        return EngineTarget(engine_of(settings, roster))
    if to == "store":
        sink, _ = sink_of(settings, roster)
        await sink.open()
        stack.push_async_callback(sink.close)
        return StoreTarget(sink, SystemTimer(), retry_max_s=settings["sink.retry_max_s"])
    publisher = await stack.enter_async_context(publisher_of(settings, "smelter-twin-replay"))
    return BrokerTarget(publisher, roster, settings["mqtt.root"], batched=batched)


async def _play(
    source: str, recording: Recording, target: Target, control: Control, bounds: Bounds, *, shift: bool
) -> None:
    """Until the end, q or Ctrl-C; a second Ctrl-C breaks off what does not end."""
    if shift and not bounds.last_ns:
        raise ConfigError(f"{source}: --shift-to-now needs to know when the recording begins and ends; it does not say")
    shift_ns = shift_to_now(bounds, control.speed, time.time_ns()) if shift else 0
    player = Player(recording, target, SystemTimer(), control, bounds, shift_ns=shift_ns)
    playing = asyncio.ensure_future(player.run())

    def stop() -> None:
        if control.stopped:
            playing.cancel()
        control.stopped = True

    on_stop(stop)
    with Progress(f"replaying {source}", *bounds) as progress, listening(lambda key: _press(control, key)) as heard:
        if heard:
            progress.say(_KEYS)
        watching = asyncio.ensure_future(_watch(player, target, progress))
        try:
            await playing
        except asyncio.CancelledError:
            progress.say("broken off")
        finally:
            watching.cancel()
        progress.show(player.position_ns, _note(player, target, 0.0), at_once=True)
        if not player.readings and not control.stopped:
            progress.say("the recording holds nothing of what was selected")


async def _watch(player: Player, target: Target, progress: Progress) -> None:
    last_s, last = time.monotonic(), 0
    while True:
        await asyncio.sleep(0.25)
        now_s = time.monotonic()
        rate, last_s, last = (player.readings - last) / (now_s - last_s), now_s, player.readings
        progress.show(player.position_ns, _note(player, target, rate))


def _note(player: Player, target: Target, rate: float) -> str:
    control = player.control
    pace = "paused" if control.paused else "max speed" if control.speed == math.inf else f"speed {control.speed:g}"
    problem = getattr(target, "problem", "")
    flow = f"{player.readings:,} readings" + (f" ({rate:,.0f}/s)" if rate else "")
    return f"{pace}  {flow}" + (f"  store is away: {problem}" if problem else "")


def _press(control: Control, key: str) -> None:
    if key == "space":
        control.paused = not control.paused
    elif key in _SEEKS:
        control.seek_s += _SEEKS[key]
    elif key == "faster":
        control.speed = next((speed for speed in _SPEEDS if speed > control.speed), math.inf)
    elif key == "slower":
        control.speed = next((speed for speed in reversed(_SPEEDS) if speed < control.speed), _SPEEDS[0])
    elif key == "quit":
        control.stopped = True


def _write(target: EngineTarget, report: Path | None) -> None:
    text = "".join(f"{line}\n" for line in target.lines())
    if report is None:
        sys.stdout.write(text)
        return
    try:
        report.write_text(text, "utf-8")
    except OSError as error:
        raise ConfigError(f"--report {report} cannot be written: {error.strerror}") from error
