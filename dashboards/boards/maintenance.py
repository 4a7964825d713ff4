"""Maintenance: which sensors have gone silent, whose samples are old, where a lining wears, what may fail next."""

from __future__ import annotations

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.models import dashboard as model

from dashboards.board import Board, link, variables
from dashboards.boards.figures import other_figures
from dashboards.boards.trends import latest
from dashboards.influxql import Ask, newest, recent
from dashboards.panels import joined, rows
from dashboards.style import number, share
from dashboards.tables import Source, extras, label, named, signals_of
from twin.states import STATES

HOUR_S = 3600.0
POT = {"pot": link("smelter-pot", "pot")}
# what tells of lining and side wall
WEAR = (
    "cathode_drop_mv", "cathode_temperature_c", "side_wall_temperature_c", "cathode_drop_manual_mv", "iron_ppm",
    "silicon_ppm",
)  # fmt: skip


def _sensors(source: Source) -> table.Panel:
    expected = HOUR_S / source.period_s
    heard = [(f'100 * count("{s.db_field}") / {expected:g}', label(s.name, s.unit)) for s in signals_of("telemetry")]
    text = (
        f"One value each {source.interval} is 100 %. A value that its sensor flags as bad, or that cannot be true, is "
        "not stored: a low share (▼) is a sensor, a gateway or a network that needs somebody, or a signal that is sent "
        "less often by design."
    )
    ask = Ask(recent("pot", heard, "line", ("pot",), "1h"), table=True)
    return rows(
        "Values stored in the last hour, of those expected", text, [ask], {**POT, **{n: share() for _, n in heard}}
    )


def _samples() -> table.Panel:
    columns = [(f'"{s.db_field}"', f"{label(s.name, s.unit)} [{s.unit}]") for s in signals_of("sample")]
    age = [model.DynamicConfigValue(id_val="unit", value="dateTimeFromNow")]
    ask = Ask(newest("sample", columns, "line", ("pot",), "month"), table=True)
    text = "The newest laboratory or manual values of each pot, the oldest first. An old one makes the "
    text += "estimates unsure; blank: not in that sample."
    return rows("Age of samples", text, [ask], {**POT, "Time": age}, worst="Time", ascending=True)


def _wear() -> table.Panel:
    signals = [named(name) for name in WEAR]
    asks = [
        Ask(recent(measurement, [(f'last("{s.db_field}")', label(s.name, s.unit)) for s in signals
                                 if s.measurement == measurement], "line", ("pot",), reach), ref_id, table=True)
        for measurement, reach, ref_id in (("pot", "1h", "A"), ("sample", "31d", "B"))
    ]  # fmt: skip
    text = "Signs of a worn lining or a thin side wall. " + " ".join(
        f"{label(s.name, s.unit)}: {s.help}" for s in signals
    )
    columns = {**POT, **{label(s.name, s.unit): number(s.unit, 1) for s in signals}}
    worst = label(signals[0].name, signals[0].unit)
    return joined(rows("Lining and side wall", text, asks, columns, worst=worst), "pot")


def board(source: Source) -> Board:
    unsure = [(f'last("u_{s.name}")', f"{label(s.name, s.unit)} [{s.unit}]") for s in STATES]
    doubt = rows(
        "How unsure the estimates are",
        "Standard uncertainty of every estimated state; a large one beside the other pots wants a sample or a sensor.",
        [Ask(recent("twin_state", unsure, "line", ("pot",), "1h"), table=True)],
        POT,
    )
    return Board(
        "smelter-maintenance",
        "Maintenance",
        "Which sensors have gone silent, whose samples are old, and which pots wear out or are expected to fail?",
        [
            (_sensors(source), 24, 12),
            *((panel, 24, 10) for panel in latest("twin_pot", extras("twin_pot"))),
            (other_figures("Data of the day", ("coverage_pct",), "twin_pot", "line", ("pot",), "day"), 8, 10),
            (doubt, 16, 10),
            (_wear(), 24, 10),
            (_samples(), 24, 10),
        ],
        variables("site", "line"),
    )
