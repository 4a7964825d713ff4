"""What a person sees of one tick: the report, flattened to rim units, for the page and the console.

Plain msgspec structs, so that the page, the HTTP API and tests share one schema.
"""

from __future__ import annotations

import msgspec

__all__ = ["EventView", "GradeView", "IngestView", "LineView", "PotView", "Snapshot"]


class PotView(msgspec.Struct, frozen=True):
    """One tile. None = not known. `verdict` as in GradeView; `faults` are codes active now."""

    id: str
    section: int
    voltage_v: float | None
    bath_temperature_c: float | None
    kwh_per_t: float | None  # metric and window of LineView.pot_metric / pot_window
    kwh_per_t_u: float | None  # its standard uncertainty
    verdict: str
    stale: bool
    faults: list[str]


class GradeView(msgspec.Struct, frozen=True):
    """One rule of the plan, graded at its own scope."""

    rule: str
    title: str
    scope: str  # line, pot, portfolio
    metric: str
    unit: str
    window: str  # hour, shift, day
    sense: str  # at_most, at_least
    limit: float
    value: float | None
    u: float | None  # standard uncertainty of value
    margin: float | None  # limit - value for at_most, value - limit for at_least: positive = good
    probability: float | None  # that the rule is met
    verdict: str  # pass, fail, indeterminate (the interval holds the limit), insufficient
    coverage_pct: float
    why: str
    source: str
    sure: str  # P, S, D, U as in the plan file


class EventView(msgspec.Struct, frozen=True):
    """A fault that began or ended, newest first in a snapshot."""

    time: str
    unit: str
    code: str
    title: str
    severity: str
    began: bool
    value: float
    advice: str


class LineView(msgspec.Struct, frozen=True):
    """One potline. `energy` maps metric -> window -> kWh/t or None."""

    path: str
    title: str
    current_ka: float | None
    voltage_v: float | None
    pots_total: int
    pots_reporting: int
    pot_metric: str
    pot_window: str
    pot_limit: float | None
    voltage_band_v: tuple[float, float]
    temperature_band_c: tuple[float, float]
    energy: dict[str, dict[str, float | None]]
    production_t: dict[str, float | None]
    coverage_pct: dict[str, float]
    grades: list[GradeView]
    pots: list[PotView]


class IngestView(msgspec.Struct, frozen=True):
    """Health of the way in. received = stored + parked; lag = now - source time of the newest reading."""

    connected: bool
    received: int
    stored: int
    parked: int
    rejected_values: int
    messages_per_s: float
    lag_s: float | None
    sink: str
    problem: str  # "" or one sentence for people
    collisions: int = 0  # readings that replaced another value of the same unit, signal and time
    bad_values: int = 0  # readings without a usable value
    problems: dict[str, int] = {}  # reason of twin.codec.REASONS -> how many values or messages were parked for it
    ahead_s: float | None = None  # of the source whose clock is furthest ahead of ours, lately; None: none heard
    ahead_unit: str = ""  # its path


class Snapshot(msgspec.Struct, frozen=True):
    """Everything the page shows at one moment. `time` is the data's time, ISO 8601 with zone."""

    time: str
    plant: str
    plan: str
    lines: list[LineView]
    events: list[EventView]
    ingest: IngestView
