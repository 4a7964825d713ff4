"""From which probability on a cause is worth an alarm: chosen on pots that the model has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.anomalies import NEVER, Rules
from twin.curriculum import AFTER_USUAL_H, EXPLAINED, Truth, class_of
from twin.frames import Floats, Ints
from twin.units import NS_PER_S

__all__ = ["SMOOTH_MIN", "Run", "grid", "smoothed", "tuned"]

HOUR_NS = 3600 * NS_PER_S
# time constants [min] over which a probability has to last, by how fast a cause must be known
SMOOTH_MIN = {
    "feeder_hang": 3.0, "stuck_sensor": 5.0, "gateway_outage": 2.0, "clock_skew": 4.0, "anode_slip": 6.0,
    "burn_off": 6.0, "line_current_loss": 2.0, "power_modulation": 5.0, "pad_instability": 8.0, "anode_effect": 2.0,
    "feeder_plugged": 30.0, "feeder_overdosing": 30.0, "sludge": 30.0, "voltage_drift": 30.0, "alf3_error": 60.0,
    "cathode_wear": 60.0, "tap_scale": 60.0, "ac_meter_drift": 30.0, "hot_pot": 20.0, "cold_pot": 15.0,
}  # fmt: skip
USUAL_MIN = 12.0
LEVELS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.94, 0.97, 0.985)
FALSE_COSTS = 3.0  # a false alarm costs as much as so many causes missed
WRONG_COSTS = 1.0  # and one of the wrong cause as much as so many
MANY = 60


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


def _crossings(series: Floats, level: float, off: float) -> tuple[Ints, Ints]:
    """Where (times, units) series come over `level` after having been below `off`: (time places, units)."""
    over, below = series >= level, series < off
    last_over = np.maximum.accumulate(np.where(over, np.arange(len(series))[:, None], -1), axis=0)
    last_below = np.maximum.accumulate(np.where(below, np.arange(len(series))[:, None], 0), axis=0)
    before = np.concatenate([np.full((1, series.shape[1]), -1), last_over[:-1]])
    time, unit = np.nonzero(over & (last_below >= before))
    return time, unit


@dataclass(frozen=True, slots=True)
class Run:
    """A lesson to choose by: ends of steps (times,), probabilities (times, units, causes), truths, effects (n, 2)."""

    ends: Ints
    table: Floats
    truths: Sequence[Truth]
    effects: Ints


NOBODY, NEAR_EFFECT = -1, -2


def _place(run: Run) -> tuple[Ints, Ints]:
    """Of every (times, units): number of the truth at work, NOBODY, or NEAR_EFFECT where an anode effect shakes the pot
    and nothing is held against anybody; and 1 where a truth may have left traces."""
    times, units = run.ends, run.table.shape[1]
    at: Any = np.full((len(times), units), NOBODY)
    traces: Any = np.zeros((len(times), units), np.int8)
    for number, truth in enumerate(run.truths):
        pots, begin, end = _where(run, truth)
        after = int(np.searchsorted(times, truth.end_ns + int(AFTER_USUAL_H) * HOUR_NS))
        traces[begin:after, pots] = 1
        at[begin : end + 1, pots] = number
    for at_ns, pot in run.effects.tolist():
        if pot < units:
            first, last = np.searchsorted(times, [at_ns - HOUR_NS, at_ns + 2 * HOUR_NS])
            at[first:last, pot] = NEAR_EFFECT
    return at, traces


def _where(run: Run, truth: Truth) -> tuple[list[int], int, int]:
    units = run.table.shape[1]
    pots = [pot for pot in truth.pots if pot < units] if truth.pots else list(range(units))
    begin, end = np.searchsorted(run.ends, truth.begin_ns), np.searchsorted(run.ends, truth.end_ns, "right")
    return pots, int(begin), int(end)


def tuned(causes: Sequence[str], runs: Sequence[Run], every_min: int) -> Rules:
    """Rules of least cost."""
    smooth = smooth_of(causes)
    on = np.full(len(causes), NEVER)
    ready = [(run, smoothed(run.table, smooth, every_min), *_place(run)) for run in runs]
    for n, name in enumerate(causes):
        if name in EXPLAINED:
            continue
        costs = np.zeros(len(LEVELS))
        for run, series, at, traces in ready:
            costs += _costs(run, series[:, :, n], at, traces, name)
        on[n] = LEVELS[int(np.argmin(costs))]
    return Rules(tuple(causes), on, smooth)


def _costs(run: Run, series: Floats, at: Ints, traces: Ints, name: str) -> Floats:
    """What each level costs: causes missed, false alarms, and alarms while something else was at work."""
    own: Any = np.full(at.shape, NOBODY)
    there: set[tuple[int, int]] = set()
    for number, truth in enumerate(run.truths):
        if class_of(truth.cause) == name:
            pots, begin, end = _where(run, truth)
            own[begin : end + 1, pots] = number
            known: Any = np.isfinite(run.table[begin : end + 1, pots, 0]).any(axis=0)
            there |= {(number, pot) for pot, some in zip(pots, known.tolist(), strict=True) if some}
    costs = []
    for level in LEVELS:
        time, unit = _crossings(series, level, 0.2)
        mine, other, trace = own[time, unit], at[time, unit], traces[time, unit]
        found = {*zip(mine[mine >= 0].tolist(), unit[mine >= 0].tolist(), strict=True)} & there
        stray = mine < 0
        false = int((stray & (other == NOBODY) & (trace == 0)).sum())
        wrong = len({*zip(other[stray & (other >= 0)].tolist(), unit[stray & (other >= 0)].tolist(), strict=True)})
        scale = 1.0 if len(there) < MANY else MANY / len(there)  # of sections: all pots at once
        costs.append(scale * (len(there) - len(found)) + FALSE_COSTS * false + WRONG_COSTS * wrong)
    return np.array(costs)
