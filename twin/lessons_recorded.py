"""Lessons from recordings of a plant: features of its readings, with a file of labels beside.

The labels are rows of JSON as `twin record` of a simulated line writes them beside a recording (FILE.causes.json):
[{"cause": "feeder_plugged", "units": ["site/line/pot"], "onset": "2026-03-01T00:00:00Z", "end": "...", "severity":
1.0}, ...]
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from simulators.causes import CAUSES
from twin.curriculum import Truth
from twin.engine import Engine, Settings
from twin.errors import ConfigError
from twin.features import FEATURES, Minute
from twin.frames import Codes, Floats, Readings
from twin.lessons import Step
from twin.plan import Plan
from twin.plant import Roster
from twin.ports import Recording
from twin.times import parse_time
from twin.units import NS_PER_S

__all__ = ["Recorded", "truths_of"]

EFFECT_VOLTS = 8.0
QUIET_MIN = 15  # after an anode effect before another one counts
HIGH = [row.name for row in FEATURES].index("voltage_high")


class _Label(msgspec.Struct):
    cause: str
    units: list[str]
    onset: str
    end: str
    severity: float = 1.0


def truths_of(path: Path, roster: Roster, line: int) -> list[Truth]:
    """Labels of the pots of a line (roster code), and of the line itself. Raises ConfigError."""
    try:
        labels = msgspec.json.decode(path.read_bytes(), type=list[_Label])
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(f"labels {path} cannot be read: {error}") from error
    pots = [code for code in roster.pot_codes() if roster.line_of[code] == line]
    place, found = {roster.paths[code]: n for n, code in enumerate(pots)}, []
    for label in labels:
        if label.cause not in CAUSES:
            raise ConfigError(f"labels {path}: cause {label.cause!r} is not known; known are {', '.join(CAUSES)}")
        mine = tuple(place[unit] for unit in label.units if unit in place)
        if mine or roster.paths[line] in label.units:
            begin, end = parse_time(label.onset), parse_time(label.end)
            found.append(Truth(label.cause, mine, begin, end, label.severity))
    return found


class Recorded:
    """One line of a recording, as `lessons.write_lesson` takes it. Its readings go through the engine as in service."""

    def __init__(self, recording: Recording, roster: Roster, plan: Plan, line: int, labels: Path, made: str) -> None:
        self._recording, self._roster = recording, roster
        self._engine = Engine(roster, plan, Settings(estimate=True, features=True))
        self._line = roster.line_codes().index(line)
        self._truths = truths_of(labels, roster, line)
        self.pots = sum(roster.line_of[code] == line for code in roster.pot_codes())
        self.made, self.now_ns, self.complete = made, 0, False
        self._quiet_until: Floats = np.zeros(self.pots)

    def steps(self) -> Iterator[Step]:
        """Minutes of the line alone, and the anode effects that its voltages show. Raises ConfigError."""
        state = self._engine.start()
        for readings in self._chunks():
            state, report = self._engine.step(state, readings)
            minutes = tuple(self._own(one) for one in report.minutes if isinstance(one, Minute))
            self.now_ns = minutes[-1].time_ns if minutes else self.now_ns
            yield minutes, [effect for minute in minutes for effect in self._effects(minute)]
        self.complete = True

    def truths(self) -> list[Truth]:
        """What the labels say."""
        return self._truths

    def _chunks(self) -> Iterator[Readings]:
        with asyncio.Runner() as runner:
            bounds = runner.run(self._recording.open())
            chunks = self._recording.chunks(bounds.first_ns)
            try:
                while (readings := runner.run(_next(chunks))) is not None:
                    yield readings
            finally:
                runner.run(self._recording.close())

    def _own(self, minute: Minute) -> Minute:
        mine = minute.line_of == self._line
        units: Codes = minute.units[mine]
        one = slice(self._line, self._line + 1)
        return Minute(
            minute.time_ns, units, minute.lines[one], np.zeros(len(units), np.int64), minute.values[mine],
            minute.line_values[one],
        )  # fmt: skip

    def _effects(self, minute: Minute) -> list[tuple[int, int]]:
        high = np.nan_to_num(minute.values[: self.pots, HIGH]) > EFFECT_VOLTS
        begun = high & (self._quiet_until <= minute.time_ns)
        self._quiet_until[high] = minute.time_ns + QUIET_MIN * 60 * NS_PER_S
        return [(minute.time_ns - 60 * NS_PER_S, pot) for pot in np.flatnonzero(begun).tolist()]


async def _next(chunks: object) -> Readings | None:
    return await anext(chunks, None)  # type: ignore[call-overload, no-any-return]
