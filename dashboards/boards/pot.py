"""A pot: what is measured, what is estimated, what was done, what went wrong."""

from __future__ import annotations

from dashboards.board import Board, variables
from dashboards.boards.events import advice, fault_cells, faults_now, marks, work
from dashboards.boards.figures import daily, loss_tree
from dashboards.boards.trends import coded, estimated, measured
from dashboards.influxql import Ask, recent
from dashboards.panels import rows
from dashboards.style import number
from dashboards.tables import Source, extras, kpi_named, label, signals_of
from twin.kpis import METRICS

SAMPLED = "31d"  # an older sample says nothing of the pot


def board(source: Source) -> Board:
    kpi = kpi_named(METRICS[source.plan.rule(source.plan.pot_rule).metric][1])
    codes = [s for s in signals_of("telemetry") if s.unit == "1"]
    numbers = [s for s in signals_of("telemetry") if s.unit != "1"]
    samples = [(f'last("{s.db_field}")', f"{label(s.name, s.unit)} [{s.unit}]") for s in signals_of("sample")]
    laboratory = rows(
        "Laboratory and manual values",
        "The newest of each kind within a month. "
        + " ".join(f"{label(s.name, s.unit)}: {s.help}" for s in signals_of("sample")),
        [Ask(recent("sample", samples, "pot", ("pot",), SAMPLED), table=True)],
        {name: number(s.unit, 2) for (_, name), s in zip(samples, signals_of("sample"), strict=True)},
    )
    return Board(
        "smelter-pot",
        "Pot",
        "What is this pot doing, how sure is that, and what was done to it?",
        [
            (rows("Faults", f"The last word on each fault of this pot. {advice()}", [faults_now("pot", ("pot",))],
                  fault_cells()), 24, 4),
            *((panel, 12, 8) for panel in measured("pot", "pot", numbers, source)),
            *((coded(panel, signal), 12, 8)
              for signal in codes for panel in measured("pot", "pot", [signal], source)),
            *((panel, 8, 8) for panel in estimated(source)),
            *((panel, 12, 8) for panel in measured("twin_pot", "pot", extras("twin_pot"), source)),
            (laboratory, 24, 5),
            (daily(kpi, [source.plan.rule(source.plan.pot_rule)], "twin_pot", "pot", (), "hour"), 12, 12),
            (loss_tree("twin_pot", "pot", "day"), 12, 12),
            (rows("Work on the pot", "Taps, anode changes, beam moves and additions in the time range, newest first.",
                  [work("pot")], {}), 24, 8),
        ],
        variables("site", "line", "pot"),
        marks("pot", with_work=True),
        begin="now-6h",
    )  # fmt: skip
