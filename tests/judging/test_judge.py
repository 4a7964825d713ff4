"""Models on the minutes of a line: what they raise, a restart, pots that are not warm, the table of causes."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.causes import CAUSES as SIMULATED
from simulators.schedule import Cause
from tests.judging.line import HOUR, Course, course, plant_of
from twin.causes import CAUSES, cause_of, number_of
from twin.errors import PayloadError
from twin.features import Minute
from twin.frames import Event
from twin.judge import OFF, WARM_H, Judge, judge_of
from twin.opinions import Judged
from twin.scoring import load, packaged
from twin.teaching import WARM_H as LEFT_OUT_H

pytestmark = pytest.mark.long

POTS, BURNT = 8, 4


@pytest.fixture(scope="module")
def burnt() -> Course:
    """Two hours of eight pots; at one an anode burns off after one hour."""
    return course(plant_of(POTS), [Cause("burn_off", BURNT, HOUR, 2 * HOUR)], 2.0)


def judge(warm_h: float = 0.9) -> Judge:
    return Judge(load(packaged()), warm_h=warm_h)


def told(judge: Judge, minutes: list[Minute]) -> list[Judged]:
    return [judge.take(minute) for minute in minutes]


def events(judged: list[Judged]) -> list[Event]:
    return [event for one in judged for event in one.events]


def test_an_anode_that_burns_off_is_named_with_its_signals(burnt: Course) -> None:
    unit = plant_of(POTS).pot_codes()[BURNT]
    judged = told(judge(), burnt.minutes)
    found = [event for event in events(judged) if event.code == "anomaly" and event.unit == unit]
    assert [(event.unit, event.evidence, event.began) for event in found] == [(unit, "burn_off", True)]
    last = judged[-1]
    opinion = last.opinions[unit]
    assert opinion.cause == "burn_off"
    assert opinion.begin_ns <= opinion.told_ns == found[0].time_ns
    assert any(reason.column.startswith("anode_") for reason in opinion.reasons)
    weights = [reason.weight for reason in opinion.reasons]
    assert weights == sorted(weights, reverse=True)
    assert last.scores["cause"][unit] == number_of("burn_off")
    assert last.scores["cause_probability"][unit] == pytest.approx(opinion.probability)
    assert 0.0 <= np.nanmin(last.scores["anode_effect_risk"]) <= np.nanmax(last.scores["anode_effect_risk"]) <= 1.0


def test_a_restart_at_any_moment_goes_on_with_the_same_scores(burnt: Course) -> None:
    through = told(judge(), burnt.minutes)
    for cut in (0, 50, 75, 90):
        first, second = judge(), judge()
        told(first, burnt.minutes[:cut])
        second.resume(first.to_bytes())
        after = told(second, burnt.minutes[cut:])
        assert events(after) == events(through[cut:])
        for one, other in zip(after, through[cut:], strict=True):
            assert one.opinions == other.opinions
            assert one.warned == other.warned
            assert all(np.array_equal(one.scores[n], other.scores[n], equal_nan=True) for n in other.scores)


def test_a_unit_is_not_judged_before_it_is_warm(burnt: Course) -> None:
    assert WARM_H == LEFT_OUT_H, "what was left out of training is not judged"
    judged = told(judge(WARM_H), burnt.minutes)
    assert events(judged) == []
    assert np.isnan(judged[-1].scores["anode_effect_risk"]).all()


def test_what_models_remember_of_others_is_refused_and_changes_nothing(burnt: Course) -> None:
    mine = judge()
    told(mine, burnt.minutes[:60])
    before = mine.to_bytes()
    other = before.replace(b"features-", b"Features-")
    for damaged in (before[:-1], b"", other):
        with pytest.raises(PayloadError):
            mine.resume(damaged)
    assert mine.to_bytes() == before


def test_models_that_are_off_missing_or_damaged_are_told_in_words(tmp_path: object) -> None:
    assert judge_of(OFF)[0] is None
    for folder in (str(tmp_path), "/nowhere"):
        found, problem = judge_of(folder)
        assert found is None
        assert folder in problem
        assert "rules alone" in problem
    assert judge_of("")[0] is not None


def test_inputs_that_drift_are_found(burnt: Course) -> None:
    found, problem = judge_of("")
    assert found is not None, problem
    whole = told(found, burnt.minutes)[-1]
    assert whole.drift_columns > 100
    assert whole.psi >= 0.0


def test_the_table_of_causes_is_that_of_the_simulator() -> None:
    assert {row.name: row.kind for row in CAUSES} == {name: kind.acts_on for name, kind in SIMULATED.items()}
    assert all(row.title and row.advice.endswith(".") for row in CAUSES)
    assert [number_of(row.name) for row in CAUSES] == list(range(1, len(CAUSES) + 1))
    assert number_of("normal") == 0
    assert cause_of("of_our_own").title == "of our own"
