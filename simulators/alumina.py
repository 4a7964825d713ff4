"""Alumina: shots that fall into the bath, dissolve quickly or slowly, sink to sludge, and become metal.

Each commanded shot splits into a part that dissolves at once and a slow part with a rate constant of its own (page 3
of the physics page). The slow rate falls with superheat and with saturation; what a cold or crowded bath does not
dissolve in time sinks below the metal as sludge, which comes back slowly.
"""

from __future__ import annotations

import numpy as np

from simulators.bath import Bath
from simulators.effects import Effects
from simulators.parameters import Parameters
from simulators.state import State
from twin.frames import Floats
from twin.physics.faraday import ALUMINA_PER_METAL, METAL_PER_COULOMB

__all__ = ["Alumina"]

NORMAL_SUPERHEAT = 10.0  # K, at which the rate constants hold (plan 6: 8-12)
NORMAL_SATURATION = 0.3  # 1, at which the rate constants hold: 2.3 of 7.6 wt% (U)
CROWDED = 4e-3  # undissolved alumina over bath above which rafts sink (U)
POOR = 0.4  # wt%, below it the reaction dies for want of alumina (U)


class Alumina:
    """Feeding, dissolution and consumption of every pot; flows of the last step [kg] are kept for the ledger."""

    def __init__(self, pots: int, p: Parameters) -> None:
        self.p = p
        self.delivered = np.zeros(pots)
        self.heated = np.zeros(pots)  # left the rafts: has taken up its heat
        self.consumed = np.zeros(pots)
        self.made = np.zeros(pots)
        self.rate = np.zeros((3, pots))  # 1/s: dissolving, settling, redissolving
        self.efficiency = np.full(pots, 0.94)
        self._moved = np.zeros((3, pots))
        self._quick = np.zeros(pots)

    def slow(self, state: State, bath: Bath, effects: Effects, mud: Floats) -> None:
        """Rates for the coming ten seconds; `mud` is how freely sludge comes back today."""
        p = self.p
        vigour = np.clip(bath.superheat * (1.0 / NORMAL_SUPERHEAT), 0.1, 2.0)
        room = np.maximum(1.0 - bath.alumina / bath.saturation, 0.0) * (1.0 / (1.0 - NORMAL_SATURATION))
        vigour *= room
        crowd = np.clip(state.undissolved / (bath.mass * CROWDED) - 1.0, 0.0, 1.0)
        cold = np.clip((0.6 - vigour) * 2.0, 0.0, 1.0)
        share = np.minimum(p.settling + 0.3 * crowd + 0.3 * cold + effects.settling, 0.9)
        np.multiply(p.dissolution, vigour, out=self.rate[0])
        np.multiply(p.dissolution, share, out=self.rate[1])
        np.multiply(p.sludge_dissolution * mud * effects.redissolving, vigour, out=self.rate[2])

    def step(
        self, state: State, shots: Floats, gain: Floats, by_hand: Floats, current: float, bath: Bath, dt: float
    ) -> None:
        """Move alumina and metal by dt; `shots` is the commanded mass, `by_hand` comes on top [kg]."""
        moved = self._moved
        np.multiply(shots, gain, out=self.delivered)
        self.delivered += by_hand
        np.multiply(self.p.slow_part, self.delivered, out=self._quick)
        np.subtract(self.delivered, self._quick, out=self._quick)
        np.multiply(self.rate, dt, out=moved)
        moved[:2] *= state.undissolved
        moved[2] *= state.sludge
        np.multiply(self.efficiency, current * METAL_PER_COULOMB * dt, out=self.made)
        self.made *= np.minimum(bath.alumina * (1.0 / POOR), 1.0)
        np.multiply(self.made, ALUMINA_PER_METAL, out=self.consumed)

        state.undissolved += self.delivered
        state.undissolved -= self._quick
        state.undissolved -= moved[0]
        state.undissolved -= moved[1]
        state.sludge += moved[1]
        state.sludge -= moved[2]
        state.dissolved += self._quick
        state.dissolved += moved[0]
        state.dissolved += moved[2]
        state.dissolved -= self.consumed
        state.metal += self.made
        np.add(self._quick, moved[0], out=self.heated)
        self.heated += moved[1]

    def dissolved_flow(self) -> Floats:
        """kg that entered the bath's solution in the last step."""
        moved = self._moved
        flow: Floats = self._quick + moved[0] + moved[2] - self.consumed
        return flow
