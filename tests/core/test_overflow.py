"""What happens to batches that the store does not take: spooled, acknowledged, drained in order; nothing is dropped."""

from __future__ import annotations

import asyncio

from tests.core.spooling import POISON, Plant, Process, message, run
from twin.ports import Message

HOUR_NS = 3600 * 10**9


def test_while_the_store_takes_everything_the_spool_is_not_touched() -> None:
    async def test() -> None:
        plant = Plant()
        async with Process(plant).running() as process:
            for n in range(5):
                process.give(n, [message(n)])
            await process.acknowledged(4)
            figures = process.ingestor.figures()
        assert plant.order == [0, 1, 2, 3, 4]
        assert (figures.stored_messages, figures.spool_batches_total, figures.under_way_messages) == (5, 0, 0)
        assert process.said == process.outages == []

    run(test)


def test_an_outage_is_spooled_acknowledged_and_drained_when_the_store_is_back() -> None:
    """F13, F20: nothing is dropped however long it takes, and the backlog comes from our own spool."""

    async def test() -> None:
        plant = Plant(away=True)
        async with Process(plant).running() as process:
            for n in range(40):
                process.give(n, [message(n), message(1000 + n)])
            await process.acknowledged(*range(40))
            assert plant.stored == set()
            figures = process.ingestor.figures()
            assert (figures.spooled_messages, figures.store_away, figures.store_outages) == (80, 1, 1)
            assert "80 messages wait in the spool" in process.ingestor.problem
            plant.away = False
            await process.drained()
            figures = process.ingestor.figures()
        assert plant.stored == {*range(40), *range(1000, 1040)}
        assert (figures.spooled_messages, figures.stored_messages, figures.stored_readings) == (0, 80, 80)
        assert (figures.spool_drained_batches, figures.store_away) == (40, 0)
        assert process.outages == ["the store is away", ""]
        assert process.ingestor.problem == ""
        assert process.said[-1].startswith("the spool is empty again")
        assert sorted(process.handed) == sorted(plant.stored), "each once, when it was acknowledged"

    run(test)


def test_acknowledgements_keep_the_order_of_arrival_through_the_spool() -> None:
    """F19: a batch that hangs at the store holds back the acknowledgement of a later one that is spooled already."""

    async def test() -> None:
        plant = Plant(hangs=True)
        async with Process(plant, waiting=1, writes=2).running() as process:
            for n in range(6):
                process.give(n, [message(n)])
            await process.acknowledged(5)
            assert plant.order == list(range(6))
            plant.hangs = False
            await process.drained()
        assert plant.stored == set(range(6))

    run(test)


def test_a_store_that_hangs_is_away_after_its_patience() -> None:
    async def test() -> None:
        plant = Plant(hangs=True)
        async with Process(plant).running() as process:
            process.give(0, [message(0)])
            await process.acknowledged(0)
            assert "does not answer within 0.02 s (spool.patience_s)" in process.ingestor.problem
            plant.hangs = False

    run(test)


def test_too_many_that_wait_for_a_slow_store_go_round_it() -> None:
    """F32: a slow store does not become a growing delay; what does not fit is on disk."""

    async def test() -> None:
        plant = Plant()
        gate, straight = asyncio.Event(), plant.write

        async def slow(readings: object) -> None:
            await gate.wait()
            await straight(readings)  # type: ignore[arg-type]

        plant.write = slow  # type: ignore[method-assign]
        async with Process(plant, patience_s=30.0, waiting=2, writes=2).running() as process:
            for n in range(12):
                process.give(n, [message(n)])
            await process.until(lambda: len(plant.rows) == 2, "batches in the spool")
            assert process.ingestor.figures().store_slow == 2
            assert process.ingestor.figures().store_outages == 0
            gate.set()
            await process.acknowledged(11)
            await process.drained()
        assert plant.stored == set(range(12))
        assert plant.order == list(range(12))

    run(test)


def test_live_data_is_written_while_the_backlog_drains_in_order() -> None:
    """F33: a batch that comes while the backlog drains is in the store long before the backlog is."""

    async def test() -> None:
        plant = Plant(away=True)
        async with Process(plant, chunk=1, writes=2).running() as process:
            for n in range(300):
                process.give(n, [message(n)])
            await process.acknowledged(299)
            plant.away = False
            await process.until(lambda: len(plant.writes) > 2, "the first of the backlog")
            process.give(300, [message(300)])
            await process.acknowledged(300)
            assert 300 in plant.stored
            left = process.spool.state.batches
            await process.drained()
        assert left > 200, "the live batch did not wait for the backlog"
        backlog = [times[0] for times in plant.writes if times != [300]]
        assert backlog == list(range(300)), "oldest first, each once"

    run(test)


def test_the_backlog_gets_its_share_under_a_live_load_that_never_ends() -> None:
    """F33, the other way round: the backlog has one place at the store, and is not starved."""

    async def test() -> None:
        plant = Plant(away=True)
        async with Process(plant, chunk=1).running() as process:
            for n in range(50):
                process.give(n, [message(n)])
            await process.acknowledged(49)
            plant.away = False
            newest = 50
            while process.spool.state.batches:
                for number in range(newest + 1, newest + 9):
                    process.give(number, [message(number)])
                newest += 8
                await process.acknowledged(newest)
                assert newest < 5000
        assert set(range(50)) <= plant.stored

    run(test)


def test_what_a_killed_process_spooled_is_stored_once_and_handed_on_by_the_next() -> None:
    """F1, F17: a kill between write and removal writes it twice, which changes nothing."""

    async def test() -> None:
        plant = Plant(away=True)
        async with Process(plant).running(killed=True) as first:
            for n in range(10):
                first.give(n, [message(n)])
            await first.acknowledged(9)
        plant.away = False
        kept = list(plant.rows)
        async with Process(plant).running(killed=True) as second:
            await second.drained()
        plant.rows[:] = kept  # the removal never reached the disk
        async with Process(plant).running() as third:
            figures = third.ingestor.figures()
            await third.drained()
            third.give(10, [message(10)])
            await third.acknowledged(10)
        assert plant.stored == set(range(11))
        assert sorted(third.handed) == list(range(11)), "the engine of the new process has not seen them"
        assert (figures.carried_messages, figures.spooled_messages) in ((0, 0), (10, 10))
        assert third.said[0] == "messages of an earlier run wait in the spool, messages=10"
        balance = third.ingestor.counts.balance
        assert (balance.received.messages, balance.carried.messages, balance.stored.messages) == (1, 10, 11)

    run(test)


def test_poison_in_the_spool_is_parked_alone_and_the_rest_is_stored() -> None:
    """F8, F9: what the store refuses leaves the spool by the other door and never comes again."""

    async def test() -> None:
        plant = Plant(away=True)
        async with Process(plant).running() as process:
            for n in range(12):
                process.give(n, [message(n, POISON if n == 5 else 4.0), message(100 + n)])
            process.give(12, [message(12, '"x"'), Message("elsewhere", b"{}")])
            await process.acknowledged(12)
            assert plant.parked == []
            plant.away = False
            await process.drained()
            figures = process.ingestor.figures()
        assert plant.stored == {*range(12), *range(100, 112)} - {5}
        assert sorted(problem.reason for problem in plant.parked) == ["bad_topic", "refused", "wrong_type"]
        assert message(5, POISON) in [(problem.topic, problem.payload) for problem in plant.parked]
        assert (figures.stored_messages, figures.parked_messages, figures.spooled_messages) == (23, 3, 0)
        assert (figures.parked_readings, figures.stored_readings) == (1, 24), "the bad value is a BAD reading"
        assert process.ingestor.counts.problems == {"bad_topic": 1, "refused": 1, "wrong_type": 1}

    run(test)
