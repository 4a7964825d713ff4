"""What models are taught and judged on: simulated lines on which every cause strikes, and the truth of every minute.

Causes come one after the other at a pot, at a section, and at the line, with pauses between them, so that a minute
has one truth; which, when, how long and how badly is chance by seed. Feeders that hang come by themselves on top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulators import chance
from simulators.causes import CAUSES
from simulators.instruments import TELEMETRY
from simulators.schedule import Cause
from twin.frames import Ints
from twin.plant import Line
from twin.units import NS_PER_S

__all__ = [
    "EXPLAINED", "LEFT_OUT", "LINE_CLASSES", "NORMAL", "POT_CLASSES", "SENSORS", "Course", "Truth", "class_of",
    "schedule", "truth_of",
]  # fmt: skip

HOUR = 3600.0
NORMAL = "normal"
SAME = {"anode_effect": "feeder_hang"}  # both starve the pot of alumina: what differs is the share that is missing
POT_CLASSES = (
    NORMAL,
    *(name for name, kind in CAUSES.items() if kind.scope != "line" and name not in SAME),
)
LINE_CLASSES = (NORMAL, *(name for name, kind in CAUSES.items() if kind.scope == "line"))
EXPLAINED = frozenset({NORMAL, "start_up", "power_modulation"})  # known of the plant: they do not alarm
SENSORS = frozenset(name for name, kind in CAUSES.items() if kind.acts_on == "sensor")
# how often a cause is drawn over the others; what is short or hard to tell comes more often
OFTEN = {
    "anode_effect": 0.5, "feeder_hang": 0.7, "start_up": 0.3, "feeder_plugged": 1.3, "sludge": 1.2, "voltage_drift":
    1.3, "alf3_error": 1.2, "cathode_wear": 0.9, "power_modulation": 2.0, "line_current_loss": 1.2,
}  # fmt: skip
LENGTHS = (0.7, 1.3)  # times the usual duration
SHORTER = (0.35, 0.7)
LONGEST_H = {"start_up": 150.0}
FIRST_H = 24.0  # before the first cause: what is usual must be known
PAUSE_H = {"pot": (14.0, 26.0), "section": (8.0, 90.0), "line": (5.0, 10.0)}  # least, and mean beyond it
HANGS = (
    "voltage_v", "noise_mv", "metal_wave_mv", "bath_temperature_c", "bath_temperature_c", "side_wall_temperature_c",
    "anode_current_max_ka", "cathode_drop_mv",
)  # fmt: skip
# h after its begin before a cause can be seen, and after its end while the pot is not itself again: taught as neither
HIDDEN_H = {
    "feeder_plugged": 1.0, "feeder_overdosing": 1.0, "sludge": 1.5, "alf3_error": 12.0, "cathode_wear": 8.0,
    "voltage_drift": 1.5, "cold_pot": 0.7, "hot_pot": 1.2, "ledge_loss": 0.5, "anode_spike": 0.7,
    "thermocouple_bias": 0.2, "feeder_hang": 0.1, "anode_effect": 0.1, "stuck_sensor": 0.08, "tap_scale": 6.0,
    "ac_meter_drift": 0.7, "bad_connection": 0.1,
}  # fmt: skip
AFTER_H = {
    "stuck_sensor": 0.5, "gateway_outage": 0.5, "clock_skew": 0.5, "alf3_error": 30.0, "start_up": 12.0,
    "tap_scale": 40.0, "rectifier_loss": 3.0, "ac_meter_drift": 12.0, "power_modulation": 4.0, "feeder_hang": 3.0,
    "anode_effect": 3.0, "cathode_wear": 14.0, "sludge": 14.0, "voltage_drift": 14.0,
}  # fmt: skip
AFTER_USUAL_H = 9.0


@dataclass(frozen=True, slots=True)
class Course:
    """One simulated line: what is in it follows from these figures alone. `severity` lowest and highest; `clean`: no
    cause but what comes by itself."""

    seed: int
    pots: int
    days: float
    severity: tuple[float, float] = (0.6, 1.4)
    clean: bool = False
    only: str = ""  # "line": no causes but those of the line, and those shorter and closer together


@dataclass(frozen=True, slots=True)
class Truth:
    """One cause that was at work: class, pots (places in the line, empty = the line), from, to [ns], severity."""

    cause: str
    pots: tuple[int, ...]
    begin_ns: int
    end_ns: int
    severity: float


def class_of(cause: str) -> str:
    """The class under which a cause is diagnosed."""
    return SAME.get(cause, cause)


def _draw(names: Sequence[str], *key: int) -> str:
    weights = np.cumsum([OFTEN.get(name, 1.0) for name in names])
    return names[int(np.searchsorted(weights, chance.uniform(*key) * weights[-1]))]


def schedule(course: Course, line: Line) -> list[Cause]:
    """The causes of a course: at each pot, at each section and at the line one after the other."""
    if course.clean:
        return []
    causes: list[Cause] = []
    firsts = range(0, line.pots, line.section_pots)
    for scope, units in (("pot", range(line.pots)), ("section", firsts), ("line", range(1))):
        names = [name for name, kind in CAUSES.items() if kind.scope == scope and course.only in ("", scope)]
        if not names:
            continue
        for unit in units:
            causes += _row(course, scope, names, unit)
    return sorted(causes, key=lambda cause: (cause.start_s, cause.name, cause.pot or 0))


def _row(course: Course, scope: str, names: Sequence[str], unit: int) -> list[Cause]:
    """What strikes one unit."""
    at, n, found = FIRST_H, 0, []
    least, mean = PAUSE_H[scope]
    at += chance.uniform(course.seed, 201, unit, len(scope)) * mean
    while at < course.days * 24.0:
        key = (course.seed, 202, unit, len(scope), n)
        name = _draw(names, *key, 1)
        low, high = SHORTER if course.only else LENGTHS
        hours = CAUSES[name].hours * (low + (high - low) * chance.uniform(*key, 2))
        hours = min(hours, LONGEST_H.get(name, hours))
        weak, strong = course.severity
        severity = weak + (strong - weak) * chance.uniform(*key, 3)
        values = {}
        if name == "stuck_sensor":
            values["row"] = float(TELEMETRY.index(HANGS[int(chance.uniform(*key, 4) * len(HANGS))]))
        if name in ("anode_effect", "stuck_sensor", "gateway_outage"):
            severity = 1.0
        pot = None if scope == "line" else unit
        found.append(Cause(name, pot, at * HOUR, hours * HOUR, severity, values))
        at += hours + least + chance.exponential(mean, *key, 5)
        n += 1
    return found


LEFT_OUT = -1


def _windows(truths: Sequence[Truth]) -> list[tuple[Truth, int, int, int, int]]:
    """Of each truth: begin, from when it can be seen, end, and until when it leaves traces [ns]."""
    found = []
    for truth in truths:
        hidden = HIDDEN_H.get(truth.cause, 0.0)
        after = AFTER_H.get(truth.cause, AFTER_USUAL_H)
        seen = truth.begin_ns + int(hidden * HOUR * NS_PER_S)
        found.append((truth, truth.begin_ns, seen, truth.end_ns, truth.end_ns + int(after * HOUR * NS_PER_S)))
    return found


def truth_of(time_ns: Ints, unit: Ints, truths: Sequence[Truth], classes: Sequence[str]) -> Ints:
    """Number of the class of each row in `classes`, LEFT_OUT where no one truth can be told.

    time_ns, unit (rows,): place of the pot in the line. Truths of the line hold for every row where their class is
    among `classes`; else they are left out of account, but for a line that lost its current: its rows are left out.
    """
    place = {name: n for n, name in enumerate(classes)}
    label = np.full(len(time_ns), place[NORMAL], np.int64)
    count = np.zeros(len(time_ns), np.int64)
    strong = np.zeros(len(time_ns), bool)
    for truth, begin, seen, end, after in _windows(truths):
        name = class_of(truth.cause)
        if name not in place and truth.cause != "line_current_loss":
            continue
        mine = (time_ns >= begin) & (time_ns < after)
        mine &= np.isin(unit, truth.pots) if truth.pots else True
        if not mine.any():
            continue
        sure = mine & (time_ns >= seen) & (time_ns < end) & (name in place)
        many = len(truth.pots) > 1  # of a section: nothing else can be told meanwhile
        label[mine & ~sure & ~strong] = LEFT_OUT
        label[sure & (many | ~strong)] = place.get(name, LEFT_OUT)
        count += sure & ~many
        strong |= sure & many
    label[(count > 1) & ~strong] = LEFT_OUT
    return label
