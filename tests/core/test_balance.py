"""The sheet balances and nothing acknowledged is lost, whatever a store, a disk and a power cut do."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.spooling import POISON, Plant, Process, message, run
from twin.adapters.memory import MemorySpool
from twin.balance import Balance, Figures, Pair
from twin.errors import SinkUnavailable
from twin.ports import Message


def test_a_sheet_that_misses_something_says_by_how_much() -> None:
    sheet = Balance("way in")
    sheet.came(5, 50)
    assert sheet.off == Pair(0, 0)
    sheet.left(5, 50)
    assert sheet.off == Pair(5, 50)
    sheet.settled(5, 50, 1, 45)
    assert (sheet.off, sheet.stored, sheet.parked) == (Pair(0, 0), Pair(4, 45), Pair(1, 5))
    sheet.carried.add(2, 3)
    assert sheet.off == Pair(2, 3)


def test_figures_are_whole_numbers_with_names() -> None:
    figures = replace(Figures.of(Balance("a"), 3, unknown_values=1), paused=1)
    kinds = {field.name: type(getattr(figures, field.name)) for field in fields(figures)}
    assert {name for name, kind in kinds.items() if kind is not int} == {"source", "spool_oldest_age_s"}
    assert (figures.store_outages, figures.paused, figures.unknown_values) == (3, 1, 1)


MESSAGES = {
    "good": lambda n: message(n),
    "bad value": lambda n: message(n, '"x"'),
    "bad topic": lambda n: Message(f"elsewhere/{n}", b""),
    "future": lambda n: message(n + 10**15),
    "poison": lambda n: message(n, POISON),
}
STEPS = st.lists(
    st.one_of(
        st.lists(st.sampled_from(sorted(MESSAGES)), min_size=0, max_size=5),  # a delivery
        st.sampled_from(["away", "back", "hangs", "answers", "kill", "restart", "full disk", "quiet"]),
    ),
    max_size=25,
)


def known(plant: Plant) -> set[bytes]:
    """Payloads and topics of what is in the spool or the dead letters."""
    parked = {problem.topic.encode() + problem.payload for problem in plant.parked}
    return parked | {m.topic.encode() + m.payload for row in plant.rows for m in row.messages or ()}


class Story:
    """One schedule: deliveries that are not acknowledged come again to the next process, as from a broker."""

    def __init__(self, most: int) -> None:
        self.plant = Plant()
        self.given: dict[int, list[Message]] = {}
        self.good: dict[int, set[int]] = {}  # delivery -> numbers of its good messages
        self.most = most
        self.spool = MemorySpool(most, self.plant.rows)
        self.count = self.processes = 0

    def deliver(self, process: Process, kinds: list[str]) -> None:
        number = len(self.given)
        numbers = range(self.count, self.count + len(kinds))
        self.given[number] = [MESSAGES[kind](n) for kind, n in zip(kinds, numbers, strict=True)]
        self.good[number] = {n for kind, n in zip(kinds, numbers, strict=True) if kind == "good"}
        self.count += len(kinds)
        process.give(number, self.given[number])

    def check(self, process: Process) -> None:
        """At any moment, whatever is under way."""
        assert process.balanced()
        kept, stored = known(self.plant), self.plant.stored
        for number in self.plant.order:
            for one in self.given[number]:
                assert one.topic.encode() + one.payload in kept or self.good[number] & stored, one
            for n in self.good[number] - stored:
                lone = message(n)
                assert lone.topic.encode() + lone.payload in kept, n

    def process(self) -> Process:
        self.processes += 1
        self.spool = MemorySpool(self.most, self.plant.rows)
        return Process(self.plant, spool=self.spool, patience_s=0.003, chunk=6)

    async def play(self, steps: list[list[str] | str]) -> None:
        remaining = list(steps)
        while True:
            process = self.process()
            first = len(self.plant.order)
            async with process.running(killed=True):
                for number in range(len(self.given)):
                    if number not in set(self.plant.order):
                        process.give(number, self.given[number])
                over = await self._some(process, remaining)
                if over:
                    await self._end(process)
            mine = self.plant.order[first:]
            assert mine == sorted(mine), "acknowledged in receive order"
            if over:
                return

    async def _some(self, process: Process, remaining: list[list[str] | str]) -> bool:
        """Steps until the process is to end; False when another one is to go on."""
        plant = self.plant
        while remaining:
            step = remaining.pop(0)
            if isinstance(step, list):
                self.deliver(process, step)
            elif step in ("kill", "restart"):
                return False
            elif step == "full disk":
                self.spool.failures += [SinkUnavailable("database or disk is full")] * 5
            elif step == "quiet":
                await asyncio.sleep(0.004)
            else:
                plant.away = {"away": True, "back": False}.get(step, plant.away)
                plant.hangs = {"hangs": True, "answers": False}.get(step, plant.hangs)
            await asyncio.sleep(0)
            self.check(process)
        return True

    async def _end(self, process: Process) -> None:
        """Everything is well again: all is acknowledged, the spool is empty, the sheet is whole."""
        self.plant.away = self.plant.hangs = False
        await process.acknowledged(*self.given)
        await process.drained()
        figures = process.ingestor.figures()
        await process.until(lambda: process.ingestor.counts.balance.under_way.messages == 0)
        self.check(process)
        assert (figures.off_messages, figures.off_readings, figures.spooled_messages) == (0, 0, 0)
        came = figures.received_messages + figures.carried_messages
        assert came == figures.stored_messages + figures.parked_messages
        assert self.plant.stored == {n for numbers in self.good.values() for n in numbers}
        wrong = {m for number, given in self.given.items() for m in given} - {
            message(n) for numbers in self.good.values() for n in numbers
        }
        assert {(p.topic, p.payload) for p in self.plant.parked} == wrong
        if self.processes == 1:  # nothing came twice
            assert (figures.stored_messages, figures.parked_messages) == (len(self.plant.stored), len(wrong))
            assert len(self.plant.parked) == len(wrong)


@settings(max_examples=150)
@given(STEPS, st.sampled_from([250, 1000, 10**6]))
def test_the_sheet_balances_and_nothing_acknowledged_is_lost(steps: list[list[str] | str], most: int) -> None:
    """F1, F8, F13, F17, F19: random schedules of outages, hangs, full disks, kills, restarts and poison."""
    run(lambda: Story(most).play(steps))
