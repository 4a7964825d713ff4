"""Anomalies from probabilities: few, the same however time is cut, none for what explains itself."""

from __future__ import annotations

import numpy as np
import pytest

from twin.anomalies import Anomalies, Happened, Rules, from_bytes, step, to_bytes
from twin.errors import PayloadError
from twin.frames import Floats
from twin.tuning import smoothed

CAUSES = ("normal", "slip", "cold", "start_up")
RULES = Rules(CAUSES, np.array([np.inf, 0.6, 0.6, np.inf]), np.array([10.0, 5.0, 20.0, 10.0]))
MINUTE = 60 * 10**9


def course(cause: int, begin: int, end: int, minutes: int = 240, units: int = 3) -> Floats:
    """(minutes, units, causes): unit 1 has a cause for some time, the others nothing."""
    table = np.full((minutes, units, len(CAUSES)), 0.02)
    table[:, :, 0] = 0.94
    table[begin:end, 1] = 0.02
    table[begin:end, 1, cause] = 0.94
    return table


def run(table: Floats, state: Anomalies | None = None, first: int = 0) -> tuple[Anomalies, list[Happened]]:
    state = state or Anomalies(table.shape[1], len(CAUSES))
    happened = []
    for n, row in enumerate(table):
        state, new = step(state, RULES, (first + n + 1) * MINUTE, row)
        happened += new
    return state, happened


def test_a_cause_that_lasts_is_one_anomaly_with_its_window() -> None:
    _, happened = run(course(1, 60, 120))
    assert [(one.kind, one.unit, one.cause) for one in happened] == [("began", 1, "slip"), ("ended", 1, "slip")]
    began, ended = happened
    assert 61 * MINUTE <= began.begin_ns <= began.time_ns <= 68 * MINUTE
    assert 120 * MINUTE < ended.time_ns < 190 * MINUTE
    assert began.probability >= 0.6
    assert began.others[0][0] == "cold"


def test_a_moment_and_what_explains_itself_are_none() -> None:
    assert run(course(1, 60, 62))[1] == []
    assert run(course(3, 60, 200))[1] == []


def test_another_cause_is_told_as_a_change() -> None:
    table = course(1, 30, 90)
    table[90:, 1] = [0.02, 0.02, 0.94, 0.02]
    assert [(one.kind, one.cause) for one in run(table)[1]] == [("began", "slip"), ("changed", "cold")]


@pytest.mark.parametrize("cut", [1, 63, 100, 239])
def test_a_restart_anywhere_changes_nothing(cut: int) -> None:
    table = course(2, 60, 140)
    state, first = run(table[:cut])
    again = from_bytes(RULES, to_bytes(state, RULES))
    assert first + run(table[cut:], again, cut)[1] == run(table)[1]


def test_pots_do_not_know_of_each_other_and_can_come_later() -> None:
    table = course(1, 60, 120)
    alone = run(table[:, 1:2])[1]
    assert [(one.kind, one.time_ns, one.cause) for one in alone] == [
        (one.kind, one.time_ns, one.cause) for one in run(table)[1]
    ]
    state, _ = run(table[:50, :2])
    state.grow(3)
    assert [one.unit for one in run(table[50:], state, 50)[1]] == [1, 1]


def test_what_is_not_known_changes_nothing() -> None:
    table = course(1, 60, 120)
    state, _ = run(table[:100])
    before = state.smooth.copy()
    run(np.full((20, 3, len(CAUSES)), np.nan), state, 100)
    np.testing.assert_array_equal(state.smooth, before)


def test_a_state_of_other_causes_is_refused() -> None:
    state = Anomalies(2, len(CAUSES))
    other = Rules(("a", "b"), np.array([1.0, 1.0]), np.array([1.0, 1.0]))
    with pytest.raises(PayloadError, match="other causes"):
        from_bytes(other, to_bytes(state, RULES))


def test_rules_survive_a_model_file() -> None:
    again = Rules.of(CAUSES, RULES.table())
    np.testing.assert_array_equal(again.on, RULES.on)
    np.testing.assert_array_equal(again.smooth_min, RULES.smooth_min)


def test_limits_are_chosen_on_what_the_service_smooths() -> None:
    table = course(1, 60, 120)
    fast, state = smoothed(table.astype(np.float32), RULES.smooth_min, 1), Anomalies(3, len(CAUSES))
    for n, row in enumerate(table):
        state.last_ns = n * MINUTE
        state, _ = step(state, RULES, (n + 1) * MINUTE, row)
        np.testing.assert_allclose(fast[n], state.smooth, atol=1e-5)
