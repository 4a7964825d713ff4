"""What is done to probabilities before limits: rows to a table over time and units, smoothed as in service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from twin.frames import Floats, Ints
from twin.units import NS_PER_S

__all__ = ["SMOOTH_MIN", "grid", "smooth_of", "smoothed"]

# time constants [min] over which a probability has to last, by how fast a cause must be known
SMOOTH_MIN = {
    "feeder_hang": 3.0, "stuck_sensor": 5.0, "gateway_outage": 2.0, "clock_skew": 4.0, "anode_slip": 6.0,
    "burn_off": 6.0, "line_current_loss": 2.0, "power_modulation": 5.0, "pad_instability": 8.0, "anode_effect": 2.0,
    "feeder_plugged": 30.0, "feeder_overdosing": 30.0, "sludge": 30.0, "voltage_drift": 30.0, "alf3_error": 60.0,
    "cathode_wear": 60.0, "tap_scale": 60.0, "ac_meter_drift": 30.0, "hot_pot": 20.0, "cold_pot": 15.0,
}  # fmt: skip
USUAL_MIN = 12.0


def smooth_of(causes: Sequence[str]) -> Floats:
    """Time constants [min] of these causes."""
    return np.array([SMOOTH_MIN.get(name, USUAL_MIN) for name in causes])


def grid(time_ns: Ints, unit: Ints, probability: Floats, every_min: int) -> tuple[Ints, Floats]:
    """Rows to (times,) ends of steps [ns] and (times, units, causes), NaN where a unit has no row; units from 0."""
    cell = time_ns // (every_min * 60 * NS_PER_S)
    first = int(cell.min())
    table: Any = np.full((int(cell.max()) - first + 1, int(unit.max()) + 1, probability.shape[1]), np.nan, np.float32)
    table[cell - first, unit] = probability
    ends: Ints = (np.arange(len(table), dtype=np.int64) + first + 1) * (every_min * 60 * NS_PER_S)
    return ends, table


def smoothed(table: Floats, smooth_min: Floats, every_min: int) -> Floats:
    """What `anomalies.step` makes of probabilities (times, units, causes)."""
    weight = (1.0 - np.exp(-every_min / smooth_min)).astype(np.float32)
    now, result = np.zeros(table.shape[1:], np.float32), np.empty_like(table)
    for n, row in enumerate(table):
        known = np.isfinite(row).all(axis=1)
        now[known] += weight * (row[known] - now[known])
        result[n] = now
    return result
