"""How well the alarm system serves one operating position: alarms per 10 minutes, floods, chattering, stale.

Counted in buckets of 600 s, empty ones included; targets of ISA-18.2 table 7 / EEMUA 191 (over 30 days or more).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from twin.alarms.rows import PRIORITIES
from twin.frames import Ints
from twin.units import NS_PER_S

__all__ = [
    "BUCKET_NS", "FLOOD_BEGINS", "FLOOD_ENDS", "SPAN_H", "TARGETS", "AlarmLog", "Figures", "Flood", "Target",
    "TargetView", "Top", "figures", "figures_view", "floods",
]  # fmt: skip

SPAN_H = 720.0  # what the targets are meant over: 30 days
BUCKET_NS = 600 * NS_PER_S
FLOOD_BEGINS, FLOOD_ENDS = 10, 5  # above, below; per bucket
CHATTER, CHATTER_NS = 3, 60 * NS_PER_S
FLEETING_NS = 60 * NS_PER_S
STALE_NS = 24 * 3600 * NS_PER_S


class Target(msgspec.Struct, frozen=True):
    """One target: the figure that it bounds, and between which values it should be."""

    figure: str
    title: str
    unit: str
    low: float = -math.inf
    high: float = math.inf

    @property
    def words(self) -> str:
        """The target as a table shows it."""
        return f"at most {self.high:g}" if self.low == -math.inf else f"{self.low:g} to {self.high:g}"

    def met(self, value: float) -> bool:
        """Whether a value is within."""
        return self.low <= value <= self.high


TARGETS = (
    Target("per_10_min", "Alarms per 10 min, mean", "1", high=2.0),
    Target("most_in_10_min", "Most alarms in 10 min", "1", high=10.0),
    Target("above_10_pct", "Part of 10 min with more than 10", "%", high=1.0),
    Target("flood_pct", "Time in flood", "%", high=1.0),
    Target("top_ten_pct", "Part of the load that the ten most frequent make", "%", high=5.0),
    Target("chattering", "Chattering alarms", "1", high=0.0),
    Target("fleeting", "Fleeting alarms", "1", high=0.0),
    Target("stale", "Alarms that stand longer than 24 h", "1", high=5.0),
    Target("low_pct", "Low priority", "%", 70.0, 90.0),
    Target("medium_pct", "Medium priority", "%", 10.0, 25.0),
    Target("high_pct", "High priority", "%", 0.0, 10.0),
)


class AlarmLog(msgspec.Struct, frozen=True):
    """Annunciations of one position as columns, in order of time. `key`: which alarm at which unit, by `names`;
    `priority` by `PRIORITIES`; `ended_ns`: when its condition was over, 0 = it is still there."""

    time_ns: Ints
    key: Ints
    priority: Ints
    ended_ns: Ints
    names: Sequence[tuple[str, str]]

    def __len__(self) -> int:
        return len(self.time_ns)


class Top(msgspec.Struct, frozen=True):
    """One of the most frequent alarms."""

    code: str
    unit: str
    count: int
    pct: float


class Flood(msgspec.Struct, frozen=True):
    """A flood: from the first bucket above 10 to the first below 5; `alarms` in it, `most` in one bucket."""

    start_ns: int
    end_ns: int
    alarms: int
    most: int


class TargetView(msgspec.Struct, frozen=True):
    """One figure with its target, for people and JSON: `low` and `high` bound it, None = not."""

    figure: str
    title: str
    unit: str
    value: float
    target: str
    low: float | None
    high: float | None
    met: bool


class Figures(msgspec.Struct, frozen=True):
    """Of one position over [start, end)."""

    position: str
    start_ns: int
    end_ns: int
    alarms: int
    per_10_min: float
    most_in_10_min: int
    above_10_pct: float
    flood_pct: float
    floods: list[Flood]
    top_ten: list[Top]
    top_ten_pct: float
    chattering: int
    fleeting: int
    stale: int
    low_pct: float
    medium_pct: float
    high_pct: float

    def verdicts(self) -> list[tuple[Target, float, bool]]:
        """Every target with the figure and whether it is met."""
        values = [(target, float(getattr(self, target.figure))) for target in TARGETS]
        return [(target, value, target.met(value)) for target, value in values]

    def views(self) -> list[TargetView]:
        """The same as plain structs."""
        return [
            TargetView(t.figure, t.title, t.unit, value, t.words, _bound(t.low), _bound(t.high), met)
            for t, value, met in self.verdicts()
        ]


def _bound(limit: float) -> float | None:
    return limit if math.isfinite(limit) else None


def figures_view(found: Figures) -> dict[str, Any]:
    """As JSON tells it: every figure, and `verdicts` against the targets."""
    return {**msgspec.to_builtins(found), "verdicts": msgspec.to_builtins(found.views())}


def figures(log: AlarmLog, position: str, start_ns: int, end_ns: int) -> Figures:
    """Figures of the alarms in [start, end); the last bucket may be a part of one."""
    inside = (log.time_ns >= start_ns) & (log.time_ns < end_ns)
    time, key, priority, ended = (c[inside] for c in (log.time_ns, log.key, log.priority, log.ended_ns))
    buckets = max(-(-(end_ns - start_ns) // BUCKET_NS), 1)
    counts = np.bincount((time - start_ns) // BUCKET_NS, minlength=buckets)
    total = len(time)
    found = floods(counts, start_ns)
    flooded = sum(flood.end_ns - flood.start_ns for flood in found)
    number = np.bincount(key, minlength=len(log.names))
    often = [n for n in np.argsort(-number, kind="stable")[:10].tolist() if number[n]]
    spread = np.bincount(priority, minlength=len(PRIORITIES)) * (100.0 / max(total, 1))
    stands = np.where(ended > 0, ended, end_ns) - time
    return Figures(
        position, start_ns, end_ns, total,
        per_10_min=total / ((end_ns - start_ns) / BUCKET_NS) if end_ns > start_ns else 0.0,
        most_in_10_min=int(counts.max()),
        above_10_pct=100.0 * float((counts > FLOOD_BEGINS).mean()),
        flood_pct=100.0 * flooded / (buckets * BUCKET_NS),
        floods=found,
        top_ten=[_top(log.names[n], int(number[n]), total) for n in often],
        top_ten_pct=100.0 * float(number[often].sum()) / max(total, 1),
        chattering=_chattering(time, key),
        fleeting=int(((ended > 0) & (ended - time < FLEETING_NS)).sum()),
        stale=len(np.unique(key[stands > STALE_NS])),
        low_pct=float(spread[0]), medium_pct=float(spread[1]), high_pct=float(spread[2]),
    )  # fmt: skip


def _top(name: tuple[str, str], count: int, total: int) -> Top:
    code, unit = name
    return Top(code, unit, count, 100.0 * count / total)


def floods(counts: Ints, start_ns: int) -> list[Flood]:
    """Floods in counts of buckets one after the other."""
    found, begun = [], -1
    for place, count in enumerate([*counts.tolist(), 0]):
        if begun < 0 and count > FLOOD_BEGINS:
            begun = place
        elif begun >= 0 and count < FLOOD_ENDS:
            inside = counts[begun:place]
            span = (start_ns + begun * BUCKET_NS, start_ns + place * BUCKET_NS)
            found.append(Flood(*span, int(inside.sum()), int(inside.max())))
            begun = -1
    return found


def _chattering(time: Ints, key: Ints) -> int:
    """Alarms that came three times or more within a minute."""
    order = np.lexsort((time, key))
    time, key = time[order], key[order]
    near = (key[CHATTER - 1 :] == key[: 1 - CHATTER]) & (time[CHATTER - 1 :] - time[: 1 - CHATTER] <= CHATTER_NS)
    return len(np.unique(key[CHATTER - 1 :][near]))
