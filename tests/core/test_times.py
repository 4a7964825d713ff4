"""Source times: every way of writing one, and nothing that could be taken for another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.errors import PayloadError
from twin.times import iso, parse_time, parse_times

T0 = 1_763_964_000_000_000_000  # 2025-11-24T06:00:00Z
FIRST, END = 100_000_000_000_000_000, 4_000_000_000_000_000_000
INSTANTS = st.integers(FIRST, END - 1)


def reason(value: object) -> str:
    with pytest.raises(PayloadError) as caught:
        parse_time(value)
    assert caught.value.field == "time"
    return caught.value.reason


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("2025-11-24T06:00:00Z", 0),
        ("2025-11-24 06:00:00+00:00", 0),
        ("2025-11-24T14:00:00+08:00", 0),
        ("2025-11-24T11:30:00+05:30", 0),
        ("2025-11-23T23:00:00-07", 0),
        ("20251124T060000Z", 0),
        ("2025-11-24T06:00:00.5Z", 500_000_000),
        ("2025-11-24T06:00:00,25Z", 250_000_000),
        ("20251124T060000.125Z", 125_000_000),
        ("2025-11-24T06:00:00.123456789Z", 123_456_789),
        ("2025-11-24T06:00:00.000000001+00:00", 1),
        ("2025-11-24T06:00:00.1234567899999Z", 123_456_789),
        ("2025-11-24T14:00:00.000000007+08:00", 7),
        ("2025-11-24T06:00Z", 0),
    ],
)
def test_iso_8601_with_a_zone(text: str, nanoseconds: int) -> None:
    assert parse_time(text) == T0 + nanoseconds


def test_epoch_milliseconds_and_nanoseconds_are_told_apart() -> None:
    assert parse_time(1_763_964_000_250) == T0 + 250_000_000
    assert parse_time(T0 + 7) == T0 + 7
    assert parse_time(FIRST // 1_000_000) == parse_time(FIRST) == FIRST
    assert parse_time(END // 1_000_000 - 1) == END - 1_000_000
    assert parse_time(END - 1) == END - 1


@pytest.mark.parametrize(
    "value",
    [
        "",
        "now",
        "2025-11-24",
        "2025-11-24T06:00:00",  # no zone
        "2025-11-24T06:00:00.5",
        "2025-11-24T06:30.5Z",  # half a minute, which the library reads as half a second
        "2025-11-24T06.5Z",
        "2025-11-24T06:00:00+05:30:15.5",
        "2025-11-24T06:00:00.Z",
        "2025-13-24T06:00:00Z",
        "2025-02-30T06:00:00Z",
        "2025-11-24T25:00:00Z",
        "2025-11-24T06:00:00Z and more",
        "2025-11-24T06:00:00." + "0" * 60 + "Z",
        "1970-01-01T00:00:00Z",  # a clock that was never set
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "\ud800",
        0,
        -1,
        1_763_964_000,  # seconds
        1_763_964_000_000_000,  # microseconds
        FIRST // 1_000_000 - 1,
        FIRST - 1,
        END // 1_000_000,
        END,
        2**63,
        10**400,
        1.763964e12,
        True,
        ["2025-11-24T06:00:00Z"],
        {},
    ],
)
def test_what_is_no_time_is_refused(value: object) -> None:
    assert reason(value) == "bad_time"


def test_a_missing_time_has_a_reason_of_its_own() -> None:
    assert reason(None) == "missing_time"


@given(INSTANTS)
def test_iso_is_read_back_exactly(time_ns: int) -> None:
    text = iso(time_ns)
    assert parse_time(text) == time_ns
    assert text.endswith("Z")
    assert not text.endswith("0Z") or "." not in text, "as short as it can be"


@given(INSTANTS, st.integers(-14 * 60, 14 * 60), st.integers(0, 9))
def test_any_zone_and_precision_is_read_exactly(time_ns: int, minutes: int, digits: int) -> None:
    unit = 10 ** (9 - digits)
    time_ns = time_ns // unit * unit
    zone = timezone(timedelta(minutes=minutes))
    whole = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).astimezone(zone)
    fraction = f".{time_ns % 1_000_000_000:09d}"[: digits + 1] if digits else ""
    text = whole.strftime("%Y-%m-%dT%H:%M:%S") + fraction + whole.isoformat()[19:]
    wanted = time_ns if FIRST <= time_ns < END else None
    assert wanted is None or parse_time(text) == wanted


def one_by_one(values: list[int | str]) -> list[int | str]:
    found: list[int | str] = []
    for value in values:
        try:
            found.append(parse_time(value))
        except PayloadError as error:
            found.append(error.reason)
    return found


ANY_INTEGER = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.integers(-(2**80), 2**80), INSTANTS, st.just(1_763_964_000_250)
)


@given(st.lists(ANY_INTEGER, max_size=6))
def test_many_integers_at_once_are_read_like_one(values: list[int | str]) -> None:
    times, errors = parse_times(values)
    assert [e.reason if e else int(t) for t, e in zip(times, errors, strict=True)] == one_by_one(values)


@given(st.lists(st.one_of(ANY_INTEGER, INSTANTS.map(iso), st.text(max_size=30)), max_size=6))
def test_many_values_at_once_are_read_like_one(values: list[int | str]) -> None:
    times, errors = parse_times(values)
    assert [e.reason if e else int(t) for t, e in zip(times, errors, strict=True)] == one_by_one(values)


@pytest.mark.parametrize("value", [-148_216_276_252_152_474, -1_189_590_142_271_926_416, -(2**63)])
def test_a_negative_time_does_not_wrap_round_to_a_good_one(value: int) -> None:
    (time,), (error,) = parse_times([value])
    assert error is not None
    assert (time, error.reason) == (0, "bad_time")
