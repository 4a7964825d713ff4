"""A recording in Parquet, one file or the parts that a killed recorder left, read back a few row groups at a time.

Times outside the selection are left out by the statistics of the file, units by SQL. What is damaged or cannot be
understood is named by file, row and column, or counted (`--skip-bad`).
"""

# ruff: noqa: S608  # names of files are quoted, nothing else comes from outside
from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import numpy as np
from numpy.typing import NDArray

from twin.errors import ConfigError
from twin.frames import Quality, Readings
from twin.parquet_files import NOT_NEEDED, OPTIONS, TYPES, RecordingFile, files_of, look, said
from twin.ports import Bounds
from twin.recording import COLUMNS, EVER, Selection, Skipped, unit_of, wrong
from twin.signals import SIGNALS
from twin.topics import Router

__all__ = ["ParquetRecording"]

T = TypeVar("T")
_AGAIN = "Copy or record the file again"
_BAD_ROWS = (  # reason, column, advice: by place in the masks of `_judge`
    ("no source time between 1973 and 2096", "time_ns", "Give every row its time in ns since 1970, UTC"),
    ("the plant has no such unit", "path", "Name the recording's plant file with --set plant.file=FILE"),
    ("no such signal in the table (`twin signals`)", "signal", "Rename it to a signal of the table"),
    ("not a value that the signal can have", "value", "Check the unit of the values"),
    ("not a quality", "quality", "Write 0 for good, 1 for uncertain, 2 for bad"),
)


class ParquetRecording:
    """Recording port on a Parquet file or a folder of parts."""

    def __init__(
        self, path: Path, router: Router, selection: Selection, skipped: Skipped, *, chunk_rows: int = 400_000
    ) -> None:
        self._path = path
        self._router, self._selection, self._skipped = router, selection, skipped
        self._chunk_rows = chunk_rows
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="parquet")
        self._db = duckdb.connect(":memory:", config=OPTIONS)
        self._files: list[RecordingFile] = []
        self._codes: NDArray[np.int32] = np.empty(0, np.int32)  # place in the SQL type `unit` -> roster code or -1

    async def open(self) -> Bounds:
        return await self._run(self._open)

    async def close(self) -> None:
        await self._run(self._db.close)
        self._thread.shutdown()

    async def chunks(self, start_ns: int) -> AsyncGenerator[Readings, None]:
        start_ns = max(start_ns, self._selection.start_ns)
        for file in self._files:
            for first, end in self._ranges(file, start_ns):
                readings = await self._run(partial(self._read, file, first, end, start_ns))
                if len(readings):
                    yield readings

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _open(self) -> Bounds:
        for path in files_of(self._path):
            try:
                self._files.append(look(self._db, path))
            except duckdb.Error as error:
                self._skipped.bad("cut off, or no Parquet file at all", f"{path} ({said(error)})", _AGAIN)
        if not self._files:
            raise ConfigError(f"{self._path}: nothing in it can be read. {_AGAIN}.")
        for file in self._files:
            self._check_columns(file)
        self._learn_units()
        low, high = self._selection.start_ns, self._selection.end_ns - 1
        groups = [g for file in self._files for g in file.groups if g.high_ns >= low and g.low_ns <= high]
        if not groups:
            return Bounds(0, 0)
        first, last = max(low, min(g.low_ns for g in groups)), min(high, max(g.high_ns for g in groups))
        return Bounds(min(max(first, self._newest_of_first_delivery()), last), last)

    def _newest_of_first_delivery(self) -> int:
        """Where time stood when the recording began: what comes first may be a result from hours before."""
        for file in self._files:
            for first, end in self._ranges(file, self._selection.start_ns):
                if file.types.get("arrival_ns") != "BIGINT" or file.types["time_ns"] != "BIGINT":
                    return 0
                picked = file.sql("time_ns, arrival_ns, file_row_number AS row", first, end) + self._where(file)
                newest = (
                    f"WITH picked AS ({picked}) SELECT max(time_ns) FROM picked "
                    "WHERE arrival_ns = (SELECT arg_min(arrival_ns, row) FROM picked)"
                )
                with suppress(duckdb.Error):  # damage is told when it is read
                    ((found,),) = self._db.execute(newest).fetchall()
                    if found is not None:
                        return int(found)
        return 0

    def _where(self, file: RecordingFile, start_ns: int = 0) -> str:
        """SQL condition of the selection, and of a later start."""
        time, start_ns, end_ns = file.column("time_ns"), max(start_ns, self._selection.start_ns), self._selection.end_ns
        where = f" AND {time} >= {start_ns}" if start_ns > EVER[0] else ""
        where += f" AND {time} < {end_ns}" if end_ns < EVER[1] else ""
        if not self._selection.everything:
            where += " AND list_contains(getvariable('chosen'), path)"
        return where

    def _check_columns(self, file: RecordingFile) -> None:
        for name, types in TYPES.items():
            found = file.types.get(name)
            if found is None and name not in NOT_NEEDED:
                raise ConfigError(
                    f"{file.path}: column {name!r} is missing; there are {', '.join(file.types)}. A recording has the "
                    f"columns {', '.join(COLUMNS)}; other tables can be replayed as CSV with --map."
                )
            if found is not None and found not in types:
                where = f"{file.path}: column {name!r} has type {found}"
                self._skipped.bad(f"it must be {types[0]}", where, f"Write it as {types[0]}", 0)

    def _learn_units(self) -> None:
        """Which units the files name; pots that the plant file does not name are enrolled where that is allowed."""
        found: set[str] = set()
        for file in self._files:
            end = file.groups[-1].end if file.groups else 0
            for rows in self._fetch(file, f"DISTINCT {file.column('path')} AS path", 0, end, "", tell=False):
                found |= {path for path in rows["path"].tolist() if path is not None}
        paths = sorted(found) or [""]
        self._codes = np.array([*(unit_of(self._router, path) for path in paths), -1], np.int32)
        chosen = np.append(self._selection.units(self._router.roster), False)  # the last for what is unknown
        wanted = [path for path, code in zip(paths, self._codes, strict=False) if chosen[code]]
        self._db.execute("SET VARIABLE chosen = ?", [wanted])
        for kind, texts in (("unit", paths), ("signal", [signal.name for signal in SIGNALS])):
            self._db.execute(f"SET VARIABLE {kind} = ?", [texts])
            self._db.execute(f"CREATE TYPE {kind} AS ENUM (SELECT unnest(getvariable('{kind}')))")

    def _ranges(self, file: RecordingFile, start_ns: int) -> Iterator[tuple[int, int]]:
        """Rows to read together: neighbouring row groups that may hold times of the selection."""
        first = end = -1
        for group in file.groups:
            if (group.high_ns < start_ns > EVER[0]) or group.low_ns >= self._selection.end_ns < EVER[1]:
                continue
            if group.first != end or group.end - first > self._chunk_rows:
                yield from _cut(first, end, self._chunk_rows)
                first = group.first
            end = group.end
        yield from _cut(first, end, self._chunk_rows)

    def _read(self, file: RecordingFile, first: int, end: int, start_ns: int) -> Readings:
        time, value = file.column("time_ns"), file.column("value")
        select = (  # coalesce: plain arrays of what may be NULL
            f"coalesce({time}, -1)::BIGINT AS time, "
            f"coalesce(enum_code(TRY_CAST({file.column('path')} AS unit))::INTEGER, -1) AS unit, "
            f"coalesce(enum_code(TRY_CAST({file.column('signal')} AS signal))::INTEGER, -1) AS signal, "
            f"coalesce({value}, 'nan'::DOUBLE)::DOUBLE AS value, "
            f"({value}) IS NULL AND value IS NOT NULL AS unreadable, "
            f"coalesce({file.column('quality')}::BIGINT, 0) AS quality, file_row_number AS row"
        )
        where = self._where(file, start_ns)
        return Readings.concat([self._judge(file, r) for r in self._fetch(file, select, first, end, where, tell=True)])

    def _fetch(
        self, file: RecordingFile, select: str, first: int, end: int, where: str, *, tell: bool
    ) -> list[dict[str, NDArray[Any]]]:
        """The rows in pieces: one, or when that fails one a row group, without those that are damaged."""
        try:
            return [_in_order(self._db.execute(file.sql(select, first, end) + where).fetchnumpy())]
        except duckdb.Error as error:
            inner = [(max(g.first, first), min(g.end, end)) for g in file.groups if g.first < end and g.end > first]
            if len(inner) > 1:
                return [one for a, b in inner for one in self._fetch(file, select, a, b, where, tell=tell)]
            if tell or not self._skipped.keep:
                place = f"{file.path}: rows {first + 1} to {end}, column {self._damaged(file, first, end)}"
                self._skipped.bad(f"damaged data ({said(error)})", place, _AGAIN, end - first)
            return []

    def _damaged(self, file: RecordingFile, first: int, end: int) -> str:
        """The columns that cannot be read in these rows."""

        def fails(name: str) -> bool:
            try:
                self._db.execute(file.sql(f"count({name}), max({name})", first, end)).fetchall()
            except duckdb.Error:
                return True
            return False

        return ", ".join(repr(name) for name in file.types if fails(name)) or "unknown"

    def _judge(self, file: RecordingFile, rows: dict[str, NDArray[Any]]) -> Readings:
        """Readings of the rows that are good; of the others the first is named and all are counted."""
        unit, signal, value, quality = self._codes[rows["unit"]], rows["signal"], rows["value"], rows["quality"]
        trust = np.where(np.isnan(value), Quality.BAD, np.clip(quality, 0, 2))
        readings = Readings.of(rows["time"], unit, np.maximum(signal, 0), value, trust)
        masks = (
            (readings.time_ns < EVER[0]) | (readings.time_ns >= EVER[1]),
            unit < 0,
            signal < 0,
            wrong(readings) & (signal >= 0) | rows["unreadable"],
            (quality < Quality.GOOD) | (quality > Quality.BAD),
        )
        good = ~np.any(masks, axis=0)
        if good.all():
            return readings
        told = np.zeros(len(good), bool)
        for mask, (reason, column, advice) in sorted(zip(masks, _BAD_ROWS, strict=True), key=lambda m: _first(m[0])):
            new = mask & ~told
            told |= mask
            if new.any():
                row = int(rows["row"][_first(new)])
                ((text,),) = self._db.execute(file.sql(f"{column}::VARCHAR", row, row + 1)).fetchall()
                shown = "NULL" if text is None else repr(text)[:80]
                where = f"{file.path}: row {row + 1}, column {column!r}: {shown}"
                self._skipped.bad(reason, where, advice, int(new.sum()))
        return readings.take(good)


def _first(mask: NDArray[Any]) -> int:
    return int(mask.argmax()) if mask.any() else len(mask)


def _in_order(rows: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Rows in the order of the file: DuckDB's filters may put a few aside and give them last."""
    if "row" not in rows or (np.diff(rows["row"]) > 0).all():
        return rows
    order = np.argsort(rows["row"])
    return {name: column[order] for name, column in rows.items()}


def _cut(first: int, end: int, rows: int) -> Iterator[tuple[int, int]]:
    return ((start, min(start + rows, end)) for start in range(first, end, rows))
