"""Where the overflow ends: no room, a disk that refuses or damages, age; nothing is dropped there either."""

from __future__ import annotations

import asyncio

import pytest

from tests.core.plants import NOW_NS
from tests.core.spooling import Plant, Process, message, run
from twin.adapters.memory import MemorySpool
from twin.errors import SinkUnavailable
from twin.ports import Message

HOUR_NS = 3600 * 10**9


def test_at_the_bound_acknowledging_stops_and_goes_on_when_there_is_room() -> None:
    """F13, F14: neither dropped nor kept in memory; the watermark is told before."""

    async def test() -> None:
        plant = Plant(away=True)
        size = len(message(0).payload)
        spool = MemorySpool(size * 10, plant.rows)
        async with Process(plant, spool=spool).running() as process:
            for n in range(100):
                process.give(n, [message(n)])
            await process.acknowledged(9)
            await process.until(lambda: process.ingestor.figures().paused == 1, "a pause")
            figures = process.ingestor.figures()
            assert (figures.spool_high, figures.spool_high_marks, figures.pauses) == (1, 1, 1)
            assert process.said[0].startswith("the spool fills up")
            assert "full_pct=80" in process.said[0]
            assert "nothing more is acknowledged, the broker keeps what comes" in process.said[1]
            assert "nothing more is acknowledged" in process.ingestor.problem
            assert len(plant.order) == 10
            assert figures.under_way_messages <= 3 + 4 + 1, "no more is taken than fits"
            plant.away = False
            await process.acknowledged(99)
            await process.drained()
            figures = process.ingestor.figures()
        assert plant.stored == set(range(100))
        assert (figures.paused, figures.spool_high) == (0, 0)
        assert "acknowledging again" in process.said

    run(test)


def test_a_disk_that_refuses_is_waited_for() -> None:
    async def test() -> None:
        plant = Plant(away=True)
        full = [SinkUnavailable("database or disk is full")] * 200
        spool = MemorySpool(rows=plant.rows)
        async with Process(plant, spool=spool).running() as process:
            await process.until(lambda: spool.state.batches == 0)
            spool.failures += full
            process.give(0, [message(0)])
            await process.until(lambda: process.ingestor.figures().paused == 1, "a pause")
            assert "disk is full" in process.ingestor.problem
            assert plant.order == []
            spool.failures.clear()
            await process.acknowledged(0)
            assert len(plant.rows) == 1
            plant.away = False
            await process.drained()

    run(test)


def test_a_spool_that_cannot_be_opened_is_tried_again() -> None:
    async def test() -> None:
        plant = Plant()
        spool = MemorySpool(rows=plant.rows, failures=[SinkUnavailable("no disk")] * 20)
        async with Process(plant, spool=spool).running() as process:
            process.give(0, [message(0)])
            await process.acknowledged(0)
            await process.until(lambda: not spool.failures, "the opened spool")
            plant.away = True
            process.give(1, [message(1)])
            await process.acknowledged(1)
            plant.away = False
            await process.drained()
        assert plant.stored == {0, 1}
        assert process.said[0].startswith("without its spool the ingest stops while the store is away, problem=no disk")

    run(test)


@pytest.mark.parametrize("away", [True, False])
def test_what_is_too_old_is_parked_with_its_reason_while_the_store_is_away(away: bool) -> None:
    async def test() -> None:
        plant = Plant(away=True)
        async with Process(plant, age_s=3600.0).running() as process:
            process.give(0, [message(0), message(1)])
            await process.acknowledged(0)
            process.clock.time_ns += HOUR_NS // 2
            process.give(1, [message(2)])
            await process.acknowledged(1)
            plant.away = away
            process.clock.time_ns += HOUR_NS // 2 + 1
            await process.until(lambda: process.spool.state.batches == int(away))
            figures = process.ingestor.figures()
            plant.away = False
            await process.drained()
        if away:
            assert [problem.reason for problem in plant.parked] == ["expired"] * 2
            assert "longer than 1 h (spool.max_h)" in plant.parked[0].detail
            assert [(p.topic, p.payload) for p in plant.parked] == [message(0), message(1)]
            assert (figures.spool_expired_messages, figures.parked_messages, figures.parked_readings) == (2, 2, 2)
        assert plant.stored == ({2} if away else {0, 1, 2}), "of what the store takes the age does not matter"

    run(test)


def test_an_error_that_nobody_expects_in_the_backlog_stops_the_ingest() -> None:
    """F15: the result of a write in the background is seen like any other."""

    async def test() -> None:
        plant = Plant(away=True)
        process = Process(plant)
        task = asyncio.create_task(process.ingestor.run())
        process.give(0, [message(0)])
        await process.acknowledged(0)

        async def bug(readings: object) -> None:
            raise RuntimeError("a bug")

        plant.write = bug  # type: ignore[method-assign]
        await asyncio.wait([task])
        assert isinstance(task.exception(), ExceptionGroup)
        assert len(plant.rows) == 1, "and what it was about is kept"

    run(test)


def test_a_damaged_batch_is_parked_as_it_is() -> None:
    async def test() -> None:
        plant = Plant(away=True)
        async with Process(plant).running(killed=True) as first:
            for n in range(3):
                first.give(n, [message(n)])
            await first.acknowledged(2)
        plant.away = False
        plant.rows[1] = plant.rows[1]._replace(messages=None, payload=b"what is left")
        async with Process(plant).running() as second:
            await second.drained()
            figures = second.ingestor.figures()
        assert plant.stored == {0, 2}
        assert [(problem.reason, problem.payload) for problem in plant.parked] == [("damaged", b"what is left")]
        assert (figures.stored_messages, figures.parked_messages, figures.parked_readings) == (2, 1, 1)

    run(test)


def test_a_spool_file_set_aside_is_told_and_stays_on_the_sheet() -> None:
    async def test() -> None:
        plant = Plant(away=True)
        spool = MemorySpool(rows=plant.rows)
        async with Process(plant, spool=spool).running() as process:
            process.give(0, [message(0), message(1)])
            await process.acknowledged(0)
            state = spool.state
            state.damaged_files, state.aside_messages, state.aside_readings, state.aside_at = 1, 2, 2, "x.damaged-1"
            plant.rows.clear()
            process.give(1, [message(2)])
            await process.acknowledged(1)
            figures = process.ingestor.figures()
            assert (figures.aside_messages, figures.aside_readings, figures.spooled_messages) == (2, 2, 1)
            assert figures.spool_damaged_files == 1
            plant.away = False
            await process.drained()
        assert any("file=x.damaged-1, messages=2" in text for text in process.said)

    run(test)


def test_a_process_that_does_not_store_says_so_on_the_sheet() -> None:
    async def test() -> None:
        plant = Plant()
        process = Process(plant)
        process.ingestor._overflow, process.ingestor._stores = None, False
        async with process.running():
            process.give(0, [message(0), message(1, '"x"')])
            await process.acknowledged(0)
            figures = process.ingestor.figures()
        assert (figures.rejected_messages, figures.rejected_readings, figures.stored_messages) == (1, 2, 0)
        assert figures.parked_messages == 1

    run(test)


def test_the_time_of_a_spooled_message_is_judged_by_when_it_came() -> None:
    async def test() -> None:
        plant = Plant(away=True)
        async with Process(plant).running() as process:
            ahead = Message("smelter/s/L/001/telemetry", b'{"time": %d, "voltage_v": 4}' % (NOW_NS + 2 * HOUR_NS))
            process.give(0, [ahead])
            await process.acknowledged(0)
            process.clock.time_ns += 3 * HOUR_NS
            plant.away = False
            await process.drained()
        assert [problem.reason for problem in plant.parked] == ["future_time"]

    run(test)
