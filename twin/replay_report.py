"""A recording run through the pure engine, and what came of it as text: the same recording, the same bytes.

The engine steps a minute of source time at a time, wherever chunks end and however readings are jumbled within ten
seconds. One JSON line an event, a window's figures of a unit, or a grade; sorted, numbers as Python's `repr`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from twin.engine import Engine
from twin.frames import Event, Readings, WindowFigures
from twin.plan import Grade
from twin.times import iso
from twin.units import NS_PER_S

__all__ = ["EngineTarget"]

PORTFOLIO = -1  # unit of a grade that is no unit's alone
_STEP_NS = 60 * NS_PER_S
_GRACE_NS = 10 * NS_PER_S  # a minute is stepped when a reading from this far behind it has come
_MOST_WAITING = 4_000_000  # readings: should time stand still in a recording, memory does not grow


class EngineTarget:
    """Target that runs the engine. `lines` is the report of what was played since the last seek."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._begin()

    def _begin(self) -> None:
        self._state = self._engine.start()
        self._waiting: list[Readings] = []
        self._waiting_rows = 0
        self._newest_ns = 0
        self._figures: dict[tuple[int, str, int], WindowFigures] = {}
        self._grades: dict[tuple[str, int, str, int], Grade] = {}
        self._events: list[Event] = []

    async def take(self, readings: Readings) -> None:
        newest = np.maximum.accumulate(np.maximum(readings.time_ns, self._newest_ns))
        minute = (np.concatenate([[self._newest_ns], newest]) - _GRACE_NS) // _STEP_NS
        start = 0
        for edge in np.flatnonzero(np.diff(minute)).tolist():
            self._wait(readings.take(slice(start, edge)))
            self._step(int(minute[edge + 1]) * _STEP_NS)
            start = edge
        self._wait(readings.take(slice(start, len(readings))))
        self._newest_ns = int(newest[-1]) if len(newest) else self._newest_ns

    async def sought(self) -> None:
        """A twin cannot go back in time: it begins anew."""
        self._begin()

    async def finish(self) -> None:
        self._step(None)

    def _wait(self, readings: Readings) -> None:
        while len(readings):
            room = _MOST_WAITING - self._waiting_rows
            self._waiting.append(readings.take(slice(0, room)))
            self._waiting_rows += len(self._waiting[-1])
            readings = readings.take(slice(room, len(readings)))
            if self._waiting_rows == _MOST_WAITING:
                self._step(None)

    def _step(self, before_ns: int | None) -> None:
        """One step of the engine with what waits from before a moment, or with all of it."""
        waiting = Readings.concat(self._waiting)
        due = np.ones(len(waiting), bool) if before_ns is None else waiting.time_ns < before_ns
        if not due.any():
            return
        rest = waiting.take(~due)
        self._waiting, self._waiting_rows = [rest], len(rest)
        self._state, report = self._engine.step(self._state, waiting.take(due))
        self._events.extend(report.events)
        opened: dict[tuple[int, str], int] = {}
        for figures in report.figures:
            line = int(figures.units[0])
            self._figures[line, figures.window, figures.start_ns] = figures
            if figures.open:
                opened[line, figures.window] = opened[PORTFOLIO, figures.window] = figures.start_ns
        for grade in report.grades:
            assert isinstance(grade, Grade)
            self._grades[grade.rule.id, grade.unit, grade.window, opened[grade.unit, grade.window]] = grade

    def lines(self) -> list[str]:
        """The report: every event, figure and last grade as one JSON line, in a fixed order."""
        paths = self._engine.roster.paths
        rows = [_event(event, paths) for event in self._events]
        rows += [row for figures in self._figures.values() for row in _figures(figures, paths)]
        rows += [_grade(grade, start_ns, paths) for (*_, start_ns), grade in self._grades.items()]
        return sorted(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows)


def _event(event: Event, paths: list[str]) -> dict[str, Any]:
    return {
        "kind": "event",
        "time": iso(event.time_ns),
        "unit": paths[event.unit],
        "code": event.code,
        "began": event.began,
        "severity": event.severity,
        "value": _number(event.value),
        "limit": _number(event.limit),
    }


def _figures(figures: WindowFigures, paths: list[str]) -> Iterator[dict[str, Any]]:
    for row, unit in enumerate(figures.units.tolist()):
        yield {
            "kind": "figures",
            "start": iso(figures.start_ns),
            "unit": paths[unit],
            "window": figures.window,
            "end": iso(figures.end_ns),
            "open": bool(figures.open),
            **{name: _number(float(values[row])) for name, values in figures.kpis.items()},
            **{f"u_{name}": _number(float(values[row])) for name, values in figures.u.items()},
        }


def _grade(grade: Grade, start_ns: int, paths: list[str]) -> dict[str, Any]:
    """Everything that a grade says; the rule by its id, the unit by its path."""
    said = {one.name: getattr(grade, one.name) for one in fields(grade)}
    said |= {"rule": grade.rule.id, "unit": "portfolio" if grade.unit == PORTFOLIO else paths[grade.unit]}
    numbers = {name: _number(value) if isinstance(value, float) else value for name, value in said.items()}
    return {"kind": "grade", "start": iso(start_ns), **numbers}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
