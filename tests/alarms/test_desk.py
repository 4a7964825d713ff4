"""The desk: what is heard comes to disk with what goes out of it; commands; restarts; a disk that refuses; floods."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.alarms.rig import Rig, roster_of
from tests.core.plants import NOW_NS, NS, packaged_plan
from twin.adapters.alarm_book import SqliteBook
from twin.adapters.alarm_memory import MemoryBook
from twin.adapters.memory import FakeClock
from twin.alarm_desk import AlarmDesk
from twin.alarms.chain import Selection, broken
from twin.alarms.commands import Command
from twin.alarms.moved import Transition
from twin.alarms.routing import AlarmFile, Alertmanager, Mqtt, Route, Step, Webhook
from twin.engine import Engine, Settings
from twin.errors import SinkUnavailable
from twin.frames import Event, Readings, Report
from twin.outgoing import AlarmBook, Outgoing

FILE = AlarmFile(
    channels=[Mqtt(name="broker"), Webhook(name="shift", url="http://x"), Webhook(name="boss", url="http://y"),
              Alertmanager(name="am", url="http://z")],
    routes=[
        Route(to=["broker", "am"]),
        Route(to=["shift"], escalate=[Step(10, ["boss"]), Step(30, ["boss", "shift"])]),
    ],
)  # fmt: skip
SAID: list[str] = []


def say(event: str, /, *, level: str = "info", **fields: object) -> None:
    SAID.append(event)


def report_of(rig: Rig, events: list[Event], at_ns: int) -> Report:
    engine = Engine(rig.roster, packaged_plan(), Settings())
    _, report = engine.step(engine.start(), Readings.empty())
    return Report(at_ns, report.pots, report.lines, (), (), tuple(events), report.active)


def desk_of(rig: Rig, book: AlarmBook, clock: FakeClock, file: AlarmFile = FILE) -> AlarmDesk:
    return AlarmDesk(rig.roster, file, book, clock, say)


def ack(unit: str = "s/L/001") -> Command:
    return Command("ack", "li.wei", "operator", unit)


async def acting(desk: AlarmDesk, *commands: Command) -> list[str]:
    task = asyncio.create_task(desk.run())
    try:
        return [(await desk.act(one)).status for one in commands]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def effect(rig: Rig, desk: AlarmDesk, clock: FakeClock, pot: str = "s/L/001") -> None:
    rig.now_s = (clock.time_ns - NOW_NS) / NS
    desk.hear(Readings.empty(), report_of(rig, [rig.event("anode_effect", pot, True)], clock.time_ns))
    clock.time_ns += 150 * NS
    desk.tick()


def test_an_alarm_its_journal_and_its_messages_come_to_disk_together() -> None:
    rig, book, clock = Rig(), MemoryBook(), FakeClock(NOW_NS)
    desk = desk_of(rig, book, clock)
    effect(rig, desk, clock)
    asyncio.run(desk.write())
    (entry,) = book.entries(Selection())
    assert (entry.transition.after, entry.transition.time_ns) == ("unacknowledged", NOW_NS + 150 * NS)
    assert book.backlog() == {"broker": 1, "am": 1, "shift": 1}
    assert asyncio.run(acting(desk, ack())) == ["done"]
    assert book.backlog() == {"broker": 2, "am": 2, "shift": 1}, "who keeps a state is told of the acknowledgement too"
    assert book.entries(Selection())[-1].transition.who == "li.wei"


def test_a_command_is_answered_when_it_is_on_disk_and_a_refusal_of_the_disk_is_told() -> None:
    rig, book, clock = Rig(), MemoryBook([SinkUnavailable("full")] * 2), FakeClock(NOW_NS)
    desk = desk_of(rig, book, clock)
    effect(rig, desk, clock)
    with pytest.raises(SinkUnavailable):
        asyncio.run(desk.write())
    with pytest.raises(SinkUnavailable):
        asyncio.run(desk.write())
    assert book.head()[0] == 0
    assert asyncio.run(acting(desk, ack(), ack())) == ["done", "nothing"]
    assert [e.transition.after for e in book.entries(Selection())] == ["unacknowledged", "acknowledged"]
    assert broken(book.whole(), *book.head()) == ""


@pytest.mark.parametrize("stop", [0, 1, 2, 3])
def test_a_restart_anywhere_tells_everything_once(tmp_path: Path, stop: int) -> None:
    def run(path: Path, restarts: int | None) -> tuple[list[str], list[str]]:
        rig, clock = Rig(), FakeClock(NOW_NS)
        book = SqliteBook(path)
        desk = desk_of(rig, book, clock)
        for step in range(4):
            if step == restarts:
                book.close()
                book = SqliteBook(path)
                desk = desk_of(rig, book, clock)
            effect(rig, desk, clock, f"s/L/{step + 1:03d}")
            asyncio.run(desk.write())
        keys = [one.outgoing.key for one in book.waiting("shift", 100)]
        journal = [f"{e.transition.unit} {e.transition.after}" for e in book.whole()]
        assert broken(book.whole(), *book.head()) == ""
        book.close()
        return keys, journal

    assert run(tmp_path / "a.sqlite", stop) == run(tmp_path / "b.sqlite", None)


def test_what_the_twin_reads_again_after_a_restart_is_told_once(tmp_path: Path) -> None:
    rig, clock, path = Rig(), FakeClock(NOW_NS), tmp_path / "a.sqlite"
    book = SqliteBook(path)
    desk = desk_of(rig, book, clock)
    event = rig.event("anode_effect", "s/L/001", True)
    for _ in range(3):  # the same minutes again and again, the alarms' state being newer than the twin's
        desk.hear(Readings.empty(), report_of(rig, [event], clock.time_ns))
        clock.time_ns += 200 * NS
        desk.tick()
        asyncio.run(desk.write())
        asyncio.run(acting(desk, ack()))
        book.close()
        book = SqliteBook(path)
        desk = desk_of(rig, book, clock)
    assert [e.transition.after for e in book.whole()] == ["unacknowledged", "acknowledged"]
    assert book.backlog()["shift"] == 1
    book.close()


def test_nobody_acknowledges_step_by_step_and_over_a_restart_each_step_is_taken_once() -> None:
    rig, book, clock = Rig(), MemoryBook(), FakeClock(NOW_NS)
    desk = desk_of(rig, book, clock)
    effect(rig, desk, clock)
    seen = []
    for minute in range(1, 50):
        clock.time_ns += 60 * NS
        desk.tick()
        asyncio.run(desk.write())
        seen.append((minute, book.backlog()["shift"], book.backlog().get("boss", 0)))
        if minute in (5, 10, 31):
            desk = desk_of(rig, book, clock)
    assert [row[1:] for row in seen if row[0] in (9, 10, 29, 30, 49)] == [(1, 0), (1, 1), (1, 1), (2, 2), (2, 2)]
    escalated = [e.transition for e in book.whole() if e.transition.event == "escalated"]
    assert [t.why for t in escalated] == [
        "not acknowledged for 10 min: boss",
        "not acknowledged for 30 min: boss, shift",
    ]
    assert "nobody has acknowledged (step 2)" in book.waiting("boss", 9)[1].outgoing.notice.subject


def test_an_acknowledged_alarm_is_not_escalated() -> None:
    rig, book, clock = Rig(), MemoryBook(), FakeClock(NOW_NS)
    desk = desk_of(rig, book, clock)
    effect(rig, desk, clock)
    asyncio.run(acting(desk, ack()))
    clock.time_ns += 1700 * NS
    desk.tick()
    asyncio.run(desk.write())
    assert "boss" not in book.backlog()


class Slow(MemoryBook):
    """Takes its time with a commit, in its thread."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.may_end = threading.Event(), threading.Event()

    def commit(self, moved: Sequence[Transition], outgoing: Sequence[Outgoing], state: bytes, now_ns: int) -> None:
        self.begun.set()
        assert self.may_end.wait(30)
        super().commit(moved, outgoing, state, now_ns)


def test_an_end_in_the_middle_of_a_write_keeps_nothing_twice() -> None:
    rig, book, clock = Rig(), Slow(), FakeClock(NOW_NS)
    desk = desk_of(rig, book, clock)
    effect(rig, desk, clock)

    async def test() -> None:
        writing = asyncio.create_task(desk.write())
        await asyncio.to_thread(book.begun.wait, 30)
        writing.cancel()
        asyncio.get_running_loop().call_later(0.05, book.may_end.set)
        with pytest.raises(asyncio.CancelledError):
            await writing
        await desk.finish()

    asyncio.run(test())
    assert [e.transition.after for e in book.whole()] == ["unacknowledged"]


def test_a_lost_broker_is_one_alarm_of_the_site() -> None:
    rig, book, clock = Rig(), MemoryBook(), FakeClock(NOW_NS)
    desk = desk_of(rig, book, clock)
    desk.told("broker_lost", "s", on=True, problem="connection refused")
    clock.time_ns += 20 * NS
    desk.tick()
    (one,) = desk.view().alarms
    assert (one.unit, one.code, one.evidence) == ("s", "broker_lost", "connection refused")
    desk.told("broker_lost", "s", on=False)
    clock.time_ns += 20 * NS
    desk.tick()
    assert desk.view().alarms[0].state == "returned_unacknowledged"


@pytest.mark.parametrize("code", ["no_data", "bath_hot"])
def test_ten_thousand_pots_at_once_are_kept_and_told_in_a_bounded_way(tmp_path: Path, code: str) -> None:
    rig, clock = Rig(roster_of(10_000, 20)), FakeClock(NOW_NS)
    book = SqliteBook(tmp_path / "a.sqlite")
    desk = desk_of(rig, book, clock, replace(FILE, routes=[Route(to=["shift"]), Route(to=["boss"])]))
    pots = [rig.roster.paths[unit] for unit in rig.roster.pot_codes()]
    report = report_of(rig, [rig.event(code, pot, True) for pot in pots], clock.time_ns)
    began = time.thread_time()
    desk.hear(Readings.empty(), report)
    heard = time.thread_time() - began
    clock.time_ns += 1000 * NS
    began = time.thread_time()
    desk.tick()
    ticked = time.thread_time() - began
    assert max(heard, ticked) < 1.0, "what holds the loop"

    async def whole() -> float:
        longest, last, done = 0.0, time.thread_time(), asyncio.create_task(desk.write())
        while not done.done():  # the loop goes on meanwhile
            await asyncio.sleep(0.001)
            now = time.thread_time()
            longest, last = max(longest, now - last), now
        await done
        return longest

    assert asyncio.run(whole()) < 1.0
    began = time.thread_time()
    shown = desk.view()
    assert time.thread_time() - began < 1.0
    (notice,) = (one.outgoing.notice for one in book.waiting("shift", 10))
    if code == "no_data":
        assert [(a.code, a.children) for a in shown.alarms if a.state != "suppressed"] == [("line_silent", 10_500)]
        assert notice.code == "line_silent"
    else:
        assert (len(shown.alarms), shown.left_out) == (2000, 8000)
        assert (notice.kind, notice.count, len(notice.items)) == ("digest", 10_000, 20)
    book.close()


def test_figures_are_those_of_the_journal() -> None:
    rig, book, clock = Rig(), MemoryBook(), FakeClock(NOW_NS)
    desk = desk_of(rig, book, clock)
    effect(rig, desk, clock)
    asyncio.run(desk.write())
    clock.time_ns += 3600 * NS
    (found,) = asyncio.run(desk.figures(24))
    assert (found.position, found.alarms) == ("s/L", 1)
    assert found.per_10_min == pytest.approx(1 / 144)
