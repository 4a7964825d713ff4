"""Everything a store can hold, as one table: what is measured, then what the twin says.

`Readings.signal` is an index into CATALOGUE; the codes below `len(SIGNALS)` are those of the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from twin.faults import FAULTS
from twin.kpis import KPIS
from twin.signals import MEASUREMENTS, SIGNALS, Signal

__all__ = ["CATALOGUE", "FIELDS", "fault_code", "figure_code"]

TWIN_POT, TWIN_LINE = "twin_pot", "twin_line"

_FIGURES = tuple(
    Signal(f"{kpi.name}_{what}{window}", kpi.unit, -np.inf, np.inf, 0.0, scope, f"{text}{kpi.help} Window: {window}.")
    for scope in (TWIN_POT, TWIN_LINE)
    for kpi in KPIS
    for what, text in (("", ""), ("u_", "Standard uncertainty of: "))[: 1 + kpi.uncertain]
    for window in kpi.windows
)
_EVENTS = tuple(
    Signal(f"fault_{fault.code}", "1", 0.0, 1.0, 0.0, "event", f"{fault.title}: 1 when it began, 0 when it ended.")
    for fault in FAULTS
)

CATALOGUE: tuple[Signal, ...] = (*SIGNALS, *_FIGURES, *_EVENTS)
_CODE = {(row.measurement, row.name): code for code, row in enumerate(CATALOGUE)}

# measurement -> codes of its fields
FIELDS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        measurement: tuple(code for (of, _), code in _CODE.items() if of == measurement)
        for measurement in (*MEASUREMENTS.values(), TWIN_POT, TWIN_LINE)
    }
)


def figure_code(measurement: str, kpi: str, window: str, *, u: bool = False) -> int:
    """Code of a KPI over a window, or of its standard uncertainty `u`, of a pot (twin_pot) or a line (twin_line)."""
    return _CODE[measurement, f"{kpi}_{'u_' if u else ''}{window}"]


def fault_code(fault: str) -> int:
    """Code of the field that says when a fault began and ended."""
    return _CODE["event", f"fault_{fault}"]
