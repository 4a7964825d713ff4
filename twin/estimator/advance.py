"""One step of the filter for a batch of pots: predict, open up at events, weigh what was measured.

The voltage is weighed every step; what is slow (instruments with offsets, fading) every tenth step of the day's
count, the same for every pot, so that a re-run meets the same steps.
"""

from __future__ import annotations

import math

import numpy as np

from twin.estimator import measurements
from twin.estimator.design import Design
from twin.estimator.drive import Drive, Flag
from twin.estimator.gaussian import fade, propagate, update
from twin.estimator.model import melting, move
from twin.estimator.states import (
    ALF3,
    ALUMINA,
    BATH,
    DISSOLUTION,
    DISTANCE,
    ELECTRIC,
    FEED_GAIN,
    FRESH,
    LEDGE,
    METAL,
    ONSET,
    STATES,
    TEMPERATURE,
    UNDISSOLVED,
    VOLTAGE,
)
from twin.estimator.voltage import shown
from twin.frames import Floats

__all__ = ["CHANNELS", "advance"]

CHANNELS = ("voltage", "thermocouple", "wall", "onset")  # what each step weighs; samples come behind (`Belief`)
HOUR = 3600.0
SLOW, WALL_EVERY = 10, 60  # steps
GATE = 4.0  # sigmas; beyond it a surprise is a step of the voltage offset: a blip, a slipped anode, not alumina

# flag -> state -> standard deviation that it adds in its step (page 6, docs/method/estimation.md)
OPENED: dict[int, dict[int, float]] = {
    Flag.TAP: {DISTANCE: 3e-4, VOLTAGE: 0.04, TEMPERATURE: 0.3},
    Flag.BEAM: {DISTANCE: 3e-4, VOLTAGE: 0.02},
    Flag.ANODE_CHANGE: {DISTANCE: 2e-4, FRESH: 0.02, VOLTAGE: 0.005, TEMPERATURE: 1.0},
    Flag.ANODE_EFFECT: {ALUMINA: 0.15, TEMPERATURE: 3.0, DISTANCE: 2e-4, VOLTAGE: 0.03},
    Flag.KILL: {FEED_GAIN: 0.2, ALUMINA: 0.3, TEMPERATURE: 3.0, DISTANCE: 5e-4, VOLTAGE: 0.06, LEDGE: 2e-3},
    Flag.IDLE: {ALUMINA: 0.02, TEMPERATURE: 1.0, ALF3: 0.02, LEDGE: 5e-4, DISTANCE: 1e-4, VOLTAGE: 5e-3},
    Flag.UNSURE_FEED: {ALUMINA: 0.06},
}
MOST_OPEN = 5.0  # times the prior's standard deviation
TAP_SCALE = 0.005  # of the tapped mass
MOVE_ERROR = 0.05  # of a beam move
# A voltage that surprises the same way for ten minutes: the feed is not what the counter says.
DOUBT, DOUBT_TIME = 1.0, 600.0  # mean innovation [sigma], s
DOUBT_OPENS = ((FEED_GAIN, 0.08, 0.2), (ALUMINA, 0.05, 0.3))  # state, standard deviation a step, until it has this much
CLIPPED = 3.0  # sigmas that one step may add to the mean innovation
COLD, COLD_ALUMINA = 5.0, 0.04  # K of superheat below which alumina does not dissolve well; wt% a step without any
# Close to the onset V(C) is a wall: above it is the flicker before an anode effect, below it there is more alumina.
NEAR, NEAR_BELOW, NEAR_ALUMINA = 0.2, 0.015, 0.3  # wt%, V, wt%
STARVED = 0.03  # wt% above the onset that a pot without an anode effect has at least


def advance(
    design: Design, mean: Floats, cov: Floats, trend: Floats, drive: Drive, number: int, step_s: float
) -> Floats:
    """Move beliefs (states, pots), (states, states, pots), (pots,) on in place by the step with this number.

    Returns the innovations (channels, pots) [sigma], NaN = not measured.
    """
    after, slopes = move(design, mean, drive, step_s)
    mean[:] = after
    propagate(cov, slopes)
    _open(design, mean, cov, trend, drive, step_s)
    innovation = np.full((len(CHANNELS), mean.shape[1]), np.nan)
    innovation[0] = _voltage(design, mean, cov, drive)
    keep = math.exp(-step_s / DOUBT_TIME)
    trend *= keep
    trend += (1.0 - keep) * np.clip(np.nan_to_num(innovation[0]), -CLIPPED, CLIPPED)
    if number % SLOW == 0:
        _slow(design, mean, cov, drive, innovation, step_s * SLOW)
    if number % WALL_EVERY == 0 and np.isfinite(drive.wall).any():
        innovation[2] = measurements.wall(design, mean, cov, drive.wall)
    _onset(mean, cov, drive, innovation)
    _bound(mean)
    return innovation


def _open(design: Design, mean: Floats, cov: Floats, trend: Floats, drive: Drive, step_s: float) -> None:
    """Noise of every step, of events, and of what the pot's own state makes unsure."""
    for n, state in enumerate(STATES):
        if state.walk:
            cov[n, n] += state.walk**2 * (step_s / HOUR)
    for flag, opened in OPENED.items():
        at = (drive.flags & flag) != 0
        if at.any():
            for n, sd in opened.items():
                _widen(design, cov, n, at, sd)
    cov[METAL, METAL] += (TAP_SCALE * drive.tapped) ** 2
    cov[DISTANCE, DISTANCE] += (MOVE_ERROR * drive.closed) ** 2
    doubt = np.abs(trend) > DOUBT
    if doubt.any():
        for n, sd, enough in DOUBT_OPENS:
            cov[n, n] += np.where(doubt & (cov[n, n] < enough**2), sd**2, 0.0)
    superheat = mean[TEMPERATURE] - melting(design, mean).liquidus
    cold = np.clip(1.0 - superheat / COLD, 0.0, 1.0)
    if cold.any():
        _widen(design, cov, ALUMINA, cold > 0.0, COLD_ALUMINA * cold)


def _widen(design: Design, cov: Floats, state: int, at: np.ndarray, sd: Floats | float) -> None:
    """Add variance to a state at some pots, up to what nobody can be more unsure of."""
    room = cov[state, state] < (MOST_OPEN * design.sd[state]) ** 2
    cov[state, state] += np.where(at & room, np.square(sd), 0.0)


def _voltage(design: Design, mean: Floats, cov: Floats, drive: Drive) -> Floats:
    """Weigh the mean voltage of the step where it tells something; returns innovations [sigma]."""
    usable = (drive.flags & (Flag.BLIND | Flag.IDLE)) == 0
    expected = shown(design, mean, cov, np.where(usable, drive.current, design.rated_current))
    surprise = np.where(usable, drive.voltage - expected.voltage, np.nan)
    near = mean[ALUMINA] - mean[ONSET] < NEAR
    if near.any():
        below = near & (surprise < -NEAR_BELOW) & (cov[ALUMINA, ALUMINA] < NEAR_ALUMINA**2)
        cov[ALUMINA, ALUMINA] += np.where(below, NEAR_ALUMINA**2, 0.0)
        flicker = near & (surprise * surprise > GATE**2 * _expected_square(cov, expected.slopes, drive))
        surprise = np.where(flicker & (surprise > 0.0), np.nan, surprise)
    noise = drive.voltage_sd * drive.voltage_sd + expected.bend
    return update(mean, cov, ELECTRIC, expected.slopes, surprise, noise, GATE, VOLTAGE)


def _expected_square(cov: Floats, slopes: dict[int, Floats], drive: Drive) -> Floats:
    """Variance of the voltage that the belief expects [V2] (pots,)."""
    total = drive.voltage_sd * drive.voltage_sd
    for i, first in slopes.items():
        for j, second in slopes.items():
            total = total + first * second * cov[i, j]
    return total


def _slow(design: Design, mean: Floats, cov: Floats, drive: Drive, innovation: Floats, span_s: float) -> None:
    """What is done every tenth step: what has a memory fades, slow instruments."""
    keep = {n: math.exp(-span_s / state.memory) for n, state in enumerate(STATES) if state.memory}
    fade(mean, cov, design.mean, design.sd, keep)
    if np.isfinite(drive.thermocouple).any():
        innovation[1] = measurements.thermocouple(mean, cov, drive.thermocouple)


def _onset(mean: Floats, cov: Floats, drive: Drive, innovation: Floats) -> None:
    """An anode effect says that alumina is where it begins; a pot that runs without one has more."""
    effect = (drive.flags & Flag.ANODE_EFFECT) != 0
    idle = (drive.flags & Flag.IDLE) != 0
    starved = (mean[ALUMINA] < mean[ONSET] + STARVED) & ~idle & ~effect
    for pots, margin in ((np.flatnonzero(effect & ~idle), 0.0), (np.flatnonzero(starved), 2.0 * STARVED)):
        if len(pots):
            some_mean, some_cov = mean[:, pots], cov[:, :, pots]
            sigmas = measurements.onset(some_mean, some_cov, margin)
            mean[:, pots], cov[:, :, pots] = some_mean, some_cov
            if margin == 0.0:
                innovation[3, pots] = sigmas


def _bound(mean: Floats) -> None:
    """Keep means where the equations have a meaning."""
    for state, low, high in BOUNDS:
        np.clip(mean[state], low, high, out=mean[state])


BOUNDS: tuple[tuple[int, float, float], ...] = (
    (ALUMINA, 0.5, 8.0),
    (TEMPERATURE, 300.0, 1500.0),
    (ALF3, 1.0, 25.0),
    (LEDGE, 0.0, 0.4),
    (UNDISSOLVED, 0.0, 1e4),
    (DISSOLUTION, -1.5, 1.5),
    (DISTANCE, 0.015, 0.09),
    (METAL, 100.0, 1e6),
    (BATH, 500.0, 1e5),
    (FEED_GAIN, -0.7, 0.5),
    (ONSET, 0.8, 3.0),
)
