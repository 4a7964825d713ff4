"""Fakes that ship: a source with a script, a store in memory, a clock that is told the time, a publisher that keeps.

They obey the same contract tests as the real adapters.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from twin.catalogue import CATALOGUE
from twin.frames import Readings
from twin.plant import Roster
from twin.ports import Message
from twin.signals import MEASUREMENTS

__all__ = ["FakeClock", "KeepingPublisher", "ListSource", "MemorySink"]


@dataclass
class _Given:
    messages: Sequence[Message]
    acknowledged: bool = False

    def acknowledge(self) -> None:
        self.acknowledged = True


class ListSource:
    """Gives the batches of a list, then ends; remembers what was acknowledged, in order."""

    def __init__(self, batches: Iterable[Sequence[Message]]) -> None:
        self.given = [_Given(batch) for batch in batches]

    async def deliveries(self) -> AsyncIterator[_Given]:
        for delivery in self.given:
            yield delivery

    @property
    def acknowledged(self) -> list[bool]:
        return [delivery.acknowledged for delivery in self.given]


class MemorySink:
    """A store in a dict: one value per (unit path, signal, time); the last one written counts.

    `failures` are raised one by one, one a write, before anything is kept.
    """

    def __init__(self, roster: Roster, failures: Iterable[Exception] = ()) -> None:
        self._roster = roster
        self._failures = list(failures)
        self.values: dict[tuple[str, int, int], float] = {}

    async def write(self, readings: Readings) -> None:
        if self._failures:
            raise self._failures.pop(0)
        kept = readings.take(np.isfinite(readings.value))
        paths = self._roster.paths
        for time, unit, signal, value in zip(
            kept.time_ns.tolist(), kept.unit.tolist(), kept.signal.tolist(), kept.value.tolist(), strict=True
        ):
            self.values[paths[unit], signal, time] = value

    async def read(self, measurement: str, path: str, start_ns: int, end_ns: int) -> Readings:
        found = sorted(
            (time, signal, value)
            for (unit, signal, time), value in self.values.items()
            if unit == path and start_ns <= time < end_ns and CATALOGUE[signal].measurement == measurement
        )
        code = self._roster.code(path)
        times, signals, values = zip(*found, strict=True) if found else ((), (), ())
        return Readings.of(times, [code or 0] * len(found), signals, values)

    async def measured(self, start_ns: int, end_ns: int) -> Readings:
        known = [line for line in self._roster.paths if "/" in line]
        found = sorted(
            (time, self._roster.add(unit), signal, value)
            for (unit, signal, time), value in self.values.items()
            if start_ns <= time < end_ns and CATALOGUE[signal].topic in MEASUREMENTS
            if unit in known or unit.rpartition("/")[0] in known
        )
        times, units, signals, values = zip(*found, strict=True) if found else ((), (), (), ())
        return Readings.of(times, units, signals, values)


@dataclass
class FakeClock:
    """A clock that stands where it is put [ns]."""

    time_ns: int = 1_763_964_000_000_000_000

    def now_ns(self) -> int:
        return self.time_ns


@dataclass
class KeepingPublisher:
    """Keeps what it is given to publish."""

    messages: list[Message] = field(default_factory=list)

    async def publish(self, messages: Sequence[Message]) -> None:
        self.messages.extend(messages)
