"""Anode effect: begins when alumina falls below the pot's own limit, 10-50 V; only a quench ends it, once fed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators import chance
from simulators.bath import Bath
from simulators.parameters import Parameters
from simulators.state import State
from twin.frames import Floats, Ints

__all__ = ["AnodeEffect"]

LEAST_VOLTAGE = 7.0  # V above the normal voltage: page 6 says 10-50 V in all
USUAL = (12.0, 30.0)  # V, range of an effect's mean (page 6: 10-50 V)
MEMORY = 8.0  # s, how long the voltage remembers itself (U)
WOBBLE = 3.0  # V, standard deviation around the mean (U)
RECOVERED = 0.10  # wt% above the limit at which the effect can be killed (U)
EFFICIENCY = 0.3  # of the normal metal production (U)
GAS_SHARE = 0.3  # of the effect's power that leaves with the gas (U)
FEWEST_AMPERES = 0.4  # of the rated current below which no effect begins (U)


class AnodeEffect:
    """Onset, voltage and end of anode effects; `begun` and `ended` list the pots of the last step."""

    def __init__(self, pots: int, p: Parameters, seed: int, rated: float, rng: np.random.Generator) -> None:
        self.p = p
        self.seed = seed
        self.rated = rated
        self.rng = rng
        self.level = np.zeros(pots)  # V, mean of the effect under way
        self.kill_after = np.zeros(pots)  # s that the quench takes
        self.count = np.zeros(pots, np.int64)
        self.begun: Ints = np.zeros(0, np.int64)
        self.ended: Ints = np.zeros(0, np.int64)
        self._none: Ints = np.zeros(0, np.int64)
        self._normal = np.zeros(pots)

    def step(
        self, state: State, bath: Bath, current: float, efficiency: Floats, quenched: NDArray[np.bool_], dt: float
    ) -> Floats:
        """Voltage that the effect adds [V]; `efficiency` is lowered while it lasts (restored by the slow step).

        `quenched`: where the beam pumps and shots fall; the gas film outlives its cause where nobody breaks it.
        """
        self.begun = self.ended = self._none
        low = bath.alumina < self.p.alumina_ae
        low &= ~state.effect
        if current > FEWEST_AMPERES * self.rated and low.any():
            self._begin(state, np.flatnonzero(low))
        normal = self.rng.standard_normal(out=self._normal)
        if not state.effect.any():
            return state.effect_voltage
        state.effect_age += np.where(state.effect & quenched, dt, 0.0)
        drawn = state.effect_voltage + (self.level - state.effect_voltage) * min(dt / MEMORY, 1.0)
        drawn += normal * (WOBBLE * min(2.0 * dt / MEMORY, 1.0) ** 0.5)
        np.maximum(drawn, LEAST_VOLTAGE, out=drawn)
        np.multiply(drawn, state.effect, out=state.effect_voltage)
        done = state.effect & (state.effect_age > self.kill_after)
        done &= bath.alumina > self.p.alumina_ae + RECOVERED
        if done.any():
            self._end(state, np.flatnonzero(done))
        np.multiply(efficiency, EFFICIENCY, out=efficiency, where=state.effect & (efficiency > 0.5))
        return state.effect_voltage

    def gas(self, state: State, current: float) -> Floats:
        """Power that leaves with the gas instead of heating the bath [W]."""
        return state.effect_voltage * (GAS_SHARE * current)

    def _begin(self, state: State, pots: Ints) -> None:
        self.begun = pots
        state.effect[pots] = True
        state.effect_age[pots] = 0.0
        self.count[pots] += 1
        for pot in pots.tolist():
            key = (self.seed, pot, 71, int(self.count[pot]))
            self.level[pot] = USUAL[0] + (USUAL[1] - USUAL[0]) * chance.uniform(*key, 1)
            self.kill_after[pot] = 35.0 + 90.0 * chance.uniform(*key, 2) ** 2  # automatic kills take 1-2 min (U)
        state.effect_voltage[pots] = self.level[pots]

    def _end(self, state: State, pots: Ints) -> None:
        self.ended = pots
        state.effect[pots] = False
        state.effect_voltage[pots] = 0.0
