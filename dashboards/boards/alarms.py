"""Alarms: what is active, what came and went, how many there were, and how well the alarm system serves."""

from __future__ import annotations

from dashboards.board import Board, link, variables, zone
from dashboards.boards.alarm_system import alarm_system
from dashboards.boards.events import advice, fault_cells, faults_now, log
from dashboards.influxql import AT, Ask
from dashboards.panels import rows, series
from dashboards.tables import Source, fault_columns

# A beginning is 1 and an end 0: the sum counts beginnings.
BEGINNINGS = ", ".join(f'{expression} AS "{title}"' for expression, title in fault_columns("sum"))


def _counted(step: str) -> Ask:
    where = f'FROM "event" WHERE {AT["site"]} AND $timeFilter'
    return Ask(f"SELECT {BEGINNINGS} {where} GROUP BY time({step}) fill(0) tz('${{zone}}')")


def board(source: Source) -> Board:
    units = {"line": link("smelter-potline", "line"), "pot": link("smelter-pot", "line", "pot")}
    where = f'FROM "event" WHERE {AT["site"]} AND $timeFilter GROUP BY "line", "pot"'
    actors = rows(
        "Pots by number of faults",
        "How often each fault began at a pot in the time range: a few pots usually make most of the alarms.",
        [Ask(f"SELECT {BEGINNINGS} {where}", table=True)],
        units,
    )
    return Board(
        "smelter-alarms",
        "Alarms",
        "What is wrong now, what came and went, and is the number of alarms bearable?",
        [
            (rows("Faults now", f"The last word on every fault of each pot; · = it has ended. {advice()}",
                  [faults_now("site", ("line", "pot"))], {**units, **fault_cells()}), 24, 10),
            *alarm_system(),
            (rows("Faults that began or ended", "In the time range, newest first; · = the fault ended. At most 500.",
                  [log("site", ("line", "pot"))], {**units, **fault_cells()}), 12, 12),
            (actors, 12, 12),
            (series("Faults by day", "Beginnings a day of the site.", [_counted("1d")], "1", bars=True), 12, 8),
            (series("Faults by hour", "Beginnings an hour: many at once cannot be handled one by one.",
                    [_counted("1h")], "1", bars=True), 12, 8),
        ],
        [*variables("site"), zone(source)],
        begin="now-7d",
    )  # fmt: skip
