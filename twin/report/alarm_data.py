"""The alarm system in the report, as plain structs, beside those of `data`."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from twin.alarms.figures import TargetView

__all__ = ["AlarmSystemView", "FloodView", "FrequentAlarm", "PositionView"]


class FrequentAlarm(msgspec.Struct, frozen=True):
    """One of the ten most frequent: how often it was told, and which part of all alarms that is [%]."""

    code: str
    title: str
    unit: str
    count: int
    pct: float


class FloodView(msgspec.Struct, frozen=True):
    """A flood by local time: `alarms` in it, `most` in 10 minutes."""

    start: str
    end: str
    alarms: int
    most: int


class PositionView(msgspec.Struct, frozen=True):
    """One operating position over the part of the period that is over; `targets` only where there are alarms."""

    position: str
    start: str
    end: str
    alarms: int
    targets: list[TargetView]
    top_ten: list[FrequentAlarm]
    floods: list[FloodView]

    def figures(self) -> Iterator[tuple[str, str, float]]:
        """Name, unit and value of every figure."""
        yield "alarms", "1", self.alarms
        yield from ((one.figure, one.unit, one.value) for one in self.targets)


class AlarmSystemView(msgspec.Struct, frozen=True):
    """Figures per operating position. `why`: the reason that there are none, else ""; `journal`: the file.

    `since`: when the journal begins, if that is after the start of the period.
    """

    why: str
    journal: str
    since: str | None
    positions: list[PositionView]
