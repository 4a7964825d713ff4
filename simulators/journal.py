"""Journal: what people and machines in the potroom report: events at once, samples when they become available."""

from __future__ import annotations

import heapq
from collections import deque

__all__ = ["Event", "Journal", "Sample"]

Event = tuple[int, int, str, float]  # time_ns, pot index, signal name, value [rim unit]
Sample = tuple[int, int, int, str, float]  # time_ns of sampling, available_at_ns, pot index, signal name, value
KEPT = 200_000  # events kept while nobody takes them


class Journal:
    """Events wait until taken; samples wait until they are available."""

    def __init__(self, start_ns: int) -> None:
        self.start_ns = start_ns
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._samples: list[tuple[int, int, int, int, str, float]] = []
        self._ready: deque[Sample] = deque(maxlen=KEPT)
        self._order = 0

    def at(self, time_s: float) -> int:
        """Time since the start as ns since 1970."""
        return self.start_ns + round(time_s * 1e9)

    def event(self, time_s: float, pot: int, name: str, value: float) -> None:
        self._events.append((self.at(time_s), pot, name, value))

    def sample(self, time_s: float, delay_s: float, pot: int, name: str, value: float) -> None:
        taken = self.at(time_s)
        self._order += 1
        heapq.heappush(self._samples, (taken + round(delay_s * 1e9), self._order, taken, pot, name, value))

    def arrive(self, time_s: float) -> list[Sample]:
        """Samples that become available now (the controller reads them too)."""
        now, arrived = self.at(time_s), []
        while self._samples and self._samples[0][0] <= now:
            available, _, taken, pot, name, value = heapq.heappop(self._samples)
            arrived.append((taken, available, pot, name, value))
        self._ready.extend(arrived)
        return arrived

    def take(self) -> tuple[list[Event], list[Sample]]:
        """Everything to publish since the last call."""
        taken = list(self._events), list(self._ready)
        self._events.clear()
        self._ready.clear()
        return taken
