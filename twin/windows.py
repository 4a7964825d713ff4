"""Accounting windows by a site's own calendar: hour, shift, day, month, year; safe across daylight-saving changes.

Every boundary falls on a quarter hour (CELL), the grain in which the ledger keeps energy and metal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from twin.errors import ConfigError
from twin.plant import Site
from twin.units import NS_PER_S

__all__ = ["CELL_MINUTES", "LONG", "MINUTE_NS", "WINDOWS", "Calendar", "Window"]

WINDOWS = ("hour", "shift", "day", "month", "year")
LONG = frozenset({"month", "year"})  # whole days: they outlast the minute bins
MINUTE_NS = 60 * NS_PER_S
CELL_MINUTES = 15


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """[start, end) in ns UTC."""

    start_ns: int
    end_ns: int
    kind: str


class Calendar:
    """The windows of one site. Raises ConfigError where a shift does not start on a quarter hour."""

    def __init__(self, site: Site) -> None:
        self.zone: ZoneInfo = site.zone()
        self._shifts = sorted(time.fromisoformat(start) for start in site.shift_starts)
        self._last: dict[str, Window] = {}
        if not self._shifts:
            raise ConfigError(f"site {site.id}: shift_starts is empty; give at least one, like '00:00'")
        if bad := next((s for s in self._shifts if s.minute % CELL_MINUTES), None):
            raise ConfigError(f"site {site.id}: shift start {bad:%H:%M} is not on a quarter hour")

    def window(self, kind: str, time_ns: int) -> Window:
        """The window of this kind that holds `time_ns`."""
        last = self._last.get(kind)
        if last is None or not last.start_ns <= time_ns < last.end_ns:
            last = self._last[kind] = self._find(kind, time_ns)
        return last

    def _find(self, kind: str, time_ns: int) -> Window:
        local = datetime.fromtimestamp(time_ns // NS_PER_S, UTC).astimezone(self.zone)
        if kind == "hour":
            start = time_ns // MINUTE_NS * MINUTE_NS - local.minute * MINUTE_NS
            return Window(start, start + 60 * MINUTE_NS, kind)
        if kind in LONG:
            first = local.date().replace(day=1, month=local.month if kind == "month" else 1)
            months = 1 if kind == "month" else 12
            after = date(first.year + (first.month + months > 12), (first.month + months - 1) % 12 + 1, 1)
            return Window(self._moment(first, time(0)), self._moment(after, time(0)), kind)
        starts = self._shifts if kind == "shift" else [time(0)]
        days = [local.date() + timedelta(days=offset) for offset in (-1, 0, 1)]
        moments = sorted({self._moment(day, start) for day in days for start in starts})
        end = next(moment for moment in moments if moment > time_ns)
        return Window(moments[moments.index(end) - 1], end, kind)

    def _moment(self, day: date, start: time) -> int:
        return int(datetime.combine(day, start, self.zone).timestamp()) * NS_PER_S
