"""What people are told of what happens often: the first time at once, then at most once a while, with the number."""

from __future__ import annotations

import time
from collections.abc import Callable

from twin.errors import SinkRejected
from twin.log import Say

__all__ = ["Rarely"]


class Rarely:
    """Says each kind of thing at most every `pause_s` by the monotonic clock."""

    def __init__(self, say: Say, *, pause_s: float = 60.0, now_s: Callable[[], float] = time.monotonic) -> None:
        self._say, self._pause_s, self._now_s = say, pause_s, now_s
        self._next_s: dict[str, float] = {}
        self._count: dict[str, int] = {}

    def tell(self, kind: str, event: str, *, level: str = "warning", **fields: object) -> None:
        """One more of `kind`; `kind` is from a closed set. `times`: how often it came since it was last said."""
        self._count[kind] = self._count.get(kind, 0) + 1
        if self._now_s() < self._next_s.get(kind, -float("inf")):
            return
        self._next_s[kind] = self._now_s() + self._pause_s
        count, self._count[kind] = self._count[kind], 0
        self._say(event, level=level, **fields, **({} if count == 1 else {"times": count}))

    def refused(self, error: SinkRejected) -> None:
        """A batch was refused in part: an alarm, because what is parked is missing from the store (F10)."""
        event = "the store refuses readings, which are parked"
        self.tell(error.reason, event, level="error", reason=error.reason, problem=str(error)[:300])
