"""A small alarm system to try out: a plant of two sections, a clock that is told, events by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tests.core.plants import NOW_NS, NS
from twin import plant
from twin.alarms.commands import Answer, Command, Role, command
from twin.alarms.inputs import told
from twin.alarms.layout import Layout
from twin.alarms.machine import advance
from twin.alarms.moved import Moved, Transition, transitions
from twin.alarms.rows import index_of
from twin.alarms.state import NAMES, AlarmState
from twin.faults import FAULTS
from twin.frames import Event, Readings
from twin.plant import Roster
from twin.signals import by_name

PLANT = """
title = "Alarm plant"
[[sites]]
id = "s"
time_zone = "Asia/Shanghai"
[[sites.lines]]
id = "L"
pots = {pots}
section_pots = {section}
design = "d"
[designs.d]
"""
LOW = "line_current_low"  # its root alarm hears the current itself, not the rule
HOLD = {fault.code: (fault.hold_s, fault.clear_hold_s) for fault in FAULTS if fault.code != LOW}


def roster_of(pots: int = 8, section: int = 4) -> Roster:
    """Line `s/L` with pots `s/L/001` ... in sections."""
    return Roster(plant.parse(PLANT.format(pots=pots, section=section), "test"))


@dataclass
class Rig:
    """One alarm system; `now_s` since NOW_NS."""

    roster: Roster = field(default_factory=roster_of)
    now_s: float = 0.0
    moved: list[Transition] = field(default_factory=list)
    last: dict[tuple[str, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.layout = Layout.of(self.roster)
        self.state = AlarmState(len(self.layout))

    @property
    def now_ns(self) -> int:
        return NOW_NS + round(self.now_s * NS)

    def unit(self, name: str) -> int:
        return self.roster.codes[name]

    def _note(self, moved: list[Moved]) -> list[Transition]:
        found = list(transitions(self.layout, self.state, moved))
        self.moved += found
        return found

    def take(self, events: list[Event], readings: Readings | None = None, *, now_s: float | None = None) -> None:
        self.now_s = self.now_s if now_s is None else now_s
        low = [event for event in events if event.code == LOW]
        rated = [self.layout.rated_ka[event.unit] * (0.5 if event.began else 1.0) for event in low]
        currents = Readings.of(
            [event.time_ns for event in low],
            [event.unit for event in low],
            [by_name("line_current_ka")] * len(low),
            rated,
        )
        heard = currents if readings is None else Readings.concat([readings, currents])
        self._note(advance(self.layout, self.state, told(self.layout, events, heard), self.now_ns))

    def event(self, code: str, name: str, began: bool, at_s: float | None = None) -> Event:
        """A fault event that becomes known at `at_s` (now): it really was its hold earlier."""
        hold = HOLD.get(code, (0.0, 0.0))[0 if began else 1]
        at = (self.now_s if at_s is None else at_s) - hold
        last = self.last.get((code, name), -1e9)
        at = self.last[code, name] = at if at > last else last + 0.5  # an end is after its beginning
        return Event(NOW_NS + round(at * NS), self.unit(name), code, began, "high", 9.0, 8.0)

    def occurs(self, code: str, name: str) -> None:
        self.take([self.event(code, name, True)])

    def ends(self, code: str, name: str) -> None:
        self.take([self.event(code, name, False)])

    def readings(self, name: str, signal: str, *values: tuple[float, float]) -> Readings:
        times = [NOW_NS + round(at * NS) for at, _ in values]
        code = self.unit(name)
        return Readings.of(times, [code] * len(values), [by_name(signal)] * len(values), [v for _, v in values])

    def wait(self, seconds: float) -> list[Transition]:
        self.now_s += seconds
        before = len(self.moved)
        self.take([])
        return self.moved[before:]

    def do(
        self,
        action: str,
        name: str = "",
        code: str = "",
        *,
        role: Role = "engineer",
        why: str = "test",
        hours: float = 1,
    ) -> Answer:
        until = self.now_ns + round(hours * 3600 * NS) if action in ("shelve", "declare") else 0
        asked = Command(action, "li.wei", role, name, code, why, until)
        moved, answer = command(self.layout, self.state, asked, self.now_ns)
        self._note(moved)
        return answer

    def shown(self, code: str, name: str) -> str:
        cell = index_of(code) * self.state.units + self.unit(name)
        return NAMES[int(self.state.shown(np.array([cell]))[0])]
