"""The boards, from the plant down to a pot."""

from __future__ import annotations

from dashboards.board import Board
from dashboards.boards import alarms, energy, ingest, maintenance, metrics, overview, pot, potline
from dashboards.tables import Source

__all__ = ["boards"]


def boards(source: Source) -> list[Board]:
    """Every board, in the order of the links above them."""
    modules = (overview, potline, pot, energy, alarms, maintenance, ingest, metrics)
    return [module.board(source) for module in modules]
