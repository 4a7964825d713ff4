"""Transitions of the journal -> annunciations of one position, for its figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from twin.alarms.figures import AlarmLog
from twin.alarms.moved import Transition
from twin.alarms.rows import PRIORITIES

__all__ = ["log_of", "stands_in"]

_RANK: dict[str, int] = {priority: rank for rank, priority in enumerate(PRIORITIES)}
# What ends an annunciated alarm: its condition is over, or it is out of sight.
_THERE = frozenset({"unacknowledged", "acknowledged"})


def stands_in(unit: str, areas: Sequence[str]) -> bool:
    """Whether a unit is one of the areas, stands below one, or there is no area to stand in."""
    return not areas or any(unit == area or unit.startswith(area + "/") for area in areas)


def log_of(transitions: Iterable[Transition], areas: Sequence[str] = ()) -> AlarmLog:
    """The annunciations among the transitions, which come in order of time."""
    rows: list[list[int]] = []
    keys: dict[tuple[str, str], int] = {}
    open_at: dict[int, int] = {}
    for one in transitions:
        if not stands_in(one.unit, areas):
            continue
        key = keys.setdefault((one.code, one.unit), len(keys))
        if one.after not in _THERE and key in open_at:
            rows[open_at.pop(key)][3] = one.time_ns
        if one.annunciated:
            open_at[key] = len(rows)
            rows.append([one.time_ns, key, _RANK[one.priority], 0])
    end_of: dict[int, int] = {}
    for row in reversed(rows):  # an alarm that is told again ends with its last telling
        row[3] = row[3] or end_of.get(row[1], 0)
        end_of[row[1]] = row[3]
    table = np.array(rows, np.int64).reshape(-1, 4)
    return AlarmLog(table[:, 0], table[:, 1], table[:, 2], table[:, 3], list(keys))
