"""The table that models see, and the splits that keep training and test apart."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ModelError
from models.matrix import Matrix, enough, in_order
from models.splits import DAY_NS, Split, check_splits, grouped_splits

NAN = np.nan


def small(**changed: Any) -> Matrix:
    parts: dict[str, Any] = {
        "columns": ("a", "b"), "values": [[1.0, NAN], [3.0, 4.0], [5.0, 6.0]], "time_ns": [2, 1, 3], "group": [7, 7, 5],
    }  # fmt: skip
    return Matrix(**parts | changed)


def test_columns_are_chosen_by_name_in_any_order() -> None:
    chosen = small().choose(("b", "a"))
    assert chosen.columns == ("b", "a")
    assert np.array_equal(chosen.values, [[NAN, 1.0], [4.0, 3.0], [6.0, 5.0]], equal_nan=True)
    assert small().choose(["b"]).values.shape == (3, 1)
    with pytest.raises(ModelError, match=r"no column x, y; it has a, b: give the model"):
        small().choose(["a", "x", "y"])


def test_what_is_inside_cannot_be_changed_and_the_callers_array_can() -> None:
    mine = np.zeros((3, 2))
    matrix = small(values=mine)
    with pytest.raises(ValueError, match="read-only"):
        matrix.values[0, 0] = 1.0
    mine[0, 0] = 1.0


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"columns": ("a", "a")}, "columns a are there twice"),
        ({"columns": ("a",)}, r"must be \(rows, 1\)"),
        ({"time_ns": [1, 2]}, r"\(rows,\) and \(rows,\)"),
        ({"group": [[1, 2, 3]]}, r"\(rows,\) and \(rows,\)"),
        ({"values": [[1.0, 2.0], [np.inf, 4.0], [5.0, 6.0]]}, "columns a hold infinite values"),
        ({"time_ns": [1.5, 2.0, 3.0]}, "time_ns cannot be int64"),
        ({"values": [["x", "y"]] * 3}, "values cannot be float64"),
    ],
)
def test_a_table_whose_parts_do_not_fit_is_refused(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ModelError, match=says):
        small(**changed)


def test_matrices_are_put_together_by_name() -> None:
    whole = Matrix.concat([small(), small().choose(("b", "a"))])
    assert len(whole) == 6
    assert np.array_equal(whole.values[:3], whole.values[3:], equal_nan=True)
    with pytest.raises(ModelError, match="at least one"):
        Matrix.concat([])


def test_order_is_by_group_and_time() -> None:
    order, place = in_order(small())
    assert (order.tolist(), place.tolist()) == ([2, 1, 0], [0, 0, 1])
    with pytest.raises(ModelError, match="group 7 has two rows of the time 1"):
        in_order(small(time_ns=[1, 1, 1]))


def test_half_of_the_columns_are_enough_to_judge_a_row() -> None:
    values = np.array([[1.0, NAN, NAN], [1.0, 2.0, NAN], [NAN, NAN, NAN]])
    assert enough(values).tolist() == [False, True, False]
    assert not enough(np.zeros((2, 0))).any()


def _plane(groups: int, days: int) -> Matrix:
    time_ns, group = np.meshgrid(np.arange(days * 24) * (DAY_NS // 24), np.arange(groups))
    return Matrix((), np.zeros((time_ns.size, 0)), time_ns.ravel(), group.ravel())


@given(
    groups=st.integers(3, 9), days=st.integers(4, 9), group_folds=st.integers(1, 3), block_folds=st.integers(1, 3),
    gap_h=st.integers(0, 5), seed=st.integers(0, 9),
)  # fmt: skip
def test_a_test_part_shares_no_group_no_block_and_no_gap_with_its_training(
    groups: int, days: int, group_folds: int, block_folds: int, gap_h: int, seed: int
) -> None:
    if group_folds * block_folds == 1:
        return
    matrix, gap = _plane(groups, days), gap_h * DAY_NS // 24
    splits = grouped_splits(
        matrix, group_folds=group_folds, block_folds=block_folds, gap_ns=gap, seed=seed
    )  # fmt: skip
    check_splits(matrix, splits)
    tested = np.concatenate([split.test for split in splits])
    assert np.array_equal(np.sort(tested), np.arange(len(matrix)))
    for split in splits:
        if group_folds > 1:
            assert not set(matrix.group[split.train]) & set(matrix.group[split.test])
        if block_folds > 1:
            times = np.unique(matrix.time_ns[split.test])
            near = np.abs(matrix.time_ns[split.train][:, None] - times).min(axis=1)
            assert near.min() > gap
            assert not set(matrix.time_ns[split.train] // DAY_NS) & set(times // DAY_NS)


def test_a_gap_takes_only_what_is_near() -> None:
    matrix = _plane(4, 4)
    whole, gapped = (
        grouped_splits(matrix, group_folds=2, block_folds=2, gap_ns=gap, seed=1) for gap in (0, DAY_NS // 24)
    )
    for one, other in zip(whole, gapped, strict=True):
        assert np.array_equal(one.test, other.test)
        assert 0 < len(one.train) - len(other.train) <= 2 * 2 * 2  # an hour on each side of a block, two groups


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"group_folds": 4}, "4 folds need 4 groups or more, the data has 3"),
        ({"block_folds": 5}, "5 folds need 5 blocks of 1 days or more, the data has 2"),
        ({"group_folds": 1, "block_folds": 1}, "2 or more folds"),
        ({"gap_ns": 3 * DAY_NS}, "nothing is left to train on"),
    ],
)
def test_splits_that_cannot_be_are_refused(options: dict[str, int], says: str) -> None:
    with pytest.raises(ModelError, match=says):
        grouped_splits(_plane(3, 2), **options)


def test_splits_that_leak_are_found() -> None:
    rows = np.arange(3)
    with pytest.raises(ModelError, match="trains on rows that it tests"):
        check_splits(_plane(3, 2), [Split("mine", rows, rows)])
    with pytest.raises(ModelError, match="of another matrix"):
        check_splits(_plane(3, 2), [Split("mine", rows, np.array([9999]))])
