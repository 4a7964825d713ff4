"""What signals were over equal spans of time: the questions to a store in SQL and InfluxQL, and their answers. Pure.

A span has least, mean and largest value, so that a spike of one second is still there in a look at a week.
"""

# ruff: noqa: S608  # names come from the catalogue, values are bound or are those of the roster
from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from twin.catalogue import CATALOGUE
from twin.frames import Floats, Readings
from twin.ports import Buckets

__all__ = ["from_columns", "from_series", "influxql", "of_readings", "sql"]

_KEPT = ("n", "low", "mean", "high")
_TAGS = ("site", "line", "pot")


def sql(measurement: str, codes: Sequence[int]) -> str:
    """Of DuckDB: $1 span [ns], $2 to $4 site, line and pot, $5 start [ns], $6 end [ns]."""
    told = ", ".join(
        f"count({name}) AS n{i}, min({name}) AS low{i}, avg({name}) AS mean{i}, max({name}) AS high{i}"
        for i, name in enumerate(CATALOGUE[code].db_field for code in codes)
    )
    return (
        f"SELECT epoch_ns(time) // $1 * $1 AS span, {told} FROM {measurement} WHERE site = $2 AND line = $3 "
        "AND pot = $4 AND time >= make_timestamp_ns($5) AND time < make_timestamp_ns($6) GROUP BY span ORDER BY span"
    )


def influxql(measurement: str, path: str, codes: Sequence[int], start_ns: int, end_ns: int, step_ns: int) -> str:
    """Of InfluxDB, with the names of `from_series`."""
    told = ", ".join(
        f'count("{name}") AS n{i}, min("{name}") AS low{i}, mean("{name}") AS mean{i}, max("{name}") AS high{i}'
        for i, name in enumerate(CATALOGUE[code].db_field for code in codes)
    )
    at = " AND ".join(f"{tag} = '{level}'" for tag, level in zip_longest(_TAGS, path.split("/"), fillvalue=""))
    return (
        f"SELECT {told} FROM {measurement} WHERE {at} AND time >= {start_ns} AND time < {end_ns} "
        f"GROUP BY time({step_ns}ns) fill(none)"
    )


def from_columns(found: Mapping[str, Any], codes: Sequence[int]) -> Buckets:
    """The answer to `sql`, as columns."""
    tables = (
        np.stack(
            [np.ma.filled(np.ma.asarray(found[f"{name}{i}"]).astype(np.float64), np.nan) for i in range(len(codes))], 1
        )
        for name in _KEPT
    )
    return _long(np.asarray(found["span"], np.int64), codes, *tables)


def from_series(series: Sequence[Mapping[str, Any]], codes: Sequence[int]) -> Buckets:
    """The answer to `influxql`."""
    names = [f"{name}{i}" for name in _KEPT for i in range(len(codes))]
    rows = [row for one in series for row in one["values"]]
    places = [series[0]["columns"].index(name) for name in ("time", *names)] if rows else []
    table = np.array([[row[place] for place in places[1:]] for row in rows], np.float64)
    times = np.array([row[places[0]] for row in rows], np.int64)
    return _long(times, codes, *np.split(table.reshape(len(rows), len(names)), len(_KEPT), axis=1))


def of_readings(readings: Readings, codes: Sequence[int], step_ns: int) -> Buckets:
    """Of readings of one unit that are at hand."""
    spans = np.unique(readings.time_ns // step_ns * step_ns)
    count, low, mean, high = tables = [np.full((len(spans), len(codes)), np.nan) for _ in _KEPT]
    for column, code in enumerate(codes):
        mine = readings.take(readings.signal == code)
        row = np.searchsorted(spans, mine.time_ns // step_ns * step_ns)
        n = np.bincount(row, minlength=len(spans)).astype(np.float64)
        count[:, column] = n
        mean[n > 0, column] = np.bincount(row, mine.value, len(spans))[n > 0] / n[n > 0]
        np.fmin.at(low[:, column], row, mine.value)
        np.fmax.at(high[:, column], row, mine.value)
    return _long(spans, codes, *tables)


def _long(spans: np.ndarray[Any, Any], codes: Sequence[int], count: Floats, *values: Floats) -> Buckets:
    """Tables (spans, signals) to long columns; where nothing was counted there is no row."""
    row, column = np.nonzero(np.nan_to_num(count))
    low, mean, high = (table[row, column] for table in values)
    counts = count[row, column].astype(np.int64)
    return Buckets(spans[row], np.array(codes, np.int16)[column], counts, low, mean, high)
