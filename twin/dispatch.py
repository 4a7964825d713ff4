"""Sends what the outbox holds: one ordered queue a channel, retries with growing pauses, a rate limit, digests.

A notice is taken out of the outbox when its receiver has it. What is under way when the process ends is sent again with
the same key, by which the receiver knows it. What waits behind a limit or an outage is told as one digest where a
channel allows that, so that a flood neither fills a mailbox nor delays the news by hours.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from twin.alarms.notices import Notice, digest
from twin.errors import SinkRejected, SinkUnavailable
from twin.log import Say
from twin.outgoing import AlarmBook, Channel, Outgoing, Waiting
from twin.ports import Clock
from twin.times import iso
from twin.units import NS_PER_S

__all__ = ["Dispatcher", "Limits"]

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 300.0
_MOST_IN_A_DIGEST = 1000


@dataclass(frozen=True, slots=True)
class Limits:
    """`per_minute` messages at most; above `digest_above` waiting ones a digest; `timeout_s` for one try [s]."""

    per_minute: int = 10
    digest_above: int = 5
    timeout_s: float = 15.0
    language: str = "en"
    link: str = ""


@dataclass(slots=True)
class _Tokens:
    """A bucket of tokens: a minute's worth at once, then as they come back."""

    per_minute: int
    left: float = field(init=False)
    at_s: float = 0.0

    def __post_init__(self) -> None:
        self.left = float(self.per_minute)

    def wait_s(self, now_s: float) -> float:
        """Seconds until there is one; 0 takes it."""
        self.left = min(self.per_minute, self.left + (now_s - self.at_s) * self.per_minute / 60.0)
        self.at_s = now_s
        if self.left >= 1.0:
            self.left -= 1.0
            return 0.0
        return (1.0 - self.left) * 60.0 / self.per_minute


class Dispatcher:
    """One channel's queue. `run` until cancelled; `wake` when something was put into the outbox."""

    def __init__(
        self, name: str, channel: Channel, limits: Limits, book: AlarmBook, clock: Clock, say: Say,
        standing: Callable[[], Sequence[Notice]] = tuple, first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:  # fmt: skip
        self.name, self.sent, self.failed, self.refused, self.problem = name, 0, 0, 0, ""
        self._channel, self._limits, self._book, self._clock, self._say = channel, limits, book, clock, say
        self._standing = standing
        self._first_pause_s = first_pause_s
        self._tokens = _Tokens(limits.per_minute)
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Something waits."""
        self._news.set()

    async def run(self) -> None:
        """Send what waits and refresh what stands, until cancelled."""
        loop = asyncio.get_running_loop()
        self._tokens.at_s = loop.time()
        refresh_at = loop.time()
        while True:
            self._news.clear()
            pause_s = 3600.0
            if self._channel.refresh_s:
                if loop.time() >= refresh_at:
                    refresh_at = loop.time() + self._channel.refresh_s
                    await self._refresh()
                pause_s = refresh_at - loop.time()
            try:
                pause_s = min(pause_s, await self.step())
            except SinkUnavailable as error:  # of the disk: what waits is still there
                self._tell(f"the outbox cannot be read or written: {error}")
                pause_s = min(pause_s, 5.0)
            await self._rest(pause_s)

    async def _rest(self, seconds: float) -> None:
        if seconds > 0:
            try:
                await asyncio.wait_for(self._news.wait(), seconds)
            except TimeoutError:
                return

    async def step(self) -> float:
        """Send the next message, if it may go now; seconds until there is something to do again."""
        limit = _MOST_IN_A_DIGEST if self._channel.digests else self._channel.most
        waiting = await asyncio.to_thread(self._book.waiting, self.name, limit)
        if not waiting:
            return 3600.0
        early_s = (waiting[0].next_ns - self._clock.now_ns()) / NS_PER_S
        if early_s > 0:
            return early_s
        if (pause_s := self._tokens.wait_s(asyncio.get_running_loop().time())) > 0:
            return pause_s
        await self._send(await self._chosen(waiting))
        return 0.0

    async def _chosen(self, waiting: list[Waiting]) -> list[Waiting]:
        """What goes now. What may be with its receiver already is never told again in other company."""
        fresh = not waiting[0].tries  # and so are all behind it
        if not (self._channel.digests and fresh and len(waiting) > self._limits.digest_above):
            return waiting[: self._channel.most]
        now = iso(self._clock.now_ns() // NS_PER_S * NS_PER_S)
        notice = digest([one.outgoing.notice for one in waiting], now, self._limits.language, self._limits.link)
        key = f"digest-{waiting[0].outgoing.key}-{waiting[-1].outgoing.key}"
        one = Outgoing(self.name, key, notice)
        await asyncio.to_thread(self._book.merge, [one.number for one in waiting], one)
        return [waiting[0]._replace(outgoing=one)]

    async def _send(self, chosen: list[Waiting]) -> None:
        numbers = [one.number for one in chosen]
        await asyncio.to_thread(self._book.trying, numbers)
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                await self._channel.send([one.outgoing for one in chosen])
        except (SinkUnavailable, TimeoutError) as error:
            await self._again(chosen[0], str(error) or f"no answer within {self._limits.timeout_s:g} s")
        except SinkRejected as error:
            self.refused += 1
            self._tell(f"refused for good: {error}")
            for number in numbers:
                await asyncio.to_thread(self._book.given_up, number, self._clock.now_ns(), str(error))
        else:
            self.sent += len(chosen)
            self.problem = ""
            await asyncio.to_thread(self._book.sent, numbers, self._clock.now_ns())

    async def _again(self, first: Waiting, problem: str) -> None:
        self.failed += 1
        self._tell(problem)
        pause_s = min(LONGEST_PAUSE_S, self._first_pause_s * 2.0 ** min(first.tries, 16))
        pause_s *= random.uniform(0.5, 1.0)  # noqa: S311
        next_ns = self._clock.now_ns() + int(pause_s * NS_PER_S)
        await asyncio.to_thread(self._book.failed, first.number, next_ns, problem)

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                await self._channel.refresh(self._standing())
        except (SinkUnavailable, SinkRejected, TimeoutError) as error:
            self.failed += 1
            self._tell(str(error) or f"no answer within {self._limits.timeout_s:g} s")

    def _tell(self, problem: str) -> None:
        if problem != self.problem:  # once, until it is another one or is over
            self.problem = problem
            self._say(f"alarms are not sent to {self.name}", level="warning", problem=problem)
