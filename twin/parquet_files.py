"""The files of a Parquet recording: where they lie, what their own index says of them, and the plant they carry."""

# ruff: noqa: S608  # names of files are quoted, nothing else comes from outside
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import duckdb

from twin.errors import ConfigError
from twin.plant import Plant
from twin.recording import EVER, FORMAT, plant_from

__all__ = ["NOT_NEEDED", "OPTIONS", "TYPES", "RecordingFile", "files_of", "look", "recorded_plant", "said"]

OPTIONS: dict[str, str | bool | int | float | list[str]] = {"memory_limit": "256MB", "threads": "2"}
TYPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {  # column -> SQL types that are read as they are, the first one is the format's own
        "time_ns": ("BIGINT", "UBIGINT"),
        "path": ("VARCHAR",),
        "signal": ("VARCHAR",),
        "value": ("DOUBLE", "FLOAT"),
        "quality": ("UTINYINT", "TINYINT", "SMALLINT", "INTEGER", "BIGINT"),
    }
)
NOT_NEEDED = ("quality",)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows [first, end) of a file, and the source times they may have."""

    first: int
    end: int
    low_ns: int
    high_ns: int


@dataclass(frozen=True, slots=True)
class RecordingFile:
    """One file: its row groups, and the SQL type of each of its columns."""

    path: Path
    groups: tuple[Rows, ...]
    types: dict[str, str]

    def sql(self, select: str, first: int, end: int) -> str:
        """A question about some of its rows."""
        table = f"read_parquet({_quoted(str(self.path))}, file_row_number = true)"
        return f"SELECT {select} FROM {table} WHERE file_row_number >= {first} AND file_row_number < {end}"

    def column(self, name: str) -> str:
        """SQL of a column as the type that the format gives it; NULL where it cannot be read so."""
        kind = self.types.get(name)
        if kind is None or kind in TYPES[name]:
            return name if kind else f"NULL::{TYPES[name][0]}"
        return f"TRY_CAST({name} AS {TYPES[name][0]})"


def recorded_plant(path: Path) -> Plant | None:
    """The plant that a recording carries; None for a file that carries none. Raises ConfigError."""
    with duckdb.connect(":memory:", config=OPTIONS) as db:
        for file in files_of(path):
            try:
                rows = db.execute(f"SELECT key, value FROM parquet_kv_metadata({_quoted(str(file))})").fetchall()
            except duckdb.Error:
                continue  # `open` tells of it
            about = {bytes(key).decode(): bytes(value).decode() for key, value in rows}
            if (version := about.get("smelter_twin_format", "1")) != str(FORMAT):
                raise ConfigError(
                    f"{file}: a recording of format {version}; this version reads format {FORMAT}: update it"
                )
            return plant_from(about["plant"], str(file)) if "plant" in about else None
    return None


def files_of(path: Path) -> list[Path]:
    """The file itself, or the closed parts in a folder. Raises ConfigError."""
    if path.is_file():
        return [path]
    if path.is_dir():
        if parts := sorted(path.glob("*.parquet")):
            return parts
        raise ConfigError(f"{path}: no part of the recording was closed; there is nothing to replay")
    folder = path.with_name(path.name + ".parts")
    instead = f"; its recorder was stopped half-way: replay {folder}" if folder.is_dir() else ""
    raise ConfigError(f"{path}: no such recording{instead}")


def look(db: duckdb.DuckDBPyConnection, path: Path) -> RecordingFile:
    """Columns, row groups and their source times, from the file's own index."""
    name = _quoted(str(path))
    types = {row[0]: row[1] for row in db.execute(f"DESCRIBE SELECT * FROM read_parquet({name})").fetchall()}
    rows = db.execute(
        "SELECT any_value(row_group_num_rows), max(stats_min_value) FILTER (path_in_schema = 'time_ns'), "
        "max(stats_max_value) FILTER (path_in_schema = 'time_ns') "
        f"FROM parquet_metadata({name}) GROUP BY row_group_id ORDER BY row_group_id"
    ).fetchall()
    groups, first = [], 0
    for count, low, high in rows:
        known = types.get("time_ns") == "BIGINT" and low is not None and high is not None
        groups.append(Rows(first, first + count, *((int(low), int(high)) if known else EVER)))
        first += count
    return RecordingFile(path, tuple(groups), types)


def said(error: duckdb.Error) -> str:
    """The first line of what DuckDB says."""
    return str(error).split("\n", 1)[0].removeprefix("Invalid Input Error: ")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
