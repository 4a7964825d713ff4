"""What is shown of the alarms that there are: each with who did what to it, and how many a root stands for."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from twin.alarms.conditions import CONDITIONS
from twin.alarms.layout import Layout
from twin.alarms.moved import Moved, Transition, transitions
from twin.alarms.rows import ALARMS, PRIORITIES
from twin.alarms.state import ACKED, NAMES, NORMAL, OUT, SHELVED, SUPPRESSED, UNACKED, AlarmState
from twin.alarms.texts import words
from twin.frames import Ints
from twin.times import iso

__all__ = ["AlarmView", "AlarmsView", "as_transitions", "counts", "standing", "view"]

MOST = 2000  # alarms in one view; the most urgent ones, the rest is counted


class AlarmView(msgspec.Struct, frozen=True):
    """One alarm that is not normal. `who`, `why`: of the one who shelved, removed or acknowledged it.

    `children`: how many alarms a root stands for; `root`: unit and code of the root that stands for this one.
    """

    unit: str
    code: str
    title: str
    state: str
    priority: str
    klass: str
    since: str
    told: str
    value: float | None
    limit: float | None
    evidence: str
    cause: str
    consequence: str
    advice: str
    respond_min: int
    until: str = ""
    who: str = ""
    why: str = ""
    silenced_by: tuple[str, ...] = ()
    children: int = 0
    root: tuple[str, str] | None = None


class AlarmsView(msgspec.Struct, frozen=True):
    """All of them, the most urgent first; `counts` by state; `left_out`: how many more there are than are listed."""

    time: str
    counts: dict[str, int]
    alarms: list[AlarmView]
    left_out: int = 0


def standing(state: AlarmState, *states: int) -> Ints:
    """Cells in one of these states."""
    there = state.raw | state.active | ~state.acked | state.latched | state.out | (state.shelf > 0)
    cells = np.flatnonzero(there)
    found: Ints = cells[np.isin(state.shown(cells), states)]
    return found


def as_transitions(layout: Layout, state: AlarmState, cells: Ints, event: str, why: str = "") -> list[Transition]:
    """These cells as they are, as if they had just moved there: to tell of them again."""
    alarm, unit = state.at(cells)
    shown = state.shown(cells)
    return list(transitions(layout, state, [Moved(state.time_ns, event, alarm, unit, shown, shown, "", why)]))


def _shown(state: AlarmState) -> tuple[Ints, NDArray[np.uint8]]:
    """What is not normal (suppressed ones only if their condition is there), and its state."""
    cells = standing(state, *(code for code in range(len(NAMES)) if code != NORMAL))
    shown = state.shown(cells)
    kept = (shown != SUPPRESSED) | state.active[state.at(cells)]
    return cells[kept], shown[kept]


def counts(state: AlarmState, units: NDArray[np.bool_] | None = None) -> dict[str, int]:
    """How many alarms are in each state but normal; of the units (units,) that are True, None = of all."""
    cells, shown = _shown(state)
    if units is not None:
        shown = shown[units[state.at(cells)[1]]]
    number = np.bincount(shown, minlength=len(NAMES)).tolist()
    return {name: count for name, count in zip(NAMES, number, strict=True) if name != NAMES[NORMAL]}


def view(layout: Layout, state: AlarmState, language: str = "en", unit: str = "") -> AlarmsView:
    """Everything that is not normal, at `unit` and below it."""
    cells, shown = _shown(state)
    if unit:
        at = state.at(cells)[1].tolist()
        mine = np.array([layout.paths[u] == unit or layout.paths[u].startswith(unit + "/") for u in at], bool)
        cells, shown = cells[mine], shown[mine]
    number = np.bincount(shown, minlength=len(NAMES)).tolist()
    there = {name: count for name, count in zip(NAMES, number, strict=True) if count}
    order = np.lexsort((-state.told[state.at(cells)], -_urgency(state, cells), _place(shown)))
    children, roots = _children(layout, state)
    listed = cells[order][:MOST]
    whole = zip(listed.tolist(), as_transitions(layout, state, listed, ""), strict=True)
    alarms = [_one(state, cell, one, language, children, roots.get(cell)) for cell, one in whole]
    return AlarmsView(iso(state.time_ns), there, alarms, max(len(cells) - MOST, 0))


def _place(shown: NDArray[np.uint8]) -> Ints:
    """Unacknowledged ones first, what is out of sight last."""
    rank = np.full(len(NAMES), 1)
    rank[UNACKED], rank[ACKED], rank[SUPPRESSED], rank[SHELVED], rank[OUT] = 0, 2, 3, 3, 3
    found: Ints = rank[shown]
    return found


def _urgency(state: AlarmState, cells: Ints) -> Ints:
    rank = np.array([PRIORITIES.index(row.priority) for row in ALARMS])
    found: Ints = rank[state.at(cells)[0]]
    return found


def _children(layout: Layout, state: AlarmState) -> tuple[dict[tuple[int, int], int], dict[int, tuple[str, str]]]:
    """How many active alarms each root stands for, and of each of these cells the widest root."""
    found: dict[tuple[int, int], int] = {}
    roots: dict[int, tuple[str, str]] = {}
    for root, row in enumerate(ALARMS):
        if row.is_root:
            covered = np.array([n for n, other in enumerate(ALARMS) if other.code in row.covers])
            for unit in np.flatnonzero(state.active[root]).tolist():
                below = np.append(layout.below(unit), unit)
                silent = state.active[np.ix_(covered, below)] & state.silenced[np.ix_(covered, below)]
                found[root, unit] = int(silent.sum())
                for cell in (covered[:, None] * state.units + below)[silent].tolist():
                    roots.setdefault(cell, (layout.paths[unit], row.code))
    return found, roots


def _one(
    state: AlarmState,
    cell: int,
    one: Transition,
    language: str,
    children: Mapping[tuple[int, int], int],
    root: tuple[str, str] | None,
) -> AlarmView:
    alarm, unit = divmod(cell, state.units)
    row, text = ALARMS[alarm], words(language)
    kind = {"shelved": "shelf", "out_of_service": "out", "acknowledged": "acked"}.get(one.after)
    who, why, _ = state.notes[kind].get((alarm, unit), ("", "", 0)) if kind else ("", "", 0)
    shelf = int(state.shelf[alarm, unit])
    holds = tuple(c.name for n, c in enumerate(CONDITIONS) if row.code in c.silences and state.held[n, unit] > 0)
    told = int(state.told[alarm, unit])
    return AlarmView(
        one.unit, row.code, text.title(row), one.after, row.priority, row.klass,
        iso(one.since_ns) if one.since_ns else "", iso(told) if told else "", one.value, one.limit, one.evidence,
        *text.rational(row, one.evidence), row.respond_min, iso(shelf) if shelf else "", who, why,
        holds if one.after == "suppressed" else (), children.get((alarm, unit), 0),
        root if one.after == "suppressed" else None,
    )  # fmt: skip
