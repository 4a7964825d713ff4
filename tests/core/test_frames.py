"""Readings and the pivot to rows, against the plainest way of doing it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.core.plants import NOW_NS, readings_of
from tests.core.streams import readings
from twin.frames import Frame, Quality, Readings, wide
from twin.signals import SIGNALS, by_name, of_topic

Row = tuple[int, int, tuple[float, ...]]


def slowly(found: Readings, signals: Sequence[int]) -> list[Row]:
    """`wide` by a dict of dicts; NaN as None, so that rows can be compared."""
    rows: dict[tuple[int, int], dict[int, float]] = {}
    for time, unit, signal, value in zip(found.time_ns, found.unit, found.signal, found.value, strict=True):
        if int(signal) in signals:
            row = rows.setdefault((int(time), int(unit)), {})
            if math.isfinite(value):
                row[int(signal)] = float(value)
    return [(t, u, tuple(row.get(s, math.nan) for s in signals)) for (t, u), row in rows.items() if row]


def quickly(found: Readings, signals: Sequence[int]) -> list[Row]:
    result = wide(found, signals)
    assert result.signals == tuple(signals)
    assert result.values.shape == (len(result), len(signals))
    return [
        (t, u, tuple(v)) for t, u, v in zip(result.time_ns.tolist(), result.unit.tolist(), result.values, strict=True)
    ]


def comparable(rows: list[Row]) -> list[Row]:
    return [(time, unit, tuple(-1e300 if math.isnan(v) else float(v) for v in values)) for time, unit, values in rows]


CODES = st.one_of(
    st.sampled_from([of_topic(kind) for kind in ("telemetry", "line", "event", "sample")]),
    st.lists(st.integers(0, len(SIGNALS) - 1), max_size=6, unique=True).map(tuple),
)
TWICE = [(0, 1, "voltage_v", 4.0), (0, 2, "voltage_v", 4.0), (0, 1, "voltage_v", 5.0), (0, 1, "noise_mv", 1.0)]


@given(readings(max_size=60), CODES)
@example(readings_of(TWICE), of_topic("telemetry"))
@example(readings_of([*TWICE, (0, 1, "voltage_v", math.nan)]), of_topic("telemetry"))
@example(readings_of([]), of_topic("line"))
@example(readings_of(TWICE), ())
def test_rows_are_those_of_the_plain_way(found: Readings, signals: tuple[int, ...]) -> None:
    assert comparable(quickly(found, signals)) == comparable(slowly(found, signals))


def test_rows_come_in_order_of_first_appearance_and_the_last_value_counts() -> None:
    voltage, noise = by_name("voltage_v"), by_name("noise_mv")
    rows = quickly(readings_of(TWICE), (voltage, noise))
    assert comparable(rows) == comparable([(NOW_NS, 1, (5.0, 1.0)), (NOW_NS, 2, (4.0, math.nan))])


def test_quality_is_bad_where_there_is_no_number() -> None:
    found = Readings.of([1, 2, 3, 4], [0] * 4, [0] * 4, [1.0, math.nan, math.inf, -math.inf])
    assert found.quality.tolist() == [Quality.GOOD, Quality.BAD, Quality.BAD, Quality.BAD]
    assert Readings.of([1], [0], [0], [1.0], [Quality.UNCERTAIN]).quality.tolist() == [Quality.UNCERTAIN]


def test_columns_must_be_of_one_length() -> None:
    with pytest.raises(ValueError, match="length"):
        Readings.of([1, 2], [0], [0], [1.0])


def test_readings_do_not_change() -> None:
    found = readings_of(TWICE)
    for column in (found.time_ns, found.unit, found.signal, found.value, found.quality):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 0


def test_of_copies_what_it_is_given() -> None:
    mine = np.array([1.0, 2.0])
    found = Readings.of([1, 2], [0, 0], [0, 0], mine)
    mine[0] = 9.0
    assert found.value.tolist() == [1.0, 2.0]


@given(st.lists(readings(max_size=5), max_size=4))
def test_concat_keeps_order(parts: list[Readings]) -> None:
    whole = Readings.concat(parts)
    assert len(whole) == sum(len(part) for part in parts)
    position = 0
    for part in parts:
        assert whole.take(slice(position, position + len(part))).same(part)
        position += len(part)


def test_same_compares_every_column_and_nan_with_nan() -> None:
    base = readings_of([(0, 1, "voltage_v", math.nan), (1, 1, "voltage_v", 4.0)])
    assert base.same(base.take(np.array([0, 1])))
    for other in (
        readings_of([(0, 1, "voltage_v", 4.0), (1, 1, "voltage_v", 4.0)]),
        readings_of([(0, 2, "voltage_v", math.nan), (1, 1, "voltage_v", 4.0)]),
        readings_of([(0, 1, "noise_mv", math.nan), (1, 1, "voltage_v", 4.0)]),
        readings_of([(9, 1, "voltage_v", math.nan), (1, 1, "voltage_v", 4.0)]),
        Readings.of(base.time_ns, base.unit, base.signal, base.value, [0, 0]),
        base.take(slice(0, 1)),
    ):
        assert not base.same(other)


def test_a_frame_gives_its_columns_by_signal() -> None:
    value = np.array([[1.0, 2.0], [3.0, 4.0]])
    codes = np.array([1, 2], np.int32)
    frame = Frame(5, codes, (7, 3), value, np.zeros((2, 2)), np.zeros((2, 2), np.uint8))
    assert frame.column(3).tolist() == [2.0, 4.0]
    with pytest.raises(ValueError, match="not in tuple"):
        frame.column(4)
    with pytest.raises(ValueError, match="read-only"):
        frame.value[0, 0] = 0.0
