"""Recordings for the tests: made, written, read back, and played without waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from functools import cache
from pathlib import Path

import numpy as np

from simulators.publish import SimulatedLine
from tests.core.plants import NOW_NS, engine_of, roster_of
from twin.adapters.parquet import RecordingWriter
from twin.adapters.parquet_recording import ParquetRecording
from twin.frames import Readings
from twin.plant import Roster
from twin.ports import Bounds, Recording
from twin.recording import Selection, Skipped
from twin.replay import Control, Player, Target
from twin.replay_report import EngineTarget
from twin.signals import by_name
from twin.topics import Router

NS = 1_000_000_000
POTS = 4


def router_of(pots: int = POTS, *, discover: bool = True) -> Router:
    """The units of the test plant: `s/L`, `s/L/001` ..."""
    return Router(roster_of(pots), root="smelter", discover=discover)


@cache
def shift(minutes: int = 5) -> Readings:
    """What a simulated line of the test plant sends, with an anode effect of 40 s at pot 2 in the third minute."""
    roster = roster_of(POTS)
    site, line = next(roster.plant.lines())
    simulated = SimulatedLine(roster, site, line, seed=7, start_ns=NOW_NS)
    parts = [part for _ in range(minutes * 60) for part in simulated.advance(1.0)]
    said = Readings.concat(parts)
    since = (said.time_ns - NOW_NS) // NS
    struck = (said.unit == 2) & (said.signal == by_name("voltage_v")) & (since >= 120) & (since < 160)
    return Readings.of(said.time_ns, said.unit, said.signal, np.where(struck, 30.0, said.value))


def write(
    path: Path, readings: Readings, *, roster: Roster | None = None, batch: int = 500, part_rows: int = 4000
) -> Path:
    """A finished recording of the readings, from several parts."""
    writer = RecordingWriter(path, roster or roster_of(POTS), created_by="test", version="1", part_rows=part_rows)
    for start in range(0, len(readings), batch):
        writer.write(readings.take(slice(start, start + batch)), NOW_NS + start)
    writer.close()
    return path


async def gather(recording: Recording, start_ns: int = 0) -> tuple[Bounds, Readings]:
    """Everything in a recording."""
    try:
        bounds = await recording.open()
        parts = [chunk async for chunk in recording.chunks(start_ns)]
        return bounds, Readings.concat(parts)
    finally:
        await recording.close()


def read(
    path: Path,
    selection: Selection | None = None,
    skipped: Skipped | None = None,
    *,
    router: Router | None = None,
    chunk_rows: int = 5000,
    start_ns: int = 0,
) -> Readings:
    """Everything that is selected in a Parquet recording."""
    recording = ParquetRecording(
        path, router or router_of(), selection or Selection(), skipped or Skipped(), chunk_rows=chunk_rows
    )
    return asyncio.run(gather(recording, start_ns))[1]


class FakeTimer:
    """A timer on which waiting takes no time; `acts` happen when their second has come."""

    def __init__(self, acts: dict[float, Callable[[], None]] | None = None) -> None:
        self.now = 0
        self.waits: list[float] = []
        self._acts = sorted((acts or {}).items())

    def now_ns(self) -> int:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += int(seconds * NS)
        while self._acts and self._acts[0][0] * NS <= self.now:
            self._acts.pop(0)[1]()


class ListRecording:
    """A recording in memory, cut into chunks where a test wants it."""

    def __init__(self, readings: Readings, cuts: list[int] | None = None) -> None:
        self._readings = readings
        self._edges = [0, *sorted(cuts or []), len(readings)]

    async def open(self) -> Bounds:
        return Bounds(int(self._readings.time_ns.min()), int(self._readings.time_ns.max()))

    async def chunks(self, start_ns: int) -> AsyncGenerator[Readings, None]:
        for start, end in zip(self._edges, self._edges[1:], strict=False):
            part = self._readings.take(slice(start, end))
            yield part.take(part.time_ns >= start_ns)

    async def close(self) -> None:
        """Nothing is open."""


class KeepingTarget:
    """Keeps what it is given, with the timer's time."""

    def __init__(self, timer: FakeTimer) -> None:
        self._timer = timer
        self.taken: list[tuple[int, Readings]] = []
        self.seeks = 0
        self.finished = False

    async def take(self, readings: Readings) -> None:
        self.taken.append((self._timer.now, readings))

    async def sought(self) -> None:
        self.seeks += 1

    async def finish(self) -> None:
        self.finished = True

    def all(self) -> Readings:
        """All of it in order."""
        return Readings.concat([readings for _, readings in self.taken])


def play(
    recording: Recording,
    target: Target,
    *,
    speed: float,
    timer: FakeTimer | None = None,
    control: Control | None = None,
) -> Player:
    """Play a recording to its end, without waiting."""

    async def process() -> Player:
        bounds = await recording.open()
        player = Player(recording, target, timer or FakeTimer(), control or Control(speed), bounds)
        await player.run()
        await recording.close()
        return player

    return asyncio.run(process())


def report(recording: Recording, *, speed: float = float("inf"), roster: Roster | None = None) -> list[str]:
    """The engine's report of a recording."""
    target = EngineTarget(engine_of(roster or roster_of(POTS)))
    play(recording, target, speed=speed)
    return target.lines()
