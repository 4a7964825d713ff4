"""The table of KPIs: what is computed for each pot and line over each window, each with its standard uncertainty.

A KPI is a function of `Totals` and `Basis` and a row. The report, the database fields, the page and the reference
follow. The four kWh/t metrics stay apart: never compare across them (docs/data-contract.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from twin.accounting import Totals
from twin.frames import Floats
from twin.physics.faraday import metal_rate
from twin.uncertainty import Amount, Figure, Instruments, integrated, metal_by_faraday, metered, plus, ratio
from twin.units import SI
from twin.windows import WINDOWS

__all__ = ["KPIS", "METRICS", "Basis", "Kpi", "compute"]

_LONGER = ("day", "month", "year")


@dataclass(frozen=True, slots=True)
class Basis:
    """What the figures of a line rest on beside its totals; arrays (1 + pots,), the line first.

    efficiency, u_efficiency [1]: current efficiency and its standard uncertainty. `common` [1]: the part of its
    variance that all pots share. `pots`: how many share the line's meters.
    """

    efficiency: Floats
    u_efficiency: Floats
    instruments: Instruments
    common: float = 1.0

    @property
    def sharing(self) -> Floats:
        """How many pots share a meter's reading: the line itself does not share."""
        pots = np.full(len(self.efficiency), max(len(self.efficiency) - 1.0, 1.0))
        pots[0] = 1.0
        return pots


@dataclass(frozen=True, slots=True)
class Kpi:
    """One row. `compute` gives SI values (1 + pots,) with their uncertainty, NaN where nothing is known.

    `uncertain`: the uncertainty is worth a field of its own in the store.
    """

    name: str
    unit: str
    compute: Callable[[Totals, Basis], Amount[Floats]]
    help: str
    windows: tuple[str, ...] = WINDOWS
    uncertain: bool = False


def _metal(charge: Floats, b: Basis) -> Amount[Floats]:
    """Metal [kg] by Faraday from charge [A s]."""
    metal: Floats = metal_rate(charge, b.efficiency)
    return metal_by_faraday(metal, b.efficiency, b.u_efficiency, b.instruments, b.common)


def _plain(value: Floats) -> Amount[Floats]:
    return Amount(value, {})


def _dc(t: Totals, b: Basis) -> Amount[Floats]:
    return ratio(integrated(t.dc_energy, b.instruments), _metal(t.dc_charge, b))


def _ac_liquid(t: Totals, b: Basis) -> Amount[Floats]:
    return ratio(metered(t.ac_energy, "ac", b.instruments, b.sharing), _metal(t.ac_charge, b))


def _ac_comprehensive(t: Totals, b: Basis) -> Amount[Floats]:
    auxiliary = metered(t.auxiliary_energy, "auxiliary", b.instruments, b.sharing)
    return plus(_ac_liquid(t, b), ratio(auxiliary, _metal(t.auxiliary_charge, b)))


def _ac_liquid_tapped(t: Totals, b: Basis) -> Amount[Floats]:
    scale = {"scale": t.tapped * b.instruments.scale_class_pct * 0.01 / np.sqrt(3.0)}
    return ratio(metered(t.ac_energy, "ac", b.instruments, b.sharing), Amount(t.tapped, scale))


def _tapped(t: Totals, b: Basis) -> Amount[Floats]:
    return Amount(t.tapped, {"scale": t.tapped * b.instruments.scale_class_pct * 0.01 / np.sqrt(3.0)})


def _metal_faraday(t: Totals, b: Basis) -> Amount[Floats]:
    return _metal(t.dc_charge, b)


def _coverage(t: Totals, b: Basis) -> Amount[Floats]:
    return _plain(np.minimum(t.covered / t.elapsed, 1.0) if t.elapsed > 0 else np.zeros_like(t.covered))


def _meter_difference(t: Totals, b: Basis) -> Amount[Floats]:
    # Only where the DC meter has run: it stands at the line.
    known = (t.dc_metered > 0) & (t.dc_energy > 0)
    return _plain(np.where(known, t.dc_energy / np.where(known, t.dc_metered, 1.0) - 1.0, np.nan))


def _pot_days(t: Totals) -> Floats:
    days: Floats = t.covered / 86400.0
    days[0] = days[1:].sum()
    return np.where(days > 0, days, np.nan)


def _effects(t: Totals, b: Basis) -> Amount[Floats]:
    return _plain(t.effects / _pot_days(t))


def _effect_time(t: Totals, b: Basis) -> Amount[Floats]:
    return _plain(t.effect_time / _pot_days(t))


def _effect_energy(t: Totals, b: Basis) -> Amount[Floats]:
    return ratio(_plain(t.effect_energy), _metal(t.dc_charge, b))


KPIS: tuple[Kpi, ...] = (
    Kpi("dc_kwh_t", "kWh/t", _dc, "DC energy after rectification, per tonne by Faraday.", uncertain=True),
    Kpi("ac_liquid_kwh_t", "kWh/t", _ac_liquid, "Metered AC into the rectifier station, per tonne by Faraday (metric a).", uncertain=True),
    Kpi("ac_comprehensive_kwh_t", "kWh/t", _ac_comprehensive, "Metric a plus potroom auxiliaries (metric b).", uncertain=True),
    Kpi("ac_liquid_tapped_kwh_t", "kWh/t", _ac_liquid_tapped, "Metered AC per tonne tapped, change of inventory left out.", _LONGER, uncertain=True),
    Kpi("metal_t", "t", _metal_faraday, "Metal made in the time covered, by Faraday.", uncertain=True),
    Kpi("tapped_t", "t", _tapped, "Metal tapped, as weighed."),
    Kpi("coverage_pct", "%", _coverage, "Part of the elapsed window for which there is data."),
    Kpi("dc_difference_pct", "%", _meter_difference, "DC as voltage times current over the DC meter, less one: the cross-check.", _LONGER),
    Kpi("anode_effects_per_day", "1", _effects, "Anode effects that began, per pot-day.", _LONGER),
    Kpi("anode_effect_s_per_day", "s", _effect_time, "Time in anode effect, per pot-day.", _LONGER),
    Kpi("anode_effect_kwh_t", "kWh/t", _effect_energy, "Energy of anode effects above the usual voltage, per tonne.", _LONGER),
)  # fmt: skip

# What a plan's rule may name -> (unit, KPI it grades). A metric without a KPI is known, and not measured yet.
METRICS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "dc": ("kWh/t", "dc_kwh_t"),
        "ac_liquid": ("kWh/t", "ac_liquid_kwh_t"),
        "ac_comprehensive": ("kWh/t", "ac_comprehensive_kwh_t"),
        "ac_ingot": ("kWh/t", ""),
        "benchmark_share": ("%", ""),
        "clean_share": ("%", ""),
    }
)


def compute(totals: Totals, basis: Basis, window: str) -> dict[str, Figure[Floats]]:
    """Every KPI that the table wants for this window, in its rim unit, (1 + pots,), the line first."""
    figures = {}
    for kpi in (kpi for kpi in KPIS if window in kpi.windows):
        factor, offset = SI[kpi.unit]
        amount = kpi.compute(totals, basis)
        figures[kpi.name] = Figure((amount.value - offset) / factor, amount.u / factor)
    return figures
