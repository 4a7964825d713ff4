"""What happens to single alarms: they become active, return, are annunciated, are given back by shelf or design."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from twin.alarms.moved import Moved
from twin.alarms.rows import ALARMS
from twin.alarms.state import ANNUNCIATED, AlarmState
from twin.frames import Ints

__all__ = ["activate", "annunciate", "change", "released", "returned", "unshelve"]

_LATCHING = np.array([row.latching for row in ALARMS])
_ANNUNCIATED = np.array(ANNUNCIATED)


def change(
    state: AlarmState,
    cells: Ints,
    act: Callable[[AlarmState, Ints], None],
    event: str,
    moved: list[Moved],
    *,
    who: str = "",
    why: str = "",
) -> Ints:
    """Let `act` change these cells; note those whose state is another one after it, which are returned.

    Silencing an alarm that is not there is no transition anybody wants to read about.
    """
    before = state.shown(cells)
    there = state.active[state.at(cells)]
    act(state, cells)
    after = state.shown(cells)
    told = (before != after) | (event == "shelved")  # shelved anew: until another time
    if event in ("suppressed", "unsuppressed"):
        told &= there | np.isin(before, _ANNUNCIATED)
    alarm, unit = state.at(cells[told])
    if len(alarm):
        moved.append(Moved(state.time_ns, event, alarm, unit, before[told], after[told], who, why))
    found: Ints = cells[told]
    return found


def activate(state: AlarmState, cells: Ints) -> None:
    """The condition has held for its delay."""
    state.active[state.at(cells)] = True
    annunciate(state, cells[~state.inhibited(cells)])


def annunciate(state: AlarmState, cells: Ints) -> None:
    """Operators are told, and have to acknowledge."""
    at = state.at(cells)
    state.acked[at] = False
    state.latched[at] = _LATCHING[at[0]]
    state.told[at] = state.time_ns
    state.level[at] = 0


def returned(state: AlarmState, cells: Ints) -> None:
    """The condition is over."""
    state.active[state.at(cells)] = False


def released(state: AlarmState, cells: Ints) -> None:
    """After inhibition changed: what is inhibited is off the list; what is not any more is there anew, if active."""
    at = state.at(cells)
    state.acked[at], state.latched[at] = True, False
    annunciate(state, cells[state.active[at] & ~state.inhibited(cells)])


def unshelve(state: AlarmState, cells: Ints) -> None:
    """The shelf gives these back."""
    state.shelf[state.at(cells)] = 0
    released(state, cells)
