"""Emissions, the surcharge of the tiered price, and clean energy of one line."""

from __future__ import annotations

import math

from twin.plan import Plan
from twin.report.book import Book
from twin.report.data import EmissionsView, Surcharge
from twin.report.period import day_of
from twin.report.quantities import figure, known
from twin.tariff import surcharge

__all__ = ["emissions_view"]


def emissions_view(book: Book, plan: Plan, clock_ns: int) -> EmissionsView:
    """What left the line, and what its energy costs on top."""
    now, carbon = book.now, plan.carbon
    intensity, metal = now.get("direct_co2e_t_t"), now.get("metal_t")
    return EmissionsView(
        cf4_kg=known(now.get("cf4_kg")),
        c2f6_kg=known(now.get("c2f6_kg")),
        anode_co2_t=known(now.get("anode_co2_t")),
        direct_co2e_t_t=known(intensity),
        direct_co2e_t=None if intensity is None or metal is None else intensity * metal,
        cbam_benchmark_t_t=carbon.cbam.benchmark_t_t,
        cbam_default_t_t=carbon.cbam.default_t_t,
        clean_share_pct=known(now.get("clean_share_pct")),
        pfc_method=carbon.method,
        gwp=carbon.gwp,
        surcharge=_surcharge(book, plan, clock_ns),
    )


def _surcharge(book: Book, plan: Plan, clock_ns: int) -> Surcharge:
    """The surcharge as the store has it, and at both ends of the interval of the figure that it rests on."""
    tariff, yuan_t, metal = plan.tariff, book.now.get("surcharge_yuan_t"), book.now.get("metal_t")
    if tariff is None:
        return Surcharge(None, None, None, None, None, None, None, "", "")
    step = tariff.step_on(day_of(min(book.window.end_ns - 1, clock_ns), book.site))
    found = figure(book.now, "ac_comprehensive_kwh_t")
    low, high = found.interval() if math.isfinite(found.u) else (math.nan, math.nan)
    ends = [known(surcharge(tariff, end, step).yuan_t) for end in (low, high)]
    here = surcharge(tariff, found.value, step) if math.isfinite(found.value) else None
    return Surcharge(
        step_kwh_t=known(step),
        yuan_t=known(yuan_t),
        low_yuan_t=ends[0],
        high_yuan_t=ends[1],
        yuan=None if yuan_t is None or metal is None else yuan_t * metal,
        to_next_kwh_t=None if here is None else known(here.to_next),
        saved_yuan_t=None if here is None else known(here.saved_t),
        source=tariff.source,
        sure=tariff.sure,
    )
