"""The way of a message: decode, store, acknowledge, hand on. Nothing is acknowledged before it is safe.

received = stored + parked, counted by message; a message with one bad value is parked for that value and its good
values are stored, so it counts as parked once.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from twin.codec import Codec, Problem
from twin.errors import SinkRejected, SinkUnavailable
from twin.frames import Readings
from twin.ports import Clock, Delivery, Message, Sink, Source
from twin.sequences import Sequences

__all__ = ["Counts", "Ingestor", "Park"]

_LAST_DOUBLING = 30  # of the pause between tries: without an end the number would outgrow a float within hours


class Park(Protocol):
    """Where messages are kept that cannot be used."""

    async def park(self, problems: Sequence[Problem], received_ns: int) -> None: ...


@dataclass
class Counts:
    """What has come in and where it went. `newest_ns` is the newest source time seen."""

    received: int = 0
    stored: int = 0
    parked: int = 0
    readings: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    unknown_fields: Counter[str] = field(default_factory=Counter)
    newest_ns: int = 0
    store_problem: str = ""
    outages: int = 0


class Ingestor:
    """Runs one source into one sink, `writes` (at least 2) batches at once.

    `hand_on` gets the readings of each batch once they are safe, in receive order.
    `sequences` counts what did not come.
    """

    def __init__(
        self,
        source: Source,
        codec: Codec,
        sink: Sink,
        park: Park,
        clock: Clock,
        *,
        hand_on: Callable[[Readings], Awaitable[None]],
        retry_max_s: float = 30.0,
        writes: int = 3,
        on_outage: Callable[[str], None] = lambda problem: None,
        sequences: Sequences | None = None,
    ) -> None:
        self.counts = Counts()
        self._source, self._codec, self._sink, self._park, self._clock = source, codec, sink, park, clock
        self._hand_on = hand_on
        self._retry_max_s = retry_max_s
        self._writes = max(2, writes)
        self._on_outage = on_outage
        self.sequences = sequences
        self._waiting = 0  # batches that the store or the disk does not take now

    async def run(self) -> None:
        """Until the source ends. Several batches are on their way at once; they are acknowledged in receive order."""
        under_way: asyncio.Queue[tuple[Delivery, asyncio.Task[Readings]] | None] = asyncio.Queue(self._writes - 1)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._acknowledge(under_way), name="acknowledge")
            async for delivery in self._source.deliveries():
                if self.sequences is not None:
                    self.sequences.see(delivery.messages)
                task = group.create_task(self._keep(delivery.messages), name="keep")
                await under_way.put((delivery, task))
            await under_way.put(None)

    async def _acknowledge(self, under_way: asyncio.Queue[tuple[Delivery, asyncio.Task[Readings]] | None]) -> None:
        while (item := await under_way.get()) is not None:
            delivery, task = item
            readings = await task
            delivery.acknowledge()
            await self._hand_on(readings)

    async def _keep(self, messages: Sequence[Message]) -> Readings:
        """Make every message safe, in the store or parked; returns what was stored."""
        now_ns = self._clock.now_ns()
        decoded = self._codec.decode(messages, now_ns)
        try:
            await self._until_safe(lambda: self._sink.write(decoded.readings))
        except SinkRejected as error:
            return await self._divide(messages, error)
        await self._until_safe(lambda: self._park.park(decoded.problems, now_ns))
        counts = self.counts
        counts.received += len(messages)
        counts.parked += decoded.parked
        counts.stored += len(messages) - decoded.parked
        counts.readings += len(decoded.readings)
        counts.problems.update(problem.reason for problem in decoded.problems)
        counts.unknown_fields.update(decoded.unknown)
        if len(decoded.readings):
            counts.newest_ns = max(counts.newest_ns, int(decoded.readings.time_ns.max()))
        return decoded.readings

    async def _divide(self, messages: Sequence[Message], error: SinkRejected) -> Readings:
        """Find the message the store refuses by halves; park it alone (F9). Writing twice is harmless (F17)."""
        if len(messages) > 1:
            middle = len(messages) // 2
            return Readings.concat([await self._keep(messages[:middle]), await self._keep(messages[middle:])])
        problem = Problem(messages[0].topic, messages[0].payload, "refused", str(error)[:500])
        await self._until_safe(lambda: self._park.park([problem], self._clock.now_ns()))
        self.counts.received += 1
        self.counts.parked += 1
        self.counts.problems["refused"] += 1
        return Readings.empty()

    async def _until_safe(self, work: Callable[[], Awaitable[None]]) -> None:
        """Try until the other side takes it; an outage is told once, whatever the number of batches that wait."""
        attempt = 0
        while True:
            try:
                await work()
            except SinkUnavailable as error:
                if not attempt:
                    self._waiting += 1
                    if self._waiting == 1:
                        self.counts.outages += 1
                        self.counts.store_problem = str(error)
                        self._on_outage(str(error))
                attempt = min(attempt + 1, _LAST_DOUBLING)
                await asyncio.sleep(random.uniform(0, min(self._retry_max_s, 0.1 * 2**attempt)))  # noqa: S311
            else:
                break
        if attempt:
            self._waiting -= 1
            if not self._waiting:
                self.counts.store_problem = ""
                self._on_outage("")
