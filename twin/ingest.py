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

from twin.codec import Codec, Decoded, Problem
from twin.collisions import Collisions
from twin.divide import divide
from twin.errors import SinkRejected, SinkUnavailable
from twin.frames import Quality, Readings
from twin.ports import Clock, Delivery, Message, Sink, Source

__all__ = ["OTHER_NAMES", "Counts", "Ingestor", "Park"]

OTHER_NAMES = "(others)"
_MOST_NAMES = 1000  # of fields that no signal names; the rest are counted together
_LAST_DOUBLING = 30  # of the pause between tries: without an end the number would outgrow a float within hours


class Park(Protocol):
    """Where messages are kept that cannot be used."""

    async def park(self, problems: Sequence[Problem], received_ns: int) -> None: ...


@dataclass
class Counts:
    """What has come in and where it went. `newest_ns` is the newest source time seen.

    `bad_values`: readings without a usable value (null, NaN, out of range); `collisions`: readings that replaced
    another value of the same unit, signal and time.
    """

    received: int = 0
    stored: int = 0
    parked: int = 0
    readings: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    unknown_fields: Counter[str] = field(default_factory=Counter)
    bad_values: int = 0
    collisions: int = 0
    newest_ns: int = 0
    store_problem: str = ""
    outages: int = 0

    def take(self, decoded: Decoded, messages: int) -> None:
        """Count a batch that is safe. Names of unknown fields come from outside: only so many are told apart."""
        self.received += messages
        self.parked += decoded.parked
        self.stored += messages - decoded.parked
        self.readings += len(decoded.readings)
        self.problems.update(problem.reason for problem in decoded.problems)
        for name, count in decoded.unknown.items():
            known = name in self.unknown_fields or len(self.unknown_fields) < _MOST_NAMES
            self.unknown_fields[name if known else OTHER_NAMES] += count
        if len(decoded.readings):
            self.bad_values += int((decoded.readings.quality == Quality.BAD).sum())
            self.newest_ns = max(self.newest_ns, int(decoded.readings.time_ns.max()))


class Ingestor:
    """Runs one source into one sink, `writes` (at least 2) batches at once.

    `hand_on` gets the readings of each batch once they are safe, in receive order.
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
        on_refused: Callable[[SinkRejected], None] = lambda error: None,
    ) -> None:
        self.counts = Counts()
        self._source, self._codec, self._sink, self._park, self._clock = source, codec, sink, park, clock
        self._hand_on = hand_on
        self._retry_max_s = retry_max_s
        self._writes = max(2, writes)
        self._on_outage = on_outage
        self._on_refused = on_refused
        self._collisions = Collisions()
        self._waiting = 0  # batches that the store or the disk does not take now

    async def run(self) -> None:
        """Until the source ends. Several batches are on their way at once; they are acknowledged in receive order."""
        under_way: asyncio.Queue[tuple[Delivery, asyncio.Task[Readings]] | None] = asyncio.Queue(self._writes - 1)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._acknowledge(under_way), name="acknowledge")
            async for delivery in self._source.deliveries():
                task = group.create_task(self._keep(delivery.messages), name="keep")
                await under_way.put((delivery, task))
            await under_way.put(None)

    async def _acknowledge(self, under_way: asyncio.Queue[tuple[Delivery, asyncio.Task[Readings]] | None]) -> None:
        while (item := await under_way.get()) is not None:
            delivery, task = item
            readings = await task
            self.counts.collisions += self._collisions.count(readings)
            delivery.acknowledge()
            await self._hand_on(readings)

    async def _keep(self, messages: Sequence[Message]) -> Readings:
        """Make every message safe, in the store or parked; returns what was stored."""
        now_ns = self._clock.now_ns()
        decoded = self._codec.decode(messages, now_ns)
        try:
            await self._write(decoded.readings)
        except SinkRejected as error:
            decoded = await divide(messages, error, self._codec, self._write, now_ns)
            self._on_refused(error)
        await self._until_safe(lambda: self._park.park(decoded.problems, now_ns))
        self.counts.take(decoded, len(messages))
        return decoded.readings

    async def _write(self, readings: Readings) -> None:
        await self._until_safe(lambda: self._sink.write(readings))

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
            except SinkRejected:  # to refuse is an answer: the outage is over
                self._answered(attempt)
                raise
            else:
                self._answered(attempt)
                return

    def _answered(self, attempt: int) -> None:
        """The other side answers, after `attempt` tries to which it did not."""
        if attempt:
            self._waiting -= 1
            if not self._waiting:
                self.counts.store_problem = ""
                self._on_outage("")
