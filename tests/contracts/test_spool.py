"""What every spool promises, asked of the one in memory and the one on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contracts.spools import MUCH, batch, fill, run
from tests.core.plants import NOW_NS
from twin.adapters.memory import MemorySpool
from twin.adapters.spool import DiskSpool
from twin.errors import SpoolFull
from twin.ports import Spool, Spooled

Build = Callable[[int], Spool]  # maximum bytes -> a spool on the same batches each time


@pytest.fixture(params=["memory", "disk"])
def build(request: pytest.FixtureRequest, tmp_path: Path) -> Build:
    rows: list[Spooled] = []
    if request.param == "memory":
        return lambda most: MemorySpool(most, rows)
    return lambda most: DiskSpool(tmp_path / "new" / "spool.sqlite", most)


def test_batches_come_back_whole_and_in_order(build: Build) -> None:
    sent = [batch(n) for n in range(9)]

    async def test(spool: Spool) -> None:
        for n, messages in enumerate(sent):
            await spool.put(messages, NOW_NS + n, 10 + n)
        found = await spool.oldest(10**6)
        assert [list(one.messages or ()) for one in found] == sent
        assert [(one.received_ns - NOW_NS, one.held, one.readings) for one in found] == [
            (n, 3, 10 + n) for n in range(9)
        ]
        ids = [one.id for one in found]
        assert ids == sorted(set(ids))

    run(build(MUCH), test)


def test_it_gives_as_many_as_asked_and_never_none(build: Build) -> None:
    async def test(spool: Spool) -> None:
        assert list(await spool.oldest(100)) == []
        for n in range(5):
            await spool.put(batch(n), NOW_NS, 0)
        assert [len(await spool.oldest(most)) for most in (1, 3, 6, 8, 100)] == [1, 1, 2, 2, 5]

    run(build(MUCH), test)


def test_what_is_removed_does_not_come_again_and_the_state_is_exact(build: Build) -> None:
    async def test(spool: Spool) -> None:
        state = spool.state
        for n in range(4):
            await spool.put(batch(n), NOW_NS + n, 7)
        assert (state.batches, state.messages, state.readings, state.oldest_ns) == (4, 12, 28, NOW_NS)
        assert state.bytes > 4 * 3 * 40
        found = await spool.oldest(6)
        await spool.remove(found[-1].id)
        assert (state.batches, state.messages, state.readings, state.oldest_ns) == (2, 6, 14, NOW_NS + 2)
        assert [one.received_ns - NOW_NS for one in await spool.oldest(100)] == [2, 3]
        await spool.remove((await spool.oldest(100))[-1].id)
        assert (state.batches, state.messages, state.readings, state.bytes, state.oldest_ns) == (0, 0, 0, 0, 0)
        await spool.put(batch(9), NOW_NS + 9, 1)
        assert [one.received_ns - NOW_NS for one in await spool.oldest(100)] == [9]

    run(build(MUCH), test)


def test_the_next_process_finds_what_is_left_in_the_same_order(build: Build) -> None:
    async def first(spool: Spool) -> None:
        for n in range(5):
            await spool.put(batch(n), NOW_NS + n, 2)
        await spool.remove((await spool.oldest(3))[-1].id)

    async def second(spool: Spool) -> None:
        state = spool.state
        assert (state.batches, state.messages, state.readings, state.oldest_ns) == (4, 12, 8, NOW_NS + 1)
        before = state.last_id
        await spool.put(batch(8), NOW_NS + 8, 2)
        found = await spool.oldest(100)
        assert [one.received_ns - NOW_NS for one in found] == [1, 2, 3, 4, 8]
        assert [one.id > before for one in found] == [False] * 4 + [True]

    run(build(MUCH), first)
    run(build(MUCH), second)


def test_at_its_bound_it_refuses_and_takes_again_when_there_is_room(build: Build) -> None:
    async def test(spool: Spool) -> None:
        with pytest.raises(SpoolFull, match="full"):
            await fill(spool, 10)
        held = spool.state.batches
        assert 2 < held < 20
        assert spool.state.bytes <= 4000
        found = await spool.oldest(100)
        assert len(found) == held
        await spool.remove(found[0].id)
        await spool.put(batch(1, 10), NOW_NS, 1)
        with pytest.raises(SpoolFull):
            await spool.put(batch(1, 20), NOW_NS, 1)

    run(build(4000), test)
