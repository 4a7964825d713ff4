"""Models in a thread beside the engine: order, room, failures, and never in the way of the loop."""

from __future__ import annotations

import asyncio
import threading
import time

import numpy as np

from tests.core.test_runner import asynchronous
from twin.features import FEATURES, Minute
from twin.judge_thread import MOST_MINUTES, JudgeThread
from twin.opinions import Judged


def minute(number: int) -> Minute:
    units, lines = np.array([1], np.int32), np.array([0], np.int32)
    return Minute(number, units, lines, np.zeros(1, np.int64), np.zeros((1, len(FEATURES))), np.zeros((1, 1)))


class Slow:
    """Takes its time, and notes what it was given in which thread."""

    def __init__(self, seconds: float = 0.0, fails_at: int = -1) -> None:
        self.taken: list[int] = []
        self.resumed = b""
        self.threads: set[int] = set()
        self._seconds, self._fails_at = seconds, fails_at
        self.busy = threading.Lock()

    def take(self, minute: Minute) -> Judged:
        assert self.busy.acquire(blocking=False), "two minutes at once"
        try:
            time.sleep(self._seconds)
            self.threads.add(threading.get_ident())
            if minute.time_ns == self._fails_at:
                raise ValueError("no")
            self.taken.append(minute.time_ns)
            return Judged(minute.time_ns)
        finally:
            self.busy.release()

    def to_bytes(self) -> bytes:
        return repr(self.taken).encode()

    def resume(self, data: bytes) -> None:
        self.resumed = data


@asynchronous
async def test_minutes_are_judged_in_order_in_another_thread_while_the_loop_runs() -> None:
    judge, told = Slow(0.05), list[int]()
    beside = JudgeThread(judge, "", lambda text: None)
    beside.told = lambda judged: told.append(judged.time_ns)
    running = asyncio.create_task(beside.run())
    beside.hand([minute(n) for n in range(6)])
    longest, before = 0.0, time.monotonic()
    while len(told) < 6:
        await asyncio.sleep(0.001)
        now = time.monotonic()
        longest, before = max(longest, now - before), now
    assert told == judge.taken == list(range(6))
    assert threading.get_ident() not in judge.threads
    assert longest < 0.2, "the loop went on"
    assert (beside.minutes, beside.skipped, beside.latest.time_ns) == (6, 0, 5)
    running.cancel()


@asynchronous
async def test_what_does_not_keep_up_skips_the_oldest_and_counts() -> None:
    judge = Slow()
    beside = JudgeThread(judge, "", lambda text: None)
    beside.hand([minute(n) for n in range(MOST_MINUTES + 7)])
    await beside.settled()
    assert beside.skipped == 7
    assert judge.taken == list(range(7, MOST_MINUTES + 7))


@asynchronous
async def test_a_minute_that_fails_is_told_once_and_the_next_is_judged() -> None:
    said: list[str] = []
    judge = Slow(fails_at=1)
    beside = JudgeThread(judge, "", said.append)
    beside.hand([minute(0), minute(1), minute(1), minute(2)])
    await beside.settled()
    assert (judge.taken, beside.failed, len(said)) == ([0, 2], 2, 1)
    assert "ValueError: no" in said[0]


@asynchronous
async def test_cancelled_in_mid_minute_nothing_is_lost_or_judged_twice() -> None:
    judge, told = Slow(0.1), list[int]()
    beside = JudgeThread(judge, "", lambda text: None)
    beside.told = lambda judged: told.append(judged.time_ns)
    running = asyncio.create_task(beside.run())
    beside.hand([minute(n) for n in range(3)])
    await asyncio.sleep(0.05)
    assert beside.to_bytes() == b"", "not while a minute is being judged"
    running.cancel()
    await beside.settled()
    assert told == judge.taken == [0, 1, 2]
    assert beside.to_bytes() == b"[0, 1, 2]"


@asynchronous
async def test_without_models_minutes_are_let_go() -> None:
    beside = JudgeThread(None, "off", lambda text: None)
    beside.hand([minute(0)])
    await beside.settled()
    beside.resume(b"something")
    assert (beside.minutes, beside.to_bytes()) == (0, b"")
