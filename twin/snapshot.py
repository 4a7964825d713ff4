"""What a person sees of one tick: the report, flattened to rim units, for the page and the console.

Plain msgspec structs, so that the page, the HTTP API and tests share one schema.
"""

from __future__ import annotations

import msgspec

__all__ = ["EventView", "GradeView", "IngestView", "LineView", "PotView", "Snapshot", "places", "sheet"]


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
    cause: str = ""  # of the open anomaly, a name of twin.causes; "" = none
    cause_probability: float | None = None
    anode_effect_risk: float | None = None  # probability within the horizon of the model


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
    cause: str = ""  # of an anomaly: the likely one, a name of twin.causes


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
    """Health of the way in, in messages; lag = now - source time of the newest reading.

    received + carried = stored + spooled + parked + rejected + aside + under_way; `off` is what the two sides differ
    by, in messages or readings, and always 0 (twin.balance).
    """

    connected: bool
    received: int
    stored: int
    parked: int
    rejected_values: int
    messages_per_s: float
    lag_s: float | None
    sink: str
    problem: str  # "" or one sentence for people
    spooled: int = 0
    rejected: int = 0
    carried: int = 0  # from an earlier run, in the spool at the start
    aside: int = 0
    under_way: int = 0
    off: int = 0
    spool_mib: float = 0.0
    spool_oldest_s: float | None = None  # age of what has waited longest
    collisions: int = 0  # readings that replaced another value of the same unit, signal and time
    bad_values: int = 0  # readings without a usable value
    problems: dict[str, int] = {}  # reason of twin.codec.REASONS -> how many values or messages were parked for it
    ahead_s: float | None = None  # of the source whose clock is furthest ahead of ours, lately; None: none heard
    ahead_unit: str = ""  # its path
    missing: int = 0  # messages that did not come, by the numbers that they carry (`seq`)


def places(view: IngestView) -> dict[str, int]:
    """The balance sheet as counts by place; what is 0 is left out, except what came and what is stored and parked."""
    always = {"received": view.received, "stored": view.stored, "parked": view.parked}
    rest = ("carried", "spooled", "rejected", "aside", "under_way", "off")
    return always | {name: getattr(view, name) for name in rest if getattr(view, name)}


def sheet(view: IngestView) -> str:
    """The balance sheet in one line of text; what is 0 is left out, except what came and what is stored and parked."""
    came = [f"{view.received} received"] + [f"{view.carried} from before"] * bool(view.carried)
    went = [f"{view.stored} stored", f"{view.parked} parked"]
    went += [
        f"{count} {name}"
        for count, name in (
            (view.spooled, "spooled"),
            (view.rejected, "not stored here"),
            (view.aside, "set aside"),
            (view.under_way, "under way"),
        )
        if count
    ]
    return f"{' + '.join(came)} = {' + '.join(went)}" + (f" (OFF BY {view.off})" if view.off else "")


class Snapshot(msgspec.Struct, frozen=True):
    """Everything the page shows at one moment. `time` is the data's time, ISO 8601 with zone."""

    time: str
    plant: str
    plan: str
    lines: list[LineView]
    events: list[EventView]
    ingest: IngestView
