"""Panels of figures and verdicts that several boards share."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import bargauge, table, timeseries

from dashboards.board import link
from dashboards.influxql import AT, SURE, Ask, band, newest
from dashboards.panels import Columns, bars, rows, series
from dashboards.style import MARGIN, VERDICT, cells, number, rule_lines
from dashboards.tables import Source, kpi_named, label
from twin.kpis import KPIS, Kpi
from twin.losses import TERMS
from twin.plan import Rule

__all__ = ["daily", "demand", "loss_tree", "other_figures", "status", "told", "verdict"]

UPPER = ("at_most", "below")
WHERE = {"site": "the site", "line": "the line", "pot": "the pot"}


def verdict(rule: Rule, kpi: Kpi, window: str) -> str:
    """Margin to the limit, in halves of the 95 % interval where there is one."""
    value, u = f'"{kpi.name}_{window}"', f'"{kpi.name}_u_{window}"'
    margin = f"({rule.limit:g} - {value})" if rule.sense in UPPER else f"({value} - {rule.limit:g})"
    return f"{margin} / ({SURE} * {u})" if kpi.uncertain else margin


def demand(rule: Rule) -> str:
    """`≤ 13,000 kWh/t`."""
    sign = {"at_most": "≤", "below": "<", "at_least": "≥", "above": ">"}[rule.sense]
    return f"{sign} {rule.limit:,g} {rule.unit}"


def _valid(rule: Rule) -> str:
    since = f" from {rule.valid_from}" if rule.valid_from else ""
    return f"{since} to {rule.valid_to}" if rule.valid_to else since


def status(
    source: Source, kpi: Kpi, rules: Sequence[Rule], measurement: str, level: str, by: tuple[str, ...], window: str
) -> table.Panel:
    """Units against the rules of the plan for one metric; only figures with enough data are graded."""
    value = f"{kpi.name}_{window}"
    columns = [(f'"{value}"', "Value"), (f'"coverage_pct_{window}"', "Coverage")]
    overrides: Columns = {"Value": number(kpi.unit, 0 if kpi.unit == "kWh/t" else 1), "Coverage": number("%", 0)}
    if kpi.uncertain:
        columns.insert(1, (f'{SURE} * "{kpi.name}_u_{window}"', "± 95 %"))
        overrides = {**overrides, "± 95 %": number(kpi.unit, 0)}
    for rule in rules:
        columns.append((verdict(rule, kpi, window), demand(rule)))
        overrides = {**overrides, demand(rule): cells(VERDICT if kpi.uncertain else MARGIN)}
    if "line" in by:
        overrides = {**overrides, "line": link("smelter-potline", "line")}
    enough = f' AND "coverage_pct_{window}" >= {source.plan.minimum_coverage_pct:g}'
    query = newest(measurement, columns, level, by, window, enough)
    what = "; ".join(f"{demand(rule)} of a {rule.scope}{_valid(rule)}: {source.titles(rule)}" for rule in rules)
    text = (
        f"{kpi.help} Plan {source.plan.title}. {what}. A verdict is uncertain while the 95 % interval holds the limit; "
        f"figures with less than {source.plan.minimum_coverage_pct:g} % of the data are not graded and not shown here."
    )
    title = f"{label(kpi.name, kpi.unit)} against the plan"
    return rows(title, text, [Ask(query, table=True)], overrides)


def daily(
    kpi: Kpi, rules: Sequence[Rule], measurement: str, level: str, by: tuple[str, ...], window: str
) -> timeseries.Panel:
    """A figure of each window under its start, with its 95 % interval and the plan's limits."""
    value, u = f"{kpi.name}_{window}", f"{kpi.name}_u_{window}"
    one = not by and kpi.uncertain
    columns = band(value, u) if one else [(f'"{value}"', "value")]
    named = ", ".join(f'{expression} AS "{name}"' for expression, name in columns)
    group = f" GROUP BY {', '.join(by)}" if by else ""
    query = f'SELECT {named} FROM "{measurement}" WHERE {AT[level]} AND $timeFilter{group}'
    alias = " ".join(f"$tag_{tag}" for tag in by) or "$col"
    limits = "; ".join(f"{demand(rule)}: {rule.title}" for rule in rules)
    text = f"{kpi.help} Each {window} under its start{', with its 95 % interval' if one else ''}. {limits}".strip()
    title = f"{label(kpi.name, kpi.unit)}, by {window}"
    return series(title, text, [Ask(query, alias=alias)], kpi.unit, lines=rule_lines(rules) if rules else None)


def loss_tree(measurement: str, level: str, window: str) -> bargauge.Panel:
    """Where the energy goes: the terms add up to what was metered."""
    columns = [(f'"loss_{term.name}_kwh_t_{window}"', term.title) for term in TERMS]
    unit = kpi_named(f"loss_{TERMS[0].name}_kwh_t").unit
    text = (
        f"Loss tree of {WHERE[level]} over the newest {window.strip('${}')}: the terms add up to the metered kWh/t. "
        "Heat the reaction takes up is negative; what no term explains stands last."
    )
    return bars("Where the energy goes", text, [Ask(newest(measurement, columns, level, (), window))], unit)


def other_figures(
    title: str, names: Sequence[str], measurement: str, level: str, by: tuple[str, ...], window: str
) -> table.Panel:
    """Newest figures as a table, one row a unit."""
    kpis = [kpi_named(name) for name in names]
    columns = [(f'"{kpi.name}_{window}"', f"{label(kpi.name, kpi.unit)} [{kpi.unit}]") for kpi in kpis]
    text = "Newest window, under its start. " + " ".join(f"{label(kpi.name, kpi.unit)}: {kpi.help}" for kpi in kpis)
    overrides: Columns = {name: number(kpi.unit, 2) for (_, name), kpi in zip(columns, kpis, strict=True)}
    if by:
        overrides = {**overrides, by[-1]: link("smelter-pot" if by[-1] == "pot" else "smelter-potline", by[-1])}
    return rows(title, text, [Ask(newest(measurement, columns, level, by, window), table=True)], overrides)


def told(window: str) -> list[str]:
    """KPIs over this window that are no term of the loss tree."""
    return [kpi.name for kpi in KPIS if window in kpi.windows and not kpi.name.startswith("loss_")]
