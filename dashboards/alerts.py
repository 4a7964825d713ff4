"""Alert rules from the tables of faults and plans. Conditions, holds and limits are those of the twin.

A rule asks InfluxQL, takes the last value of each unit and compares it: no expression and no template here has a dollar
sign, because Grafana replaces `$NAME` in provisioning files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from grafana_foundation_sdk.builders import alerting as build
from grafana_foundation_sdk.builders import expr
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.runtime import UnknownDataquery
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import alerting as model
from grafana_foundation_sdk.models.common import DataSourceRef

from dashboards.board import FOLDER_UID
from dashboards.boards.events import PAST
from dashboards.boards.figures import UPPER, demand
from dashboards.influxql import INFLUX, REACH, SURE
from dashboards.tables import Source
from twin.faults import FAULTS, Fault
from twin.kpis import Kpi
from twin.plan import Rule
from twin.signals import SIGNALS

__all__ = ["Group", "groups"]

EXPRESSION = DataSourceRef(type_val="__expr__", uid="__expr__")
UNIT = "{{ .Labels.site }}/{{ .Labels.line }}"
TAGS = '"site", "line"'


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated together, every `interval_s` [s]: a multiple of 10, or Grafana refuses it."""

    name: str
    interval_s: int
    rules: Sequence[model.Rule]


class _Influx(Builder[Dataquery]):
    def __init__(self, query: str) -> None:
        self._query = query

    def build(self) -> Dataquery:
        return UnknownDataquery(
            {
                "refId": "A",
                "datasource": INFLUX.to_json(),
                "query": self._query,
                "rawQuery": True,
                "resultFormat": "time_series",
                "intervalMs": 1000,
                "maxDataPoints": 43200,
            }
        )


def _queries(query: str, past_s: int, limit: float, below: bool) -> list[build.Query]:
    """A: the question, B: its last value, C: whether it is beyond the limit."""
    span = model.RelativeTimeRange(from_val=past_s, to=0)
    evaluator = expr.ExprTypeThresholdConditionsEvaluator().params([limit]).type("lt" if below else "gt")
    reduce = expr.TypeReduce().ref_id("B").expression("A").reducer("last").datasource(EXPRESSION)
    threshold = (
        expr.TypeThreshold()
        .ref_id("C")
        .expression("B")
        .datasource(EXPRESSION)
        .conditions([expr.ExprTypeThresholdConditions().evaluator(evaluator)])
    )
    models: list[tuple[str, str, Builder[Dataquery]]] = [
        ("A", INFLUX.uid or "", _Influx(query)), ("B", "__expr__", reduce), ("C", "__expr__", threshold),
    ]  # fmt: skip
    return [
        build.Query(ref_id).datasource_uid(uid).relative_time_range(span).model(asked) for ref_id, uid, asked in models
    ]


def _rule(
    uid: str, title: str, group: str, queries: list[build.Query], hold: str, severity: str, texts: dict[str, str],
    no_data: str = "OK",
) -> model.Rule:  # fmt: skip
    built = (
        build.Rule(title).uid(uid).rule_group(group).folder_uid(FOLDER_UID).condition("C").queries(list(queries))
        .for_val(hold).exec_err_state("Error").labels({"severity": severity, "source": "smelter-twin"})
        .annotations(texts).is_paused(False).org_id(1)
    )  # fmt: skip
    return (built.no_data_state("Alerting") if no_data == "Alerting" else built.no_data_state("OK")).build()


def fault_query(fault: Fault) -> str:
    """1 of each pot at which the fault lasts."""
    field = f'"fault_{fault.code}"'
    return f'SELECT last({field}) AS "active" FROM "event" WHERE time > now() - {PAST} GROUP BY {TAGS}, "pot"'


def _fault(fault: Fault) -> model.Rule:
    sense = {"above": "above", "below": "below", "beyond": "beyond +/-", "old": "older than"}[fault.sense]
    line = fault.of == "line"
    board = f"/d/smelter-{'potline' if line else 'pot'}?var-site={{{{ .Labels.site }}}}&var-line={{{{ .Labels.line }}}}"
    texts = {
        "summary": f"{fault.title}: line {UNIT}" if line else f"{fault.title}: pot {UNIT}/{{{{ .Labels.pot }}}}",
        "description": f"{fault.signal} {sense} {fault.limit:g} for {fault.hold_s:g} s. {fault.advice}",
        "board": board if line else board + "&var-pot={{ .Labels.pot }}",
    }
    days = int(PAST.removesuffix("d"))
    queries = _queries(fault_query(fault), days * 86400, 0.5, below=False)
    # The twin has held it already: the hold of the table is not typed twice.
    return _rule(
        f"smelter-fault-{fault.code}".replace("_", "-"), fault.title, "faults", queries, "0s", fault.severity, texts
    )


def plan_query(rule: Rule, kpi: Kpi, minimum_coverage_pct: float, zone: str, window: str = "day") -> str:
    """How far beyond the limit, in halves of the 95 % interval: above 1 the rule is surely not met."""
    value = f'"{kpi.name}_{window}"'
    over = f"({value} - {rule.limit:g})" if rule.sense in UPPER else f"({rule.limit:g} - {value})"
    over = f'{over} / ({SURE} * "{kpi.name}_u_{window}")' if kpi.uncertain else over
    where = f'"coverage_pct_{window}" >= {minimum_coverage_pct:g} AND time > now() - {REACH[window]}'
    # days of the site, by tz()
    where += f" AND time >= '{rule.valid_from}'" if rule.valid_from else ""
    where += f" AND time < '{rule.valid_to + timedelta(days=1)}'" if rule.valid_to else ""
    newest = f"GROUP BY {TAGS} ORDER BY time DESC LIMIT 1 tz('{zone}')"
    return f'SELECT {over} AS "over" FROM "twin_line" WHERE {where} {newest}'


def _planned(source: Source, rule: Rule, kpi: Kpi) -> model.Rule:
    texts = {
        "summary": f"{rule.title} not met: line {UNIT}",
        "description": f"{source.titles(rule)}: {demand(rule)} ({rule.source}). The day so far is beyond it with its "
        "whole 95 % interval.",
        "board": "/d/smelter-energy?var-site={{ .Labels.site }}&var-line={{ .Labels.line }}",
    }
    limit = 1.0 if kpi.uncertain else 0.0
    queries = _queries(
        plan_query(rule, kpi, source.plan.minimum_coverage_pct, source.zones[0]), 49 * 3600, limit, below=False
    )
    return _rule(
        f"smelter-plan-{rule.id}".replace("_", "-"), f"Plan: {rule.title}", "plan", queries, "1h", "low", texts
    )


def silence_query() -> str:
    """Values of each line in steps of 5 minutes, 0 where it says nothing, of those that spoke within a day."""
    field = next(signal.db_field for signal in SIGNALS if signal.topic == "line")
    grouped = f"GROUP BY time(5m), {TAGS} fill(0)"
    return f'SELECT count("{field}") AS "values" FROM "line" WHERE time > now() - 1d AND time <= now() {grouped}'


def groups(source: Source) -> list[Group]:
    """Every rule: faults each minute, data each minute, the plan every ten minutes."""
    texts = {
        "summary": f"No data from line {UNIT}",
        "description": "Nothing of this line has been stored for ten minutes. Look at the board Ingest, the broker and "
        "the gateway; the twin says nothing of a line that says nothing.",
        "board": "/d/smelter-ingest?var-site={{ .Labels.site }}",
    }
    queries = _queries(silence_query(), 86400, 0.5, below=True)
    silent = _rule("smelter-data-silence", "No data from a line", "data", queries, "10m", "high", texts, "Alerting")
    planned = [_planned(source, rule, kpi) for _, kpi, rules in source.graded("line") for rule in rules]
    return [
        Group("faults", 60, [_fault(fault) for fault in FAULTS]),
        Group("data", 60, [silent]),
        Group("plan", 600, planned),
    ]
