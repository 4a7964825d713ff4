"""A small simulated line: errors and what the estimator says of them. The large ones are `evaluate`'s."""

from __future__ import annotations

import pytest

from tests.estimator.evaluate import Evaluation, evaluate
from tests.estimator.score import JUDGED
from twin.estimator import SAMPLES

pytestmark = pytest.mark.long

SEED, POTS, DAYS, WARM_H = 2, 8, 0.5, 4.0  # a tuning seed
LIMITS = {"alumina_wt_pct": 0.35, "temperature_k": 3.0, "superheat_k": 2.0, "excess_alf3_wt_pct": 0.75}
LEAST = 0.85  # of the truth that intervals of 95 % cover, all figures together; a line's common part is one draw


@pytest.fixture(scope="module")
def run() -> Evaluation:
    return evaluate("normal-week", POTS, DAYS, SEED, thermocouple=False, warm_h=WARM_H, late_every=240)


@pytest.mark.parametrize("name", LIMITS)
def test_errors_keep_below_the_limits(run: Evaluation, name: str) -> None:
    assert run.score.mine[name].rmse < LIMITS[name]


def test_intervals_cover_the_truth(run: Evaluation) -> None:
    covered = {name: run.score.mine[name].share(run.score.mine[name].covered) for name in JUDGED}
    assert sum(covered.values()) / len(covered) > LEAST, covered
    assert min(covered[name] for name in LIMITS) > LEAST, covered


def test_surprises_are_as_large_as_expected(run: Evaluation) -> None:
    voltage = run.score.inside["voltage"]
    assert 0.9 < voltage.share(voltage.covered) < 0.99
    samples = [run.score.inside[kind.signal] for kind in SAMPLES if kind.signal in run.score.inside]
    assert sum(found.covered for found in samples) > 0.8 * sum(found.count for found in samples) > 0.0


def test_the_wrong_branch_is_rare(run: Evaluation) -> None:
    assert run.score.wrong.share(run.score.wrong.total) < 0.01
