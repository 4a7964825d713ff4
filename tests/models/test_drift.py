"""Drift of inputs: what has changed is named, what has not is left in peace, and memory does not grow."""

import numpy as np
import pytest

from models.drift import drift, refer, start, watch
from models.errors import ModelError
from models.matrix import Floats, Matrix
from tests.models.tables import MINUTE, table

HOUR = 60 * MINUTE
TRAINING = table(4, 500, 1)
REFERENCE = refer(TRAINING)


def fresh(values: Floats | None = None, rows: int = 300, first: int = 0) -> Matrix:
    matrix = table(4, rows, 2, first=first)
    return matrix if values is None else Matrix(matrix.columns, values, matrix.time_ns, matrix.group)


def test_the_same_kind_of_data_has_not_drifted() -> None:
    found = drift(REFERENCE, watch(REFERENCE, start(REFERENCE), fresh()))
    assert not found.drifted.any()
    assert (found.psi < 0.1).all()
    assert (found.rows, found.columns) == (1200, TRAINING.columns)


def test_the_column_that_has_moved_is_named_and_by_how_much() -> None:
    values = fresh().values.copy()
    values[:, 3] += 1.0
    values[:, 5] *= 0.3
    found = drift(REFERENCE, watch(REFERENCE, start(REFERENCE), fresh(values)))
    assert np.flatnonzero(found.drifted).tolist() == [3, 5]
    # a shift by one standard deviation between normal distributions has a PSI of 1
    assert found.psi[3] == pytest.approx(1.0, abs=0.35)


def test_a_column_that_goes_missing_is_named() -> None:
    values = fresh().values.copy()
    values[::2, 2] = np.nan
    found = drift(REFERENCE, watch(REFERENCE, start(REFERENCE), fresh(values)))
    assert np.flatnonzero(found.drifted).tolist() == [2]
    assert (found.missing[2], found.missing_before[2]) == (0.5, 0.0)
    assert found.psi[2] < 0.1


def test_a_constant_column_drifts_when_it_changes_either_way() -> None:
    still = Matrix(("a", "b"), np.full((400, 2), 5.0), np.arange(400), np.zeros(400, int))
    reference = refer(still)
    assert not drift(reference, watch(reference, start(reference), still)).drifted.any()
    moved = Matrix(("a", "b"), np.tile([4.0, 6.0], (400, 1)), np.arange(400), np.zeros(400, int))
    assert drift(reference, watch(reference, start(reference), moved)).drifted.all()


def test_too_few_rows_say_nothing() -> None:
    few = fresh(np.full((40, 8), 9.0), rows=10)
    found = drift(REFERENCE, watch(REFERENCE, start(REFERENCE), few))
    assert np.isnan(found.psi).all()
    assert not found.drifted.any()
    empty = drift(REFERENCE, start(REFERENCE))
    assert np.isnan(empty.missing).all()
    assert empty.rows == 0
    with pytest.raises(ModelError, match="drift needs 200 training rows"):
        refer(few)


def test_batches_and_order_do_not_matter() -> None:
    matrix = fresh(rows=600)
    whole = watch(REFERENCE, start(REFERENCE, HOUR, 5), matrix)
    order = np.random.default_rng(0).permutation(len(matrix))
    state = start(REFERENCE, HOUR, 5)
    for part in np.array_split(order, 13):
        state = watch(REFERENCE, state, matrix.take(part))
    assert np.array_equal(state.counts, whole.counts)
    assert np.array_equal(state.slot, whole.slot)
    assert watch(REFERENCE, whole, matrix.take(order[:0])) is whole


@pytest.mark.parametrize("first", [0, -90])
def test_what_is_older_than_the_window_leaves_it(first: int) -> None:
    bad = fresh(np.full((1200, 8), 9.0), first=first)
    state = watch(REFERENCE, start(REFERENCE, HOUR, 3), bad)
    assert drift(REFERENCE, state).drifted.all()
    size = state.counts.nbytes
    state = watch(REFERENCE, state, fresh(first=first + 600))
    assert not drift(REFERENCE, state).drifted.any()
    again = watch(REFERENCE, state, bad)  # late by hours
    assert np.array_equal(again.counts, state.counts)
    assert again.counts.nbytes == size


def test_a_window_of_nothing_is_refused() -> None:
    with pytest.raises(ModelError, match="both must be 1 or more"):
        start(REFERENCE, slots=0)
