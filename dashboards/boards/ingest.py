"""Ingest: does what the plant sends arrive in the store, and how old is it."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as model

from dashboards.board import Board, link, variables
from dashboards.influxql import AT, Ask
from dashboards.panels import rows, series
from dashboards.tables import Source, kpi_named, label
from twin.catalogue import TWIN_STATE
from twin.faults import FAULTS
from twin.signals import MEASUREMENTS, SIGNALS
from twin.states import STATES

OLD = next(fault for fault in FAULTS if fault.sense == "old")
AGE = [model.DynamicConfigValue(id_val="unit", value="dateTimeFromNow")]


def _flow(measurement: str) -> Ask:
    """Points of one measurement: of the first field where every message has it, else of each field."""
    names = [signal.db_field for signal in SIGNALS if signal.measurement == measurement]
    steady = measurement in ("pot", "line")
    columns = ", ".join(f'count("{name}") AS "{name}"' for name in names[: 1 if steady else None])
    where = f'FROM "{measurement}" WHERE {AT["site"]} AND $timeFilter GROUP BY time($__interval)'
    by = ', "line"' if steady else ""
    return Ask(f"SELECT {columns} {where}{by} fill(0)", alias="$tag_line" if by else "$col")


def board(source: Source) -> Board:
    coverage = kpi_named("coverage_pct")
    hours = f'SELECT "{coverage.name}_hour" FROM "twin_line" WHERE {AT["site"]} AND $timeFilter GROUP BY "line"'
    oldest = rows(
        "Last word of every pot",
        f"When a pot last said its {label(OLD.signal, 'V').lower()}, the oldest first. {OLD.title} begins after "
        f"{OLD.limit:g} s. {OLD.advice}",
        [Ask(_last_words(), table=True)],
        {"line": link("smelter-potline", "line"), "pot": link("smelter-pot", "line", "pot"), "Time": AGE},
        worst="Time",
        ascending=True,
    )
    twin = f'SELECT count("{STATES[1].name}") AS "estimates" FROM "{TWIN_STATE}" WHERE {AT["site"]} AND $timeFilter'
    return Board(
        "smelter-ingest",
        "Ingest",
        "Does what the plant sends arrive in the store, and how old is it?",
        [
            *((series(f"Stored: {topic}", f"Points of measurement {measurement} in each interval of this panel.",
                      [_flow(measurement)], "1", interval="1m"), 12, 8) for topic, measurement in MEASUREMENTS.items()),
            (series("Data of each hour", coverage.help, [Ask(hours, alias="$tag_line")], coverage.unit), 12, 8),
            (series("Estimates of the twin", "States written each minute: the twin runs, and writes what it says.",
                    [Ask(f"{twin} GROUP BY time($__interval) fill(0)")], "1", interval="1m"), 12, 8),
            (oldest, 24, 10),
        ],
        variables("site"),
        begin="now-6h",
    )  # fmt: skip


def _last_words() -> str:
    return (
        f'SELECT "{OLD.signal}" AS "{label(OLD.signal, "V")}" FROM "pot" WHERE {AT["site"]} AND time <= ${{__to}}ms '
        'AND time > ${__to}ms - 31d GROUP BY "line", "pot" ORDER BY time DESC LIMIT 1'
    )
