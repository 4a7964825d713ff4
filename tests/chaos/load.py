"""What the pots of a chaos run say: numbered readings, and what is done to the messages on their way.

Everything is a function of the plan of the run, so that the publisher and the judge, two processes, know the same.
The number of a reading is its alumina counter; its voltage follows from the second of its source time, so that a clock
that is wrong by seconds does not put two different voltages into one second of the books.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import msgspec
import orjson

from tests.chaos.schedule import SOURCE_KINDS, Disturbance
from twin import plant
from twin.plant import Roster

__all__ = ["LINE_POTS", "NUMBER", "Plan", "Point", "Said", "end_mark", "plant_toml", "said"]

SITE = "chaos"
LINE_POTS = 300
SECTION_POTS = 20
NS = 1_000_000_000
MS = 1_000_000
AHEAD_S = 3600  # beyond what the ingest takes for a clock that is a little fast
# Fractions of a second that no other source has: a wrong clock never makes two readings of one key.
SKEWS_S = (-4.25, 3.5)
HELD_S = 4.0  # longest that a message which others overtake is held back
NUMBER = {"pot": "alumina_feed_kg", "line": "power_hydro_pct", "event": "tapped_metal_kg"}
Point = tuple[str, str, int, float]  # measurement, path, source time [ns], number


class Plan(msgspec.Struct, frozen=True, dict=True):
    """What publisher and judge must agree on. `start_ns` source time of the first reading, a whole second."""

    pots: int
    seconds: int
    seed: int
    start_ns: int
    root: str
    batched: bool
    disturbances: list[tuple[float, str, float]]

    @cached_property
    def roster(self) -> Roster:
        return Roster(plant.parse(plant_toml(self.pots), "chaos"))

    def active(self, kind: str, second: int) -> bool:
        """Whether readings of this second are disturbed in this way."""
        found = (Disturbance(*row) for row in self.disturbances)
        return any(one.kind == kind and one.at_s <= second < one.end_s for one in found)


@dataclass(frozen=True, slots=True)
class Said:
    """One message: sent `delays_s` after its second, once for each. `points` it must leave in the store; `reason` for
    which it must be parked instead, `serial` found in its payload."""

    topic: str
    payload: bytes
    points: tuple[Point, ...] = ()
    reason: str = ""
    delays_s: tuple[float, ...] = field(default=(0.0,))


def plant_toml(pots: int) -> str:
    """A plant file of lines of at most LINE_POTS pots."""
    sizes = [min(LINE_POTS, pots - first) for first in range(0, pots, LINE_POTS)]
    lines = "".join(
        f'\n[[sites.lines]]\nid = "L{n}"\npots = {size}\nsection_pots = {SECTION_POTS}\ndesign = "p500"\n'
        for n, size in enumerate(sizes, 1)
    )
    return f'[[sites]]\nid = "{SITE}"\ntime_zone = "UTC"\n{lines}\n[designs.p500]\nrated_current_ka = 500\n'


def said(plan: Plan, second: int) -> Iterator[Said]:
    """Every message of one second, in the order in which undisturbed sources send them."""
    chance = random.Random(plan.seed << 24 | second)
    disturbed = {kind: plan.active(kind, second) for kind in SOURCE_KINDS}
    for path, pots in _sections(plan):
        skew_s = chance.choice(SKEWS_S) if disturbed["clock skew"] and chance.random() < 0.2 else 0.0
        time_ns = plan.start_ns + second * NS + int(skew_s * NS)
        for message in _telemetry(plan, path, pots, second, time_ns):
            yield _delayed(message, disturbed, chance)
    for message in (*_lines(plan, second), _event(plan, second, chance)):
        yield _delayed(message, disturbed, chance)
    if disturbed["poison"]:
        for number in range(4):
            yield _poison(plan, second, number)


def end_mark(plan: Plan) -> Said:
    """The last message of a run: it is parked when everything that the broker had before it is safe."""
    return Said(f"{plan.root}/end", orjson.dumps({"end": plan.seed}), (), "bad_topic")


def _delayed(message: Said, disturbed: dict[str, bool], chance: random.Random) -> Said:
    first = chance.uniform(0.0, HELD_S) if disturbed["reorder"] else 0.0
    delays = [first]
    if disturbed["duplicate"] and chance.random() < 0.3:
        delays.append(first + chance.choice((0.0, 1.0, 5.0)))
    return Said(message.topic, message.payload, message.points, message.reason, tuple(delays))


def _sections(plan: Plan) -> Iterator[tuple[str, list[str]]]:
    """Path of each section's topic, and the ids of its pots."""
    for site, line in plan.roster.plant.lines():
        pots = list(line.pot_ids())
        for first in range(0, len(pots), line.section_pots):
            number = first // line.section_pots + 1
            yield f"{site.id}/{line.id}/section/{number}", pots[first : first + line.section_pots]


def _voltage(pot: int, time_ns: int) -> float:
    return round(3.9 + (pot * 7 + time_ns // NS * 13) % 200 / 1000, 3)


def _telemetry(plan: Plan, path: str, pots: list[str], second: int, time_ns: int) -> Iterator[Said]:
    line = path.rpartition("/section/")[0]
    number = float(second + 1)
    volts = [_voltage(index, time_ns) for index in range(len(pots))]
    points = [("pot", f"{line}/{pot}", time_ns, number) for pot in pots]
    if plan.batched:
        body = {"time": time_ns // MS, "pot": pots, "voltage_v": volts, NUMBER["pot"]: [number] * len(pots)}
        yield Said(f"{plan.root}/{path}/telemetry", orjson.dumps(body), tuple(points))
        return
    for pot, volt, point in zip(pots, volts, points, strict=True):
        body = {"time": time_ns // MS, "voltage_v": volt, NUMBER["pot"]: number}
        yield Said(f"{plan.root}/{line}/{pot}/telemetry", orjson.dumps(body), (point,))


def _lines(plan: Plan, second: int) -> Iterator[Said]:
    time_ns = plan.start_ns + second * NS
    for site, line in plan.roster.plant.lines():
        path = f"{site.id}/{line.id}"
        kilowatt_hours = line.pots * 4.0 * 500 * second / 3600
        number = round(second % 99 + second % 1000 / 1000, 3)
        body = {
            "time": time_ns // MS,
            "line_current_ka": round(500 + second % 7 / 100, 2),
            "line_voltage_v": round(line.pots * 4.0 + second % 5 / 10, 1),
            "ac_energy_kwh": round(1000 + kilowatt_hours / 0.985, 3),
            "auxiliary_energy_kwh": round(100 + kilowatt_hours * 0.02, 3),
            NUMBER["line"]: number,
        }
        yield Said(f"{plan.root}/{path}/line", orjson.dumps(body), (("line", path, time_ns, number),))


def _event(plan: Plan, second: int, chance: random.Random) -> Said:
    """A pot is tapped each second, so that a tap that is booked twice shows in the metal."""
    pots = plan.roster.pot_codes()
    path = plan.roster.paths[pots[chance.randrange(len(pots))]]
    time_ns = plan.start_ns + second * NS
    number = float(1000 + second)
    body = orjson.dumps({"time": time_ns // MS, NUMBER["event"]: number})
    return Said(f"{plan.root}/{path}/event", body, (("event", path, time_ns, number),))


def _poison(plan: Plan, second: int, number: int) -> Said:
    """A message that cannot be used, each another one."""
    site, line = next(plan.roster.plant.lines())
    path, serial = f"{plan.root}/{site.id}/{line.id}", second * 10 + number
    pot = f"{path}/{line.pot_ids()[0]}"
    ahead_ms = (plan.start_ns + (second + AHEAD_S) * NS) // MS
    time_ms = (plan.start_ns + second * NS) // MS
    return (
        Said(f"{pot}/telemetry", b'{"serial": %d, "time": %d, "voltage_v"' % (serial, time_ms), (), "malformed"),
        Said(f"{pot}/telemetry", b'{"serial": %d, "time": %d, "voltage_v": 4}' % (serial, ahead_ms), (), "future_time"),
        Said(f"{plan.root}/{SITE}/nowhere/P1/telemetry", b'{"serial": %d}' % serial, (), "unknown_unit"),
        Said(f"{path}/section/1/telemetry", b'{"time": %d, "pot": ["001", "002"], "voltage_v": [%d]}'
             % (time_ms, serial), (), "length_mismatch"),
    )[number]  # fmt: skip
