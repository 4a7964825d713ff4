"""Anodes, one by one: current shares by parallel resistances, wear, the cold anode after a change.

All anodes of a pot hang between beam and metal: each takes the current its own resistance allows. What the shares do
to the pot as a whole is one number, the resistance that the pot has beyond that of equal anodes.
"""

from __future__ import annotations

import numpy as np

from simulators.bath import Bath
from simulators.effects import Effects
from simulators.parameters import Parameters
from simulators.state import State
from twin.frames import Floats
from twin.physics.bath import conductivity
from twin.physics.bubbles import bubble_coverage, bubble_thickness
from twin.physics.faraday import METAL_PER_COULOMB

__all__ = ["ANODE_DENSITY", "Anodes"]

ANODE_DENSITY = 1560.0  # kg/m3 of baked carbon (U)
COLD_SHARE = 0.02  # of its conductance that an anode has when just set (page 6: none at first)
SHORTED = 0.012  # m; an anode closer than this to the metal works at half efficiency (U)
LEAST_DISTANCE = 0.002  # m, of an anode or its spike (U)
LEAST_DENSITY = 1600.0  # A/m2 (U); a line that stands still shares as at it: else its return began with 900 V
NOMINAL_EFFICIENCY = 0.94  # 1, at which net carbon per metal turns into wear (plan 3)


class Anodes:
    """`share` (anodes, pots): an anode's current over the mean; `excess` (pots,): ohm beyond equal anodes."""

    def __init__(self, anodes: int, pots: int, p: Parameters) -> None:
        self.p = p
        self.count = anodes
        self.share = np.ones((anodes, pots))
        self.excess = np.zeros(pots)
        self.largest = self.smallest = self.spread = np.ones(pots)  # over the mean
        self.shorted = np.zeros(pots)  # share of the current through anodes that touch
        self.burned = np.zeros(pots)  # kg of carbon in the last slow step
        self.wear: Floats = np.zeros(pots)  # m/s at mean current
        self._work = np.zeros((anodes, pots))
        self._distance = np.zeros((anodes, pots))

    def mass(self, state: State) -> Floats:
        """kg of carbon in each pot."""
        total: Floats = state.height.sum(axis=0) * (ANODE_DENSITY * self.p.anode_area / self.count)
        return total

    def slow(self, state: State, bath: Bath, effects: Effects, current: float, dt: float) -> None:
        """Shares for the coming slow step, then wear and age over it."""
        self._share(state, bath, effects, current)
        per_height = ANODE_DENSITY * self.p.anode_area
        self.wear = self.p.net_carbon * (NOMINAL_EFFICIENCY * METAL_PER_COULOMB * current) / per_height
        np.multiply(self.share, self.wear * dt, out=self._work)
        np.minimum(self._work, state.height, out=self._work)
        state.height -= self._work
        self.burned = self._work.sum(axis=0) * (per_height / self.count)
        self._work -= self.wear * dt
        state.gap += self._work
        state.age += dt

    def _share(self, state: State, bath: Bath, effects: Effects, current: float) -> None:
        p, work, apart = self.p, self._work, self._distance
        amperes = np.maximum(current, LEAST_DENSITY * p.anode_area)
        density = amperes / (p.fanning * p.anode_area)
        layer = bubble_thickness(density)
        phi = bubble_coverage(density, bath.ratio, bath.alumina, p.alumina_ae)
        per_metre = 1.0 / (
            conductivity(state.temperature, bath.alumina, bath.alf3, bath.caf2, bath.mgf2, bath.lif)
            * (p.fanning * p.anode_area)
        )
        bubbles = layer * phi / (1.0 - phi) - layer
        reaction = state.temperature / (12533.0 * amperes)  # slope of the reaction overvoltage, page 2
        equal = p.r_anode + per_metre * (state.distance + bubbles) + reaction
        # distance under each anode
        np.subtract(state.gap, effects.spike, out=apart)
        apart += state.distance
        np.maximum(apart, LEAST_DISTANCE, out=apart)
        # conductance of each anode, as if all were like it: age / (own resistance)
        np.multiply(effects.connection, p.r_anode, out=work)
        work += per_metre * bubbles + reaction
        self.share[...] = apart
        self.share *= per_metre
        work += self.share
        np.divide(state.age, p.warm_up, out=self.share)
        np.clip(self.share, COLD_SHARE, 1.0, out=self.share)
        self.share /= work
        mean = self.share.sum(axis=0) * (1.0 / self.count)
        self.excess = 1.0 / mean - equal
        self.share /= mean
        self.largest = self.share.max(axis=0)
        self.smallest = self.share.min(axis=0)
        square = np.einsum("ij,ij->j", self.share, self.share) * (1.0 / self.count)
        self.spread = np.sqrt(np.maximum(square - 1.0, 0.0))
        np.less(apart, SHORTED, out=work)
        work *= self.share
        self.shorted = work.sum(axis=0) * (1.0 / self.count)
