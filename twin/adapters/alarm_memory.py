"""The fakes of alarming: a book that forgets, a channel that keeps what it gets. Same contract tests as the real."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from twin.alarms.chain import START, Entry, Selection, link
from twin.alarms.moved import Transition
from twin.alarms.notices import Notice
from twin.outgoing import Outgoing, Waiting

__all__ = ["KeepingChannel", "MemoryBook"]


@dataclass
class _Row:
    outgoing: Outgoing
    tries: int = 0
    next_ns: int = 0
    done: bool = False


class MemoryBook:
    """`AlarmBook` in lists. `failures` are raised one by one, one a commit, before anything is kept."""

    def __init__(self, failures: Iterable[Exception] = ()) -> None:
        self._failures = list(failures)
        self._journal: list[Entry] = []
        self._outbox: list[_Row] = []
        self._keys: set[tuple[str, str]] = set()
        self._state: bytes | None = None

    def commit(self, moved: Sequence[Transition], outgoing: Sequence[Outgoing], state: bytes, now_ns: int) -> None:
        if self._failures:
            raise self._failures.pop(0)
        for one in moved:
            number, before = self.head()
            self._journal.append(Entry(number + 1, one, link(before, number + 1, one)))
        for message in outgoing:
            if (message.channel, message.key) not in self._keys:
                self._keys.add((message.channel, message.key))
                self._outbox.append(_Row(message))
        self._state = state

    def state(self) -> bytes | None:
        return self._state

    def entries(self, chosen: Selection) -> list[Entry]:
        found = [entry for entry in self._journal if chosen.fits(entry)]
        return found[-chosen.limit :] if chosen.newest else found[: chosen.limit]

    def whole(self) -> Iterator[Entry]:
        yield from self._journal

    def head(self) -> tuple[int, str]:
        return (self._journal[-1].number, self._journal[-1].hash) if self._journal else (0, START)

    def waiting(self, channel: str, limit: int) -> list[Waiting]:
        rows = [(n, row) for n, row in enumerate(self._outbox, 1) if not row.done and row.outgoing.channel == channel]
        return [Waiting(n, row.tries, row.next_ns, row.outgoing) for n, row in rows[:limit]]

    def backlog(self) -> dict[str, int]:
        return dict(Counter(row.outgoing.channel for row in self._outbox if not row.done))

    def merge(self, numbers: Sequence[int], one: Outgoing) -> None:
        self._keys.add((one.channel, one.key))
        self._outbox[numbers[0] - 1].outgoing = one
        self.sent(numbers[1:], 0)

    def trying(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self._outbox[number - 1].tries += 1

    def sent(self, numbers: Sequence[int], now_ns: int) -> None:
        for number in numbers:
            self._outbox[number - 1].done = True

    def failed(self, number: int, next_ns: int, problem: str) -> None:
        self._outbox[number - 1].next_ns = next_ns

    def given_up(self, number: int, now_ns: int, problem: str) -> None:
        self._outbox[number - 1].done = True

    def close(self) -> None:
        """Nothing is held."""


@dataclass
class KeepingChannel:
    """Keeps what it is given; `failures` are raised one by one, one a send, None = this one succeeds."""

    failures: list[Exception | None] = field(default_factory=list)
    most: int = 1
    digests: bool = True
    refresh_s: float = 0.0
    batches: list[list[Outgoing]] = field(default_factory=list)
    standing: list[list[Notice]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when what the channel was given has made it true."""
        while not condition():
            self.news.clear()
            await self.news.wait()

    @property
    def kept(self) -> list[Outgoing]:
        return [one for batch in self.batches for one in batch]

    async def send(self, batch: Sequence[Outgoing]) -> None:
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        self.batches.append(list(batch))
        self.news.set()

    async def refresh(self, standing: Sequence[Notice]) -> None:
        self.standing.append(list(standing))
        self.news.set()

    async def close(self) -> None:
        """Nothing is held."""
