"""`twin record`: what a line sends, into a file, beside its ingest and without disturbing it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from twin.adapters.deadletter import DeadLetters
from twin.adapters.mqtt import MqttSource
from twin.adapters.parquet import RecordingWriter
from twin.cli_options import ConfigOption, SetOption, duration_s, on_stop, product_version, run_process, settings_of
from twin.connections import brokers_of
from twin.decoded import Beside, Problem
from twin.errors import ConfigError
from twin.parts import codec_of, roster_of
from twin.progress import Progress
from twin.record import Recorder
from twin.service import SystemClock
from twin.settings import Settings
from twin.shares import subscriptions

__all__ = ["record"]


def record(
    source: Annotated[str, typer.Argument(help="mqtt://[user@]host[:port] or mqtts://...", show_default=False)],
    out: Annotated[Path, typer.Argument(help="File to write: NAME.parquet.", show_default=False)],
    config: ConfigOption = None,
    words: SetOption = None,
    length: Annotated[str | None, typer.Option("--for", help="Stop after 90s, 10m, 24h ...")] = None,
    messages: Annotated[int, typer.Option(min=0, help="Stop after so many messages; 0 = do not.")] = 0,
) -> None:
    """Record what a line sends, without disturbing its ingest; Ctrl-C completes the file."""
    settings = settings_of(config, words, mqtt__url=source)
    if out.suffix != ".parquet":
        raise ConfigError(f"{out}: give the recording the suffix .parquet")
    seconds = duration_s(length, "--for") if length else None
    run_process(lambda: _record(settings, out, seconds, messages))


class _Parked:
    """Parked messages beside the recording; the file is made with the first of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._letters: DeadLetters | None = None

    async def park(self, problems: Sequence[Problem], received_ns: int) -> None:
        if problems:
            self._letters = self._letters or DeadLetters(self.path)
            await self._letters.park(problems, received_ns)

    def close(self) -> None:
        if self._letters is not None:
            self._letters.close()


async def _record(settings: Settings, out: Path, seconds: float | None, messages: int) -> None:
    at, roster = ", ".join(map(str, brokers_of(settings))), roster_of(settings)
    tape = RecordingWriter(out, roster, created_by=f"twin record {at}", version=product_version())
    codec = codec_of(settings, roster)
    parked, stop = _Parked(out.with_suffix(".parked.sqlite")), asyncio.Event()
    on_stop(stop.set)
    with Progress(f"recording {at}") as progress:

        def told(problem: str) -> None:
            progress.say(problem or "connected to the broker")
            if not problem and seconds is not None:
                asyncio.get_running_loop().call_later(seconds, stop.set)  # the first connection's is the first to ring

        source = _source(settings, told, codec.beside)
        recorder = Recorder(source, codec, tape, parked, SystemClock())
        recording = asyncio.ensure_future(recorder.run(messages))
        beside = [asyncio.ensure_future(work) for work in (stop.wait(), source.run(), recorder.flush())]
        beside.append(asyncio.ensure_future(_watch(recorder, tape, progress)))
        try:
            await asyncio.wait([recording, *beside], return_when=asyncio.FIRST_COMPLETED)
            await source.close()  # ends the recording after what it has in hand
            await recording
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)
            progress.say("completing the file")
            await recorder.close()
            parked.close()
        _tell(recorder, out, parked.path, progress)


def _source(settings: Settings, told: Callable[[str], None], beside: Beside | None = None) -> MqttSource:
    """A session of its own that the broker forgets with the connection: the ingest's is not touched (F3)."""
    return MqttSource(
        brokers_of(settings),
        subscriptions(settings, (), beside.filters if beside else (), stores=False),
        fresh=beside.fresh if beside else frozenset(),
        client_id=f"smelter-twin-record-{os.getpid()}-{os.urandom(3).hex()}",
        version=settings["mqtt.version"],
        qos=1,
        session_expiry_s=0,
        receive_maximum=settings["mqtt.receive_maximum"],
        buffer_bytes=settings["mqtt.buffer_mib"] << 20,
        on_change=told,
    )


async def _watch(recorder: Recorder, tape: RecordingWriter, progress: Progress) -> None:
    began_s, counts = time.monotonic(), recorder.counts
    while True:
        await asyncio.sleep(0.5)
        rate, size = counts.messages / (time.monotonic() - began_s), tape.table.size / 1e6
        note = f"{counts.messages:,} messages ({rate:,.0f}/s), {counts.readings:,} readings, {size:,.1f} MB on disk"
        progress.show(0, note + (f", {counts.parked} parked" if counts.parked else ""))


def _tell(recorder: Recorder, out: Path, kept: Path, progress: Progress) -> None:
    counts, size = recorder.counts, out.stat().st_size / 1e6
    progress.say(f"{out}: {counts.messages:,} messages, {counts.readings:,} readings, {size:,.1f} MB")
    if counts.parked:
        reasons = ", ".join(f"{reason} {count}" for reason, count in counts.reasons.most_common())
        progress.say(f"{counts.parked} messages could not be used whole ({reasons}); they are kept in {kept}")
