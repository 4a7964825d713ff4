"""Lessons on disk: features of every minute with the truth beside, from simulated lines or from recordings.

    NAME.values.f32   (rows, FEATURES)        NAME.rows.i64    (rows, 2): end of the minute [ns], place of the pot
    NAME.lines.f32    (minutes, LINE_FEATURES) NAME.minutes.i64 (minutes,) end of the minute [ns]
    NAME.json         what it is of, the truths, the anode effects as (time_ns, pot), the names of the columns

The arrays are written as they come and read by memory map: a lesson may be larger than the memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from simulators.publish import SimulatedLine
from twin.curriculum import Course, Truth, schedule
from twin.engine import Engine, Settings
from twin.errors import ConfigError
from twin.features import FEATURES, LINE_FEATURES, VERSION, Minute
from twin.frames import Ints, Readings
from twin.plan import Plan
from twin.plant import Roster
from twin.units import NS_PER_S

__all__ = ["Lesson", "Run", "columns", "line_columns", "names_of", "open_lesson", "simulated", "write_lesson"]

PERIOD_S = 5  # between two messages of a pot
CHUNK = 60  # messages to a step of the engine
FLUSH_NS = 3 * 3600 * NS_PER_S  # a lesson that is being written can be read that far
Narrow = NDArray[np.float32]


def columns() -> tuple[str, ...]:
    """Names of the columns of pots."""
    return tuple(row.name for row in FEATURES)


def line_columns() -> tuple[str, ...]:
    """Names of the columns of a line."""
    return tuple(row.name for row in LINE_FEATURES)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What `write_lesson` wrote, mapped; `effects` (n, 2): minute [ns] and place of the pot."""

    name: str
    values: Narrow
    time_ns: Ints
    pot: Ints
    line_values: Narrow
    line_ns: Ints
    truths: tuple[Truth, ...]
    effects: Ints
    pots: int


class _Head(msgspec.Struct):
    version: int
    columns: list[str]
    line_columns: list[str]
    pots: int
    made: str
    truths: list[tuple[str, list[int], int, int, float]]
    effects: list[tuple[int, int]]
    complete: bool = True


Step = tuple[tuple[Minute, ...], list[tuple[int, int]]]  # minutes that ended, anode effects that began


class Run(Protocol):
    """What a lesson is made of: one line of so many pots; `truths` says what was at work until `now_ns`."""

    pots: int
    made: str

    @property
    def now_ns(self) -> int: ...

    @property
    def complete(self) -> bool: ...

    def steps(self) -> Iterator[Step]: ...

    def truths(self) -> list[Truth]: ...


class Simulated:
    """A course being run: `steps` gives the minutes as they end; `truths` says what was at work until now. The line
    moves by `step_s` [s]: noises are those of means over a message either way."""

    def __init__(self, roster: Roster, plan: Plan, course: Course, step_s: float = 1.0) -> None:
        self._step_s = step_s
        site, line = next(roster.plant.lines())
        line = replace(line, pots=course.pots, capacity_t_per_year=None, sample_period_s=PERIOD_S)
        own = Roster(replace(roster.plant, sites=[replace(site, lines=[line])]))
        start = int(datetime(2026, 3, 1, tzinfo=site.zone()).timestamp()) * NS_PER_S
        self.course = course
        self.engine = Engine(own, plan, Settings(grace=2, estimate=True, features=True))
        self.line = SimulatedLine(own, site, line, course.seed, start, schedule(course, line))
        self.end_ns = start + int(course.days * 86400) * NS_PER_S
        self.pots, self.made = line.pots, str(course)

    @property
    def now_ns(self) -> int:
        """How far it has come."""
        return self.line.now_ns

    @property
    def complete(self) -> bool:
        """Whether it is over."""
        return self.line.now_ns >= self.end_ns

    def steps(self) -> Iterator[Step]:
        """Sensors -> readings -> the whole engine, as in service."""
        state, line = self.engine.start(), self.line
        count = line.potline.effect.count.copy()
        while line.now_ns < self.end_ns:
            parts, began = [], []
            for _ in range(CHUNK):
                for _ in range(round(PERIOD_S / self._step_s)):
                    line.potline.step(self._step_s)
                parts += line.advance(0)
                now = line.potline.effect.count
                began += [(line.now_ns, pot) for pot in np.flatnonzero(now > count).tolist()]
                count = now.copy()
            state, report = self.engine.step(state, Readings.concat(parts))
            yield tuple(m for m in report.minutes if isinstance(m, Minute)), began

    def truths(self) -> list[Truth]:
        """Every cause that was at work."""
        now_ns = self.line.now_ns
        return [
            Truth(label.cause, label.pots, label.start_ns, min(label.end_ns, now_ns), label.severity)
            for label in self.line.potline.causes.labels()
            if label.start_ns < now_ns
        ]


def simulated(roster: Roster, plan: Plan, course: Course, step_s: float = 1.0) -> Simulated:
    """A course on the first line of the plant, resized, from the first of a month."""
    return Simulated(roster, plan, course, step_s)


class _Writer:
    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        folder.mkdir(parents=True, exist_ok=True)
        self.files: dict[str, BinaryIO] = {
            part: (folder / f"{name}.{part}").open("wb")
            for part in ("values.f32", "rows.i64", "lines.f32", "minutes.i64")
        }

    def write(self, minute: Minute, rows: Ints) -> None:
        """Rows (places of pots) of a minute, and its line."""
        self.rows(minute, rows)
        self.files["lines.f32"].write(minute.line_values[0].astype(np.float32).tobytes())
        self.files["minutes.i64"].write(np.int64(minute.time_ns).tobytes())

    def rows(self, minute: Minute, rows: Ints) -> None:
        """Rows of a minute alone."""
        values = minute.values[rows].astype(np.float32)
        where = np.stack([np.full(len(rows), minute.time_ns), rows], axis=1)
        self.files["values.f32"].write(values.tobytes())
        self.files["rows.i64"].write(where.astype(np.int64).tobytes())

    def close(self) -> None:
        """Nothing more comes."""
        for file in self.files.values():
            file.close()

    def flush(self, head: _Head) -> None:
        """What was written until now is a lesson."""
        for file in self.files.values():
            file.flush()
        (self.folder / f"{self.name}.json").write_bytes(msgspec.json.encode(head))


def write_lesson(
    folder: Path, name: str, run: Run, *, every_min: int, told: Callable[[int], None] = lambda now_ns: None
) -> None:
    """Run a course and keep every `every_min`-th minute of it, and all of the hour before an anode effect; what is
    there already is left as it is."""
    path = folder / f"{name}.json"
    if path.exists() and _read(path).complete:
        return
    writer, effects, pots = _Writer(folder, name), [], np.arange(run.pots)
    hour: deque[Minute] = deque(maxlen=60)
    for minutes, began in run.steps():
        effects += began
        for minute in minutes:
            # pots take turns, so that no two neighbours are always seen in the same minute
            writer.write(minute, pots[_turn(minute, pots) % every_min == 0])
            hour.append(minute)
        for at_ns, pot in began:
            for minute in hour:
                if minute.time_ns <= at_ns and _turn(minute, pot) % every_min:
                    writer.rows(minute, np.array([pot]))
        if run.now_ns % FLUSH_NS == 0:
            writer.flush(_head(run, effects))
        told(run.now_ns)
    writer.flush(_head(run, effects))
    writer.close()


def _head(run: Run, effects: list[tuple[int, int]]) -> _Head:
    rows = [(t.cause, list(t.pots), t.begin_ns, t.end_ns, t.severity) for t in run.truths()]
    return _Head(
        VERSION, list(columns()), list(line_columns()), run.pots, run.made, rows, effects, run.complete,
    )  # fmt: skip


def _turn(minute: Minute, pots: Ints | int) -> Ints | int:
    return minute.time_ns // (60 * NS_PER_S) + pots


def open_lesson(folder: Path, name: str) -> Lesson:
    """A lesson as it lies on disk. Raises ConfigError where it is of another set of columns or not there."""
    path = folder / f"{name}.json"
    head = _read(path)
    if (head.version, tuple(head.columns), tuple(head.line_columns)) != (VERSION, columns(), line_columns()):
        raise ConfigError(f"lesson {path} has other columns than this version: remove it and make it again")
    values = _mapped(folder / f"{name}.values.f32", np.float32, len(FEATURES))
    rows = _mapped(folder / f"{name}.rows.i64", np.int64, 2)
    count = min(len(values), len(rows))
    values, rows = values[:count], rows[:count]
    lines = _mapped(folder / f"{name}.lines.f32", np.float32, len(LINE_FEATURES))
    minutes = _mapped(folder / f"{name}.minutes.i64", np.int64, 1)[:, 0]
    lines = lines[: len(minutes)]
    minutes = minutes[: len(lines)]
    if not head.complete and len(rows):  # what came after the truths were told is left out
        until = int(rows[-1, 0]) // FLUSH_NS * FLUSH_NS
        values, rows = values[rows[:, 0] <= until], rows[rows[:, 0] <= until]
        lines, minutes = lines[minutes <= until], minutes[minutes <= until]
    truths = tuple(Truth(cause, tuple(pots), begin, end, how) for cause, pots, begin, end, how in head.truths)
    effects = np.array(head.effects, np.int64).reshape(-1, 2)
    return Lesson(name, values, rows[:, 0], rows[:, 1], lines, minutes, truths, effects, head.pots)


def _read(path: Path) -> _Head:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Head)
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(f"lesson {path} cannot be read: {error}") from error


def _mapped(path: Path, kind: type, width: int) -> NDArray[Any]:
    """Whole rows of a file; what is being written behind them is left out."""
    rows = path.stat().st_size // (width * np.dtype(kind).itemsize)
    return np.memmap(path, kind, "r", shape=(rows, width)) if rows else np.zeros((0, width), kind)


def names_of(courses: Sequence[Course]) -> list[str]:
    """A name for each course that tells all of it."""
    return [
        f"{'clean' if c.clean else c.only or 'all'}-{c.seed}-{c.pots}-{c.days:g}-{c.severity[0]:g}-{c.severity[1]:g}"
        for c in courses
    ]
