"""The state machine of ISA-18.2 / IEC 62682 over all alarms and units at once: (state, inputs, time) -> transitions.

Time goes on second by second, but only those are looked at in which something is heard or due. Within one second:
conditions of pots, conditions of alarms, root alarms from the widest to the narrowest, then all others, those that
silence before those that they silence, so that what another stands for is never annunciated beside it. Going on in
several steps gives the same transitions as in one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twin.alarms.change import activate, annunciate, change, reappear, returned, unshelve
from twin.alarms.conditions import CONDITIONS
from twin.alarms.inputs import Inputs
from twin.alarms.layout import Layout
from twin.alarms.moved import Moved
from twin.alarms.rows import ALARMS, index_of
from twin.alarms.state import ACKED, COVERS, NEVER, AlarmState
from twin.frames import Ints
from twin.units import NS_PER_S

__all__ = ["FEWEST", "REALARM", "advance", "declare", "follow"]

FEWEST = 3  # pots below which a section or line has no root alarm of silence: each pot speaks for itself


def _ns(name: str) -> Ints:
    return np.array([int(getattr(row, name) * NS_PER_S) for row in ALARMS], np.int64)


_ON, _OFF, REALARM = _ns("on_delay_s"), _ns("off_delay_s"), _ns("realarm_s")
_COUNTED = [(n, index_of(row.counts), row) for n, row in enumerate(ALARMS) if row.counts]
_IS = {  # alarm -> the conditions that it is
    index_of(c.alarm): [n for n, other in enumerate(CONDITIONS) if other.alarm == c.alarm]
    for c in CONDITIONS
    if c.alarm
}


def _depth(code: str) -> int:
    """After how many other alarms of the same unit one is settled, because they silence it."""
    above = [c.alarm for c in CONDITIONS if c.alarm and code in c.silences and not ALARMS[index_of(c.alarm)].is_root]
    return max((1 + _depth(other) for other in above), default=0)


_STAGES: list[Ints] = [np.array([n]) for n, row in enumerate(ALARMS) if row.is_root]
_DEPTH = [_depth(row.code) for row in ALARMS]
_STAGES += [np.array([n for n, row in enumerate(ALARMS) if not row.is_root and _DEPTH[n] == depth])
            for depth in range(max(_DEPTH) + 1)]  # fmt: skip


def advance(layout: Layout, state: AlarmState, inputs: Inputs, now_ns: int) -> list[Moved]:
    """Take inputs and let time go on to `now_ns`. Inputs of before the state's time came late and count now."""
    state.grow(len(layout))
    moved: list[Moved] = []
    until_ns = max(now_ns, state.time_ns)
    heard = np.minimum(inputs.time_ns, until_ns)
    place = 0
    while True:
        # What is late is taken in its own order, with its own delays; only what follows from it is told as of now.
        moment_ns = min(int(heard[place]) if place < len(heard) else NEVER, state.next_ns)
        if moment_ns > until_ns:
            break
        end = int(np.searchsorted(heard, moment_ns, "right"))
        state.moment_ns, state.time_ns = moment_ns, max(moment_ns, state.time_ns)
        _second(layout, state, inputs, slice(place, end), moved)
        place = end
    state.moment_ns = state.time_ns = until_ns
    return moved


def _second(layout: Layout, state: AlarmState, inputs: Inputs, rows: slice, moved: list[Moved]) -> None:
    """Everything that is heard or due in the second of `state.moment_ns`."""
    of_pots = _conditions(state, inputs, rows)
    silence = _heard(state, inputs, rows)
    due = state.next_ns <= state.moment_ns
    if not (of_pots or silence is not None or due):
        return
    if silence:
        _count(layout, state)
    _settle_conditions(layout, state, of_pots | _expired(state), moved)
    over = np.flatnonzero((state.shelf > 0) & (state.shelf <= state.moment_ns))
    if len(over):
        for cell in zip(*state.at(over), strict=True):
            state.notes["shelf"].pop((int(cell[0]), int(cell[1])), None)
        change(state, over, unshelve, "shelf_expired", moved)
    for stage in _STAGES:
        _switch(layout, state, stage, moved)
    again = _again(state)
    if len(again):
        change(state, again, annunciate, "realarmed", moved)
    state.schedule(REALARM)


def _conditions(state: AlarmState, inputs: Inputs, rows: slice) -> set[tuple[int, int]]:
    """Conditions of pots that crews tell of: (condition, unit) whose times changed."""
    changed = set()
    which = np.flatnonzero(inputs.condition[rows] >= 0) + rows.start
    for n in which.tolist():
        row, unit, at = int(inputs.condition[n]), int(inputs.unit[n]), int(inputs.at_ns[n])
        if at <= state.begun[row, unit] or not (inputs.on[n] or state.held[row, unit]):
            continue
        state.begun[row, unit] = at
        lasts = CONDITIONS[row].holds_s if inputs.on[n] else CONDITIONS[row].linger_s
        state.held[row, unit] = at + int(lasts * NS_PER_S)
        changed.add((row, unit))
    return changed


def _heard(state: AlarmState, inputs: Inputs, rows: slice) -> bool | None:
    """Note the conditions of alarms; whether a counted one changed, None where none did at all."""
    which = np.flatnonzero(inputs.alarm[rows] >= 0) + rows.start
    changed: bool | None = None
    while len(which):
        cell = inputs.alarm[which] * state.units + inputs.unit[which]
        _, first = np.unique(cell, return_index=True)  # one after the other where a cell is heard of twice
        now, which = which[np.sort(first)], np.delete(which, first)
        alarm, unit, on = inputs.alarm[now], inputs.unit[now], inputs.on[now] > 0
        newer = inputs.at_ns[now] > state.heard[alarm, unit]
        _note(state, inputs, alarm[newer], unit[newer])  # of an anomaly that is there another cause may be told
        newer &= on != state.raw[alarm, unit]
        now, alarm, unit, on = now[newer], alarm[newer], unit[newer], on[newer]
        if not len(now):
            continue
        changed = bool(changed) or bool(np.isin(alarm, [counted for _, counted, _ in _COUNTED]).any())
        state.heard[alarm, unit] = inputs.at_ns[now]
        for column, given in ((state.value, inputs.value), (state.limit, inputs.limit)):
            column[alarm[on], unit[on]] = given[now[on]]
        _turn(state, alarm, unit, on, inputs.at_ns[now])
    return changed


def _note(state: AlarmState, inputs: Inputs, alarm: Ints, unit: Ints) -> None:
    for key in {*zip(alarm.tolist(), unit.tolist(), strict=True)} & inputs.evidence.keys():
        state.evidence[key] = inputs.evidence[key]


def _turn(state: AlarmState, alarm: Ints, unit: Ints, on: np.ndarray[tuple[int], np.dtype[np.bool_]], at: Ints) -> None:
    """The conditions of these cells turn; the delay begins, or is over if they are back where they were."""
    state.raw[alarm, unit] = on
    fresh = on & ~state.active[alarm, unit]
    state.since[alarm[fresh], unit[fresh]] = at[fresh]
    due = state.moment_ns + np.where(on, _ON[alarm], _OFF[alarm])
    state.due[alarm, unit] = np.where(on == state.active[alarm, unit], NEVER, due)


def _count(layout: Layout, state: AlarmState) -> None:
    """Root alarms that follow from how many below are silent."""
    for root, counted, row in _COUNTED:
        share = layout.share(row.scope, state.raw[counted], FEWEST)
        begin, end = row.share
        units = np.flatnonzero(np.array([kind == row.scope for kind in layout.kinds]))
        on = np.where(state.raw[root, units], share[units] > end, share[units] >= begin)
        turned = on != state.raw[root, units]
        units, on = units[turned], on[turned]
        if len(units):
            at = np.full(len(units), state.moment_ns)
            state.value[root, units[on]], state.limit[root, units[on]] = 100 * share[units[on]], 100 * begin
            _turn(state, np.full(len(units), root), units, on, at)


def _expired(state: AlarmState) -> set[tuple[int, int]]:
    rows, units = np.nonzero((state.held > 0) & (state.held <= state.moment_ns))
    return set(zip(rows.tolist(), units.tolist(), strict=True))


def _settle_conditions(layout: Layout, state: AlarmState, changed: set[tuple[int, int]], moved: list[Moved]) -> None:
    """Silence and unsilence what follows from the conditions whose times changed."""
    for row in sorted({row for row, _ in changed}):
        units = np.array(sorted(unit for of, unit in changed if of == row))
        held = state.held[row, units]
        over = held <= state.moment_ns
        state.held[row, units[over]] = 0
        for which, event in ((units[~over], "suppressed"), (units[over], "unsuppressed")):
            _silence(state, row, which, event, moved)


def _silence(state: AlarmState, row: int, units: Ints, event: str, moved: list[Moved]) -> None:
    """The alarms that a condition covers at these units, as all conditions now have it."""
    alarms = np.flatnonzero(COVERS[row])
    if not len(units):
        return
    silenced = (COVERS.astype(np.int64).T @ (state.held[:, units] > 0)) > 0  # (alarms, these units)
    differs = silenced[alarms] != state.silenced[np.ix_(alarms, units)]
    which, where = np.nonzero(differs)
    cells = alarms[which] * state.units + units[where]

    def act(state: AlarmState, cells: Ints) -> None:
        at = state.at(cells)
        state.silenced[at] = silenced[alarms[which], where]
        reappear(state, cells)

    if len(cells):
        change(state, cells, act, event, moved, why=CONDITIONS[row].name)


def _hold(layout: Layout, state: AlarmState, alarm: int, units: Ints, moved: list[Moved]) -> None:
    """An alarm that is itself a condition has come at these units: it holds for those below them, or for them."""
    for row in _IS[alarm]:
        _of_alarm(layout, state, (alarm, row), units, CONDITIONS[row].holds_s, moved)


def _release(layout: Layout, state: AlarmState, alarm: int, units: Ints, moved: list[Moved]) -> None:
    """It has gone: what it silenced speaks again when it has lingered."""
    for row in _IS[alarm]:
        _of_alarm(layout, state, (alarm, row), units, CONDITIONS[row].linger_s, moved)


def _of_alarm(
    layout: Layout, state: AlarmState, which: tuple[int, int], units: Ints, lasts_s: float, moved: list[Moved]
) -> None:
    alarm, row = which
    reached = units
    if ALARMS[alarm].is_root:
        reached = np.concatenate([units, *(layout.below(unit) for unit in units.tolist())])
    if len(reached):
        state.held[row, reached] = state.moment_ns + int(lasts_s * NS_PER_S)
        _settle_conditions(layout, state, {(row, int(unit)) for unit in reached}, moved)


def _switch(layout: Layout, state: AlarmState, stage: Ints, moved: list[Moved]) -> None:
    """Alarms of this stage whose delay is over become active or return."""
    which, unit = np.nonzero(state.due[stage] <= state.moment_ns)
    if not len(which):
        return
    alarm = stage[which]
    on = state.raw[alarm, unit]
    state.due[alarm, unit] = NEVER
    cells = alarm * state.units + unit
    for turned, act, event in ((on, activate, "activated"), (~on, returned, "returned")):
        if turned.any():
            change(state, cells[turned], act, event, moved)
    for n in stage.tolist():
        if n in _IS:
            for turned, then in ((on, _hold), (~on, _release)):
                units = unit[turned & (alarm == n)]
                units = units[~state.out[n, units]]
                if len(units):
                    then(layout, state, n, units, moved)


def _again(state: AlarmState) -> Ints:
    """Alarms that were acknowledged so long ago, and are still there, that they are told again."""
    due = (state.known + REALARM[:, None] <= state.moment_ns) & (REALARM > 0)[:, None]
    cells = np.flatnonzero(state.known_since() & due)
    found: Ints = cells[state.shown(cells) == ACKED]
    return found


def follow(layout: Layout, state: AlarmState, cells: Ints, moved: list[Moved]) -> None:
    """Alarms went out of service or came back: one that nobody is told of stands for no other."""
    alarms, units = state.at(cells)
    for n in set(alarms.tolist()) & _IS.keys():
        mine = units[(alarms == n) & state.active[alarms, units]]
        for out, then in ((True, _release), (False, _hold)):
            some = mine[state.out[n, mine] == out]
            if len(some):
                then(layout, state, n, some, moved)


def declare(
    layout: Layout, state: AlarmState, row: int, units: Ints, until_ns: int, moved: list[Moved], who: str, why: str
) -> None:
    """A person says that a condition holds at these pots until a time, or (0) that it does not."""
    state.held[row, units] = until_ns or state.moment_ns
    before = len(moved)
    _settle_conditions(layout, state, {(row, unit) for unit in units.tolist()}, moved)
    note = f"{CONDITIONS[row].name}: {why}"
    moved[before:] = [replace(group, who=who, why=note) for group in moved[before:]]
