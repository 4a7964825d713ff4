"""What an edition of a standard lets be taken off the metered energy: switchable, off unless the plan file says so.

Every window records what was taken off (`deducted_kwh`), so that a figure never hides it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from twin.units import NS_PER_S, to_si

__all__ = ["Deduction", "Given", "given_energy", "takes_stopped"]


class Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Energy that the plant says was used for something else: `kwh` of one line, spread evenly from `from` to `to`.

    Start-up electricity of a pot, desulphurisation: what no meter of the twin tells apart.
    """

    line: str
    from_: Annotated[datetime, Meta(tz=True)]
    to: Annotated[datetime, Meta(tz=True)]
    kwh: Annotated[float, Meta(ge=0)]


class Deduction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the plan file. `kind`: stopped_pots (AC lost in short-circuited pots, as the twin measures it), or
    given (`entries`). `on`: taken off; rows that are off say what the edition would allow."""

    id: Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,64}\Z")]
    title: str
    kind: Literal["stopped_pots", "given"]
    source: str
    sure: Literal["P", "S", "D", "U"]
    on: bool = False
    entries: list[Given] = []


def takes_stopped(deductions: Sequence[Deduction]) -> bool:
    """Whether what stopped pots lose is taken off."""
    return any(row.on and row.kind == "stopped_pots" for row in deductions)


def given_energy(deductions: Sequence[Deduction], line: str, start_ns: int, end_ns: int) -> float:
    """Energy [J] that the plant gives for a line (its path) within a window: each entry by the time they share."""
    total = 0.0
    for entry in (entry for row in deductions if row.on for entry in row.entries if entry.line == line):
        first, last = (int(moment.timestamp() * NS_PER_S) for moment in (entry.from_, entry.to))
        shared = min(last, end_ns) - max(first, start_ns)
        if shared > 0:
            total += to_si(entry.kwh, "kWh") * shared / (last - first)
    return total
