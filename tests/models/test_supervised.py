"""Early warning and diagnosis: what they say has to come true as often as they say, for groups they have not seen."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.boosting import Boosting
from models.diagnosis import Diagnosis, fit_diagnosis
from models.errors import ModelError
from models.matrix import Matrix
from models.saving import Metadata, load, save
from models.splits import grouped_splits
from models.warning import EarlyWarning, fit_warning
from tests.models.tables import MINUTE

COLUMNS = ("level", "slope", "noise", "own")
CAUSES = ("nothing", "hot", "cold")
SMALL = Boosting(trees=25, leaves=7)


def world(groups: int, rows: int, seed: int, first_group: int = 0) -> tuple[Matrix, Any, Any]:
    """Rows with a known probability p of an event: log odds = 3 * level - 3; `own` is a fingerprint of the group, and
    groups differ in how often events come. 5 % of the values are missing. Returns matrix, events, p."""
    chance = np.random.default_rng(seed)
    count = groups * rows
    group = np.repeat(first_group + np.arange(groups), rows)
    level, other, noise = chance.normal(size=(3, count))
    own = np.random.default_rng(77).normal(size=1000)[group]
    p = 1.0 / (1.0 + np.exp(3.0 - 3.0 * level - 0.5 * own))
    values = np.stack([level, other, noise, own], axis=1)
    values[chance.random(values.shape) < 0.05] = np.nan
    matrix = Matrix(COLUMNS, values, np.tile(np.arange(rows) * 60 * MINUTE, groups), group)
    return matrix, chance.random(count) < p, p


@cache
def warned() -> tuple[EarlyWarning, Any, Matrix, Any]:
    matrix, target, _ = world(12, 240, 1)
    told: list[tuple[int, int, str]] = []
    splits = grouped_splits(matrix, group_folds=2, block_folds=2)
    model, held_out = fit_warning(
        matrix, target, splits, seed=3, options=SMALL, progress=lambda *at: told.append(at)
    )  # fmt: skip
    assert [at[:2] for at in told] == [(n, 5) for n in range(6)]
    return model, held_out, matrix, target


def off(said: Any, happened: Any) -> float:
    """Mean distance of what was said from how often it happened, over fifths of what was said (ECE)."""
    order = np.array_split(np.argsort(said), 5)
    return float(np.mean([abs(said[part].mean() - happened[part].mean()) for part in order]))


def test_a_warning_comes_true_as_often_as_it_says_in_groups_it_has_not_seen() -> None:
    model, *_ = warned()
    matrix, target, p = world(20, 240, 9, first_group=100)
    said = model.probability(matrix)
    assert off(said, target) < 0.04
    assert np.abs(said - p).mean() < 0.09
    assert np.corrcoef(said, p)[0, 1] > 0.93


def test_what_is_said_of_the_rows_left_out_is_as_true() -> None:
    _, held_out, _, target = warned()
    assert np.isfinite(held_out).all()
    assert off(held_out, target) < 0.04


@pytest.mark.parametrize("weights", ["none", "balanced"])
def test_weights_of_classes_do_not_make_it_say_what_is_not_so(weights: Any) -> None:
    matrix, _, _ = world(6, 200, 1)
    target = np.random.default_rng(4).random(len(matrix)) < 0.05
    splits = grouped_splits(matrix, group_folds=2, block_folds=1)
    model, _ = fit_warning(matrix, target, splits, options=Boosting(trees=5, weights=weights))
    assert model.probability(matrix).mean() == pytest.approx(0.05, abs=0.02)


def test_a_warning_is_explained_by_the_column_that_makes_it() -> None:
    model, _, matrix, _ = warned()
    said = np.nan_to_num(model.probability(matrix)) > 0.7
    assert said.sum() > 50
    why = model.explain(matrix.take(said))
    assert (np.argmax(why, axis=1) == 0).mean() > 0.9
    assert np.abs(why[:, 2]).mean() < 0.2 * np.abs(why[:, 0]).mean()


@cache
def diagnosed() -> tuple[Diagnosis, Any, Matrix, Any]:
    matrix, _, _ = world(8, 200, 1)
    chance = np.random.default_rng(2)
    label = chance.choice(3, len(matrix), p=[0.8, 0.15, 0.05])
    values = matrix.values.copy()
    values[:, 0] += np.array([0.0, 2.5, 0.0])[label]
    values[:, 1] -= np.array([0.0, 0.0, 3.0])[label]
    matrix = Matrix(COLUMNS, values, matrix.time_ns, matrix.group)
    splits = grouped_splits(matrix, group_folds=2, block_folds=2)
    model, held_out = fit_diagnosis(matrix, label, CAUSES, splits, normal=label == 0, options=SMALL)
    return model, held_out, matrix, label


def test_a_diagnosis_is_right_as_often_as_it_says() -> None:
    _, held_out, _, label = diagnosed()
    np.testing.assert_allclose(held_out.sum(axis=1), 1.0)
    right = np.argmax(held_out, axis=1) == label
    assert right.mean() > 0.87
    assert off(held_out.max(axis=1), right) < 0.05
    for cause in (1, 2):
        assert off(held_out[:, cause], label == cause) < 0.03
        assert (np.argmax(held_out, axis=1) == cause)[label == cause].mean() > 0.5


def test_a_diagnosis_is_explained_by_the_column_that_makes_it() -> None:
    model, _, matrix, _ = diagnosed()
    said = np.nan_to_num(model.probability(matrix))
    for cause, column in ((1, 0), (2, 1)):
        sure = matrix.take(said[:, cause] > 0.7)
        assert len(sure) > 10
        assert (np.argmax(model.explain(sure), axis=1) == column).mean() > 0.9


@pytest.mark.parametrize("make", [warned, diagnosed])
def test_rows_are_judged_one_by_one_as_all_together_and_after_saving(make: Any, tmp_path: Path) -> None:
    model, _, matrix, _ = make()
    few = matrix.take(np.arange(30))
    values = few.values.copy()
    values[3] = np.nan
    few = Matrix(few.columns, values, few.time_ns, few.group)
    whole, why = model.probability(few), model.explain(few)
    assert np.isnan(whole[3]).all()
    assert not why[3].any()
    ones = [few.take(np.array([row])) for row in range(30)]
    np.testing.assert_allclose(np.concatenate([model.probability(one) for one in ones]), whole)
    np.testing.assert_allclose(np.concatenate([model.explain(one) for one in ones]), why)
    assert len(model.probability(few.take(np.zeros(30, bool)))) == 0
    save(tmp_path / "model", model, Metadata("", ()))
    again, said = load(tmp_path / "model", columns=COLUMNS)
    assert said.kind in ("warning", "diagnosis")
    assert np.array_equal(again.probability(few), whole, equal_nan=True)
    assert np.array_equal(again.explain(few), why)


def test_the_same_seed_gives_the_same_model() -> None:
    matrix, target, _ = world(4, 100, 1)
    splits = grouped_splits(matrix, group_folds=2, block_folds=1)
    two = [fit_warning(matrix, target, splits, seed=3, options=Boosting(trees=5)) for _ in range(2)]
    assert np.array_equal(two[0][1], two[1][1])
    assert np.array_equal(two[0][0].probability(matrix), two[1][0].probability(matrix))


def test_a_cause_that_only_one_group_has_is_learned_all_the_same() -> None:
    matrix, _, _ = world(4, 100, 1)
    label = np.zeros(len(matrix), np.int64)
    label[::3] = 1
    values = matrix.values.copy()
    values[:, 0] += 3.0 * label
    values[matrix.group == 2, 1] = 9.0
    label[matrix.group == 2] = 2
    matrix = Matrix(COLUMNS, values, matrix.time_ns, matrix.group)
    splits = grouped_splits(matrix, group_folds=4, block_folds=1)
    model, held_out = fit_diagnosis(matrix, label, CAUSES, splits, options=Boosting(trees=10))
    assert (np.argmax(model.probability(matrix), axis=1) == label).mean() > 0.9
    assert np.isfinite(held_out).all()


@pytest.mark.parametrize(
    ("label", "causes", "says"),
    [
        (np.zeros(400, np.int64), ("a", "b"), "no row is labelled b"),
        (np.full(400, 5), ("a", "b"), r"must lie in 0 \.\. 1"),
        (np.zeros(3, np.int64), ("a",), "one label a row"),
        (np.repeat([0, 1], 200), ("a", "b"), "are all"),
    ],
)
def test_labels_that_nothing_can_be_learned_from_are_refused(label: Any, causes: tuple[str, ...], says: str) -> None:
    matrix, _, _ = world(4, 100, 1)
    group = np.repeat([0, 1], 200)
    matrix = Matrix(COLUMNS, matrix.values, np.tile(np.arange(200), 2), group)
    splits = grouped_splits(matrix, group_folds=2, block_folds=1)
    with pytest.raises(ModelError, match=says):
        fit_diagnosis(matrix, label, causes, splits)


def test_a_target_that_is_no_mark_and_splits_that_are_none_are_refused() -> None:
    matrix, target, _ = world(4, 100, 1)
    with pytest.raises(ModelError, match="must be bool"):
        fit_warning(matrix, target.astype(float), grouped_splits(matrix, group_folds=2, block_folds=1))
    with pytest.raises(ModelError, match="no split to calibrate on"):
        fit_warning(matrix, target, [])
