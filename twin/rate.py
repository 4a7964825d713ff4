"""How many a second, from a running count."""

from __future__ import annotations

import time
from collections import deque

__all__ = ["Rate"]

SPAN_S = 10.0


class Rate:
    """Counts a second over the last ten seconds."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def of(self, count: int) -> float:
        """The rate [1/s], given the count of now."""
        now = time.monotonic()
        self._marks.append((now, count))
        while now - self._marks[0][0] > SPAN_S:
            self._marks.popleft()
        then, before = self._marks[0]
        return (count - before) / (now - then) if now > then else 0.0
