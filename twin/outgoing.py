"""Ports of what goes out on alarms: the book that keeps it until it is sent, and the channels that send it.

`AlarmBook` keeps journal, outbox and state together: what one step brings is in it as a whole or not at all, so that a
restart neither loses a message nor makes it twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import msgspec

from twin.alarms.chain import Entry, Selection
from twin.alarms.moved import Transition
from twin.alarms.notices import Notice

__all__ = ["AlarmBook", "Channel", "Outgoing", "Waiting"]


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """One notice for one channel. `key` is its name for ever: the same key is never sent to a channel again."""

    channel: str
    key: str
    notice: Notice


class Waiting(NamedTuple):
    """An outgoing notice as the outbox has it: its number, how often it was tried, when it is due again."""

    number: int
    tries: int
    next_ns: int
    outgoing: Outgoing


class AlarmBook(Protocol):
    """Journal, outbox and state. Everything raises SinkUnavailable when the disk refuses."""

    def commit(
        self, transitions: Sequence[Transition], outgoing: Sequence[Outgoing], state: bytes, now_ns: int
    ) -> None:
        """Keep all of it, on disk when this returns; an outgoing notice that was kept before is left out."""
        ...

    def state(self) -> bytes | None:
        """The state that was kept last."""
        ...

    def entries(self, chosen: Selection) -> list[Entry]:
        """Rows of the journal, in order."""
        ...

    def whole(self) -> Iterator[Entry]:
        """Every row of the journal, in order, a bounded part in memory."""
        ...

    def head(self) -> tuple[int, str]:
        """Number and hash of the last row, as noted when it was written; 0 and `chain.START` for none."""
        ...

    def waiting(self, channel: str, limit: int) -> list[Waiting]:
        """The oldest notices of a channel that are not sent, in order."""
        ...

    def backlog(self) -> dict[str, int]:
        """How many wait, by channel."""
        ...

    def merge(self, numbers: Sequence[int], one: Outgoing) -> None:
        """One notice instead of these, in the place of the first; never one of them alone again."""
        ...

    def trying(self, numbers: Sequence[int]) -> None:
        """These are about to be sent: from now on they may be with their receiver, and stay as they are."""
        ...

    def sent(self, numbers: Sequence[int], now_ns: int) -> None:
        """These are with their receiver."""
        ...

    def failed(self, number: int, next_ns: int, problem: str) -> None:
        """The receiver does not have this one; it is due again at `next_ns`."""
        ...

    def given_up(self, number: int, now_ns: int, problem: str) -> None:
        """The receiver refuses this one for good; it is kept as such."""
        ...


class Channel(Protocol):
    """One way out. `send` returns when the receiver has all of them.

    Raises SinkUnavailable (the same again later) or SinkRejected (never will be taken). `most`: how many at once;
    `digests`: many may be told as one; `refresh_s` > 0: wants all standing alarms so often, by `refresh`.
    """

    most: int
    digests: bool
    refresh_s: float

    async def send(self, batch: Sequence[Outgoing]) -> None: ...

    async def refresh(self, standing: Sequence[Notice]) -> None: ...

    async def close(self) -> None: ...
