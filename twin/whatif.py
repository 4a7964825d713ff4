"""What if: the energy, metal and CO2 of a pot or a line after a change of one or several levers.

The levers act on voltage and efficiency by the published equations of `physics`, per pot and then times `pots`. All SI.
Not modelled, because no source gives a number: the efficiency that a short distance or noise costs, alumina control,
the wear of the lining. What a change does to the heat balance is not fed back, it is told: see `Heat`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Generic

import numpy as np

from twin.physics.bath import conductivity
from twin.physics.control import normalised_voltage
from twin.physics.efficiency import current_efficiency
from twin.physics.elementary import T, only_positive, shaped
from twin.physics.emissions import GWP, SLOPES, anode_co2, c2f6, cf4_slope, co2_equivalent
from twin.physics.faraday import METAL_PER_COULOMB, anode_carbon, dc_energy_per_mass, metal_rate
from twin.physics.heat import heat_loss
from twin.physics.liquidus import liquidus
from twin.units import JOULE_PER_KWH

__all__ = [
    *("LEVERS", "Change", "Heat", "Lever", "Point", "Prediction", "WhatIf"),
    *("closing_steps", "effect_energy", "highest_voltage", "moved", "predict", "sensitivities", "what_if"),
]

DAY_S = 86400.0
SUPERHEAT_BAND = (5.0, 15.0)  # K, the bounds of the published 500 kA model


@dataclass(frozen=True, slots=True)
class Point(Generic[T]):
    """Where a pot (or the average pot of a line) works now.

    current [A]; voltage: average without anode effects [V]; efficiency [1]; external_voltage: busbars in it [V]
    rectifier_efficiency: DC over AC [1], 98-99 % unconfirmed: better the measured one
    auxiliary_power: per pot [W], NaN = not known (no comprehensive figure)
    distance [m]; bath_gradient: voltage over distance at this current [V/m], 34 mV/mm of a 350 kA pot
    alumina, alf3, caf2 [wt%]; superheat [K]
    effects [1/pot-day]; effect_time: length of one [s]; effect_voltage: mean voltage meanwhile [V]
    ledge_resistance: from bath to ledge [K/W], 7.6e-5 of a 500 kA pot
    net_carbon: net anode consumption over metal [kg/kg], the China default; slope_set, gwp: of `physics.emissions`
    grid_factor: of the site's electricity [kg CO2/kWh], NaN = not known; pots: how many work like this
    """

    current: T
    voltage: T
    efficiency: T
    external_voltage: T | float
    rectifier_efficiency: T | float = 0.985
    auxiliary_power: T | float = np.nan
    distance: T | float = 0.042
    bath_gradient: T | float = 34.0
    alumina: T | float = 3.0
    alf3: T | float = 11.0
    caf2: T | float = 5.0
    superheat: T | float = 10.0
    effects: T | float = 0.0
    effect_time: T | float = 120.0
    effect_voltage: T | float = 30.0
    ledge_resistance: T | float = 7.6e-5
    net_carbon: T | float = 0.411
    slope_set: str = "china"
    gwp: str = "AR5"
    grid_factor: T | float = np.nan
    pots: T | float = 1.0


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """Steps of the levers, all additive, 0 = as it is; units as in `Point`. Several act together."""

    current: T | float = 0.0
    distance: T | float = 0.0
    voltage: T | float = 0.0
    efficiency: T | float = 0.0
    alf3: T | float = 0.0
    superheat: T | float = 0.0
    effects: T | float = 0.0
    effect_time: T | float = 0.0
    rectifier_efficiency: T | float = 0.0


@dataclass(frozen=True, slots=True)
class Lever:
    """One row: a field of `Change`, the step shown to people, and that step in SI."""

    name: str
    title: str
    shown: str
    step: float


LEVERS: tuple[Lever, ...] = (
    Lever("current", "Line current", "+1 kA", 1e3),
    Lever("distance", "Anode distance", "+1 mm", 1e-3),
    Lever("voltage", "Pot voltage", "+10 mV", 0.010),
    Lever("efficiency", "Current efficiency", "-1 point", -0.01),
    Lever("alf3", "Excess AlF3", "+1 wt%", 1.0),
    Lever("superheat", "Superheat", "-1 C", -1.0),
    Lever("effects", "Anode effects", "+1 per pot-day", 1.0),
    Lever("rectifier_efficiency", "Rectifier efficiency", "-0.1 point", -0.001),
)
_STEP = {lever.name: lever.step for lever in LEVERS}


@dataclass(frozen=True, slots=True)
class Prediction(Generic[T]):
    """Figures of a point. dc, ac_liquid, ac_comprehensive [J/kg]; metal [kg/day] and ac_energy [J/day] of all pots.

    voltage: average, anode effects included [V]; heat_loss of one pot [W]
    co2_direct: anodes, high-voltage PFC (a lower bound); co2_electricity: scope 2 of ac_liquid; over metal [kg/kg]
    """

    voltage: T
    efficiency: T
    dc: T
    ac_liquid: T
    ac_comprehensive: T
    metal: T
    ac_energy: T
    co2_direct: T
    co2_electricity: T
    heat_loss: T


@dataclass(frozen=True, slots=True)
class Heat(Generic[T]):
    """What a change means for the heat balance of one pot.

    before, after: heat loss [W]; equivalent: change of superheat that would carry the difference off [K]
    expected: superheat the pot then drifts to when nothing else is done [K]
    mismatch: `equivalent` less the change of superheat that was asked for [K]: has to be made up by cover or wall
    warning: -1 where `expected` is below the band of superheat (a lower voltage cools the pot), +1 above, 0 inside [1]
    """

    before: T
    after: T
    equivalent: T
    expected: T
    mismatch: T
    warning: T


@dataclass(frozen=True, slots=True)
class WhatIf(Generic[T]):
    """A point before and after a change, and its heat balance."""

    before: Prediction[T]
    after: Prediction[T]
    heat: Heat[T]


def _plain(value: Any) -> Any:
    """A float where the array has no dimension."""
    return value.item() if np.ndim(value) == 0 else value


def _one_shape(record: Any) -> Any:
    """The same record, every field broadcast to the shape of the widest one."""
    values = [getattr(record, field.name) for field in fields(record)]
    if len({np.shape(value) for value in values}) == 1:
        return record
    return type(record)(*np.broadcast_arrays(*values))


def predict(point: Point[T]) -> Prediction[T]:
    """Figures of a point as it is."""
    in_effect = point.effects * point.effect_time  # s per pot-day
    voltage: T = shaped(point.voltage + in_effect / DAY_S * (point.effect_voltage - point.voltage))
    dc: T = dc_energy_per_mass(voltage, point.efficiency)
    ac: T = shaped(dc / point.rectifier_efficiency)
    metal: T = metal_rate(point.current, point.efficiency)
    slopes = SLOPES[point.slope_set]
    cf4: T = cf4_slope(in_effect, slopes.slope)
    direct: T = co2_equivalent(anode_co2(point.net_carbon), cf4, c2f6(cf4, slopes.c2f6_ratio), GWP[point.gwp])
    prediction: Prediction[T] = Prediction(
        voltage=voltage,
        efficiency=point.efficiency,
        dc=dc,
        ac_liquid=ac,
        ac_comprehensive=shaped(ac + point.auxiliary_power / only_positive(metal)),
        metal=shaped(metal * DAY_S * point.pots),
        ac_energy=shaped(ac * metal * DAY_S * point.pots),
        co2_direct=direct,
        co2_electricity=shaped(point.grid_factor / JOULE_PER_KWH * ac),
        heat_loss=heat_loss(point.current, voltage - point.external_voltage, point.efficiency),
    )
    one: Prediction[T] = _one_shape(prediction)
    return one


def moved(point: Point[T], change: Change[T]) -> Point[T]:
    """The point after a change.

    Current: voltage by the pseudo-resistance (1.65 V extrapolated), busbars and bath gradient in proportion.
    Distance and bath: gradient times distance over the bath's conductivity; bubbles stand for the layer they displace.
    Bath and superheat: Dewing's equation from the efficiency of now. Carbon changes by 0.3339 / CE, air burn stays.
    """
    current: T = shaped(point.current + change.current)
    scale = current / only_positive(point.current)
    alf3, superheat = point.alf3 + change.alf3, point.superheat + change.superheat
    conducts = _conducts(point, point.alf3, point.superheat) / _conducts(point, alf3, superheat)
    distance = point.distance + change.distance
    volts: T = normalised_voltage(point.voltage, point.current, current)
    volts = shaped(volts + point.bath_gradient * scale * (distance * conducts - point.distance) + change.voltage)
    now: T = current_efficiency(point.superheat, point.alf3)
    then: T = current_efficiency(superheat, alf3)
    efficiency: T = shaped(1.0 - (1.0 - point.efficiency) * (1.0 - then) / (1.0 - now) + change.efficiency)
    carbon: T = shaped(anode_carbon(efficiency) - anode_carbon(point.efficiency))
    return replace(
        point,
        current=current,
        voltage=volts,
        efficiency=efficiency,
        external_voltage=point.external_voltage * scale,
        rectifier_efficiency=point.rectifier_efficiency + change.rectifier_efficiency,
        distance=distance,
        bath_gradient=point.bath_gradient * scale * conducts,
        alf3=alf3,
        superheat=superheat,
        effects=point.effects + change.effects,
        effect_time=point.effect_time + change.effect_time,
        net_carbon=point.net_carbon + carbon,
    )


def _conducts(point: Point[T], alf3: T | float, superheat: T | float) -> T:
    temperature: T = shaped(liquidus(point.alumina, alf3, point.caf2) + superheat)
    return conductivity(temperature, point.alumina, alf3, point.caf2)


def what_if(point: Point[T], change: Change[T]) -> WhatIf[T]:
    """Figures before and after a change, with the warning of the heat balance."""
    before, after = predict(point), predict(moved(point, change))
    equivalent: T = shaped((after.heat_loss - before.heat_loss) * point.ledge_resistance)
    expected: T = shaped(point.superheat + equivalent)
    low, high = SUPERHEAT_BAND
    at = np.asarray(expected, np.float64)
    warning = np.where(np.isnan(at), np.nan, np.where(at < low, -1.0, np.where(at > high, 1.0, 0.0)))
    heat: Heat[T] = Heat(
        before=before.heat_loss,
        after=after.heat_loss,
        equivalent=equivalent,
        expected=expected,
        mismatch=shaped(equivalent - change.superheat),
        warning=_plain(warning),
    )
    return WhatIf(before, after, _one_shape(heat))


def sensitivities(point: Point[T]) -> Mapping[str, T]:
    """Change of ac_liquid [J/kg] by the step of each lever of `LEVERS`, alone."""
    now = predict(point).ac_liquid
    steps: dict[str, Change[T]] = {lever.name: Change(**{lever.name: lever.step}) for lever in LEVERS}
    return MappingProxyType({name: shaped(predict(moved(point, step)).ac_liquid - now) for name, step in steps.items()})


def closing_steps(point: Point[T], limit: T | float) -> Mapping[str, T]:
    """How far each lever, alone, would have to move [its SI unit] for ac_liquid to meet `limit` [J/kg]; first order.

    NaN where that cannot be: fewer than no anode effects, an efficiency above 1. See the heat warning of `what_if`
    before anything is believed.
    """
    gap = limit - predict(point).ac_liquid
    steps: dict[str, T] = {}
    for name, each in sensitivities(point).items():
        effect = np.asarray(each, np.float64)
        step: Any = gap / np.where(effect != 0.0, effect, np.nan) * _STEP[name]
        if name in ("effects", "efficiency", "rectifier_efficiency"):
            reached: Any = getattr(point, name) + step
            step = np.where((reached >= 0.0) & ((reached <= 1.0) | (name == "effects")), step, np.nan)
        steps[name] = _plain(step)
    return MappingProxyType(steps)


def highest_voltage(limit: T | float, efficiency: T | float, rectifier_efficiency: T | float) -> T:
    """Highest average voltage [V], anode effects included, at which ac_liquid still meets `limit` [J/kg].

    >>> round(highest_voltage(13000 * 3600.0, 0.94, 0.985), 3)
    4.039
    """
    return shaped(limit * rectifier_efficiency * efficiency * METAL_PER_COULOMB)


def effect_energy(current: T | float, time: T | float, volts: T | float, normal: T | float) -> T:
    """DC energy [J] of one anode effect above normal running.

    current [A]; time of the effect [s]; volts: mean voltage meanwhile [V]; normal: voltage otherwise [V].

    >>> round(effect_energy(500e3, 120.0, 30.0, 3.96) / 3.6e6)
    434
    """
    return shaped(current * (volts - normal) * time)
