"""Where the kWh of a tonne go: from the theoretical minimum to the metered figure, term by term.

`TERMS` is the definition; page, report and docs/method/losses.md follow from it. Energies per mass in J/kg like
everywhere inside, `in_kwh_t` for people. The last term closes the sum, so a tree always adds up to what was metered.

The theoretical minimum is 0.48 + 1.65 CE at CE = 1, that is 2.13 V or 6,347 kWh/t ("about 6.35 kWh/kg"). It is an
enthalpy: the part above the reversible voltage is heat which the voltage drops of the pot supply. The drops are
listed in full, so that heat is taken off once ("heat the reaction takes up", negative).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, Literal

import numpy as np
from numpy.typing import NDArray

from twin.physics.elementary import T, shaped
from twin.physics.faraday import dc_energy_per_mass
from twin.physics.heat import metal_voltage
from twin.physics.voltage import PotVoltage
from twin.units import from_si

__all__ = ["TERMS", "Averages", "LossTree", "Term", "above_target", "change", "effect_voltage", "pooled", "tree"]

Metric = Literal["ac_liquid", "ac_comprehensive"]
CLOSING = "unexplained"


@dataclass(frozen=True, slots=True)
class Averages(Generic[T]):
    """What is known of units over a window; scalars or arrays (units,), NaN = not known for that unit.

    voltage: average pot voltage, anode effects included [V]; efficiency: current efficiency [1]
    ac, dc: metered AC and the pots' own DC over the metal made [J/kg]
    parts: voltage components at the average state, outside anode effects [V]
    above_target: voltage of the anode distance above its target [V], contained in `parts.bath`
    effects: excess voltage of anode effects, averaged over the window [V]
    instability: extra voltage given to unstable pots, averaged over the window [V]
    station: DC at the rectifier over the metal [J/kg]; None: taken as `dc`, no busbar term
    auxiliary: potroom auxiliaries over the metal [J/kg]; None: the tree ends at ac_liquid, else at ac_comprehensive
    """

    voltage: T
    efficiency: T
    ac: T
    dc: T
    parts: PotVoltage[T]
    above_target: T | float = 0.0
    effects: T | float = 0.0
    instability: T | float = 0.0
    station: T | None = None
    auxiliary: T | None = None

    @property
    def metric(self) -> Metric:
        return "ac_liquid" if self.auxiliary is None else "ac_comprehensive"

    @property
    def total(self) -> T:
        """Metered energy over metal that the tree explains [J/kg]."""
        return self.ac if self.auxiliary is None else self.ac + self.auxiliary

    @property
    def rectified(self) -> T:
        """DC at the rectifier over the metal [J/kg]."""
        return self.dc if self.station is None else self.station


@dataclass(frozen=True, slots=True)
class Term(Generic[T]):
    """One row: `compute(averages)` gives [J/kg]; `group` is where the term belongs, for subtotals."""

    name: str
    title: str
    group: Literal["reaction", "pot", "station", "auxiliary", "closing"]
    compute: Callable[[Averages[Any]], Any]
    help: str


def _volts(voltage: T | float) -> T:
    """Energy over metal of a voltage at an efficiency of 1 [J/kg]; what a lower one costs is one term of its own."""
    return dc_energy_per_mass(voltage, 1.0)


def _efficiency_loss(a: Averages[T]) -> T:
    real: T = dc_energy_per_mass(a.voltage, a.efficiency)
    return shaped(real - _volts(a.voltage))


_MINIMUM = metal_voltage(1.0)  # V

TERMS: tuple[Term[Any], ...] = (
    Term(
        "theoretical",
        "Theoretical minimum",
        "reaction",
        lambda a: _volts(_MINIMUM),
        "Making metal from cold alumina and carbon at an efficiency of 1: 2.13 V. No pot can go below it.",
    ),
    Term(
        "reaction_heat",
        "Heat the reaction takes up",
        "reaction",
        lambda a: _volts(a.parts.reversible - _MINIMUM),
        "Negative: the part of the minimum that is heat, supplied by the voltage drops listed below; counted once.",
    ),
    Term(
        "efficiency",
        "Current-efficiency loss",
        "reaction",
        _efficiency_loss,
        "The whole pot voltage is paid for metal that reacts back: bath chemistry, superheat, stability.",
    ),
    Term(
        "anode_overvoltage",
        "Anode overvoltage",
        "pot",
        lambda a: _volts(a.parts.anode_reaction + a.parts.anode_concentration),
        "Reaction and concentration overvoltage at the anode: current density, alumina.",
    ),
    Term(
        "cathode_overvoltage",
        "Cathode overvoltage",
        "pot",
        lambda a: _volts(a.parts.cathode),
        "Concentration overvoltage at the metal pad: bath ratio, current density.",
    ),
    Term(
        "bath",
        "Bath at target distance",
        "pot",
        lambda a: _volts(a.parts.bath - a.above_target),
        "Resistance of the bath between anode and metal, at the target distance.",
    ),
    Term("bubbles", "Bubbles", "pot", lambda a: _volts(a.parts.bubbles), "Gas under the anodes that narrows the way."),
    Term(
        "above_target",
        "Anode distance above target",
        "pot",
        lambda a: _volts(a.above_target),
        "What the distance beyond its target costs; negative where it is below.",
    ),
    Term("anode_drop", "Anode drop", "pot", lambda a: _volts(a.parts.anode_drop), "Anodes, stubs, rods and clamps."),
    Term(
        "cathode_drop",
        "Cathode drop",
        "pot",
        lambda a: _volts(a.parts.cathode_drop),
        "Cathode blocks and collector bars; grows with the age of the lining and with sludge.",
    ),
    Term(
        "external", "External drop", "pot", lambda a: _volts(a.parts.external), "Pot-to-pot busbars in the pot voltage."
    ),
    Term(
        "effects",
        "Anode effects",
        "pot",
        lambda a: _volts(a.effects),
        "Voltage of anode effects above normal, averaged over the window.",
    ),
    Term(
        "instability",
        "Instability",
        "pot",
        lambda a: _volts(a.instability),
        "Extra voltage given to noisy pots; the metal they lose is in the efficiency loss.",
    ),
    Term(
        "busbar",
        "Line busbars",
        "station",
        lambda a: a.rectified - a.dc,
        "DC at the rectifier less what the pots' own voltages show.",
    ),
    Term(
        "rectifier",
        "Rectifier and transformer",
        "station",
        lambda a: a.ac - a.rectified,
        "Metered AC less DC.",
    ),
    Term(
        "auxiliary",
        "Auxiliaries",
        "auxiliary",
        lambda a: 0.0 if a.auxiliary is None else a.auxiliary,
        "Gas treatment, compressed air, cranes, feeding, lighting; 0 where the tree ends at ac_liquid.",
    ),
    Term(
        CLOSING,
        "Unexplained",
        "closing",
        lambda a: np.nan,  # by subtraction
        "Metered less all terms above: model and meters differ. Large: look at the data, not at the pot.",
    ),
)


@dataclass(frozen=True, slots=True)
class LossTree(Generic[T]):
    """`terms` in the order of `TERMS` add up to `total` [J/kg], scalars or arrays (units,); a change tree likewise."""

    metric: Metric
    total: T
    terms: Mapping[str, T]

    @property
    def in_kwh_t(self) -> Mapping[str, T]:
        """The terms in kWh/t."""
        return MappingProxyType({name: from_si(value, "kWh/t") for name, value in self.terms.items()})

    def group(self, group: str) -> T:
        """Sum of the terms of one group of `TERMS` [J/kg]."""
        added: T = sum(self.terms[term.name] for term in TERMS if term.group == group)  # type: ignore[assignment]
        return added


def _closed(metric: Metric, total: T, terms: dict[str, T]) -> LossTree[T]:
    """The tree whose last term is what the others leave."""
    known: Any = sum(value for name, value in terms.items() if name != CLOSING)
    terms[CLOSING] = shaped(total - known)
    return LossTree(metric, total, MappingProxyType(terms))


def tree(averages: Averages[T]) -> LossTree[T]:
    """The loss tree of units over a window [J/kg].

    A term whose inputs are not known is NaN and takes `unexplained` with it, for that unit only.
    """
    total = averages.total
    shape = 0.0 * total  # gives a constant the shape of the units, NaN where nothing was metered
    terms: dict[str, T] = {term.name: shaped(term.compute(averages) + shape) for term in TERMS}
    return _closed(averages.metric, total, terms)


def change(now: LossTree[T], before: LossTree[T]) -> LossTree[T]:
    """What changed against a baseline window, term by term [J/kg]; positive = more energy. Sums to its total.

    Raises ValueError where the two end at different metrics: these are never compared.
    """
    if now.metric != before.metric:
        raise ValueError(f"a tree of {now.metric} is not compared with one of {before.metric}")
    terms = {name: shaped(value - before.terms[name]) for name, value in now.terms.items()}
    return _closed(now.metric, shaped(now.total - before.total), terms)


def pooled(each: LossTree[NDArray[np.float64]], metal: NDArray[np.float64]) -> LossTree[float]:
    """The tree of units together, weighted by their `metal` [kg] (units,).

    Only units whose every term is known count. A line's total is then the one of these units: for all of a line,
    give `tree` the line's own averages.
    """
    rows = np.array(list(each.terms.values()))
    known = np.isfinite(rows).all(axis=0) & (metal > 0.0)
    weight = np.where(known, metal, 0.0)
    mass = weight.sum() if known.any() else np.nan
    means = [float(np.where(known, row, 0.0) @ weight / mass) for row in (each.total, *rows)]
    return _closed(each.metric, means[0], dict(zip(each.terms, means[1:], strict=True)))


def above_target(bath: T | float, distance: T | float, target: T | float, bubble_layer: T | float) -> T:
    """Voltage [V] of the anode distance above its target.

    bath: voltage of the bath at `distance` [V]; distance, target: anode to metal [m]; bubble_layer: see
    `physics.bubbles.bubble_thickness` [m]. The bath's voltage is proportional to the distance less the layer.
    """
    return shaped(bath * (distance - target) / (distance - bubble_layer))


def effect_voltage(time: T | float, volts: T | float, normal: T | float, window: T | float) -> T:
    """Excess voltage of anode effects averaged over a window [V].

    time: in anode effect [s]; volts: mean voltage meanwhile [V]; normal: voltage otherwise [V]; window: [s].

    >>> round(effect_voltage(120.0, 30.0, 3.96, 86400.0), 4)
    0.0362
    """
    return shaped((volts - normal) * time / window)
