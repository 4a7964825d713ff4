"""Accounting windows: they tile time, also where the clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.plants import roster_of
from twin.errors import ConfigError
from twin.units import NS_PER_S
from twin.windows import CELL_MINUTES, MINUTE_NS, WINDOWS, Calendar, Window

HOUR_NS = 60 * MINUTE_NS
# Clocks change at 01:00 UTC (Berlin), at 02:00 local (New York), at midnight (Cairo, Beirut), never (the others).
ZONES = ("Europe/Berlin", "America/New_York", "Africa/Cairo", "Asia/Beirut", "Asia/Kolkata", "Asia/Kathmandu", "UTC")
SHIFTS = (("00:00", "08:00", "16:00"), ("06:00", "14:00", "22:00"), ("05:45",), ("02:30", "14:30"), ("02:00", "03:00"))


def calendar(zone: str = "UTC", shifts: tuple[str, ...] = SHIFTS[0]) -> Calendar:
    (site,) = roster_of(1, zone=zone, shifts=shifts).plant.sites
    return Calendar(site)


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * NS_PER_S


def hours(window: Window) -> float:
    return (window.end_ns - window.start_ns) / HOUR_NS


# Seconds from 2024-03-01 to 2026-12-01, and the quarter hours where boundaries lie.
SECONDS = st.one_of(
    st.integers(1_709_251_200, 1_796_083_200),
    st.integers(1_709_251_200 // 900, 1_796_083_200 // 900).map(lambda quarter: quarter * 900),
)
NANOSECONDS = st.sampled_from([0, 1, 999_999_999])


@given(st.sampled_from(ZONES), st.sampled_from(SHIFTS), st.sampled_from(WINDOWS), SECONDS, NANOSECONDS)
def test_every_instant_lies_in_one_window_and_the_next_begins_where_it_ends(
    zone: str, shifts: tuple[str, ...], kind: str, second: int, nanosecond: int
) -> None:
    moment = second * NS_PER_S + nanosecond
    window = calendar(zone, shifts).window(kind, moment)
    assert window.kind == kind
    assert window.start_ns <= moment < window.end_ns
    assert window.start_ns % (CELL_MINUTES * MINUTE_NS) == 0, "books are kept in quarter hours"
    assert window.end_ns % (CELL_MINUTES * MINUTE_NS) == 0
    for inside in (window.start_ns, window.end_ns - 1):
        assert calendar(zone, shifts).window(kind, inside) == window
    following = calendar(zone, shifts).window(kind, window.end_ns)
    before = calendar(zone, shifts).window(kind, window.start_ns - 1)
    assert (before.end_ns, following.start_ns) == (window.start_ns, window.end_ns)


@given(st.sampled_from(ZONES), st.lists(SECONDS, min_size=1, max_size=6), st.sampled_from(WINDOWS))
def test_a_calendar_in_use_answers_like_a_new_one(zone: str, seconds: list[int], kind: str) -> None:
    used = calendar(zone)
    for second in seconds:
        assert used.window(kind, second * NS_PER_S) == calendar(zone).window(kind, second * NS_PER_S)


@pytest.mark.parametrize(
    ("day", "length"),
    [
        ("2026-03-28", 24),
        ("2026-03-29", 23),
        ("2026-03-30", 24),
        ("2025-10-25", 24),
        ("2025-10-26", 25),
        ("2025-10-27", 24),
    ],
)
def test_days_in_berlin(day: str, length: int) -> None:
    zone = ZoneInfo("Europe/Berlin")
    for text in (f"{day}T00:00:00", f"{day}T12:00:00", f"{day}T23:59:59"):
        moment = int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * NS_PER_S
        window = calendar("Europe/Berlin").window("day", moment)
        local = datetime.fromtimestamp(window.start_ns // NS_PER_S, UTC).astimezone(zone)
        assert local.isoformat()[:19] == f"{day}T00:00:00"
        assert hours(window) == length


def test_an_hour_is_an_hour_also_while_the_clocks_change() -> None:
    berlin = calendar("Europe/Berlin")
    for start in ("2026-03-29T00:00:00+00:00", "2026-03-29T01:00:00+00:00", "2025-10-26T00:00:00+00:00"):
        for minute in (0, 59):
            window = berlin.window("hour", ns(start) + minute * MINUTE_NS)
            assert (window.start_ns, hours(window)) == (ns(start), 1.0)


@pytest.mark.parametrize(
    ("zone", "moment", "start"),
    [
        ("Asia/Kolkata", "2025-11-24T06:15:00+00:00", "2025-11-24T05:30:00+00:00"),
        ("Asia/Kolkata", "2025-11-24T06:29:59+00:00", "2025-11-24T05:30:00+00:00"),
        ("Asia/Kolkata", "2025-11-24T06:30:00+00:00", "2025-11-24T06:30:00+00:00"),
        ("Asia/Kathmandu", "2025-11-24T06:20:00+00:00", "2025-11-24T06:15:00+00:00"),
        ("Asia/Shanghai", "2025-11-24T06:59:00+00:00", "2025-11-24T06:00:00+00:00"),
    ],
)
def test_an_hour_begins_with_the_hour_of_the_place(zone: str, moment: str, start: str) -> None:
    assert calendar(zone).window("hour", ns(moment)).start_ns == ns(start)


@pytest.mark.parametrize(
    ("moment", "start", "end"),
    [
        ("2025-11-24T23:30:00+01:00", "2025-11-24T22:00:00+01:00", "2025-11-25T06:00:00+01:00"),
        ("2025-11-25T00:00:00+01:00", "2025-11-24T22:00:00+01:00", "2025-11-25T06:00:00+01:00"),
        ("2025-11-25T05:59:59+01:00", "2025-11-24T22:00:00+01:00", "2025-11-25T06:00:00+01:00"),
        ("2025-11-25T06:00:00+01:00", "2025-11-25T06:00:00+01:00", "2025-11-25T14:00:00+01:00"),
    ],
)
def test_a_shift_may_cross_midnight(moment: str, start: str, end: str) -> None:
    window = calendar("Europe/Berlin", ("22:00", "06:00", "14:00")).window("shift", ns(moment))
    assert (window.start_ns, window.end_ns) == (ns(start), ns(end))


def test_the_night_shift_is_longer_when_the_clocks_go_back() -> None:
    night = calendar("Europe/Berlin", ("06:00", "14:00", "22:00"))
    assert hours(night.window("shift", ns("2025-10-26T01:00:00+02:00"))) == 9
    assert hours(night.window("shift", ns("2026-03-29T01:00:00+01:00"))) == 7


def test_one_shift_a_day_is_a_day_of_its_own() -> None:
    window = calendar("UTC", ("05:45",)).window("shift", ns("2025-11-24T05:00:00+00:00"))
    assert (window.start_ns, hours(window)) == (ns("2025-11-23T05:45:00+00:00"), 24.0)


@pytest.mark.parametrize(
    ("shifts", "said"), [((), "site s: shift_starts is empty"), (("06:10",), "site s: shift start 06:10")]
)
def test_shifts_that_cannot_be_kept_are_refused(shifts: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        calendar(shifts=shifts)
