"""Scenarios: who is struck by what, when, how badly; a TOML text in, a schedule out.

title = "A bad day"
hours = 24

[[cause]]                 # one that is meant
name = "feeder_plugged"   # a row of simulators.causes
pots = ["A007"]           # ids, or a count n = n pots by chance; leave out for a cause of the line
at_h = 2.0
for_h = 6.0               # left out: the row's usual duration
severity = 1.0
values = { missing = -0.3 }   # replace parameters of the row

[[random]]                # some, by chance
name = "anode_spike"
per_pot_day = 0.01        # of a line's cause: per day
for_h = [4.0, 12.0]
severity = [0.6, 1.2]
"""

from __future__ import annotations

import math
import tomllib
from importlib import resources
from typing import Annotated

import msgspec
from msgspec import Meta

from simulators import chance
from simulators.causes import CAUSES
from simulators.schedule import Cause
from twin.errors import ConfigError
from twin.plant import Line

__all__ = ["Scenario", "load", "names", "parse", "schedule"]

HOUR = 3600.0
Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]


class Meant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One cause at a known time."""

    name: str
    at_h: NotNegative
    pots: list[str] | Annotated[int, Meta(ge=1)] | None = None
    for_h: Positive | None = None
    severity: Positive = 1.0
    values: dict[str, float] = {}
    anode: Annotated[int, Meta(ge=1)] | None = None


class Random(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Causes that come by chance, evenly over the scenario."""

    name: str
    per_pot_day: Positive
    for_h: tuple[Positive, Positive] | None = None
    severity: tuple[Positive, Positive] = (1.0, 1.0)


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a scenario file says."""

    title: str
    hours: Positive
    cause: list[Meant] = []
    random: list[Random] = []


def names() -> list[str]:
    """Names of the scenarios that come with the product."""
    folder = resources.files("simulators") / "scenarios"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load(name: str) -> Scenario:
    """A scenario that comes with the product. Raises ConfigError for an unknown name."""
    if name not in names():
        raise ConfigError(f"scenario {name!r} is not there; there are {', '.join(names())}")
    text = (resources.files("simulators") / "scenarios" / f"{name}.toml").read_text("utf-8")
    return parse(text, f"scenario {name}")


def parse(text: str, where: str) -> Scenario:
    """Read a scenario; `where` names it in errors. Raises ConfigError."""
    try:
        scenario = msgspec.convert(tomllib.loads(text), Scenario)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{where}: {error}") from error
    entries: list[Meant | Random] = [*scenario.cause, *scenario.random]
    for entry in entries:
        kind = CAUSES.get(entry.name)
        if kind is None:
            raise ConfigError(f"{where}: cause {entry.name!r} is not in the table: {', '.join(CAUSES)}")
        if isinstance(entry, Meant):
            known = {parameter.name for parameter in kind.parameters}
            if unknown := sorted(set(entry.values) - known):
                raise ConfigError(
                    f"{where}: cause {entry.name!r} has no parameter {', '.join(unknown)}; it has {sorted(known)}"
                )
            if (kind.scope == "line") != (entry.pots is None):
                raise ConfigError(f"{where}: cause {entry.name!r} strikes a {kind.scope}: check its pots")
    return scenario


def schedule(scenario: Scenario, line: Line, where: str, *, seed: int) -> list[Cause]:
    """The schedule of one line; the same seed places the same causes. Raises ConfigError for an unknown pot."""
    causes: list[Cause] = []
    for n, entry in enumerate(scenario.cause):
        hours = entry.for_h or CAUSES[entry.name].hours
        anode = None if entry.anode is None else entry.anode - 1
        for pot in _pots(entry, line, where, seed, n):
            start, length = entry.at_h * HOUR, hours * HOUR
            causes.append(Cause(entry.name, pot, start, length, entry.severity, dict(entry.values), anode))
    for n, often in enumerate(scenario.random):
        causes += _by_chance(often, line, scenario.hours, (seed, 102, n))
    return sorted(causes, key=lambda cause: (cause.start_s, cause.name, cause.pot or 0))


def _pots(entry: Meant, line: Line, where: str, seed: int, place: int) -> list[int | None]:
    if entry.pots is None:
        return [None]
    if isinstance(entry.pots, int):
        order = sorted(range(line.pots), key=lambda pot: chance.uniform(seed, 101, place, pot))
        return [*sorted(order[: entry.pots])]
    index = {pot: n for n, pot in enumerate(line.pot_ids())}
    if missing := [pot for pot in entry.pots if pot not in index]:
        raise ConfigError(f"{where}: line {line.id} has no pot {', '.join(missing)}")
    return [index[pot] for pot in entry.pots]


def _by_chance(often: Random, line: Line, hours: float, key: tuple[int, ...]) -> list[Cause]:
    """Poisson arrivals at every pot (or at the line)."""
    kind, causes = CAUSES[often.name], []
    units: list[int | None] = [None] if kind.scope == "line" else list(range(line.pots))
    low, high = often.for_h or (kind.hours, kind.hours)
    for unit in units:
        own = (*key, -1 if unit is None else unit)
        at, count = 0.0, 0
        while True:
            at += chance.exponential(24.0 / often.per_pot_day, *own, count, 1)
            if at >= hours:
                break
            length = low * math.exp(math.log(high / low) * chance.uniform(*own, count, 2))
            weak, strong = often.severity
            severity = weak + (strong - weak) * chance.uniform(*own, count, 3)
            causes.append(Cause(often.name, unit, at * HOUR, length * HOUR, severity))
            at += length  # one of a kind at a time
            count += 1
    return causes
