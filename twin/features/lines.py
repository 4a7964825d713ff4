"""Quantities of a line in one minute: current, meters against each other, what its pots have in common."""

from __future__ import annotations

import numpy as np

from twin.features.state import METERS, Remembered
from twin.frames import Floats, Ints
from twin.signals import by_name
from twin.units import NS_PER_S

__all__ = ["ahead", "line_quantities", "medians", "tap_scale"]

AHEAD_S = 20.0
LEAST_KNOWN = 0.9  # of a line's pots, for a sum over them
LEAST_ENERGY = 3.6e8  # J between two readings of a meter
TAP_WEIGHT, OWN_WEIGHT = 0.2, 0.2  # of one tap in what its line's scale is off, and in what is usual of the pot
TAP_MOST = 0.3  # of the logarithm; more is no tap
NUMBERS = [by_name(name) for name in METERS]


def medians(values: Floats, line_of: Ints, lines: int) -> Floats:
    """Median over the pots of each line of values (quantities, pots): (quantities, lines), NaN = nobody knows."""
    found = np.full((len(values), lines), np.nan)
    for line in range(lines):
        mine = np.sort(values[:, line_of == line], axis=1)  # NaN goes last
        known = np.isfinite(mine).sum(axis=1)
        rows = np.flatnonzero(known)
        low, high = (known[rows] - 1) // 2, known[rows] // 2
        found[rows, line] = 0.5 * (mine[rows, low] + mine[rows, high])
    return found


def shares(mask: np.ndarray, line_of: Ints, lines: int) -> Floats:
    """Share of the pots of each line where `mask` holds."""
    count: Floats = np.bincount(line_of, minlength=lines).astype(np.float64)
    share: Floats = np.bincount(line_of, mask, lines) / np.maximum(count, 1.0)
    return share


def means(values: Floats, line_of: Ints, lines: int) -> Floats:
    """Mean of values (pots,) over each line, NaN where fewer than nine tenths are known."""
    known = np.isfinite(values)
    count = np.bincount(line_of, known, lines)
    total = np.bincount(line_of, np.where(known, values, 0.0), lines)
    enough = (count > 0) & (count >= LEAST_KNOWN * np.bincount(line_of, minlength=lines))
    return np.where(enough, total / np.maximum(count, 1.0), np.nan)


def ahead(clock: Floats) -> np.ndarray:
    """Where the clock of a pot is ahead of its line's."""
    result: np.ndarray = np.nan_to_num(clock) > AHEAD_S
    return result


def tap_scale(state: Remembered, line_of: Ints, tapped: Floats, moved: Floats) -> None:
    """Take the taps of a minute (pots,): what was weighed over how far the beam followed the metal."""
    pots = np.flatnonzero((tapped > 0.0) & (moved > 2e-3))
    for pot in pots.tolist():  # a few an hour
        said = float(np.log(tapped[pot] / moved[pot]))
        if state.taps[pot]:
            off = said - state.tap_mean[pot]
            if abs(off) > TAP_MOST:
                continue
            line = line_of[pot]
            state.tap_off[line] += TAP_WEIGHT * (off - state.tap_off[line])
            state.tap_mean[pot] += max(OWN_WEIGHT, 1.0 / (state.taps[pot] + 1.0)) * off
        else:
            state.tap_mean[pot] = said
        state.taps[pot] += 1.0


def _metered(state: Remembered, value: Floats, said_ns: Ints) -> tuple[Floats, Floats]:
    """What each meter (meters, lines) counted since the last minute [J], and the seconds (lines,) between."""
    now, at = value[:, NUMBERS].T, said_ns[:, NUMBERS[1]]
    rise = now - state.meters
    seconds = (at - state.metered_ns) / NS_PER_S
    good = (rise >= 0.0) & (state.metered_ns >= 0) & (seconds > 0.0) & (seconds < 3600.0)
    heard = at > state.metered_ns
    state.meters = np.where(heard, now, state.meters)
    state.metered_ns = np.where(heard, at, state.metered_ns)
    return np.where(good, rise, np.nan), seconds


def line_quantities(
    state: Remembered,
    line_of: Ints,
    value: Floats,
    said_ns: Ints,
    of_pots: dict[str, Floats],
    current: Floats,
    current_sd: Floats,
    rated: Floats,
) -> dict[str, Floats]:
    """Values (lines,) by name. `value`, `said_ns` (lines, signals) as they are at the end of the minute; `of_pots` of
    `pots.pot_quantities`; current, current_sd, rated (lines,) [A]."""  # fmt: skip
    lines = len(rated)
    energy, seconds = _metered(state, value, said_ns)
    ac, dc, auxiliary = np.where(energy > LEAST_ENERGY * np.array([[1.0], [1.0], [0.0]]), energy, np.nan)
    voltage = value[:, by_name("line_voltage_v")]
    mean = means(of_pots["plain_voltage"], line_of, lines)
    pots = np.maximum(np.bincount(line_of, minlength=lines), 1)
    middle = medians(np.array([of_pots["thermocouple"], of_pots["wave_noise"]]), line_of, lines)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "current": current / rated,
            "current_sd": current_sd / rated,
            "voltage_mean": means(of_pots["voltage"], line_of, lines),
            "voltage_left": voltage / pots - mean,
            "set_mean": means(of_pots["voltage_set"], line_of, lines),
            "ac_over_dc": ac / dc,
            "dc_over_power": dc / (voltage * current * seconds),
            "auxiliary": auxiliary / dc,
            "temperature": middle[0],
            "wave": middle[1],
            "tap_scale": state.tap_off.copy(),
            "silent": shares(~np.isfinite(of_pots["plain_voltage"]), line_of, lines),
            "ahead": shares(ahead(of_pots["clock"]), line_of, lines),
        }
