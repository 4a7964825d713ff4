"""Ledgers of a line `s/L` filled from readings, and the figures of their windows."""

from __future__ import annotations

import numpy as np

from tests.core.plants import NOW_NS, NS, roster_of
from twin.accounting import LineLedger, Totals
from twin.frames import Floats, Readings
from twin.kpis import Basis, compute
from twin.signals import SIGNALS
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


def totals(ledger: LineLedger, window: Window = HOUR) -> Totals:
    """Sums of a window at the time of the newest reading."""
    return ledger.totals(window, ledger.newest_ns)


def figures(ledger: LineLedger, efficiency: float = 0.94, window: Window = HOUR) -> dict[str, Floats]:
    """Every KPI of a window, the line first."""
    rows = 1 + ledger.pots
    basis = Basis(np.full(rows, efficiency), np.zeros(rows), Instruments(0.0, 0.0))
    return {name: figure.value for name, figure in compute(totals(ledger, window), basis, window.kind).items()}
