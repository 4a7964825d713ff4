"""`twin size`: what a plant of so many pots needs, each figure with its sum."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from twin.sizing import Load, Row, rows

__all__ = ["size"]


def size(
    pots: Annotated[int, typer.Option(min=1, max=10_000_000, help="Pots of all lines.")],
    period: Annotated[float, typer.Option(min=0.01, max=3600, help="Seconds between two samples of a pot.")] = 1.0,
    outage: Annotated[float, typer.Option(min=0, help="Minutes that a process may be away.")] = 30.0,
    batched: Annotated[bool, typer.Option("--batched", help="Sent as messages of whole sections (20 pots).")] = False,
) -> None:
    """Print messages, bytes, cores, memory and disk that a plant needs, with the arithmetic."""
    table = Table("what", "need", "unit", "how", title_justify="left")
    for row in rows(Load(pots, period, outage, batched)):
        table.add_row(row.what, _number(row), row.unit, row.how)
    console = Console()
    console.print(table)
    console.print("Measured on two shared cores, see docs/scale.md: measure on your own machine before you buy.")


def _number(row: Row) -> str:
    """Three digits, or all of them where it counts something."""
    return f"{row.value:,.0f}" if row.value >= 100 else f"{row.value:.3g}"
