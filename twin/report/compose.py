"""The whole report, out of the books of its lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twin.kpis import METRICS
from twin.plan import Plan
from twin.plant import Plant
from twin.portfolio import capacity
from twin.report.alarm_data import AlarmSystemView
from twin.report.book import Book
from twin.report.cusum import cusum_view
from twin.report.data import FORMAT, LineReport, Metric, PeriodReport, PeriodView, PortfolioView, SettingView
from twin.report.emissions import emissions_view
from twin.report.losses import loss_view
from twin.report.period import Period
from twin.report.pots import fault_views, pot_views
from twin.report.quality import coverage_view, missing
from twin.report.quantities import known, listed, local, quantity, series
from twin.report.rules import portfolio_rules, rule_views, site_rules
from twin.windows import Window

__all__ = ["ENERGY", "Made", "compose", "pot_metric"]

# The figures per tonne, never mixed: name -> (title, what it is).
ENERGY: Mapping[str, tuple[str, str]] = {
    "dc_kwh_t": ("DC", "after rectification, per tonne by Faraday"),
    "ac_liquid_kwh_t": ("AC, liquid aluminium", "metered into the rectifier station, per tonne by Faraday"),
    "ac_comprehensive_kwh_t": ("AC, comprehensive", "with potroom auxiliaries: the tiered price's metric"),
    "ac_liquid_tapped_kwh_t": ("AC over tapped metal", "per tonne weighed at the tap, without the change in the pots"),
    "ac_liquid_produced_kwh_t": ("AC over production", "per tonne tapped plus the change in the pots"),
}  # fmt: skip
_LATER = "ac_liquid_produced_kwh_t"  # shown where the store has it
PRODUCTION: Mapping[str, tuple[str, str]] = {
    "production_t": ("Production", "tapped plus the change of the metal in the pots"),
    "tapped_t": ("Tapped", "as weighed"),
    "metal_t": ("By Faraday", "from current and efficiency, in the time seen"),
    "efficiency_pct": ("Current efficiency", "estimated from bath, taps and metal levels; until then as set"),
    "ac_energy_kwh": ("Metered AC", "into the rectifier station"),
    "coverage_pct": ("Coverage", "part of the elapsed period with data, as the twin wrote it"),
}
# Two courses, each against its own limits; DC has none in the packaged plan.
COURSES = ("ac_liquid_kwh_t", "ac_comprehensive_kwh_t", "dc_kwh_t")


@dataclass(frozen=True, slots=True)
class Made:
    """How a report was made: version, when (ns), with which words, from which store, under which settings."""

    product_version: str
    clock_ns: int
    how: str
    store: str
    settings: tuple[SettingView, ...]
    efficiency: float


def pot_metric(plan: Plan) -> str:
    """The KPI by which pots are compared."""
    return METRICS[plan.rule(plan.pot_rule).metric][1] or "ac_liquid_kwh_t"


def compose(
    plant: Plant,
    plan: Plan,
    period: Period,
    baseline: Period,
    books: list[Book],
    made: Made,
    *,
    alarms: AlarmSystemView,
    whole: bool,
    sites: Mapping[str, Mapping[str, float]] | None = None,
) -> PeriodReport:
    """The report of some lines; `whole`: they are all lines of the plant, so that its portfolio can be judged.

    `sites`: figures of whole sites, by site id, where the store has them.
    """
    told = [book for book in books if not book.empty]
    zone = books[0].site.zone()
    return PeriodReport(
        format=FORMAT,
        product_version=made.product_version,
        made_at=local(made.clock_ns, zone),
        made_how=made.how,
        store=made.store,
        plant=plant.title,
        plan=plan.title,
        plan_id=plan.id,
        minimum_coverage_pct=plan.minimum_coverage_pct,
        period=period.label,
        kind=period.kind,
        baseline=baseline.label,
        lines=[_line(book, plan, period, baseline, made.clock_ns) for book in told],
        portfolio=_portfolio(plant, plan, told, made, sites or {}) if whole and len(told) == len(books) else None,
        no_data=[book.path for book in books if book.empty],
        alarms=alarms,
        settings=list(made.settings),
    )


def _line(book: Book, plan: Plan, period: Period, baseline: Period, clock_ns: int) -> LineReport:
    metric, zone = pot_metric(plan), book.site.zone()
    pots = pot_views(book, metric)
    return LineReport(
        path=book.path,
        title=book.line.title or f"{book.site.title or book.site.id} {book.line.id}",
        period=_period(period, book.window, book, clock_ns),
        baseline=_period(baseline, book.before_window, book, clock_ns),
        pots_total=len(book.pots),
        pots_with_figures=sum(pot.kwh_t.value is not None for pot in pots),
        metrics=[_metric(book, n, *ENERGY[n]) for n in ENERGY if n != _LATER or n in book.now],
        production=[_metric(book, name, *PRODUCTION[name]) for name in PRODUCTION],
        losses=loss_view(book.now, book.before, baseline.label),
        rules=rule_views(book, plan, clock_ns),
        courses=[series(book.course, name, ENERGY[name][0], zone) for name in COURSES],
        cusum=cusum_view(book, baseline.label),
        pot_metric=metric,
        pots=pots,
        pot_starts=[local(window.start_ns, zone) for window in book.pot_windows],
        pot_line_course=listed(book.line_course),
        faults=fault_views(book, clock_ns),
        emissions=emissions_view(book, plan, clock_ns),
        coverage=coverage_view(book, plan, clock_ns),
        missing=missing(book, plan, clock_ns),
    )


def _period(period: Period, window: Window, book: Book, clock_ns: int) -> PeriodView:
    zone = book.site.zone()
    over = clock_ns >= window.end_ns
    return PeriodView(period.kind, period.label, local(window.start_ns, zone), local(window.end_ns, zone), over)


def _metric(book: Book, name: str, title: str, text: str) -> Metric:
    now, before = quantity(book.now, name), quantity(book.before, name)
    change = None if now.value is None or before.value is None else now.value - before.value
    return Metric(name, title, text, now, before, change)


def _portfolio(
    plant: Plant, plan: Plan, books: list[Book], made: Made, sites: Mapping[str, Mapping[str, float]]
) -> PortfolioView:
    def summed(name: str) -> float | None:
        values = [book.now.get(name) for book in books]
        return known(sum(value for value in values if value is not None)) if None not in values else None

    production = summed("production_t")
    return PortfolioView(
        lines=len(books),
        capacity_t_per_year=sum(capacity(plant, book.line, made.efficiency) for book in books),
        production_t=summed("metal_t") if production is None else production,
        ac_energy_kwh=summed("ac_energy_kwh"),
        rules=portfolio_rules(plan, plant, books, made.efficiency, made.clock_ns)
        + site_rules(plan, books, sites, made.clock_ns),
    )
