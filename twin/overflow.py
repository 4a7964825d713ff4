"""Where a batch goes that the store does not take now: into the spool, and from there into the store in order.

Live batches go straight to the store, `writes` at once. When it is away, does not answer in time, or too many batches
wait for it, they go to the spool, where they are safe and may be acknowledged. One task drains the spool, oldest
first, one write at a time beside the live ones: the backlog never takes more than one of `writes` + 1 places at the
store, and is never starved. While the store is away that task is also what finds out that it is back.

When neither takes a batch (no room, no disk) it waits unacknowledged: the broker keeps what comes. Nothing is dropped.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from twin.balance import Balance, SpoolCounts
from twin.codec import Codec, Decoded, Problem
from twin.errors import SinkRejected, SinkUnavailable
from twin.frames import Readings
from twin.log import Say
from twin.ports import Clock, Message, Sink, Spool, Spooled
from twin.spoolbooks import Limits, SpoolBooks
from twin.units import NS_PER_S

__all__ = ["Limits", "Overflow", "Write"]

Write = Callable[[Readings], Awaitable[None]]

STOPPED = "nothing more is acknowledged, the broker keeps what comes"
PROBE_MAX_S = 3.0  # longest pause between two tries of the one batch that finds out whether the store is back
_BACKLOG_PATIENCE = 12  # times patience_s that a write of the backlog may take: it has to get through a slow store
_LAST_DOUBLING = 10


class Overflow:
    """Brings batches to the store or the spool, and the spool to the store.

    `settle(messages, decoded, received_ns, write)` brings a batch to its end, in the store or parked, and returns what
    became of it; `park` keeps problems; both return only when that is done. `say` is told once when something
    begins or ends, `on_outage` the store's problem or "". What an earlier process has spooled is given to `hand_on`
    when the store has it.
    """

    def __init__(
        self,
        spool: Spool,
        sink: Sink,
        codec: Codec,
        clock: Clock,
        balance: Balance,
        limits: Limits,
        *,
        settle: Callable[[Sequence[Message], Decoded, int, Write], Awaitable[Decoded]],
        park: Callable[[Sequence[Problem], int], Awaitable[None]],
        hand_on: Callable[[Readings], Awaitable[None]],
        say: Say,
        on_outage: Callable[[str], None],
    ) -> None:
        self.spool = spool
        self.counts = SpoolCounts()
        self.away = ""  # why the store is taken to be away, "" while it is there
        self._books = SpoolBooks(spool, balance, self.counts, clock, say)
        self._sink, self._codec, self._clock = sink, codec, clock
        self._balance, self._limits = balance, limits
        self._settle, self._park, self._hand_on = settle, park, hand_on
        self._say, self._on_outage = say, on_outage
        self._slots = asyncio.Semaphore(limits.writes)
        self._waiting = 0  # live batches that wait for a place at the store
        self._paused = 0  # live batches that neither store nor spool takes
        self._singly = 0  # batches to drain one by one, because together they were refused
        self._filled, self._room = asyncio.Event(), asyncio.Event()

    @property
    def paused(self) -> bool:
        """Whether acknowledging has stopped."""
        return self._paused > 0

    @property
    def refusal(self) -> str:
        """Why acknowledging has stopped, "" when it has not."""
        return f"{STOPPED}: {self._books.refusal}" if self._paused else ""

    @property
    def high(self) -> bool:
        """Whether the spool is above its high watermark."""
        return self._books.high

    @property
    def problem(self) -> str:
        """What a person should know now, "" when all is well."""
        state, parts = self.spool.state, []
        if self._paused:
            parts.append(self.refusal)
        if self.away:
            parts.append(self.away)
            if state.messages:
                parts.append(f"{state.messages:,} messages wait in the spool")
        if self.high:
            parts.append(f"the spool holds {100 * state.bytes / self.spool.max_bytes:.0f} % of spool.max_mib")
        return "; ".join(parts)

    async def open(self) -> None:
        """Take over what an earlier process left; a disk that refuses is tried again by `drain`. Raises ConfigError."""
        try:
            await self._books.open()
        except SinkUnavailable as error:
            if not self._books.refusal:
                event = "without its spool the ingest stops while the store is away"
                self._say(event, level="error", problem=str(error))
            self._books.refusal = str(error)

    async def place(self, messages: Sequence[Message], decoded: Decoded, now_ns: int) -> Readings:
        """Return when the batch is safe in the store, in the spool or parked; with its readings to hand on."""
        straight, attempt = not self.away and self._waiting < self._limits.waiting, 0
        while True:
            if straight or attempt:
                try:
                    kept = await self._straight(messages, decoded, now_ns)
                except SinkUnavailable as error:
                    self._lost(error)
                except TimeoutError:  # no place in time: the store is there, and slower than what comes
                    straight = False
                else:
                    break
            self.counts.slow += not straight and not self.away and not attempt
            try:
                await self._books.put(messages, decoded, now_ns)
            except SinkUnavailable as error:
                self._pause(attempt, error)
            else:
                self._filled.set()
                kept = decoded
                break
            attempt = min(attempt + 1, _LAST_DOUBLING)
            await self._wait(self._room, attempt)
        self._resume(attempt)
        return kept.readings

    async def _straight(self, messages: Sequence[Message], decoded: Decoded, now_ns: int) -> Decoded:
        self._waiting += 1
        try:
            async with asyncio.timeout(self._limits.patience_s):
                await self._slots.acquire()
        finally:
            self._waiting -= 1
        try:
            kept = await self._settle(messages, decoded, now_ns, self._write_in_time)
        finally:
            self._slots.release()
        self._balance.left(len(messages), len(decoded.readings))
        self._balance.settled(len(messages), len(decoded.readings), kept.parked, len(kept.readings))
        return kept

    async def _write_in_time(self, readings: Readings) -> None:
        """A write that hangs is given up: the batch goes to the spool, and writing twice is harmless."""
        try:
            await self._write(readings, self._limits.patience_s)
        except SinkRejected:  # to refuse is an answer
            self._found()
            raise
        if len(readings):  # of nothing a store is not asked
            self._found()

    async def _write_backlog(self, readings: Readings) -> None:
        await self._write(readings, self._limits.patience_s * _BACKLOG_PATIENCE)

    async def _write(self, readings: Readings, patience_s: float) -> None:
        try:
            async with asyncio.timeout(patience_s):
                await self._sink.write(readings)
        except TimeoutError as error:
            raise SinkUnavailable(f"the store does not answer within {patience_s:g} s (spool.patience_s)") from error

    async def drain(self) -> None:
        """Bring the spool into the store, for ever."""
        attempt = 0
        while True:
            done = False
            try:
                if not self._books.opened:
                    await self.open()
                if self._books.opened:
                    self._filled.clear()
                    batches = await self._books.oldest(1 if self._singly else self._limits.chunk)
                    if not batches:
                        await self._filled.wait()
                    done = not batches or await self._drain(batches)
            except SinkUnavailable as error:
                self._books.refusal = str(error)
            attempt = 0 if done else min(attempt + 1, _LAST_DOUBLING)
            if attempt:
                await self._wait(asyncio.Event(), attempt)

    async def _drain(self, batches: Sequence[Spooled]) -> bool:
        """One write of the backlog; False when the store does not take it now."""
        begun, asked = asyncio.get_running_loop().time(), sum(batch.readings for batch in batches) > 0
        pairs = [(batch, self._codec.decode(batch.messages or (), batch.received_ns)) for batch in batches]
        write: Write = _written
        try:
            await self._write_backlog(Readings.concat([decoded.readings for _, decoded in pairs]))
        except SinkRejected:
            self._found()
            if len(batches) > 1:  # find by which
                self._singly = len(batches)
                return True
            write = self._write_backlog
        except SinkUnavailable as error:
            self._lost(error)
            await self._expire(batches, str(error))
            return False
        try:
            for batch, decoded in pairs:
                await self._finish(batch, decoded, write)
        except SinkUnavailable as error:  # in the middle of a batch that is refused in part: it is begun again
            self._lost(error)
            return False
        self._singly = max(0, self._singly - len(batches))
        if asked and asyncio.get_running_loop().time() - begun < self._limits.patience_s:
            self._found()
        await self._books.remove(batches[-1].id, len(batches))
        self._open_room()
        return True

    async def _finish(self, batch: Spooled, decoded: Decoded, write: Write) -> None:
        """Settle a batch whose readings the store has, or refuses."""
        if batch.messages is None:
            await self._park([_damaged(batch)], batch.received_ns)
            self._books.parked(batch)
            return
        kept = await self._settle(batch.messages, decoded, batch.received_ns, write)
        self._books.settled(batch, decoded, kept)
        if batch.id <= self._books.earlier:
            await self._hand_on(kept.readings)

    async def _expire(self, batches: Sequence[Spooled], why: str) -> None:
        """Park what has waited for longer than it may; `batches` are the oldest."""
        now_ns = self._clock.now_ns()
        old = [batch for batch in batches if now_ns - batch.received_ns > self._limits.age_s * NS_PER_S]
        text = f"in the spool for longer than {self._limits.age_s / 3600:g} h (spool.max_h): {why}"
        for batch in old:
            problems = [Problem(*message, "expired", text[:500]) for message in batch.messages or ()]
            await self._park(problems or [_damaged(batch)], batch.received_ns)
            self._books.parked(batch)
            self.counts.expired_messages += batch.held
        if old:
            held = sum(batch.held for batch in old)
            self._say("messages are parked that waited in the spool for too long", level="error", messages=held,
                      problem=text)  # fmt: skip
            await self._books.remove(old[-1].id, len(old))
            self._open_room()

    def _lost(self, error: SinkUnavailable) -> None:
        if not self.away:
            self.counts.outages += 1
            self._on_outage(str(error))
        self.away = str(error) or "the store is away"

    def _found(self) -> None:
        if self.away:
            self.away = ""
            self._on_outage("")
            self._open_room()

    def _pause(self, attempt: int, error: SinkUnavailable) -> None:
        self._books.refusal = str(error)
        if not attempt:
            self._paused += 1
            if self._paused == 1:
                self.counts.pauses += 1
                self._say(STOPPED, level="error", problem=str(error))

    def _resume(self, attempt: int) -> None:
        if attempt:
            self._paused -= 1
            if not self._paused:
                self._say("acknowledging again")

    def _open_room(self) -> None:
        event, self._room = self._room, asyncio.Event()
        event.set()

    async def _wait(self, event: asyncio.Event, attempt: int) -> None:
        """Until the event, at most as long as a try may be put off (full jitter)."""
        longest = min(self._limits.retry_max_s, PROBE_MAX_S, 0.1 * 2**attempt)
        try:
            async with asyncio.timeout(random.uniform(0, longest)):  # noqa: S311
                await event.wait()
        except TimeoutError:
            pass


async def _written(readings: Readings) -> None:
    """The store has these readings already."""


def _damaged(batch: Spooled) -> Problem:
    text = f"batch {batch.id} of {batch.held} messages, received at {batch.received_ns} ns"
    return Problem("", batch.payload, "damaged", text)
