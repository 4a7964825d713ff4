"""The end of a running process, in order and within a bound.

First nothing new is taken; then what came in is stored and acknowledged; then the twin's state and figures are written.
What does not get done in time is left where it is safe, and said: messages that are not acknowledged stay with the
broker, figures are told again by the state of the next start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from twin.errors import SinkUnavailable
from twin.ingest import Ingestor
from twin.log import Say
from twin.runner import Runner

__all__ = ["Leaving", "wind_down"]


class Leaving(Protocol):
    """A source as its end wants it."""

    def hold(self) -> None:
        """Take nothing more, for good."""
        ...

    async def drained(self) -> None:
        """Return when everything that was taken is stored."""
        ...

    async def close(self) -> None:
        """Leave the broker; deliveries end."""
        ...


async def wind_down(
    tasks: Mapping[str, asyncio.Task[None]],
    say: Say,
    within_s: float,
    *,
    sources: Sequence[Leaving],
    ingestor: Ingestor | None,
    runner: Runner | None,
) -> None:
    """End the tasks of the service; a part that is not in this process is None. `sources` feed the ingest."""
    until = asyncio.get_running_loop().time() + within_s
    say("stopping", within_s=within_s)
    await _end(tasks.get("simulate"))
    if sources:
        await _drain(sources, tasks["ingest"], say, within_s / 2)
    for name in ("ingest", "mqtt", "sparkplug", "engine"):
        await _end(tasks.get(name))
    if runner is not None:
        try:
            async with asyncio.timeout_at(until):
                await runner.finish()
        except (SinkUnavailable, TimeoutError) as error:
            problem = str(error) or f"the store did not take them within {within_s:g} s"
            say("the last figures are not written", level="warning", problem=problem)
    for name in ("models", "state", "probe", "page", "metrics", "console"):
        await _end(tasks.get(name))
    if ingestor is not None:
        counts, waits = ingestor.counts, ingestor.counts.balance.spooled.messages
        say("stopped", received=counts.received, stored=counts.stored, parked=counts.parked, spooled=waits)


async def _drain(sources: Sequence[Leaving], ingest: asyncio.Task[None], say: Say, within_s: float) -> None:
    """Store and acknowledge what came in, then leave the broker."""
    for source in sources:
        source.hold()
    try:
        async with asyncio.timeout(within_s / 2):
            for source in sources:
                await source.drained()
    except TimeoutError:
        say("neither store nor spool takes more: unacknowledged messages stay with the broker", level="warning")
    await asyncio.gather(*(_within(within_s / 4, source.close()) for source in sources))
    await asyncio.wait([ingest], timeout=within_s / 4)


async def _within(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    """Wait for work that the end does not depend on, but not for ever."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await work


async def _end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.wait([task])
