"""Days and months: a month is the sum of its days, in whatever order they are kept, and no day counts twice."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.core.plants import roster_of
from twin.days import MONTHS_KEPT, Days, Sums
from twin.units import NS_PER_S
from twin.windows import Calendar, Window

KEPT = 4
DAY_NS = 86400 * NS_PER_S
FIRST_NS = 1_763_942_400 * NS_PER_S  # 2025-11-24T00:00:00Z
ZONE = "Europe/Berlin"  # days of 23 and 25 hours
CALENDAR = Calendar(roster_of(1, zone=ZONE).plant.sites[0])
NOTHING: Sums = np.zeros((2, 3)), np.zeros(1)


def day_of(number: int) -> Window:
    return CALENDAR.window("day", FIRST_NS + number * DAY_NS + DAY_NS // 2)


def sums_of(rng: np.random.Generator) -> Sums:
    return rng.integers(0, 1000, (2, 3)).astype(float), rng.integers(0, 1000, 1).astype(float)


def same(found: Sums, wanted: Sums) -> None:
    assert found[0].tolist() == wanted[0].tolist()
    assert found[1].tolist() == wanted[1].tolist()


def keep(days: Days, day: Window, sums: Sums) -> None:
    days.keep(day, CALENDAR.window("month", day.start_ns), sums)


def total(sums: dict[Window, Sums], window: Window) -> Sums:
    """Sum of the days that begin in a window."""
    matrix, mix = NOTHING
    for day, (one, other) in sums.items():
        if window.start_ns <= day.start_ns < window.end_ns:
            matrix, mix = matrix + one, mix + other
    return matrix, mix


@given(st.integers(0, 2**32), st.integers(1, 500))
def test_months_and_years_are_the_sum_of_their_days_in_whatever_order_they_are_kept(seed: int, count: int) -> None:
    """Each day is written several times, the last ones late, within the days that stand by themselves."""
    rng = np.random.default_rng(seed)
    days, truth = Days(KEPT), dict[Window, Sums]()
    for newest in range(count):
        if newest and rng.random() < 0.1:
            continue  # a day without data
        for back in [0, *rng.integers(0, KEPT, 3).tolist()]:
            day = day_of(newest - back)
            if newest - back < 0:
                continue
            truth[day] = sums_of(rng)
            keep(days, day, truth[day])
    for moment in range(0, count, 25):
        month, year = (CALENDAR.window(kind, day_of(moment).start_ns) for kind in ("month", "year"))
        if month.start_ns in days.months or any(month.start_ns <= start < month.end_ns for start in days.days):
            same(days.total(month, NOTHING), total(truth, month))
        if len(days.months) < MONTHS_KEPT:
            same(days.total(year, NOTHING), total(truth, year))
    assert len(days.days) <= KEPT
    assert len(days.months) <= MONTHS_KEPT


@given(st.permutations(range(KEPT)), st.integers(0, 2**32))
def test_days_within_the_horizon_may_come_in_any_order(order: list[int], seed: int) -> None:
    """Late data can tell of a day before the first one that was told."""
    rng = np.random.default_rng(seed)
    days, truth = Days(KEPT), dict[Window, Sums]()
    for number in order:
        truth[day_of(number)] = sums_of(rng)
        keep(days, day_of(number), truth[day_of(number)])
    month = CALENDAR.window("month", day_of(0).start_ns)
    same(days.total(month, NOTHING), total(truth, month))


@given(st.integers(0, 2**32), st.integers(1, 60))
def test_a_day_that_went_into_its_month_is_not_added_again(seed: int, back: int) -> None:
    rng = np.random.default_rng(seed)
    days = Days(KEPT)
    for number in range(KEPT + back):
        keep(days, day_of(number), sums_of(rng))
    year = Window(0, day_of(1000).end_ns, "year")
    before = days.total(year, NOTHING)
    kept = dict(days.days), dict(days.months)
    for number in range(back):
        keep(days, day_of(number), sums_of(rng))
        same(days.total(year, NOTHING), before)
    assert (days.days, days.months) == kept


def test_the_last_fourteen_months_are_kept() -> None:
    days = Days(KEPT)
    one = np.ones((2, 3)), np.ones(1)
    for number in range(800):
        keep(days, day_of(number), one)
    months = {CALENDAR.window("month", day_of(number).start_ns) for number in range(800)}
    told = {month: float(days.total(month, NOTHING)[1][0]) for month in sorted(months)}
    lengths = [round((month.end_ns - month.start_ns) / DAY_NS) for month in sorted(months)]
    assert list(told.values())[-13:-1] == lengths[-13:-1], "a year, whole"
    assert sum(value > 0 for value in told.values()) in (MONTHS_KEPT, MONTHS_KEPT + 1)
    assert next(iter(told.values())) == 0.0


def test_pots_enrolled_later_have_nothing_before() -> None:
    rng = np.random.default_rng(0)
    days, truth = Days(KEPT), dict[Window, Sums]()
    for number in range(10):
        truth[day_of(number)] = sums_of(rng)
        keep(days, day_of(number), truth[day_of(number)])
    days.grow(2)
    year = Window(0, day_of(10).start_ns, "year")
    found, mix = days.total(year, (np.zeros((2, 5)), np.zeros(1)))
    wanted, wanted_mix = total(truth, year)
    assert found.tolist() == np.pad(wanted, ((0, 0), (0, 2))).tolist()
    assert mix.tolist() == wanted_mix.tolist()
