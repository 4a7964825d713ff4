"""What the twin says, as Readings for the store: figures of windows under their start time, faults and states under
theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from twin.catalogue import TWIN, fault_code, figure_code, score_code, state_code
from twin.frames import Estimate, Event, Floats, Readings, WindowFigures
from twin.kpis import KPIS
from twin.plant import Kind
from twin.states import STATES, column

__all__ = ["fault_readings", "outputs", "score_readings", "state_readings"]


def fault_readings(events: Iterable[Event]) -> Readings:
    """Beginnings (1) and ends (0) of faults as readings of measurement `event`."""
    rows = [(event.time_ns, event.unit, fault_code(event.code), float(event.began)) for event in events]
    times, units, codes, values = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Readings.of(times, units, codes, values)


def outputs(figures: Iterable[WindowFigures], kinds: Sequence[Kind]) -> Readings:
    """Every known figure as a reading of its unit, keyed by the window's start; `kinds` of the units, by code."""
    kind_of = np.array(kinds)
    times, units, signals, values = [], [], [], []
    for figure in figures:
        told = [(kpi.name, False, figure.kpis[kpi.name]) for kpi in KPIS if kpi.name in figure.kpis]
        told += [(kpi.name, True, figure.u[kpi.name]) for kpi in KPIS if kpi.uncertain and kpi.name in figure.u]
        mine = kind_of[figure.units]
        places = [(measurement, mine == kind) for kind, measurement in TWIN.items() if (mine == kind).any()]
        for name, is_u, value in told:
            code = np.empty(len(value), np.int16)
            for measurement, at in places:
                code[at] = figure_code(measurement, name, figure.window, u=is_u)
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


def state_readings(estimate: Estimate) -> Readings:
    """The estimated states that are known, each with its standard uncertainty, at the end of their minute."""
    units, signals, values = [], [], []
    for row in STATES:
        for is_u, value in zip((False, True), column(estimate, row), strict=True):
            known = np.isfinite(value)
            units.append(estimate.units[known])
            signals.append(np.full(int(known.sum()), state_code(row.name, u=is_u), np.int16))
            values.append(value[known])
    unit = np.concatenate(units)
    order = np.argsort(unit, kind="stable")
    time = np.full(len(unit), estimate.time_ns, np.int64)
    return Readings.of(time, unit[order], np.concatenate(signals)[order], np.concatenate(values)[order])


def score_readings(time_ns: int, scores: Mapping[str, Floats]) -> Readings:
    """What models said at the end of a minute: `scores` (units,) by roster code; what is not known is left out."""
    parts = []
    for name, values in scores.items():
        units = np.flatnonzero(np.isfinite(values)).astype(np.int32)
        times = np.full(len(units), time_ns, np.int64)
        parts.append(Readings.of(times, units, np.full(len(units), score_code(name), np.int16), values[units]))
    found = Readings.concat(parts)
    return found.take(np.argsort(found.unit, kind="stable"))
