"""The report as one HTML file: the template and what it may call. No script, nothing from the network."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from twin.alarms.figures import FLOOD_BEGINS, FLOOD_ENDS, SPAN_H
from twin.kpis import KPIS, METRICS
from twin.losses import TERMS
from twin.report import bars, charts, dots, words
from twin.report.data import LineReport, PeriodReport, RuleView, Series
from twin.uncertainty import SOURCES

__all__ = ["html"]

POTS_SHOWN = 10
FLOODS_SHOWN = 12
_FILTERS: dict[str, Callable[..., str]] = {
    "n": words.number,
    "pm": words.plus_minus,
    "p": words.probability,
    "stamp": lambda text: f"{words.moment(text):%Y-%m-%d %H:%M}",
    "trend": words.trend_words,
    "verdict": lambda word: words.VERDICT[word],
    "sense": lambda word: words.SENSE[word],
    "sure": lambda word: words.SURE.get(word, word),
}
_METRIC_OF = {kpi: metric for metric, (_, kpi) in METRICS.items() if kpi}


@dataclass(frozen=True, slots=True)
class _Group:
    """The rules of one metric: they share value, trend and projection."""

    title: str
    rules: list[RuleView]

    @property
    def first(self) -> RuleView:
        return self.rules[0]


def html(report: PeriodReport) -> str:
    """The whole file."""
    environment = Environment(
        loader=PackageLoader("twin.report", "files"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= _FILTERS
    template = environment.get_template("report.html.j2")
    return template.render(
        report=report,
        one=len(report.lines) == 1,
        groups=_groups,
        counts=_counts,
        sentence=_sentence,
        shared_why=_shared_why,
        limits_of=_limits_of,
        draw_losses=_draw_losses,
        draw_course=_draw_course,
        drawn_limits=lambda line, series: len(_drawn(line, series)),
        draw_cusum=lambda line: charts.cusum(line.cusum, f"Running sum of energy less expected, {line.title}"),
        draw_coverage=lambda line: charts.coverage(line.coverage, f"Coverage, {line.title}"),
        draw_pots=_draw_pots,
        draw_margin=lambda rule, reach: charts.margin(rule, reach),
        reach=_reach,
        sparks=_sparks,
        shown=POTS_SHOWN,
        floods_shown=FLOODS_SHOWN,
        span_h=SPAN_H,
        flood_begins=FLOOD_BEGINS,
        flood_ends=FLOOD_ENDS,
        terms=TERMS,
        kpis=[kpi for kpi in KPIS if report.kind in kpi.windows and not kpi.name.startswith("loss_")],
        sources=SOURCES,
    )


def _groups(line: LineReport) -> list[_Group]:
    titles = {metric.name: metric.title for metric in line.metrics}
    found: dict[str, list[RuleView]] = {}
    for rule in line.rules:
        found.setdefault(rule.metric, []).append(rule)
    return [_Group(titles.get(METRICS[name][1], name), rules) for name, rules in found.items()]


def _counts(rules: list[RuleView]) -> list[tuple[str, str, int]]:
    """(verdict, word, how many), the worst first; those that are none left out."""
    counted = Counter(rule.verdict for rule in rules)
    order = ("fail", "indeterminate", "insufficient", "pass")
    return [(verdict, words.VERDICT[verdict], counted[verdict]) for verdict in order if counted[verdict]]


def _sentence(line: LineReport) -> str:
    """The verdicts in a sentence."""
    counted = Counter(rule.verdict for rule in line.rules)
    whole = len(line.rules)
    if counted["insufficient"] == whole:
        why = _shared_why(line.rules)
        return f"No rule of the plan can be graded{': ' if why else ''}{why}."
    parts = [f"{counted['pass']} of {whole} rules of the plan are met"]
    if counted["fail"]:
        parts.append(f"{counted['fail']} {'is' if counted['fail'] == 1 else 'are'} not met")
    if counted["indeterminate"]:
        parts.append(f"{counted['indeterminate']} cannot be told: the 95 % interval holds the limit")
    if counted["insufficient"]:
        parts.append(f"{counted['insufficient']} {'is' if counted['insufficient'] == 1 else 'are'} not graded")
    return "; ".join(parts) + "."


def _shared_why(rules: list[RuleView]) -> str:
    """The reason that all rules which are not graded share, "" where they differ."""
    reasons = {rule.why for rule in rules if rule.verdict == "insufficient"}
    return reasons.pop() if len(reasons) == 1 else ""


def _limits_of(line: LineReport, series: Series) -> list[tuple[float, str]]:
    """Limits of a metric with the rules that set them."""
    found: dict[float, list[str]] = {}
    for rule in line.rules:
        if rule.metric == _METRIC_OF.get(series.name):
            found.setdefault(rule.limit, []).append(rule.title)
    return [(limit, ", ".join(found[limit])) for limit in sorted(found)]


def _draw_losses(line: LineReport) -> Markup:
    title = f"Loss tree of {line.title}, {line.period.label}, from the theoretical minimum to the metered figure"
    return bars.waterfall(line.losses, line.baseline.label, title)


def _drawn(line: LineReport, series: Series) -> list[float]:
    """The limits that the chart of a course shows."""
    pairs = zip(series.value, series.u, strict=True)
    ends = [v + s * charts.K95 * (u or 0.0) for v, u in pairs if v is not None for s in (-1, 1)]
    return charts.near([limit for limit, _ in _limits_of(line, series)], min(ends), max(ends)) if ends else []


def _draw_course(line: LineReport, series: Series) -> Markup:
    limits = _drawn(line, series)
    title = f"{series.title} of {line.title} over {line.period.label} with its interval and limits"
    return charts.course(series, limits, line.coverage.coverage_pct, line.coverage.minimum_pct, title)


def _draw_pots(line: LineReport) -> Markup:
    value = next((metric.now.value for metric in line.metrics if metric.name == line.pot_metric), None)
    rule = next((rule for rule in line.rules if rule.metric == _METRIC_OF.get(line.pot_metric)), None)
    title = f"kWh/t of every pot of {line.title}"
    return dots.pots(line.pots, None if rule is None else rule.limit, value, title)


def _reach(rules: list[RuleView]) -> float:
    """Half the width of the margin's axis, the same for all rules; what is far from its limit is drawn as an arrow."""
    halves = [charts.K95 * (rule.value.u or 0.0) for rule in rules if rule.margin is not None]
    ends = [abs(rule.margin) for rule in rules if rule.margin is not None]
    return min(max(ends, default=1.0), 4.0 * max(halves, default=0.0) or math.inf) + max(halves, default=0.0)


def _sparks(line: LineReport) -> list[Markup]:
    """A small course for each pot of the table, all on one scale, over the line's own."""
    worst = [pot for pot in line.pots[:POTS_SHOWN] if pot.kwh_t.value is not None]
    own = line.pot_line_course
    known = sorted(value for pot in worst for value in pot.course if value is not None)
    if len(known) < 2:
        return [Markup("")] * len(worst)
    # One wild hour must not press all else flat.
    low, high = min([known[len(known) // 50], *(v for v in own if v is not None)]), known[-1 - len(known) // 50]
    return [charts.spark([None if v is None else min(max(v, low), high) for v in pot.course],
                         [None if v is None else min(max(v, low), high) for v in own], low, high)
            for pot in worst]  # fmt: skip
