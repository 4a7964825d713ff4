"""The way of a message: decode, store, acknowledge, hand on. Nothing is acknowledged before it is safe.

received = stored + spooled + parked + rejected, counted by message (twin.balance); a message with one bad value is
parked for that value and its good values are stored, so it counts as parked once.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from twin.balance import Balance, Figures
from twin.codec import Codec, Decoded, Problem
from twin.collisions import Collisions
from twin.divide import divide
from twin.errors import SinkRejected, SinkUnavailable
from twin.frames import Quality, Readings
from twin.log import Say
from twin.overflow import Limits, Overflow, Write
from twin.ports import Clock, Delivery, Message, Sink, Source, Spool
from twin.units import NS_PER_S

__all__ = ["OTHER_NAMES", "Counts", "Ingestor", "Park"]

OTHER_NAMES = "(others)"
_MOST_NAMES = 1000  # of fields that no signal names; the rest are counted together
_LAST_DOUBLING = 30  # of the pause between tries: without an end the number would outgrow a float within hours


def _silent(event: str, /, *, level: str = "info", **fields: object) -> None:
    """Nobody to tell."""


class Park(Protocol):
    """Where messages are kept that cannot be used."""

    async def park(self, problems: Sequence[Problem], received_ns: int) -> None: ...


@dataclass
class Counts:
    """What has come in and where it went. `newest_ns` is the newest source time seen.

    `bad_values`: readings without a usable value (null, NaN, out of range); `collisions`: readings that replaced
    another value of the same unit, signal and time.
    """

    balance: Balance = field(default_factory=Balance)
    problems: Counter[str] = field(default_factory=Counter)
    unknown_fields: Counter[str] = field(default_factory=Counter)
    bad_values: int = 0
    collisions: int = 0
    newest_ns: int = 0
    store_problem: str = ""
    outages: int = 0

    @property
    def received(self) -> int:
        """Messages."""
        return self.balance.received.messages

    @property
    def stored(self) -> int:
        """Messages of which every reading is in the store."""
        return self.balance.stored.messages

    @property
    def parked(self) -> int:
        """Messages."""
        return self.balance.parked.messages

    @property
    def readings(self) -> int:
        """Readings in the store."""
        return self.balance.stored.readings

    def came(self, decoded: Decoded, messages: int) -> None:
        """Count a batch that has just come in."""
        self.balance.came(messages, len(decoded.readings))
        if len(decoded.readings):
            self.newest_ns = max(self.newest_ns, int(decoded.readings.time_ns.max()))

    def take(self, decoded: Decoded) -> None:
        """Count what was wrong with a batch that is stored or parked.

        Names of unknown fields come from outside: only so many are told apart.
        """
        self.problems.update(problem.reason for problem in decoded.problems)
        for name, count in decoded.unknown.items():
            known = name in self.unknown_fields or len(self.unknown_fields) < _MOST_NAMES
            self.unknown_fields[name if known else OTHER_NAMES] += count
        self.bad_values += int((decoded.readings.quality == Quality.BAD).sum())


class Ingestor:
    """Runs one source into one sink, `writes` (at least 2) batches at once.

    `hand_on` gets the readings of each batch once they are safe, in receive order. With a `spool`, batches that the
    sink does not take now go there (twin.overflow); without one they wait unacknowledged. `stores` False: the sink
    keeps nothing, because another process stores; the sheet says rejected. `name` is the source on the sheet.
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
        spool: Spool | None = None,
        limits: Limits | None = None,
        say: Say = _silent,
        stores: bool = True,
        name: str = "",
    ) -> None:
        self.counts = Counts(Balance(name))
        self._source, self._codec, self._sink, self._park, self._clock = source, codec, sink, park, clock
        self._hand_on = hand_on
        self._retry_max_s = retry_max_s
        self._in_flight = self._writes = max(2, writes)
        self._on_outage = on_outage
        self._on_refused = on_refused
        self._stores = stores
        self._collisions = Collisions()
        self._waiting = 0  # batches that the store or the disk does not take now
        self._overflow: Overflow | None = None
        if spool is not None:
            limits = limits or Limits(retry_max_s=retry_max_s, writes=self._writes)
            self._in_flight += limits.waiting
            self._overflow = Overflow(
                spool, sink, codec, clock, self.counts.balance, limits,
                settle=self._settle, park=self._until_parked, hand_on=hand_on, say=say, on_outage=on_outage,
            )  # fmt: skip

    @property
    def problem(self) -> str:
        """What a person should know of store, spool and dead letters now, "" when all is well."""
        told = self._overflow.problem if self._overflow else ""
        return "; ".join(part for part in (told, self.counts.store_problem) if part)

    @property
    def store_problem(self) -> str:
        """Why the store takes nothing now, "" when it does."""
        return (self._overflow.away if self._overflow else "") or self.counts.store_problem

    @property
    def stopped(self) -> str:
        """Why nothing is acknowledged now though there is a spool, "" when it is."""
        return self._overflow.refusal if self._overflow else ""

    def figures(self) -> Figures:
        """Every count and gauge of the way in, for a metrics endpoint."""
        counts, over = self.counts, self._overflow
        unknown = counts.unknown_fields.total()
        if over is None:
            waits = int(self._waiting > 0)
            figures = Figures.of(counts.balance, counts.outages, unknown_values=unknown)
            return replace(figures, paused=waits, store_away=waits)
        state = over.spool.state
        age_s = (self._clock.now_ns() - state.oldest_ns) / NS_PER_S if state.oldest_ns else 0.0
        outages = counts.outages + over.counts.outages
        return replace(
            Figures.of(counts.balance, outages, over.counts, unknown_values=unknown),
            spool_bytes=state.bytes, spool_max_bytes=over.spool.max_bytes, spool_batches=state.batches,
            spool_oldest_age_s=age_s, spool_high=int(over.high), paused=int(over.paused or self._waiting > 0),
            store_away=int(bool(over.away)),
        )  # fmt: skip

    async def run(self) -> None:
        """Until the source ends. Several batches are on their way at once; they are acknowledged in receive order."""
        under_way: asyncio.Queue[tuple[Delivery, asyncio.Task[Readings]] | None] = asyncio.Queue(self._in_flight - 1)
        if self._overflow is not None:
            await self._overflow.open()
        async with asyncio.TaskGroup() as group:
            drain = None if self._overflow is None else group.create_task(self._overflow.drain(), name="drain")
            acknowledge = group.create_task(self._acknowledge(under_way), name="acknowledge")
            async for delivery in self._source.deliveries():
                task = group.create_task(self._keep(delivery.messages), name="keep")
                await under_way.put((delivery, task))
            await under_way.put(None)
            await acknowledge
            if drain is not None:
                drain.cancel()

    async def _acknowledge(self, under_way: asyncio.Queue[tuple[Delivery, asyncio.Task[Readings]] | None]) -> None:
        while (item := await under_way.get()) is not None:
            delivery, task = item
            readings = await task
            self.counts.collisions += self._collisions.count(readings)
            delivery.acknowledge()
            await self._hand_on(readings)

    async def _keep(self, messages: Sequence[Message]) -> Readings:
        """Make every message safe, in the store, the spool or parked; returns the readings to hand on."""
        now_ns = self._clock.now_ns()
        decoded = self._codec.decode(messages, now_ns)
        self.counts.came(decoded, len(messages))
        if self._overflow is not None:
            return await self._overflow.place(messages, decoded, now_ns)
        kept = await self._settle(messages, decoded, now_ns, self._write)
        balance, count, readings = self.counts.balance, len(messages), len(decoded.readings)
        balance.left(count, readings)
        if self._stores:
            balance.settled(count, readings, kept.parked, len(kept.readings))
        else:
            balance.parked.add(kept.parked, 0)
            balance.rejected.add(count - kept.parked, readings)
        return kept.readings

    async def _settle(self, messages: Sequence[Message], decoded: Decoded, now_ns: int, write: Write) -> Decoded:
        """Bring a batch to its end, in the store or parked; returns what became of it."""
        try:
            await write(decoded.readings)
        except SinkRejected as error:
            decoded = await divide(messages, error, self._codec, write, now_ns)
            self._on_refused(error)
        await self._until_parked(decoded.problems, now_ns)
        self.counts.take(decoded)
        return decoded

    async def _write(self, readings: Readings) -> None:
        await self._until_safe(lambda: self._sink.write(readings))

    async def _until_parked(self, problems: Sequence[Problem], now_ns: int) -> None:
        await self._until_safe(lambda: self._park.park(problems, now_ns))

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
