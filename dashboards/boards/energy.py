"""Energy of a line against the benchmark: metrics that are never mixed, pots by what they use, the cross-check."""

from __future__ import annotations

from dashboards.board import Board, variables, window
from dashboards.boards.figures import daily, loss_tree, other_figures, status, told
from dashboards.tables import Source, kpi_named
from twin.kpis import METRICS

POTS = ("efficiency_pct", "metal_t", "anode_effects_per_day", "coverage_pct")


def board(source: Source) -> Board:
    metrics = [(kpi_named(kpi), source.rules(name, "line")) for name, (unit, kpi) in METRICS.items()
               if kpi and unit == "kWh/t"]  # fmt: skip
    per_pot = [kpi.name for kpi, _ in metrics if kpi.name != "ac_comprehensive_kwh_t"] + list(POTS)
    pots = other_figures("Pots, day so far", per_pot, "twin_pot", "line", ("pot",), "day")
    return Board(
        "smelter-energy",
        "Energy",
        "How much energy does a tonne cost, against which limit, and which pots cost more?",
        [
            *((status(source, kpi, rules, "twin_line", "line", ("line",), "${window}"), 24, 5)
              for kpi, rules in metrics if rules),
            *((daily(kpi, rules, "twin_line", "line", (), "day"), 8, 9) for kpi, rules in metrics),
            *((daily(kpi, rules, "twin_line", "line", (), "hour"), 8, 9) for kpi, rules in metrics),
            (loss_tree("twin_line", "line", "${window}"), 12, 14),
            (pots, 12, 14),
            (daily(kpi_named("dc_difference_pct"), [], "twin_line", "line", (), "day"), 12, 7),
            (daily(kpi_named("efficiency_pct"), [], "twin_line", "line", (), "day"), 12, 7),
            (other_figures("All figures", told("day"), "twin_line", "line", ("line",), "${window}"), 24, 5),
        ],
        [*variables("site", "line"), window("day", "month", "year")],
        begin="now-30d",
        refresh="5m",
    )  # fmt: skip
