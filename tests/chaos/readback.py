"""Reads a store back after a chaos run: what was measured, by key, and the figures that the twin wrote."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from tests.chaos.load import NUMBER, Plan, Point
from twin import parts, settings
from twin.adapters.duck import DuckStore
from twin.adapters.influx import InfluxStore
from twin.catalogue import CATALOGUE, TWIN
from twin.engine import Engine
from twin.frames import Readings
from twin.settings import Settings
from twin.units import NS_PER_S

__all__ = ["FigureKey", "figures_of", "readings_back", "resolved"]

FAR_S = 400 * 86400  # windows of a year begin that long before
FigureKey = tuple[str, str, str, int]  # measurement, path, field, start of the window [ns]


def resolved(words: Mapping[str, object]) -> Settings:
    """The settings of the process under test."""
    return settings.resolve(flags={name: str(value) for name, value in words.items()})


def readings_back(plan: Plan, words: Mapping[str, object]) -> tuple[list[Point], dict[FigureKey, float]]:
    """Rows of what was measured, doubles included, and the twin's figures."""
    return asyncio.run(_read(plan, resolved(words)))


async def _read(plan: Plan, chosen: Settings) -> tuple[list[Point], dict[FigureKey, float]]:
    roster = parts.roster_of(chosen)
    store, _ = parts.sink_of(chosen, roster)
    await store.open()
    try:
        assert isinstance(store, DuckStore | InfluxStore)
        points = [point for measurement in NUMBER for point in await _points(store, measurement)]
        figures: dict[FigureKey, float] = {}
        start, end = plan.start_ns - FAR_S * NS_PER_S, plan.start_ns + FAR_S * NS_PER_S
        for path, kind in zip(roster.paths, roster.kinds, strict=True):
            figures |= figures_of(await store.read(TWIN[kind], path, start, end), roster.paths)
    finally:
        await store.close()
    return points, figures


async def _points(store: DuckStore | InfluxStore, measurement: str) -> list[Point]:
    """Straight from the database, whatever the units are called, not by way of the product's own reading."""
    number = NUMBER[measurement]
    if isinstance(store, DuckStore):
        rows = await store.query(
            f"SELECT epoch_ns(time), site, line, pot, {number} FROM {measurement} WHERE {number} IS NOT NULL"
        )
        return [(measurement, _path(row[1:4]), row[0], row[4]) for row in rows]
    answer = await store.query(f"SELECT {number} FROM {measurement} GROUP BY site, line, pot")
    found: list[Point] = []
    for series in answer["results"][0].get("series", []):
        tags: dict[str, Any] = series["tags"]
        path = _path((tags["site"], tags["line"], tags["pot"]))
        found += [(measurement, path, row[0], float(row[1])) for row in series["values"]]
    return found


def _path(tags: Sequence[str | None]) -> str:
    return "/".join(tag for tag in tags if tag)


def figures_of(readings: Readings, paths: Sequence[str]) -> dict[FigureKey, float]:
    """Figures by measurement, unit, field and window."""
    columns = (readings.time_ns, readings.unit, readings.signal, readings.value)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    found: dict[FigureKey, float] = {}
    for time, unit, signal, value in rows:
        of = CATALOGUE[signal]
        found[of.measurement, paths[unit], of.db_field, time] = value
    return found


def engine_of(words: Mapping[str, object]) -> Engine:
    """An engine of the settings of the process under test."""
    chosen = resolved(words)
    return parts.engine_of(chosen, parts.roster_of(chosen))
