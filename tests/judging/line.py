"""A small simulated line through sensors and engine, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from msgspec.structs import replace

from simulators.publish import SimulatedLine
from simulators.schedule import Cause
from twin.cli_options import settings_of
from twin.engine import Engine, Settings
from twin.features import Minute
from twin.frames import Event, Readings
from twin.parts import engine_of, roster_of
from twin.plan import Plan
from twin.plant import Roster
from twin.units import NS_PER_S

HOUR = 3600.0
PERIOD_S = 10


@cache
def packaged() -> tuple[Roster, Plan]:
    """The demo plant and its plan."""
    settings = settings_of(None, None)
    roster = roster_of(settings)
    return roster, engine_of(settings, roster).plan


def plant_of(pots: int) -> Roster:
    """The first line of the demo plant with so many pots."""
    roster, _ = packaged()
    site, line = next(roster.plant.lines())
    line = replace(line, pots=pots, capacity_t_per_year=None, sample_period_s=PERIOD_S)
    return Roster(replace(roster.plant, sites=[replace(site, lines=[line])]))


def engine(roster: Roster) -> Engine:
    """The engine as the service has it."""
    return Engine(roster, packaged()[1], Settings(grace=2, estimate=True, features=True))


def start_ns(roster: Roster) -> int:
    """The first moment that is simulated."""
    site, _ = next(roster.plant.lines())
    return int(datetime(2026, 3, 1, tzinfo=site.zone()).timestamp()) * NS_PER_S


def minutes_of(roster: Roster, causes: Sequence[Cause], hours: float, seed: int = 7) -> Iterator[Readings]:
    """What the sensors say, a minute at a time."""
    site, line = next(roster.plant.lines())
    simulated = SimulatedLine(roster, site, line, seed, start_ns(roster), list(causes))
    for _ in range(round(hours * 60)):
        parts = []
        for _ in range(60 // PERIOD_S):
            for _ in range(PERIOD_S // 5):
                simulated.potline.step(5.0)
            parts += simulated.advance(0)
        yield Readings.concat(parts)


@dataclass
class Course:
    """What the engine found."""

    events: list[Event] = field(default_factory=list)
    minutes: list[Minute] = field(default_factory=list)

    def began(self, unit: int, before_ns: int, after_ns: int) -> set[str]:
        """Codes that began at a unit within a time."""
        return {e.code for e in self.events if e.began and e.unit == unit and before_ns <= e.time_ns <= after_ns}


def course(roster: Roster, causes: Sequence[Cause], hours: float, seed: int = 7) -> Course:
    """Run it."""
    twin, found = engine(roster), Course()
    state = twin.start()
    for readings in minutes_of(roster, causes, hours, seed):
        state, report = twin.step(state, readings)
        found.events += report.events
        found.minutes += [one for one in report.minutes if isinstance(one, Minute)]
    return found
