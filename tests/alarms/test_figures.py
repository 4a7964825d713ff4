"""Figures on the alarm system: floods, chattering and the rest against plain counting."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.alarms.telling import transition
from tests.core.plants import NOW_NS, NS
from twin.alarms.figures import TARGETS, AlarmLog, figures, floods
from twin.alarms.log import log_of
from twin.alarms.moved import Transition

ALARMS = st.lists(st.tuples(st.integers(0, 86399), st.integers(0, 5), st.integers(0, 2)), max_size=150)


def log(rows: list[tuple[int, int, int]]) -> AlarmLog:
    table = np.array(sorted(rows), np.int64).reshape(-1, 3)
    names = [(f"code{n}", "s/L/001") for n in range(6)]
    return AlarmLog(NOW_NS + table[:, 0] * NS, table[:, 1], table[:, 2], np.zeros(len(table), np.int64), names)


@given(ALARMS)
def test_every_figure_is_what_counting_gives(rows: list[tuple[int, int, int]]) -> None:
    found = figures(log(rows), "p", NOW_NS, NOW_NS + 86400 * NS)
    buckets = Counter(at // 600 for at, _, _ in rows)
    assert found.alarms == len(rows)
    assert found.per_10_min == pytest.approx(len(rows) / 144)
    assert found.most_in_10_min == max(buckets.values(), default=0)
    assert found.above_10_pct == pytest.approx(100 * sum(n > 10 for n in buckets.values()) / 144)
    spread = Counter(priority for _, _, priority in rows)
    for name, rank in (("low", 0), ("medium", 1), ("high", 2)):
        assert getattr(found, f"{name}_pct") == pytest.approx(100 * spread[rank] / max(len(rows), 1))
    often = Counter(key for _, key, _ in rows).most_common()
    assert [top.count for top in found.top_ten] == [count for _, count in often]
    chatter = sum(
        any(c - a <= 60 for a, c in zip(times, times[2:], strict=False))
        for times in ([at for at, key, _ in sorted(rows) if key == k] for k in range(6))
    )
    assert found.chattering == chatter
    assert all(0 <= value <= 100 for target, value, _ in found.verdicts() if target.unit == "%")


@given(st.lists(st.integers(0, 20), min_size=1, max_size=60))
def test_a_flood_begins_above_ten_and_ends_below_five(counts: list[int]) -> None:
    flooded, inside = [], False
    for count in counts:
        inside = count > 10 or (inside and count >= 5)
        flooded.append(inside)
    found = floods(np.array(counts), 0)
    told = [any(f.start_ns <= n * 600 * NS < f.end_ns for f in found) for n in range(len(counts))]
    assert told == flooded
    assert sum(f.alarms for f in found) == sum(c for c, i in zip(counts, flooded, strict=True) if i)
    assert all(f.most > 10 for f in found)


def moves(*rows: tuple[int, str, str]) -> list[Transition]:
    """(seconds, event, state after) of one alarm."""
    before, found = "normal", []
    for at, event, after in rows:
        found.append(transition(at, before=before, after=after, event=event))
        before = after
    return found


def test_an_alarm_that_goes_within_a_minute_is_fleeting_and_one_that_stands_a_day_is_stale() -> None:
    short = moves((0, "activated", "unacknowledged"), (30, "returned", "returned_unacknowledged"))
    found = figures(log_of(short), "p", NOW_NS, NOW_NS + 86400 * NS)
    assert (found.fleeting, found.stale) == (1, 0)
    long = moves((0, "activated", "unacknowledged"), (60, "acknowledged", "acknowledged"))
    found = figures(log_of(long), "p", NOW_NS, NOW_NS + 90000 * NS)
    assert (found.fleeting, found.stale) == (0, 1)
    ended = [*long, *moves((80000, "returned", "normal"))]
    assert figures(log_of(ended), "p", NOW_NS, NOW_NS + 90000 * NS).stale == 0
    again = [*long, *moves((50000, "realarmed", "unacknowledged"), (100000, "returned", "normal"))]
    assert figures(log_of(again), "p", NOW_NS, NOW_NS + 200000 * NS).stale == 1, "told again it is still the same one"


def test_a_position_has_the_alarms_of_its_areas() -> None:
    rows = [transition(n, unit=unit) for n, unit in enumerate(("s/L/001", "s/L2/001", "s/L", "s/M/002"))]
    assert len(log_of(rows, ["s/L"])) == 2
    assert len(log_of(rows, ["s/L2", "s/M/002"])) == 2
    assert len(log_of(rows)) == 4
    silent = [transition(0, after="suppressed", event="suppressed"), transition(1, after="acknowledged")]
    assert len(log_of(silent)) == 0, "nobody was told"


def test_nothing_happened() -> None:
    found = figures(log_of([]), "p", NOW_NS, NOW_NS + 600 * NS)
    assert (found.alarms, found.top_ten, found.floods, found.per_10_min) == (0, [], [], 0.0)


def test_the_targets_are_those_of_the_standard() -> None:
    high = {target.figure: target.high for target in TARGETS}
    assert (high["per_10_min"], high["most_in_10_min"], high["above_10_pct"], high["top_ten_pct"]) == (2, 10, 1, 5)
    assert (high["chattering"], high["fleeting"], high["stale"]) == (0, 0, 5)
    assert {target.words for target in TARGETS if target.figure == "low_pct"} == {"70 to 90"}
