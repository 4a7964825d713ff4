"""Parameters of a pot: one row each with default, pot-to-pot spread, scaling with the rated current and source.

The defaults describe a 500 kA pot. "page n" is section n of the physics page, "plan n" of the energy page; U marks a
number no source confirms: it stays a parameter. `spread` is one standard deviation between pots, drawn once per pot
and cut at 2.5; `scale` is the power of (rated current / 500 kA) that the default is multiplied with: areas and masses
grow with a pot, resistances fall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple, get_type_hints

import numpy as np

from twin.frames import Floats

__all__ = ["REFERENCE_CURRENT", "Parameters", "Row", "draw"]

REFERENCE_CURRENT = 500e3  # A, the pot that the defaults describe
CUT = 2.5  # standard deviations (U)


class Row(NamedTuple):
    """One parameter: what it is before it differs from pot to pot."""

    default: float
    spread: float
    unit: str
    source: str
    scale: int = 0


@dataclass(frozen=True, slots=True)
class Parameters:
    """What differs from pot to pot; every field is an array (pots,)."""

    # geometry and electric path
    anode_area: Annotated[Floats, Row(62.5, 0.15, "m2", "U; 48 anodes of 1.75 x 0.744 m: 0.80 A/cm2", 1)]
    cathode_area: Annotated[Floats, Row(80.0, 0.4, "m2", "U; metal pad; closing of 0.15-0.2 mm/h, page 3", 1)]
    bath_channel: Annotated[Floats, Row(20.0, 0.3, "m2", "U; free bath surface between anodes and ledge", 1)]
    fanning: Annotated[Floats, Row(1.1382, 0.004, "1", "page 2")]
    r_anode: Annotated[Floats, Row(0.63e-6, 0.008e-6, "ohm", "page 2: 0.90 at 350 kA", -1)]
    r_cathode: Annotated[Floats, Row(0.57e-6, 0.022e-6, "ohm", "plan 6: cathode drop 250-320 mV; at mid-life", -1)]
    r_external: Annotated[Floats, Row(0.35e-6, 0.006e-6, "ohm", "page 2: 0.50 at 350 kA", -1)]
    cathode_ageing: Annotated[Floats, Row(0.6e-4, 0.2e-4, "1/d", "U; cathode drop grows some 2 % a year")]
    alumina_ae: Annotated[Floats, Row(1.60, 0.05, "wt%", "page 2: C_AE 1.5-2.0 in practice, a parameter of the pot")]
    voltage_set: Annotated[Floats, Row(3.99, 0.03, "V", "plan 6: 3.92-4.0 V and the spread of a real line")]
    # bath
    bath_mass: Annotated[Floats, Row(7056.0, 180.0, "kg", "page 4 [S]", 1)]
    metal_mass: Annotated[Floats, Row(32384.0, 500.0, "kg", "page 4 [S]", 1)]
    alf3: Annotated[Floats, Row(10.6, 0.38, "wt%", "plan 6: 9-12")]
    caf2: Annotated[Floats, Row(5.2, 0.15, "wt%", "page 1: check table at 5")]
    mgf2: Annotated[Floats, Row(0.9, 0.06, "wt%", "U; bath of alumina with Mg and Li, as in plan 6: 945-960 C")]
    lif: Annotated[Floats, Row(1.5, 0.10, "wt%", "U; as MgF2")]
    kf: Annotated[Floats, Row(0.8, 0.06, "wt%", "U; as MgF2")]
    # alumina
    slow_part: Annotated[Floats, Row(0.6, 0.03, "1", "page 3: r = 0.6")]
    dissolution: Annotated[Floats, Row(0.0035, 0.0003, "1/s", "page 3: kd 0.002-0.005")]
    settling: Annotated[Floats, Row(0.02, 0.004, "1", "U; share of the slow part that sinks in a healthy pot")]
    sludge_dissolution: Annotated[Floats, Row(8e-6, 1e-6, "1/s", "U; sludge of some 100 kg in balance")]
    shot: Annotated[Floats, Row(3.6, 0.0, "kg", "U; two of six feeders of 1.8 kg at a time", 1)]
    feeder_gain: Annotated[Floats, Row(1.0, 0.015, "1", "U; true over nominal mass of a shot")]
    soda: Annotated[Floats, Row(0.0040, 0.0003, "kg/kg", "U; Na2O in alumina")]
    vapour: Annotated[Floats, Row(4.0e-3, 0.4e-3, "kg/kg", "U; AlF3 lost as vapour per kg Al at start temperature")]
    # heat
    superheat: Annotated[Floats, Row(10.0, 0.7, "K", "plan 6: 8-12")]
    r_bottom: Annotated[Floats, Row(0.003749, 0.0001, "K/W", "page 4 [S]", -1)]
    r_ledge: Annotated[Floats, Row(7.6e-5, 0.2e-5, "K/W", "page 4 [S]", -1)]
    side_area: Annotated[Floats, Row(16.0, 0.3, "m2", "page 4 [S]", 1)]
    shell_transfer: Annotated[Floats, Row(22.0, 0.7, "W/(m2 K)", "page 4 [S], [W]")]
    # efficiency
    dewing: Annotated[Floats, Row(0.892, 0.012, "1", "page 5: 94 % at superheat 10, AlF3 11")]
    wave_loss: Annotated[Floats, Row(3.6e-3, 0.3e-3, "1/mV", "U; efficiency lost per mV of metal wave")]
    # anodes
    net_carbon: Annotated[Floats, Row(0.412, 0.004, "kg/kg", "plan 3: 400-420 kg/t; plan 4: 0.411")]
    anode_height: Annotated[Floats, Row(0.62, 0.004, "m", "U; new anode; butt of about 0.12 m after 30-33 d (plan 6)")]
    warm_up: Annotated[Floats, Row(30.0 * 3600, 2.0 * 3600, "s", "page 6: full current after 24-36 h (U)")]
    setting_error: Annotated[Floats, Row(1.2e-3, 0.2e-3, "m", "U; how well a crew sets a new anode")]
    # noise
    bubble_noise: Annotated[Floats, Row(6.0e-3, 0.5e-3, "V", "page 6: sigma 6-8 mV with the metal wave")]
    wave_noise: Annotated[Floats, Row(3.2e-3, 0.4e-3, "V", "page 6: sigma 6-8 mV with the bubbles")]
    wave_frequency: Annotated[Floats, Row(0.022, 0.004, "Hz", "page 6: 0.008-0.05")]


def draw(pots: int, current: float, rng: np.random.Generator) -> Parameters:
    """Parameters of every pot of a line of this rated current [A]."""
    size = current / REFERENCE_CURRENT
    values: dict[str, Floats] = {}
    for name, kind in get_type_hints(Parameters, include_extras=True).items():
        about: Row = kind.__metadata__[0]
        luck = np.clip(rng.standard_normal(pots), -CUT, CUT)
        values[name] = (about.default + about.spread * luck) * size**about.scale
    return Parameters(**values)
