"""Words of the command line to windows of a site's calendar: 2026, 2026-10, 2026-10-07."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from twin.errors import ConfigError
from twin.plant import Site
from twin.units import NS_PER_S
from twin.windows import Calendar, Window

__all__ = ["FINER", "POT_FINER", "Period", "day_of", "parse_period", "parts", "span"]

_WORDS = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?")
_LIKE = {"day": "2026-10-07", "month": "2026-10", "year": "2026"}
# The windows of which the course of a period is made.
FINER = {"day": "hour", "month": "day", "year": "day"}
POT_FINER = {"day": "hour", "month": "day", "year": "month"}


@dataclass(frozen=True, slots=True)
class Period:
    """A day, month or year: `kind`, its first local `day`, and its name for people."""

    kind: str
    day: date

    @property
    def label(self) -> str:
        """The period as it is said, such as October 2026."""
        if self.kind == "year":
            return str(self.day.year)
        return f"{self.day:%B %Y}" if self.kind == "month" else f"{self.day.day} {self.day:%B %Y}"

    @property
    def words(self) -> str:
        """The period as it is given to the command."""
        return self.day.isoformat()[: len(_LIKE[self.kind])]

    def before(self) -> Period:
        """The period of the same kind that ends where this one begins."""
        last = self.day - timedelta(days=1)
        return Period(self.kind, _first(self.kind, last))


def _first(kind: str, day: date) -> date:
    if kind == "day":
        return day
    return day.replace(day=1) if kind == "month" else day.replace(month=1, day=1)


def parse_period(text: str, option: str, kind: str | None = None) -> Period:
    """Read a period; `kind` fixes what it must be. Raises ConfigError.

    >>> parse_period("2026-10", "--month", "month").label
    'October 2026'
    """
    found = _WORDS.fullmatch(text.strip())
    is_kind = found and ("day" if found[3] else "month" if found[2] else "year")
    like = _LIKE[kind] if kind else f"{_LIKE['month']} (or {_LIKE['day']}, {_LIKE['year']})"
    if found is None or is_kind is None or (kind is not None and is_kind != kind):
        raise ConfigError(f"{option} {text!r} is not allowed; it must look like {like}")
    try:
        day = date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
    except ValueError as error:
        raise ConfigError(f"{option} {text!r} is not a date: {error}") from error
    if not 1973 <= day.year <= 2095:
        raise ConfigError(f"{option} {text!r} is not allowed; the year lies between 1973 and 2095")
    return Period(is_kind, day)


def span(period: Period, calendar: Calendar) -> Window:
    """The window of a period in a site's calendar."""
    # Noon exists in every zone on every day; midnight may not.
    noon = datetime(period.day.year, period.day.month, period.day.day, 12, tzinfo=calendar.zone)
    return calendar.window(period.kind, int(noon.timestamp()) * NS_PER_S)


def parts(window: Window, kind: str, calendar: Calendar) -> list[Window]:
    """The windows of a finer kind within a window, in order."""
    found, at = [], window.start_ns
    while at < window.end_ns:
        part = calendar.window(kind, at)
        found.append(part)
        at = part.end_ns
    return found


def day_of(time_ns: int, site: Site) -> date:
    """The local day at a site."""
    return datetime.fromtimestamp(time_ns // NS_PER_S, UTC).astimezone(site.zone()).date()
