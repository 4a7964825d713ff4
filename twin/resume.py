"""Going on after a restart: the state that was kept, and what the store took in since.

A message is acknowledged when it is stored. Which minutes of source time were written since the state was kept stands
in a journal beside it, on disk before the store has them; they are read back, so that books and estimates are those of
a process that never stopped, however late the readings came. To read too much does no harm: a reading counts once.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from pathlib import Path

import numpy as np

from twin import checkpoint
from twin.engine import Engine, State
from twin.errors import PayloadError, SinkUnavailable
from twin.frames import Ints, Readings
from twin.ports import Sink, Store
from twin.windows import MINUTE_NS

__all__ = ["Journal", "Noted", "keep", "missed", "resumed"]

ROWS = 90_000  # read back at once: a row a unit and second


def resumed(file: Path, engine: Engine, say: Callable[[str], None]) -> State | None:
    """The state that an earlier run kept; None where there is none that fits, which is told."""
    try:
        return checkpoint.from_bytes(engine, file.read_bytes())
    except FileNotFoundError:
        return None
    except PayloadError as error:
        say(f"{file}: {error}; the twin starts anew. Its figures go on from now; what is stored stays.")
        return None


def keep(file: Path, data: bytes) -> None:
    """Write the state: whole or not at all, also when the power fails in the middle."""
    fresh = file.with_suffix(file.suffix + ".new")
    file.parent.mkdir(parents=True, exist_ok=True)
    with fresh.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)


class Journal:
    """Minutes of source time that were written to the store since the state was kept the time before last.

    Not the last time: what was stored just before the state was kept may not have been in it yet. `missed` are the
    minutes that an earlier run has put down. At most `horizon_h` of minutes are remembered, the newest: older ones the
    books no longer take.
    """

    def __init__(self, file: Path, horizon_h: int, say: Callable[[str], None]) -> None:
        self._file = file
        self._most = horizon_h * 60
        self._older: set[int] = set()
        self._newer: set[int] = set()
        self._lock = asyncio.Lock()
        try:
            self._older = {int(minute) for minute in json.loads(file.read_bytes())}
        except FileNotFoundError:
            pass
        except (ValueError, TypeError) as error:
            say(f"{file}: {error}; what was stored since the twin's state was kept is not read back into its figures.")
        self.missed = frozenset(self._older)

    async def note(self, time_ns: Ints) -> None:
        """Put the minutes of these times down; returns when they are on disk. Raises OSError."""
        if not len(time_ns):
            return
        first, last = int(time_ns.min()) // MINUTE_NS, int(time_ns.max()) // MINUTE_NS
        minutes = {first} if first == last else set(np.unique(time_ns // MINUTE_NS).tolist())
        if minutes <= self._newer:
            return
        async with self._lock:
            await self._write(self._older, self._newer | minutes)

    async def kept(self) -> None:
        """The state has been kept, with everything in it that was stored when it was kept the last time."""
        async with self._lock:
            await self._write(self._newer, set())

    async def _write(self, older: set[int], newer: set[int]) -> None:
        minutes = sorted(older | newer)[-self._most :]
        await asyncio.to_thread(keep, self._file, json.dumps(minutes).encode())
        oldest = minutes[0] if minutes else 0
        self._older, self._newer = ({m for m in of if m >= oldest} for of in (older, newer))


class Noted:
    """A sink that notes in a journal what it is about to write."""

    def __init__(self, sink: Sink, journal: Journal) -> None:
        self._sink = sink
        self._journal = journal

    async def write(self, readings: Readings) -> None:
        """Raises what the sink raises, and SinkUnavailable when the disk does not take the journal."""
        try:
            await self._journal.note(readings.time_ns)
        except OSError as error:
            raise SinkUnavailable(f"journal: {error}") from error
        await self._sink.write(readings)


async def missed(store: Store, engine: Engine, minutes: frozenset[int]) -> AsyncIterator[Readings]:
    """What the store has of these minutes, in order of source time, a bounded part at a time."""
    most = max(1, ROWS // (60 * len(engine.roster)))
    ordered = sorted(minutes)
    starts = [0, *(n + 1 for n, (a, b) in enumerate(pairwise(ordered)) if b != a + 1), len(ordered)]
    for begin, end in pairwise(starts):
        for place in range(begin, end, most):
            part = ordered[place : min(place + most, end)]
            yield await store.measured(part[0] * MINUTE_NS, (part[-1] + 1) * MINUTE_NS)
