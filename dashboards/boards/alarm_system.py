"""How well the alarm system serves each line: alarms in 10 minutes, what stands, figures against the targets."""

from __future__ import annotations

import math
from collections.abc import Iterator

from grafana_foundation_sdk.builders import table, timeseries

from dashboards.board import Placed, link
from dashboards.influxql import Ask, newest, trend
from dashboards.panels import Columns, rows, series
from dashboards.style import WITHIN, cells, limit_at, number
from twin.alarms.figures import FLOOD_BEGINS, FLOOD_ENDS, SPAN_H, TARGETS, Target
from twin.catalogue import ALARM_FIGURES, TWIN_ALARMS

__all__ = ["alarm_system"]

NOW = ("standing", "unacknowledged", "shelved", "suppressed")
LATELY = "alarms_10_min"
STEP = "10m"  # how often they are written
LINE: Columns = {"line": link("smelter-potline", "line")}


def alarm_system() -> Iterator[Placed]:
    """The panels, as the board places them."""
    yield _lately(), 12, 8
    yield _now(), 12, 8
    yield _targets(), 24, 6
    yield _figures(), 24, 6


def _lately() -> timeseries.Panel:
    text = (
        f"{ALARM_FIGURES[LATELY][1]} One line of the chart a line; over a long time range the most in each step. Above "
        f"{FLOOD_BEGINS} (dashed) a flood begins, below {FLOOD_ENDS} it is over: nobody can answer so many."
    )
    ask = Ask(trend(TWIN_ALARMS, [(f'max("{LATELY}")', "alarms")], "site", ("line",)), alias="$tag_line")
    limit = limit_at(FLOOD_BEGINS, "medium")
    return series("Alarms in 10 minutes", text, [ask], ALARM_FIGURES[LATELY][0], interval=STEP, lines=limit)


def _now() -> timeseries.Panel:
    text = " ".join(f"{name.capitalize()}: {ALARM_FIGURES[name][1]}" for name in NOW)
    columns = [(f'max("{name}")', name) for name in NOW]
    ask = Ask(trend(TWIN_ALARMS, columns, "site", ("line",)), alias="$tag_line $col")
    return series("Alarms by state", text, [ask], "1", interval=STEP)


def _column(target: Target) -> str:
    return f"{target.title} ({target.words})"


def _within(target: Target) -> str:
    """At least 0 where the target is met."""
    field = f'"{target.figure}"'
    below, above = f"({target.high:g} - {field})", f"({field} - {target.low:g})"
    if math.isinf(target.low):
        return below
    return above if math.isinf(target.high) else f"{above} * {below}"


def _targets() -> table.Panel:
    text = (
        f"Each line over the last {SPAN_H:g} h against the targets of ISA-18.2 and EEMUA 191, which stand in the names "
        "of the columns. The figures themselves stand below."
    )
    ask = Ask(newest(TWIN_ALARMS, [(_within(t), _column(t)) for t in TARGETS], "site", ("line",), "hour"), table=True)
    return rows(
        "Alarm system against its targets", text, [ask], {**LINE, **{_column(t): cells(WITHIN) for t in TARGETS}}
    )


def _figures() -> table.Panel:
    text = f"Each line over the last {SPAN_H:g} h, in buckets of 10 minutes; in brackets the target of each figure."
    columns = [(f'"{target.figure}"', _column(target)) for target in TARGETS]
    ask = Ask(newest(TWIN_ALARMS, columns, "site", ("line",), "hour"), table=True)
    decimals = {"%": 1, "1": 2}
    shown = {_column(target): number(target.unit, decimals[target.unit]) for target in TARGETS}
    return rows("Figures of the alarm system", text, [ask], {**LINE, **shown})
