"""Minute bins: their content is a function of what was said, not of the order or the times it was said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.bins import Metered, Ring, Sampled


def slots(ring: Ring, *minutes: int) -> list[int]:
    found: list[int] = ring.slot(np.array(minutes, np.int64)).tolist()
    return found


def test_a_ring_holds_whole_cells_up_to_the_newest_minute() -> None:
    ring = Ring(60, 15)
    assert ring.advance(100).tolist() == slots(ring, *range(41, 101)), "at first, everything is new"
    assert ring.oldest == 45, "the cell of minutes 30-44 is being overwritten"
    assert ring.holds(np.array([44, 45, 100, 101])).tolist() == [False, True, True, False]
    assert ring.advance(99).tolist() == []
    assert ring.advance(100).tolist() == []
    assert ring.advance(103).tolist() == slots(ring, 101, 102, 103)
    assert ring.oldest == 45
    assert ring.advance(105).tolist() == slots(ring, 104, 105)
    assert ring.oldest == 60
    assert len(ring.advance(10_000)) == 60, "after a long time, everything"


@given(st.lists(st.integers(0, 400), min_size=1, max_size=12))
def test_a_ring_clears_a_slot_before_another_minute_uses_it(minutes: list[int]) -> None:
    ring = Ring(60, 15)
    content: dict[int, int] = {}
    for minute in minutes:
        for slot in ring.advance(minute).tolist():
            content.pop(slot, None)
        if ring.holds(np.array([minute]))[0]:
            slot = slots(ring, minute)[0]
            assert content.setdefault(slot, minute) == minute
    held = {minute for minute in content.values() if minute >= ring.oldest}
    assert held == {m for m in minutes if m >= ring.oldest}


def ints(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, np.int64)


def test_samples_are_averaged_and_counted_once_a_second() -> None:
    bins = Sampled(2, 10, 1e-5)
    bins.add(ints(0, 0, 1), ints(3, 3, 3), ints(0, 1, 59), np.array([4.0, 5.0, 3.0]))
    bins.add(ints(0), ints(3), ints(1), np.array([9.0]))
    mean, count = bins.read(np.array([3, 4]))
    assert mean.tolist() == [[pytest.approx(4.5, rel=1e-12), 0.0], [pytest.approx(3.0, rel=1e-12), 0.0]]
    assert count.tolist() == [[2.0, 0.0], [1.0, 0.0]]


SAMPLE = st.tuples(st.integers(0, 1), st.integers(0, 3), st.integers(0, 59))


@given(st.dictionaries(SAMPLE, st.floats(-150, 150), max_size=30), st.data())
def test_samples_in_any_order_number_and_grouping_give_the_same_sums(
    said: dict[tuple[int, int, int], float], data: st.DataObject
) -> None:
    once, again = Sampled(2, 4, 1e-5), Sampled(2, 4, 1e-5)
    for (row, slot, second), value in said.items():
        once.add(ints(row), ints(slot), ints(second), np.array([value]))
    repeats = data.draw(st.lists(st.sampled_from(sorted(said.items())), max_size=5)) if said else []
    rows = data.draw(st.permutations([*said.items(), *repeats]))
    cut = data.draw(st.integers(0, len(rows)))
    for part in (rows[:cut], rows[cut:]):
        keys = np.array([key for key, _ in part], np.int64).reshape(-1, 3)
        again.add(keys[:, 0], keys[:, 1], keys[:, 2], np.array([value for _, value in part]))
    assert np.array_equal(once.total, again.total)
    assert np.array_equal(once.seconds, again.seconds)
    assert int(np.bitwise_count(once.seconds).sum()) == len(said)


def test_clearing_and_growing() -> None:
    bins = Sampled(1, 3, 0.5)
    bins.add(ints(0, 0), ints(0, 1), ints(0, 0), np.array([2.0, 3.0]))
    bins.grow(2)
    bins.add(ints(1), ints(1), ints(5), np.array([7.0]))
    bins.clear(ints(0))
    mean, count = bins.read(np.array([0, 1]))
    assert mean.tolist() == [[0.0, 3.0], [0.0, 7.0]]
    assert count.tolist() == [[0.0, 1.0], [0.0, 1.0]]


def meter(*readings: tuple[int, int, float], rollover: float = 1e6) -> Metered:
    """A meter told (slot, time [ns], value)."""
    found = Metered(10, rollover)
    for slot, time, value in readings:
        found.add(ints(slot), ints(time), np.array([value]))
    return found


def spent(found: Metered, before: int, slot: int) -> tuple[float, float]:
    (energy,), (duration,) = found.spent(ints(before), ints(slot))
    return float(energy), float(duration)


def test_energy_is_the_difference_of_the_last_readings_of_two_minutes() -> None:
    found = meter((0, 58_000_000_000, 100.0), (0, 59_000_000_000, 110.0), (1, 119_000_000_000, 200.0))
    assert spent(found, 0, 1) == (90.0, 60.0)
    assert spent(found, 1, 2) == (0.0, 0.0), "nothing is made up for a minute without a reading"
    assert spent(found, 9, 0) == (0.0, 0.0)


def test_the_newest_reading_of_a_minute_counts_in_any_order() -> None:
    late = meter((0, 59_000_000_000, 110.0), (1, 119_000_000_000, 200.0), (0, 58_000_000_000, 100.0))
    assert spent(late, 0, 1) == (90.0, 60.0)
    together = Metered(10, 1e6)
    together.add(ints(0, 0, 0), ints(3, 9, 5), np.array([1.0, 3.0, 2.0]))
    assert (together.value[0], together.time_ns[0]) == (3.0, 9)


def test_a_rollover_is_carried_over_and_a_reset_is_not() -> None:
    minute = 60_000_000_000
    assert spent(meter((0, minute, 999_990.0), (1, 2 * minute, 15.0)), 0, 1) == (25.0, 60.0)
    assert spent(meter((0, minute, 500_000.0), (1, 2 * minute, 15.0)), 0, 1) == (0.0, 0.0), "reset"
    assert spent(meter((0, minute, 999_990.0), (1, 2 * minute, 400_000.0)), 0, 1) == (0.0, 0.0)
    assert spent(meter((0, minute, 100.0), (1, 2 * minute, 99.0)), 0, 1) == (0.0, 0.0), "a meter does not go back"
    assert spent(meter((0, minute, 100.0), (1, 2 * minute, 100.0)), 0, 1) == (0.0, 60.0), "nothing used is a fact"


def test_a_cleared_meter_has_said_nothing() -> None:
    found = meter((0, 1_000_000_000, 100.0), (1, 61_000_000_000, 200.0))
    found.clear(ints(0))
    assert spent(found, 0, 1) == (0.0, 0.0)
