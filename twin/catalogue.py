"""Everything a store can hold, as one table: what is measured, then what the twin says.

`Readings.signal` is an index into CATALOGUE; the codes below `len(SIGNALS)` are those of the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from twin.alarms.figures import SPAN_H, TARGETS
from twin.faults import FAULTS, JUDGED
from twin.kpis import KPIS
from twin.plant import Kind
from twin.signals import MEASUREMENTS, SIGNALS, Signal
from twin.states import STATES

__all__ = [
    "ALARM_FIGURES",
    "CATALOGUE",
    "FIELDS",
    "MEASURED",
    "SCORES",
    "TWIN",
    "TWIN_ALARMS",
    "TWIN_SCORE",
    "alarm_code",
    "fault_code",
    "figure_code",
    "score_code",
    "state_code",
]

# kind of a unit in the roster -> measurement of what the twin says of it
TWIN: Mapping[Kind, str] = MappingProxyType(
    {"pot": "twin_pot", "line": "twin_line", "section": "twin_section", "site": "twin_site"}
)
TWIN_STATE = "twin_state"  # of a pot, each minute
TWIN_SCORE = "twin_score"  # of a pot or a line, each minute, where models are
# field -> what models say of a unit
SCORES: Mapping[str, str] = MappingProxyType({
    "anomaly_score": "Score of the detector of what is unusual over its limit: above 1 is unusual.",
    "cause": "Likeliest cause of the open anomaly: its number in the table of causes, 0 = no anomaly.",
    "cause_probability": "Smoothed probability of that cause; without an anomaly, that something is at work.",
    "anode_effect_risk": "Probability that an anode effect begins within the horizon of the model.",
})  # fmt: skip
TWIN_ALARMS = "twin_alarms"  # of a line, at the end of every 10 minutes of the clock
# field -> unit and what it says of a line's alarms
ALARM_FIGURES: Mapping[str, tuple[str, str]] = MappingProxyType({
    "alarms_10_min": ("1", "Alarms that were told in the 10 minutes before."),
    "standing": ("1", "Alarms that are there now, acknowledged or not."),
    "unacknowledged": ("1", "Alarms that nobody has acknowledged, those that are over included."),
    "shelved": ("1", "Alarms that are shelved now."),
    "suppressed": ("1", "Alarms that are there now, but explained by a condition or under a root alarm."),
    **{
        target.figure: (target.unit, f"{target.title}. Last {SPAN_H:g} h; target: {target.words}.")
        for target in TARGETS
    },
})  # fmt: skip
_DIFFERENCE = {"C": "K"}
_U_HELP = "Standard uncertainty of: "

_FIGURES = tuple(
    Signal(f"{kpi.name}_{what}{window}", kpi.unit, -np.inf, np.inf, 0.0, scope, f"{text}{kpi.help} Window: {window}.")
    for scope in TWIN.values()
    for kpi in KPIS
    for what, text in (("", ""), ("u_", _U_HELP))[: 1 + kpi.uncertain]
    for window in kpi.windows
)
_STATES = tuple(
    Signal(f"{what}{row.name}", unit, -np.inf, np.inf, 0.0, TWIN_STATE, f"{text}{row.help}")
    for row in STATES
    for what, text, unit in (
        ("", "", row.unit),
        ("u_", _U_HELP, _DIFFERENCE.get(row.unit, row.unit)),
    )
)
_EVENTS = tuple(
    Signal(f"fault_{fault.code}", "1", 0.0, 1.0, 0.0, "event", f"{fault.title}: 1 when it began, 0 when it ended.")
    for fault in FAULTS
) + tuple(
    Signal(f"fault_{code}", "1", 0.0, 1.0, 0.0, "event", f"{title}: 1 when it began, 0 when it ended.")
    for code, (title, _, _) in JUDGED.items()
)
_SCORES = tuple(Signal(name, "1", -np.inf, np.inf, 0.0, TWIN_SCORE, text) for name, text in SCORES.items())
_ALARMS = tuple(Signal(name, unit, 0.0, np.inf, 0.0, TWIN_ALARMS, text) for name, (unit, text) in ALARM_FIGURES.items())

CATALOGUE: tuple[Signal, ...] = (*SIGNALS, *_FIGURES, *_EVENTS, *_STATES, *_SCORES, *_ALARMS)
_CODE = {(row.measurement, row.name): code for code, row in enumerate(CATALOGUE)}

# measurement -> codes of its fields
FIELDS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        measurement: tuple(code for (of, _), code in _CODE.items() if of == measurement)
        for measurement in (*MEASUREMENTS.values(), *TWIN.values(), TWIN_STATE, TWIN_SCORE, TWIN_ALARMS)
    }
)
# of what is measured alone: events that the twin has found stand in one measurement with those of the plant
MEASURED: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {name: tuple(code for code in FIELDS[name] if code < len(SIGNALS)) for name in MEASUREMENTS.values()}
)


def figure_code(measurement: str, kpi: str, window: str, *, u: bool = False) -> int:
    """Code of a KPI over a window, or of its standard uncertainty `u`, in a measurement of `TWIN`."""
    return _CODE[measurement, f"{kpi}_{'u_' if u else ''}{window}"]


def fault_code(fault: str) -> int:
    """Code of the field that says when a fault began and ended."""
    return _CODE["event", f"fault_{fault}"]


def state_code(state: str, *, u: bool = False) -> int:
    """Code of an estimated state of a pot, or of its standard uncertainty `u`."""
    return _CODE[TWIN_STATE, f"{'u_' if u else ''}{state}"]


def score_code(name: str) -> int:
    """Code of a row of SCORES."""
    return _CODE[TWIN_SCORE, name]


def alarm_code(name: str) -> int:
    """Code of a row of ALARM_FIGURES."""
    return _CODE[TWIN_ALARMS, name]
