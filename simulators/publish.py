"""Publishes simulated lines like real sensors: same topics, same messages, same lateness.

A line starts `simulate.history_min` in the past and runs ahead until it has caught up with the clock, then goes on
with it; at most `simulate.speed` simulated seconds a second, and never into the future.
"""

from __future__ import annotations

import asyncio
import heapq

import numpy as np
from numpy.typing import NDArray

from simulators.potline import Potline
from simulators.sensors import Observation, Sensors
from twin.encode import encode
from twin.frames import Readings
from twin.plant import Line, Roster, Site
from twin.ports import Clock, Publisher
from twin.settings import Settings
from twin.signals import by_name
from twin.units import NS_PER_S

__all__ = ["SimulatedLine", "simulate"]

# Simulated seconds a second while the past is published: what the embedded broker's memory lets the ingest follow.
CATCH_UP_SPEED = 600.0
_CHUNK_S = 30


class SimulatedLine:
    """One line as its sensors show it: `advance` gives what they send in the next second."""

    def __init__(self, roster: Roster, site: Site, line: Line, seed: int, start_ns: int) -> None:
        path = f"{site.id}/{line.id}"
        self._line_unit = roster.codes[path]
        self._pots = np.array([roster.codes[f"{path}/{pot}"] for pot in line.pot_ids()], np.int32)
        self._potline = Potline.of(roster.plant, line, site.id, seed=seed, start_ns=start_ns)
        self._sensors = Sensors(self._potline, seed)
        self._later: list[tuple[int, int, Readings]] = []  # due, order, readings
        self._held: list[Readings] = []  # kept by gateways that cannot send now
        self._count = 0

    @property
    def now_ns(self) -> int:
        return self._potline.now_ns

    def advance(self, seconds: float) -> list[Readings]:
        """Run on and read the sensors once at the end; parts are separate messages even where they repeat."""
        for _ in range(round(seconds)):
            self._potline.step()
        seen = self._sensors.observe()
        prompt = (seen.delay_s <= 0) & ~seen.offline
        parts = [self._telemetry(seen, prompt), self._slow(seen)]
        if seen.duplicated.any():
            parts.append(self._telemetry(seen, seen.duplicated & prompt))
        for pot in np.flatnonzero((seen.delay_s > 0) & ~seen.offline).tolist():
            self._count += 1
            one = np.arange(len(self._pots)) == pot
            due = seen.time_ns + int(seen.delay_s[pot] * NS_PER_S)
            heapq.heappush(self._later, (due, self._count, self._telemetry(seen, one)))
        while self._later and self._later[0][0] <= seen.time_ns:
            parts.append(heapq.heappop(self._later)[2])
        if seen.offline.any():
            self._held.append(self._telemetry(seen, seen.offline))
        elif self._held:
            parts, self._held = [*parts, *self._held], []
        return [part for part in parts if len(part)]

    def _telemetry(self, seen: Observation, pots: NDArray[np.bool_]) -> Readings:
        codes = np.array([by_name(name) for name in seen.telemetry], np.int16)
        table = np.array(list(seen.telemetry.values())).T[pots]
        count = len(codes)
        return Readings.of(
            np.repeat(seen.pot_time_ns[pots], count),
            np.repeat(self._pots[pots], count),
            np.tile(codes, len(table)),
            table.ravel(),
        )

    def _slow(self, seen: Observation) -> Readings:
        """The line's own readings, events, and the samples that have become available."""
        rows = [(seen.time_ns, self._line_unit, name, value) for name, value in seen.line.items()]
        rows += [(time, int(self._pots[pot]), name, value) for time, pot, name, value in seen.events]
        rows += [(time, int(self._pots[pot]), name, value) for time, _, pot, name, value in seen.samples]
        times, units, names, values = zip(*rows, strict=True)
        return Readings.of(times, units, [by_name(name) for name in names], values)


async def simulate(roster: Roster, publisher: Publisher, settings: Settings, clock: Clock) -> None:
    """Publish every line of the plant until cancelled. Raises SourceUnavailable when the broker stays away."""
    period = settings["simulate.period_s"]
    start = clock.now_ns() // NS_PER_S * NS_PER_S - settings["simulate.history_min"] * 60 * NS_PER_S
    lines = [
        SimulatedLine(roster, site, line, settings["simulate.seed"] + index, start)
        for index, (site, line) in enumerate(roster.plant.lines())
    ]
    loop = asyncio.get_running_loop()
    while True:
        began, behind_s = loop.time(), (clock.now_ns() - lines[0].now_ns) / NS_PER_S
        catching_up = behind_s > 2 * period + 1
        periods = max(1, int(min(_CHUNK_S, behind_s) / period)) if catching_up else 1
        if behind_s < period:
            await asyncio.sleep(period - behind_s)
        parts = [part for _ in range(periods) for line in lines for part in line.advance(period)]
        batched = catching_up or settings["simulate.batched"]
        await publisher.publish(
            [m for part in parts for m in encode(part, roster, settings["mqtt.root"], batched=batched)]
        )
        if catching_up or settings["simulate.speed"] != 1.0:
            speed = settings["simulate.speed"] if settings["simulate.speed"] != 1.0 else CATCH_UP_SPEED
            await asyncio.sleep(max(0.0, began + periods * period / speed - loop.time()))
