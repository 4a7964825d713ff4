"""Every learned model at once: what a minute of a whole plant costs."""

from collections.abc import Callable

import numpy as np

from models.boosting import Boosting
from models.detectors import DETECTORS, fit
from models.diagnosis import fit_diagnosis
from models.matrix import Matrix
from models.splits import grouped_splits
from models.warning import fit_warning
from tests.models.tables import MINUTE, table

__all__ = ["scorer"]

CAUSES = 27
FUTURE = 10**7  # minutes: the plant's rows come after those of training


def scorer(rows: int, seed: int, *, columns: int = 60, training: int = 400, trees: int = 100) -> Callable[[], object]:
    """Fits all models on 10 groups of `training` rows; the result scores `rows` groups, each a minute later than before
    and with a history, by every row of the table of detectors, the early warning and the diagnosis."""
    known = table(10, training, seed, columns=columns)
    label = np.random.default_rng(seed).integers(0, CAUSES, len(known))
    values = known.values.copy()
    values[np.arange(len(known)), label % columns] += 3.0
    faulty = Matrix(known.columns, values, known.time_ns, known.group)
    splits = grouped_splits(known, group_folds=2, block_folds=1)
    warning, _ = fit_warning(faulty, label < 3, splits, seed=seed, options=Boosting(trees=trees))
    diagnosis, _ = fit_diagnosis(faulty, label, [str(cause) for cause in range(CAUSES)], splits, seed=seed,
                                 options=Boosting(trees=max(trees * 2 // 5, 1)))  # fmt: skip
    detectors = [fit(row.name, known, seed=seed) for row in DETECTORS]
    plant = table(rows, 1, seed + 1, columns=columns)
    states = [detector.start() for detector in detectors]
    minute = FUTURE

    def work() -> object:
        nonlocal minute, states
        minute += 1
        now = Matrix(plant.columns, plant.values, np.full(rows, minute * MINUTE), plant.group)
        scored = [detector.score(state, now) for detector, state in zip(detectors, states, strict=True)]
        states = [state for state, _ in scored]
        return [scores for _, scores in scored], warning.probability(now), diagnosis.probability(now)

    work()
    return work
