"""Agenda: work that is due at pots, in order of time. Rare things, so a queue and one at a time is right."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

__all__ = ["Agenda", "shift_starts_utc"]

DAY = 86400.0
SHIFT_PAUSE = 1200.0  # s at a change of shift in which nobody works (U)


class Agenda:
    """Due times are seconds since the start of the simulation; `shifts` are seconds of the UTC day."""

    def __init__(self, start_ns: int, shifts: Sequence[float]) -> None:
        self.start_s = start_ns * 1e-9
        self.shifts = tuple(shifts)
        self._queue: list[tuple[float, int, str, int]] = []
        self._order = 0
        self._work: dict[str, Callable[[float, int], None]] = {}
        self._turn: dict[tuple[str, int], int] = {}

    def learn(self, work: Mapping[str, Callable[[float, int], None]]) -> None:
        """How each kind of work is done: called with the due time and the pot."""
        self._work.update(work)

    def plan(self, time_s: float, kind: str, pot: int) -> None:
        """Due at that very time: machines and ends of work."""
        self._order += 1
        heapq.heappush(self._queue, (time_s, self._order, kind, pot))

    def plan_work(self, time_s: float, kind: str, pot: int) -> None:
        """Due then, but people do not begin while the shifts change."""
        for start in self.shifts:
            since = (self.start_s + time_s - start) % DAY
            if since < SHIFT_PAUSE:
                time_s += SHIFT_PAUSE - since
        self.plan(time_s, kind, pot)

    def turn(self, kind: str, pot: int) -> int:
        """How often this was asked before: makes the key of a new piece of luck."""
        count = self._turn.get((kind, pot), 0)
        self._turn[kind, pot] = count + 1
        return count

    def run(self, time_s: float) -> None:
        """Do all that is due."""
        while self._queue and self._queue[0][0] <= time_s:
            due, _, kind, pot = heapq.heappop(self._queue)
            self._work[kind](due, pot)

    def __len__(self) -> int:
        return len(self._queue)


def shift_starts_utc(starts: Sequence[str], start_ns: int, zone: ZoneInfo) -> list[float]:
    """Starts of the shifts (HH:MM local) as seconds of the UTC day, at the offset in force at the start."""
    offset = datetime.fromtimestamp(start_ns // 1_000_000_000, UTC).astimezone(zone).utcoffset()
    ahead = offset.total_seconds() if offset else 0.0
    return [(int(text[:2]) * 3600.0 + int(text[3:]) * 60.0 - ahead) % DAY for text in starts]
