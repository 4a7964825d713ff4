"""Figures of the alarm system in the store: of each line, each 10 minutes, also after the store was away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

import twin.alarm_output
from tests.alarms.rig import Rig
from tests.alarms.telling import transition
from tests.alarms.test_desk import ack, acting, desk_of, effect, report_of
from tests.core.plants import NOW_NS, NS
from tests.report.plants import two_lines
from twin import settings
from twin.access import Access
from twin.adapters.alarm_memory import MemoryBook
from twin.adapters.memory import FakeClock, MemorySink
from twin.alarm_desk import AlarmDesk
from twin.alarm_output import KEPT, AlarmFigures
from twin.alarm_parts import Alarms
from twin.alarms import routing
from twin.alarms.figures import BUCKET_NS, TARGETS
from twin.catalogue import ALARM_FIGURES, CATALOGUE
from twin.errors import SinkRejected, SinkUnavailable
from twin.frames import Readings
from twin.plant import Roster

END_NS = NOW_NS - NOW_NS % BUCKET_NS + 2 * BUCKET_NS
SAID: list[tuple[str, str]] = []


def say(event: str, /, *, level: str = "info", **fields: object) -> None:
    SAID.append((level, event))


class Bench:
    """A desk of one line that is at work, and a store in memory."""

    def __init__(self, failures: Iterable[Exception] = (), rig: Rig | None = None) -> None:
        self.rig, self.book, self.clock = rig or Rig(), MemoryBook(), FakeClock(NOW_NS)
        self.desk: AlarmDesk = desk_of(self.rig, self.book, self.clock)
        self.sink = MemorySink(self.rig.roster, failures)
        self.output = AlarmFigures(self.desk, self.rig.roster, self.sink.write, self.clock, say)

    def journal(self, *seconds: int, code: str = "anode_effect") -> None:
        self.book.commit([transition(n, code) for n in seconds], [], b"", NOW_NS)

    def told(self, end_ns: int, line: str = "s/L") -> dict[str, float]:
        return {
            CATALOGUE[code].name: value
            for (unit, code, time), value in self.sink.values.items()
            if (unit, time) == (line, end_ns)
        }


def test_every_figure_of_a_line_stands_at_the_end_of_its_10_minutes() -> None:
    bench = Bench()
    inside = (END_NS - BUCKET_NS - NOW_NS) // NS
    bench.journal(0, inside - 1, inside, inside + 599, inside + 600)  # the last one is of the next 10 minutes
    asyncio.run(bench.output.tell(END_NS))
    found = bench.told(END_NS)
    assert set(found) == set(ALARM_FIGURES)
    assert {CATALOGUE[code].measurement for _, code, _ in bench.sink.values} == {"twin_alarms"}
    assert found["alarms_10_min"] == 2
    assert found["per_10_min"] == pytest.approx(4 / (720 * 6))
    assert found["high_pct"] == 100.0


def test_figures_are_those_of_the_desk_over_the_same_span() -> None:
    bench = Bench()
    bench.journal(*range(0, 500, 20), *range(1, 500, 100))
    bench.clock.time_ns = END_NS - 1
    asyncio.run(bench.output.tell(END_NS))
    (desks,) = asyncio.run(bench.desk.figures())
    assert {target.figure: bench.told(END_NS)[target.figure] for target in TARGETS} == {
        target.figure: pytest.approx(value) for target, value, _ in desks.verdicts()
    }
    assert desks.chattering == 1


def test_what_stands_now_is_counted_by_state() -> None:
    bench = Bench()
    effect(bench.rig, bench.desk, bench.clock, "s/L/001")
    effect(bench.rig, bench.desk, bench.clock, "s/L/002")
    asyncio.run(acting(bench.desk, ack("s/L/001")))
    asyncio.run(bench.output.tell(END_NS))
    found = bench.told(END_NS)
    assert (found["standing"], found["unacknowledged"], found["shelved"]) == (2, 1, 0)
    bench.rig.now_s = (bench.clock.time_ns - NOW_NS) / NS
    ended = bench.rig.event("anode_effect", "s/L/002", False)
    bench.desk.hear(Readings.empty(), report_of(bench.rig, [ended], bench.clock.time_ns))
    bench.clock.time_ns += 1000 * NS  # longer than the alarm lasts after its condition, too short to be told again
    bench.desk.tick()
    asyncio.run(bench.output.tell(END_NS))
    found = bench.told(END_NS)
    assert (found["standing"], found["unacknowledged"]) == (1, 1), "what is over and not acknowledged still asks for it"


def test_each_line_has_its_own_figures() -> None:
    bench = Bench(rig=Rig(Roster(two_lines())))
    effect(bench.rig, bench.desk, bench.clock, "north/B/B001")
    asyncio.run(bench.desk.write())
    asyncio.run(bench.output.tell(END_NS))
    found = {line: bench.told(END_NS, f"north/{line}") for line in "AB"}
    assert [found[line]["standing"] for line in "AB"] == [0, 1]
    assert [found[line]["per_10_min"] > 0 for line in "AB"] == [False, True]


def test_the_same_10_minutes_again_change_nothing() -> None:
    bench = Bench()
    bench.journal(5, 7)
    asyncio.run(bench.output.tell(END_NS))
    before = dict(bench.sink.values)
    asyncio.run(bench.output.tell(END_NS))
    assert bench.sink.values == before


def test_figures_that_the_store_did_not_take_are_written_with_the_next() -> None:
    bench = Bench([SinkUnavailable("away")] * 2)
    ends = [END_NS + n * BUCKET_NS for n in range(3)]
    for end_ns in ends:
        asyncio.run(bench.output.tell(end_ns))
        if end_ns < ends[-1]:
            assert not bench.sink.values
            assert SAID[-1] == ("warning", "figures of the alarm system are not written yet")
    assert all(bench.told(end_ns) for end_ns in ends)


def test_a_store_that_refuses_is_told_and_not_asked_again() -> None:
    bench = Bench([SinkRejected("no")])
    asyncio.run(bench.output.tell(END_NS))
    assert SAID[-1] == ("warning", "the store refuses figures of the alarm system")
    asyncio.run(bench.output.tell(END_NS + BUCKET_NS))
    assert not bench.told(END_NS)
    assert bench.told(END_NS + BUCKET_NS)


def test_an_outage_of_the_store_does_not_fill_the_memory() -> None:
    bench = Bench([SinkUnavailable("away")] * (KEPT + 5))

    async def days() -> None:
        for n in range(KEPT + 6):
            await bench.output.tell(END_NS + n * BUCKET_NS)

    asyncio.run(days())
    assert len({time for _, _, time in bench.sink.values}) == KEPT
    assert bench.told(END_NS + (KEPT + 5) * BUCKET_NS)


def test_a_journal_that_cannot_be_read_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    with monkeypatch.context() as broken:

        def refuse(chosen: object) -> list[object]:
            raise SinkUnavailable("disk")

        broken.setattr(bench.book, "entries", refuse)
        asyncio.run(bench.output.tell(END_NS))
    assert SAID[-1] == ("warning", "figures of the alarm system are not written yet")
    asyncio.run(bench.output.tell(END_NS + BUCKET_NS))
    assert bench.told(END_NS + BUCKET_NS)


def test_the_job_of_the_service_writes_when_10_minutes_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twin.alarm_output, "SETTLE_S", 0.0)
    roster, written = Rig().roster, asyncio.Event()
    sink, clock = MemorySink(roster), FakeClock(END_NS - NS // 10)

    async def write(readings: Readings) -> None:
        await sink.write(readings)
        written.set()

    async def session() -> None:
        chosen = settings.resolve(flags={"data.dir": str(tmp_path)})
        async with Alarms(chosen, roster, routing.AlarmFile(), clock, say) as alarms:
            job = asyncio.create_task(alarms.jobs(Access(), write)["alarm figures"]())
            await asyncio.sleep(0)  # it waits for the end
            clock.time_ns = END_NS + NS
            async with asyncio.timeout(10):
                await written.wait()
            await alarms.end([job])

    asyncio.run(session())
    assert {time for _, _, time in sink.values} == {END_NS}
