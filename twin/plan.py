"""The plan file: rules with metric, limit, sense, scope, validity and source. No threshold stands in code."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from twin import carbon, tariff
from twin.carbon import Carbon
from twin.deductions import Deduction
from twin.errors import ConfigError
from twin.tariff import Tariff
from twin.uncertainty import Figure
from twin.verdict import judge

__all__ = ["Grade", "Plan", "Rule", "Verdict", "grade", "parse"]

Verdict = Literal["pass", "fail", "indeterminate", "insufficient"]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One demand of the plan, graded on its own at its own scope.

    `metric` is a key of `kpis.METRICS`, e.g. `ac_liquid`; `sure` is P primary text read, S secondary source,
    D derived, U unconfirmed. `also` names further scopes at which it is graded, each by itself.
    """

    id: Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,64}\Z")]
    title: str
    metric: str
    limit: float
    unit: str
    sense: Literal["at_most", "at_least", "above", "below"]
    scope: Literal["pot", "line", "plant", "portfolio", "project"]
    source: str
    sure: Literal["P", "S", "D", "U"]
    valid_from: date | None = None
    valid_to: date | None = None
    help: str = ""
    also: tuple[Literal["pot", "line", "plant"], ...] = ()

    def graded_at(self, scope: str) -> bool:
        return scope == self.scope or scope in self.also

    def valid_on(self, day: date) -> bool:
        return (self.valid_from is None or day >= self.valid_from) and (self.valid_to is None or day <= self.valid_to)

    def margin(self, value: float) -> float:
        """How far `value` is on the good side of the limit; negative = not met."""
        return self.limit - value if self.sense in ("at_most", "below") else value - self.limit

    def met(self, value: float) -> bool:
        """True when `value` meets the rule; `above` and `below` exclude the limit itself."""
        margin = self.margin(value)
        return margin > 0 or (margin == 0 and self.sense in ("at_most", "at_least"))


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A plan file. `minimum_coverage_pct`: below it a figure is not graded.

    `pot_rule` names the line rule against which single pots are shown (for orientation: the plan grades lines),
    `benchmark_rule` the one that a line must meet to count as capacity at benchmark.
    """

    id: Annotated[str, Meta(pattern=r"^[a-z0-9\-]{1,64}\Z")]
    title: str
    rules: list[Rule]
    pot_rule: str
    minimum_coverage_pct: Annotated[float, Meta(ge=0, le=100)] = 75.0
    benchmark_rule: str = ""
    tariff: Tariff | None = None
    carbon: Carbon = Carbon()
    deductions: list[Deduction] = []

    def rule(self, rule_id: str) -> Rule:
        return next(rule for rule in self.rules if rule.id == rule_id)


@dataclass(frozen=True, slots=True)
class Grade:
    """One rule at one unit over one window.

    `value` with standard uncertainty `u`, and `margin` are NaN when nothing was measured; `probability` [1] that the
    rule is met.
    """

    rule: Rule
    unit: int
    window: str
    value: float
    u: float
    margin: float
    probability: float
    coverage_pct: float
    verdict: Verdict
    why: str = ""


def grade(
    rule: Rule, unit: int, window: str, figure: Figure[float], coverage_pct: float, minimum_pct: float, unfit: str = ""
) -> Grade:
    """Grade one figure; never on too little data, never surer than it is. `unfit`: why the unit is not assessed."""
    value = figure.value
    if not math.isfinite(value):
        return Grade(
            rule, unit, window, math.nan, math.nan, math.nan, math.nan, coverage_pct, "insufficient", "not measured"
        )
    why = unfit
    if not why and coverage_pct < minimum_pct:
        why = f"coverage {coverage_pct:.0f} % is below {minimum_pct:.0f} %"
    found = judge(figure, rule.limit, rule.sense, sufficient=not why)
    if found.status == "indeterminate":
        why = f"the 95 % interval holds the limit; {100 * found.probability:.0f} % that the rule is met"
    margin = rule.margin(value)
    return Grade(rule, unit, window, value, figure.u, margin, found.probability, coverage_pct, found.status, why)


def parse(text: str, where: str, metrics: Mapping[str, tuple[str, str]]) -> Plan:
    """Read a plan file; `metrics` maps every known metric to (unit, KPI). Raises ConfigError."""
    try:
        loaded = tomllib.loads(text)
        tables = {name: loaded.pop(name) for name in ("tariff", "carbon") if name in loaded}
        plan = msgspec.convert(loaded, Plan)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{where}: {error}") from error
    if "tariff" in tables:
        plan = msgspec.structs.replace(plan, tariff=tariff.parse(tables["tariff"], where))
    if "carbon" in tables:
        plan = msgspec.structs.replace(plan, carbon=carbon.parse(tables["carbon"], where))
    for entry in (entry for row in plan.deductions for entry in row.entries):
        if entry.to <= entry.from_:
            raise ConfigError(f"{where}: deduction of {entry.line}: to {entry.to} is not after from {entry.from_}")
    ids = [rule.id for rule in plan.rules]
    if doubled := sorted({rule for rule in ids if ids.count(rule) > 1}):
        raise ConfigError(f"{where}: rule {doubled[0]!r} is given twice")
    for rule in plan.rules:
        if rule.metric not in metrics:
            raise ConfigError(f"{where}: rule {rule.id}: metric {rule.metric!r} is not one of {', '.join(metrics)}")
        if rule.unit != metrics[rule.metric][0]:
            raise ConfigError(
                f"{where}: rule {rule.id}: unit {rule.unit!r}, but {rule.metric} is in {metrics[rule.metric][0]}"
            )
        if not math.isfinite(rule.limit):
            raise ConfigError(f"{where}: rule {rule.id}: limit {rule.limit} is not a number to compare with")
    for name, rule_id in (("pot_rule", plan.pot_rule), ("benchmark_rule", plan.benchmark_rule or plan.pot_rule)):
        if rule_id not in ids:
            raise ConfigError(f"{where}: {name} {rule_id!r} is not one of {', '.join(ids)}")
    return plan
