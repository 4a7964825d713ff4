"""Pot voltage of every pot each step, by the published components, with the anodes' unequal shares on top."""

from __future__ import annotations

import numpy as np

from simulators.bath import Bath
from simulators.effects import Effects
from simulators.parameters import Parameters
from simulators.state import State
from twin.frames import Floats
from twin.physics.bath import conductivity
from twin.physics.bubbles import bubble_coverage, bubble_thickness
from twin.physics.overvoltage import (
    anode_concentration,
    anode_reaction,
    cathode,
    critical_density,
    reversible_voltage,
)

__all__ = ["Electric"]

MID_LIFE = 1200.0  # d, age of a cathode at which its parameter holds (U)
SLUDGE_DROP = 0.05  # by which the cathode drop grows when the sludge doubles (U)


class Electric:
    """`internal` and `total` [V] (pots,) of the last step; `r_cathode` is kept current by the slow step."""

    def __init__(self, p: Parameters, anodes: int) -> None:
        self.p = p
        self.section = p.fanning * p.anode_area
        self.one_anode = p.anode_area / anodes
        self.r_cathode = p.r_cathode.copy()
        self.internal: Floats = np.zeros_like(p.r_anode)
        self.total: Floats = np.zeros_like(p.r_anode)
        self.gradient: Floats = np.zeros_like(p.r_anode)  # V per m of distance

    def age(self, state: State, effects: Effects, normal_sludge: Floats) -> None:
        """Cathode resistance now: it grows with age and under sludge."""
        grown = 1.0 + self.p.cathode_ageing * (state.cathode_age - MID_LIFE)
        muddy = 1.0 + np.maximum(state.sludge / np.maximum(normal_sludge, 1.0) - 1.0, 0.0) * SLUDGE_DROP
        self.r_cathode = self.p.r_cathode * grown * muddy * effects.r_cathode

    def step(self, state: State, bath: Bath, current: float, excess: Floats, effect_voltage: Floats) -> None:
        """Voltage at this current; `excess` ohm beyond equal anodes."""
        fixed, self.gradient, layer = self.parts(state, bath, current, excess)
        fixed += self.gradient * (state.distance - layer)
        fixed += effect_voltage
        self.internal = fixed
        self.total = fixed + current * self.p.r_external

    def parts(self, state: State, bath: Bath, current: float, excess: Floats) -> tuple[Floats, Floats, Floats]:
        """Internal voltage but for the bath [V], voltage per distance [V/m], bubble layer [m]."""
        p, temperature, alumina = self.p, state.temperature, bath.alumina
        density = current / self.section
        critical = critical_density(temperature, alumina, self.one_anode)
        layer = bubble_thickness(density)
        phi = bubble_coverage(density, bath.ratio, alumina, p.alumina_ae)
        gradient = density / conductivity(temperature, alumina, bath.alf3, bath.caf2, bath.mgf2, bath.lif)
        fixed = reversible_voltage(temperature, alumina / bath.saturation)
        fixed += anode_reaction(temperature, density, alumina)
        fixed += anode_concentration(temperature, density, critical)
        fixed += cathode(temperature, current / p.cathode_area, bath.ratio)
        fixed += gradient * (layer * phi / (1.0 - phi))
        fixed += current * (p.r_anode + self.r_cathode + excess)
        return fixed, gradient, layer
