"""The report as one long tidy table: a row a figure, for spreadsheets and programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from twin.report.data import LineReport, PeriodReport, Quantity
from twin.report.quantities import unit_of

__all__ = ["COLUMNS", "csv_text"]

COLUMNS = ("scope", "unit", "window", "start", "figure", "measure", "value", "u")
Row = tuple[str, str, str, str, str, str, float, float | None]


def csv_text(report: PeriodReport) -> str:
    """CSV with a header, comma and point; a figure that is not known has no row."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in report.lines:
        for row in _of_line(line):
            writer.writerow([*row[:6], repr(row[6]), "" if row[7] is None else repr(row[7])])
    if report.portfolio is not None and report.lines:
        start = report.lines[0].period.start
        for rule in report.portfolio.rules:
            if rule.value.value is not None:
                u = "" if rule.value.u is None else repr(rule.value.u)
                head = ("portfolio", "", report.kind, start, rule.metric, rule.value.unit)
                writer.writerow([*head, repr(rule.value.value), u])
    for position in report.alarms.positions:
        for name, measure, value in position.figures():
            head = ("position", position.position, report.kind, position.start, name, measure)
            writer.writerow([*head, repr(value), ""])
    return out.getvalue()


def _row(scope: str, unit: str, window: str, start: str, name: str, found: Quantity) -> Iterator[Row]:
    if found.value is not None:
        yield scope, unit, window, start, name, found.unit, found.value, found.u


def _of_line(line: LineReport) -> Iterator[Row]:
    path, kind, start = line.path, line.period.kind, line.period.start
    for metric in (*line.metrics, *line.production):
        yield from _row("line", path, kind, start, metric.name, metric.now)
        yield from _row("line", path, line.baseline.kind, line.baseline.start, metric.name, metric.before)
    yield "line", path, kind, start, "coverage_of_period_pct", "%", line.coverage.period_pct, None
    yield from _losses(line)
    for rule in line.rules:
        yield from _rule(line, rule.rule, rule.margin, rule.probability)
    yield from _projections(line)
    for series in line.courses:
        for at, value, u in zip(series.starts, series.value, series.u, strict=True):
            if value is not None:
                yield "line", path, series.window, at, series.name, series.unit, value, u
    for name, values in (
        ("coverage_pct", line.coverage.coverage_pct),
        ("dc_difference_pct", line.coverage.dc_difference_pct),
        ("ac_energy_kwh", line.cusum.energy_kwh),
        ("expected_ac_energy_kwh", line.cusum.expected_kwh),
        ("cusum_kwh", line.cusum.total_kwh),
    ):
        for at, value in zip(line.coverage.starts, values, strict=False):
            if value is not None:
                yield "line", path, line.coverage.window, at, name, unit_of(name), value, None
    yield from _emissions(line)
    yield from _pots(line)


def _losses(line: LineReport) -> Iterator[Row]:
    path, kind, start = line.path, line.period.kind, line.period.start
    for term in line.losses.terms:
        yield "line", path, kind, start, f"loss_{term.name}_kwh_t", "kWh/t", term.kwh_t, None
        if term.change_kwh_t is not None:
            yield "line", path, kind, start, f"loss_{term.name}_change_kwh_t", "kWh/t", term.change_kwh_t, None


def _rule(line: LineReport, rule: str, margin: float | None, probability: float | None) -> Iterator[Row]:
    head = ("line", line.path, line.period.kind, line.period.start)
    if margin is not None:
        yield *head, f"margin:{rule}", "kWh/t", margin, None
    if probability is not None:
        yield *head, f"probability:{rule}", "1", probability, None


def _projections(line: LineReport) -> Iterator[Row]:
    """Trend and projection of each metric that has a rule, once."""
    head, told = ("line", line.path, line.period.kind, line.period.start), set[str]()
    for rule in line.rules:
        if rule.metric in told:
            continue
        told.add(rule.metric)
        if rule.trend is not None:
            name, per = f"trend_{rule.metric}", f"kWh/t per {rule.trend.per}"
            yield *head, name, per, rule.trend.slope, rule.trend.u
        if rule.projected is not None and rule.projected.value is not None:
            yield *head, f"projected_{rule.metric}", rule.projected.unit, rule.projected.value, rule.projected.u


def _emissions(line: LineReport) -> Iterator[Row]:
    head, e = ("line", line.path, line.period.kind, line.period.start), line.emissions
    for name, measure, value in (
        ("cf4_kg", "kg", e.cf4_kg),
        ("c2f6_kg", "kg", e.c2f6_kg),
        ("anode_co2_t", "t", e.anode_co2_t),
        ("direct_co2e_t_t", "t/t", e.direct_co2e_t_t),
        ("direct_co2e_t", "t", e.direct_co2e_t),
        ("clean_share_pct", "%", e.clean_share_pct),
        ("surcharge_yuan_t", "yuan/t", e.surcharge.yuan_t),
        ("surcharge_yuan", "yuan", e.surcharge.yuan),
    ):
        if value is not None:
            yield *head, name, measure, value, None


def _pots(line: LineReport) -> Iterator[Row]:
    for pot in line.pots:
        path = f"{line.path}/{pot.id}"
        head = ("pot", path, line.period.kind, line.period.start)
        yield from _row(*head, line.pot_metric, pot.kwh_t)
        for name, value in (
            ("excess_kwh_t", pot.excess_kwh_t),
            ("efficiency_pct", pot.efficiency_pct),
            ("anode_effects_per_day", pot.anode_effects_per_day),
            ("anode_effect_s_per_day", pot.anode_effect_s_per_day),
            ("coverage_pct", pot.coverage_pct),
        ):
            if value is not None:
                yield *head, name, unit_of(name), value, None
        finer = {"day": "hour", "month": "day", "year": "month"}[line.period.kind]
        for at, value in zip(line.pot_starts, pot.course, strict=True):
            if value is not None:
                yield "pot", path, finer, at, line.pot_metric, "kWh/t", value, None
