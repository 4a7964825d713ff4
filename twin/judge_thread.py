"""Models beside the engine: each minute is judged in a thread, one at a time; what cannot keep up skips minutes.

beside = JudgeThread(judge, told=runner.judged)
beside.hand(report.minutes)      # returns at once
await beside.settled()           # everything handed over is judged
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from twin.errors import PayloadError
from twin.features import Minute
from twin.opinions import Judged

__all__ = ["JudgeThread", "Judging"]

ROOM_BYTES = 256 * 2**20  # of minutes that wait
MOST_MINUTES = 180


class Judging(Protocol):
    """What `twin.judge.Judge` does."""

    def take(self, minute: Minute) -> Judged: ...

    def to_bytes(self) -> bytes: ...

    def resume(self, data: bytes) -> None: ...


class JudgeThread:
    """`problem`: "" or why there are no models; `skipped` minutes were not judged because newer ones waited, `failed`
    ones because the models refused them; `seconds` the last one took."""

    def __init__(self, judge: Judging | None, problem: str, say: Callable[[str], None]) -> None:
        self.problem = problem
        self.latest = Judged()
        self.minutes = self.skipped = self.failed = 0
        self.seconds = 0.0
        self.told: Callable[[Judged], None] = lambda judged: None
        self.around_minute: Callable[[], AbstractContextManager[object]] = nullcontext  # for who measures it
        self._judge, self._say = judge, say
        self._waiting: deque[Minute] = deque()
        self._work: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._lock = asyncio.Lock()

    def hand(self, minutes: Iterable[object]) -> None:
        """Judge these soon, in order. Where too many wait the oldest are skipped: scores are to be of now."""
        if self._judge is None:
            return
        for minute in minutes:
            if isinstance(minute, Minute):
                self._waiting.append(minute)
                most = min(MOST_MINUTES, max(2, ROOM_BYTES // max(minute.values.nbytes, 1)))
                if len(self._waiting) > most:
                    self._waiting.popleft()
                    self.skipped += 1
        if self._waiting:
            self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self.settled()

    async def settled(self) -> None:
        """Return when everything handed over is judged and told. Cancelled in between, the rest waits."""
        async with self._lock:
            while self._waiting or self._work is not None:
                if self._work is None:
                    self._work = asyncio.create_task(self._one(self._waiting.popleft()))
                work = self._work
                await asyncio.shield(work)  # a thread cannot be stopped: the next one must wait for it
                self._work = None

    async def _one(self, minute: Minute) -> None:
        assert self._judge is not None
        began = time.monotonic()
        try:
            with self.around_minute():
                judged = await asyncio.to_thread(self._judge.take, minute)
        except Exception as error:  # whatever models do, the twin runs on
            self.failed += 1
            if self.failed == 1:
                self._say(f"models: a minute could not be judged: {type(error).__name__}: {error}")
            return
        self.seconds, self.minutes, self.latest = time.monotonic() - began, self.minutes + 1, judged
        self.told(judged)

    def to_bytes(self) -> bytes:
        """What the models remember; empty without models, or while a minute is being judged."""
        return b"" if self._judge is None or self._work is not None else self._judge.to_bytes()

    def resume(self, data: bytes) -> None:
        """Go on from what `to_bytes` gave an earlier process; what does not fit is told, and they begin anew."""
        if self._judge is None or not data:
            return
        try:
            self._judge.resume(data)
        except PayloadError as error:
            self._say(f"models: {error}; they begin anew")
