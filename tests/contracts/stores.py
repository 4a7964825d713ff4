"""The stores that the contract is tested on, each opened new and empty, and readings to put in."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.core.plants import NOW_NS, NS, roster_of
from twin.adapters.duck import DuckStore
from twin.adapters.influx import InfluxStore, Target
from twin.catalogue import CATALOGUE, FIELDS
from twin.frames import Readings
from twin.parts import MemoryStore, OpenStore
from twin.plant import Roster

Build = Callable[[Roster], OpenStore]
LATER = NOW_NS + 3600 * NS


@dataclass
class Bench:
    """An open store, its roster, and short ways to write and read."""

    store: OpenStore
    roster: Roster

    async def write(self, *rows: tuple[int, int, int, float]) -> None:
        """Rows of (ns after NOW_NS, unit, code, value)."""
        await self.store.write(told(*rows))

    async def rows(
        self, measurement: str, unit: int, start: int = 0, end: int = 3600 * NS
    ) -> list[tuple[int, int, float]]:
        """(ns after NOW_NS, code, value) of what is read back."""
        found = await self.store.read(measurement, self.roster.paths[unit], NOW_NS + start, NOW_NS + end)
        assert set(found.unit.tolist()) <= {unit}
        assert found.quality.tolist() == [0] * len(found)
        return [
            (t - NOW_NS, s, v)
            for t, s, v in zip(found.time_ns.tolist(), found.signal.tolist(), found.value.tolist(), strict=True)
        ]


def told(*rows: tuple[int, int, int, float]) -> Readings:
    """Readings of (ns after NOW_NS, unit, code, value)."""
    times, units, codes, values = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Readings.of([NOW_NS + time for time in times], units, codes, values)


def memory() -> Build:
    """The store that forgets."""
    return MemoryStore


def duck(folder: Path) -> Build:
    """A DuckDB file of its own for each store."""
    return lambda roster: DuckStore(folder / f"{uuid.uuid4().hex}.duckdb", roster)


def influx(url: str, database: str) -> Build:
    """One InfluxDB database."""
    return lambda roster: InfluxStore(Target(url, database, "-"), roster)


@asynccontextmanager
async def opened(build: Build, pots: int = 3) -> AsyncIterator[Bench]:
    """A store of a line with some pots."""
    roster = roster_of(pots)
    store = build(roster)
    await store.open()
    try:
        yield Bench(store, roster)
    finally:
        await store.close()


def run(build: Build, test: Callable[[Bench], Awaitable[None]], pots: int = 3) -> None:
    """Run a test on an open store, within a loop of its own."""

    async def session() -> None:
        async with asyncio.timeout(60), opened(build, pots) as bench:
            await test(bench)

    asyncio.run(session())


def everything(unit_of_line: int = 0, pot: int = 1) -> Readings:
    """One reading of every row of the catalogue, values that only an exact store keeps."""
    rows = []
    for measurement, codes in FIELDS.items():
        unit = unit_of_line if measurement in ("line", "twin_line") else pot
        for code in codes:
            row = CATALOGUE[code]
            low, high = max(row.low, -1e6), min(row.high, 1e6)
            rows.append((0, unit, code, float(np.nextafter(low + (high - low) * (code + 1) / 997, high))))
    return told(*rows)
