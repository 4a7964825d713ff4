"""The alarm system judged on a simulated line: what an operator would be told without management, and with it.

Before: every beginning of a fault, as the table of faults raises it. After: what is annunciated by the alarm system
over the same events, with an operator who acknowledges within a while.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from simulators import scenarios
from simulators.publish import SimulatedLine
from twin.alarms.commands import Command, command
from twin.alarms.figures import Figures, figures
from twin.alarms.inputs import told
from twin.alarms.layout import Layout
from twin.alarms.log import log_of
from twin.alarms.machine import advance
from twin.alarms.moved import Transition, transitions
from twin.alarms.state import AlarmState
from twin.engine import Engine, Settings
from twin.frames import Event, Readings
from twin.plan import Plan
from twin.plant import Roster
from twin.units import NS_PER_S

__all__ = ["Judged", "begin_ns", "judge"]

STEP_S = 300  # between two looks of the operator, who acknowledges what there is
PERIOD_S = 5  # between two messages of a pot
DAY_S = 86400


class Judged(NamedTuple):
    """Figures of one line before and after."""

    before: Figures
    after: Figures


def begin_ns(roster: Roster) -> int:
    """The first of a month by the calendar of the plant's first site [ns]."""
    site, _ = next(roster.plant.lines())
    return int(datetime(2026, 3, 1, tzinfo=site.zone()).timestamp()) * NS_PER_S


def judge(
    roster: Roster, plan: Plan, scenario: str, pots: int, days: float, seed: int,
    looked: Callable[[int], None] = lambda now_ns: None,
) -> Judged:  # fmt: skip
    """One line of the plant, resized, from the first of a month by its site's calendar. Raises ConfigError."""
    site, line = next(roster.plant.lines())
    line = replace(line, pots=pots, capacity_t_per_year=None, sample_period_s=PERIOD_S)
    own = Roster(replace(roster.plant, sites=[replace(site, lines=[line])]))
    start = begin_ns(roster)
    causes = scenarios.schedule(scenarios.load(scenario), line, scenario, seed=seed)
    simulated = SimulatedLine(own, site, line, seed, start, causes)
    engine = Engine(own, plan, Settings(grace=2, estimate=True, features=True))
    layout, state, twin = Layout.of(own), AlarmState(len(own)), engine.start()
    raw: list[Transition] = []
    managed: list[Transition] = []
    for _ in range(round(days * DAY_S / STEP_S)):
        parts = [part for _ in range(STEP_S // PERIOD_S) for part in simulated.advance(PERIOD_S)]
        readings = Readings.concat(parts)
        twin, report = engine.step(twin, readings)
        raw += (_raw(event, own.paths[event.unit]) for event in report.events)
        moved = advance(layout, state, told(layout, report.events, readings), report.time_ns)
        managed += transitions(layout, state, moved)
        seen, _ = command(layout, state, Command("ack", "operator"), report.time_ns)
        managed += transitions(layout, state, seen)
        looked(simulated.now_ns)
    end, name = simulated.now_ns, f"{site.id}/{line.id}"
    raw.sort(key=lambda one: one.time_ns)
    return Judged(*(figures(log_of(some), name, start, end) for some in (raw, managed)))


def _raw(event: Event, path: str) -> Transition:
    """An event as a plain alarm list would show it."""
    states = ("normal", "unacknowledged") if event.began else ("unacknowledged", "normal")
    return Transition(
        event.time_ns, path, event.code, *states, "fault", "", "", event.severity, event.time_ns, None, None, ""
    )
