"""Any table of numbers over time in a CSV or Parquet file, whatever its columns stand for; errors say what to do."""

# ruff: noqa: S608  # names of files and columns are quoted, nothing else comes from outside
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from twin.errors import ConfigError
from twin.frames import Floats, Ints
from twin.times import iso
from twin.units import NS_PER_S

__all__ = ["Table", "read_table"]

_READERS = {
    ".csv": "read_csv({}, header = true, sample_size = -1, nullstr = ['', 'NA', 'NaN', 'nan', 'NULL', 'null', '-'])",
    ".parquet": "read_parquet({})",
}
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
            "FLOAT", "DOUBLE", "DECIMAL", "BOOLEAN")  # fmt: skip
_MOMENTS = ("TIMESTAMP", "DATE")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows in order of time. columns; values (rows, columns), NaN = missing; time_ns (rows,); when (rows,) the times as
    text; group (rows,) numbers into group_names."""

    columns: tuple[str, ...]
    values: Floats
    time_ns: Ints
    when: NDArray[Any]
    group: Ints
    group_names: tuple[str, ...]


def read_table(path: Path, time: str, group: str = "", without: Sequence[str] = ()) -> Table:
    """All columns but `time`, `group` and `without` as numbers. Raises ConfigError.

    The time column holds moments (without a zone: UTC) or numbers, taken as seconds. Rows of one time keep their order.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(f"--data {path}: give a file that ends in {' or '.join(_READERS)}")
    if not path.is_file():
        raise ConfigError(f"--data {path}: there is no such file")
    source = reader.format(_quoted(str(path), "'"))
    with duckdb.connect(":memory:", config={"threads": 2}) as db:
        try:
            kinds = {row[0]: str(row[1]) for row in db.sql(f"DESCRIBE SELECT * FROM {source}").fetchall()}
            if not db.sql(f"SELECT 1 FROM {source} LIMIT 1").fetchall():
                raise ConfigError(f"--data {path} has no rows")
            columns = _columns(db, source, kinds, path, time, group, without)
            when = f"{_moment(kinds[time], time, path)} AS at"
            who = f"CAST({_name(group)} AS VARCHAR)" if group else "''"
            numbers = ", ".join(f"CAST({_name(name)} AS DOUBLE) AS n{place}" for place, name in enumerate(columns))
            found = db.sql(f"SELECT {when}, {who} AS who, {numbers} FROM {source}").fetchnumpy()
        except duckdb.Error as error:
            first = str(error).strip().partition("\n")[0]
            raise ConfigError(f"--data {path} cannot be read as a table: {first}") from error
    return _table(path, time, columns, found)


def _quoted(text: str, mark: str) -> str:
    return mark + text.replace(mark, mark * 2) + mark


def _name(column: str) -> str:
    return _quoted(column, '"')


def _is(kind: str, kinds: Sequence[str]) -> bool:
    return kind.startswith(tuple(kinds))


def _columns(
    db: duckdb.DuckDBPyConnection, source: str, kinds: dict[str, str], path: Path, time: str, group: str,
    without: Sequence[str],
) -> list[str]:  # fmt: skip
    named = {"--time": [time], "--group": [group] if group else [], "--without": list(without)}
    for option, names in named.items():
        for name in names:
            if name not in kinds:
                raise ConfigError(f"{option} {name}: {path} has no such column; it has {', '.join(kinds)}")
    columns = [name for name in kinds if name not in (time, group, *without)]
    for name in columns:
        if not _is(kinds[name], _NUMBERS):
            known = f"SELECT {_name(name)} AS word FROM {source} WHERE {_name(name)} IS NOT NULL"
            odd = db.sql(f"SELECT word FROM ({known}) WHERE TRY_CAST(word AS DOUBLE) IS NULL LIMIT 1").fetchall()
            if odd:
                raise ConfigError(
                    f"column {name} of {path} is no number everywhere, it holds {str(odd[0][0])!r:.60}; leave it "
                    f"out with --without {name!r}, or name it with --group"
                )
    if not columns:
        raise ConfigError(f"{path} has no column beside {time}{' and ' + group if group else ''}; nothing to look at")
    return columns


def _moment(kind: str, time: str, path: Path) -> str:
    if _is(kind, _MOMENTS):
        return f"epoch_ns({_name(time)})"
    if _is(kind, _NUMBERS):
        return f"CAST({_name(time)} AS DOUBLE)"
    raise ConfigError(
        f"--time {time}: the column of {path} holds neither moments such as 2026-11-24 06:00:00 nor numbers (seconds), "
        f"but {kind.lower()}"
    )


def _table(path: Path, time: str, columns: Sequence[str], found: dict[str, Any]) -> Table:
    at = np.ma.asarray(found["at"])
    unknown = np.ma.getmaskarray(at) | ~np.isfinite(np.ma.getdata(at).astype(float))
    if unknown.any():
        row = int(np.flatnonzero(unknown)[0]) + 1
        raise ConfigError(f"--time {time}: row {row} of {path} has no time; give each row one, or leave it out")
    values = np.stack([np.ma.filled(found[f"n{place}"], np.nan) for place in range(len(columns))], axis=1)
    values[~np.isfinite(values)] = np.nan
    names, group = np.unique(np.ma.filled(found["who"], "").astype(str), return_inverse=True)
    moments = at.dtype.kind != "f"
    time_ns = np.asarray(at if moments else np.round(at * NS_PER_S)).astype(np.int64)
    when = [
        iso(ns) if moments else f"{seconds:.15g}" for ns, seconds in zip(time_ns.tolist(), at.tolist(), strict=True)
    ]
    order = np.argsort(time_ns, kind="stable")
    return Table(
        tuple(columns), values[order], time_ns[order], np.array(when)[order],
        group.reshape(-1).astype(np.int64)[order], tuple(names.tolist()),
    )  # fmt: skip
