"""From lessons to model files and to anomalies: the whole way, on a made-up line that is quick to make."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.boosting import Boosting
from models.errors import ModelError
from models.saving import Metadata, save
from twin import training
from twin.curriculum import Truth
from twin.errors import ConfigError
from twin.evaluate_models import evaluate
from twin.features import FEATURES, LINE_FEATURES, Minute
from twin.lessons import Lesson, Step, open_lesson, write_lesson
from twin.model_scores import judged
from twin.models_card import card
from twin.models_report import markdown, page, wanted
from twin.scoring import FILES, Judges, load, signal_set
from twin.training import train, write

pytestmark = pytest.mark.long

POTS, HOURS = 12, 48
MINUTE, HOUR = 60 * 10**9, 3600 * 10**9
PLACE = {row.name: n for n, row in enumerate(FEATURES)}
LINE_PLACE = {row.name: n for n, row in enumerate(LINE_FEATURES)}
SHOWS = {"anode_slip": "anode_max_1h_1d", "cold_pot": "thermocouple_1h_1d", "feeder_hang": "slope_10m"}
START = 20_000 * 24 * HOUR


class MadeUp:
    """Noise in every column, and a bump in one while a cause is at work; anode effects end the hangs of feeders."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.pots, self.made, self.now_ns, self.complete = POTS, f"made up, seed {seed}", START, False
        self._truths, self.effects = [], []
        for pot in range(POTS):
            name = list(SHOWS)[pot % 3]
            for at in np.arange(12, HOURS - 4, 12 + pot % 5):
                end = START + int(at + 3) * HOUR
                self._truths.append(Truth(name, (pot,), START + int(at) * HOUR, end, 1.0))
                if name == "feeder_hang":
                    self.effects.append((end, pot))
        self._truths.append(Truth("rectifier_loss", (), START + 15 * HOUR, START + 20 * HOUR, 1.0))
        self._truths.append(Truth("rectifier_loss", (), START + 40 * HOUR, START + 45 * HOUR, 1.0))

    def steps(self) -> Iterator[Step]:
        units, lines = np.arange(POTS, dtype=np.int32), np.array([POTS], np.int32)
        for n in range(HOURS * 12):
            minutes = []
            for k in range(5):
                end = START + (5 * n + k + 1) * MINUTE
                values = self.rng.standard_normal((POTS, len(FEATURES)), np.float32)
                of_line = self.rng.standard_normal((1, len(LINE_FEATURES)))
                for truth in self._truths:
                    if truth.begin_ns < end <= truth.end_ns:
                        if truth.pots:
                            values[truth.pots[0], PLACE[SHOWS[truth.cause]]] += 6.0
                        else:
                            of_line[0, LINE_PLACE["ac_over_dc_1h_1d"]] += 6.0
                minutes.append(Minute(end, units, lines, np.zeros(POTS, np.int64), values.astype(np.float64), of_line))
            self.now_ns = minutes[-1].time_ns
            yield tuple(minutes), [e for e in self.effects if self.now_ns - 5 * MINUTE < e[0] <= self.now_ns]
        self.complete = True

    def truths(self) -> list[Truth]:
        return self._truths


@pytest.fixture(scope="module")
def lessons(tmp_path_factory: pytest.TempPathFactory) -> list[Lesson]:
    folder = tmp_path_factory.mktemp("lessons")
    for seed, every in ((1, 5), (2, 5), (3, 1)):
        write_lesson(folder, f"made-{seed}", MadeUp(seed), every_min=every)
    return [open_lesson(folder, f"made-{seed}") for seed in (1, 2, 3)]


@pytest.fixture(scope="module")
def folder(lessons: list[Lesson], tmp_path_factory: pytest.TempPathFactory) -> Path:
    small = Boosting(trees=6, learning_rate=0.4, leaves=4, rows_per_leaf=10, bins=16)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("POTS", "LINES", "WARNING"):
            patch.setattr(training, name, small)
        patch.setattr(training, "COMPARED", ("robust_limits", "never"))
        trained = train(lessons[:2], seed=1)
    to = tmp_path_factory.mktemp("files")
    about = write(to, trained, data="made up", made="a test", seeds=(1, 2))
    (to / "MODEL-CARD.md").write_text(card(about, lessons[:2]), "utf-8")
    return to


@pytest.fixture(scope="module")
def judges(folder: Path) -> Judges:
    return load(folder)


def test_a_lesson_has_every_row_once_and_all_of_the_hour_before_an_anode_effect(lessons: list[Lesson]) -> None:
    thin, whole = lessons[0], lessons[2]
    assert len(whole.time_ns) == HOURS * 60 * POTS
    at_ns, pot = thin.effects[0]
    near = thin.time_ns[(thin.pot == pot) & (thin.time_ns > at_ns - HOUR) & (thin.time_ns <= at_ns)]
    assert len(np.unique(near)) >= 55


def test_what_was_taught_is_found_named_and_rarely_false(judges: Judges, lessons: list[Lesson]) -> None:
    found = evaluate(judges, [judges.unusual], lessons[2:], lambda text: None)
    assert found.pots.score.recall > 0.9
    assert found.pots.score.false_per_group_day < 0.3
    right = [true == said for true, said, _ in found.pots.named]
    assert np.mean(right) > 0.9
    assert found.lines.score.recall == 1.0
    assert found.effects.all.ahead(600.0) > 0.8
    text = page("", markdown(found, "made up", ()))
    assert all(name in text for name in SHOWS)
    assert len(wanted(found)) == 9
    assert page(text.replace("# Scoreboard", "# Kept"), "new").startswith("# Kept")


def test_minutes_in_service_give_the_anomalies_that_were_judged(judges: Judges, lessons: list[Lesson]) -> None:
    lesson, state, of_pots = lessons[2], judges.start(POTS, 1), []
    for n in range(20 * 60):
        rows = slice(n * POTS, (n + 1) * POTS)
        minute = Minute(
            int(lesson.line_ns[n]), np.arange(POTS, dtype=np.int32), np.array([POTS], np.int32),
            np.zeros(POTS, np.int64), lesson.values[rows].astype(float), lesson.line_values[n : n + 1].astype(float),
        )  # fmt: skip
        state, scored = judges.step(state, minute)
        of_pots += scored.of_pots
    assert of_pots
    first = of_pots[0]
    assert judges.reasons(minute, first.unit) or first.kind == "began"
    score = judged(lessons[2:], [of_pots], line=False).score
    assert score.found[score.events.end_ns < lesson.line_ns[20 * 60 - 1]].mean() > 0.9


def test_files_say_what_they_are_and_others_are_refused(folder: Path, tmp_path: Path) -> None:
    text = (folder / "MODEL-CARD.md").read_text("utf-8")
    assert signal_set() in text
    assert "anode_slip" in text
    judge = load(folder)
    for name, file in FILES.items():
        model = {"pots": judge.pots, "lines": judge.lines, "warning": judge.warning, "unusual": judge.unusual}[name]
        save(tmp_path / file, model, Metadata("", (), "features-0-another"))
    with pytest.raises(ModelError, match="train it again"):
        load(tmp_path)


def test_a_lesson_that_is_damaged_or_of_other_columns_is_refused(lessons: list[Lesson], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        open_lesson(tmp_path, "none")
    write_lesson(tmp_path, "short", MadeUp(9), every_min=30)
    head = tmp_path / "short.json"
    head.write_text(head.read_text("utf-8").replace("voltage_now", "voltage_then"), "utf-8")
    with pytest.raises(ConfigError, match="other columns"):
        open_lesson(tmp_path, "short")
