"""A simulated day of a small line, and what the twin says of it, in an InfluxDB, by the product's own writer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from tests.servers import InfluxServer
from twin.adapters.alarm_memory import MemoryBook
from twin.adapters.influx import InfluxStore, Target
from twin.adapters.memory import FakeClock
from twin.alarm_desk import AlarmDesk
from twin.alarm_output import AlarmFigures
from twin.alarms.figures import BUCKET_NS, Figures
from twin.alarms.routing import AlarmFile
from twin.api import Session, simulated
from twin.faults import FAULTS
from twin.frames import Event, Readings
from twin.outputs import fault_readings
from twin.runner import Runner
from twin.signals import by_name
from twin.snapshot import IngestView
from twin.times import parse_time

POTS, HOURS, SAMPLE_S = 6, 26, 60.0
TOLD_MIN = 5
SAMPLED = "A003"
HAND_NS = 3600 * 1_000_000_000
SHOWN_NS = 6 * HAND_NS  # what the board of a pot shows
START = "2026-01-01T00:00:00+08:00"  # 1 January, so that month and year begin within it


@dataclass(slots=True)
class Day:
    """What was written, and to where."""

    server: InfluxServer
    database: str
    session: Session
    events: list[Event] = field(default_factory=list)
    end_ms: int = 0
    alarms: list[Figures] = field(default_factory=list)  # of the desk, when the last ones were written
    standing: int = 0

    def path(self, event: Event) -> str:
        return self.session.roster.paths[event.unit]


def _laboratory(session: Session) -> Readings:
    """A sample of every kind of one pot at one in the morning, for what a day does not bring by itself."""
    unit = session.roster.codes[f"demo/A/{SAMPLED}"]
    values = {
        "excess_alf3_pct": 10.5, "alumina_pct": 2.8, "caf2_pct": 5.0, "mgf2_pct": 0.3, "lif_pct": 0.1,
        "bath_temperature_manual_c": 956.0, "superheat_c": 9.0, "bath_level_cm": 20.0, "metal_level_cm": 22.0,
        "iron_ppm": 1100.0, "silicon_ppm": 300.0, "cathode_drop_manual_mv": 310.0,
    }  # fmt: skip
    time_ns = parse_time(START) + HAND_NS
    return Readings.of(
        [time_ns] * len(values), [unit] * len(values), [by_name(n) for n in values], list(values.values())
    )


def _by_hand(session: Session, events: list[Event], end_ns: int) -> Readings:
    """Work and faults that its last hours do not have: each once, an hour before their end; no fault has ended."""
    unit = session.roster.codes[f"demo/A/{SAMPLED}"]
    work = {"anode_effect_kill": 2.0, "alf3_bag_kg": 25.0, "soda_added_kg": 10.0, "beam_raised": 1.0}
    work |= {"tapped_metal_kg": 2500.0, "anode_changed": 12.0, "beam_move_mm": -2.0}
    recent = {e.code for e in events if e.began and e.unit == unit and e.time_ns >= end_ns - SHOWN_NS}
    missing = [fault for fault in FAULTS if fault.code not in recent]
    at = end_ns - HAND_NS
    events += [Event(at, unit, f.code, True, f.severity, f.limit, f.limit) for f in missing]
    return Readings.of([at] * len(work), [unit] * len(work), [by_name(name) for name in work], list(work.values()))


def _well() -> IngestView:
    return IngestView(
        connected=True, received=0, stored=0, parked=0, rejected_values=0, messages_per_s=0.0, lag_s=0.0, sink="influx",
        problem="",
    )  # fmt: skip


class _Alarms:
    """The alarms of the day, with nobody to acknowledge them; their figures are written as the service does it."""

    def __init__(self, day: Day, runner: Runner, store: InfluxStore) -> None:
        roster = day.session.roster
        self._day, self._clock = day, FakeClock(parse_time(START))
        self._desk = AlarmDesk(roster, AlarmFile(), MemoryBook(), self._clock, _quiet)
        self._output = AlarmFigures(self._desk, roster, store.write, self._clock, _quiet)
        runner.hear = self._desk.hear

    async def until(self, time_ns: int) -> None:
        """Let time go on, and write where 10 minutes end."""
        end_ns = self._clock.time_ns - self._clock.time_ns % BUCKET_NS + BUCKET_NS
        while end_ns <= time_ns:
            self._clock.time_ns = end_ns
            self._desk.tick()
            await self._desk.write()
            await self._output.tell(end_ns)
            counts = self._desk.counts()
            self._day.standing = counts["unacknowledged"] + counts["acknowledged"]
            self._clock.time_ns = end_ns - 1  # what is told in the moment of the end is of the next 10 minutes
            self._day.alarms = await self._desk.figures()
            end_ns += BUCKET_NS
        self._clock.time_ns = max(self._clock.time_ns, time_ns)


def _quiet(event: str, /, *, level: str = "info", **fields: object) -> None:
    assert level == "info", (event, fields)


async def _run(day: Day, store: InfluxStore) -> None:
    """What was measured, as the ingest writes it, and what the twin says of it, as its runner does, every TOLD_MIN."""
    runner = Runner(day.session.engine, write=store.write, health=_well)
    alarms = _Alarms(day, runner, store)
    laboratory: Readings | None = _laboratory(day.session)
    made = simulated(day.session, hours=HOURS, seed=7, scenario="one-of-each", start=START)
    for minute, readings in enumerate(made, start=1):
        if laboratory is not None and day.end_ms * 1_000_000 > int(laboratory.time_ns[0]):
            readings, laboratory = Readings.concat([laboratory, readings]), None
        if len(readings):
            await store.write(readings)
        await runner.feed(readings)
        await (runner.step() if minute % TOLD_MIN else runner.finish())
        assert runner.report is not None
        day.events += runner.report.events if len(readings) else ()
        day.end_ms = max(day.end_ms, runner.report.time_ns // 1_000_000)
        await alarms.until(runner.report.time_ns)
    day.session.report = runner.report
    hand = len(day.events)
    await store.write(_by_hand(day.session, day.events, day.end_ms * 1_000_000))
    await store.write(fault_readings(day.events[hand:]))


def written(server: InfluxServer, url: str, database: str) -> Day:
    """Simulate, run the twin, write everything."""
    day = Day(server, database, Session.open(pots=POTS, sample_s=SAMPLE_S))

    async def write() -> None:
        store = InfluxStore(Target(url, database, "-"), day.session.roster)
        await store.open()
        try:
            await _run(day, store)
        finally:
            await store.close()

    asyncio.run(write())
    return day
