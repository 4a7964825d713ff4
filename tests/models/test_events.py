"""Alarms from rows, and how they are counted against what really happened."""

import itertools
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ModelError
from models.events import SHIFT_NS, Episodes, alarms, judge
from models.matrix import Matrix

MIN = 60_000_000_000
NAN = np.nan


def series(*groups: int) -> Matrix:
    """One row a minute: rows of group 0, 1, ..."""
    group = np.repeat(np.arange(len(groups)), groups)
    minute = np.concatenate([np.arange(rows) for rows in groups])
    return Matrix((), np.zeros((len(group), 0)), minute * MIN, group)


def spans(found: Episodes) -> list[tuple[int, int, int]]:
    return [
        (int(b // MIN), int(r // MIN), int(e // MIN))
        for b, r, e in zip(found.begin_ns, found.raised_ns, found.end_ns, strict=True)
    ]


@pytest.mark.parametrize(
    ("value", "options", "wanted"),
    [
        ("0110", {}, [(1, 1, 3)]),
        ("0000", {}, []),
        ("1", {}, [(0, 0, 0)]),
        ("0110110", {"hold_ns": 2 * MIN}, []),
        ("0111", {"hold_ns": 2 * MIN}, [(1, 3, 3)]),
        ("01110100", {"clear_ns": MIN}, [(1, 1, 6)]),
        ("01110100", {"clear_ns": 0}, [(1, 1, 4), (5, 5, 6)]),
        ("01110100", {"merge_ns": MIN}, [(1, 1, 6)]),
        ("0111000100", {"merge_ns": 2 * MIN}, [(1, 1, 4), (7, 7, 8)]),
        ("0111000100", {"merge_ns": 3 * MIN}, [(1, 1, 8)]),
        ("01ppp0", {"off": 0.2}, [(1, 1, 5)]),
        ("0pp1pp", {"off": 0.2}, [(3, 3, 5)]),
        ("01pp1p", {}, [(1, 1, 2), (4, 4, 5)]),
        ("01??1??0", {}, [(1, 1, 7)]),
        ("01?1", {"hold_ns": 2 * MIN}, [(1, 3, 3)]),
        ("??", {}, []),
    ],
)
def test_alarms_begin_hold_and_end(value: str, options: dict[str, Any], wanted: list[tuple[int, int, int]]) -> None:
    numbers = np.array([{"0": 0.0, "1": 1.0, "p": 0.4, "?": NAN}[letter] for letter in value])
    found = alarms(series(len(value)), numbers, kind="k", **options)
    assert spans(found) == wanted
    assert set(found.kind) <= {"k"}


VALUES = st.lists(st.sampled_from([0.0, 0.3, 0.6, 1.0, NAN]), min_size=1, max_size=40)


def plain(values: list[float], on: float, off: float, hold: int, clear: int) -> list[tuple[int, int, int]]:
    """The same, row by row, as one would write it down."""
    found: list[tuple[int, int, int]] = []
    over: int | None = None
    under: int | None = None
    alarm: tuple[int, int] | None = None
    last = 0
    for minute, value in enumerate(values):
        if np.isnan(value):
            continue
        last = minute
        over = (minute if over is None else over) if value >= on else None
        under = (minute if under is None else under) if value < off else None
        if alarm is None and over is not None and minute - over >= hold:
            alarm = over, minute
        elif alarm is not None and under is not None and minute - under >= clear:
            found.append((*alarm, under))
            alarm = None
    return [*found, (*alarm, last)] if alarm else found


@given(VALUES, st.integers(0, 4), st.integers(0, 4), st.booleans())
def test_alarms_are_those_of_going_row_by_row(values: list[float], hold: int, clear: int, band: bool) -> None:
    off = 0.3 if band else 0.5
    found = alarms(series(len(values)), np.array(values), off=off, hold_ns=hold * MIN, clear_ns=clear * MIN)
    assert spans(found) == plain(values, 0.5, off, hold, clear)


@given(VALUES, VALUES, st.integers(0, 3), st.integers(0, 5), st.randoms())
def test_groups_order_and_merging_do_what_they_must(
    one: list[float], other: list[float], hold: int, merge: int, chance: random.Random
) -> None:
    matrix, values = series(len(one), len(other)), np.array(one + other)
    options: dict[str, Any] = {"hold_ns": hold * MIN, "merge_ns": merge * MIN}
    found = alarms(matrix, values, **options)
    order = list(range(len(values)))
    chance.shuffle(order)
    mixed = alarms(matrix.take(np.array(order)), values[order], **options)
    assert spans(mixed) == spans(found)
    alone = alarms(series(len(one)), np.array(one), **options)
    assert spans(found.take(found.group == 0)) == spans(alone)
    for group in (0, 1):
        mine = found.take(found.group == group)
        gaps = mine.begin_ns[1:] - mine.end_ns[:-1]
        assert (gaps >= 0).all()
        assert merge == 0 or (gaps > merge * MIN).all()


def minutes(*rows: tuple[int, int, int, int]) -> Episodes:
    """(group, begin, raised, end) in minutes."""
    table = np.array(rows, np.int64).reshape(-1, 4)
    begin, raised, end = (table[:, 1:] * MIN).T
    return Episodes(table[:, 0], begin, raised, end, np.full(len(table), "alarm"))


def truth(*rows: tuple[int, int, int, str]) -> Episodes:
    return Episodes.of(
        [row[0] for row in rows], [row[1] * MIN for row in rows], [row[2] * MIN for row in rows],
        [row[3] for row in rows],
    )  # fmt: skip


def test_alarms_are_counted_as_a_crew_would() -> None:
    events = truth((0, 100, 120, "hot"), (0, 300, 310, "hot"), (1, 100, 110, "cold"))
    given = minutes((0, 104, 105, 130), (0, 285, 290, 295), (0, 500, 500, 501), (2, 100, 100, 110))
    score = judge(given, events, 2.0, early_ns=20 * MIN)
    assert score.found.tolist() == [True, True, False]
    assert (score.delay_ns[:2] // MIN).tolist() == [5, -10]
    assert (score.alarms, score.false, score.precision, score.false_per_group_day) == (4, 2, 0.5, 1.0)
    assert score.recall == pytest.approx(2 / 3)
    assert score.delay_s() == -150.0
    assert score.ahead(600.0) == pytest.approx(1 / 3)
    assert score.ahead(601.0) == 0.0
    assert (score.of_kind("hot").recall, score.of_kind("cold").recall) == (1.0, 0.0)
    assert np.isnan(score.of_kind("cold").delay_s())
    assert np.isnan(score.of_kind("no such").recall)


def test_an_alarm_is_late_until_it_is_too_late() -> None:
    events, given = truth((0, 100, 120, "hot")), minutes((0, 124, 125, 130))
    assert judge(given, events, 1.0).recall == 0.0
    score = judge(given, events, 1.0, late_ns=5 * MIN)
    assert (score.recall, score.false, score.delay_s()) == (1.0, 0, 1500.0)


def test_an_alarm_that_never_ends_counts_again_each_shift() -> None:
    day = 24 * 60
    given, events = minutes((0, 0, 0, day)), truth((0, 700, 710, "hot"))
    score = judge(given, events, 1.0, early_ns=30 * MIN)
    assert score.recall == 1.0
    assert score.delay_s() == -1800.0  # no earlier than the event could be meant
    assert (score.alarms, score.false) == (4, 3)
    assert judge(given, events, 1.0, renew_ns=2 * day * MIN).false == 0
    assert day * MIN == SHIFT_NS * 3


def test_an_alarm_during_what_is_left_out_is_neither_right_nor_wrong() -> None:
    events, aside = truth((0, 100, 120, "hot")), truth((0, 200, 260, "sensor"))
    given = minutes((0, 210, 210, 220), (0, 110, 110, 205), (1, 210, 210, 220))
    score = judge(given, events, 1.0, ignored=aside)
    assert (score.alarms, score.false, score.recall) == (2, 1, 1.0)


def test_without_alarms_or_events_there_is_no_share() -> None:
    nothing = minutes()
    score = judge(nothing, truth((0, 1, 2, "hot")), 0.0)
    assert score.recall == 0.0
    assert np.isnan([score.precision, score.false_per_group_day, score.delay_s()]).all()
    assert np.isnan(judge(nothing, truth(), 1.0).recall)
    assert judge(minutes((0, 1, 1, 2)), truth(), 1.0).precision == 0.0


PERIODS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 60), st.integers(0, 10), st.integers(0, 30)), max_size=8)


@given(PERIODS, PERIODS, st.integers(0, 20), st.integers(0, 20))
def test_events_are_found_where_an_alarm_stands(
    given: list[tuple[int, int, int, int]], real: list[tuple[int, int, int, int]], early: int, late: int
) -> None:
    shown = minutes(*((g, b, b + h, b + h + d) for g, b, h, d in given))
    events = truth(*((g, b, b + h + d, "x") for g, b, h, d in real))
    score = judge(shown, events, 1.0, early_ns=early * MIN, late_ns=late * MIN)
    meet = np.zeros((len(given), len(real)), bool)
    for (a, (g, b, h, d)), (e, (eg, eb, eh, ed)) in itertools.product(enumerate(given), enumerate(real)):
        stands = set(range(b + h, b + h + d + 1))
        meet[a, e] = g == eg and bool(stands & set(range(eb - early, eb + eh + ed + late + 1)))
    assert score.found.tolist() == meet.any(axis=0).tolist()
    assert score.false == int((~meet.any(axis=1)).sum())
    assert score.alarms == len(given)
    assert (score.delay_ns[score.found] >= -early * MIN).all()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: alarms(series(3), np.zeros(2)),
        lambda: alarms(series(3), np.zeros(3), on=0.5, off=0.6),
        lambda: alarms(series(3), np.zeros(3), hold_ns=-1),
        lambda: judge(minutes(), truth(), -1.0),
        lambda: judge(minutes(), truth(), 1.0, early_ns=-1),
        lambda: judge(minutes(), truth(), 1.0, renew_ns=0),
        lambda: minutes((0, 5, 4, 6)),
        lambda: minutes((0, 5, 6, 5)),
        lambda: Episodes.of([1, 2], [3], [4]),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ModelError):
        wrong()
