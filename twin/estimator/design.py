"""What the plant file says of the pots, as arrays: the only source of the twin's priors.

What a file leaves out is scaled with the rated current from published pots of the physics page: areas and masses
grow with it, resistances fall with it. The parts of a drawing never quite agree; the offsets' priors are set such that
a pot in the middle of all its bands is in balance: its voltage, heat, liquidus and efficiency are the design's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from twin.estimator.states import STATES
from twin.frames import Floats, Ints
from twin.physics.control import BACK_EMF
from twin.physics.efficiency import current_efficiency
from twin.physics.faraday import ALUMINA_PER_METAL, metal_rate
from twin.physics.heat import feed_heating_power, reaction_power, side_resistance
from twin.physics.liquidus import liquidus
from twin.physics.voltage import pot_voltage
from twin.plant import PotDesign
from twin.units import to_si

__all__ = ["AMBIENT", "BATH_HEAT_TRANSFER", "METAL_DENSITY", "Design"]

CURRENT_DENSITY = 8500.0  # A/m2, the 350 kA pot of page 2
CATHODE_OVER_ANODE = 1.10  # areas of the 126 kA pot of page 2
DROPS = (0.315, 0.3325, 0.175)  # V at rated current: anode, cathode, external; the 350 kA pot of page 2
BATH_PER_AMPERE, METAL_PER_AMPERE = 7056.0 / 500e3, 32384.0 / 500e3  # kg/A, page 4
SIDE_PER_AMPERE = 16.0 / 500e3  # m2/A, page 4
LOSS_PER_AMPERE = (1.0 / 0.001769 + 1.0 / 0.003749) / 500e3  # W/(K A) through top and bottom, page 4
BATH_HEAT_TRANSFER = 1.0 / (7.6e-5 * 16.0)  # W/(m2 K) from bath to ledge, page 4
BATH_HEAT, METAL_HEAT = 1200.0, 880.0  # J/(kg K), page 4
METAL_DEPTH = 0.20  # m, plan page 6
BATH_DEPTH = 0.20  # m, plan page 6
METAL_DENSITY = 2300.0  # kg/m3 of liquid aluminium
AMBIENT = 303.15  # K
ANODE_LIFE = 28 * 86400.0  # s; published: 25-33 d
SPREAD = 4.0  # standard deviations in a band's width: 19 pots of 20 are inside

# Priors of what no drawing tells, one standard deviation (docs/method/estimation.md)
LINE_EFFICIENCY = 0.75  # of the spread that the band of efficiency gives to pots: how far off a whole line may be
OWN_EFFICIENCY = 0.5  # of the same: what a pot keeps of its own once superheat and AlF3 have told their part
OWN_CAVITY = 0.015  # of the pad: pots of one drawing differ by their ledge
VOLTAGE, FRESH = 0.15, 0.01  # V
HEAT = 0.06  # of the heat that the pot gives off
LIQUIDUS, THERMOCOUPLE, WALL = 4.0, 1.5, 40.0  # K
DISSOLUTION, POOL = 0.3, 0.4  # of the logarithm of a rate; of the steady mass (page 3: kd 0.002-0.005 /s)
ALF3_LOSS, CAVITY, BATH_AREA, METAL, BATH = 0.08, 0.15, 0.10, 0.20, 0.04  # of the design's


@dataclass(frozen=True, slots=True)
class Design:
    """One array (pots,) a figure, SI, composition in wt%; `mean` and `sd` (states, pots) are the priors."""

    rated_current: Floats
    anodes: Floats
    anode_area: Floats
    cathode_area: Floats
    r_anode: Floats
    r_cathode: Floats
    r_external: Floats
    caf2: Floats
    mgf2: Floats
    lif: Floats
    bath: Floats  # kg
    bath_depth: Floats  # m
    metal_area: Floats  # m2
    side_area: Floats  # m2
    heat_capacity: Floats  # J/K
    rest: Floats  # W that leave through top and bottom at the nominal temperature
    rest_slope: Floats  # W/K of the same
    temperature: Floats  # K, nominal
    voltage: Floats  # V, nominal
    fresh: Floats  # V that a new anode without current costs, at rated current
    higher: Floats  # m by which a new anode raises the mean distance
    closing: Floats  # m/s at rated current
    alf3_rate: Floats  # kg/s at rated current
    slow_share: Floats
    slow_time: Floats  # s
    usual_fresh: Floats  # V/s by which new anodes at their usual pace raise the voltage, at rated current
    own: Floats  # (pooled states, pots) part of `sd` that is a pot's own: the rest is common to its line
    mean: Floats
    sd: Floats

    def __len__(self) -> int:
        return len(self.rated_current)

    def take(self, pots: Ints | slice) -> Design:
        """The same figures of some pots."""
        return Design(*(getattr(self, field.name)[..., pots] for field in fields(self)))

    @classmethod
    def of(cls, designs: Sequence[PotDesign]) -> Design:
        """Figures of pots from the design of each; a design shared by many pots is worked out once."""
        first = {id(design): design for design in designs}
        place = {key: n for n, key in enumerate(first)}
        index = np.array([place[id(design)] for design in designs], np.int64)
        rows = [_figures(design) for design in first.values()]
        return cls(*(np.ascontiguousarray(np.stack(column, -1)[..., index]) for column in zip(*rows, strict=True)))


def _band(band: tuple[float, float], unit: str) -> tuple[float, float]:
    low, high = to_si(band[0], unit), to_si(band[1], unit)
    return 0.5 * (low + high), (high - low) / SPREAD


def _figures(d: PotDesign) -> tuple[Floats, ...]:
    """One pot's figures in the order of the fields."""
    amperes = to_si(d.rated_current_ka, "kA")
    anode_area = d.anode_area_m2 or amperes / CURRENT_DENSITY
    cathode_area = d.cathode_area_m2 or CATHODE_OVER_ANODE * anode_area
    given = (d.anode_resistance_uohm, d.cathode_resistance_uohm, d.external_resistance_uohm)
    resistances = [to_si(r, "uOhm") if r else drop / amperes for r, drop in zip(given, DROPS, strict=True)]
    bath, metal = d.bath_kg or BATH_PER_AMPERE * amperes, d.metal_kg or METAL_PER_AMPERE * amperes
    side_area = d.side_area_m2 or SIDE_PER_AMPERE * amperes
    voltage, made = _band(d.voltage_v, "V")[0], metal_rate(amperes, _band(d.current_efficiency_pct, "%")[0])
    melting = _liquidus(d)
    side = (melting - AMBIENT) / side_resistance(_band(d.ledge_mm, "mm")[0], side_area)
    power = amperes * (voltage - amperes * resistances[2])
    power -= reaction_power(made) + feed_heating_power(made * ALUMINA_PER_METAL)
    geometry = (anode_area, cathode_area, *resistances)
    priors = _priors(d, bath, metal, power, side / (BATH_HEAT_TRANSFER * side_area), geometry)
    fresh = (voltage - BACK_EMF - amperes * (resistances[1] + resistances[2])) / max(d.anodes - 1, 1)
    figures = (
        amperes, float(d.anodes), anode_area, cathode_area, *resistances, d.caf2_pct, d.mgf2_pct, d.lif_pct,
        bath, d.bath_level_cm / 100.0 if d.bath_level_cm else BATH_DEPTH,
        d.metal_pad_area_m2 or metal / (METAL_DENSITY * METAL_DEPTH), side_area, BATH_HEAT * bath + METAL_HEAT * metal,
        power - side, LOSS_PER_AMPERE * amperes, _band(d.bath_temperature_c, "C")[0], voltage, fresh,
        to_si(d.new_anode_higher_mm, "mm") / d.anodes, to_si(d.closing_mm_h, "mm") / 3600.0,
        made * d.alf3_kg_per_t / 1e3, d.slow_alumina_pct / 100.0, 60.0 * d.slow_alumina_min,
        fresh * d.anodes / ANODE_LIFE, (OWN_EFFICIENCY * _band(d.current_efficiency_pct, "%")[1], OWN_CAVITY),
        [mean for mean, _ in priors], [sd for _, sd in priors],
    )  # fmt: skip
    return tuple(np.asarray(figure, np.float64) for figure in figures)


def _liquidus(d: PotDesign) -> float:
    """Solheim's for a bath in the middle of its bands [K]."""
    alumina, alf3 = _band(d.alumina_pct, "wt%")[0], _band(d.excess_alf3_pct, "wt%")[0]
    return liquidus(alumina, alf3, d.caf2_pct, d.mgf2_pct, d.lif_pct)


def _priors(
    d: PotDesign, bath: float, metal: float, power: float, superheat: float, geometry: tuple[float, ...]
) -> list[tuple[float, float]]:
    """Mean and standard deviation of every state, in the order of STATES."""
    alumina, alf3 = _band(d.alumina_pct, "wt%"), _band(d.excess_alf3_pct, "wt%")
    temperature, distance = _band(d.bath_temperature_c, "C"), _band(d.anode_cathode_distance_mm, "mm")
    onset = _band(d.alumina_at_anode_effect_pct, "wt%")
    efficiency = _band(d.current_efficiency_pct, "%")
    beyond_dewing = efficiency[0] - current_efficiency(superheat, alf3[0], d.lif_pct)
    anode_area, cathode_area, r_anode, r_cathode, r_external = geometry
    components = pot_voltage(
        to_si(d.rated_current_ka, "kA"), temperature[0], alumina[0], alf3[0], d.caf2_pct, d.mgf2_pct, d.lif_pct,
        distance[0], anode_area=anode_area, anodes=float(d.anodes), cathode_area=cathode_area, r_anode=r_anode,
        r_cathode=r_cathode, r_external=r_external, alumina_ae=onset[0],
    ).total  # fmt: skip
    made = metal_rate(to_si(d.rated_current_ka, "kA"), efficiency[0])
    pool = d.slow_alumina_pct / 100.0 * 60.0 * d.slow_alumina_min * made * ALUMINA_PER_METAL
    priors = [
        alumina, (pool, POOL * pool), distance, (_band(d.voltage_v, "V")[0] - components, VOLTAGE), (0.0, FRESH),
        (0.0, d.feeder_accuracy_pct / 100.0), (0.0, DISSOLUTION), onset,
        temperature, alf3, _band(d.ledge_mm, "mm"), (bath, BATH * bath), (0.0, HEAT * power),
        (temperature[0] - superheat - _liquidus(d), LIQUIDUS), (0.0, ALF3_LOSS), (0.0, THERMOCOUPLE), (0.0, WALL),
        (0.0, BATH_AREA),
        (metal, METAL * metal), (beyond_dewing, efficiency[1] * (OWN_EFFICIENCY**2 + LINE_EFFICIENCY**2) ** 0.5),
        (0.0, (CAVITY**2 + OWN_CAVITY**2) ** 0.5),
    ]  # fmt: skip
    assert len(priors) == len(STATES)
    return priors
