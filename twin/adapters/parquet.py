"""Recordings and other tables as Parquet, written a part at a time by way of DuckDB.

Rows go to closed files in `NAME.parquet.parts/`; `close` joins them into `NAME.parquet` and removes them. A process
that is killed leaves its closed parts, which are a recording of their own; only the rows of the open part are lost.
"""

# ruff: noqa: S608  # names of files are quoted, nothing else comes from outside
from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import numpy as np
from numpy.typing import NDArray

from twin.errors import ConfigError, SinkUnavailable
from twin.frames import Readings
from twin.plant import Roster
from twin.recording import metadata
from twin.signals import SIGNALS

__all__ = ["PartedTable", "RecordingWriter", "parts_folder"]

T = TypeVar("T")
_OPTIONS: dict[str, str | bool | int | float | list[str]] = {"memory_limit": "256MB", "threads": "2"}
# Version 2 of the format packs counters and clocks by difference: two thirds of the size (docs/replay.md).
_FORMAT = "FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2"
Batch = Mapping[str, NDArray[Any]]


def parts_folder(path: Path) -> Path:
    """Where the parts of a table lie until they are joined."""
    return path.with_name(path.name + ".parts")


class PartedTable:
    """One table in the making. `selected` is the SQL list that makes its columns of the columns of a batch.

    A part is closed when it has `part_rows` rows, or (`flush_if_old`) after `part_s`. Raises ConfigError when the
    file or its parts are there already, SinkUnavailable when the disk refuses.
    """

    def __init__(
        self, path: Path, selected: str, about: Mapping[str, str], *, part_rows: int = 1 << 20, part_s: float = 60.0
    ) -> None:
        self.path, self.folder = path, parts_folder(path)
        self.rows = 0  # handed over
        self._selected = selected
        self._about = ", ".join(f"{name}: {_quoted(text)}" for name, text in about.items())
        self._part_rows, self._part_s = part_rows, part_s
        self._waiting: list[Batch] = []
        self._waiting_rows = 0
        self._opened_s = time.monotonic()
        self._parts: list[Path] = []
        if path.exists() or self.folder.exists():
            there = path if path.exists() else self.folder
            raise ConfigError(f"{there} is there already; remove it or give another name (`twin replay` reads it)")
        self._disk(lambda: self.folder.mkdir(parents=True))
        self.db = duckdb.connect(":memory:", config=_OPTIONS)

    @property
    def size(self) -> int:
        """Bytes on disk in closed parts."""
        return sum(part.stat().st_size for part in self._parts)

    def append(self, batch: Batch) -> None:
        """Take columns of equal length, under the names that `selected` uses."""
        count = len(next(iter(batch.values())))
        if not count:
            return
        if not self._waiting:
            self._opened_s = time.monotonic()
        self._waiting.append(batch)
        self._waiting_rows += count
        self.rows += count
        if self._waiting_rows >= self._part_rows:
            self.flush()

    def flush_if_old(self) -> None:
        """Close the part when its first row has waited for long."""
        if self._waiting and time.monotonic() - self._opened_s >= self._part_s:
            self.flush()

    def flush(self) -> None:
        """Close the part that is open, if any; its rows are safe then."""
        if not self._waiting:
            return
        batch = {name: np.concatenate([one[name] for one in self._waiting]) for name in self._waiting[0]}
        part = self.folder / f"part-{len(self._parts) + 1:06d}.parquet"
        self._disk(lambda: self._write_part(part, batch))
        self._parts.append(part)
        self._waiting, self._waiting_rows = [], 0

    def close(self, empty: Batch | None = None) -> None:
        """Close the last part and join all of them into the one file; `empty` tells the types when no row came."""
        if not self.rows and empty is not None:
            self._waiting = [empty]
        self.flush()
        self._disk(self._join)
        self.db.close()

    def _write_part(self, part: Path, batch: Batch) -> None:
        self.db.register("batch", dict(batch))
        self._copy(f"SELECT {self._selected} FROM batch", part)
        self.db.unregister("batch")

    def _join(self) -> None:
        if len(self._parts) == 1:
            os.replace(self._parts[0], self.path)
        elif self._parts:
            self._copy(f"SELECT * FROM {_files([str(part) for part in self._parts])}", self.path)
        for part in self._parts:
            part.unlink(missing_ok=True)
        self.folder.rmdir()

    def _copy(self, query: str, to: Path) -> None:
        """Write a whole file under another name first: a file with its name is always complete."""
        draft = to.with_name(to.name + ".tmp")
        self.db.execute(f"COPY ({query}) TO {_quoted(str(draft))} ({_FORMAT}, KV_METADATA {{{self._about}}})")
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(draft, to)

    def _disk(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except (duckdb.Error, OSError) as error:
            said = str(error).split("\n", 1)[0]
            raise SinkUnavailable(
                f"{self.path} cannot be written: {said}; complete parts stay in {self.folder}"
            ) from error


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _files(paths: Sequence[str]) -> str:
    return f"read_parquet([{', '.join(map(_quoted, paths))}])"


class RecordingWriter:
    """Writes readings in the order in which they are handed over; safe in parts, complete after `close`."""

    def __init__(
        self,
        path: Path,
        roster: Roster,
        *,
        created_by: str,
        version: str = "",
        part_rows: int = 1 << 20,
        part_s: float = 60.0,
    ) -> None:
        selected = (
            "seq, arrival_ns, time_ns, getvariable('paths')[unit + 1] AS path, getvariable('signals')[signal + 1] AS "
            "signal, CASE WHEN isfinite(value) THEN value END AS value, quality"
        )
        about = metadata(roster.plant, version, created_by)
        self.table = PartedTable(path, selected, about, part_rows=part_rows, part_s=part_s)
        self._roster, self._known = roster, 0
        self.table.db.execute("SET VARIABLE paths = []::VARCHAR[]")
        self.table.db.execute("SET VARIABLE signals = ?", [[signal.name for signal in SIGNALS]])

    def write(self, readings: Readings, arrival_ns: int) -> None:
        """Take readings that came in at `arrival_ns`."""
        if len(self._roster) != self._known:
            self._known = len(self._roster)
            self.table.db.execute("SET VARIABLE paths = ?", [self._roster.paths])
        self.table.append(self._batch(readings, arrival_ns))

    def flush_if_old(self) -> None:
        """Make rows safe that have waited for long."""
        self.table.flush_if_old()

    def close(self) -> None:
        """Join the parts into the one file."""
        self.table.close(self._batch(Readings.empty(), 0))

    def _batch(self, readings: Readings, arrival_ns: int) -> Batch:
        count, first = len(readings), self.table.rows
        return {
            "seq": np.arange(first, first + count),
            "arrival_ns": np.full(count, arrival_ns, np.int64),
            "time_ns": readings.time_ns,
            "unit": readings.unit,
            "signal": readings.signal,
            "value": readings.value,
            "quality": readings.quality,
        }
