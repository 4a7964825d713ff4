"""The engine's job after a restart: read back what was stored meanwhile, then step; when the store is away, later."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from twin.engine import State
from twin.errors import SinkUnavailable
from twin.log import Say
from twin.ports import Store
from twin.resume import Journal, missed
from twin.runner import Runner
from twin.times import iso

__all__ = ["GoingOn"]


@dataclass(frozen=True, slots=True)
class GoingOn:
    """`state` is where an earlier run stopped, None = anew; `retry_s` [s] between two tries of a store that is away."""

    runner: Runner
    store: Store
    journal: Journal
    state: State | None
    say: Say
    retry_s: float

    async def run(self) -> None:
        """Step until cancelled."""
        async with asyncio.TaskGroup() as group:
            try:
                await self._catch_up()
            except SinkUnavailable as error:  # live data goes on: it is what people look at
                self.say(
                    "what was stored while the twin was away is read when the store is back",
                    level="warning", problem=str(error),
                )  # fmt: skip
                group.create_task(self._later(), name="catch up")
            await self.runner.run()

    async def _catch_up(self) -> None:
        count = await self.runner.catch_up(missed(self.store, self.runner.engine, self.journal.missed))
        if self.journal.missed:
            began = "anew" if self.state is None else f"from {iso(self.state.closed_ns)}"
            self.say(f"the twin goes on {began}; {count} stored readings since then taken in")

    async def _later(self) -> None:
        while not self.runner.whole:
            await asyncio.sleep(self.retry_s)
            with suppress(SinkUnavailable):
                await self._catch_up()
