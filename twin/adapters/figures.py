"""Where the report reads what the twin wrote: a DuckDB file (read-only), InfluxDB by InfluxQL, or a dict for tests."""

# ruff: noqa: S608  # names come from the store itself, ids pass the roster's allow-list
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import numpy as np

from twin.errors import ConfigError, SinkRejected, SinkUnavailable, SourceUnavailable
from twin.frames import Ints
from twin.report.source import Table, table_of

__all__ = ["DuckFigures", "InfluxFigures", "MemoryFigures"]

T = TypeVar("T")
_OPTIONS: dict[str, str | bool | int | float | list[str]] = {"memory_limit": "256MB", "threads": "2"}
_TAGS = ("site", "line", "pot")


def _within(under: str, path: str) -> bool:
    return not under or path == under or path.startswith(f"{under}/")


def _conditions(under: str) -> list[tuple[str, str]]:
    """(tag, level) that hold for a unit and those below it."""
    return list(zip(_TAGS, under.split("/"), strict=False)) if under else []


class MemoryFigures:
    """Figures in a dict: (measurement, unit path, time, field) -> value."""

    def __init__(self, values: Mapping[tuple[str, str, int, str], float]) -> None:
        self._values = values

    @property
    def name(self) -> str:
        return "memory"

    async def open(self) -> None:
        """Memory is always open."""

    async def close(self) -> None:
        """Nothing is held."""

    async def fields(self, measurement: str) -> frozenset[str]:
        return frozenset(field for of, _, _, field in self._values if of == measurement)

    async def read(self, measurement: str, fields: Sequence[str], start_ns: int, end_ns: int, under: str = "") -> Table:
        rows = [
            (time, path, field, value)
            for (of, path, time, field), value in self._values.items()
            if of == measurement and field in fields and start_ns <= time < end_ns and _within(under, path)
        ]
        return table_of(rows, fields)

    async def starts(self, measurement: str, field: str, path: str) -> Ints:
        times = sorted(t for of, unit, t, name in self._values if (of, unit, name) == (measurement, path, field))
        return np.array(times, np.int64)


class DuckFigures:
    """Figures of the embedded store; nobody else may have the file open."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="duckdb")
        self._db: duckdb.DuckDBPyConnection | None = None
        self._fields: dict[str, frozenset[str]] = {}

    @property
    def name(self) -> str:
        return f"DuckDB {self._path}"

    async def open(self) -> None:
        await self._run(self._open)

    async def close(self) -> None:
        if self._db is not None:
            await self._run(self._db.close)
        self._thread.shutdown()

    async def fields(self, measurement: str) -> frozenset[str]:
        return self._fields.get(measurement, frozenset())

    async def read(self, measurement: str, fields: Sequence[str], start_ns: int, end_ns: int, under: str = "") -> Table:
        return await self._run(lambda: self._read(measurement, fields, start_ns, end_ns, under))

    async def starts(self, measurement: str, field: str, path: str) -> Ints:
        site, line, pot = (*path.split("/"), "", "")[:3]
        if field not in self._fields.get(measurement, ()):
            return np.empty(0, np.int64)
        question = (
            f'SELECT DISTINCT epoch_ns(time) AS time FROM store."{measurement}" '
            f'WHERE site = ? AND line = ? AND pot = ? AND "{field}" IS NOT NULL ORDER BY time'
        )
        rows = await self._run(lambda: self._ask(question, [site, line, pot]).fetchall())
        return np.array([row[0] for row in rows], np.int64)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _open(self) -> None:
        if not self._path.is_file():
            raise ConfigError(
                f"{self._path}: no such store. Run the twin first, or name its store: --set sink.url=duckdb:FILE"
            )
        db = duckdb.connect(":memory:", config=_OPTIONS)
        try:
            db.execute(f"ATTACH '{str(self._path).replace(chr(39), chr(39) * 2)}' AS store (READ_ONLY)")
        except duckdb.Error as error:
            db.close()
            raise self._refusal(error) from error
        db.execute("SET TimeZone = 'UTC'")
        found: dict[str, set[str]] = {}
        columns = "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'store'"
        for table, column in db.execute(columns).fetchall():
            found.setdefault(table, set()).add(column)
        self._fields = {
            table: frozenset(names - {"time", *_TAGS}) for table, names in found.items() if {"time", *_TAGS} <= names
        }
        self._db = db

    def _refusal(self, error: duckdb.Error) -> ConfigError:
        said = str(error).split("\n", 1)[0]
        if "lock" not in str(error).lower():
            return ConfigError(f"{self._path} cannot be opened as a store: {said}")
        return ConfigError(
            f"{self._path} is open in another process (a running twin?). Stop that process, or copy {self._path.name} "
            f"and {self._path.name}.wal, if there is one, to another folder and report from there: "
            f"--set sink.url=duckdb:COPY"
        )

    def _ask(self, question: str, parameters: list[object]) -> duckdb.DuckDBPyConnection:
        assert self._db is not None
        try:
            return self._db.execute(question, parameters)
        except duckdb.Error as error:
            raise SourceUnavailable(f"{self._path}: {error}") from error

    def _read(self, measurement: str, fields: Sequence[str], start_ns: int, end_ns: int, under: str) -> Table:
        known = [field for field in fields if field in self._fields.get(measurement, ())]
        if not known:
            return table_of((), fields)
        named = ", ".join(f'"{field}"' for field in known)
        said = " OR ".join(f'"{field}" IS NOT NULL' for field in known)
        tags = _conditions(under)
        found = self._ask(
            f"SELECT epoch_ns(time) AS time_ns, concat_ws('/', site, nullif(line, ''), nullif(pot, '')) AS path, "
            f'{named} FROM store."{measurement}" WHERE ({said}) '
            f"AND time >= make_timestamp_ns(?) AND time < make_timestamp_ns(?)"
            f"{''.join(f' AND {tag} = ?' for tag, _ in tags)} ORDER BY time_ns, path",
            [start_ns, end_ns, *(level for _, level in tags)],
        ).fetchnumpy()
        time = np.asarray(found["time_ns"], np.int64)
        columns = {field: np.full(len(time), np.nan) for field in fields}
        columns |= {field: np.ma.filled(np.ma.asarray(found[field], np.float64), np.nan) for field in known}
        return Table(time, tuple(str(path) for path in found["path"]), columns)


class InfluxFigures:
    """Figures in InfluxDB; `query` asks one InfluxQL question, times as epoch ns."""

    def __init__(
        self,
        query: Callable[[str], Awaitable[dict[str, Any]]],
        name: str,
        *,
        policy: str = "",
        begin: Callable[[], Awaitable[None]],
        finish: Callable[[], Awaitable[None]],
    ) -> None:
        self._query, self._name, self._begin, self._finish = query, name, begin, finish
        self._from = f'"{policy}".' if policy else ""
        self._fields: dict[str, frozenset[str]] = {}

    @property
    def name(self) -> str:
        return f"InfluxDB {self._name}"

    async def open(self) -> None:
        await self._begin()

    async def close(self) -> None:
        await self._finish()

    async def fields(self, measurement: str) -> frozenset[str]:
        if measurement not in self._fields:
            series = await self._series(f'SHOW FIELD KEYS FROM {self._from}"{measurement}"')
            self._fields[measurement] = frozenset(str(row[0]) for one in series for row in one["values"])
        return self._fields[measurement]

    async def read(self, measurement: str, fields: Sequence[str], start_ns: int, end_ns: int, under: str = "") -> Table:
        there = await self.fields(measurement)
        known = [field for field in fields if field in there]
        if not known:
            return table_of((), fields)
        tags = "".join(f" AND {tag} = '{level}'" for tag, level in _conditions(under))
        named = ", ".join(f'"{field}"' for field in known)
        series = await self._series(
            f'SELECT {named} FROM {self._from}"{measurement}" '
            f"WHERE time >= {start_ns} AND time < {end_ns}{tags} GROUP BY {', '.join(_TAGS)}"
        )
        return table_of([row for one in series for row in _rows(one)], fields)

    async def starts(self, measurement: str, field: str, path: str) -> Ints:
        end_ns = np.iinfo(np.int64).max - 1
        found = await self.read(measurement, [field], 0, int(end_ns), path)
        return np.array([t for t, unit in zip(found.time_ns.tolist(), found.path, strict=True) if unit == path], int)

    async def _series(self, question: str) -> list[dict[str, Any]]:
        try:
            answer = await self._query(question)
        except (SinkUnavailable, SinkRejected) as error:  # the store's own words: here it is a source
            raise SourceUnavailable(f"{self._name}: {error}") from error
        return [series for result in answer.get("results", []) for series in result.get("series", [])]


def _rows(series: dict[str, Any]) -> Iterator[tuple[int, str, str, float]]:
    """(time, path, field, value) of one unit's answer."""
    path = "/".join(level for level in (series["tags"].get(tag, "") for tag in _TAGS) if level)
    names = series["columns"][1:]
    for time, *values in series["values"]:
        yield from ((int(time), path, name, float(v)) for name, v in zip(names, values, strict=True) if v is not None)
