"""The report as plain structs: what the JSON file holds and what the HTML page shows.

None = not measured: a figure that the store does not have is never made up. `u` is a standard uncertainty, `low` and
`high` the 95 % interval, times are ISO 8601 with the zone of the site. Energies per tonne are in kWh/t.
"""

from __future__ import annotations

import msgspec

from twin.report.alarm_data import AlarmSystemView

__all__ = [
    *("CoverageView", "CusumView", "EmissionsView", "FaultView", "LineReport", "LossTerm", "LossView"),
    *("Metric", "Missing", "PeriodReport", "PeriodView", "PortfolioView", "PotView", "Quantity", "RuleView"),
    *("Series", "SettingView", "Surcharge", "Trend"),
]

FORMAT = 1


class Quantity(msgspec.Struct, frozen=True):
    """A figure: value, standard uncertainty u, and 95 % interval low to high, in `unit`."""

    unit: str
    value: float | None = None
    u: float | None = None
    low: float | None = None
    high: float | None = None


class PeriodView(msgspec.Struct, frozen=True):
    """A period: `kind` day, month or year; `start` and `end` local times; `over`: it had ended when this was made."""

    kind: str
    label: str
    start: str
    end: str
    over: bool


class Metric(msgspec.Struct, frozen=True):
    """One figure of the summary, the same in the baseline period, and the difference (now less before)."""

    name: str
    title: str
    help: str
    now: Quantity
    before: Quantity
    change: float | None


class LossTerm(msgspec.Struct, frozen=True):
    """One row of the loss tree [kWh/t]. `from_level` and `to_level`: where its bar begins and ends."""

    name: str
    title: str
    group: str
    help: str
    kwh_t: float
    from_level: float
    to_level: float
    before_kwh_t: float | None
    change_kwh_t: float | None


class LossView(msgspec.Struct, frozen=True):
    """Loss tree [kWh/t]: `terms` add up to `total`, which is `metric`; `change` of the terms likewise.

    `auxiliary` on top of it makes `comprehensive`. `why` says what is missing where there is no tree, `why_no_change`
    where there is none to compare with. `gap`: total less the metered figure of the store.
    """

    metric: str
    terms: list[LossTerm]
    total: float | None
    auxiliary: float | None
    comprehensive: float | None
    change: float | None
    gap: float | None
    why: str
    why_no_change: str


class Trend(msgspec.Struct, frozen=True):
    """Slope of the course, weighted by metal, with its standard error [unit of the figure per `per`]; `points` used.

    `p`: probability of such a slope where there is none.
    """

    slope: float
    u: float
    per: str
    points: int
    p: float


class RuleView(msgspec.Struct, frozen=True):
    """One rule of the plan at this unit. `probability` that it is met; `margin` > 0 = on the good side.

    `projected`: the figure at the end of the period, if the rest is like the days so far; `projected_probability` that
    it then meets the rule. `where`: the site, of a rule of a plant.
    """

    rule: str
    title: str
    metric: str
    scope: str
    sense: str
    limit: float
    value: Quantity
    margin: float | None
    probability: float | None
    coverage_pct: float
    verdict: str
    why: str
    source: str
    sure: str
    trend: Trend | None = None
    projected: Quantity | None = None
    projected_probability: float | None = None
    projected_verdict: str | None = None
    where: str = ""


class Series(msgspec.Struct, frozen=True):
    """The course of a figure over the windows that begin at `starts`; None = no figure."""

    name: str
    title: str
    unit: str
    window: str
    starts: list[str]
    value: list[float | None]
    u: list[float | None]


class CusumView(msgspec.Struct, frozen=True):
    """Energy per day against a baseline of the period before: `total_kwh` sums metered less expected, falling = better.

    `alarm`: "worse" or "better" from the day on which the tabular CUSUM passed its interval, else "". `why` says why
    there is no baseline.
    """

    starts: list[str]
    energy_kwh: list[float | None]
    expected_kwh: list[float | None]
    total_kwh: list[float | None]
    alarm: list[str]
    formula: str
    r2: float | None
    relative_sigma: float | None
    periods: int
    stretched: int
    why: str


class PotView(msgspec.Struct, frozen=True):
    """One pot. `excess_kwh_t` over the line; `largest`: (title, kWh/t) furthest above the mean; `course`: its kWh/t."""

    id: str
    section: int
    kwh_t: Quantity
    excess_kwh_t: float | None
    largest: list[tuple[str, float]]
    anode_effects_per_day: float | None
    anode_effect_s_per_day: float | None
    efficiency_pct: float | None
    coverage_pct: float | None
    faults: list[str]
    course: list[float | None]


class FaultView(msgspec.Struct, frozen=True):
    """How often a fault began in the period, at how many pots, and how long it stood [h]."""

    code: str
    title: str
    began: int
    pots: int
    hours: float


class Surcharge(msgspec.Struct, frozen=True):
    """Tiered price: yuan/t, with the values at the ends of the interval of the comprehensive figure, and yuan in all.

    `to_next_kwh_t`: how much less energy saves the next block, `saved_yuan_t` what that saves.
    """

    step_kwh_t: float | None
    yuan_t: float | None
    low_yuan_t: float | None
    high_yuan_t: float | None
    yuan: float | None
    to_next_kwh_t: float | None
    saved_yuan_t: float | None
    source: str
    sure: str


class EmissionsView(msgspec.Struct, frozen=True):
    """Direct emissions. CF4, C2F6 and CO2e hold the anode effects above the limit alone: lower bounds."""

    cf4_kg: float | None
    c2f6_kg: float | None
    anode_co2_t: float | None
    direct_co2e_t_t: float | None
    direct_co2e_t: float | None
    cbam_benchmark_t_t: float
    cbam_default_t_t: float
    clean_share_pct: float | None
    pfc_method: str
    gwp: str
    surcharge: Surcharge


class CoverageView(msgspec.Struct, frozen=True):
    """Coverage and the difference of the meters [%] by window of the course."""

    starts: list[str]
    window: str
    coverage_pct: list[float | None]
    dc_difference_pct: list[float | None]
    minimum_pct: float
    period_pct: float
    period_difference_pct: float | None


class Missing(msgspec.Struct, frozen=True):
    """Something that is not there: `what`, and `means`, what follows for the reader."""

    what: str
    means: str


class LineReport(msgspec.Struct, frozen=True):
    """One line. `pots`: the worst first; their `course` begins at `pot_starts`, as `pot_line_course`, the line's."""

    path: str
    title: str
    period: PeriodView
    baseline: PeriodView
    pots_total: int
    pots_with_figures: int
    metrics: list[Metric]
    production: list[Metric]
    losses: LossView
    rules: list[RuleView]
    courses: list[Series]
    cusum: CusumView
    pot_metric: str
    pots: list[PotView]
    pot_starts: list[str]
    pot_line_course: list[float | None]
    faults: list[FaultView]
    emissions: EmissionsView
    coverage: CoverageView
    missing: list[Missing]


class PortfolioView(msgspec.Struct, frozen=True):
    """Rules above a single line, over the lines of the plant; None in a report of some lines only."""

    lines: int
    capacity_t_per_year: float
    production_t: float | None
    ac_energy_kwh: float | None
    rules: list[RuleView]


class SettingView(msgspec.Struct, frozen=True):
    """A setting that these figures rest on."""

    name: str
    value: str
    unit: str
    origin: str


class PeriodReport(msgspec.Struct, frozen=True):
    """The whole report. `format` grows when a reader of older files would misunderstand it."""

    format: int
    product_version: str
    made_at: str
    made_how: str
    store: str
    plant: str
    plan: str
    plan_id: str
    minimum_coverage_pct: float
    period: str
    kind: str
    baseline: str
    lines: list[LineReport]
    portfolio: PortfolioView | None
    no_data: list[str]
    alarms: AlarmSystemView
    settings: list[SettingView]
