"""Rounds: what crews do at the pots, by shift: tap, change anodes, raise beams, measure by hand, take samples.

Rare things, one at a time from a queue of due times; each plans its own next turn. Times are seconds since the start.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from simulators import chance
from simulators.anodes import ANODE_DENSITY
from twin.physics.faraday import METAL_PER_COULOMB
from twin.units import KELVIN_AT_0_C

if TYPE_CHECKING:
    from simulators.potline import Potline

__all__ = ["ANODE_HEAT", "ANODE_LIFE", "BEAM_LOWEST", "DAY", "Rounds"]

HOUR, DAY = 3600.0, 86400.0
TAP_EVERY = (26.0, 30.0)  # h; plan 6: 24-32
TAP_TIME = 480.0  # s of tapping (U)
TAP_SCALE = 0.004  # relative error of the ladle scale (plan 3: 0.5 %)
ANODE_LIFE = 31.5  # d; plan 6: 30-33
ANODE_HEAT = 6.0e8 * 48  # J over the anodes of a 500 kA pot: 1.2 t of carbon each, warmed by some 500 K (U)
OPEN_TIME = 1200.0  # s the crust stays open after an anode change (U)
BLIP = 0.0045  # m by which work lifts the anodes: +0.15 V, page 6
BLIP_TIME = 200.0  # s, page 6
BEAM_LOWEST = 0.380  # m at which the beam must be raised (U)
BEAM_STROKE = 0.340  # m (U)
RAISE_TIME = 2700.0  # s (U)
HANG_EVERY = 14.0 * DAY  # a pot's feeders hang about once in two weeks (U): makes the usual anode effects
SHIFT_PAUSE = 1200.0  # s around the change of shift in which nobody works (U)


class Rounds:
    """The queue of due work and how each kind is done."""

    def __init__(self, line: Potline, shift_starts_s: list[float]) -> None:
        self.line = line
        self.shifts = shift_starts_s  # s of the UTC day
        self.queue: list[tuple[float, int, str, int]] = []
        self._order = 0
        self._turn: dict[tuple[str, int], int] = {}
        pots = line.pots
        self.tap_every = np.array([HOUR * self._between(*TAP_EVERY, n, 1) for n in range(pots)])
        self.tap_planned = np.zeros(pots)  # kg
        self.tap_rate = np.zeros(pots)  # kg/s
        self.hang = np.ones(pots)  # factor on delivered alumina
        self.bath_flow = np.zeros(pots)  # kg/s of bath added (taken off when negative)
        self.work: dict[str, Callable[[float, int], None]] = {
            "tap": self._tap,
            "tap_end": self._tap_end,
            "blip_end": self._blip_end,
            "anode": self._anode,
            "close": self._close,
            "raise": self._raise,
            "raise_end": self._raise_end,
            "hang": self._hang,
            "hang_end": self._hang_end,
            "measure": self._measure,
            "laboratory": self._laboratory,
            "bath_end": self._bath_end,
        }
        self.first_tap = np.zeros(pots)  # s
        self.first_anode = np.zeros(pots)  # s
        self._first()

    def _between(self, low: float, high: float, *key: int) -> float:
        return low + (high - low) * chance.uniform(self.line.seed, 51, *key)

    def _luck(self, kind: str, pot: int) -> int:
        """A number that is new each time this kind of work is done at this pot."""
        turn = self._turn.get((kind, pot), 0)
        self._turn[kind, pot] = turn + 1
        return turn

    def plan(self, time_s: float, kind: str, pot: int) -> None:
        self._order += 1
        heapq.heappush(self.queue, (time_s, self._order, kind, pot))

    def _plan_work(self, time_s: float, kind: str, pot: int) -> None:
        """Plan work that people do: not while the shifts change."""
        day = (self.line.journal.start_ns * 1e-9 + time_s) % DAY
        for start in self.shifts:
            since = (day - start) % DAY
            if since < SHIFT_PAUSE:
                time_s += SHIFT_PAUSE - since
        self.plan(time_s, kind, pot)

    def _first(self) -> None:
        line = self.line
        order = np.random.default_rng([line.seed, 5]).permutation(line.pots)
        for pot in range(line.pots):
            phase = (order[pot] + self._between(0.0, 1.0, pot, 2)) / line.pots
            self.first_tap[pot] = phase * self.tap_every[pot]
            self.first_anode[pot] = self._between(0.0, 1.0, pot, 3) * self.anode_every(pot)
            self._plan_work(self.first_tap[pot], "tap", pot)
            self._plan_work(self.first_anode[pot], "anode", pot)
            self.plan(chance.exponential(HANG_EVERY, line.seed, 52, pot), "hang", pot)
            self._plan_work(phase * DAY, "measure", pot)
            self._plan_work(((phase + 0.3) % 1.0) * DAY, "laboratory", pot)

    def anode_every(self, pot: int) -> float:
        return self._between(0.97, 1.03, pot, 4) * ANODE_LIFE * DAY / self.line.anode_count

    def run(self, time_s: float) -> None:
        """Do all that is due."""
        while self.queue and self.queue[0][0] <= time_s:
            due, _, kind, pot = heapq.heappop(self.queue)
            self.work[kind](due, pot)

    # tapping

    def _tap(self, due: float, pot: int) -> None:
        line = self.line
        turn = self._luck("tap", pot)
        made = line.current_rated * 0.937 * METAL_PER_COULOMB * self.tap_every[pot]
        surplus = float(line.state.metal[pot]) - float(line.p.metal_mass[pot]) - 0.5 * made
        seen = surplus + 250.0 * line.size * chance.normal(line.seed, 53, pot, turn)  # rod: about 1 mm of metal
        self.tap_planned[pot] = max(made + 0.3 * seen, 0.2 * made)
        self.tap_rate[pot] = self.tap_planned[pot] / TAP_TIME
        line.state.distance[pot] += BLIP
        line.control.hold(pot, due + 1500.0)
        self.plan(due + BLIP_TIME, "blip_end", pot)
        self.plan(due + TAP_TIME, "tap_end", pot)
        self._plan_work(due + self.tap_every[pot] + HOUR * 0.3 * chance.normal(line.seed, 54, pot, turn), "tap", pot)

    def _tap_end(self, due: float, pot: int) -> None:
        line, turn = self.line, self._luck("tap_end", pot)
        mass = self.tap_planned[pot]
        self.tap_rate[pot] = 0.0
        fall = mass / (2300.0 * float(line.p.cathode_area[pot]))  # the beam follows the metal down
        line.state.beam[pot] += fall
        key = (line.seed, 55, pot, turn)
        weighed = mass * (1.0 + TAP_SCALE * chance.normal(*key, 1))
        line.journal.event(due, pot, "tapped_metal_kg", round(weighed / 5.0) * 5.0)
        line.journal.event(due, pot, "beam_move_mm", round(fall * 1e3, 1))
        delay = (6.0 + 12.0 * chance.uniform(*key, 2)) * HOUR
        iron = 950.0 + 25.0 * chance.normal(line.seed, 56, pot) * 6.0 + float(line.effects.iron[pot])
        iron *= 1.0 + 0.02 * chance.normal(*key, 3)
        line.journal.sample(due, delay, pot, "iron_ppm", round(max(iron, 100.0)))
        line.journal.sample(due, delay, pot, "silicon_ppm", round(max(380.0 + 30.0 * chance.normal(*key, 4), 50.0)))
        if line.state.beam[pot] > BEAM_LOWEST:
            self._plan_work(due + 2.0 * HOUR, "raise", pot)

    def _blip_end(self, due: float, pot: int) -> None:
        line, turn = self.line, self._luck("blip", pot)
        line.state.distance[pot] -= BLIP + 3e-4 * chance.normal(line.seed, 57, pot, turn)

    # anodes and beam

    def _anode(self, due: float, pot: int) -> None:
        line, turn = self.line, self._luck("anode", pot)
        state, p = line.state, line.p
        anode = int(state.age[:, pot].argmax())
        each = ANODE_DENSITY * float(p.anode_area[pot]) / line.anode_count
        line.ledger.lump("carbon", pot, (float(p.anode_height[pot]) - float(state.height[anode, pot])) * each)
        state.height[anode, pot] = p.anode_height[pot]
        state.age[anode, pot] = 0.0
        # set higher than its neighbours by what they will burn while it warms up
        above = 0.5 * float(line.anodes.wear[pot]) * float(p.warm_up[pot])
        state.gap[anode, pot] = above + float(p.setting_error[pot]) * chance.normal(line.seed, 58, pot, turn)
        heat = ANODE_HEAT * line.size / line.anode_count
        state.cold[pot] += heat
        line.ledger.lump("energy", pot, -heat)
        line.thermal.opened[pot] += 1.0
        line.noise.disturbed[pot] += 1.0
        state.distance[pot] += BLIP
        line.control.hold(pot, due + 1500.0)
        line.journal.event(due, pot, "anode_changed", anode + 1)
        self.plan(due + BLIP_TIME, "blip_end", pot)
        self.plan(due + OPEN_TIME, "close", pot)
        self._plan_work(due + self.anode_every(pot), "anode", pot)

    def _close(self, due: float, pot: int) -> None:
        self.line.thermal.opened[pot] = max(self.line.thermal.opened[pot] - 1.0, 0.0)

    def _raise(self, due: float, pot: int) -> None:
        self.line.journal.event(due, pot, "beam_raised", 1.0)
        self.line.control.hold(pot, due + RAISE_TIME + 300.0)
        self.plan(due + RAISE_TIME, "raise_end", pot)

    def _raise_end(self, due: float, pot: int) -> None:
        self.line.state.beam[pot] -= BEAM_STROKE
        self.line.journal.event(due, pot, "beam_raised", 0.0)

    # feeders

    def _hang(self, due: float, pot: int) -> None:
        turn = self._luck("hang", pot)
        key = (self.line.seed, 59, pot, turn)
        self.hang[pot] = 0.5 * chance.uniform(*key, 1)
        self.plan(due + 60.0 * (20.0 + 50.0 * chance.uniform(*key, 2)), "hang_end", pot)
        self.plan(due + chance.exponential(HANG_EVERY, *key, 3), "hang", pot)

    def _hang_end(self, due: float, pot: int) -> None:
        self.hang[pot] = 1.0

    # measurements

    def _measure(self, due: float, pot: int) -> None:
        """Once a day: temperature, superheat, levels by hand; entered hours later."""
        line, turn = self.line, self._luck("measure", pot)
        key = (line.seed, 60, pot, turn)
        delay = (0.5 + 2.5 * chance.uniform(*key, 1)) * HOUR
        state, bath, p = line.state, line.bath, line.p
        celsius = float(state.temperature[pot]) - KELVIN_AT_0_C
        metal = float(state.metal[pot]) / (2300.0 * float(p.cathode_area[pot]))
        above = float(bath.mass[pot]) / 2100.0 - float(p.bath_area[pot]) * float(state.distance[pot])
        level = float(state.distance[pot]) + above / float(p.bath_area[pot] - p.anode_area[pot])
        drop = line.current_rated * float(line.electric.r_cathode[pot])
        values = (
            ("bath_temperature_manual_c", celsius + 1.5 * chance.normal(*key, 2), 1),
            ("superheat_c", float(bath.superheat[pot]) + 1.2 * chance.normal(*key, 3), 1),
            ("metal_level_cm", metal * 100.0 + 0.3 * chance.normal(*key, 4), 1),
            ("bath_level_cm", max(level * 100.0 + 0.4 * chance.normal(*key, 5), 2.0), 1),
            ("cathode_drop_manual_mv", drop * 1e3 + 3.0 * chance.normal(*key, 6), 0),
        )
        for name, value, digits in values:
            if name != "cathode_drop_manual_mv" or turn % 7 == pot % 7:
                line.journal.sample(due, delay, pot, name, round(value, digits))
        if bag := line.dosing.decide(pot, float(bath.mass[pot])):
            line.journal.event(due, pot, "alf3_bag_kg", bag)
        self._correct_bath(due, pot)
        self._plan_work(due + DAY + 600.0 * chance.normal(*key, 7), "measure", pot)

    def _correct_bath(self, due: float, pot: int) -> None:
        """Add or take off bath when its level is well off."""
        line = self.line
        lack = float(line.p.bath_mass[pot] - line.bath.mass[pot])
        if abs(lack) > 0.05 * float(line.p.bath_mass[pot]):
            self.bath_flow[pot] = 0.5 * lack / 1800.0
            self.plan(due + 1800.0, "bath_end", pot)

    def _bath_end(self, due: float, pot: int) -> None:
        self.bath_flow[pot] = 0.0

    def _laboratory(self, due: float, pot: int) -> None:
        """Once a day: a bath sample; the result comes 4 to 20 hours later (plan 6: up to 24 h)."""
        line, turn = self.line, self._luck("laboratory", pot)
        key = (line.seed, 61, pot, turn)
        delay = (4.0 + 16.0 * chance.uniform(*key, 1)) * HOUR
        bath = line.bath
        rows = (
            ("excess_alf3_pct", bath.alf3, 0.15),
            ("alumina_pct", bath.alumina, 0.12),
            ("caf2_pct", bath.caf2, 0.05),
            ("mgf2_pct", bath.mgf2, 0.02),
            ("lif_pct", bath.lif, 0.03),
        )
        for n, (name, values, error) in enumerate(rows):
            value = float(values[pot]) + error * chance.normal(*key, 2 + n)
            line.journal.sample(due, delay, pot, name, round(max(value, 0.0), 2))
        self._plan_work(due + DAY + 900.0 * chance.normal(*key, 9), "laboratory", pot)
