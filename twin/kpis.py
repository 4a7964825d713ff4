"""The table of KPIs: what is computed for each pot and line over each window.

A KPI is a function of `Totals` and a row. The report, the database fields, the page and the reference follow.
The four kWh/t metrics stay apart: never compare across them (docs/data-contract.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from twin.accounting import Totals
from twin.frames import Floats
from twin.physics.faraday import metal_rate
from twin.units import from_si
from twin.windows import WINDOWS

__all__ = ["KPIS", "METRICS", "Kpi", "compute"]


@dataclass(frozen=True, slots=True)
class Kpi:
    """One row. `compute(totals, current efficiency)` gives SI values (1 + pots,), NaN where nothing is known."""

    name: str
    unit: str
    compute: Callable[[Totals, float], Floats]
    help: str
    windows: tuple[str, ...] = WINDOWS


def _per(numerator: Floats, denominator: Floats) -> Floats:
    """Quotient, NaN where the denominator is zero."""
    return np.where(denominator > 0, numerator / np.where(denominator > 0, denominator, 1.0), np.nan)


def _metal(charge: Floats, efficiency: float) -> Floats:
    """Metal [kg] by Faraday from charge [A s]."""
    return metal_rate(charge, efficiency)


def _dc(t: Totals, ce: float) -> Floats:
    return _per(t.dc_energy, _metal(t.dc_charge, ce))


def _ac_liquid(t: Totals, ce: float) -> Floats:
    return _per(t.ac_energy, _metal(t.ac_charge, ce))


def _ac_comprehensive(t: Totals, ce: float) -> Floats:
    return _ac_liquid(t, ce) + _per(t.auxiliary_energy, _metal(t.auxiliary_charge, ce))


def _ac_liquid_tapped(t: Totals, ce: float) -> Floats:
    return _per(t.ac_energy, t.tapped)


def _metal_faraday(t: Totals, ce: float) -> Floats:
    return _metal(t.dc_charge, ce)


def _tapped(t: Totals, ce: float) -> Floats:
    return t.tapped


def _coverage(t: Totals, ce: float) -> Floats:
    return np.minimum(t.covered / t.elapsed, 1.0) if t.elapsed > 0 else np.zeros_like(t.covered)


KPIS: tuple[Kpi, ...] = (
    Kpi("dc_kwh_t", "kWh/t", _dc, "DC energy after rectification, per tonne by Faraday at the current efficiency set."),
    Kpi(
        "ac_liquid_kwh_t",
        "kWh/t",
        _ac_liquid,
        "Metered AC into the rectifier station, per tonne by Faraday (metric a).",
    ),
    Kpi("ac_comprehensive_kwh_t", "kWh/t", _ac_comprehensive, "Metric a plus potroom auxiliaries (metric b)."),
    Kpi(
        "ac_liquid_tapped_kwh_t", "kWh/t", _ac_liquid_tapped, "Metered AC per tonne tapped; meaningful over many taps."
    ),
    Kpi("metal_t", "t", _metal_faraday, "Metal made in the time covered, by Faraday."),
    Kpi("tapped_t", "t", _tapped, "Metal tapped, as weighed."),
    Kpi("coverage_pct", "%", _coverage, "Part of the elapsed window for which there is data."),
)

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


def compute(totals: Totals, efficiency: float, window: str) -> dict[str, Floats]:
    """Every KPI that the table wants for this window, in its rim unit, (1 + pots,), the line first."""
    return {kpi.name: from_si(kpi.compute(totals, efficiency), kpi.unit) for kpi in KPIS if window in kpi.windows}
