"""Ports: what the core and the service need from the outside, one method that matters each.

Adapters implement them; the fakes in `adapters.memory` obey the same contract tests.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from twin.frames import Floats, Ints, Readings

__all__ = [
    "Bounds",
    "Buckets",
    "Clock",
    "Delivery",
    "Message",
    "Publisher",
    "Recording",
    "Sink",
    "Source",
    "Spool",
    "SpoolState",
    "Spooled",
    "Store",
    "Timer",
]


class Message(NamedTuple):
    """One message as the broker gave it."""

    topic: str
    payload: bytes


class Delivery(Protocol):
    """Messages taken from a source together. They come again until acknowledged."""

    @property
    def messages(self) -> Sequence[Message]: ...

    def acknowledge(self) -> None:
        """Say that every message is safe; called once, in receive order."""


class Source(Protocol):
    """Where messages come from. `deliveries` ends only when the source is closed."""

    def deliveries(self) -> AsyncIterator[Delivery]: ...


@runtime_checkable
class Sink(Protocol):
    """Where readings are kept.

    `write` returns when the readings are durable; writing the same readings again changes nothing. Raises
    SinkUnavailable (try the same write again) or SinkRejected (never will be taken).
    """

    async def write(self, readings: Readings) -> None: ...


class Buckets(NamedTuple):
    """What a unit's signals were over equal spans of time: a row for each span and signal that has readings, ordered by
    time, then signal. `time_ns` is where the span begins, a multiple of its length."""

    time_ns: Ints
    signal: NDArray[np.int16]
    readings: Ints  # how many
    low: Floats
    mean: Floats
    high: Floats


@runtime_checkable
class Store(Sink, Protocol):
    """A sink that can be read back."""

    async def read(self, measurement: str, path: str, start_ns: int, end_ns: int) -> Readings:
        """Readings of one unit in [start, end), ordered by time, then signal."""
        ...

    async def history(
        self, measurement: str, path: str, codes: Sequence[int], start_ns: int, end_ns: int, step_ns: int
    ) -> Buckets:
        """Some signals of one unit in [start, end) by spans of `step_ns`. It does not hold up a write.

        Raises SinkUnavailable, SinkRejected.
        """
        ...

    async def measured(self, start_ns: int, end_ns: int) -> Readings:
        """Everything measured in [start, end), of every unit, ordered by time; the twin's own words left out.

        A pot of a known line that the roster does not have yet is enrolled. Raises SinkUnavailable, SinkRejected.
        """
        ...


class Clock(Protocol):
    """The only source of 'now'. Inside the core, time comes from the data."""

    def now_ns(self) -> int: ...


class Timer(Clock, Protocol):
    """A clock that can be waited on: for what is played at a speed."""

    async def sleep(self, seconds: float) -> None: ...


class Bounds(NamedTuple):
    """Source times [ns] between which a recording plays; 0 and 0 when nothing is there.

    Single readings may lie outside: a laboratory result that came late, a clock that is wrong.
    """

    first_ns: int
    last_ns: int


class Recording(Protocol):
    """Readings of the past that can be read again and again, in the order in which they came.

    Raises ConfigError when it cannot be read, SourceUnavailable when a server does not answer.
    """

    async def open(self) -> Bounds:
        """Find out what is there; the bounds may be estimates, for a progress bar and to move times."""
        ...

    def chunks(self, start_ns: int) -> AsyncGenerator[Readings, None]:
        """The selected readings from source time `start_ns` on, in memory a part at a time."""
        ...

    async def close(self) -> None: ...


class Publisher(Protocol):
    """Sends messages to the broker; returns when the broker has them (QoS 1)."""

    async def publish(self, messages: Sequence[Message]) -> None: ...


class Spooled(NamedTuple):
    """One batch of the spool. `messages` is None when what the disk gives back is damaged: then `payload` is that.

    `held` messages with `readings` readings, received at `received_ns`; ids grow in the order of `put`.
    """

    id: int
    received_ns: int
    held: int
    readings: int
    messages: Sequence[Message] | None
    payload: bytes = b""


@dataclass
class SpoolState:
    """What is in the spool: batches, messages, readings, bytes on disk, receive time of the oldest [ns], 0 when empty.

    `last_id` is the newest id ever given. Damaged files that were set aside, what is known to have been in them, and
    where the last one is, grow from 0 at `open`.
    """

    batches: int = 0
    messages: int = 0
    readings: int = 0
    bytes: int = 0
    oldest_ns: int = 0
    last_id: int = 0
    damaged_files: int = 0
    aside_messages: int = 0
    aside_readings: int = 0
    aside_at: str = ""


class Spool(Protocol):
    """Batches on disk that wait for the store, in order. Every method raises SinkUnavailable when the disk refuses.

    `state` is exact after every call.
    """

    max_bytes: int
    state: SpoolState

    async def open(self) -> None:
        """Find what an earlier process left. Raises ConfigError when another process has it."""
        ...

    async def put(self, messages: Sequence[Message], received_ns: int, readings: int) -> None:
        """Return when the batch outlives a power cut; raises SpoolFull at `max_bytes`."""
        ...

    async def oldest(self, messages: int) -> Sequence[Spooled]:
        """The oldest batches in order: at least one, unless there is none, and together at most so many messages."""
        ...

    async def remove(self, up_to: int) -> None:
        """Forget every batch up to this id. It does not come again from this object even where this raises."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Batch:
    """A delivery with nobody to tell: for replay, trace and tests."""

    messages: Sequence[Message]

    def acknowledge(self) -> None:
        """Nothing waits for this."""
