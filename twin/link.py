"""A connection over time: how long to wait before the next try, one alarm an outage, and what is counted.

Full jitter: the pause is drawn from 0 up to a bound that doubles with each failure, so that many clients of a broker
that comes back do not come at once (F25). A connection that breaks soon after it was made counts as a failure too:
two clients under one client id take each other's connection for ever (F24). Such a connection counts as well only
after it has lasted, so that one outage is one alarm.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress

__all__ = ["BUFFER_FULL", "CEILING_S", "STEADY_S", "Link", "passed"]

BUFFER_FULL = "the buffer is full: waiting for the store; the broker keeps what comes"
CEILING_S = 30.0  # longest pause between two tries
STEADY_S = 10.0  # a connection that lasted so long was a good one
_FIRST_S = 0.1
_LAST_DOUBLING = 10  # 0.1 s doubled so often is past the ceiling
_FLAPPING = 3  # short connections in a row after which a new one is not believed at once
_HINT = "; it breaks soon after it was made, again and again: does another client use the client id {}?"


async def passed(event: asyncio.Event, seconds: float) -> None:
    """Return when the event is set or the time has passed."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


class Link:
    """`problem` is "" while all is well, else one sentence, told to `on_change` when it changes.

    `alarm` is told once when the broker has forgotten the session (F3). `now` [s] is a clock that never goes back.
    """

    def __init__(
        self,
        client_id: str,
        on_change: Callable[[str], None],
        alarm: Callable[[str], None] = lambda text: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.problem = "not connected yet"
        self.connections = 0
        self.failures = 0  # tries that failed and connections that broke
        self.sessions_lost = 0
        self._client_id, self._on_change, self._alarm, self._now = client_id, on_change, alarm, now
        self._attempt = 0
        self._short = 0
        self._since: float | None = None

    def opened(self, session_present: bool) -> None:
        """A connection was made; `session_present`: the broker still had the session of this client id."""
        if self.connections and not session_present:
            self.sessions_lost += 1
            self._alarm(
                f"the broker has forgotten the session of {self._client_id!r}: what was published while it was away "
                "is lost; let the broker keep sessions on disk (mosquitto: persistence true)"
            )
        self.connections += 1
        self._since = self._now()

    @property
    def doubt_s(self) -> float:
        """How long [s] the present connection must last before it counts as well; 0 = it does at once."""
        return STEADY_S if self._short >= _FLAPPING else 0.0

    def tell(self, problem: str) -> None:
        """Say what is wrong, "" = nothing any more."""
        if problem != self.problem:
            self.problem = problem
            self._on_change(problem)

    def subscribed(self, lost: asyncio.Event) -> None:
        """All is well again, once the connection is believed; `lost` is set when it breaks before."""

        def well() -> None:
            if not lost.is_set():
                self.tell("")

        asyncio.get_running_loop().call_later(self.doubt_s, well)

    async def rest(self, problem: str, closing: asyncio.Event) -> None:
        """After a failure: pause before the next try, or until `closing` is set."""
        await passed(closing, self.failed(problem))

    def failed(self, problem: str) -> float:
        """A try failed or a connection broke; returns the pause [s] before the next try."""
        self.failures += 1
        if self._since is not None:
            steady = self._now() - self._since >= STEADY_S
            self._short = 0 if steady else self._short + 1
            if steady or not self.doubt_s:
                self._attempt = 0
            self._since = None
        self._attempt = min(self._attempt + 1, _LAST_DOUBLING)
        # gmqtt drops what a broker says before it closes (MQTT 5 reason 0x8E), so the pattern has to tell it.
        self.tell(problem + (_HINT.format(repr(self._client_id)) if self.doubt_s else ""))
        return random.uniform(0, min(CEILING_S, _FIRST_S * 2**self._attempt))  # noqa: S311
