"""The outbox is sent in order, once, within limits; floods become digests; a kill in the middle loses nothing."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from tests.alarms.receiver import receiving
from tests.alarms.telling import outgoing
from tests.core.plants import NOW_NS, NS
from twin.adapters.alarm_book import SqliteBook
from twin.adapters.alarm_memory import KeepingChannel, MemoryBook
from twin.adapters.memory import FakeClock
from twin.adapters.notify_webhook import signature
from twin.dispatch import Dispatcher, Limits
from twin.errors import SinkRejected, SinkUnavailable

pytestmark = pytest.mark.long

SAID: list[str] = []


def say(event: str, /, *, level: str = "info", **fields: object) -> None:
    SAID.append(f"{event} {fields}")


def dispatcher(
    channel: KeepingChannel, book: MemoryBook, limits: Limits | None = None, clock: FakeClock | None = None
) -> Dispatcher:
    return Dispatcher("a", channel, limits or Limits(1000, 1000), book, clock or FakeClock(NOW_NS), say)


def drain(sender: Dispatcher, clock: FakeClock, seconds: float) -> None:
    """Run the queue for so long of the clock, without waiting for it."""

    async def steps() -> None:
        until_ns = clock.time_ns + int(seconds * NS)
        while (pause_s := await sender.step()) * NS + clock.time_ns <= until_ns:
            clock.time_ns += int(pause_s * NS) + (1 if pause_s else 0)

    asyncio.run(steps())


def filled(count: int, channel: str = "a") -> MemoryBook:
    book = MemoryBook()
    book.commit([], [outgoing(channel, n) for n in range(count)], b"", NOW_NS)
    return book


def test_everything_goes_out_once_and_in_order() -> None:
    book, channel, clock = filled(30), KeepingChannel(), FakeClock(NOW_NS)
    drain(dispatcher(channel, book, clock=clock), clock, 1)
    assert [one.key for one in channel.kept] == [f"{n}-raised" for n in range(30)]
    assert book.backlog() == {}


def test_what_fails_is_tried_again_later_and_later_and_nothing_overtakes_it() -> None:
    clock = FakeClock(NOW_NS)
    channel = KeepingChannel([SinkUnavailable("away")] * 6)
    book, tried = filled(3), []
    sender = dispatcher(channel, book, clock=clock)

    async def steps() -> None:
        while book.backlog():
            before = len(channel.failures)
            pause_s = await sender.step()
            if len(channel.failures) < before:
                tried.append(clock.time_ns)
            clock.time_ns += int(pause_s * NS)

    asyncio.run(steps())
    assert [one.key for one in channel.kept] == ["0-raised", "1-raised", "2-raised"]
    pauses = [(b - a) / NS for a, b in pairwise(tried)]
    assert len(pauses) == 5
    for n, pause in enumerate(pauses):
        assert 0.5 * 2**n <= pause <= 2.0**n * 1.01
    assert sender.failed == 6


def test_a_refusal_is_no_end_of_the_queue() -> None:
    clock, book = FakeClock(NOW_NS), filled(3)
    channel = KeepingChannel([None, SinkRejected("no such room")])
    sender = dispatcher(channel, book, clock=clock)
    drain(sender, clock, 1)
    assert [one.key for one in channel.kept] == ["0-raised", "2-raised"]
    assert (book.backlog(), sender.refused) == ({}, 1)
    assert "no such room" in SAID[-1]


def test_a_flood_is_told_as_one_digest() -> None:
    clock, book, channel = FakeClock(NOW_NS), filled(400), KeepingChannel()
    drain(dispatcher(channel, book, Limits(10, 5), clock), clock, 60)
    (one,) = channel.kept
    assert (one.notice.kind, one.notice.count, len(one.notice.items)) == ("digest", 400, 20)
    assert one.notice.unit == "s/L/001"
    assert "380" in one.notice.text, "the others are counted"
    assert book.backlog() == {}


def test_what_may_have_arrived_is_not_told_again_in_a_digest() -> None:
    clock, book = FakeClock(NOW_NS), filled(1)
    channel = KeepingChannel([SinkUnavailable("the answer was lost")])
    sender = dispatcher(channel, book, Limits(1000, 5), clock)
    asyncio.run(sender.step())
    book.commit([], [outgoing("a", n) for n in range(1, 20)], b"", NOW_NS)
    drain(sender, clock, 30)
    assert [(one.key, one.notice.count) for one in channel.kept] == [
        ("0-raised", 1), ("digest-1-raised-19-raised", 19),
    ]  # fmt: skip


def test_a_channel_of_states_gets_every_one_in_batches() -> None:
    clock, book, channel = FakeClock(NOW_NS), filled(1000), KeepingChannel(most=200, digests=False)
    drain(dispatcher(channel, book, Limits(10000, 5), clock), clock, 60)
    assert [len(batch) for batch in channel.batches] == [200] * 5


def test_no_more_a_minute_than_is_allowed() -> None:
    async def test() -> None:
        book, channel = filled(6), KeepingChannel()
        sender = Dispatcher("a", channel, Limits(6, 1000), book, FakeClock(NOW_NS), say)
        loop = asyncio.get_running_loop()
        sender._tokens.at_s = loop.time()
        assert [await sender.step() for _ in range(6)] == [0.0] * 6
        book.commit([], [outgoing("a", 7)], b"", NOW_NS)
        assert 8.0 < await sender.step() <= 10.0
        assert len(channel.kept) == 6

    asyncio.run(test())


def test_news_wake_the_queue_and_standing_alarms_are_refreshed() -> None:
    async def test() -> None:
        book, channel = MemoryBook(), KeepingChannel(refresh_s=0.02)
        standing = [outgoing("a").notice]
        sender = Dispatcher("a", channel, Limits(100, 100), book, FakeClock(NOW_NS), say, lambda: standing)
        task = asyncio.create_task(sender.run())
        try:
            async with asyncio.timeout(10):
                await channel.until(lambda: len(channel.standing) >= 3)
                book.commit([], [outgoing("a", 1)], b"", NOW_NS)
                sender.wake()
                await channel.until(lambda: bool(channel.kept))
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert channel.standing[0] == standing

    asyncio.run(test())


def killing(behaviour: Callable[[int], str], count: int, kills: list[int], path: Path) -> list[str]:
    """Send `count` notices by a process that is killed whenever so many requests have come; keys as received."""

    async def test() -> list[str]:
        book = SqliteBook(path)
        book.commit([], [outgoing("hook", n) for n in range(count)], b"", NOW_NS)
        book.close()
        async with receiving(behaviour) as receiver, asyncio.timeout(90):
            for kill in [*kills, 10**9]:
                child = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "tests.alarms.sender", str(path), receiver.url
                )
                arrived = asyncio.create_task(receiver.until(lambda kill=kill: len(receiver.requests) >= kill))  # type: ignore[misc]
                ended = asyncio.create_task(child.wait())
                await asyncio.wait({arrived, ended}, return_when=asyncio.FIRST_COMPLETED)
                arrived.cancel()
                if kill < 10**9:
                    child.send_signal(signal.SIGKILL)
                assert await ended == (0 if kill == 10**9 else -signal.SIGKILL)
            for headers, body in receiver.requests:
                told = signature("shared secret", headers["X-Smelter-Timestamp"], body)
                assert headers["X-Smelter-Signature"] == told
            return receiver.done

    return asyncio.run(test())


@pytest.mark.parametrize(
    "behaviour",
    [
        lambda n: "hang" if n in (3, 8) else "ok",
        lambda n: "lost" if n in (3, 8) else "ok",
        lambda n: "503" if n in (3, 4, 8) else "ok",
    ],
    ids=["hangs", "taken without an answer", "fails"],
)
def test_a_kill_in_the_middle_loses_nothing_and_makes_nothing_twice(
    tmp_path: Path, behaviour: Callable[[int], str]
) -> None:
    done = killing(behaviour, 15, [4, 9], tmp_path / "alarms.sqlite")
    assert done == [f"{n}-raised" for n in range(15)]
    book = SqliteBook(tmp_path / "alarms.sqlite")
    assert book.backlog() == {}
    book.close()
