"""The journal of alarms -> figures of operating positions: for the page, the store and the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from twin.alarms.chain import Entry, Selection
from twin.alarms.figures import Figures, figures
from twin.alarms.log import log_of
from twin.alarms.moved import Transition

__all__ = ["Journal", "between", "figures_of"]

PART = 5000  # rows of the journal read at once


class Journal(Protocol):
    """What figures want of an alarm book."""

    def entries(self, chosen: Selection) -> list[Entry]:
        """Rows in order. Raises SinkUnavailable."""
        ...


def between(journal: Journal, start_ns: int, end_ns: int) -> Iterator[Transition]:
    """Transitions in [start, end), in order, a bounded part read at once. Raises SinkUnavailable."""
    chosen = Selection(since_ns=start_ns, until_ns=end_ns, limit=PART, newest=False)
    while part := journal.entries(chosen):
        yield from (entry.transition for entry in part)
        chosen = replace(chosen, after=part[-1].number)


def figures_of(journal: Journal, positions: Mapping[str, Sequence[str]], start_ns: int, end_ns: int) -> list[Figures]:
    """Figures of every position (name -> areas) over [start, end). Raises SinkUnavailable."""
    there = list(between(journal, start_ns, end_ns))
    return [figures(log_of(there, areas), name, start_ns, end_ns) for name, areas in positions.items()]
