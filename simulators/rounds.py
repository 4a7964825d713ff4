"""Rounds: what crews do at the pots: tap, change anodes, raise beams; and feeders that hang now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulators import chance
from simulators.anodes import ANODE_DENSITY
from simulators.schedule import Cause
from twin.physics.faraday import METAL_PER_COULOMB

if TYPE_CHECKING:
    from simulators.potline import Potline

__all__ = ["ANODE_HEAT", "ANODE_LIFE", "BEAM_LOWEST", "DAY", "METAL_DENSITY", "Rounds"]

HOUR, DAY = 3600.0, 86400.0
METAL_DENSITY = 2300.0  # kg/m3 of liquid aluminium at 950 C (U)
TAP_EVERY = (26.0, 30.0)  # h, by pot; plan 6: 24-32
TAP_JITTER = 0.4  # h (U)
TAP_TIME = 480.0  # s of tapping (U)
TAP_SCALE = 0.003  # relative error of a weighing (plan 3: 0.5 % matters)
USUAL_EFFICIENCY = 0.937  # 1, by which the crew reckons production (plan 6: 92.5-94.5 %)
ROD_ERROR = 250.0  # kg of metal by which a rod reading errs: 1-2 mm (U)
ANODE_LIFE = 31.5  # d; plan 6: 30-33
ANODE_HEAT = 6.0e8 * 48  # J over the anodes of a 500 kA pot: 1.2 t of carbon each, warmed by some 500 K (U)
OPEN_TIME = 1200.0  # s the crust stays open after an anode change (U)
BLIP = 0.0045  # m by which work lifts the anodes: +0.15 V, page 6
BLIP_TIME = 200.0  # s, page 6
BUSY = 1500.0  # s after work begins during which the controller holds (U)
BEAM_LOWEST = 0.380  # m at which the beam must be raised (U)
BEAM_STROKE = 0.340  # m (U)
RAISE_TIME = 2700.0  # s (U)
HANG_EVERY = 20.0 * DAY  # a pot's feeders hang about once in three weeks (U): makes the usual anode effects
HANG_MINUTES = (20.0, 60.0)  # (U)
FREED = 0.8  # chance that the quick shots of a quench free a feeder that hangs (U)
IRON, SILICON = 950.0, 380.0  # ppm, usual (U)


class Rounds:
    """Work of the crews; the arrays are what their work does each step."""

    def __init__(self, line: Potline) -> None:
        self.line, self.agenda, self.seed = line, line.agenda, line.seed
        pots = line.pots
        self.tap_every = np.array([HOUR * self._between(*TAP_EVERY, n, 1) for n in range(pots)])
        self.tap_rate = np.zeros(pots)  # kg/s being tapped
        self.mean_current = line.current_rated  # A, over the last day: what the crew reckons with
        self.first_tap = np.zeros(pots)  # s
        self.first_anode = np.zeros(pots)  # s
        self.agenda.learn(
            {
                "tap": self._tap,
                "tap_end": self._tap_end,
                "blip_end": self._blip_end,
                "anode": self._anode,
                "close": self._close,
                "raise": self._raise,
                "raise_end": self._raise_end,
                "hang": self._hang,
                "freed": self._freed,
            }
        )
        order = np.random.default_rng([self.seed, 5]).permutation(pots)
        for pot in range(pots):
            phase = (order[pot] + self._between(0.0, 1.0, pot, 2)) / pots
            self.first_tap[pot] = phase * self.tap_every[pot]
            self.first_anode[pot] = self._between(0.0, 1.0, pot, 3) * self.anode_every(pot)
            self.agenda.plan_work(self.first_tap[pot], "tap", pot)
            self.agenda.plan_work(self.first_anode[pot], "anode", pot)
            self.agenda.plan(chance.exponential(HANG_EVERY, self.seed, 52, pot), "hang", pot)

    def _between(self, low: float, high: float, *key: int) -> float:
        return low + (high - low) * chance.uniform(self.seed, 51, *key)

    def anode_every(self, pot: int) -> float:
        """Time between two anode changes of a pot [s]."""
        return self._between(0.97, 1.03, pot, 4) * ANODE_LIFE * DAY / self.line.anode_count

    def _tap(self, due: float, pot: int) -> None:
        line, turn = self.line, self.agenda.turn("tap", pot)
        made = self.mean_current * USUAL_EFFICIENCY * METAL_PER_COULOMB * float(self.tap_every[pot])
        surplus = float(line.state.metal[pot] - line.p.metal_mass[pot]) - 0.5 * made
        seen = surplus + ROD_ERROR * line.size * chance.normal(self.seed, 53, pot, turn)
        self.tap_rate[pot] = max(made + 0.3 * seen, 0.2 * made) / TAP_TIME
        self._disturb(due, pot)
        self.agenda.plan(due + TAP_TIME, "tap_end", pot)
        jitter = TAP_JITTER * HOUR * chance.normal(self.seed, 54, pot, turn)
        self.agenda.plan_work(due + float(self.tap_every[pot]) + jitter, "tap", pot)

    def _disturb(self, due: float, pot: int) -> None:
        """Work at a pot lifts its anodes for a while."""
        self.line.state.distance[pot] += BLIP
        self.line.control.hold(pot, due + BUSY)
        self.agenda.plan(due + BLIP_TIME, "blip_end", pot)

    def _blip_end(self, due: float, pot: int) -> None:
        turn = self.agenda.turn("blip", pot)
        self.line.state.distance[pot] -= BLIP + 3e-4 * chance.normal(self.seed, 57, pot, turn)

    def _tap_end(self, due: float, pot: int) -> None:
        line, journal, turn = self.line, self.line.journal, self.agenda.turn("tap_end", pot)
        mass = float(self.tap_rate[pot]) * TAP_TIME
        self.tap_rate[pot] = 0.0
        fall = mass / (METAL_DENSITY * float(line.p.cathode_area[pot]))  # the beam follows the metal down
        line.state.beam[pot] += fall
        key = (self.seed, 55, pot, turn)
        weighed = mass * (1.0 + TAP_SCALE * chance.normal(*key, 1)) * line.effects.tap_scale
        journal.event(due, pot, "tapped_metal_kg", round(weighed / 5.0) * 5.0)
        journal.event(due, pot, "beam_move_mm", round(fall * 1e3, 1))
        delay = (6.0 + 12.0 * chance.uniform(*key, 2)) * HOUR  # laboratory
        iron = (IRON + 120.0 * chance.normal(self.seed, 56, pot) + float(line.effects.iron[pot])) * (
            1.0 + 0.02 * chance.normal(*key, 3)
        )
        journal.sample(due, delay, pot, "iron_ppm", round(max(iron, 100.0)))
        journal.sample(due, delay, pot, "silicon_ppm", round(max(SILICON + 30.0 * chance.normal(*key, 4), 50.0)))
        if line.state.beam[pot] > BEAM_LOWEST:
            self.agenda.plan_work(due + 2.0 * HOUR, "raise", pot)

    def _anode(self, due: float, pot: int) -> None:
        self.change_anode(due, pot, int(self.line.state.age[:, pot].argmax()))
        self.agenda.plan_work(due + self.anode_every(pot), "anode", pot)

    def change_anode(self, due: float, pot: int, anode: int) -> None:
        """Take out a butt, set a cold new anode."""
        line, state, p = self.line, self.line.state, self.line.p
        turn = self.agenda.turn("change", pot)
        each = ANODE_DENSITY * float(p.anode_area[pot]) / line.anode_count
        line.ledger.lump("carbon", pot, float(p.anode_height[pot] - state.height[anode, pot]) * each)
        state.height[anode, pot] = p.anode_height[pot]
        state.age[anode, pot] = 0.0
        # set higher than its neighbours by what they will burn while it warms up
        above = 0.5 * float(line.anodes.wear[pot] * p.warm_up[pot])
        state.gap[anode, pot] = above + float(p.setting_error[pot]) * chance.normal(self.seed, 58, pot, turn)
        mean = float(state.gap[:, pot].mean())  # `distance` stays the mean over the anodes
        state.gap[:, pot] -= mean
        state.distance[pot] += mean
        heat = ANODE_HEAT * line.size / line.anode_count
        state.cold[pot] += heat
        line.ledger.lump("energy", pot, -heat)
        line.thermal.opened[pot] += 1.0
        line.noise.disturbed[pot] += 1.0
        self._disturb(due, pot)
        line.journal.event(due, pot, "anode_changed", float(anode + 1))
        self.agenda.plan(due + OPEN_TIME, "close", pot)

    def _close(self, due: float, pot: int) -> None:
        self.line.thermal.opened[pot] = max(self.line.thermal.opened[pot] - 1.0, 0.0)

    def _raise(self, due: float, pot: int) -> None:
        if self.line.state.beam[pot] > BEAM_LOWEST:  # not planned twice
            self.line.journal.event(due, pot, "beam_raised", 1.0)
            self.line.control.hold(pot, due + RAISE_TIME + 300.0)
            self.line.state.beam[pot] -= BEAM_STROKE
            self.agenda.plan(due + RAISE_TIME, "raise_end", pot)

    def _raise_end(self, due: float, pot: int) -> None:
        self.line.journal.event(due, pot, "beam_raised", 0.0)

    def _hang(self, due: float, pot: int) -> None:
        """Feeders hang for a while: a cause like those of a scenario, with a label of its own."""
        key = (self.seed, 59, pot, self.agenda.turn("hang", pot))
        missing = 0.5 * chance.uniform(*key, 1) - 1.0
        low, high = HANG_MINUTES
        length = 60.0 * (low + (high - low) * chance.uniform(*key, 2))
        self.line.causes.strike(Cause("feeder_hang", pot, due, length, 1.0, {"missing": missing}))
        self.agenda.plan(due + HOUR * 2.0 + chance.exponential(HANG_EVERY, *key, 3), "hang", pot)

    def _freed(self, due: float, pot: int) -> None:
        self.line.causes.lift("feeder_hang", pot, due)

    def quench(self, time_s: float, pot: int) -> None:
        """Quick shots of a quench often free a feeder that hangs."""
        if chance.uniform(self.seed, 62, pot, round(time_s)) < FREED:
            self.agenda.plan(time_s + 15.0, "freed", pot)
