"""A potline: hundreds of pots at a glance, worst first."""

from __future__ import annotations

from grafana_foundation_sdk.builders import statushistory, table

from dashboards.board import Board, link, variables
from dashboards.boards.events import advice, fault_cells, faults_now, marks
from dashboards.boards.figures import other_figures
from dashboards.boards.overview import active
from dashboards.boards.trends import measured
from dashboards.influxql import Ask, newest, recent, trend
from dashboards.panels import Columns, counts, grid, joined, rows
from dashboards.style import counted, number, ranges
from dashboards.tables import Source, extras, faults_of, kpi_named, label, signals_of
from twin.faults import FAULTS
from twin.kpis import METRICS
from twin.signals import Signal

NOW = "15m"  # a pot that said nothing for longer shows no value
SECTION = ("coverage_pct", "efficiency_pct", "metal_t")


def _limited(source: Source) -> list[Signal]:
    """Signals of a pot that have both a normal band and a fault: what a glance is for."""
    return [s for s in signals_of("telemetry") if faults_of(s.name) and source.normal(s.name)]


def _pots(source: Source) -> table.Panel:
    kpi = kpi_named(METRICS[source.plan.rule(source.plan.pot_rule).metric][1])
    said = [s for s in signals_of("telemetry") if faults_of(s.name)]
    measured_now = [(f'last("{s.db_field}")', label(s.name, s.unit)) for s in said]
    worst = f"{label(kpi.name, kpi.unit)}, day"
    asks = [
        Ask(recent("pot", measured_now, "line", ("pot",), NOW), "A", table=True),
        Ask(newest("twin_pot", [(f'"{kpi.name}_day"', worst)], "line", ("pot",), "day"), "B", table=True),
        faults_now("line", ("pot",), "C"),
    ]
    columns: Columns = {
        "pot": link("smelter-pot", "pot"),
        worst: number(kpi.unit, 0),
        **{label(s.name, s.unit): number(s.unit) for s in said},
        **fault_cells(),
    }
    more = extras("twin_pot")
    if more:
        names = [(f'last("{row.db_field}")', label(row.name, row.unit)) for row in more]
        asks.append(Ask(recent("twin_pot", names, "line", ("pot",), NOW), "D", table=True))
        columns = {**columns, **{label(row.name, row.unit): number(row.unit) for row in more}}
    text = (
        f"Every pot of the line, the most {kpi.unit} first; a pot opens its board. Values of the last {NOW}, kWh/t of "
        f"the day so far. A fault that lasts is named in its column. {advice()}"
    )
    return joined(rows("Pots, worst first", text, asks, columns, worst=worst), "pot")


def _grid(signal: Signal, source: Source) -> statushistory.Panel:
    low, high = source.normal(signal.name) or (signal.low, signal.high)
    text = (
        f"{signal.help} Blank: within the normal band {low:g}-{high:g} {signal.unit} of the pot designs; ▲ above it, ▼ "
        "below; a name: beyond the limit of that fault."
    )
    name = label(signal.name, signal.unit)
    ask = Ask(trend("pot", [(f'mean("{signal.db_field}")', name)], "line", ("pot",)), alias="$tag_pot")
    return grid(f"{name}, every pot", text, ask, signal.unit, ranges(signal.name, source))


def board(source: Source) -> Board:
    faults = {fault.title: counted(fault.severity) for fault in FAULTS}
    kpis = [*(kpi.name for _, kpi, _ in source.graded("line")), *SECTION]
    return Board(
        "smelter-potline",
        "Potline",
        "Which pots of this line need somebody, and since when?",
        [
            (counts("Pots with a fault now", "Faults that have begun and not ended; 0 is normal.",
                    [Ask(active("line"))], faults), 24, 4),
            (_pots(source), 24, 16),
            *((_grid(signal, source), 24, 16) for signal in _limited(source)),
            *((panel, 8, 8) for panel in measured("line", "line", signals_of("line"), source)),
            (other_figures("Sections, day so far", kpis, "twin_section", "line", ("pot",), "day"), 24, 6),
        ],
        variables("site", "line"),
        marks("line", with_work=False),
    )  # fmt: skip
