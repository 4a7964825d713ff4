"""The judge says no: to a loss, a double, a changed number, poison that is not parked, books that do not balance,
memory that grows, and figures that differ. A harness that cannot fail shows nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.chaos.figures import compare
from tests.chaos.judge import LEAST_SAMPLES, WARM_S, Balance, Life, Verdict, judge
from tests.chaos.load import NS, Plan, Point, Said, end_mark, said

PLAN = Plan(40, 30, 7, 1_795_500_000 * NS, "chaos", True, [(5.0, "poison", 4.0), (10.0, "clock skew", 8.0)])
MESSAGES = [*(message for second in range(PLAN.seconds) for message in said(PLAN, second)), end_mark(PLAN)]
POINTS = [point for message in MESSAGES for point in message.points]
PARKED = [(m.topic, m.payload, m.reason) for m in MESSAGES if m.reason]


def life(*sizes: float) -> Life:
    """Memory each second of a life, 100 MB while it warms up, and books that balance."""
    warm = [(float(age), 100.0) for age in range(int(WARM_S))]
    later = [(WARM_S + n, size) for n, size in enumerate(sizes)]
    return Life(warm + later, [Balance(10, 9, 1), Balance(20, 18, 1, elsewhere=1)])


def verdict(
    *,
    stored: Sequence[Point] = POINTS,
    parked: Sequence[tuple[str, bytes, str]] = PARKED,
    lives: Sequence[Life] = (life(),),
    messages: Sequence[Said] = MESSAGES,
) -> Verdict:
    return judge(messages, stored, parked, lives)


def test_what_is_complete_passes() -> None:
    found = verdict()
    assert found.ok
    assert (found.lost, found.doubled, found.changed, found.uneven) == (0, 0, 0, 0)
    assert found.sent_points == found.stored_points == 30 * (40 + 1 + 1)
    assert found.parked == found.sent_poison == 4 * 4 + 1


@pytest.mark.parametrize("measurement", ["pot", "line", "event"])
def test_one_reading_that_is_missing_is_a_loss(measurement: str) -> None:
    gone = next(point for point in POINTS if point[0] == measurement)
    found = verdict(stored=[point for point in POINTS if point != gone])
    assert not found.ok
    assert found.lost == 1
    assert repr(gone[:3]) in found.problems[0]


def test_one_row_too_many_under_a_key_is_a_double() -> None:
    found = verdict(stored=[*POINTS, POINTS[3]])
    assert not found.ok
    assert found.doubled == 1


def test_a_reading_under_another_time_or_unit_is_a_double() -> None:
    measurement, path, time_ns, number = POINTS[0]
    for stranger in ((measurement, path, time_ns + 1, number), (measurement, f"{path}x", time_ns, number)):
        found = verdict(stored=[*POINTS, stranger])
        assert not found.ok
        assert found.doubled == 1


def test_a_number_that_has_changed_is_found() -> None:
    first = POINTS[0]
    found = verdict(stored=[(*first[:3], first[3] + 1), *POINTS[1:]])
    assert not found.ok
    assert (found.lost, found.doubled, found.changed) == (0, 0, 1)


def test_poison_that_is_not_parked_is_found_and_so_is_the_wrong_reason() -> None:
    assert not verdict(parked=PARKED[1:]).ok
    topic, payload, reason = PARKED[0]
    other = verdict(parked=[(topic, payload, f"not {reason}"), *PARKED[1:]])
    assert [problem.split(":")[0] for problem in other.problems] == [
        "poison that is not parked with its reason",
        "parked without being poison",
    ]


def test_a_good_message_that_is_parked_is_found() -> None:
    good = next(message for message in MESSAGES if message.points)
    assert not verdict(parked=[*PARKED, (good.topic, good.payload, "malformed")]).ok


def test_poison_that_is_parked_again_after_a_crash_is_counted_and_no_fault() -> None:
    found = verdict(parked=[*PARKED, PARKED[0]])
    assert found.ok
    assert found.parked_again == 1


def test_books_that_do_not_balance_or_go_back_are_found() -> None:
    for balances in ([Balance(10, 8, 1)], [Balance(10, 9, 1), Balance(9, 8, 1)]):
        found = verdict(lives=[Life([], balances)])
        assert not found.ok


def test_memory_that_grows_is_found_and_warming_up_is_not_growth() -> None:
    steady = verdict(lives=[life(*[300.0] * 30), life(*[310.0 + n % 3 for n in range(30)])])
    assert steady.ok
    assert steady.growth == pytest.approx(0.0, abs=0.01)
    growing = verdict(lives=[life(*[300.0] * 30), life(*[300.0 + 5 * n for n in range(30)])])
    assert not growing.ok
    assert growing.growth is not None
    assert growing.growth > 0.2
    assert verdict(lives=[life(*[300.0 * n for n in range(1, LEAST_SAMPLES)])]).growth is None


def test_figures_that_differ_or_are_missing_are_found() -> None:
    wanted = {("twin_line", "s/L", f"{name}_day", 0): 5.0 for name in ("coverage_pct", "ac_energy_kwh", "dc_kwh_t")}
    coverage, _, estimated = wanted
    assert compare(wanted, wanted).ok
    assert not compare({**wanted, coverage: 5.000001}, wanted).ok
    assert not compare({key: value for key, value in wanted.items() if key != estimated}, wanted).ok
    assert not compare({**wanted, ("twin_line", "s/L", "coverage_pct_day", 9): 5.0}, wanted).ok
    late = compare({**wanted, estimated: 5.1}, wanted)
    assert late.ok, "what rests on the estimate depends on what was known when: told, not judged"
    assert late.worst is not None
    assert late.worst["dc_kwh_t_day"] == pytest.approx(0.1 / 5.1)
    assert not compare({}, {}).ok, "nothing to compare is no proof"
