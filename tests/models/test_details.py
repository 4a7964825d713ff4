"""What single detectors and their fitting promise beyond the contract."""

from typing import Any

import numpy as np
import pytest

from models.contract import flagged
from models.detectors import fit
from models.matrix import Matrix
from tests.models.tables import table


def changed(matrix: Matrix, rows: Any, column: int, much: float) -> Matrix:
    values = matrix.values.copy()
    values[rows, column] += much
    return Matrix(matrix.columns, values, matrix.time_ns, matrix.group)


def test_the_limit_comes_from_rows_that_the_detector_was_not_made_from() -> None:
    matrix = table(2, 400, 1)
    late = np.arange(len(matrix)) % 400 >= 300
    one, other = fit("robust_limits", matrix), fit("robust_limits", changed(matrix, late, 3, 20.0))
    assert np.array_equal(one.centre, other.centre)
    assert np.array_equal(one.spread, other.spread)
    assert one.limit < 10 < other.limit


def test_the_sums_of_cusum_fall_back_soon_after_a_long_trouble() -> None:
    detector = fit("cusum", table(2, 400, 1))
    test = table(1, 900, 2, first=400)
    scores = detector.score(detector.start(), changed(test, slice(100, 800), 3, 5.0))[1]
    marks = flagged(detector, scores)
    assert marks[110:800].all()
    assert not marks[860:].any()
    assert np.nanmax(scores) == pytest.approx(detector.cap * detector.limit)


def test_training_rows_that_are_there_many_times_do_no_harm() -> None:
    three = table(1, 3, 1).values
    values = np.tile(three, (200, 1)) + 1e-3 * np.repeat(np.arange(4), 150)[:, None]
    whole = table(1, 600, 1)
    detector = fit("local_outlier", Matrix(whole.columns, values, whole.time_ns, whole.group))
    test = table(1, 20, 1, first=600)
    near = Matrix(test.columns, values[:20], test.time_ns, test.group)
    assert not flagged(detector, detector.score(detector.start(), near)[1]).any()
    far = changed(near, slice(None), 3, 50.0)
    assert flagged(detector, detector.score(detector.start(), far)[1]).all()


def test_a_column_that_never_changed_in_training_is_not_judged() -> None:
    matrix = table(2, 400, 1)
    values = matrix.values.copy()
    values[:, 3] = 7.0
    still = Matrix(matrix.columns, values, matrix.time_ns, matrix.group)
    for name in ("robust_limits", "cusum", "change_point", "pca", "isolation_forest", "local_outlier"):
        detector = fit(name, still)
        far = changed(still, slice(None), 3, 1e6)
        assert np.array_equal(
            detector.score(detector.start(), far)[1], detector.score(detector.start(), still)[1], equal_nan=True
        )


def test_both_indices_of_pca_say_what_they_are_for() -> None:
    matrix = table(4, 400, 1)
    detector = fit("pca", matrix)
    test = table(1, 50, 2)
    values = test.values.copy()
    values *= 6.0  # far, but as the columns go together
    t2, _ = detector.indices(Matrix(test.columns, values, test.time_ns, test.group))
    _, q = detector.indices(changed(test, slice(None), 5, 4.0))
    usual_t2, usual_q = detector.indices(test)
    assert np.median(t2) > 30 * np.median(usual_t2)
    assert np.median(q) > 5 * np.median(usual_q)
