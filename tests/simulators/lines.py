"""Small potlines for the tests, and what a run of one shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from simulators.controller import Tuning
from simulators.journal import Event, Sample
from simulators.potline import Potline
from simulators.schedule import Cause
from simulators.sensors import Imperfection, Observation, Sensors
from twin.frames import Floats
from twin.plant import Line, Meter, Plant, PotDesign, Site

__all__ = ["FLAWLESS", "START", "Run", "potline", "run"]

START = 1_760_000_000_000_000_000  # ns
FLAWLESS = Imperfection(0.0, 0.0, 900.0, 0.0, 0.0, 8.0, 0.0, 0.0, 0.0, 0.0)


def potline(
    pots: int,
    schedule: Sequence[Cause] = (),
    *,
    seed: int = 7,
    current_ka: float = 500.0,
    rollover_kwh: float = 1e9,
    mix: dict[str, float] | None = None,
    tuning: Tuning | None = None,
) -> Potline:
    """A line of the 500 kA class."""
    line = Line(
        id="A",
        pots=pots,
        design="p",
        pot_prefix="A",
        section_pots=1,
        rated_current_ka=current_ka,
        ac_meter=Meter(accuracy_class=0.2, rollover_kwh=rollover_kwh),
        power_mix_pct={"coal": 70, "hydro": 10, "wind": 12, "solar": 6, "nuclear": 2} if mix is None else mix,
    )
    plant = Plant(sites=[Site(id="demo", lines=[line], time_zone="Asia/Shanghai")], designs={"p": PotDesign()})
    return Potline.of(plant, line, "demo", seed=seed, start_ns=START, cause_schedule=schedule, tuning=tuning)


@dataclass(slots=True)
class Run:
    """What a run showed: truth and observation every so often (rows), all events and samples."""

    line: Potline
    first: dict[str, Floats] = field(default_factory=dict)  # truth before the first step
    truth: list[dict[str, Floats]] = field(default_factory=list)
    seen: list[Observation] = field(default_factory=list)
    shares: list[Floats] = field(default_factory=list)  # (anodes, pots)
    events: list[Event] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    made_kg: float = 0.0  # metal, all pots
    worst_balance: dict[str, float] = field(default_factory=dict)

    def true(self, name: str) -> Floats:
        """(rows, pots)"""
        return np.array([row[name] for row in self.truth])

    def said(self, name: str) -> Floats:
        """(rows, pots), rim unit"""
        return np.array([row.telemetry[name] for row in self.seen])

    def values(self, name: str) -> list[float]:
        """Values of all events and samples of this signal."""
        return [event[3] for event in self.events if event[2] == name] + [s[4] for s in self.samples if s[3] == name]


def run(line: Potline, hours: float, dt: float = 5.0, *, every_s: float = 300.0, audit: bool = False) -> Run:
    """Run on and look every `every_s`; with `audit` also at the ledger of every single step."""
    sensors, result = Sensors(line, 7, FLAWLESS), Run(line, line.truth())
    line.audit = audit
    every = round(every_s / dt)
    for n in range(round(hours * 3600.0 / dt)):
        line.step(dt)
        result.made_kg += float(line.alumina.made.sum())
        if audit:
            for kind, residual in line.balance().items():
                result.worst_balance[kind] = max(result.worst_balance.get(kind, 0.0), float(np.abs(residual).max()))
        if n % every == every - 1:
            seen = sensors.observe()
            result.truth.append(line.truth())
            result.seen.append(seen)
            result.shares.append(line.anodes.share.copy())
            result.events += seen.events
            result.samples += seen.samples
    return result
