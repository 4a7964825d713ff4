"""Trends of what is measured and estimated, one panel a unit: new rows of the tables appear by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grafana_foundation_sdk.builders import table, timeseries

from dashboards.board import link
from dashboards.influxql import AT, Ask, band, recent, trend
from dashboards.panels import rows, series
from dashboards.style import limit_lines, number, words
from dashboards.tables import Source, by_unit, cumulative, label, signals_of
from twin.signals import Signal
from twin.states import STATES, TwinState

__all__ = ["coded", "estimated", "latest", "measured"]


def _aggregate(signal: Signal) -> tuple[str, str]:
    name = label(signal.name, signal.unit)
    if cumulative(signal):
        return f'non_negative_derivative(last("{signal.db_field}"), 1h)', f"{name} per hour"
    # a code has no mean
    return f'{"last" if signal.unit == "1" else "mean"}("{signal.db_field}")', name


def measured(measurement: str, level: str, signals: Iterable[Signal], source: Source) -> Iterator[timeseries.Panel]:
    """Signals of one measurement against their normal band and their limits."""
    for unit, group in by_unit(signals):
        names = [signal.name for signal in group]
        ask = Ask(trend(measurement, [_aggregate(signal) for signal in group], level))
        counter = cumulative(group[0])
        text = " ".join(f"{label(s.name, s.unit)}: {s.help}" for s in group)
        normal = [(name, source.normal(name)) for name in names]
        text += "".join(f" Normal: {found[0]:g}-{found[1]:g} {unit}." for _, found in normal if found)
        title = ", ".join(label(s.name, s.unit) for s in group)
        title = title if len(group) <= 3 else f"{label(group[0].name, group[0].unit)} and {len(group) - 1} more"
        yield series(
            f"{title}{' per hour' if counter else ''}",
            text,
            [ask],
            unit,
            interval=source.interval if not counter else "15m",
            lines=limit_lines(names, source),
            per="/h" if counter else "",
        )


def estimated(source: Source) -> Iterator[timeseries.Panel]:
    """Estimated states with their 95 % interval, and what was measured of the same in grey points."""
    for state in STATES:
        columns = band(state.name, f"u_{state.name}", "mean")
        asks = [Ask(trend("twin_state", columns, "pot"), "A"), *_measured_too(state)]
        text = f"{state.help} Estimated by the twin each minute, with its 95 % interval."
        text += " Points: laboratory." if len(asks) > 1 else ""
        found = source.normal(state.name)
        text += f" Normal: {found[0]:g}-{found[1]:g} {state.unit}." if found else ""
        yield series(f"Estimate: {label(state.name, state.unit)}", text, asks, state.unit, interval="1m",
                     lines=limit_lines([state.name], source))  # fmt: skip


def _measured_too(state: TwinState) -> Iterator[Ask]:
    for signal in signals_of("sample"):
        if signal.name == state.name:
            query = f'SELECT "{signal.db_field}" AS "laboratory" FROM "sample" WHERE {AT["pot"]} AND $timeFilter'
            yield Ask(query, "B")


def coded(panel: timeseries.Panel, signal: Signal) -> timeseries.Panel:
    """Words for a code, out of the help of its signal (`...: 0 nominal, 1 underfeed`)."""
    meaning = [part.strip().rstrip(".").split(" ", 1) for part in signal.help.partition(":")[2].split(",")]
    return panel.mappings(words([(value, text) for value, text in meaning]))


def latest(measurement: str, found: list[Signal]) -> Iterator[table.Panel]:
    """What else the twin says of each pot, as one table; nothing while it says nothing else."""
    if found:
        columns = [(f'last("{row.db_field}")', label(row.name, row.unit)) for row in found]
        text = " ".join(f"{label(row.name, row.unit)}: {row.help}" for row in found)
        properties = {label(row.name, row.unit): number(row.unit, 2) for row in found}
        ask = Ask(recent(measurement, columns, "line", ("pot",), "1h"), table=True)
        worst = label(found[0].name, found[0].unit)
        yield rows("What the twin expects", text, [ask], {"pot": link("smelter-pot", "pot"), **properties}, worst=worst)
