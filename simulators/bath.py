"""Bath: composition and what follows from it, refreshed every slow step and kept until the next."""

from __future__ import annotations

import numpy as np

from simulators.parameters import Parameters
from simulators.state import State
from twin.frames import Floats
from twin.physics.bath import bath_ratio
from twin.physics.liquidus import liquidus
from twin.physics.solubility import alumina_saturation

__all__ = ["Bath"]


class Bath:
    """Contents [wt%] and properties of the bath of every pot; `solvent` is all but the dissolved alumina [kg]."""

    def __init__(self, state: State, p: Parameters) -> None:
        self.solvent = np.empty_like(state.dissolved)
        self.mass = np.empty_like(state.dissolved)
        self.alumina = np.empty_like(state.dissolved)
        self.parameters = p
        self.refresh(state)

    def dissolve(self, state: State) -> None:
        """Mass and alumina content after the alumina moved (every step)."""
        np.add(self.solvent, state.dissolved, out=self.mass)
        np.divide(state.dissolved, self.mass, out=self.alumina)
        self.alumina *= 100.0

    def weigh(self, state: State) -> None:
        """Solvent after cryolite and AlF3 moved (every step)."""
        np.add(state.cryolite, state.alf3, out=self.solvent)
        self.solvent += self.additives

    def refresh(self, state: State) -> None:
        """Everything, after slow states moved."""
        self.additives: Floats = state.additives.sum(axis=0)
        self.weigh(state)
        self.dissolve(state)
        self.content(state)
        self.liquidus: Floats = liquidus(self.alumina, self.alf3, self.caf2, self.mgf2, self.lif, self.kf)
        self.superheat: Floats = state.temperature - self.liquidus
        self.saturation: Floats = alumina_saturation(state.temperature, self.alf3, self.caf2, self.mgf2, self.lif)
        self.ratio: Floats = bath_ratio(self.alumina, self.alf3, self.caf2, self.mgf2, self.lif)

    def content(self, state: State) -> None:
        """Contents [wt%] of all but alumina."""
        per_cent = 100.0 / self.mass
        self.alf3: Floats = state.alf3 * per_cent
        self.caf2, self.mgf2, self.lif, self.kf = state.additives * per_cent
