"""Publishes simulated lines like real sensors: same topics, same messages, same lateness.

A line starts `simulate.history_min` in the past (or at `simulate.start`) and runs ahead until it has caught up with the
clock, then goes on with it; at most `simulate.speed` simulated seconds a second, and never into the future.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulators import scenarios
from simulators.potline import Potline
from simulators.schedule import Cause
from simulators.sensors import Observation, Sensors
from twin.encode import encode
from twin.errors import ConfigError, PayloadError
from twin.frames import Readings
from twin.plant import Line, Roster, Site
from twin.ports import Clock, Publisher
from twin.settings import Settings
from twin.signals import by_name
from twin.times import parse_time
from twin.units import NS_PER_S

__all__ = ["SimulatedLine", "end_ns", "lines_of", "scenario_of", "simulate", "start_ns"]

# Simulated seconds a second while the past is published: what the embedded broker's memory lets the ingest follow.
CATCH_UP_SPEED = 600.0
_CHUNK_S = 30
_BUFFER = 4 * 3600  # observations that a gateway keeps while it is silent


class SimulatedLine:
    """One line as its sensors show it: `advance` gives what they send in the next second."""

    def __init__(
        self, roster: Roster, site: Site, line: Line, seed: int, start_ns: int, causes: Sequence[Cause] = ()
    ) -> None:
        path = f"{site.id}/{line.id}"
        self.unit = roster.codes[path]
        self.pots = np.array([roster.codes[f"{path}/{pot}"] for pot in line.pot_ids()], np.int32)
        self.potline = Potline.of(roster.plant, line, site.id, seed=seed, start_ns=start_ns, cause_schedule=causes)
        self._sensors = Sensors(self.potline, seed)
        self._later: list[tuple[int, int, Readings]] = []  # due, order, readings
        self._held: deque[Readings] = deque(maxlen=_BUFFER)  # kept by gateways that cannot send now
        self._silent = np.zeros(len(self.pots), bool)
        self._count = 0

    @property
    def now_ns(self) -> int:
        return self.potline.now_ns

    def advance(self, seconds: float) -> list[Readings]:
        """Run on and read the sensors once at the end; parts are separate messages even where they repeat."""
        for _ in range(round(seconds)):
            self.potline.step()
        seen = self._sensors.observe()
        prompt = (seen.delay_s <= 0) & ~seen.offline
        parts = [self._telemetry(seen, prompt), self._slow(seen)]
        if seen.duplicated.any():
            parts.append(self._telemetry(seen, seen.duplicated & prompt))
        for pot in np.flatnonzero((seen.delay_s > 0) & ~seen.offline).tolist():
            self._count += 1
            one = np.arange(len(self.pots)) == pot
            due = seen.time_ns + int(seen.delay_s[pot] * NS_PER_S)
            heapq.heappush(self._later, (due, self._count, self._telemetry(seen, one)))
        while self._later and self._later[0][0] <= seen.time_ns:
            parts.append(heapq.heappop(self._later)[2])
        parts += self._released(seen.offline)
        if seen.offline.any():
            self._held.append(self._telemetry(seen, seen.offline))
        return [part for part in parts if len(part)]

    def _released(self, offline: NDArray[np.bool_]) -> list[Readings]:
        """What gateways that answer again have kept, oldest first."""
        back, self._silent = self._silent & ~offline, offline
        if not back.any():
            return []
        silent = self.pots[offline]
        held, self._held = self._held, deque(maxlen=_BUFFER)
        sent = []
        for part in held:
            still = np.isin(part.unit, silent)
            sent.append(part.take(~still))
            if still.any():
                self._held.append(part.take(still))
        return sent

    def _telemetry(self, seen: Observation, pots: NDArray[np.bool_]) -> Readings:
        codes = np.array([by_name(name) for name in seen.telemetry], np.int16)
        table = np.array(list(seen.telemetry.values())).T[pots]
        count = len(codes)
        return Readings.of(
            np.repeat(seen.pot_time_ns[pots], count),
            np.repeat(self.pots[pots], count),
            np.tile(codes, len(table)),
            table.ravel(),
        )

    def _slow(self, seen: Observation) -> Readings:
        """The line's own readings, events, and the samples that have become available."""
        rows = [(seen.time_ns, self.unit, name, value) for name, value in seen.line.items()]
        rows += [(time, int(self.pots[pot]), name, value) for time, pot, name, value in seen.events]
        rows += [(time, int(self.pots[pot]), name, value) for time, _, pot, name, value in seen.samples]
        times, units, names, values = zip(*rows, strict=True)
        return Readings.of(times, units, [by_name(name) for name in names], values)


def scenario_of(settings: Settings) -> scenarios.Scenario | None:
    """The scenario of `simulate.scenario`, packaged or a file; None when there is none. Raises ConfigError."""
    name = settings["simulate.scenario"]
    if not name.endswith(".toml"):
        return scenarios.load(name) if name else None
    try:
        return scenarios.parse(Path(name).read_text("utf-8"), name)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"scenario {name} cannot be read: {error}") from error


def start_ns(settings: Settings, now_ns: int) -> int:
    """First moment simulated, a whole second. Raises ConfigError."""
    text = settings["simulate.start"]
    try:
        moment = parse_time(text) if text else now_ns - settings["simulate.history_min"] * 60 * NS_PER_S
    except PayloadError as error:
        raise ConfigError(f"simulate.start {error.detail}") from error
    return moment // NS_PER_S * NS_PER_S


def end_ns(settings: Settings, start: int) -> int | None:
    """Moment at which the simulation ends, None = never."""
    hours = settings["simulate.hours"]
    return start + int(hours * 3600 * NS_PER_S) if hours else None


def lines_of(roster: Roster, settings: Settings, start: int) -> list[SimulatedLine]:
    """Every line of the plant, under the scenario of the settings. Raises ConfigError."""
    scenario, lines = scenario_of(settings), []
    for index, (site, line) in enumerate(roster.plant.lines()):
        seed = settings["simulate.seed"] + index
        name = settings["simulate.scenario"]
        causes = scenarios.schedule(scenario, line, name, seed=seed) if scenario else []
        lines.append(SimulatedLine(roster, site, line, seed, start, causes))
    return lines


async def simulate(
    roster: Roster,
    publisher: Publisher,
    settings: Settings,
    clock: Clock,
    told: Callable[[int], None] = lambda now_ns: None,
    *,
    after_ns: int = 0,
) -> None:
    """Publish every line of the plant until `simulate.hours` are over or cancelled; `told` the time simulated.

    The simulated past begins after `after_ns`: where an earlier run has told of that time, a line with other meter
    readings for the same hour would only confuse the books.
    Raises ConfigError, and SourceUnavailable when the broker stays away.
    """
    period = settings["simulate.period_s"]
    start = max(start_ns(settings, clock.now_ns()), (after_ns // NS_PER_S + 1) * NS_PER_S)
    lines, end = lines_of(roster, settings, start), end_ns(settings, start)
    loop = asyncio.get_running_loop()
    while (left := (end - lines[0].now_ns) / NS_PER_S / period if end else _CHUNK_S) >= 1:
        began, behind_s = loop.time(), (clock.now_ns() - lines[0].now_ns) / NS_PER_S
        catching_up = behind_s > 2 * period + 1
        periods = max(1, int(min(_CHUNK_S / period, behind_s / period, left))) if catching_up else 1
        if behind_s < period:
            await asyncio.sleep(period - behind_s)
        parts = [part for _ in range(periods) for line in lines for part in line.advance(period)]
        batched = catching_up or settings["simulate.batched"]
        await publisher.publish(
            [m for part in parts for m in encode(part, roster, settings["mqtt.root"], batched=batched)]
        )
        told(lines[0].now_ns)
        if catching_up or settings["simulate.speed"] != 1.0:
            speed = settings["simulate.speed"] if settings["simulate.speed"] != 1.0 else CATCH_UP_SPEED
            await asyncio.sleep(max(0.0, began + periods * period / speed - loop.time()))
