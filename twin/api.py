"""The twin in a notebook or a script: `from twin import Session, recorded, simulated` (docs/python-api.md).

    session = Session.open(pots=20)
    for readings in simulated(session, hours=30, seed=7):
        session.take(readings)
    session.figures("demo/A", "day")["ac_liquid_kwh_t"]      # Figure(value=12893.1, u=41.7)
    session.states("demo/A/A001")["alumina_pct"]
    session.what_if("demo/A", current=5)

Everything happens in this process: no broker, no store, no clock. Values are in the rim units that their names say.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace as with_fields

from twin import answers, checkpoint
from twin.answers import LineAnswer, PotAnswer, WhatIfAnswer
from twin.engine import Engine
from twin.errors import ConfigError
from twin.frames import Readings, Report, WindowFigures
from twin.kpis import KPIS
from twin.parts import engine_of, roster_of
from twin.plan import Grade
from twin.plant import Roster
from twin.recording import Selection, Skipped
from twin.recordings import recording_of
from twin.settings import Settings, resolve
from twin.states import STATES, column
from twin.times import iso, parse_time
from twin.topics import Router
from twin.uncertainty import Figure

__all__ = ["Session", "recorded", "simulated"]

COLUMNS = ("unit", "start", "figure", "measure", "value", "u")
CHUNK_S = 60  # simulated seconds handed over at once


class Session:
    """One twin: give it readings with `take`, ask it anything. Raises ConfigError for names that are not there."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine = engine
        self.settings = settings
        self.state = engine.start()
        self.report: Report | None = None
        self._figures: dict[tuple[int, str, int], WindowFigures] = {}

    @classmethod
    def open(cls, *, plant: str = "", plan: str = "", pots: int = 0, sample_s: float = 0.0, **settings: Any) -> Session:
        """A twin of a plant file and a plan file (packaged names or paths, as in the settings plant.file, plan.file).

        `pots`, `sample_s`: pots of every line and seconds between two samples of a pot, instead of what the plant file
        says. Any setting by its name, `.` written `__`:
        `Session.open(engine__estimate=False)`.
        """
        words = {"plant__file": plant, "plan__file": plan, **({"plant__pots": pots} if pots else {}), **settings}
        loaded = _settings({name.replace("__", "."): value for name, value in words.items() if value != ""})
        roster = roster_of(loaded)
        return cls(engine_of(loaded, _sampled(roster, sample_s) if sample_s else roster), loaded)

    @property
    def roster(self) -> Roster:
        """Units: paths and codes of lines, pots, sections and sites."""
        return self.engine.roster

    def take(self, readings: Readings) -> Report:
        """Take readings in any order and amount; returns what the twin says now."""
        self.state, self.report = self.engine.step(self.state, readings)
        for figures in self.report.figures:
            self._figures[int(figures.units[0]), figures.window, figures.start_ns] = figures
        return self.report

    def figures(self, path: str, window: str = "day", at: str = "") -> dict[str, Figure[float]]:
        """Known figures of a line, pot, section or site over the newest window (hour, shift, day, month, year), or over
        the one that holds the moment `at` (ISO 8601 with a zone)."""
        unit, moment = self._unit(path), parse_time(at) if at else None
        mine = [f for f in self._figures.values() if f.window == window and unit in f.units]
        if moment is not None:
            mine = [f for f in mine if f.start_ns <= moment < f.end_ns]
        if not mine:
            return {}
        newest = max(mine, key=lambda figures: figures.start_ns)
        row = int(np.flatnonzero(newest.units == unit)[0])
        found = {name: Figure(float(newest.kpis[name][row]), float(newest.u[name][row])) for name in newest.kpis}
        return {name: figure for name, figure in found.items() if math.isfinite(figure.value)}

    def table(self, window: str = "day") -> dict[str, list[Any]]:
        """Every figure told so far over windows of one kind, as columns: unit, start, figure, measure (its unit), value
        and standard uncertainty u. `pandas.DataFrame(session.table())` and others take it as it is."""
        units = {kpi.name: kpi.unit for kpi in KPIS}
        rows = [
            (self.roster.paths[unit], iso(figures.start_ns), name, units[name], value, u)
            for figures in sorted(self._figures.values(), key=lambda f: (f.start_ns, int(f.units[0])))
            if figures.window == window
            for name, values in figures.kpis.items()
            for unit, value, u in zip(figures.units.tolist(), values.tolist(), figures.u[name].tolist(), strict=True)
            if math.isfinite(value)
        ]
        columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in COLUMNS]
        return dict(zip(COLUMNS, columns, strict=True))

    def states(self, path: str) -> dict[str, Figure[float]]:
        """Estimated states of a pot that are known, by their names in `twin.states.STATES`."""
        unit, estimate = self._unit(path), None if self.report is None else self.report.estimate
        if estimate is None or unit not in estimate.units:
            return {}
        row = int(np.flatnonzero(estimate.units == unit)[0])
        columns = {state.name: column(estimate, state) for state in STATES}
        found = {name: Figure(float(value[row]), float(u[row])) for name, (value, u) in columns.items()}
        return {name: figure for name, figure in found.items() if math.isfinite(figure.value)}

    def grades(self) -> list[Grade]:
        """Every rule of the plan as it stands now, at its own scope."""
        return [] if self.report is None else [grade for grade in self.report.grades if isinstance(grade, Grade)]

    def line(self, path: str) -> LineAnswer:
        """Where the energy of a line goes, in the open day and month."""
        return answers.line_answer(self.engine, self._now(), path)

    def pot(self, path: str) -> PotAnswer:
        """What is estimated of a pot, and where its energy goes beside its line's."""
        return answers.pot_answer(self.engine, self._now(), path)

    def what_if(self, path: str, **changes: float) -> WhatIfAnswer:
        """A line after changes of the levers of `twin.whatif.LEVERS`, in their rim units."""
        return answers.what_if_answer(self.engine, self._now(), path, changes)

    def save(self, file: str | Path) -> None:
        """Keep the state; `restore` goes on from it as if nothing had happened."""
        Path(file).write_bytes(checkpoint.to_bytes(self.engine, self.state))

    def restore(self, file: str | Path) -> None:
        """Go on from a state kept by a twin of the same plant and settings. Raises PayloadError."""
        self.state = checkpoint.from_bytes(self.engine, Path(file).read_bytes())

    def _now(self) -> Report:
        if self.report is None:
            raise ConfigError("this session has taken no readings yet; give it some with `take`")
        return self.report

    def _unit(self, path: str) -> int:
        code = self.roster.code(path)
        if code is None:
            raise ConfigError(f"there is no unit {path!r}; there are {', '.join(self.roster.paths[:3])} ...")
        return code


def simulated(
    session: Session,
    *,
    hours: float,
    seed: int = 7,
    scenario: str = "",
    start: str = "2026-01-01T00:00:00+08:00",
) -> Iterator[Readings]:
    """Readings of every line of the session's plant as simulated sensors send them, a minute at a time.

    The same seed gives the same readings. `scenario`: a packaged name like `normal-week`, or a TOML file.
    """
    from simulators.publish import lines_of

    words = {"simulate.seed": seed, "simulate.scenario": scenario}
    lines = lines_of(session.roster, _settings(words), parse_time(start))
    periods = [line.sample_period_s for _, line in session.roster.plant.lines()]
    for _ in range(round(hours * 3600 / CHUNK_S)):
        parts = [
            part
            for line, period in zip(lines, periods, strict=True)
            for _ in range(round(CHUNK_S / period))
            for part in line.advance(period)
        ]
        yield Readings.concat(parts)


def recorded(session: Session, source: str, *, table: str | Path | None = None) -> Iterator[Readings]:
    """Readings of a recording or store, as `twin replay SOURCE`: Parquet, CSV (`table` says what its columns are),
    duckdb:FILE, influx://host:port/bucket. Raises ConfigError."""
    router = Router(session.roster, root=session.settings["mqtt.root"], discover=True)
    recording = recording_of(
        source, session.settings, router, Selection(), Skipped(), None if table is None else Path(table)
    )

    async def pages() -> AsyncGenerator[Readings, None]:
        bounds = await recording.open()
        try:
            async for page in recording.chunks(bounds.first_ns):
                yield page
        finally:
            await recording.close()

    with asyncio.Runner() as runner:
        running = pages()
        while (page := runner.run(_next(running))) is not None:
            yield page


def _sampled(roster: Roster, period_s: float) -> Roster:
    """The same plant with another sample period in every line."""
    plant = roster.plant
    lines = {site.id: [with_fields(line, sample_period_s=period_s) for line in site.lines] for site in plant.sites}
    return Roster(with_fields(plant, sites=[with_fields(site, lines=lines[site.id]) for site in plant.sites]))


def _settings(words: Mapping[str, object]) -> Settings:
    """Settings as given: neither files nor the environment of this process count."""
    return resolve(toml="", toml_name="", environment={}, flags={name: str(value) for name, value in words.items()})


async def _next(pages: AsyncGenerator[Readings, None]) -> Readings | None:
    return await anext(pages, None)
