"""Embedded store: one DuckDB file, one table a measurement, one row a (unit, source time).

Writing again under the same key changes nothing or, with other fields, completes the row: what InfluxDB does. Only
this process may have the file open; others ask the page's API. All calls run in one worker thread, but history in
another: a long look back holds up no write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import numpy as np

from twin import over_time
from twin.catalogue import CATALOGUE, FIELDS, MEASURED
from twin.errors import ConfigError, SinkRejected, SinkUnavailable
from twin.frames import Readings, Wide, wide
from twin.plant import Roster
from twin.ports import Buckets

__all__ = ["DuckStore"]

T = TypeVar("T")
# Checkpoints of the default size stall writes; see docs/decisions/0004-embedded-store.md.
_OPTIONS: dict[str, str | bool | int | float | list[str]] = {
    "checkpoint_threshold": "256MB",
    "memory_limit": "256MB",
    "threads": "2",
}
_AWAY = (duckdb.IOException, duckdb.FatalException, duckdb.ConnectionException, duckdb.OutOfMemoryException)


class DuckStore:
    """Store port on a DuckDB file. Raises ConfigError when another process has the file."""

    def __init__(self, path: Path, roster: Roster) -> None:
        self._path = path
        self._roster = roster
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="duckdb")
        self._looking = ThreadPoolExecutor(1, thread_name_prefix="duckdb-history")
        self._db: duckdb.DuckDBPyConnection | None = None
        self._known = 0
        self._last: dict[str, np.ndarray[Any, np.dtype[np.int64]]] = {}

    async def open(self) -> None:
        """Open or create the file and its tables, adding a column for every signal that is new."""
        await self._run(self._open)

    async def close(self) -> None:
        """Flush and close; safe to call twice."""
        self._looking.shutdown()
        if self._db is not None:
            await self._run(self._close)
        self._thread.shutdown()

    async def write(self, readings: Readings) -> None:
        await self._run(lambda: self._write(readings))

    async def read(self, measurement: str, path: str, start_ns: int, end_ns: int) -> Readings:
        return await self._run(lambda: self._read(measurement, path, start_ns, end_ns))

    async def measured(self, start_ns: int, end_ns: int) -> Readings:
        return await self._run(lambda: self._measured(start_ns, end_ns))

    async def history(
        self, measurement: str, path: str, codes: Sequence[int], start_ns: int, end_ns: int, step_ns: int
    ) -> Buckets:
        cursor = await self._run(lambda: self._connection().cursor())
        question, values = over_time.sql(measurement, codes), [step_ns, *_tags(path), start_ns, end_ns]

        def look() -> Buckets:
            with cursor:
                return over_time.from_columns(cursor.execute(question, values).fetchnumpy(), codes)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._looking, look)
        except duckdb.Error as error:
            raise SinkUnavailable(f"{self._path}: {error}") from error

    async def query(self, sql: str, parameters: list[object] | None = None) -> list[tuple[Any, ...]]:
        """Any SQL question, for the page and for people."""
        return await self._run(lambda: self._connection().execute(sql, parameters or []).fetchall())

    async def probe(self) -> None:
        """Return when the file answers; raises SinkUnavailable."""
        try:
            await self.query("SELECT 1")
        except duckdb.Error as error:
            raise SinkUnavailable(f"{self._path}: {error}") from error

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _connection(self) -> duckdb.DuckDBPyConnection:
        if self._db is None:
            self._open()
        assert self._db is not None
        return self._db

    def _open(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{self._path.parent} cannot be made: {error}; see data.dir, sink.url") from error
        try:
            db = duckdb.connect(str(self._path), config=_OPTIONS)
        except duckdb.IOException as error:
            if "lock" in str(error).lower():
                raise ConfigError(
                    f"{self._path}: another process has this store open; stop it or set sink.url"
                ) from error
            raise SinkUnavailable(f"{self._path}: {error}") from error
        db.execute("SET TimeZone = 'UTC'")
        db.execute("CREATE TEMP TABLE roster (unit INTEGER, site VARCHAR, line VARCHAR, pot VARCHAR)")
        self._known = 0
        for measurement, codes in FIELDS.items():
            fields = [CATALOGUE[code].db_field for code in codes]
            columns = ", ".join(f"{field} DOUBLE" for field in fields)
            db.execute(
                f"CREATE TABLE IF NOT EXISTS {measurement} "
                f"(time TIMESTAMP_NS NOT NULL, site VARCHAR, line VARCHAR, pot VARCHAR, {columns})"
            )
            there = {row[0] for row in db.execute(f"DESCRIBE {measurement}").fetchall()}
            for field in (field for field in fields if field not in there):
                db.execute(f"ALTER TABLE {measurement} ADD COLUMN {field} DOUBLE")
        self._db = db
        self._enrol()
        self._last = {measurement: self._last_times(measurement) for measurement in FIELDS}

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _enrol(self) -> None:
        """Tell the database of units enrolled since, and make room for their last times."""
        paths = self._roster.paths[self._known :]
        if not paths:
            return
        rows = [(self._known + i, *_tags(path)) for i, path in enumerate(paths)]
        self._connection().executemany("INSERT INTO roster VALUES (?, ?, ?, ?)", rows)
        self._known += len(paths)
        for measurement, last in self._last.items():
            self._last[measurement] = np.pad(last, (0, len(paths)), constant_values=-1)

    def _last_times(self, measurement: str) -> np.ndarray[Any, np.dtype[np.int64]]:
        last = np.full(self._known, -1, np.int64)
        found = self._connection().execute(
            f"SELECT unit, epoch_ns(max(time)) FROM {measurement} JOIN roster USING (site, line, pot) GROUP BY unit"
        )
        for unit, time in found.fetchall():
            last[unit] = time
        return last

    def _write(self, readings: Readings) -> None:
        if not len(readings):
            return
        db = self._connection()
        self._enrol()
        try:
            db.execute("BEGIN")
            written = [self._write_rows(db, name, wide(readings, codes)) for name, codes in FIELDS.items()]
            db.execute("COMMIT")
        except _AWAY as error:
            self._close()  # the transaction is gone with the connection; the next write opens anew
            raise SinkUnavailable(f"{self._path}: {error}") from error
        except duckdb.Error as error:
            with suppress(duckdb.Error):  # there may be no transaction to go back from
                db.execute("ROLLBACK")
            raise SinkRejected(f"{self._path}: {error}") from error
        for name, rows in zip(FIELDS, written, strict=True):
            np.maximum.at(self._last[name], rows.unit, rows.time_ns)

    def _write_rows(self, db: duckdb.DuckDBPyConnection, measurement: str, rows: Wide) -> Wide:
        if not len(rows):
            return rows
        said = np.flatnonzero(np.isfinite(rows.values).any(axis=0)).tolist()
        fields = [CATALOGUE[rows.signals[column]].db_field for column in said]
        batch = {"time_ns": rows.time_ns, "unit": rows.unit}
        batch |= {name: np.ascontiguousarray(rows.values[:, c]) for name, c in zip(fields, said, strict=True)}
        values = ", ".join(f"nullif({name}, 'nan'::DOUBLE) AS {name}" for name in fields)
        names = ", ".join(("time", "site", "line", "pot", *fields))
        db.register("batch", batch)
        source = (
            f"SELECT make_timestamp_ns(time_ns) AS time, site, line, pot, {values} FROM batch JOIN roster USING (unit)"
        )
        if (rows.time_ns > self._last[measurement][rows.unit]).all():
            db.execute(f"INSERT INTO {measurement} ({names}) {source}")
        else:
            self._merge(db, measurement, rows, source, fields)
        db.unregister("batch")
        return rows

    def _merge(
        self, db: duckdb.DuckDBPyConnection, measurement: str, rows: Wide, source: str, fields: list[str]
    ) -> None:
        """Insert rows of which some may be there already: those are replaced by old and new fields together."""
        bounds = [int(rows.time_ns.min()), int(rows.time_ns.max())]
        within = "old.time BETWEEN make_timestamp_ns(?) AND make_timestamp_ns(?)"
        key = "old.time = new.time AND old.site = new.site AND old.line = new.line AND old.pot = new.pot"
        db.execute(f"CREATE OR REPLACE TEMP TABLE incoming AS {source}")
        db.execute(
            f"CREATE OR REPLACE TEMP TABLE merged AS SELECT old.* REPLACE "
            f"({', '.join(f'coalesce(new.{name}, old.{name}) AS {name}' for name in fields)}) "
            f"FROM {measurement} old JOIN incoming new ON {key} WHERE {within}",
            bounds,
        )
        db.execute(f"DELETE FROM {measurement} old USING merged new WHERE {key} AND {within}", bounds)
        db.execute(f"INSERT INTO {measurement} SELECT * FROM merged")
        db.execute(
            f"INSERT INTO {measurement} (time, site, line, pot, {', '.join(fields)}) SELECT new.* FROM incoming new "
            f"ANTI JOIN merged old ON {key}"
        )

    def _read(self, measurement: str, path: str, start_ns: int, end_ns: int) -> Readings:
        codes = FIELDS[measurement]
        fields = ", ".join(CATALOGUE[code].db_field for code in codes)
        site, line, pot = _tags(path)
        try:
            found = (
                self._connection()
                .execute(
                    f"SELECT epoch_ns(time) AS time_ns, {fields} FROM {measurement} "
                    "WHERE site = ? AND line = ? AND pot = ? "
                    "AND time >= make_timestamp_ns(?) AND time < make_timestamp_ns(?) ORDER BY time",
                    [site, line, pot, start_ns, end_ns],
                )
                .fetchnumpy()
            )
        except duckdb.Error as error:
            raise SinkUnavailable(f"{self._path}: {error}") from error
        times = np.asarray(found["time_ns"], np.int64)
        table = np.array([np.ma.filled(found[CATALOGUE[code].db_field], np.nan) for code in codes]).T
        row, column = np.nonzero(np.isfinite(table)) if len(times) else (np.empty(0, int), np.empty(0, int))
        unit = np.full(len(row), self._roster.code(path) or 0)
        return Readings.of(times[row], unit, np.array(codes)[column], table[row, column] if len(times) else [])

    def _measured(self, start_ns: int, end_ns: int) -> Readings:
        within = f"time >= make_timestamp_ns({int(start_ns)}) AND time < make_timestamp_ns({int(end_ns)})"
        parts = []
        try:
            for measurement, codes in MEASURED.items():
                self._discover(measurement, within)
                fields = ", ".join(CATALOGUE[code].db_field for code in codes)
                found = self._connection().execute(
                    f"SELECT epoch_ns(time) AS time_ns, unit, {fields} FROM {measurement} "
                    f"JOIN roster USING (site, line, pot) WHERE {within}"
                ).fetchnumpy()  # fmt: skip
                if len(found["time_ns"]):
                    parts.append(_long(found, codes))
        except duckdb.Error as error:
            raise SinkUnavailable(f"{self._path}: {error}") from error
        read = Readings.concat(parts)
        return read.take(np.argsort(read.time_ns, kind="stable"))

    def _discover(self, measurement: str, within: str) -> None:
        """Enrol pots of known lines that an earlier process had discovered."""
        strange = self._connection().execute(
            f"SELECT DISTINCT site, line, pot FROM {measurement} ANTI JOIN roster USING (site, line, pot) "
            f"WHERE pot != '' AND {within}"
        )
        lines = {self._roster.paths[code] for code in self._roster.line_codes()}
        for site, line, pot in sorted(strange.fetchall()):
            if f"{site}/{line}" in lines:
                self._roster.add(f"{site}/{line}/{pot}")
        self._enrol()


def _long(found: dict[str, Any], codes: tuple[int, ...]) -> Readings:
    """Rows of a table to long columns, absent fields left out."""
    table = np.array([np.ma.filled(found[CATALOGUE[code].db_field], np.nan) for code in codes])
    column, row = np.nonzero(np.isfinite(table))
    time, unit = np.asarray(found["time_ns"], np.int64), np.asarray(found["unit"], np.int32)
    return Readings.of(time[row], unit[row], np.array(codes, np.int16)[column], table[column, row])


def _tags(path: str) -> tuple[str, str, str]:
    """site, line, pot (or section) of a unit path; empty where the path ends before."""
    site, line, pot, *_ = (*path.split("/"), "", "")
    return site, line, pot
