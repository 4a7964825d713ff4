"""Faults that watch columns of the features: once a minute, every row over all pots or lines.

What explains a condition (`Fault.not_while`) is worked out in the same minute, for the rows that watch signals too.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from twin.faults import FAULTS, TIMED, FaultState, turn
from twin.features import FEATURES, LINE_FEATURES, Minute
from twin.frames import Event, Floats

__all__ = ["column_of", "watch_minute"]

_POT = {row.name: n for n, row in enumerate(FEATURES)}
_LINE = {row.name: n for n, row in enumerate(LINE_FEATURES)}
_START_UP = next(n for n, fault in enumerate(FAULTS) if fault.code == "start_up")
_MINUTE_ROWS = tuple(n for n, fault in enumerate(FAULTS) if fault.of != "signal")
# mean set point [V] above that of the hour, or of the day, before: no controller raises all pots at once by itself (U)
RAISED = {"set_mean_10m_1h": 0.004, "set_mean_1h_1d": 0.012}


def column_of(name: str, of: str) -> int:
    """Place of a column among those of pots or lines; raises KeyError."""
    return (_LINE if of == "line" else _POT)[name]


def watch_minute(state: FaultState, minute: Minute) -> Iterator[Event]:
    """The minute that is over: what is explained, then who begins and who ends."""
    _explain(state, minute)
    for index in _MINUTE_ROWS:
        fault = FAULTS[index]
        values, units = (minute.line_values, minute.lines) if fault.of == "line" else (minute.values, minute.units)
        seen = values[:, column_of(fault.signal, fault.of)]
        spoken = np.full(len(seen), minute.time_ns)
        yield from turn(state, index, minute.time_ns, seen, np.isfinite(seen), spoken, units, units)


def _explain(state: FaultState, minute: Minute) -> None:
    now = _explanations(state, minute)
    state.explained[:] = False
    for index, fault in enumerate(FAULTS):
        for name, minutes in fault.explained_by:
            if name in TIMED:
                since = minute.values[:, _POT[f"since_{name}"]]
                state.explained[index, minute.units] |= np.nan_to_num(since, nan=np.inf) <= minutes
            elif fault.of == "line":
                state.explained[index, minute.lines] |= now[name]
            else:
                of_pots = now[name] if name == "start_up" else now[name][minute.line_of]
                state.explained[index, minute.units] |= of_pots


def _explanations(state: FaultState, minute: Minute) -> dict[str, NDArray[np.bool_]]:
    def line(name: str) -> Floats:
        return minute.line_values[:, _LINE[name]]

    raised = np.zeros(len(minute.lines), bool)
    for name, least in RAISED.items():
        raised |= np.nan_to_num(line(name), nan=-np.inf) > least
    return {
        "start_up": state.active[_START_UP, minute.units],
        "modulation": raised,
        "line_quiet": ~np.isfinite(line("current_now")),
    }
