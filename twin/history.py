"""A look back at one unit: its signals, figures and states over a range, by spans that suit a chart, and its events.

What it costs is bounded: the range, the spans, the signals, and how many look back at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import groupby

import msgspec
import numpy as np

from twin.catalogue import CATALOGUE, FIELDS
from twin.errors import SinkRejected, SinkUnavailable
from twin.faults import FAULTS, JUDGED
from twin.plant import Kind, Roster
from twin.point import Refused
from twin.ports import Store
from twin.times import iso
from twin.units import NS_PER_S

__all__ = [
    "MOST_EVENTS",
    "MOST_FIELDS",
    "MOST_HOURS",
    "MOST_POINTS",
    "CurveView",
    "EventsAnswer",
    "FieldView",
    "HappenedView",
    "HistoryAnswer",
    "Lookback",
    "fields_of",
    "step_s",
]

MOST_HOURS = 744.0
MOST_POINTS = 2000
LEAST_POINTS = 10
MOST_FIELDS = 12
MOST_EVENTS = 1000
MOST_AT_ONCE = 8  # looks under way; one more is told to come again
# measurements of a unit of this kind
_MEASUREMENTS: Mapping[Kind, tuple[str, ...]] = {
    "pot": ("pot", "sample", "twin_state", "twin_score", "twin_pot"),
    "line": ("line", "twin_score", "twin_alarms", "twin_line"),
    "section": ("twin_section",),
    "site": ("twin_site",),
}
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_FAULTS = {fault.code: (fault.title, fault.severity, fault.advice) for fault in FAULTS} | dict(JUDGED)


class FieldView(msgspec.Struct, frozen=True):
    """A field that can be looked back at, `measurement.field` as in the store."""

    name: str
    unit: str
    help: str


class CurveView(msgspec.Struct, frozen=True):
    """A field over spans: `time` is where a span begins [s since 1970 UTC]; spans without a reading are left out."""

    unit: str
    time: list[float]
    count: list[int]
    low: list[float]
    mean: list[float]
    high: list[float]


class HistoryAnswer(msgspec.Struct, frozen=True):
    """Some fields of a unit from `start` to `end` [s since 1970 UTC], by spans of `step_s`."""

    path: str
    start: float
    end: float
    step_s: int
    fields: dict[str, CurveView]


class HappenedView(msgspec.Struct, frozen=True):
    """An event. `kind`: a `fault` that began or ended, or `work` at the pot with its `value`."""

    time: str
    time_s: float  # since 1970 UTC
    unit: str
    code: str
    kind: str
    title: str
    value: float
    began: bool
    severity: str
    advice: str


class EventsAnswer(msgspec.Struct, frozen=True):
    """Events of a unit from `start` to `end`, newest first. `next`: `end` of the page before, None on the last."""

    path: str
    start: float
    end: float
    events: list[HappenedView]
    next: float | None


def fields_of(kind: Kind) -> list[FieldView]:
    """Every field of a unit of this kind."""
    rows = (CATALOGUE[code] for measurement in _MEASUREMENTS[kind] for code in FIELDS[measurement])
    return [FieldView(f"{row.measurement}.{row.name}", row.unit, row.help) for row in rows]


def step_s(hours: float, points: int) -> int:
    """The shortest round span [s] of which `points` reach over the hours.

    >>> step_s(1, 600), step_s(24, 600), step_s(168, 600), step_s(744, 10)
    (10, 300, 1800, 345600)
    """
    least = hours * 3600 / points
    return next((step for step in _STEPS if step >= least), 86400 * math.ceil(least / 86400))


class Lookback:
    """Answers from the store; `now`: time of the newest data [ns], 0 before there is any."""

    def __init__(self, roster: Roster, store: Store, now: Callable[[], int]) -> None:
        self._roster, self._store, self._now = roster, store, now
        self._codes = {(row.measurement, row.name): code for code, row in enumerate(CATALOGUE)}
        self._looks = 0

    def fields(self, path: str) -> list[FieldView]:
        """What can be looked back at of a unit. Raises Refused."""
        return fields_of(self._kind(path))

    async def history(
        self, path: str, fields: list[str], hours: float, end: float | None, points: int
    ) -> HistoryAnswer:
        """Fields of a unit. Raises Refused."""
        kind = self._kind(path)
        wanted = [self._code(kind, name) for name in dict.fromkeys(fields)]
        step, until = step_s(hours, points), self._end(end)
        start = (int(until - hours * 3600) // step) * step
        curves: dict[str, CurveView] = {}
        for measurement, found in groupby(sorted(wanted), key=lambda code: CATALOGUE[code].measurement):
            curves |= await self._curves(measurement, path, list(found), start, until, step)
        return HistoryAnswer(path, start, until, step, {name: curves[name] for name in fields})

    async def _curves(
        self, measurement: str, path: str, codes: list[int], start: int, until: float, step: int
    ) -> dict[str, CurveView]:
        spans = (start * NS_PER_S, _ns(until), step * NS_PER_S)
        with self._look():
            found = await self._store.history(measurement, path, codes, *spans)
        curves = {}
        for code in codes:
            mine = found.signal == code
            columns = (found.time_ns / NS_PER_S, found.readings, found.low, found.mean, found.high)
            row = CATALOGUE[code]
            curves[f"{measurement}.{row.name}"] = CurveView(row.unit, *(column[mine].tolist() for column in columns))
        return curves

    async def events(self, path: str, hours: float, end: float | None, limit: int) -> EventsAnswer:
        """Events of a unit, at least `limit` where there are so many: those of one moment stay together."""
        self._kind(path)
        until = self._end(end)
        start = until - hours * 3600
        with self._look():
            found = await self._store.read("event", path, _ns(start), _ns(until))
        order = np.argsort(-found.time_ns, kind="stable")
        cut, last = len(order), 0
        if cut > limit:
            last = int(found.time_ns[order[limit - 1]]) // 1000
            cut = int((found.time_ns >= last * 1000).sum())
        rows = zip(
            *(column[order[:cut]].tolist() for column in (found.time_ns, found.signal, found.value)), strict=True
        )
        events = [
            _happened(path, time, CATALOGUE[code].name, CATALOGUE[code].help, value) for time, code, value in rows
        ]
        return EventsAnswer(path, start, until, events, last / 1e6 if cut < len(order) else None)

    def _look(self) -> _Look:
        if self._looks >= MOST_AT_ONCE:
            raise Refused("yet", f"{self._looks} others look back at this moment")
        return _Look(self)

    def _kind(self, path: str) -> Kind:
        code = self._roster.code(path)
        if code is None:
            raise Refused(
                "unknown", f"there is no unit {path[:80]!r}; there is {', '.join(self._roster.paths[:3])} ..."
            )
        return self._roster.kinds[code]

    def _code(self, kind: Kind, name: str) -> int:
        measurement, _, field = name.partition(".")
        code = self._codes.get((measurement, field))
        if code is None or measurement not in _MEASUREMENTS[kind]:
            raise Refused("unknown", f"a {kind} has no field {name[:60]!r}; /api/fields lists them")
        return code

    def _end(self, end: float | None) -> float:
        if end is None and not self._now():
            raise Refused("yet", "warming up: no measurement has been processed yet")
        return self._now() / NS_PER_S + 1e-3 if end is None else end


class _Look:
    """Counts one look; a store that is away is an answer that is not there yet."""

    def __init__(self, of: Lookback) -> None:
        self._of = of

    def __enter__(self) -> None:
        self._of._looks += 1

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        self._of._looks -= 1
        if isinstance(error, SinkUnavailable | SinkRejected):
            raise Refused("yet", f"the store does not answer: {error}") from error


def _ns(seconds: float) -> int:
    """Whole microseconds: what a float holds of a time."""
    return round(seconds * 1e6) * 1000


def _happened(path: str, time_ns: int, name: str, text: str, value: float) -> HappenedView:
    code = name.removeprefix("fault_")
    title, severity, advice = _FAULTS.get(code, (text, "", ""))
    kind = "fault" if code != name else "work"
    return HappenedView(
        iso(time_ns), time_ns / NS_PER_S, path, code, kind, title, value, kind == "work" or value > 0, severity, advice
    )
