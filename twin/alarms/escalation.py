"""Nobody has acknowledged: whom to tell as well, step by step. A step is taken once; it is remembered in the state."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from twin.alarms.layout import Layout
from twin.alarms.moved import Transition
from twin.alarms.routing import AlarmFile, steps
from twin.alarms.state import UNACKED, AlarmState
from twin.alarms.views import as_transitions, standing
from twin.plant import Plant
from twin.units import NS_PER_S

__all__ = ["Escalated", "escalate"]

DONE = 255  # no step is left


class Escalated(NamedTuple):
    """One alarm, the step from 1, and the channels that are told."""

    transition: Transition
    level: int
    to: list[str]


def escalate(file: AlarmFile, plant: Plant, layout: Layout, state: AlarmState) -> list[Escalated]:
    """Take every step that is due at the state's time. Alarms that are over are not escalated."""
    if not any(route.escalate for route in file.routes):
        return []
    cells = standing(state, UNACKED)
    cells = cells[state.level[state.at(cells)] < DONE]
    found = []
    for cell in cells.tolist():
        at = divmod(cell, state.units)
        (one,) = as_transitions(layout, state, np.array([cell]), "escalated")
        told_ns = int(state.told[at])
        mine = steps(file, plant, one.unit, one.code, told_ns)
        while (level := int(state.level[at])) < min(len(mine), DONE - 1):
            after_s, to = mine[level]
            if state.time_ns < told_ns + int(after_s * NS_PER_S):
                break
            state.level[at] = level + 1
            why = f"not acknowledged for {after_s / 60:g} min: {', '.join(to)}"
            (moved,) = as_transitions(layout, state, np.array([cell]), "escalated", why)
            found.append(Escalated(moved, level + 1, to))
        if int(state.level[at]) >= len(mine):
            state.level[at] = DONE
    return found
