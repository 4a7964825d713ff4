"""What the twin says, as Readings for the store: figures of windows under their start time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from twin.frames import Readings, WindowFigures
from twin.kpis import output_code

__all__ = ["outputs"]


def outputs(figures: Iterable[WindowFigures]) -> Readings:
    """Every known figure as a reading of twin_line (first unit) or twin_pot, keyed by the window's start."""
    times, units, signals, values = [], [], [], []
    for figure in figures:
        for name, value in figure.kpis.items():
            code = np.full(len(value), output_code("twin_pot", name, figure.window), np.int16)
            code[0] = output_code("twin_line", name, figure.window)
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
