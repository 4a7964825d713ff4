"""The plant: is the plan met, where does the energy go, what needs attention."""

from __future__ import annotations

from dashboards.board import Board, link, variables, window
from dashboards.boards.events import PAST
from dashboards.boards.figures import daily, loss_tree, other_figures, status
from dashboards.influxql import Ask, recent
from dashboards.panels import counts, rows
from dashboards.style import counted
from dashboards.tables import Source, fault_columns
from twin.faults import FAULTS

CARBON = ("clean_share_pct", "direct_co2e_t_t", "anode_co2_t", "cf4_kg", "c2f6_kg")
MADE = ("production_t", "metal_t", "tapped_t", "efficiency_pct", "ac_energy_kwh", "coverage_pct")


def active(level: str) -> str:
    """Pots with each fault now, of those that said something within PAST."""
    inner = recent("event", [(value, f"f_{f.code}") for (value, _), f in zip(fault_columns(), FAULTS, strict=True)],
                   level, ("line", "pot"), PAST)  # fmt: skip
    named = ", ".join(f'sum("f_{fault.code}") AS "{fault.title}"' for fault in FAULTS)
    return f"SELECT {named} FROM ({inner})"


def board(source: Source) -> Board:
    by = ("line",)
    lines = source.graded("line")
    graded = {metric for metric, _, _ in lines}
    above = [(kpi, rules) for metric, kpi, rules in source.graded("plant", "portfolio") if metric not in graded]
    counted_faults = {fault.title: counted(fault.severity) for fault in FAULTS}
    per_line = rows(
        "Pots with a fault, by line",
        "How many pots of a line have each fault now; a line opens its board.",
        [Ask(f'{active("site")} GROUP BY "line"', table=True)],
        {**counted_faults, "line": link("smelter-potline", "line")},
    )
    return Board(
        "smelter-overview",
        "Plant",
        "Is the plan met, where does the energy go, and which line needs attention?",
        [
            (counts("Pots with a fault now", "Faults of the twin that have begun and not ended; 0 is normal.",
                    [Ask(active("site"))], counted_faults), 24, 4),
            *((status(source, kpi, rules, "twin_line", "site", by, "${window}"), 24, 6) for _, kpi, rules in lines),
            *((status(source, kpi, rules, "twin_line", "site", by, "${window}"), 12, 5) for kpi, rules in above),
            (other_figures("Carbon and clean power", CARBON, "twin_line", "site", by, "${window}"), 12, 5),
            (loss_tree("twin_site", "site", "${window}"), 12, 14),
            (per_line, 12, 7),
            (other_figures("Made and used", MADE, "twin_line", "site", by, "${window}"), 12, 7),
            *((daily(kpi, rules, "twin_line", "site", by, "day"), 12, 8) for _, kpi, rules in lines),
        ],
        [*variables("site"), window("day", "month", "year")],
        begin="now-7d",
    )  # fmt: skip
