"""The table of estimated states that are told: what the store, the page and the broker get of every pot, each minute.

A row names an output of the estimator and the rim unit it is told in. What measurements have not made known yet is not
told at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.estimator import OUTPUTS
from twin.frames import Estimate, Floats
from twin.units import SI

__all__ = ["STATES", "TwinState", "column"]


@dataclass(frozen=True, slots=True)
class TwinState:
    """One row: `output` is the name in `estimator.OUTPUTS`."""

    name: str
    unit: str
    output: str
    help: str


_ROWS = (
    ("alumina_pct", "wt%", "alumina_wt_pct"),
    ("bath_temperature_c", "C", "temperature_k"),
    ("superheat_c", "K", "superheat_k"),
    ("excess_alf3_pct", "wt%", "excess_alf3_wt_pct"),
    ("ledge_mm", "mm", "ledge_m"),
    ("distance_mm", "mm", "distance_m"),
    ("bath_kg", "kg", "bath_kg"),
    ("metal_kg", "kg", "metal_kg"),
    ("efficiency_pct", "%", "efficiency"),
)
_HELP = {output.name: output.help for output in OUTPUTS}
STATES: tuple[TwinState, ...] = tuple(TwinState(name, unit, output, _HELP[output]) for name, unit, output in _ROWS)


def column(estimate: Estimate, row: TwinState) -> tuple[Floats, Floats]:
    """Value and standard uncertainty (units,) of a state in its rim unit, NaN where it is not known."""
    place = estimate.states.index(row.output)
    factor, offset = SI[row.unit]
    known = np.ones(len(estimate.units), bool) if estimate.known is None else estimate.known[:, place]
    value = np.where(known, (estimate.mean[:, place] - offset) / factor, np.nan)
    return value, np.where(known, np.sqrt(estimate.cov[:, place, place]) / factor, np.nan)
