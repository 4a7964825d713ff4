"""The way of a message: stored or parked, acknowledged in order, and never before it is safe."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.plants import NOW_NS, codec_of, key, readings_of, roster_of
from twin.adapters.memory import FakeClock, ListSource, MemorySink
from twin.codec import Problem
from twin.errors import SinkRejected, SinkUnavailable
from twin.frames import Readings
from twin.ingest import Ingestor
from twin.ports import Message
from twin.salvage import REASONS

POISON = 13.5  # a voltage that the store of these tests does not take
AWAY = SinkUnavailable("the store is away")


def message(pot: int, volt: object = 4.0, time_ns: int = NOW_NS) -> Message:
    return Message(f"smelter/s/L/00{pot}/telemetry", b'{"time": %d, "voltage_v": %s}' % (time_ns, str(volt).encode()))


@dataclass
class Rig:
    """An ingestor between fakes, and everything that happened, in order."""

    batches: Sequence[Sequence[Message]]
    failures: Sequence[Exception] = ()
    park_failures: list[Exception] = field(default_factory=list)
    poison: float | None = None
    happened: list[str] = field(default_factory=list)
    parked: list[Problem] = field(default_factory=list)
    handed: list[Readings] = field(default_factory=list)
    outages: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        roster = roster_of(3)
        self.source = ListSource(self.batches)
        self.sink = MemorySink(roster, self.failures)
        self.ingestor = Ingestor(
            self.source, codec_of(roster), self, self, FakeClock(NOW_NS),
            hand_on=self._hand_on, retry_max_s=0.001, on_outage=self.outages.append,
        )  # fmt: skip

    async def write(self, readings: Readings) -> None:
        self.happened.append("write")
        if self.poison is not None and self.poison in readings.value:
            raise SinkRejected(f"{self.poison} is refused")
        await self.sink.write(readings)
        self.happened.append("stored")

    async def park(self, problems: Sequence[Problem], received_ns: int) -> None:
        assert received_ns == NOW_NS
        if self.park_failures:
            raise self.park_failures.pop(0)
        self.parked += problems

    async def _hand_on(self, readings: Readings) -> None:
        self.happened.append(f"handed on with {sum(self.source.acknowledged)} acknowledged")
        self.handed.append(readings)

    def run(self) -> Rig:
        asyncio.run(self.ingestor.run())
        counts = self.ingestor.counts
        assert counts.received == counts.stored + counts.parked == sum(len(batch) for batch in self.batches)
        assert self.source.acknowledged == [True] * len(self.batches)
        assert len(self.handed) == len(self.batches)
        return self

    @property
    def stored(self) -> list[tuple[int, int, int, float]]:
        codes = self.ingestor._codec.roster.codes
        return sorted((codes[path], signal, time, value) for (path, signal, time), value in self.sink.values.items())


def test_a_good_batch_is_stored_then_acknowledged_then_handed_on() -> None:
    rig = Rig([[message(1), message(2)]]).run()
    assert rig.happened == ["write", "stored", "handed on with 1 acknowledged"]
    wanted = readings_of([(0, 1, "voltage_v", 4.0), (0, 2, "voltage_v", 4.0)])
    assert rig.stored == key(wanted)
    assert rig.handed[0].same(wanted)
    counts = rig.ingestor.counts
    assert (counts.received, counts.stored, counts.parked, counts.readings) == (2, 2, 0, 2)
    assert counts.newest_ns == NOW_NS


def test_while_the_store_is_away_nothing_is_acknowledged() -> None:
    rig = Rig([[message(1)]], failures=[AWAY] * 5).run()
    assert rig.happened == ["write"] * 6 + ["stored", "handed on with 1 acknowledged"]
    assert rig.outages == ["the store is away", ""]
    assert (rig.ingestor.counts.outages, rig.ingestor.counts.store_problem) == (1, "")


def test_an_outage_is_told_once_though_several_batches_wait() -> None:
    rig = Rig([[message(pot)] for pot in (1, 2, 3)])
    tries: Counter[int] = Counter()

    async def write(readings: Readings) -> None:
        tries[int(readings.unit[0])] += 1
        if len(tries) < 3 or min(tries.values()) < 3:
            raise AWAY

    rig.write = write  # type: ignore[method-assign]
    rig.run()
    assert rig.outages == ["the store is away", ""]
    assert rig.ingestor.counts.outages == 1


def test_an_outage_is_over_when_the_store_refuses() -> None:
    rig = Rig([[message(1, POISON)]], poison=POISON)
    write, away = rig.write, [AWAY, AWAY]

    async def away_first(readings: Readings) -> None:
        if away:
            raise away.pop()
        await write(readings)

    rig.write = away_first  # type: ignore[method-assign]
    rig.run()
    assert rig.outages == ["the store is away", ""]
    assert rig.ingestor.counts.store_problem == ""
    assert rig.ingestor.counts.problems == {"refused": 1}


def test_while_messages_cannot_be_parked_nothing_is_acknowledged() -> None:
    rig = Rig([[message(1, '"x"')]], park_failures=[SinkUnavailable("disk full")] * 3).run()
    assert rig.outages == ["disk full", ""]
    assert [problem.reason for problem in rig.parked] == ["wrong_type"]


def test_acknowledgements_keep_the_order_of_arrival() -> None:
    """The first write takes longest; the later batches are safe before it and wait."""
    order: list[int] = []
    rig = Rig([[message(1)], [message(2)], [message(3)]])
    first = asyncio.Event()

    async def write(readings: Readings) -> None:
        unit = int(readings.unit[0])
        if unit == 1:
            await first.wait()
        order.append(unit)
        if unit == 3 or len(order) == 2:
            assert rig.source.acknowledged == [False] * 3
            first.set()

    rig.write = write  # type: ignore[method-assign]
    rig.run()
    assert order[-1] == 1 or order[0] == 2
    assert [int(handed.unit[0]) for handed in rig.handed] == [1, 2, 3]
    assert rig.happened == [f"handed on with {n} acknowledged" for n in (1, 2, 3)]


@pytest.mark.parametrize("place", range(7))
def test_the_message_that_the_store_refuses_is_parked_alone(place: int) -> None:
    messages = [message(1 + n % 3, time_ns=NOW_NS + n) for n in range(7)]
    messages[place] = message(2, POISON)
    rig = Rig([messages], poison=POISON).run()
    assert [(p.reason, p.topic, p.payload) for p in rig.parked] == [("refused", *messages[place])]
    assert "is refused" in rig.parked[0].detail
    assert "refused" in REASONS, "a hint for people"
    assert len(rig.stored) == 6
    assert POISON not in [row[3] for row in rig.stored]
    assert rig.ingestor.counts.problems == {"refused": 1}
    assert sorted(row[2] for row in rig.stored) == [NOW_NS + n for n in range(7) if n != place]


def test_a_batch_of_poison_is_parked_as_a_whole() -> None:
    rig = Rig([[message(1, POISON)] * 5, [message(2)]], poison=POISON).run()
    assert [problem.reason for problem in rig.parked] == ["refused"] * 5
    assert len(rig.stored) == 1


def test_a_bad_value_is_parked_and_the_good_ones_are_stored() -> None:
    load = b'{"time": %d, "voltage_v": 4.0, "noise_mv": -1, "extra": 1}' % NOW_NS
    rig = Rig([[Message("smelter/s/L/001/telemetry", load), message(2)]]).run()
    counts = rig.ingestor.counts
    assert (counts.stored, counts.parked, counts.problems, counts.unknown_fields) == (
        1,
        1,
        {"out_of_range": 1},
        {"extra": 1},
    )
    assert rig.stored == key(readings_of([(0, 1, "voltage_v", 4.0), (0, 2, "voltage_v", 4.0)]))


def test_a_batch_of_nothing_useful_is_acknowledged_too() -> None:
    rig = Rig([[Message("elsewhere", b"x")], []]).run()
    assert rig.ingestor.counts.problems == {"bad_topic": 1}
    assert rig.stored == []


def test_an_error_that_nobody_expects_stops_the_ingest_with_nothing_acknowledged() -> None:
    rig = Rig([[message(1)]], failures=[RuntimeError("a bug")])
    with pytest.raises(ExceptionGroup):
        asyncio.run(rig.ingestor.run())
    assert rig.source.acknowledged == [False]


def test_an_outage_of_days_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("twin.ingest.asyncio.sleep", sleep)
    monkeypatch.setattr("twin.ingest.random.uniform", lambda low, high: high)
    rig = Rig([[message(1)]], failures=[AWAY] * 5000)
    rig.ingestor._retry_max_s = 30.0
    rig.run()
    assert len(pauses) == 5000
    assert pauses[:4] == [0.2, 0.4, 0.8, 1.6]
    assert max(pauses) == pauses[-1] == 30.0


KINDS: dict[str, Callable[[int], Message]] = {
    "good": lambda n: message(1 + n % 3, time_ns=NOW_NS + n),
    "bad value": lambda n: message(1, '"x"', NOW_NS + n),
    "bad topic": lambda n: Message(f"x/{n}", b""),
    "future": lambda n: message(1, time_ns=NOW_NS + 10**12),
    "poison": lambda n: message(1, POISON, NOW_NS + n),
}


@settings(max_examples=80)
@given(st.lists(st.lists(st.sampled_from(sorted(KINDS)), max_size=6), max_size=5), st.lists(st.booleans(), max_size=8))
def test_received_is_stored_plus_parked_whatever_happens(kinds: list[list[str]], away: list[bool]) -> None:
    flat = [kind for batch in kinds for kind in batch]
    numbers = iter(range(len(flat)))
    batches = [[KINDS[kind](next(numbers)) for kind in batch] for batch in kinds]
    rig = Rig(batches, failures=[AWAY] * sum(away), poison=POISON).run()
    counts = rig.ingestor.counts
    assert counts.stored == flat.count("good")
    assert len(rig.stored) == flat.count("good")
    assert len(rig.parked) == counts.parked == len(flat) - flat.count("good")


def test_the_ingest_ends_when_it_is_cancelled() -> None:
    rig = Rig([[message(1)]], failures=[AWAY] * 10**6)

    async def session() -> None:
        begun = asyncio.Event()
        rig.ingestor._on_outage = lambda problem: begun.set()
        task = asyncio.create_task(rig.ingestor.run())
        await begun.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(session())
    assert rig.source.acknowledged == [False]
