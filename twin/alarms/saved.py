"""The alarm system's state to bytes and back: a process that starts from them goes on as if it had never stopped.

Only what differs from a unit that nothing ever happened to is written, under the names of alarms and units: a table
with another row, or a plant with another pot, reads it all the same. Nothing is executed on reading (`twin.packing`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.alarms.conditions import CONDITIONS
from twin.alarms.layout import Layout
from twin.alarms.machine import REALARM
from twin.alarms.rows import ALARMS
from twin.alarms.state import COVERS, NEVER, AlarmState
from twin.errors import PayloadError
from twin.packing import pack, unpack
from twin.units import NS_PER_S

__all__ = ["from_bytes", "to_bytes"]

KIND = "smelter-twin alarms 1"
_REMEMBERED_NS = 72 * 3600 * NS_PER_S  # longer than any data is read back after a restart (`engine.horizon_h`)
_NAMES = {"alarm": [row.code for row in ALARMS], "condition": [condition.name for condition in CONDITIONS]}
_OF_ALARMS = [
    name for name, rows, _, _ in AlarmState.columns() if rows == len(ALARMS) and name not in ("held", "begun")
]
_TABLES = {"alarm": _OF_ALARMS, "condition": ["held", "begun"]}


def _wanted(state: AlarmState) -> dict[str, NDArray[np.bool_]]:
    fresh = state.time_ns - _REMEMBERED_NS
    alarm = state.raw | state.active | ~state.acked | state.latched | state.out | (state.shelf > 0)
    alarm |= (state.due != NEVER) | (state.heard > fresh)
    return {"alarm": alarm, "condition": (state.held > 0) | (state.begun > fresh)}


def to_bytes(layout: Layout, state: AlarmState) -> bytes:
    """Everything a later process needs to go on."""
    arrays: dict[str, NDArray[Any]] = {}
    places = {kind: np.nonzero(mask) for kind, mask in _wanted(state).items()}
    units = sorted({int(unit) for _, found in places.values() for unit in found})
    place = {unit: n for n, unit in enumerate(units)}
    for kind, (rows, found) in places.items():
        arrays[f"{kind}.row"] = rows.astype(np.int32)
        arrays[f"{kind}.unit"] = np.array([place[unit] for unit in found.tolist()], np.int32)
        for name in _TABLES[kind]:
            arrays[f"{kind}.{name}"] = getattr(state, name)[rows, found]
    head = {
        "time_ns": state.time_ns,
        "rows": _NAMES,
        "units": [layout.paths[unit] for unit in units],
        "notes": {
            kind: [[_NAMES[_kind(kind)][row], layout.paths[unit], *note] for (row, unit), note in notes.items()]
            for kind, notes in state.notes.items()
        },
        "evidence": [
            [ALARMS[row].code, layout.paths[unit], text]
            for (row, unit), text in state.evidence.items()
            if state.active[row, unit]
        ],
    }
    return pack(KIND, head, arrays)


def _kind(note: str) -> str:
    return "condition" if note == "held" else "alarm"


def from_bytes(layout: Layout, data: bytes) -> AlarmState:
    """The state; what is of alarms or units that are no more is left out. Raises PayloadError."""
    head, arrays = unpack(KIND, data)
    state = AlarmState(len(layout))
    codes = {path: unit for unit, path in enumerate(layout.paths)}
    rows_of = {kind: {name: n for n, name in enumerate(names)} for kind, names in _NAMES.items()}
    try:
        units = np.array([codes.get(path, -1) for path in head["units"]], np.int64)
        for kind, columns in _TABLES.items():
            known = np.array([rows_of[kind].get(name, -1) for name in head["rows"][kind]], np.int64)
            rows, at = known[arrays[f"{kind}.row"]], units[arrays[f"{kind}.unit"]]
            kept = (rows >= 0) & (at >= 0)
            for name in columns:
                getattr(state, name)[rows[kept], at[kept]] = arrays[f"{kind}.{name}"][kept]
        for kind, notes in head["notes"].items():
            for name, path, who, why, when in notes:
                row = rows_of[_kind(kind)].get(name)
                if row is not None and path in codes:
                    state.notes[kind][row, codes[path]] = (str(who), str(why), int(when))
        for name, path, text in head["evidence"]:
            if name in rows_of["alarm"] and path in codes:
                state.evidence[rows_of["alarm"][name], codes[path]] = str(text)
        state.time_ns = state.moment_ns = int(head["time_ns"])
    except (ValueError, KeyError, TypeError, IndexError, OverflowError) as error:
        raise PayloadError("checkpoint", f"not a state of alarms: {error}") from error
    state.silenced = (COVERS.astype(np.int64).T @ (state.held > 0)) > 0
    state.schedule(REALARM)
    return state
