"""An outage of the broker or the store: one line when it begins, one when it is over, and how long it lasted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from twin.log import Say

__all__ = ["Outage"]


class Outage:
    """Told of every problem, "" when there is none any more; says each outage of `what` once.

    `counts`: running totals; what they grew by is told with the recovery. `now` [s] is a clock that never goes back.
    """

    def __init__(
        self,
        what: str,
        say: Say,
        counts: Callable[[], Mapping[str, int]],
        *,
        well: str,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.count = 0
        self._what, self._say, self._counts, self._well, self._now = what, say, counts, well, now
        self._since: float | None = None
        self._before: Mapping[str, int] = {}
        self._over_s = 0.0

    @property
    def total_s(self) -> float:
        """Seconds of all outages together, one that lasts included."""
        return self._over_s + (0.0 if self._since is None else self._now() - self._since)

    def told(self, problem: str) -> None:
        """`problem` is what is wrong now, "" = nothing."""
        if problem and self._since is None:
            self._since, self._before = self._now(), dict(self._counts())
            self.count += 1
            self._say(f"{self._what} is away", level="warning", problem=problem)
        elif problem:
            self._say(f"{self._what} is still away", level="debug", problem=problem)
        elif self._since is None:
            self._say(self._well)
        else:
            lasted, self._since = self._now() - self._since, None
            self._over_s += lasted
            grown: dict[str, Any] = {
                f"{name}_meanwhile": n - self._before.get(name, 0) for name, n in self._counts().items()
            }
            self._say(f"{self._what} is back; {self._well}", outage_s=round(lasted, 1), **grown)
