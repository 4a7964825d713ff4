"""Faults and work on pots as columns, words and marks, from the tables of faults and signals."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import AnnotationQuery

from dashboards.board import annotation
from dashboards.influxql import AT, Ask, recent
from dashboards.panels import Columns
from dashboards.style import GREY, SEVERITY, cells, fault_words
from dashboards.tables import fault_columns, label, signals_of
from twin.faults import FAULTS

__all__ = ["PAST", "advice", "fault_cells", "faults_now", "log", "marks", "work", "work_columns"]

PAST = "7d"  # a fault that began longer ago is not looked for


def fault_cells() -> Columns:
    """Words of the columns that are named by the titles of faults."""
    return {fault.title: cells(fault_words(fault.title, fault.severity)) for fault in FAULTS}


def faults_now(level: str, by: tuple[str, ...], ref_id: str = "A") -> Ask:
    """The last word on every fault of each unit: 1 while it lasts."""
    return Ask(recent("event", fault_columns(), level, by, PAST), ref_id, table=True)


def advice() -> str:
    """What the table says to do, for a description."""
    return " ".join(f"{fault.title}: {fault.advice}" for fault in FAULTS)


def log(level: str, by: tuple[str, ...]) -> Ask:
    """Beginnings and ends in the time range, newest first."""
    named = ", ".join(f'"fault_{fault.code}" AS "{fault.title}"' for fault in FAULTS)
    tags = "".join(f', "{tag}"' for tag in by)
    where = f'FROM "event" WHERE {AT[level]} AND $timeFilter ORDER BY time DESC LIMIT 500'
    return Ask(f"SELECT {named}{tags} {where}", table=True)


def work_columns() -> list[tuple[str, str]]:
    """What people and controllers did, as columns."""
    return [
        (f'"{signal.db_field}"', f"{label(signal.name, signal.unit)} [{signal.unit}]") for signal in signals_of("event")
    ]


def work(level: str) -> Ask:
    """Taps, anode changes, beam moves ... in the time range, newest first."""
    named = ", ".join(f'{expression} AS "{name}"' for expression, name in work_columns())
    where = f'FROM "event" WHERE {AT[level]} AND $timeFilter ORDER BY time DESC LIMIT 500'
    return Ask(f"SELECT {named} {where}", table=True)


def marks(level: str, *, with_work: bool) -> list[AnnotationQuery]:
    """Beginnings of faults, each in its colour and under its title; work in grey."""
    where = f'FROM "event" WHERE {AT[level]} AND $timeFilter'
    found = [
        annotation(f.title, f'SELECT "fault_{f.code}", "pot" {where} AND "fault_{f.code}" = 1',
                   SEVERITY[f.severity], text="pot", shown=f.severity == "high" or with_work)
        for f in FAULTS
    ]  # fmt: skip
    if with_work:
        found += [
            annotation(label(signal.name, signal.unit), f'SELECT "{signal.db_field}", "pot" {where}', GREY,
                       text=signal.db_field, shown=signal.unit != "mm")
            for signal in signals_of("event")
        ]  # fmt: skip
    return found
