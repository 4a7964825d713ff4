"""Fakes that ship: a source with a script, a store in memory, a clock that is told the time, a publisher that keeps.

They obey the same contract tests as the real adapters.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from twin import over_time
from twin.catalogue import CATALOGUE
from twin.errors import SpoolFull
from twin.frames import Readings
from twin.plant import Roster
from twin.ports import Buckets, Message, Spooled, SpoolState
from twin.signals import SIGNALS

__all__ = ["Discard", "FakeClock", "KeepingPublisher", "ListSource", "MemorySink", "MemorySpool"]


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

    async def history(
        self, measurement: str, path: str, codes: Sequence[int], start_ns: int, end_ns: int, step_ns: int
    ) -> Buckets:
        return over_time.of_readings(await self.read(measurement, path, start_ns, end_ns), codes, step_ns)

    async def measured(self, start_ns: int, end_ns: int) -> Readings:
        known = [line for line in self._roster.paths if "/" in line]
        found = sorted(
            (time, self._roster.add(unit), signal, value)
            for (unit, signal, time), value in self.values.items()
            if start_ns <= time < end_ns and signal < len(SIGNALS)
            if unit in known or unit.rpartition("/")[0] in known
        )
        times, units, signals, values = zip(*found, strict=True) if found else ((), (), (), ())
        return Readings.of(times, units, signals, values)


class Discard:
    """Sink of a process that only computes: another one stores."""

    async def write(self, readings: Readings) -> None:
        """Nothing to keep."""


class MemorySpool:
    """A spool in a list, which outlives the object that reads it: give `rows` to the next one as after a restart.

    `failures` are raised one by one, one a call, before anything is done.
    """

    def __init__(
        self, max_bytes: int = 1 << 30, rows: list[Spooled] | None = None, failures: Iterable[Exception] = ()
    ) -> None:
        self.max_bytes = max_bytes
        self.rows = [] if rows is None else rows
        self.state = SpoolState()
        self.failures = list(failures)

    async def open(self) -> None:
        self._fail()
        self._count()

    async def put(self, messages: Sequence[Message], received_ns: int, readings: int) -> None:
        self._fail()
        size = sum(len(message.payload) for message in messages)
        if self.state.bytes + size > self.max_bytes:
            raise SpoolFull(f"spool in memory is full: {self.state.bytes} of {self.max_bytes} bytes")
        self.rows.append(Spooled(self.state.last_id + 1, received_ns, len(messages), readings, tuple(messages)))
        self._count()

    async def oldest(self, messages: int) -> Sequence[Spooled]:
        self._fail()
        found: list[Spooled] = []
        for row in self.rows:
            messages -= row.held
            if found and messages < 0:
                break
            found.append(row)
        return found

    async def remove(self, up_to: int) -> None:
        self.rows[:] = [row for row in self.rows if row.id > up_to]
        self._count()
        self._fail()

    async def close(self) -> None:
        """Nothing to close."""

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)

    def _count(self) -> None:
        rows, state = self.rows, self.state
        state.batches, state.messages = len(rows), sum(row.held for row in rows)
        state.readings = sum(row.readings for row in rows)
        state.bytes = sum(len(message.payload) for row in rows for message in row.messages or ())
        state.oldest_ns = rows[0].received_ns if rows else 0
        state.last_id = max([state.last_id, *(row.id for row in rows)])


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
