"""A value that replaces another one is counted, the same value again is not, and memory has an end."""

from __future__ import annotations

import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.core.plants import Row, readings_of
from twin.collisions import Collisions
from twin.frames import Readings

NAN = float("nan")


def count(*batches: list[Row]) -> list[int]:
    seen = Collisions()
    return [seen.count(readings_of(batch)) for batch in batches]


def test_the_same_again_is_none_and_another_value_is_one() -> None:
    first: list[Row] = [(0, 1, "voltage_v", 4.0), (0, 2, "voltage_v", 4.0), (1, 1, "voltage_v", 5.0)]
    assert count(first, first, [(0, 1, "voltage_v", 4.1)], [(0, 1, "voltage_v", 4.1)]) == [0, 0, 1, 0]


def test_within_one_batch() -> None:
    assert count([(0, 1, "voltage_v", 4.0), (0, 1, "voltage_v", 4.1)]) == [1]
    assert count([(0, 1, "voltage_v", 4.0)] * 3) == [0]
    assert count([(0, 1, "voltage_v", 4.0)], [(0, 1, "voltage_v", 4.1), (0, 1, "voltage_v", 4.2)]) == [0, 2]


def test_another_signal_unit_or_time_is_another_key() -> None:
    rows: list[Row] = [(0, 1, "voltage_v", 4.0), (0, 1, "noise_mv", 5.0), (0, 2, "voltage_v", 6.0)]
    assert count(rows, [(0.5, 1, "voltage_v", 7.0)]) == [0, 0]


def test_no_value_and_minus_zero() -> None:
    assert count([(0, 1, "voltage_v", 4.0)], [(0, 1, "voltage_v", NAN)], []) == [0, 0, 0]
    assert count([(0, 1, "noise_mv", 0.0)], [(0, 1, "noise_mv", -0.0)]) == [0, 0]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3), st.sampled_from([4.0, 4.5])), max_size=60),
    st.integers(1, 20),
)
def test_as_many_as_a_dictionary_finds(rows: list[tuple[int, int, float]], size: int) -> None:
    there, wanted = dict[tuple[int, int], float](), 0
    for second, unit, value in rows:
        wanted += there.get((second, unit), value) != value
        there[second, unit] = value
    listed: list[Row] = [(second, unit, "voltage_v", value) for second, unit, value in rows]
    assert sum(count(*(listed[n : n + size] for n in range(0, len(listed), size)))) == wanted


def test_the_memory_has_an_end_and_old_keys_give_way() -> None:
    seen = Collisions(bits=8)
    rows: list[Row] = [(n, 1, "voltage_v", 4.0) for n in range(20_000)]
    assert seen.count(readings_of(rows)) == 0
    assert len(seen._keys) == 256
    assert seen.count(readings_of([(19_999, 1, "voltage_v", 5.0)])) == 1
    assert seen.count(readings_of([(0, 1, "voltage_v", 5.0)])) == 0


def test_it_costs_little() -> None:
    """A second of 1,500 pots with 12 signals; far below what decoding them takes."""
    n = 18_000
    times = np.full(n, 1_763_964_000_000_000_000) + np.arange(n) // 12
    readings = Readings.of(
        times, [k // 12 for k in range(n)], [k % 12 for k in range(n)], np.random.default_rng(1).normal(size=n)
    )
    seen = Collisions()
    seen.count(readings)
    seen.count(readings)
    began = time.process_time()
    for _ in range(10):
        assert seen.count(readings) == 0
    assert (time.process_time() - began) / 10 < 0.02
