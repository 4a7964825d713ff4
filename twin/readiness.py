"""Whether this process does its work now, and if not, why: one reason a part, in words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple, Protocol

from twin.errors import SinkRejected, SinkUnavailable

__all__ = ["Probe", "Probed", "Readiness", "Reason"]


class Reason(NamedTuple):
    """What is not ready, and why."""

    part: str
    reason: str


class Readiness:
    """Checks of the parts of this process; each says "" when all is well, else what is wrong."""

    def __init__(self) -> None:
        self._checks: list[tuple[str, Callable[[], str]]] = []
        self._remarks: list[tuple[str, Callable[[], str]]] = []

    def add(self, part: str, check: Callable[[], str]) -> None:
        """Ask this too, from now on."""
        self._checks.append((part, check))

    def remark(self, part: str, check: Callable[[], str]) -> None:
        """Tell this too, where it says something; it makes nothing unready."""
        self._remarks.append((part, check))

    def remarks(self) -> list[Reason]:
        """What is worth knowing of a process that does its work."""
        return [Reason(part, said) for part, check in self._remarks if (said := check())]

    def reasons(self) -> list[Reason]:
        """Why this process is not ready; empty when it is."""
        return [Reason(part, said) for part, check in self._checks if (said := check())]


class Probed(Protocol):
    """A store that can be asked whether it is there."""

    async def probe(self) -> None:
        """Return when it answers; raises SinkUnavailable or SinkRejected."""


class Probe:
    """Asks the store every `every_s` whether it answers: writes tell only while there is something to write."""

    def __init__(self, store: Probed, every_s: float) -> None:
        self.problem = "not asked yet"
        self._store, self._every_s = store, every_s

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.ask()
            await asyncio.sleep(self._every_s)

    async def ask(self) -> None:
        """Ask once; an answer that takes longer than the pause between two questions is none."""
        try:
            async with asyncio.timeout(self._every_s):
                await self._store.probe()
        except (SinkUnavailable, SinkRejected) as error:
            self.problem = str(error)
        except TimeoutError:
            self.problem = f"no answer within {self._every_s:g} s"
        else:
            self.problem = ""
