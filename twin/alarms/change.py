"""What happens to single alarms: they become active, return, are annunciated, are given back by shelf or design."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from twin.alarms.moved import Moved
from twin.alarms.rows import ALARMS
from twin.alarms.state import ANNUNCIATED, AlarmState
from twin.frames import Ints

__all__ = ["activate", "annunciate", "change", "reappear", "released", "returned", "unshelve"]

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
    at = state.at(cells)
    state.active[at], state.acked[at] = True, False
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
    """People took these out of sight or gave them back: what is there when it comes back is told anew."""
    at = state.at(cells)
    state.acked[at] = ~state.active[at]
    reappear(state, cells)


def reappear(state: AlarmState, cells: Ints) -> None:
    """Inhibition changed. What is in sight again, is there and was not acknowledged before, is told anew; one that was
    acknowledged and has been there all the time still is; one that is over has gone."""
    at = state.at(cells)
    state.latched[at] = False
    visible = cells[~state.inhibited(cells)]
    there = state.active[state.at(visible)]
    gone = state.at(visible[~there])
    state.acked[gone] = True
    annunciate(state, visible[there & ~state.acked[state.at(visible)]])


def unshelve(state: AlarmState, cells: Ints) -> None:
    """The shelf gives these back."""
    state.shelf[state.at(cells)] = 0
    released(state, cells)
