"""What people may do to alarms, and who may: acknowledge, reset, shelve, take out of service, declare a condition.

Pure: (state, command) -> (transitions, answer). The same for the page, the HTTP API, the command line and MQTT.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from twin.alarms.change import change, released, unshelve
from twin.alarms.conditions import DECLARED, condition_index
from twin.alarms.layout import Layout
from twin.alarms.machine import REALARM, declare, follow
from twin.alarms.moved import Moved
from twin.alarms.rows import ALARMS, index_of
from twin.alarms.state import (
    LATCHED_ACKED,
    LATCHED_UNACKED,
    RETURNED,
    UNACKED,
    AlarmState,
)
from twin.frames import Ints
from twin.times import iso
from twin.units import NS_PER_S

__all__ = ["ACTIONS", "ROLES", "Answer", "Command", "Role", "command"]

Role = Literal["viewer", "operator", "engineer"]
ROLES: tuple[Role, ...] = ("viewer", "operator", "engineer")
Status = Literal["done", "nothing", "unknown", "not_allowed", "wrong"]
LONGEST_SHELF_S: Mapping[str, float] = MappingProxyType({"operator": 12 * 3600.0, "engineer": 14 * 86400.0})
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
_LONGEST_WHY = 500


class Action(NamedTuple):
    """One row: least role, whether one alarm has to be named, whether a reason and an end are wanted."""

    role: Role
    one_code: bool
    why: bool
    until: bool
    help: str


ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "ack": Action("operator", False, False, False, "acknowledge what is not acknowledged"),
        "reset": Action("operator", False, False, False, "let go of latched alarms that are acknowledged and over"),
        "shelve": Action("operator", True, True, True, "out of sight until a time; comes back by itself"),
        "unshelve": Action("operator", False, False, False, "bring back before that time"),
        "remove": Action("engineer", True, True, False, "out of service until it is restored"),
        "restore": Action("engineer", False, False, False, "back in service"),
        "declare": Action("engineer", True, True, True, f"a condition of the pot: {', '.join(DECLARED)}"),
        "withdraw": Action("engineer", True, False, False, "the declared condition is over"),
    }
)


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`unit`: a path, `path/*` for all below it, "" for all; `code`: an alarm, or the condition declared; "" = all."""

    action: str
    who: str
    role: Role = "operator"
    unit: str = ""
    code: str = ""
    why: str = ""
    until_ns: int = 0


class Answer(msgspec.Struct, frozen=True):
    """What became of a command: how many alarms moved; `detail` says what would be allowed."""

    status: Status
    count: int = 0
    detail: str = ""


class Declined(Exception):
    """Why a command is not carried out."""

    def __init__(self, status: Status, detail: str) -> None:
        super().__init__(detail)
        self.answer = Answer(status, 0, detail)


def command(layout: Layout, state: AlarmState, asked: Command, now_ns: int) -> tuple[list[Moved], Answer]:
    """Carry out a command at `now_ns`, which is not before the state's time."""
    state.grow(len(layout))
    state.moment_ns = state.time_ns = max(now_ns, state.time_ns)
    moved: list[Moved] = []
    try:
        _check(asked, state.time_ns)
        if asked.action in ("declare", "withdraw"):
            count = _condition(layout, state, asked, moved)
        else:
            cells = _cells(layout, state, asked)
            count = len(_DO[asked.action](layout, state, cells, asked, moved))
    except Declined as declined:
        return moved, declined.answer
    state.schedule(REALARM)
    if not count:
        return moved, Answer("nothing", 0, f"no alarm there that one could {asked.action}")
    return moved, Answer("done", count)


def _check(asked: Command, now_ns: int) -> None:
    action = ACTIONS.get(asked.action)
    if action is None:
        raise Declined("wrong", f"{asked.action!r:.40} is not one of {', '.join(ACTIONS)}")
    if not _NAME.fullmatch(asked.who):
        raise Declined("wrong", "a user name of 1 to 64 characters is wanted")
    if ROLES.index(asked.role) < ROLES.index(action.role):
        raise Declined("not_allowed", f"{asked.action} is for {action.role}s; {asked.who} is {asked.role}")
    if action.one_code and not asked.code:
        raise Declined("wrong", f"{asked.action}: name the alarm (or condition) by its code")
    if (action.why and not asked.why.strip()) or len(asked.why) > _LONGEST_WHY:
        raise Declined("wrong", f"{asked.action}: say why, in at most {_LONGEST_WHY} characters")
    if not action.until:
        return
    if asked.until_ns <= now_ns:
        raise Declined("wrong", f"{asked.action}: until when? A time after {iso(now_ns)} is wanted")
    longest = LONGEST_SHELF_S[asked.role] if asked.action == "shelve" else 60 * 86400.0
    if asked.until_ns > now_ns + longest * NS_PER_S:
        raise Declined("not_allowed", f"{asked.action}: at most {longest / 3600:g} h for {asked.role}s")


def _units(layout: Layout, path: str) -> Ints:
    if not path:
        return np.arange(len(layout))
    inside = path.endswith("/*")
    name = path.removesuffix("/*")
    if name not in layout.paths:
        raise Declined("unknown", f"there is no unit {name!r:.80}")
    unit = layout.paths.index(name)
    return layout.below(unit) if inside else np.array([unit])


def _cells(layout: Layout, state: AlarmState, asked: Command) -> Ints:
    units = _units(layout, asked.unit)
    try:
        alarms = np.array([index_of(asked.code)]) if asked.code else np.arange(len(ALARMS))
    except KeyError:
        codes = ", ".join(row.code for row in ALARMS)
        raise Declined("unknown", f"there is no alarm {asked.code!r:.40}: {codes}") from None
    kinds = np.array(layout.kinds)[units]
    fits = np.array([row.scope for row in ALARMS])[alarms][:, None] == kinds
    found: Ints = (alarms[:, None] * state.units + units)[fits]
    if ACTIONS[asked.action].one_code and not len(found):
        raise Declined("unknown", f"{asked.code} is an alarm of a {ALARMS[alarms[0]].scope}, not of {asked.unit!r:.80}")
    return found


def _note(state: AlarmState, kind: str, cells: Ints, asked: Command) -> None:
    for alarm, unit in zip(*(part.tolist() for part in state.at(cells)), strict=True):
        state.notes[kind][alarm, unit] = (asked.who, asked.why, state.time_ns)


def _forget(state: AlarmState, kind: str, cells: Ints) -> None:
    for alarm, unit in zip(*(part.tolist() for part in state.at(cells)), strict=True):
        state.notes[kind].pop((alarm, unit), None)


def _ack(layout: Layout, state: AlarmState, cells: Ints, asked: Command, moved: list[Moved]) -> Ints:
    cells = cells[np.isin(state.shown(cells), (UNACKED, RETURNED, LATCHED_UNACKED))]

    def act(state: AlarmState, cells: Ints) -> None:
        at = state.at(cells)
        state.acked[at], state.known[at] = True, state.time_ns

    done = change(state, cells, act, "acknowledged", moved, who=asked.who, why=asked.why)
    _note(state, "acked", done, asked)
    return done


def _reset(layout: Layout, state: AlarmState, cells: Ints, asked: Command, moved: list[Moved]) -> Ints:
    cells = cells[state.shown(cells) == LATCHED_ACKED]

    def act(state: AlarmState, cells: Ints) -> None:
        state.latched[state.at(cells)] = False

    return change(state, cells, act, "reset", moved, who=asked.who, why=asked.why)


def _shelve(layout: Layout, state: AlarmState, cells: Ints, asked: Command, moved: list[Moved]) -> Ints:
    high = [ALARMS[alarm].code for alarm in np.unique(state.at(cells)[0]).tolist() if ALARMS[alarm].priority == "high"]
    if high and asked.role != "engineer":
        raise Declined("not_allowed", f"{high[0]} has high priority: only engineers shelve it")

    def act(state: AlarmState, cells: Ints) -> None:
        state.shelf[state.at(cells)] = asked.until_ns
        released(state, cells)

    change(state, cells, act, "shelved", moved, who=asked.who, why=f"until {iso(asked.until_ns)}: {asked.why}")
    _note(state, "shelf", cells, asked)
    return cells


def _unshelve(layout: Layout, state: AlarmState, cells: Ints, asked: Command, moved: list[Moved]) -> Ints:
    cells = cells[state.shelf[state.at(cells)] > 0]
    change(state, cells, unshelve, "unshelved", moved, who=asked.who, why=asked.why)
    _forget(state, "shelf", cells)
    return cells


def _remove(layout: Layout, state: AlarmState, cells: Ints, asked: Command, moved: list[Moved]) -> Ints:
    cells = cells[~state.out[state.at(cells)]]

    def act(state: AlarmState, cells: Ints) -> None:
        state.out[state.at(cells)] = True
        released(state, cells)

    done = change(state, cells, act, "removed", moved, who=asked.who, why=asked.why)
    _note(state, "out", done, asked)
    follow(layout, state, done, moved)
    return done


def _restore(layout: Layout, state: AlarmState, cells: Ints, asked: Command, moved: list[Moved]) -> Ints:
    cells = cells[state.out[state.at(cells)]]

    def act(state: AlarmState, cells: Ints) -> None:
        state.out[state.at(cells)] = False
        released(state, cells)

    done = change(state, cells, act, "restored", moved, who=asked.who, why=asked.why)
    _forget(state, "out", done)
    follow(layout, state, done, moved)
    return done


def _condition(layout: Layout, state: AlarmState, asked: Command, moved: list[Moved]) -> int:
    if asked.code not in DECLARED:
        raise Declined("unknown", f"{asked.code!r:.40} is not declared by people: {', '.join(DECLARED)}")
    row = condition_index(asked.code)
    units = _units(layout, asked.unit)
    units = units[layout.is_pot[units]]
    until_ns = asked.until_ns if asked.action == "declare" else 0
    if not until_ns:
        units = units[state.held[row, units] > 0]
    for unit in units.tolist():
        if until_ns:
            state.notes["held"][row, unit] = (asked.who, asked.why, state.time_ns)
        else:
            state.notes["held"].pop((row, unit), None)
    declare(layout, state, row, units, until_ns, moved, asked.who, asked.why)
    return len(units)


_Do = Callable[[Layout, AlarmState, Ints, Command, list[Moved]], Ints]
_DO: Mapping[str, _Do] = MappingProxyType(
    {
        "ack": _ack, "reset": _reset, "shelve": _shelve, "unshelve": _unshelve, "remove": _remove, "restore": _restore,
    }
)  # fmt: skip
