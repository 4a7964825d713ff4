"""The engine beside the ingest: steps with what waits, shows the newest view, writes figures that changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.core.plants import NOW_NS, engine_of, readings_of, steady
from twin.catalogue import CATALOGUE, fault_code, figure_code
from twin.errors import SinkRejected, SinkUnavailable
from twin.frames import Readings
from twin.runner import Runner
from twin.snapshot import IngestView
from twin.windows import WINDOWS

HEALTH = IngestView(True, 5, 4, 1, 1, 2.5, 0.1, "memory", "")
METAL = figure_code("twin_line", "metal_t", "hour")


class Store:
    """Keeps what is written; `problems` are raised first, one a write."""

    def __init__(self, *problems: Exception) -> None:
        self.written: list[Readings] = []
        self._problems = list(problems)

    async def write(self, readings: Readings) -> None:
        if self._problems:
            raise self._problems.pop(0)
        self.written.append(readings)

    def signals(self) -> list[set[int]]:
        return [set(readings.signal.tolist()) for readings in self.written]


def rig(*problems: Exception, output_s: float = 60.0, step_s: float = 0.0) -> tuple[Runner, Store]:
    store = Store(*problems)
    return Runner(engine_of(), write=store.write, health=lambda: HEALTH, output_s=output_s, step_s=step_s), store


def asynchronous(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    def run() -> None:
        async def limited() -> None:
            async with asyncio.timeout(20):
                await test()

        asyncio.run(limited())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@asynchronous
async def test_before_any_data_there_is_no_view() -> None:
    runner, store = rig()
    await runner.step()
    assert runner.latest is None
    await runner.finish()
    assert store.written == []


@asynchronous
async def test_a_step_takes_everything_that_waits() -> None:
    runner, _ = rig()
    for second in range(10):
        await runner.feed(steady([second]))
    await runner.feed(Readings.empty())
    await runner.step()
    assert runner.steps == 1
    assert runner.latest is not None
    assert runner.latest.time == "2025-11-24T06:00:07Z"
    assert runner.latest.ingest == HEALTH
    await runner.step()
    assert runner.steps == 1, "nothing waited"


@asynchronous
async def test_who_waits_for_a_newer_view_is_told() -> None:
    runner, _ = rig()
    await runner.feed(steady(range(10)))
    waiting = asyncio.create_task(runner.newer())
    await asyncio.sleep(0)
    assert not waiting.done()
    await runner.step()
    await waiting


@asynchronous
async def test_a_slow_engine_slows_the_ingest() -> None:
    runner, _ = rig()
    for second in range(64):
        await runner.feed(steady([second]))
    blocked = asyncio.create_task(runner.feed(steady([64])))
    await asyncio.sleep(0)
    assert not blocked.done()
    await runner.step()
    await blocked


@asynchronous
async def test_at_the_end_every_figure_and_event_is_written() -> None:
    runner, store = rig()
    await runner.feed(steady(range(600)))
    await runner.feed(readings_of((s, 1, "voltage_v", 30.0) for s in range(600, 610)))
    await runner.finish()
    (written,) = store.written
    fields = {CATALOGUE[code].db_field for code in store.signals()[0]}
    assert {"metal_t_hour", "dc_kwh_t_day", "ac_liquid_kwh_t_shift", "fault_anode_effect"} <= fields
    assert written.time_ns[written.signal == METAL].tolist() == [NOW_NS]
    await runner.finish()
    assert len(store.written) == 1, "nothing has changed since"


@asynchronous
async def test_figures_wait_for_a_store_that_is_away() -> None:
    runner, store = rig(SinkUnavailable("away"))
    await runner.feed(steady(range(300)))
    await runner.feed(readings_of((s, 1, "voltage_v", 30.0) for s in range(300, 310)))
    with pytest.raises(SinkUnavailable):
        await runner.finish()
    await runner.feed(steady(range(300, 600)))
    await runner.finish()
    assert fault_code("anode_effect") in store.signals()[0]
    written = store.written[0]
    (metal,) = written.value[written.signal == METAL].tolist()
    assert metal == pytest.approx(3 * 0.0080537 * 500 * 0.94 / 144, rel=1e-3), "the newer figure of the two"


@asynchronous
async def test_a_state_is_kept_only_when_what_it_has_told_is_written() -> None:
    """Who goes on from it after a kill does not tell the figures of a closed window again."""
    store, order = Store(SinkUnavailable("away")), list[str]()

    async def write(readings: Readings) -> None:
        await store.write(readings)
        order.append("written")

    async def save(data: bytes) -> None:
        order.append("kept")

    runner = Runner(engine_of(), write=write, health=lambda: HEALTH, save=save)
    await runner.feed(steady(range(300)))
    with pytest.raises(SinkUnavailable):
        await runner.finish()
    assert order == []
    await runner.finish()
    assert order == ["written", "kept"]


@asynchronous
async def test_figures_that_change_during_a_failed_write_are_not_put_back() -> None:
    runner, store = rig()

    async def fail(readings: Readings) -> None:
        runner._write = store.write
        await runner.feed(steady(range(300, 600)))
        await runner.step()
        raise SinkUnavailable("away")

    runner._write = fail
    await runner.feed(steady(range(300)))
    with pytest.raises(SinkUnavailable):
        await runner.finish()
    await runner.finish()
    written = store.written[0]
    (metal,) = written.value[written.signal == METAL].tolist()
    assert metal == pytest.approx(3 * 0.0080537 * 500 * 0.94 / 144, rel=1e-3)


@asynchronous
async def test_figures_that_the_store_refuses_are_counted_and_not_sent_again() -> None:
    runner, store = rig(SinkRejected("no"))
    await runner.feed(steady(range(300)))
    await runner.finish()
    assert runner.refused == 2 * len(WINDOWS), "those of the line and of the site"
    await runner.finish()
    assert store.written == []


@asynchronous
async def test_it_runs_through_an_outage_of_the_store_until_cancelled() -> None:
    runner, store = rig(*[SinkUnavailable("away")] * 3, output_s=0.0)
    running = asyncio.create_task(runner.run())
    second = 0
    while not store.written:
        await runner.feed(steady(range(second, second + 10)))
        second += 10
        await runner.newer()
    assert not running.done()
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()


@asynchronous
async def test_a_write_that_is_cancelled_is_not_forgotten() -> None:
    begun = asyncio.Event()
    runner, store = rig(output_s=0.0)

    async def hang(readings: Readings) -> None:
        begun.set()
        await asyncio.Event().wait()

    runner._write = hang
    await runner.feed(steady(range(300)))
    running = asyncio.create_task(runner.run())
    await begun.wait()
    running.cancel()
    await asyncio.wait([running])
    runner._write = store.write
    await runner.finish()
    assert METAL in store.signals()[0]


@asynchronous
async def test_events_are_shown_newest_first_and_not_for_ever() -> None:
    runner, _ = rig()
    for start in range(0, 110 * 910, 910):
        strike = [(start + s, 1, "voltage_v", 30.0 if s < 5 else 4.0) for s in (*range(8), 909)]
        await runner.feed(readings_of(strike))
        await runner.step()
    assert runner.latest is not None
    events = runner.latest.events
    assert len(events) == 200
    assert [event.time for event in events] == sorted((event.time for event in events), reverse=True)
