"""Pot controller, one per pot, as a real line has it: it sees the measured voltage and nothing of the truth.

Demand feeding on the slope of the pseudo-resistance, beam moves on a resistance target, extra voltage on a wavy
metal pad, detection and quench of anode effects. What its sensors get wrong, it does wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.journal import Journal
from simulators.parameters import REFERENCE_CURRENT, Parameters
from simulators.state import State
from twin.frames import Floats, Ints
from twin.physics.control import BACK_EMF
from twin.physics.faraday import alumina_rate

__all__ = ["NOMINAL", "OVERFEED", "QUENCH", "STOPPED", "UNDERFEED", "Controller", "Tuning"]

NOMINAL, UNDERFEED, OVERFEED, STOPPED, QUENCH = range(5)  # codes of the signal feed_mode
NEVER = 1e9  # s


@dataclass(frozen=True, slots=True)
class Tuning:
    """Settings of the controllers of a line; voltages are at rated current."""

    feed_factor: tuple[float, float, float, float, float] = (1.0, 0.7, 1.4, 0.0, 6.0)  # page 6: 70 %, 140 %
    expected_efficiency: float = 0.94  # page 5
    sample_s: float = 5.0  # page 6: averages over 5-6 s
    window: int = 60  # samples: slope over 5 min, page 6
    slope_limit: float = 2.6e-3 / 60.0  # V/s at which underfeed ends (page 2: 2.3-3 mV/min without feed at 2.5 wt%)
    rise_limit: float = 0.034  # V above the lowest mean of the underfeed at which it ends (U)
    least_underfeed: float = 480.0  # s: slow alumina must first dissolve (U)
    longest_underfeed: float = 5400.0  # s, then feeding stops until the slope shows (U)
    longest_stop: float = 2400.0  # s (U)
    overfeed: float = 1200.0  # s (U)
    effect_voltage: float = 8.0  # V, plan 5
    effect_hold: float = 3.0  # s, plan 5
    effect_over: float = 20.0  # s below the limit before the quench ends (U)
    by_hand_after: float = 240.0  # s of quench, then the crew goes (U)
    by_hand_kg: float = 60.0  # kg of alumina shovelled in (U)
    quench_move: float = 0.008  # m down and up again (U)
    beam_every: float = 1200.0  # s between decisions (U)
    beam_filter: float = 2400.0  # s (U)
    beam_band: float = 0.008  # V (U)
    beam_most: float = 0.0015  # m per decision (U)
    volts_per_metre: float = 32.0  # page 2: 34 at 0.85 A/cm2
    feed_wave: float = 0.016  # V of metal wave above which the slope is not trusted (U)
    wave_limit: float = 0.010  # V of metal wave at which the target rises (U)
    wave_step: float = 0.010  # V per decision (U)
    wave_most: float = 0.080  # V (U)


class Controller:
    """Arrays (pots,) of every controller; `journal` takes the beam moves and kills."""

    def __init__(self, pots: int, p: Parameters, rated: float, journal: Journal, tuning: Tuning) -> None:
        self.p, self.rated, self.journal, self.tuning = p, rated, journal, tuning
        self.feed_factor = np.array(tuning.feed_factor)
        self.mode: NDArray[np.int8] = np.full(pots, UNDERFEED, np.int8)
        self.mode_age = np.zeros(pots)
        self.timer = np.zeros(pots)  # s to the next shot
        self.interval = np.full(pots, 60.0)
        self.shots = np.zeros(pots)  # kg commanded in the last step
        self.counter = np.zeros(pots)  # kg commanded so far
        self.by_hand = np.zeros(pots)  # kg to be shovelled in at the next step
        self.hold_until = np.zeros(pots)  # s; work at the pot: nominal feed, no beam moves
        self.slope = np.zeros(pots)  # ohm/s
        self.slope_valid_at = np.full(pots, tuning.window * tuning.sample_s)
        self.mean = np.zeros(pots)  # ohm, over the window
        self.lowest = np.full(pots, np.inf)
        self.filtered = np.zeros(pots)  # ohm
        self.extra = np.zeros(pots)  # V
        self.target = p.voltage_set.copy()  # V, what the signal voltage_set_v says
        self.next_beam = np.linspace(0.0, tuning.beam_every, pots, endpoint=False)
        self.high_age = np.zeros(pots)  # s above the anode-effect limit
        self.low_age = np.zeros(pots)
        self.quench_age = np.zeros(pots)  # s
        self.crew = np.zeros(pots, np.int64)  # times the crew shovelled during this quench
        self.current = rated  # A, filtered
        self._ring = np.zeros((tuning.window, pots))
        self._place = 0
        self._sum = np.zeros(pots)
        self._count = 0
        n = tuning.window
        weight = np.arange(n) - 0.5 * (n - 1)
        weight /= (weight * weight).sum() * tuning.sample_s
        self._weights = np.concatenate([weight, weight])

    def feed(self, dt: float) -> Floats:
        """Shots commanded in this step [kg]."""
        self.timer -= dt
        due = self.timer <= 0.0
        np.multiply(due, self.p.shot, out=self.shots)
        self.counter += self.shots
        self.timer += due * self.interval
        return self.shots

    def see(self, state: State, voltage: Floats, current: float, time_s: float, dt: float) -> list[int]:
        """Take in the measured voltage of this step; returns pots where a quench begins."""
        self._sum += (voltage - BACK_EMF) / max(current, 0.1 * self.rated)
        self._count += 1
        if self._count * dt >= self.tuning.sample_s:
            np.multiply(self._sum, 1.0 / self._count, out=self._ring[self._place])
            self._sum.fill(0.0)
            self._count = 0
            self._place = (self._place + 1) % self.tuning.window
        if voltage.max() > self.tuning.effect_voltage or (self.mode == QUENCH).any():
            return self._watch(state, voltage, time_s, dt)
        return []

    def _watch(self, state: State, voltage: Floats, time_s: float, dt: float) -> list[int]:
        """Detect an anode effect, quench it, call the crew, and notice that it is over."""
        tuning = self.tuning
        high = voltage > tuning.effect_voltage
        self.high_age += dt
        self.high_age *= high
        self.low_age += dt
        self.low_age *= ~high
        quenching = self.mode == QUENCH
        self.quench_age += dt
        self.quench_age *= quenching
        begun: list[int] = np.flatnonzero(~quenching & (self.high_age >= tuning.effect_hold)).tolist()
        for pot in begun:
            self._enter(pot, QUENCH)
            self.interval[pot] = self._interval(pot)
            self.timer[pot] = 0.0
            self.crew[pot] = 0
            self.move(state, np.array([pot]), np.array([tuning.quench_move]), time_s)
        for pot in np.flatnonzero(quenching & high).tolist():
            if self.quench_age[pot] > tuning.by_hand_after * (1 + self.crew[pot]):
                self.crew[pot] += 1
                self.by_hand[pot] += tuning.by_hand_kg * self.rated / REFERENCE_CURRENT
        for pot in np.flatnonzero(quenching & (self.low_age >= tuning.effect_over)).tolist():
            self.journal.event(time_s, pot, "anode_effect_kill", 2.0 if self.crew[pot] else 1.0)
            self.move(state, np.array([pot]), np.array([-tuning.quench_move]), time_s)
            self._enter(pot, OVERFEED)
            self.mode_age[pot] = 0.5 * tuning.overfeed
        return begun

    def settle(self, voltage: Floats, current: float) -> None:
        """Fill the window with this voltage: the line has been running before the simulation begins."""
        self._ring[:] = (voltage - BACK_EMF) / current
        self.filtered[:] = (self.p.voltage_set - BACK_EMF) / self.rated

    def _enter(self, pot: int, mode: int) -> None:
        self.mode[pot] = mode
        self.mode_age[pot] = 0.0
        self.lowest[pot] = np.inf

    def _interval(self, pot: int) -> float:
        factor = self.tuning.feed_factor[int(self.mode[pot])]
        rate = float(alumina_rate(self.current, self.tuning.expected_efficiency))
        return float(self.p.shot[pot]) / (rate * factor) if factor else NEVER

    def hold(self, pot: int, until_s: float) -> None:
        """People work at this pot: nominal feed until then, and the slope starts anew."""
        self.hold_until[pot] = max(self.hold_until[pot], until_s)
        self.slope_valid_at[pot] = until_s + self.tuning.window * self.tuning.sample_s
        if self.mode[pot] != QUENCH:
            self._enter(pot, NOMINAL)

    def move(self, state: State, pots: Ints, down: Floats, time_s: float) -> None:
        """Move beams down [m]; the window is corrected by what the move should have done, as real controllers do."""
        state.distance[pots] -= down
        state.beam[pots] += down
        change = -down * (self.tuning.volts_per_metre / self.rated)
        self._ring[:, pots] += change
        self.filtered[pots] += change
        for pot, metres in zip(pots.tolist(), down.tolist(), strict=True):
            self.journal.event(time_s, pot, "beam_move_mm", round(metres * 1e3, 2))

    def decide(self, state: State, wave: Floats, set_offset: Floats, current: float, time_s: float, dt: float) -> None:
        """Feed modes and beam moves, on the slow step."""
        self.current += (current - self.current) * min(dt / 60.0, 1.0)
        ring, place, n = self._ring, self._place, self.tuning.window
        self.slope = self._weights[n - place : 2 * n - place] @ ring
        self.mean = ring.mean(axis=0)
        last = ring[(place - 1) % n]
        calm = (self.mode != QUENCH) & (time_s >= self.hold_until)
        self.filtered += np.where(calm, (last - self.filtered) * (dt / self.tuning.beam_filter), 0.0)
        self.mode_age += dt
        self._feed_modes(wave, time_s)
        rate = float(alumina_rate(self.current, self.tuning.expected_efficiency))
        factor = self.feed_factor[self.mode]
        interval = np.where(factor > 0.0, self.p.shot / (rate * np.maximum(factor, 1e-3)), NEVER)
        sooner = (interval < self.interval) & (self.timer > interval)
        self.timer = np.where(sooner, interval, self.timer)
        self.interval = interval
        self._beams(state, wave, set_offset, time_s)

    def _feed_modes(self, wave: Floats, time_s: float) -> None:
        tuning, mode, age = self.tuning, self.mode, self.mode_age
        restless = wave > tuning.feed_wave  # no slope can be read: feed nominally until it calms down
        self.slope_valid_at = np.where(restless, time_s + tuning.window * tuning.sample_s, self.slope_valid_at)
        held = time_s < self.hold_until
        valid = (time_s >= self.slope_valid_at) & ~held
        under = mode == UNDERFEED
        hungry = under | (mode == STOPPED)
        np.minimum(self.lowest, self.mean, out=self.lowest, where=valid & hungry)
        rising = self.slope > tuning.slope_limit / self.rated
        rising &= (age > tuning.least_underfeed) | (self.slope > 2.5 * tuning.slope_limit / self.rated)
        rising |= self.mean - self.lowest > tuning.rise_limit / self.rated
        to_over = hungry & valid & rising
        to_over |= (mode == STOPPED) & (age > tuning.longest_stop)
        to_over |= (mode == NOMINAL) & valid & (self.slope > 2.0 * tuning.slope_limit / self.rated)
        to_stop = under & ~to_over & (age > tuning.longest_underfeed)
        to_under = ((mode == OVERFEED) & (age > tuning.overfeed)) | ((mode == NOMINAL) & valid & ~to_over)
        to_nominal = restless & (mode != QUENCH) & (mode != NOMINAL)
        orders = ((to_over, OVERFEED), (to_stop, STOPPED), (to_under, UNDERFEED), (to_nominal, NOMINAL))
        for change, target in orders:
            if change.any():
                mode[change] = target
                age[change] = 0.0
                self.lowest[change] = np.inf

    def _beams(self, state: State, wave: Floats, set_offset: Floats, time_s: float) -> None:
        tuning = self.tuning
        self.target = self.p.voltage_set + self.extra + set_offset
        due = self.next_beam <= time_s
        if not due.any():
            return
        self.next_beam[due] += tuning.beam_every
        step = np.where(wave > tuning.wave_limit, tuning.wave_step, -0.3 * tuning.wave_step)
        self.extra[due] = np.clip(self.extra + step, 0.0, tuning.wave_most)[due]
        error = (self.filtered * self.rated + BACK_EMF) - self.target
        due &= (np.abs(error) > tuning.beam_band) & (time_s >= self.hold_until) & (self.mode != QUENCH)
        due &= time_s > tuning.window * tuning.sample_s
        pots = np.flatnonzero(due)
        if len(pots):
            down = np.clip(0.8 * error[pots] / tuning.volts_per_metre, -tuning.beam_most, tuning.beam_most)
            self.move(state, pots, down, time_s)
