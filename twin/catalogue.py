"""Everything a store can hold, as one table: what is measured, then what the twin says.

`Readings.signal` is an index into CATALOGUE; the codes below `len(SIGNALS)` are those of the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from twin.faults import FAULTS
from twin.kpis import KPIS
from twin.plant import Kind
from twin.signals import MEASUREMENTS, SIGNALS, Signal
from twin.states import STATES

__all__ = ["CATALOGUE", "FIELDS", "MEASURED", "TWIN", "fault_code", "figure_code", "state_code"]

# kind of a unit in the roster -> measurement of what the twin says of it
TWIN: Mapping[Kind, str] = MappingProxyType(
    {"pot": "twin_pot", "line": "twin_line", "section": "twin_section", "site": "twin_site"}
)
TWIN_STATE = "twin_state"  # of a pot, each minute
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
)

CATALOGUE: tuple[Signal, ...] = (*SIGNALS, *_FIGURES, *_EVENTS, *_STATES)
_CODE = {(row.measurement, row.name): code for code, row in enumerate(CATALOGUE)}

# measurement -> codes of its fields
FIELDS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        measurement: tuple(code for (of, _), code in _CODE.items() if of == measurement)
        for measurement in (*MEASUREMENTS.values(), *TWIN.values(), TWIN_STATE)
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
