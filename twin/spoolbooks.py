"""The spool with its books kept: every batch that goes in or out moves on the balance sheet, and what a person should
know of it (watermark, damaged file, empty again) is said once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twin.balance import Balance, Pair, SpoolCounts
from twin.codec import Decoded
from twin.errors import SinkUnavailable
from twin.log import Say
from twin.ports import Clock, Message, Spool, Spooled
from twin.units import NS_PER_S

__all__ = ["Limits", "SpoolBooks"]

HIGH, LOW = 0.8, 0.6  # of max_bytes: the high watermark is told at the one and over below the other


@dataclass(frozen=True, slots=True)
class Limits:
    """patience_s: how long a live batch waits for a place at the store, then for its answer. waiting: live batches
    that may wait for a place. age_s: how long a batch may wait in the spool while the store is away. writes: live
    batches at the store at once. chunk: messages that are drained in one write.
    """

    patience_s: float = 5.0
    waiting: int = 16
    age_s: float = 7 * 86400.0
    retry_max_s: float = 30.0
    writes: int = 3
    chunk: int = 2000


class SpoolBooks:
    """`refusal` is what the disk last said; `earlier` the newest id that an earlier process has left."""

    def __init__(self, spool: Spool, balance: Balance, counts: SpoolCounts, clock: Clock, say: Say) -> None:
        self.refusal = ""
        self.earlier = 0
        self.opened = False
        self.high = False
        self._spool, self._balance, self._counts, self._clock, self._say = spool, balance, counts, clock, say
        self._began_ns = 0  # when the spool began to hold something
        self._damaged = 0
        self._aside = Pair()
        self._given_of = 0  # damaged files at the last `oldest`

    async def open(self) -> None:
        """Take over what an earlier process left. Raises SinkUnavailable, ConfigError."""
        await self._spool.open()
        self.opened, state = True, self._spool.state
        self.earlier = state.last_id
        self._balance.carried.add(state.messages, state.readings)
        self._balance.spooled.add(state.messages, state.readings)
        self._note()
        if state.batches:
            self._began_ns = self._clock.now_ns()
            self._say("messages of an earlier run wait in the spool", messages=state.messages)

    async def put(self, messages: Sequence[Message], decoded: Decoded, now_ns: int) -> None:
        """A batch that was under way is in the spool when this returns. Raises SinkUnavailable, SpoolFull."""
        count, readings = len(messages), len(decoded.readings)
        await self._spool.put(messages, now_ns, readings)
        self._balance.left(count, readings)
        self._balance.spooled.add(count, readings)
        self._counts.batches += 1
        self._began_ns = self._began_ns or now_ns
        self._note()

    async def oldest(self, messages: int) -> Sequence[Spooled]:
        """As the port's; says when there is nothing any more. Raises SinkUnavailable."""
        found = await self._spool.oldest(messages)
        self._note()
        self._given_of = self._spool.state.damaged_files
        if not found and self._began_ns:
            took = (self._clock.now_ns() - self._began_ns) / NS_PER_S
            self._began_ns = 0
            self._say("the spool is empty again: the store has everything", lasted_s=round(took, 1))
        return found

    def settled(self, batch: Spooled, decoded: Decoded, kept: Decoded) -> None:
        """A batch of the last `oldest` is in the store, or parked for what `kept` does not hold of it."""
        # Another plant file since then may read the same messages otherwise.
        self._balance.carried.add(0, len(decoded.readings) - batch.readings)
        self._leaves(batch)
        self._balance.settled(batch.held, len(decoded.readings), kept.parked, len(kept.readings))

    def parked(self, batch: Spooled) -> None:
        """A batch of the last `oldest` is in the dead letters as a whole."""
        self._leaves(batch)
        self._balance.settled(batch.held, batch.readings, batch.held, 0)

    async def remove(self, up_to: int, batches: int) -> None:
        """So many batches, up to this id, are done with. A disk that refuses does not stop the way of the others."""
        self._counts.drained_batches += batches
        try:
            await self._spool.remove(up_to)
        except SinkUnavailable as error:  # hidden already; deleted with the next, or written once more after a restart
            self.refusal = str(error)
        self._note()

    def _leaves(self, batch: Spooled) -> None:
        """Out of the spool, or out of the damaged file in which the batch has been set aside meanwhile."""
        moved = self._given_of != self._spool.state.damaged_files
        (self._balance.aside if moved else self._balance.spooled).add(-batch.held, -batch.readings)

    def _note(self) -> None:
        state = self._spool.state
        if state.damaged_files > self._damaged:
            messages = state.aside_messages - self._aside.messages
            readings = state.aside_readings - self._aside.readings
            self._balance.spooled.add(-messages, -readings)
            self._balance.aside.add(messages, readings)
            self._counts.damaged_files += state.damaged_files - self._damaged
            self._damaged, self._aside = state.damaged_files, Pair(state.aside_messages, state.aside_readings)
            self._say("the spool was damaged; its file is kept under another name, a new one is begun", level="error",
                      file=state.aside_at, messages=messages)  # fmt: skip
        share = state.bytes / self._spool.max_bytes
        if share >= HIGH and not self.high:
            self.high = True
            self._counts.high_marks += 1
            event = "the spool fills up; at 100 % of spool.max_mib nothing more is acknowledged"
            self._say(event, level="error", full_pct=round(100 * share))
        elif share < LOW:
            self.high = False
