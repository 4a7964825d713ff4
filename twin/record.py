"""Records a real line: takes messages from a source beside the ingest and hands readings on in the order of arrival.

What the codec cannot use is parked with its reason, as the ingest does it, and counted.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Protocol

from twin.codec import Codec, Problem
from twin.frames import Readings
from twin.ports import Clock, Message, Source

__all__ = ["Park", "Recorded", "Recorder", "Tape"]


class Tape(Protocol):
    """What readings are recorded on; the calls may take as long as a disk takes."""

    def write(self, readings: Readings, arrival_ns: int) -> None: ...

    def flush_if_old(self) -> None: ...

    def close(self) -> None: ...


class Park(Protocol):
    """Where messages are kept that cannot be used."""

    async def park(self, problems: Sequence[Problem], received_ns: int) -> None: ...


@dataclass
class Recorded:
    """What has come in so far: messages = used whole + parked."""

    messages: int = 0
    readings: int = 0
    parked: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


class Recorder:
    """Records until the source ends or `messages` have come (0 = no limit)."""

    def __init__(self, source: Source, codec: Codec, tape: Tape, park: Park, clock: Clock) -> None:
        self.counts = Recorded()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tape")  # one: the tape is never used twice at once
        self._source, self._codec, self._tape, self._park, self._clock = source, codec, tape, park, clock

    async def run(self, messages: int = 0) -> None:
        """Acknowledges each delivery when the tape has it. Raises SinkUnavailable when the disk refuses."""
        async for delivery in self._source.deliveries():
            room = messages - self.counts.messages if messages else len(delivery.messages)
            await self._take(delivery.messages[:room])
            delivery.acknowledge()
            if messages and self.counts.messages >= messages:
                return

    async def flush(self, every_s: float = 5.0) -> None:
        """Until cancelled: makes safe what has waited for long, even while nothing comes in."""
        while True:
            await asyncio.sleep(every_s)
            await self._on_tape(self._tape.flush_if_old)

    async def close(self) -> None:
        """Complete the tape."""
        await self._on_tape(self._tape.close)
        self._thread.shutdown()

    async def _on_tape(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _take(self, messages: Sequence[Message]) -> None:
        now_ns = self._clock.now_ns()
        counts = self.counts
        found = []
        # The codec sorts by kind of topic; one call a run of the same kind keeps the order in which they came.
        for _, run in groupby(messages, key=lambda message: message.topic.rsplit("/", 1)[-1]):
            decoded = self._codec.decode(list(run), now_ns)
            found.append(decoded.readings)
            await self._park.park(decoded.problems, now_ns)
            counts.parked += decoded.parked
            counts.reasons.update(problem.reason for problem in decoded.problems)
        readings = Readings.concat(found)
        await self._on_tape(partial(self._tape.write, readings, now_ns))
        counts.messages += len(messages)
        counts.readings += len(readings)
