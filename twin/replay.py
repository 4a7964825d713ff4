"""Plays a recording into a target at a speed: in order, paced by source time, with pause, seek and shift of times.

The pace follows the newest source time so far: a reading that came late goes out where it came, not earlier. What a
target receives, and in which order, depends on the recording and the selection alone, never on speed or chunks.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from twin.encode import encode
from twin.errors import SinkUnavailable
from twin.frames import Ints, Readings
from twin.plant import Roster
from twin.ports import Bounds, Publisher, Recording, Sink, Timer
from twin.units import NS_PER_S

__all__ = ["BrokerTarget", "Control", "Player", "StoreTarget", "SystemTimer", "Target", "shift_to_now"]

MAX = math.inf  # speed: as fast as the target takes it
_SLICE = 1 << 15  # readings handed over at once, so that keys are heeded
_SHORTEST_S, _LONGEST_S = 0.005, 0.2  # of one wait: for not waking too often, and for heeding keys


class SystemTimer:
    """The clock of this machine that nobody sets."""

    def now_ns(self) -> int:
        return time.monotonic_ns()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Target(Protocol):
    """Where a recording is played to."""

    async def take(self, readings: Readings) -> None:
        """Return when the readings are there; called in the order of the recording."""

    async def sought(self) -> None:
        """The next readings come from another place of the recording."""

    async def finish(self) -> None:
        """No more readings come."""


@dataclass
class Control:
    """What may be changed while it plays. `seek_s` is how far to jump, in source time."""

    speed: float = 1.0
    paused: bool = False
    seek_s: float = 0.0
    stopped: bool = False


class Player:
    """Plays `recording` from its beginning to its end or until `control.stopped`; `position_ns` is source time."""

    def __init__(
        self,
        recording: Recording,
        target: Target,
        timer: Timer,
        control: Control,
        bounds: Bounds,
        *,
        shift_ns: int = 0,
    ) -> None:
        self.control, self.bounds = control, bounds
        self.position_ns = bounds.first_ns
        self.readings = 0
        self._recording, self._target, self._timer, self._shift_ns = recording, target, timer, shift_ns
        self._anchor = (0, 0)  # a source time and the timer's when it was due
        self._anchored_for = 0.0  # the speed; 0 = not anchored

    async def run(self) -> None:
        """Play; raises what recording and target raise."""
        start_ns = 0
        while not await self._play(start_ns) and not self.control.stopped:
            start_ns = self.position_ns + int(self.control.seek_s * NS_PER_S)
            start_ns = max(min(start_ns, self.bounds.last_ns), self.bounds.first_ns)
            self.control.seek_s, self.position_ns, self._anchored_for = 0.0, start_ns, 0.0
            await self._target.sought()
        await self._target.finish()

    async def _play(self, start_ns: int) -> bool:
        """From one place on; False when stopped or sent elsewhere before the end."""
        async with aclosing(_read_ahead(self._recording.chunks(start_ns))) as chunks:
            async for chunk in chunks:
                if not await self._chunk(chunk):
                    return False
        return True

    async def _chunk(self, chunk: Readings) -> bool:
        due = np.maximum.accumulate(np.maximum(chunk.time_ns, self.position_ns))
        done = 0
        while done < len(chunk):
            await asyncio.sleep(0)  # at full speed, too, others get their turn
            if self.control.stopped or self.control.seek_s:
                return False
            upto, wait_s = self._due(due, done)
            if upto == done:
                await self._timer.sleep(wait_s)
                continue
            part = chunk.take(slice(done, upto))
            if self._shift_ns:
                part = Readings(part.time_ns + self._shift_ns, part.unit, part.signal, part.value, part.quality)
            await self._target.take(part)
            self.position_ns, self.readings, done = int(due[upto - 1]), self.readings + upto - done, upto
        return True

    def _due(self, due: Ints, done: int) -> tuple[int, float]:
        """Up to which row of a chunk may go out now, and how long to wait when none may [s]."""
        control, now_ns = self.control, self._timer.now_ns()
        if control.paused:
            self._anchored_for = 0.0
            return done, _LONGEST_S
        if control.speed == MAX:
            self._anchored_for = 0.0
            return min(done + _SLICE, len(due)), 0.0
        if control.speed != self._anchored_for:
            self._anchor, self._anchored_for = (int(due[done]), now_ns), control.speed
        source_ns, timer_ns = self._anchor
        reached_ns = source_ns + int((now_ns - timer_ns) * control.speed)
        upto = int(np.searchsorted(due[done : done + _SLICE], reached_ns, side="right")) + done
        wait_s = (int(due[done]) - reached_ns) / NS_PER_S / control.speed
        return upto, min(max(wait_s, _SHORTEST_S), _LONGEST_S)


async def _read_ahead(chunks: AsyncGenerator[Readings, None]) -> AsyncGenerator[Readings, None]:
    """The same chunks, the next one being read while one is in use."""
    upcoming = asyncio.ensure_future(anext(chunks, None))
    try:
        while (chunk := await upcoming) is not None:
            upcoming = asyncio.ensure_future(anext(chunks, None))
            yield chunk
    finally:
        upcoming.cancel()
        await asyncio.wait([upcoming])
        if not upcoming.cancelled():
            upcoming.exception()  # of a chunk that nobody wants any more
        await chunks.aclose()


def shift_to_now(bounds: Bounds, speed: float, now_ns: int) -> int:
    """By how much to move times [ns, whole seconds] so that no reading lies in the future when it is played.

    At speed 1 the first reading is now; faster, the last one is now when it comes.
    """
    length = bounds.last_ns - bounds.first_ns
    ahead = 0.0 if speed <= 1.0 else length * (1.0 - (0.0 if speed == MAX else 1.0 / speed))
    return (now_ns - bounds.first_ns - math.ceil(ahead)) // NS_PER_S * NS_PER_S


class BrokerTarget:
    """Publishes as sensors do: by `twin.encode`, second by second, so that the order of a recording is kept."""

    def __init__(self, publisher: Publisher, roster: Roster, root: str, *, batched: bool = False) -> None:
        self._publisher, self._roster, self._root, self._batched = publisher, roster, root, batched
        self.messages = 0

    async def take(self, readings: Readings) -> None:
        second = np.maximum.accumulate(readings.time_ns) // NS_PER_S
        edges = [0, *(np.flatnonzero(np.diff(second)) + 1).tolist(), len(readings)]
        messages = [
            message
            for start, end in pairwise(edges)
            for message in encode(readings.take(slice(start, end)), self._roster, self._root, batched=self._batched)
        ]
        await self._publisher.publish(messages)
        self.messages += len(messages)

    async def sought(self) -> None:
        """Messages stand for themselves."""

    async def finish(self) -> None:
        """Every message is with the broker."""


class StoreTarget:
    """Writes into a store, trying again while it is away. Raises SinkRejected."""

    def __init__(self, sink: Sink, timer: Timer, *, retry_max_s: float = 30.0) -> None:
        self._sink, self._timer, self._retry_max_s = sink, timer, retry_max_s
        self.problem = ""  # why it waits

    async def take(self, readings: Readings) -> None:
        pause_s = 0.2
        while True:
            try:
                await self._sink.write(readings)
            except SinkUnavailable as error:
                self.problem = str(error)
                await self._timer.sleep(pause_s)
                pause_s = min(2 * pause_s, self._retry_max_s)
            else:
                self.problem = ""
                return

    async def sought(self) -> None:
        """Writing again under the same key changes nothing."""

    async def finish(self) -> None:
        """What was written is safe."""
