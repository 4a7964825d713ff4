"""A minute's readings as sums: what the voltage did between two ends of a minute, what was done at the pot.

A reading counts in the minute in whose ticks it comes, as long as it is not older than `LATEST_NS`: where the clock
of a gateway runs ahead, all others seem late, and they must not fall silent for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np

from twin.frames import Floats, Ints, Quality, Readings
from twin.signals import by_name
from twin.windows import MINUTE_NS

__all__ = ["Gathered", "gather"]

LATEST_NS = 3 * MINUTE_NS
VOLTAGE, CURRENT = by_name("voltage_v"), by_name("line_current_ka")
DONE = {
    by_name("tapped_metal_kg"): "tapped",
    by_name("beam_move_mm"): "moved",
    by_name("beam_raised"): "raised",
    by_name("anode_effect_kill"): "killed",
    by_name("anode_changed"): "changed",
}


@dataclass
class Gathered:
    """Sums of the minute being gathered, over places of the roster (units,): of the voltage and of the line current
    count, sum, squares, lowest and highest [V, A]; of what was done tapped [kg], moved [m], and how often."""

    count: Floats
    total: Floats
    square: Floats
    low: Floats
    high: Floats
    tapped: Floats
    moved: Floats
    raised: Floats
    killed: Floats
    changed: Floats
    units: int = field(default=0)

    @classmethod
    def nothing(cls, units: int) -> Gathered:
        """Before the first reading of a minute."""
        start = {"low": np.inf, "high": -np.inf}
        names = [f.name for f in fields(cls) if f.name != "units"]
        made = {name: np.full(units, start.get(name, 0.0)) for name in names}
        return cls(made.pop("count"), **made, units=units)

    def arrays(self) -> dict[str, Floats]:
        """Every array by its name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "units"}

    def grow(self, units: int) -> Gathered:
        """Room for units enrolled since."""
        grown = Gathered.nothing(units)
        for name, array in self.arrays().items():
            getattr(grown, name)[: self.units] = array
        return grown


def gather(into: Gathered, readings: Readings, si: Floats, fresh: np.ndarray, closed_ns: int) -> None:
    """Add readings of a tick that closes at `closed_ns`, with SI values; `fresh`: those not heard before."""
    good = fresh & (readings.quality != Quality.BAD) & (readings.time_ns > closed_ns - LATEST_NS)
    rows = np.flatnonzero(good & ((readings.signal == VOLTAGE) | (readings.signal == CURRENT)) & np.isfinite(si))
    rows = _once(readings, rows)
    unit, value = readings.unit[rows], si[rows]
    units = into.units
    into.count += np.bincount(unit, minlength=units)
    into.total += np.bincount(unit, value, units)
    into.square += np.bincount(unit, value * value, units)
    np.minimum.at(into.low, unit, value)
    np.maximum.at(into.high, unit, value)
    for signal, name in DONE.items():
        rows = np.flatnonzero(good & (readings.signal == signal))
        if len(rows):
            rows = _once(readings, rows)
            np.add.at(getattr(into, name), readings.unit[rows], si[rows] if name in ("tapped", "moved") else 1.0)


def _once(readings: Readings, rows: Ints) -> Ints:
    """Of rows of one signal a unit those that do not repeat an earlier one: delivered twice it is one reading."""
    unit = readings.unit[rows]
    if not len(unit) or np.bincount(unit).max() <= 1:
        return rows
    order = np.lexsort((rows, readings.time_ns[rows], unit))
    unit, time = unit[order], readings.time_ns[rows][order]
    new = np.concatenate([[True], (np.diff(unit) != 0) | (np.diff(time) != 0)])
    result: Ints = np.sort(rows[order[new]])
    return result
