"""Stores read back as recordings: the embedded DuckDB file, and InfluxDB by way of InfluxQL. Only what was measured
is replayed; what the twin said is for the twin to say again.

A store keeps no order of arrival: readings come in the order of source time, a page of time after the other.
"""

# ruff: noqa: S608  # names come from the catalogue, ids pass the roster's allow-list
from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import numpy as np

from twin.errors import ConfigError, SinkRejected, SinkUnavailable, SourceUnavailable
from twin.frames import Codes, Floats, Ints, Readings
from twin.ports import Bounds
from twin.recording import Selection, Skipped, paged, unit_of
from twin.signals import MEASUREMENTS, SIGNALS, of_topic
from twin.topics import Router

__all__ = ["DuckRecording", "InfluxRecording"]

T = TypeVar("T")
_OPTIONS: dict[str, str | bool | int | float | list[str]] = {"memory_limit": "256MB", "threads": "2"}
_FIELDS = {
    measurement: {SIGNALS[code].db_field: code for code in of_topic(topic)}
    for topic, measurement in MEASUREMENTS.items()
}
_TAGS = ("site", "line", "pot")


def _long(time: Ints, unit: Codes, columns: dict[int, Floats]) -> Readings:
    """Rows of a store to long columns; NaN was not said. `columns` by signal code."""
    codes = np.array(list(columns), np.int16)
    table = np.array(list(columns.values())).T
    row, column = np.nonzero(np.isfinite(table)) if len(codes) else (np.empty(0, int), np.empty(0, int))
    return Readings.of(time[row], unit[row], codes[column], table[row, column] if len(codes) else [])


def _enrol(router: Router, tags: tuple[str, ...], selection: Selection, skipped: Skipped, name: str) -> int:
    """Code of the unit that a store names; -1 when it cannot be used, which is told when all units are wanted."""
    path = "/".join(level for level in tags if level)
    code = unit_of(router, path)
    if code < 0 and selection.everything:
        advice = "Name the plant file of the store with --set plant.file=FILE"
        skipped.bad("the plant has no such unit", f"{name}: unit {path!r}", advice)
    return code


class DuckRecording:
    """Recording port on the embedded store; nobody else may have the file open."""

    def __init__(
        self, path: Path, router: Router, selection: Selection, skipped: Skipped, *, page_rows: int = 300_000
    ) -> None:
        self._path, self._router, self._selection, self._page_rows = path, router, selection, page_rows
        self._skipped = skipped
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="duckdb")
        self._db: duckdb.DuckDBPyConnection | None = None
        self._tables: dict[str, dict[str, int]] = {}  # table -> field -> signal, of those that are there

    async def open(self) -> Bounds:
        return await self._run(self._open)

    async def close(self) -> None:
        if self._db is not None:
            await self._run(self._db.close)
        self._thread.shutdown()

    async def chunks(self, start_ns: int) -> AsyncGenerator[Readings, None]:
        start_ns = max(start_ns, self._selection.start_ns)

        async def read(first_ns: int, end_ns: int) -> Readings:
            return await self._run(lambda: self._read(first_ns, end_ns))

        async def next_ns(from_ns: int) -> int | None:
            return (await self._run(lambda: self._edges(from_ns)))[0]

        async for page in paged(read, next_ns, start_ns, self._selection.end_ns, self._page_rows):
            yield page

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _open(self) -> Bounds:
        if not self._path.is_file():
            raise ConfigError(f"{self._path}: no such store; duckdb:FILE names the file of an embedded store")
        self._db = db = duckdb.connect(":memory:", config=_OPTIONS)
        try:
            db.execute(f"ATTACH '{str(self._path).replace(chr(39), chr(39) * 2)}' AS store (READ_ONLY)")
        except duckdb.Error as error:
            said = str(error).split("\n", 1)[0]
            raise ConfigError(
                f"{self._path} cannot be opened: {said}. Stop the process that has it open, or replay a copy."
            ) from error
        db.execute("SET TimeZone = 'UTC'")
        columns = db.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'store'"
        ).fetchall()
        there = {(table, column) for table, column in columns}
        for table, fields in _FIELDS.items():
            if (table, "time") in there:
                self._tables[table] = {f: code for f, code in fields.items() if (table, f) in there}
        if not self._tables:
            raise ConfigError(f"{self._path}: not a store of this product; it has none of {', '.join(_FIELDS)}")
        self._choose(db)
        first, last = self._edges(self._selection.start_ns)
        return Bounds(first or 0, last or 0)

    def _choose(self, db: duckdb.DuckDBPyConnection) -> None:
        """Enrol the units that the store names and tell the database which of them are selected."""
        named = " UNION ".join(f"SELECT DISTINCT {', '.join(_TAGS)} FROM store.{table}" for table in self._tables)
        tags = sorted(db.execute(named).fetchall())
        codes = [_enrol(self._router, row, self._selection, self._skipped, str(self._path)) for row in tags]
        chosen = self._selection.units(self._router.roster)
        db.execute("CREATE TABLE units (site VARCHAR, line VARCHAR, pot VARCHAR, unit INTEGER)")
        rows = [(*row, code) for row, code in zip(tags, codes, strict=True) if code >= 0 and chosen[code]]
        if rows:
            db.executemany("INSERT INTO units VALUES (?, ?, ?, ?)", rows)

    def _edges(self, from_ns: int) -> tuple[int | None, int | None]:
        """First and last time at or after `from_ns` and before the selection's end."""
        each = " UNION ALL ".join(
            f"SELECT min(time) AS low, max(time) AS high FROM store.{table} JOIN units USING ({', '.join(_TAGS)}) "
            f"WHERE time >= make_timestamp_ns({from_ns}) AND time < make_timestamp_ns({self._selection.end_ns})"
            for table in self._tables
        )
        assert self._db is not None
        ((low, high),) = self._db.execute(f"SELECT epoch_ns(min(low)), epoch_ns(max(high)) FROM ({each})").fetchall()
        return low, high

    def _read(self, first_ns: int, end_ns: int) -> Readings:
        assert self._db is not None
        parts = []
        for table, fields in self._tables.items():
            found = self._db.execute(
                f"SELECT epoch_ns(time) AS time, unit, {', '.join(fields)} FROM store.{table} "
                f"JOIN units USING ({', '.join(_TAGS)}) "
                f"WHERE time >= make_timestamp_ns({first_ns}) AND time < make_timestamp_ns({end_ns})"
            ).fetchnumpy()
            columns = {code: np.ma.filled(found[field], np.nan) for field, code in fields.items()}
            parts.append(_long(np.asarray(found["time"], np.int64), np.asarray(found["unit"], np.int32), columns))
        return Readings.concat(parts)


class InfluxRecording:
    """Recording port on InfluxDB; `query` asks one InfluxQL question, times as epoch ns."""

    def __init__(
        self,
        query: Callable[[str], Awaitable[dict[str, Any]]],
        router: Router,
        selection: Selection,
        skipped: Skipped,
        name: str,
        *,
        policy: str = "",
        begin: Callable[[], Awaitable[None]],
        finish: Callable[[], Awaitable[None]],
        page_rows: int = 100_000,
    ) -> None:
        self._ask, self._router, self._selection, self._name = query, router, selection, name
        self._skipped = skipped
        self._from = f'"{policy}".' if policy else ""
        self._begin, self._finish, self._page_rows = begin, finish, page_rows
        self._lines = ""  # condition on tags

    async def open(self) -> Bounds:
        await self._begin()
        for tags in sorted({row async for row in self._tag_sets()}):
            _enrol(self._router, tags, self._selection, self._skipped, self._name)
        chosen = self._selection.units(self._router.roster)
        if not self._selection.everything:
            roster = self._router.roster
            lines = [roster.paths[code].split("/") for code in roster.line_codes() if chosen[code]]
            self._lines = " AND (" + " OR ".join(f"(site = '{s}' AND line = '{n}')" for s, n in lines) + ")"
        first = await self._next_ns(self._selection.start_ns)
        last = await self._next_ns(self._selection.start_ns, newest=True)
        return Bounds(first or 0, last or 0)

    async def close(self) -> None:
        await self._finish()

    async def chunks(self, start_ns: int) -> AsyncGenerator[Readings, None]:
        start_ns = max(start_ns, self._selection.start_ns)
        async for page in paged(self._read, self._next_ns, start_ns, self._selection.end_ns, self._page_rows):
            yield page

    async def _tag_sets(self) -> AsyncGenerator[tuple[str, ...], None]:
        """The units that the database names, as tags."""
        for measurement in _FIELDS:
            async for series in self._series(f"SHOW SERIES FROM {self._from}{measurement}"):
                for (key,) in series["values"]:
                    tags = {name: text for name, _, text in (part.partition("=") for part in key.split(",")[1:])}
                    yield tuple(tags.get(tag, "") for tag in _TAGS)

    async def _series(self, question: str) -> AsyncGenerator[dict[str, Any], None]:
        try:
            answer = await self._ask(question)
        except (SinkUnavailable, SinkRejected) as error:  # the store's own words: here it is a source
            raise SourceUnavailable(f"{self._name}: {error}") from error
        for result in answer.get("results", []):
            for series in result.get("series", []):
                yield series

    def _select(self, first_ns: int, end_ns: int, rest: str) -> str:
        """One statement a measurement."""
        return "; ".join(
            f"SELECT * FROM {self._from}{name} WHERE time >= {first_ns} AND time < {end_ns}{self._lines}{rest}"
            for name in _FIELDS
        )

    async def _next_ns(self, from_ns: int, *, newest: bool = False) -> int | None:
        """The first time at or after `from_ns`, or the last."""
        rest = f" ORDER BY time {'DESC' if newest else 'ASC'} LIMIT 1"
        question = self._select(from_ns, self._selection.end_ns, rest)
        times = [int(series["values"][0][0]) async for series in self._series(question)]
        return (max(times) if newest else min(times)) if times else None

    async def _read(self, first_ns: int, end_ns: int) -> Readings:
        question = self._select(first_ns, end_ns, "")
        parts = [self._readings(series) async for series in self._series(question)]
        found = Readings.concat([part for one in parts for part in one])
        return self._selection.of(found, self._selection.units(self._router.roster))

    def _readings(self, series: dict[str, Any]) -> Iterator[Readings]:
        """One answer's rows; a row of a unit that cannot be used is left out."""
        columns = dict(zip(series["columns"], zip(*series["values"], strict=True), strict=True))
        tags = zip(*(columns.get(tag, ("",) * len(columns["time"])) for tag in _TAGS), strict=True)
        known: dict[tuple[str, ...], int] = {}
        for row in (rows := list(tags)):
            if row not in known:
                known[row] = unit_of(self._router, "/".join(level for level in row if level))
        unit = np.array([known[row] for row in rows], np.int32)
        time = np.array(columns["time"], np.int64)
        fields = _FIELDS[series["name"]]
        values = {code: np.array(columns[name], np.float64) for name, code in fields.items() if name in columns}
        kept = unit >= 0
        yield _long(time[kept], unit[kept], {code: value[kept] for code, value in values.items()})
