"""How the boards look: grey is normal, colour is only for what is abnormal, and never without a word or a sign."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

from dashboards.tables import Source, faults_of, unit_id
from twin.plan import Rule

__all__ = [
    "GREY", "MARGIN", "SEVERITY", "VERDICT", "WITHIN", "cells", "counted", "fault_words", "limit_at", "limit_lines",
    "number", "plain", "ranges", "rule_lines", "words",
]  # fmt: skip

GREY = "#8e8e8e"
SEVERITY = {"high": "red", "medium": "orange", "low": "yellow"}
SIGNS = {"above": "▲", "below": "▼"}


def _range(low: float | None, high: float | None, text: str, color: str) -> model.ValueMapping:
    result = model.ValueMappingResult(text=text, color=color)
    return model.RangeMap(options=model.DashboardRangeMapOptions(from_val=low, to=high, result=result))


def _values(words: Sequence[tuple[str, str, str]]) -> model.ValueMapping:
    return model.ValueMap(
        options={
            value: model.ValueMappingResult(text=text, color=color, index=index)
            for index, (value, text, color) in enumerate(words)
        }
    )


# margin over half the 95 % interval: beyond 1 the verdict is sure
VERDICT: list[model.ValueMapping] = [
    _range(None, -1.0, "✖ not met", SEVERITY["high"]),
    _range(-1.0, 1.0, "? uncertain", SEVERITY["low"]),
    _range(1.0, None, "✔ met", GREY),
]
# a figure that is reported without an uncertainty
MARGIN: list[model.ValueMapping] = [
    _range(None, 0.0, "✖ not met", SEVERITY["high"]),
    _range(0.0, None, "✔ met", GREY),
]
# a figure that may lie on its limit: the first that fits counts, and 0 fits both
WITHIN: list[model.ValueMapping] = MARGIN[::-1]


def fault_words(title: str, severity: str) -> list[model.ValueMapping]:
    """1 = the fault is there, 0 = it has ended."""
    return [_values([("1", f"● {title}", SEVERITY[severity]), ("0", "·", GREY)])]


def words(meaning: Sequence[tuple[str, str]]) -> list[model.ValueMapping]:
    """Words for the values of a code, in grey."""
    return [_values([(value, text, GREY) for value, text in meaning])]


def ranges(name: str, source: Source) -> list[model.ValueMapping]:
    """Cells of a grid: blank in the normal band, an arrow outside it, the fault's colour beyond its limit."""
    found: list[model.ValueMapping] = []
    for fault in sorted(faults_of(name), key=lambda f: -abs(f.limit)):
        low, high = (fault.limit, None) if fault.sense == "above" else (None, fault.limit)
        found.append(_range(low, high, f"{2 * SIGNS[fault.sense]} {fault.title}", SEVERITY[fault.severity]))
    normal = source.normal(name)
    if normal is not None:
        found.append(_range(normal[1], None, SIGNS["above"], "#b8b8b8"))
        found.append(_range(None, normal[0], SIGNS["below"], "#b8b8b8"))
        found.append(_range(normal[0], normal[1], " ", "#5a5a5a"))
    return found


def _lines(values: Sequence[tuple[float, str]]) -> build.ThresholdsConfig:
    steps = [model.Threshold(value=None, color="transparent")]
    steps += [model.Threshold(value=value, color=color) for value, color in sorted(dict(values).items())]
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps)


def limit_lines(names: Sequence[str], source: Source) -> build.ThresholdsConfig | None:
    """Lines of a trend: the normal band in grey, the limits of faults in their colour."""
    values: list[tuple[float, str]] = []
    for name in names:
        values += [(edge, GREY) for edge in source.normal(name) or ()]
        values += [(fault.limit, SEVERITY[fault.severity]) for fault in faults_of(name)]
    return _lines(values) if values else None


def rule_lines(rules: Sequence[Rule]) -> build.ThresholdsConfig:
    """Lines of a trend at the limits of a plan."""
    return _lines([(rule.limit, SEVERITY["high"]) for rule in rules])


def limit_at(value: float, severity: str) -> build.ThresholdsConfig:
    """One line of a trend at a limit."""
    return _lines([(value, SEVERITY[severity])])


def plain() -> build.ThresholdsConfig:
    """No threshold at all: the default of Grafana would colour what is above 80."""
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps([model.Threshold(value=None, color=GREY)])


def cells(mappings: list[model.ValueMapping], width: int = 0) -> list[model.DynamicConfigValue]:
    """Properties of a table column whose text is coloured by its mapping."""
    found = [
        model.DynamicConfigValue(id_val="mappings", value=mappings),
        model.DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}),
    ]
    return found + ([model.DynamicConfigValue(id_val="custom.width", value=width)] if width else [])


def number(unit: str, decimals: int | None = None) -> list[model.DynamicConfigValue]:
    """Properties of a column of plain numbers."""
    found = [model.DynamicConfigValue(id_val="unit", value=unit_id(unit))]
    return found + ([model.DynamicConfigValue(id_val="decimals", value=decimals)] if decimals is not None else [])


def counted(severity: str) -> list[model.DynamicConfigValue]:
    """A number of pots: grey at 0, else in the fault's colour; its column names the fault."""
    steps = [{"value": None, "color": GREY}, {"value": 1, "color": SEVERITY[severity]}]
    return [
        model.DynamicConfigValue(id_val="thresholds", value={"mode": "absolute", "steps": steps}),
        model.DynamicConfigValue(id_val="color", value={"mode": "thresholds"}),
        model.DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}),
        model.DynamicConfigValue(id_val="noValue", value="0"),
    ]


def share() -> list[model.DynamicConfigValue]:
    """A share of what was expected: plain from a half on, with a sign and a word below it."""
    low = [(_range(None, 0.001, "✖ none", SEVERITY["medium"])), (_range(0.001, 50.0, "▼ below half", SEVERITY["low"]))]
    return [*cells(low), *number("%", 0)]
