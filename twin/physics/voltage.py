"""Voltage: all the parts of a pot's voltage put together."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Generic

import numpy as np

from twin.physics.bath import bath_ratio, conductivity
from twin.physics.bubbles import bubble_coverage, bubble_thickness
from twin.physics.elementary import T, shaped
from twin.physics.overvoltage import (
    anode_concentration,
    anode_reaction,
    cathode,
    critical_density,
    reversible_voltage,
)
from twin.physics.solubility import alumina_saturation

__all__ = ["PotVoltage", "pot_voltage"]


@dataclass(frozen=True, slots=True)
class PotVoltage(Generic[T]):
    """Parts of a pot's voltage [V]; all scalars or all arrays of one shape (read-only where broadcast)."""

    reversible: T
    anode_reaction: T
    anode_concentration: T
    cathode: T
    anode_drop: T
    bath: T
    bubbles: T
    cathode_drop: T
    external: T

    @property
    def internal(self) -> T:
        """Voltage that heats or works inside the pot: all but the external busbars [V]."""
        electrodes = self.reversible + self.anode_reaction + self.anode_concentration + self.cathode
        return electrodes + self.anode_drop + self.bath + self.bubbles + self.cathode_drop

    @property
    def total(self) -> T:
        """Pot voltage [V]."""
        return self.internal + self.external


def pot_voltage(
    current: T | float,
    temperature: T | float,
    alumina: T | float,
    alf3: T | float,
    caf2: T | float,
    mgf2: T | float,
    lif: T | float,
    distance: T | float,
    *,
    anode_area: T | float,
    anodes: T | float,
    cathode_area: T | float,
    r_anode: T | float,
    r_cathode: T | float,
    r_external: T | float,
    alumina_ae: T | float,
    fanning: T | float = 1.1382,
    bubble_layer_in_bath: bool = False,
) -> PotVoltage[T]:
    """Voltage of a pot and its parts from current, bath, geometry and resistances.

    Parameters (each a scalar or an array; arrays broadcast):
        current: line current [A]
        temperature: bath temperature [K]
        alumina, alf3 (excess), caf2, mgf2, lif: bath composition [wt%]
        distance: anode to metal [m]
        anode_area: bottom area of all anodes together [m2]; anodes: how many [1]; cathode_area [m2]
        r_anode, r_cathode, r_external: resistances [ohm]
        alumina_ae: content at which this pot goes into an anode effect [wt%]
        fanning: factor by which the current spreads beyond the anode's shadow [1]
        bubble_layer_in_bath: count the full distance as bubble-free bath besides the bubble layer, as the public
            126 kA test vectors do; by default the layer's thickness is taken off the bath
    Returns: the parts [V], all of the common shape.

    Equation: V = E_rev + eta_ca + eta_sa + eta_cc + I (R_an + R_bath + R_bub + R_ca + R_ext), i = I / (f A),
        R_bath = (ACD - d_b) / (k f A), R_bub = d_b phi / (k f A (1 - phi))
    Validity: as the parts; the distance larger than the bubble layer (5 mm); not inside an anode effect.
    Reference: Haupin's components as used by Yao et al., AIChE J. 63 (2017) 2806.

    >>> pot = pot_voltage(350e3, 1233.15, 3.0, 10.5, 5.0, 0.0, 0.0, 0.042, anode_area=41.18, anodes=40,
    ...     cathode_area=44.0, r_anode=0.9e-6, r_cathode=0.95e-6, r_external=0.5e-6, alumina_ae=1.5)
    >>> round(pot.total, 3), round(pot.internal, 3)
    (4.079, 3.904)
    """
    section = fanning * anode_area
    density: T = shaped(current / section)
    ratio: T = bath_ratio(alumina, alf3, caf2, mgf2, lif)
    saturation: T = alumina_saturation(temperature, alf3, caf2, mgf2, lif)
    critical: T = critical_density(temperature, alumina, anode_area / anodes)
    layer: T = bubble_thickness(density)
    coverage: T = bubble_coverage(density, ratio, alumina, alumina_ae)
    gradient = density / conductivity(temperature, alumina, alf3, caf2, mgf2, lif)  # V/m
    parts: PotVoltage[T] = PotVoltage(
        reversible=reversible_voltage(temperature, alumina / saturation),
        anode_reaction=anode_reaction(temperature, density, alumina),
        anode_concentration=anode_concentration(temperature, density, critical),
        cathode=cathode(temperature, current / cathode_area, ratio),
        anode_drop=shaped(current * r_anode),
        bath=shaped(gradient * (distance if bubble_layer_in_bath else distance - layer)),
        bubbles=shaped(gradient * layer * coverage / (1.0 - coverage)),
        cathode_drop=shaped(current * r_cathode),
        external=shaped(current * r_external),
    )
    return _one_shape(parts)


def _one_shape(parts: PotVoltage[T]) -> PotVoltage[T]:
    """The same parts, those that did not depend on an array argument broadcast to the shape of the others."""
    values: Any = [getattr(parts, field.name) for field in fields(parts)]
    if len({np.shape(value) for value in values}) == 1:
        return parts
    arrays: Any = np.broadcast_arrays(*values)
    return PotVoltage(*arrays)
