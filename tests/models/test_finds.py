"""Each detector finds what it is for, in a table where that is all that is wrong, and where simpler ones fail.

A case is a function (seed) -> (training table, test table, marks of bad rows). Rows are judged as alarms are: an
episode counts, not a row.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from models.contract import flagged
from models.detectors import DETECTORS, fit
from models.events import Episodes, EventScore, alarms, judge
from models.matrix import Flags, Floats, Matrix
from tests.models.tables import MINUTE, branches, table

ROWS, FIRST = 600, 1000
BAD_ROWS = (np.arange(ROWS) >= 300) & (np.arange(ROWS) < 360)
Case = Callable[[int], tuple[Matrix, Matrix, Flags]]


@dataclass(frozen=True)
class Task:
    """A case, the share of episodes that must be found, and detectors that find less than half of them there."""

    case: Case
    recall: float
    blind: tuple[str, ...] = ()
    parameters: dict[str, float | str] = field(default_factory=dict)


def changed(matrix: Matrix, values: Floats) -> Matrix:
    return Matrix(matrix.columns, values, matrix.time_ns, matrix.group)


def both(groups: int, offset: float = 0.0) -> tuple[Matrix, Matrix, Flags]:
    test = table(groups, ROWS, 2, first=FIRST, offset=offset)
    return table(groups, FIRST, 1, offset=offset), test, np.tile(BAD_ROWS, groups)


def far_value(seed: int) -> tuple[Matrix, Matrix, Flags]:
    training, test, bad = both(6)
    values = test.values.copy()
    values[bad, 5] += 8.0
    return training, changed(test, values), bad


def small_shift(seed: int) -> tuple[Matrix, Matrix, Flags]:
    training, test, bad = both(6)
    values = test.values.copy()
    values[bad, 5] += 1.5
    return training, changed(test, values), bad


def own_level(seed: int) -> tuple[Matrix, Matrix, Flags]:
    """Groups differ by more than what changes within one of them."""
    training, test, bad = both(6, offset=4.0)
    values = test.values.copy()
    values[bad, 5] += 3.0
    return training, changed(test, values), bad


def broken_relation(seed: int) -> tuple[Matrix, Matrix, Flags]:
    """One column is as it was in other rows: within its range, but at odds with the others."""
    training, test, bad = both(6)
    values = test.values.copy()
    values[bad, 5] = -values[bad, 5]
    return training, changed(test, values), bad


def many_edges(seed: int) -> tuple[Matrix, Matrix, Flags]:
    """Independent columns, all near an edge of their range at once, none beyond it."""
    training, test, bad = both(6)
    chance = np.random.default_rng(3)
    values = chance.uniform(-1, 1, size=test.values.shape)
    values[bad] = np.where(values[bad] < 0, -0.99, 0.99)
    return changed(training, chance.uniform(-1, 1, size=training.values.shape)), changed(test, values), bad


def between(seed: int) -> tuple[Matrix, Matrix, Flags]:
    """Two operating points in training; the bad rows lie half way."""
    training, test, bad = both(6)
    chance = np.random.default_rng(3)
    move = [8.0 * chance.integers(0, 2, len(matrix))[:, None] for matrix in (training, test)]
    values = test.values + move[1]
    values[bad] = 4.0 + 0.3 * chance.normal(size=values[bad].shape)
    return changed(training, training.values + move[0]), changed(test, values), bad


def slip(seed: int) -> tuple[Matrix, Matrix, Flags]:
    return _one_branch(1.4)


def burn_off(seed: int) -> tuple[Matrix, Matrix, Flags]:
    return _one_branch(0.05)


def _one_branch(share: float) -> tuple[Matrix, Matrix, Flags]:
    test = branches(6, ROWS, 2, first=FIRST)
    bad = np.tile(BAD_ROWS, 6)
    values = np.where(bad[:, None], branches(6, ROWS, 2, first=FIRST, slip=share).values, test.values)
    return branches(6, FIRST, 1), changed(test, values), bad


TASKS: dict[str, Task] = {
    "robust_limits": Task(far_value, 1.0),
    "cusum": Task(small_shift, 1.0, ("robust_limits",)),
    "change_point": Task(own_level, 1.0, ("robust_limits", "cusum")),
    "pca": Task(broken_relation, 1.0, ("robust_limits", "cusum", "isolation_forest")),
    "isolation_forest": Task(many_edges, 1.0, ("robust_limits",)),
    "local_outlier": Task(between, 1.0, ("robust_limits",)),
    "anode_pattern": Task(slip, 1.0),
    "always": Task(far_value, 1.0),
    "never": Task(far_value, 0.0),
    "one_column": Task(far_value, 1.0, parameters={"column": "c5"}),
}
QUIET = [name for name in TASKS if name not in ("always",)]


def judged(name: str, case: Case, **parameters: float | str) -> EventScore:
    """How a detector does in a case: 3 rows of 5 make an alarm."""
    training, test, _ = case(1)
    detector = fit(name, training, seed=3, parameters=parameters)
    # as in service: the state goes on from training into the test
    state, _ = detector.score(detector.start(), training)
    scores = detector.score(state, test)[1]
    marks = flagged(detector, scores).reshape(-1, ROWS)
    lately = np.stack([np.roll(marks, back, axis=1) for back in range(5)]).sum(axis=0) >= 3
    given = alarms(test, lately.reshape(-1), merge_ns=5 * MINUTE)
    groups = np.unique(test.group)
    begin, end = ((FIRST + row) * MINUTE for row in (np.flatnonzero(BAD_ROWS)[0], np.flatnonzero(BAD_ROWS)[-1]))
    events = Episodes.of(groups, np.full(len(groups), begin), np.full(len(groups), end), "bad")
    return judge(given, events, len(test) / 1440, late_ns=60 * MINUTE)


def test_every_detector_has_a_task() -> None:
    assert list(TASKS) == [row.name for row in DETECTORS]


@pytest.mark.parametrize("name", TASKS)
def test_a_detector_finds_what_it_is_for(name: str) -> None:
    task = TASKS[name]
    score = judged(name, task.case, **task.parameters)
    assert score.recall == task.recall
    if task.recall and name in QUIET:
        assert score.false <= 2  # in 54 quiet hours; always has 6
        assert score.delay_s() <= 30 * 60


@pytest.mark.parametrize(("name", "blind"), [(name, blind) for name, task in TASKS.items() for blind in task.blind])
def test_simpler_detectors_do_not_find_it(name: str, blind: str) -> None:
    assert judged(blind, TASKS[name].case).recall < 0.5


def test_a_burnt_off_branch_is_found_by_the_smallest_current() -> None:
    assert judged("anode_pattern", burn_off).recall == 1.0
    training, test, bad = burn_off(1)
    detector = fit("anode_pattern", training)
    why = detector.explain(detector.score(detector.start(), training)[0], test)
    assert (np.argmax(why[bad], axis=1) == 1).mean() > 0.9


def test_what_all_branches_do_alike_is_no_matter_of_one_branch() -> None:
    training = branches(3, FIRST, 1)
    factor = np.where(BAD_ROWS, 0.9, 1.0)
    test = branches(3, ROWS, 2, first=FIRST, factor=factor)
    detector = fit("anode_pattern", training, false_alarms=0.005)
    scores = detector.score(detector.score(detector.start(), training)[0], test)[1]
    assert flagged(detector, scores).mean() < 0.03
    other = fit("robust_limits", training, false_alarms=0.005)
    assert flagged(other, other.score(other.start(), test)[1])[np.tile(BAD_ROWS, 3)].mean() > 0.5


def test_always_is_no_good() -> None:
    score = judged("always", far_value)
    assert score.precision < 0.7
    assert score.false_per_group_day > 1.0
