"""What the twin says, as Readings for the store: figures of windows under their start time, faults under theirs."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from twin.catalogue import TWIN_LINE, TWIN_POT, fault_code, figure_code
from twin.frames import Event, Readings, WindowFigures
from twin.kpis import KPIS

__all__ = ["fault_readings", "outputs"]


def fault_readings(events: Iterable[Event]) -> Readings:
    """Beginnings (1) and ends (0) of faults as readings of measurement `event`."""
    rows = [(event.time_ns, event.unit, fault_code(event.code), float(event.began)) for event in events]
    times, units, codes, values = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Readings.of(times, units, codes, values)


def outputs(figures: Iterable[WindowFigures]) -> Readings:
    """Every known figure as a reading of twin_line (first unit) or twin_pot, keyed by the window's start."""
    times, units, signals, values = [], [], [], []
    for figure in figures:
        told = [(kpi.name, False, figure.kpis[kpi.name]) for kpi in KPIS if kpi.name in figure.kpis]
        told += [(kpi.name, True, figure.u[kpi.name]) for kpi in KPIS if kpi.uncertain and kpi.name in figure.u]
        for name, is_u, value in told:
            code = np.full(len(value), figure_code(TWIN_POT, name, figure.window, u=is_u), np.int16)
            code[0] = figure_code(TWIN_LINE, name, figure.window, u=is_u)
            known = np.isfinite(value)
            times.append(np.full(int(known.sum()), figure.start_ns, np.int64))
            units.append(figure.units[known])
            signals.append(code[known])
            values.append(value[known])
    if not times:
        return Readings.empty()
    value = np.concatenate(values)
    order = np.lexsort((np.concatenate(units), np.concatenate(times)))
    return Readings(
        np.concatenate(times)[order],
        np.concatenate(units)[order],
        np.concatenate(signals)[order],
        value[order],
        np.zeros(len(value), np.uint8),
    )
