"""What the boards read from the tables of the twin: names for people, units, limits, normal bands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from msgspec.structs import replace

from twin.catalogue import CATALOGUE
from twin.faults import FAULTS, Fault
from twin.kpis import KPIS, METRICS, Kpi
from twin.plan import Plan, Rule
from twin.plant import Plant
from twin.signals import SIGNALS, Signal, by_name
from twin.units import SI

__all__ = [
    "GRAFANA_UNITS", "Source", "by_unit", "cumulative", "extras", "fault_columns", "faults_of", "kpi_named", "label",
    "named", "signals_of", "unit_id",
]  # fmt: skip

GRAFANA_UNITS = {
    "1": "none", "%": "percent", "V": "volt", "mV": "mvolt", "C": "celsius", "K": "kelvin", "kg": "masskg",
    "t": "masst", "mm": "lengthmm", "s": "s", "h": "h", "ppm": "ppm", "kWh": "kwatth",
}  # fmt: skip
_SUFFIX = {"%": "pct", "wt%": "pct", "K": "c", "1": ""}
_WRITTEN = {
    "ac": "AC", "dc": "DC", "alf3": "AlF3", "caf2": "CaF2", "mgf2": "MgF2", "lif": "LiF", "co2": "CO2", "co2e": "CO2e",
    "cf4": "CF4", "c2f6": "C2F6",
}  # fmt: skip
# name of an estimated state or signal -> its normal band in the pot design, where it is not the same name
_BANDS = {"distance_mm": "anode_cathode_distance_mm", "efficiency_pct": "current_efficiency_pct"}


def unit_id(unit: str, per: str = "") -> str:
    """Unit of the tables -> unit id of Grafana; one that Grafana does not have is written behind the number."""
    if per or unit not in GRAFANA_UNITS:
        return f"suffix: {unit.replace('uOhm', 'µΩ').replace('nOhm', 'nΩ')}{per}"
    return GRAFANA_UNITS[unit]


def label(name: str, unit: str) -> str:
    """`bath_temperature_c` -> `Bath temperature`: the unit is shown beside the number."""
    suffix = _SUFFIX.get(unit, unit.lower().replace("/", "_"))
    short = name.removesuffix(f"_{suffix}") if suffix else name
    text = " ".join(_WRITTEN.get(word, word) for word in short.split("_"))
    return text[:1].upper() + text[1:]


def cumulative(signal: Signal) -> bool:
    """A counter: its growth is what to look at."""
    return "cumulative" in signal.help


def signals_of(topic: str) -> tuple[Signal, ...]:
    """Signals of one topic kind."""
    return tuple(signal for signal in SIGNALS if signal.topic == topic)


def by_unit(signals: Iterable[Signal]) -> Iterator[tuple[str, list[Signal]]]:
    """Signals that can share an axis; counters apart from the others."""
    keyed = sorted(signals, key=lambda s: (list(SI).index(s.unit) if s.unit in SI else 99, cumulative(s)))
    for (unit, _), group in groupby(keyed, key=lambda s: (s.unit, cumulative(s))):
        yield unit, list(group)


def named(name: str) -> Signal:
    """The row of a signal."""
    return SIGNALS[by_name(name)]


def kpi_named(name: str) -> Kpi:
    """The row of a KPI."""
    return next(kpi for kpi in KPIS if kpi.name == name)


def extras(measurement: str) -> list[Signal]:
    """What the twin says of a unit beside KPIs over windows."""
    figures = {f"{kpi.name}{u}_{window}" for kpi in KPIS for u in ("", "_u") for window in kpi.windows}
    return [row for row in CATALOGUE if row.measurement == measurement and row.name not in figures]


def faults_of(signal: str) -> list[Fault]:
    """Faults that limit the value of a signal."""
    return [
        fault
        for fault in FAULTS
        if fault.of == "signal" and fault.signal == signal and fault.sense in ("above", "below")
    ]


def fault_columns(aggregate: str = "last") -> list[tuple[str, str]]:
    """Columns of every fault, named by its title."""
    return [(f'{aggregate}("fault_{fault.code}")', fault.title) for fault in FAULTS]


@dataclass(frozen=True, slots=True)
class Source:
    """The two files that a user gives: boards, limits and rules follow from them."""

    plan: Plan
    plant: Plant

    @property
    def zones(self) -> list[str]:
        """Time zones of the sites."""
        return list(dict.fromkeys(site.time_zone for site in self.plant.sites))

    @property
    def period_s(self) -> float:
        """The shortest sample period of the lines."""
        return min(line.sample_period_s for _, line in self.plant.lines())

    @property
    def interval(self) -> str:
        """Min interval of panels over measured values: a shorter one would show gaps that are none."""
        return f"{self.period_s:g}s" if self.period_s == int(self.period_s) else f"{1000 * self.period_s:.0f}ms"

    def normal(self, name: str) -> tuple[float, float] | None:
        """Normal band of a signal or state over all designs of the plant; None where a design has none."""
        found = [getattr(design, _BANDS.get(name, name), None) for design in self.plant.designs.values()]
        bands = [value for value in found if isinstance(value, tuple)]
        return (min(low for low, _ in bands), max(high for _, high in bands)) if bands else None

    def rules(self, metric: str, *scopes: str) -> list[Rule]:
        """Rules that grade a metric at one of these scopes; those of the same demand are one, valid while any is."""
        found: dict[tuple[float, str], Rule] = {}
        for rule in self.plan.rules:
            if rule.metric == metric and any(rule.graded_at(scope) for scope in scopes):
                first = found.setdefault((rule.limit, rule.sense), rule)
                found[rule.limit, rule.sense] = _while_either(first, rule)
        return list(found.values())

    def titles(self, rule: Rule) -> str:
        """Every rule with the same demand: what one verdict answers."""
        same = [r for r in self.plan.rules if (r.metric, r.limit, r.sense) == (rule.metric, rule.limit, rule.sense)]
        return "; ".join(dict.fromkeys(r.title for r in same))

    def graded(self, *scopes: str) -> list[tuple[str, Kpi, list[Rule]]]:
        """Metrics that are measured and demanded at these scopes."""
        found = [(metric, kpi, self.rules(metric, *scopes)) for metric, (_, kpi) in METRICS.items()]
        return [(metric, kpi_named(kpi), rules) for metric, kpi, rules in found if kpi and rules]


def _while_either(one: Rule, other: Rule) -> Rule:
    begins, ends = (one.valid_from, other.valid_from), (one.valid_to, other.valid_to)
    return replace(
        one,
        valid_from=None if None in begins else min(day for day in begins if day),
        valid_to=None if None in ends else max(day for day in ends if day),
    )
