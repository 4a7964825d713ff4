"""Words of the command line to windows of a site's calendar."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from twin.errors import ConfigError
from twin.plant import Site
from twin.report.period import Period, day_of, parse_period, parts, span
from twin.windows import Calendar


@pytest.mark.parametrize(
    ("text", "kind", "label", "before"),
    [
        ("2026", "year", "2026", "2025"),
        ("2026-10", "month", "October 2026", "2026-09"),
        ("2026-01", "month", "January 2026", "2025-12"),
        ("2026-03-01", "day", "1 March 2026", "2026-02-28"),
        ("2024-03-01", "day", "1 March 2024", "2024-02-29"),
    ],
)
def test_a_period_knows_its_name_and_the_one_before(text: str, kind: str, label: str, before: str) -> None:
    found = parse_period(text, "--month")
    assert (found.kind, found.label, found.words, found.before().words) == (kind, label, text, before)


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("2026-13", "month", "is not a date"),
        ("2026-02-30", "day", "is not a date"),
        ("2026-10", "day", "must look like 2026-10-07"),
        ("october", "month", "must look like 2026-10"),
        ("2026-1", "month", "must look like"),
        ("1950-01", "month", "between 1973 and 2095"),
        ("2026-10", "year", "must look like 2026"),
    ],
)
def test_wrong_words_say_what_is_right(text: str, kind: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        parse_period(text, f"--{kind}", kind)
    assert repr(text) in str(caught.value)


def test_a_month_is_of_the_sites_own_calendar_and_its_days_make_it_up() -> None:
    calendar = Calendar(Site("s", [], time_zone="Europe/Berlin"))
    month = span(Period("month", date(2026, 10, 1)), calendar)
    days = parts(month, "day", calendar)
    assert len(days) == 31
    assert month.start_ns == int(datetime(2026, 10, 1, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()) * 10**9
    assert [day.start_ns for day in days[1:]] == [day.end_ns for day in days[:-1]]
    lengths = {(day.end_ns - day.start_ns) // (3600 * 10**9) for day in days}
    assert lengths == {24, 25}  # summer time ends on the 25th
    assert day_of(days[30].start_ns, Site("s", [], time_zone="Europe/Berlin")) == date(2026, 10, 31)


def test_a_year_has_the_days_of_its_months() -> None:
    calendar = Calendar(Site("s", [], time_zone="Asia/Shanghai"))
    year = span(Period("year", date(2026, 1, 1)), calendar)
    assert len(parts(year, "day", calendar)) == 365
    assert len(parts(year, "month", calendar)) == 12
