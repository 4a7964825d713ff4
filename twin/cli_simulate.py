"""`twin simulate` with a scenario, an end or a target of its own. Beside the service the only place that knows the
simulators."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from twin.cli_options import duration_s, moment_ns, on_stop, product_version, run_process, settings_of, speed_of
from twin.connections import publisher_of
from twin.errors import ConfigError
from twin.parts import roster_of
from twin.precautions import precautions
from twin.progress import Progress
from twin.service import SystemClock
from twin.settings import Settings
from twin.shares import client_id
from twin.times import iso
from twin.units import NS_PER_S

__all__ = ["is_file", "settings_for", "to_broker", "to_file"]

_FILE = "parquet:"
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_TARGETS = "mqtt://host:port, mqtts://host:port or parquet:FILE.parquet"
_DEFAULT_START = "2026-01-05T00:00:00Z"  # of a file: the same words make the same file on any day; a Monday


def is_file(to: str | None) -> bool:
    """Whether a target is a recording."""
    return to is not None and to.startswith(_FILE)


def settings_for(
    config: Path | None,
    words: list[str] | None,
    scenario: str | None,
    pots: int | None,
    seed: int | None,
    speed: str | None,
    length: str | None,
    start: str | None,
    to: str | None,
) -> Settings:
    """The command's options as settings. Raises ConfigError."""
    from simulators.publish import scenario_of

    if to is not None and not to.startswith((_FILE, "mqtt://", "mqtts://")):
        raise ConfigError(f"--to {to!r} is not allowed; it must be {_TARGETS}")
    named: dict[str, object] = {
        "simulate__scenario": scenario,
        "plant__pots": pots,
        "simulate__seed": seed,
        "simulate__speed": None if speed is None else min(speed_of(speed), 10000.0),
        "simulate__hours": None if length is None else duration_s(length, "--for") / 3600,
        "simulate__start": None if start is None else iso(moment_ns(start, "--start")),
        "mqtt__url": None if is_file(to) else to,
    }
    settings = settings_of(config, words, **named)
    if not (scenario or to or length or start):
        return settings
    found = scenario_of(settings)
    if not settings["simulate.hours"] and found is not None:
        named["simulate__hours"] = found.hours
        settings = settings_of(config, words, **named)
    hours = settings["simulate.hours"]
    if not settings["simulate.start"]:
        if is_file(to):
            named["simulate__start"] = _DEFAULT_START
        elif hours and settings["simulate.speed"] > 1.0:  # it catches up with the clock at its end at the latest
            named["simulate__start"] = iso((time.time_ns() - int(hours * 3600 * NS_PER_S)) // NS_PER_S * NS_PER_S)
    return settings_of(config, words, **named)


@contextmanager
def _stops() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C or an end from outside was asked for: heeded between two steps, not in the middle of a write."""
    asked: list[int] = []
    before = {name: signal.signal(name, lambda number, _: asked.append(number)) for name in _SIGNALS}
    try:
        yield lambda: bool(asked)
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def to_broker(settings: Settings) -> None:
    """Publish until the scenario is over or Ctrl-C."""
    from simulators.publish import end_ns, simulate, start_ns

    roster = roster_of(settings)
    first = start_ns(settings, time.time_ns())
    if first > time.time_ns() + 60 * NS_PER_S:
        raise ConfigError(f"--start {iso(first)} lies in the future; only a file can be written ahead of the clock")
    last = end_ns(settings, first)
    what = f"{settings['simulate.scenario'] or 'normal line'}, {len(roster.pot_codes())} pots"

    async def process(progress: Progress) -> None:
        stop = asyncio.Event()
        on_stop(stop.set)
        for warning in precautions(settings, ("simulate",)):
            progress.say(f"warning: {warning}")
        async with publisher_of(settings, client_id(settings, "simulator")) as publisher:
            began_s = time.monotonic()

            def told(now_ns: int) -> None:
                speed = (now_ns - first) / NS_PER_S / max(time.monotonic() - began_s, 1e-3)
                progress.show(now_ns, f"{publisher.sent} messages, {speed:.0f} times real time")

            work = asyncio.ensure_future(simulate(roster, publisher, settings, SystemClock(), told))
            waiting = asyncio.ensure_future(stop.wait())
            await asyncio.wait([work, waiting], return_when=asyncio.FIRST_COMPLETED)
            for task in (work, waiting):
                task.cancel()
            await asyncio.wait([work, waiting])
            if not work.cancelled():
                work.result()  # raises what it raised
            progress.say(f"published {publisher.sent} messages")

    with Progress(what, first, last or 0) as progress:
        run_process(lambda: process(progress))


def to_file(settings: Settings, to: str, truth_s: float) -> None:
    """Record as fast as it goes, with truth and causes beside it; Ctrl-C completes the files."""
    from simulators.publish import end_ns, lines_of, start_ns
    from simulators.to_file import Tapes, record_lines

    path = Path(to.removeprefix(_FILE))
    if path.suffix != ".parquet":
        raise ConfigError(f"--to {to}: give the file the suffix .parquet")
    if truth_s < settings["simulate.period_s"]:
        raise ConfigError(f"--truth-s {truth_s:g} is not allowed; it is at least simulate.period_s")
    roster = roster_of(settings)
    first = start_ns(settings, time.time_ns())
    last = end_ns(settings, first)
    if last is None:
        raise ConfigError("a file needs an end: give --for 24h, or a --scenario that has one")
    lines = lines_of(roster, settings, first)
    name = settings["simulate.scenario"] or "normal line"
    made_by = f"twin simulate, {name}, seed {settings['simulate.seed']}, from {iso(first)}"
    tapes = Tapes(path, roster, created_by=made_by, version=product_version())
    with Progress(f"{name}, {len(roster.pot_codes())} pots", first, last) as progress:
        began_s = time.monotonic()

        def told(now_ns: int) -> None:
            speed = (now_ns - first) / NS_PER_S / max(time.monotonic() - began_s, 1e-3)
            rows, size = tapes.recording.table.rows, tapes.recording.table.size
            progress.show(now_ns, f"{rows:,} readings, {size / 1e6:,.0f} MB, {speed:,.0f} times real time")

        period_s = settings["simulate.period_s"]
        with _stops() as stopped:
            record_lines(lines, tapes, end_ns=last, period_s=period_s, truth_s=truth_s, told=told, stopped=stopped)
        progress.show(lines[0].now_ns, "joining the parts", at_once=True)
        tapes.close()
        size = path.stat().st_size
        progress.say(
            f"{path}: {tapes.recording.table.rows:,} readings, {size / 1e6:,.1f} MB; truth and causes beside it"
        )
