"""The table of KPIs: what is computed for each pot and line over each window, each with its standard uncertainty.

A KPI is a formula of `twin.formulas` and a row. The report, the database fields, the page and the reference follow.
The four kWh/t metrics stay apart: never compare across them (docs/data-contract.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from twin import formulas
from twin.formulas import Account, Basis
from twin.frames import Floats
from twin.losses import TERMS
from twin.totals import Totals
from twin.uncertainty import Amount, Figure
from twin.units import SI
from twin.windows import WINDOWS

__all__ = ["KPIS", "METRICS", "Basis", "Kpi", "compute"]

_LONGER = ("day", "month", "year")


@dataclass(frozen=True, slots=True)
class Kpi:
    """One row. `compute` gives SI values (rows,) with their uncertainty, NaN where nothing is known.

    `uncertain`: the uncertainty is worth a field of its own in the store.
    """

    name: str
    unit: str
    compute: Callable[[Account], Amount[Floats]]
    help: str
    windows: tuple[str, ...] = WINDOWS
    uncertain: bool = False


KPIS: tuple[Kpi, ...] = (
    Kpi("dc_kwh_t", "kWh/t", formulas.dc, "DC energy after rectification, per tonne by Faraday.", uncertain=True),
    Kpi("ac_liquid_kwh_t", "kWh/t", formulas.ac_liquid, "Metered AC into the rectifier station, per tonne by Faraday (metric a).", uncertain=True),
    Kpi("ac_comprehensive_kwh_t", "kWh/t", formulas.ac_comprehensive, "Metric a plus potroom auxiliaries (metric b).", uncertain=True),
    Kpi("ac_liquid_tapped_kwh_t", "kWh/t", formulas.ac_liquid_tapped, "Metered AC per tonne tapped, change of inventory left out.", _LONGER, uncertain=True),
    Kpi("ac_liquid_produced_kwh_t", "kWh/t", formulas.ac_liquid_produced, "Metered AC per tonne tapped plus change of inventory; where no time was missed.", _LONGER, uncertain=True),
    Kpi("efficiency_pct", "%", formulas.efficiency, "Current efficiency: estimated from bath, taps and metal levels; until then as set.", uncertain=True),
    Kpi("production_t", "t", formulas.production, "Metal tapped plus the change of the metal in the pots.", _LONGER, uncertain=True),
    Kpi("metal_t", "t", formulas.metal_faraday, "Metal made in the time covered, by Faraday.", uncertain=True),
    Kpi("tapped_t", "t", formulas.tapped, "Metal tapped, as weighed."),
    Kpi("coverage_pct", "%", formulas.coverage, "Part of the elapsed window for which there is data."),
    Kpi("dc_difference_pct", "%", formulas.meter_difference, "DC as voltage times current over the DC meter, less one: the cross-check.", _LONGER),
    Kpi("anode_effects_per_day", "1", formulas.effects, "Anode effects that began, per pot-day.", _LONGER),
    Kpi("anode_effect_s_per_day", "s", formulas.effect_time, "Time in anode effect, per pot-day.", _LONGER),
    Kpi("anode_effect_kwh_t", "kWh/t", formulas.effect_energy, "Energy of anode effects above the usual voltage, per tonne.", _LONGER),
    Kpi("ac_energy_kwh", "kWh", formulas.ac_energy, "Metered AC into the rectifier station; of a pot its share by voltage.", _LONGER),
    Kpi("stopped_kwh", "kWh", formulas.stopped_energy, "DC lost in the short circuit of stopped pots.", _LONGER),
    Kpi("deducted_kwh", "kWh", formulas.deducted, "AC taken off the figures a tonne by the plan's deductions.", _LONGER),
    Kpi("clean_share_pct", "%", formulas.clean_share, "Clean part of the line's AC, by the plan's clean sources.", _LONGER),
    Kpi("cf4_kg", "kg", formulas.cf4, "CF4 of anode effects above the limit: a lower bound.", _LONGER),
    Kpi("c2f6_kg", "kg", formulas.c2f6, "C2F6 of anode effects above the limit: a lower bound.", _LONGER),
    Kpi("anode_co2_t", "t", formulas.anode_co2, "CO2 of anode consumption.", _LONGER),
    Kpi("direct_co2e_t_t", "t/t", formulas.direct_intensity, "Direct emissions per tonne of metal: a lower bound.", _LONGER),
    Kpi("surcharge_yuan_t", "yuan/t", formulas.price_surcharge, "Surcharge of the tiered power price.", _LONGER),
    *(Kpi(f"loss_{term.name}_kwh_t", "kWh/t", partial(formulas.loss, term.name), f"Loss tree: {term.help}", _LONGER) for term in TERMS),
)  # fmt: skip

# What a plan's rule may name -> (unit, KPI it grades). A metric without a KPI is known, and not measured yet.
METRICS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "dc": ("kWh/t", "dc_kwh_t"),
        "ac_liquid": ("kWh/t", "ac_liquid_kwh_t"),
        "ac_comprehensive": ("kWh/t", "ac_comprehensive_kwh_t"),
        "ac_ingot": ("kWh/t", ""),
        "benchmark_share": ("%", ""),  # made of lines by twin.portfolio
        "clean_share": ("%", "clean_share_pct"),
    }
)


def compute(totals: Totals, basis: Basis, window: str) -> dict[str, Figure[Floats]]:
    """Every KPI that the table wants for this window, in its rim unit, (rows,)."""
    account, figures = Account(totals, basis), {}
    for kpi in (kpi for kpi in KPIS if window in kpi.windows):
        factor, offset = SI[kpi.unit]
        amount = kpi.compute(account)
        figures[kpi.name] = Figure((amount.value - offset) / factor, amount.u / factor)
    return figures
