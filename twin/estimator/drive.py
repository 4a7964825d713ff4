"""What happened to every pot in one step: from raw readings (`Inputs`) to what drives the model (`Drive`).

Counters become differences, resets and gaps are seen to, events become flags, a thermocouple that hangs is left out.
None of it depends on the estimate, so it is done once and kept: a late sample re-runs the filter on the kept drives.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from twin.estimator.design import Design
from twin.frames import Floats, Ints
from twin.physics.faraday import ALUMINA_PER_METAL, METAL_PER_COULOMB

__all__ = ["DRIVES", "MEMORIES", "Drive", "Flag", "Inputs", "Narrow", "fresh_memory", "prepare"]

Narrow = NDArray[np.float32]
DRIVES = (
    "voltage", "voltage_sd", "current", "fed", "alf3", "closed", "tapped", "thermocouple", "wall", "flags",
)  # fmt: skip
MEMORIES = ("alumina", "assumed", "alf3", "beam", "current", "thermocouple", "hanging", "blind")


class Flag:
    """Bits of the drive's flags."""

    TAP, ANODE_CHANGE, BEAM, ANODE_EFFECT, KILL, IDLE, UNSURE_FEED, BLIND = (1 << bit for bit in range(8))


# s for which the voltage tells nothing of alumina: the crew is at work, or an anode effect shakes the pot (page 6)
BLIND_FOR = {Flag.TAP: 180.0, Flag.ANODE_CHANGE: 720.0, Flag.BEAM: 120.0, Flag.ANODE_EFFECT: 120.0, Flag.KILL: 300.0}
CUT_OUT_VOLTAGE = 1.65  # V; below it no metal is made
EFFECT_ABOVE = 1.0  # V above the nominal voltage, mean of a step
LEAST_CURRENT = 0.3  # of rated; below it the line is stopped
LARGE_MOVE = 12e-3  # m in one step: a tap, a raise or a slipped encoder, not control
BUBBLE_NOISE, WAVE_NOISE = 7e-3, 5e-3  # V, one second; where the pot does not say (page 6)
WAVE_LEFT = 0.3  # of the metal wave (20-125 s) that a mean over a minute leaves
VOLTAGE_FLOOR = 7e-4  # V
USUAL_EFFICIENCY = 0.94
FEED_LIMIT, SHOTS = 6.0, 100.0  # a counter may rise by so many times the usual feed and kg; more is a broken counter
HANGS = 10  # equal readings of a noisy instrument in a row
ALF3_PER_SODA = 1.06  # kg/kg: 3 Na2CO3 + 4 AlF3 -> 2 Na3AlF6 + Al2O3 + 3 CO2


@dataclass(frozen=True, slots=True)
class Inputs:
    """Readings of one step; arrays (pots,), SI, NaN = not known. Counters and positions: the last of the step.

    voltage, current: means over the step; covered_s: seconds for which the voltage was seen.
    bubble_noise, wave_noise [V]: the pot's own noise figures. thermocouple, wall: means of the step [K].
    tapped, bag, soda: kg in the step (0 = none); anodes_changed: how many; beam_moved [m]: sum of the reported moves,
    positive = anodes down; raised, killed: 1 where a beam raise or the kill of an anode effect was reported.
    """

    voltage: Floats
    covered_s: Floats
    current: Floats
    alumina_counter: Floats
    alf3_counter: Floats
    beam: Floats
    thermocouple: Floats
    wall: Floats
    bubble_noise: Floats
    wave_noise: Floats
    tapped: Floats
    anodes_changed: Floats
    beam_moved: Floats
    raised: Floats
    killed: Floats
    bag: Floats
    soda: Floats

    @classmethod
    def nothing(cls, pots: int) -> Inputs:
        """A step of which nothing is known; arrays to fill in."""
        zero = {"covered_s", "tapped", "anodes_changed", "beam_moved", "raised", "killed", "bag", "soda"}
        return cls(**{field.name: np.full(pots, 0.0 if field.name in zero else np.nan) for field in fields(cls)})

    def take(self, pots: Ints | slice) -> Inputs:
        """The inputs of some pots."""
        return Inputs(*(getattr(self, field.name)[pots] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Drive:
    """One step as the filter takes it; arrays (pots,), NaN = no measurement.

    voltage and the standard deviation of its noise voltage_sd [V]; current [A]; fed, alf3 [kg]; closed [m]:
    how much nearer the beam brought the anodes; tapped [kg]; thermocouple, wall [K]; flags: bits of `Flag`.
    """

    voltage: Floats
    voltage_sd: Floats
    current: Floats
    fed: Floats
    alf3: Floats
    closed: Floats
    tapped: Floats
    thermocouple: Floats
    wall: Floats
    flags: Ints

    @classmethod
    def of(cls, rows: Narrow) -> Drive:
        """From kept rows (len(DRIVES), pots) in single precision."""
        voltage, noise, current, fed, alf3, closed, tapped, bath, wall, flags = rows.astype(np.float64)
        bits = flags.astype(np.int64)
        return cls(voltage, noise, current, fed, alf3, closed, tapped, bath, wall, bits)


def fresh_memory(design: Design) -> Floats:
    """Memory (len(MEMORIES), pots) before the first step: no counter is known."""
    memory = np.full((len(MEMORIES), len(design)), np.nan)
    for name in ("assumed", "hanging", "blind"):
        memory[MEMORIES.index(name)] = 0.0
    return memory


def prepare(design: Design, memory: Floats, inputs: Inputs, step_s: float) -> Narrow:
    """One step's drive (len(DRIVES), pots); `memory` (len(MEMORIES), pots) is moved on in place."""
    row = dict(zip(MEMORIES, memory, strict=True))
    row["current"][:] = np.where(np.isfinite(inputs.current), inputs.current, row["current"])
    load = np.nan_to_num(row["current"])
    voltage = np.where(inputs.covered_s > 0, inputs.voltage, np.nan)
    idle = (load < LEAST_CURRENT * design.rated_current) | (voltage < CUT_OUT_VOLTAGE)
    usual = load * (USUAL_EFFICIENCY * METAL_PER_COULOMB * ALUMINA_PER_METAL * step_s)
    fed, sure = _counted(row["alumina"], row["assumed"], inputs.alumina_counter, np.where(idle, 0.0, usual), usual)
    usual_alf3 = design.alf3_rate * (step_s * load / design.rated_current)
    alf3, _ = _counted(row["alf3"], np.zeros_like(load), inputs.alf3_counter, usual_alf3, usual_alf3)
    closed, large = _beam(row["beam"], inputs)
    flags = np.zeros(len(design), np.int64)
    for flag, at in (
        (Flag.IDLE, idle),
        (Flag.ANODE_EFFECT, voltage > design.voltage + EFFECT_ABOVE),
        (Flag.TAP, inputs.tapped > 0),
        (Flag.ANODE_CHANGE, inputs.anodes_changed > 0),
        (Flag.KILL, inputs.killed > 0),
        (Flag.UNSURE_FEED, ~sure),
        (Flag.BEAM, large),
    ):
        flags[at] |= flag
    flags |= _blind(row["blind"], flags, step_s)
    added = alf3 + np.nan_to_num(inputs.bag) - ALF3_PER_SODA * np.nan_to_num(inputs.soda)
    rows = (
        np.where(idle, np.nan, voltage), _voltage_noise(inputs), load, fed, added, closed,
        np.nan_to_num(inputs.tapped), _steady(row, inputs.thermocouple), inputs.wall, flags,
    )  # fmt: skip
    return np.array(rows, np.float32)


def _blind(left: Floats, flags: Ints, step_s: float) -> Ints:
    """Flag for as long as the voltage tells nothing; `left` [s] moves on."""
    for flag, seconds in BLIND_FOR.items():
        left[:] = np.where((flags & flag) != 0, np.maximum(left, seconds), left)
    blind = np.where(left > 0.0, Flag.BLIND, 0)
    left[:] = np.maximum(left - step_s, 0.0)
    return blind


def _voltage_noise(inputs: Inputs) -> Floats:
    """Standard deviation of the mean voltage of the step [V]."""
    bubbles = np.where(np.isfinite(inputs.bubble_noise), inputs.bubble_noise, BUBBLE_NOISE)
    wave = np.where(np.isfinite(inputs.wave_noise), inputs.wave_noise, WAVE_NOISE)
    covered = np.maximum(np.nan_to_num(inputs.covered_s), 1.0)
    left = np.maximum(WAVE_LEFT**2, np.minimum(60.0 * WAVE_LEFT**2 / covered, 1.0))
    noise: Floats = np.sqrt(bubbles * bubbles / covered + wave * wave * left + VOLTAGE_FLOOR**2)
    return noise


def _counted(
    last: Floats, assumed: Floats, counter: Floats, missing: Floats, usual: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """What came in this step by a cumulative counter [kg], and where that is sure; `last`, `assumed` move on.

    While the counter is silent `missing` is assumed; when it speaks again the difference is made good.
    """
    said = np.isfinite(counter)
    known = said & np.isfinite(last)
    rise = counter - last
    limit = FEED_LIMIT * (usual + np.abs(assumed)) + SHOTS
    restarted = known & (rise < 0.0) & (counter <= limit)
    good = known & (rise >= 0.0) & (rise <= limit)
    came = np.where(good, rise - assumed, np.where(restarted, counter, missing))
    assumed[:] = np.where(said, 0.0, assumed + missing)
    last[:] = np.where(said, counter, last)
    return came, good | restarted


def _beam(last: Floats, inputs: Inputs) -> tuple[Floats, NDArray[np.bool_]]:
    """How much nearer the beam brought the anodes [m], and where it moved for another reason than control."""
    known = np.isfinite(inputs.beam) & np.isfinite(last)
    moved = np.where(known, inputs.beam - last, np.nan_to_num(inputs.beam_moved))
    last[:] = np.where(np.isfinite(inputs.beam), inputs.beam, last)
    large = (np.abs(moved) > LARGE_MOVE) | (inputs.raised > 0)
    return np.where(large, 0.0, moved), large


def _steady(row: dict[str, Floats], reading: Floats) -> Floats:
    """The thermocouple's reading [K], NaN while it hangs."""
    same = reading == row["thermocouple"]
    row["hanging"][:] = np.where(same, row["hanging"] + 1.0, 0.0)
    row["thermocouple"][:] = np.where(np.isfinite(reading), reading, row["thermocouple"])
    return np.where(row["hanging"] >= HANGS, np.nan, reading)
