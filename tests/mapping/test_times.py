"""Times of an existing plant: exact in every format, and local ones through the change of clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.errors import PayloadError
from twin.mapping.times import EPOCHS, Clock

NOW = 1_763_964_000_000_000_000
BERLIN = "Europe/Berlin"
LOCAL = "%Y-%m-%d %H:%M:%S.%f"


SPAN = (datetime(2000, 1, 1), datetime(2090, 1, 1))  # noqa: DTZ001  # what the wall says has no zone


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("form", "raw", "wanted"),
    [
        ("epoch_s", 1763964000, NOW),
        ("epoch_s", 1763964000.25, NOW + 250_000_000),
        ("epoch_s", "1763964000.123456789", NOW + 123_456_789),
        ("epoch_ms", 1763964000000, NOW),
        ("epoch_us", 1763964000000001, NOW + 1000),
        ("epoch_ns", NOW + 1, NOW + 1),
        ("auto", 1763964000000, NOW),
        ("auto", "1763964000000", NOW),
        ("auto", "2025-11-24T14:00:00+08:00", NOW),
        ("iso", "2025-11-24T06:00:00.000000001Z", NOW + 1),
    ],
)
def test_formats(form: str, raw: object, wanted: int) -> None:
    clock = Clock(form)
    assert clock.read(raw, NOW) == wanted
    times, bad = clock.read_all([raw], NOW)
    if not bad:
        assert times.tolist() == [wanted]


@pytest.mark.parametrize("form", ["auto", "iso", *EPOCHS, LOCAL])
@pytest.mark.parametrize("raw", [None, "", "x", True, [], {}, 10**400, -(10**30), 1e300, "1e400", "NaN", "9" * 5000])
def test_what_is_no_time(form: str, raw: object) -> None:
    clock = Clock(form, BERLIN)
    with pytest.raises(PayloadError) as caught:
        clock.read(raw, NOW)
    assert caught.value.reason in ("missing_time", "bad_time")
    assert clock.read_all([raw], NOW)[1] == [0]


def test_an_ambiguous_local_time_is_the_later_that_is_not_in_the_future() -> None:
    clock = Clock("%Y-%m-%d %H:%M", BERLIN)
    first, second = ns("2025-10-26T00:30:00+00:00"), ns("2025-10-26T01:30:00+00:00")
    assert clock.read("2025-10-26 02:30", first + 10**9) == first
    assert clock.read("2025-10-26 02:30", second + 10**9) == second
    with pytest.raises(PayloadError, match="never was"):
        clock.read("2025-03-30 02:30", NOW)


@given(st.datetimes(*SPAN), st.sampled_from([BERLIN, "Asia/Shanghai", "UTC"]))
def test_a_local_time_is_what_the_wall_says(moment: datetime, zone: str) -> None:
    found, there = Clock(LOCAL, zone), moment.replace(tzinfo=ZoneInfo(zone))
    if there.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != moment:
        with pytest.raises(PayloadError, match="never was"):
            found.read(moment.strftime(LOCAL), 1 << 62)
        return
    time_ns = found.read(moment.strftime(LOCAL), 1 << 62)
    back = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_ns // 1000)
    assert back.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == moment


@given(
    st.sampled_from(sorted(EPOCHS)),
    st.lists(st.one_of(st.integers(-(10**21), 10**21), st.floats(0, 4e9), st.none(), st.booleans()), min_size=1),
)
def test_many_at_once_are_read_as_one_by_one(form: str, raws: list[object]) -> None:
    clock, wanted, wrong = Clock(form), list[int](), list[int]()
    for place, raw in enumerate(raws):
        try:
            wanted.append(clock.read(raw, NOW))
        except PayloadError:
            wanted.append(0)
            wrong.append(place)
        else:
            assert wanted[-1] == int(Decimal(repr(raw)) * EPOCHS[form])
    times, bad = clock.read_all(raws, NOW)
    assert (times.tolist(), bad) == (wanted, wrong)
