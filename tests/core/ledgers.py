"""Ledgers of a line `s/L` filled from readings, and the figures of their windows."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from tests.core.plants import NOW_NS, NS, roster_of
from twin.accounting import LineLedger
from twin.frames import Floats, Readings
from twin.kpis import Basis, compute
from twin.signals import SIGNALS
from twin.totals import Totals, gather, rows_of
from twin.uncertainty import Instruments
from twin.units import SI
from twin.windows import Window

HOUR = Window(NOW_NS, NOW_NS + 3600 * NS, "hour")
DAY = Window(NOW_NS - 6 * 3600 * NS, NOW_NS + 18 * 3600 * NS, "day")
FACTOR = np.array([SI[signal.unit][0] for signal in SIGNALS])
OFFSET = np.array([SI[signal.unit][1] for signal in SIGNALS])


def ledger_of(pots: int, *, horizon_h: int = 36, period: float = 1.0, rollover: float = 1e9) -> LineLedger:
    """An empty ledger; unit 0 is the line, and the row of a pot is its unit."""
    ((_, line),) = roster_of(pots, period=period, rollover=rollover).plant.lines()
    return LineLedger(line, pots, horizon_h)


def add(ledger: LineLedger, readings: Readings) -> None:
    """Book readings."""
    ledger.add(
        readings, readings.unit.astype(np.int64), readings.value * FACTOR[readings.signal] + OFFSET[readings.signal]
    )


def filled(pots: int, *parts: Readings, period: float = 1.0, rollover: float = 1e9) -> LineLedger:
    """A ledger with these readings, settled."""
    ledger = ledger_of(pots, period=period, rollover=rollover)
    for part in parts:
        add(ledger, part)
    ledger.settle()
    return ledger


def site_totals(ledger: LineLedger, window: Window = HOUR, offset: Floats | None = None) -> Totals:
    """Sums of a window at the time of the newest reading: the line, its pots, its sections of two pots, the site."""
    roster = roster_of(ledger.pots)
    elapsed_s = (min(ledger.newest_ns, window.end_ns) - window.start_ns) / NS
    sums = ledger.sums(window, np.zeros(ledger.pots) if offset is None else offset)
    return gather(rows_of(roster, roster.codes["s"]), [sums], elapsed_s)


def first_rows(totals: Totals, rows: int) -> Totals:
    """The first rows: those of the first line and its pots, where `rows` is one more than it has pots."""
    kept = {field.name: getattr(totals, field.name)[..., :rows] for field in fields(Totals)}
    return Totals(**{**kept, "site": np.full(rows, -1)})


def totals(ledger: LineLedger, window: Window = HOUR) -> Totals:
    """Sums of a window at the time of the newest reading: the line and its pots."""
    return first_rows(site_totals(ledger, window), 1 + ledger.pots)


def figures(ledger: LineLedger, efficiency: float = 0.94, window: Window = HOUR) -> dict[str, Floats]:
    """Every KPI of a window, the line first, then its pots."""
    rows = 1 + ledger.pots
    basis = Basis(np.full(rows, efficiency), np.zeros(rows), Instruments(0.0, 0.0))
    return {name: figure.value for name, figure in compute(totals(ledger, window), basis, window.kind).items()}
