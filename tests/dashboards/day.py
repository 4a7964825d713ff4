"""A simulated day of a small line, and what the twin says of it, in an InfluxDB, by the product's own writer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.servers import InfluxServer
from twin.adapters.influx import InfluxStore, Target
from twin.api import Session, simulated
from twin.faults import FAULTS
from twin.frames import Event, Readings, WindowFigures
from twin.outputs import fault_readings, outputs, state_readings
from twin.signals import by_name
from twin.times import parse_time

POTS, HOURS, SAMPLE_S = 6, 26, 60.0
SAMPLED = "A003"
HAND_NS = 3600 * 1_000_000_000
START = "2026-01-01T00:00:00+08:00"  # 1 January, so that month and year begin within it


@dataclass(slots=True)
class Day:
    """What was written, and to where."""

    server: InfluxServer
    database: str
    session: Session
    events: list[Event] = field(default_factory=list)
    end_ms: int = 0

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
    """Work and faults that this day does not have: each once, an hour before its end; the faults have not ended."""
    unit = session.roster.codes[f"demo/A/{SAMPLED}"]
    work = {"anode_effect_kill": 2.0, "alf3_bag_kg": 25.0, "soda_added_kg": 10.0, "beam_raised": 1.0}
    work |= {"tapped_metal_kg": 2500.0, "anode_changed": 12.0, "beam_move_mm": -2.0}
    missing = [fault for fault in FAULTS if fault.code not in {event.code for event in events}]
    at = end_ns - HAND_NS
    events += [Event(at, unit, f.code, True, f.severity, f.limit, f.limit) for f in missing]
    return Readings.of([at] * len(work), [unit] * len(work), [by_name(name) for name in work], list(work.values()))


def _told(day: Day) -> Iterator[Readings]:
    """What was measured and what the twin says of it, as the ingest and the runner would write it."""
    newest: dict[tuple[int, str, int], WindowFigures] = {}
    session = day.session
    laboratory: Readings | None = _laboratory(session)
    for readings in simulated(session, hours=HOURS, seed=7, scenario="one-of-each", start=START):
        if laboratory is not None and day.end_ms * 1_000_000 > int(laboratory.time_ns[0]):
            readings, laboratory = Readings.concat([laboratory, readings]), None
        report = session.take(readings)
        yield readings
        for figures in report.figures:
            newest[int(figures.units[0]), figures.window, figures.start_ns] = figures
        day.events += report.events
        if report.estimate is not None:
            yield state_readings(report.estimate)
        day.end_ms = max(day.end_ms, report.time_ns // 1_000_000)
    yield _by_hand(session, day.events, day.end_ms * 1_000_000)
    yield outputs(newest.values(), session.roster.kinds)
    yield fault_readings(day.events)


def written(server: InfluxServer, url: str, database: str) -> Day:
    """Simulate, step the twin, write everything."""
    day = Day(server, database, Session.open(pots=POTS, sample_s=SAMPLE_S))

    async def write() -> None:
        store = InfluxStore(Target(url, database, "-"), day.session.roster)
        await store.open()
        try:
            held: list[Readings] = []
            for part in _told(day):
                held.append(part)
                if len(held) > 80:
                    await store.write(Readings.concat(held))
                    held.clear()
            await store.write(Readings.concat(held))
        finally:
            await store.close()

    asyncio.run(write())
    return day
