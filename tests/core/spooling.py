"""An ingestor with a spool between fakes: a store that can be away, hang or refuse, and processes that come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.core.plants import NOW_NS, codec_of, roster_of
from twin.adapters.memory import FakeClock, MemorySink, MemorySpool
from twin.codec import Problem
from twin.errors import SinkRejected, SinkUnavailable
from twin.frames import Readings
from twin.ingest import Ingestor
from twin.overflow import Limits
from twin.ports import Message, Spool, Spooled

__all__ = ["POISON", "Given", "Plant", "Process", "message"]

POISON = 13.5  # a voltage that the store of these tests does not take


def message(number: int, volt: object = 4.0) -> Message:
    """The telemetry of one pot, of a source time that tells which message it is."""
    text = b'{"time": %d, "voltage_v": %s}' % (NOW_NS + number, str(volt).encode())
    return Message(f"smelter/s/L/00{1 + number % 3}/telemetry", text)


@dataclass
class Given:
    """A delivery; `order` gets its number when it is acknowledged."""

    number: int
    messages: Sequence[Message]
    order: list[int]

    def acknowledge(self) -> None:
        self.order.append(self.number)


@dataclass
class Plant:
    """What outlives a process: the store, the dead letters, the rows of the spool, and what was acknowledged."""

    away: bool = False
    hangs: bool = False
    rows: list[Spooled] = field(default_factory=list)
    parked: list[Problem] = field(default_factory=list)
    order: list[int] = field(default_factory=list)
    writes: list[list[int]] = field(default_factory=list)  # source times of each write that succeeded
    tries: int = 0

    def __post_init__(self) -> None:
        self.sink = MemorySink(roster_of(3))
        self.changed = asyncio.Event()

    async def write(self, readings: Readings) -> None:
        self.tries += 1
        self.changed.set()
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise SinkUnavailable("the store is away")
        if POISON in readings.value:
            raise SinkRejected(f"{POISON} is refused")
        await asyncio.sleep(0)
        await self.sink.write(readings)
        self.writes.append((readings.time_ns - NOW_NS).tolist())

    async def park(self, problems: Sequence[Problem], received_ns: int) -> None:
        self.parked += problems

    @property
    def stored(self) -> set[int]:
        """Numbers of the messages whose reading is in the store."""
        return {time - NOW_NS for _, _, time in self.sink.values}


class Process:
    """One run of an ingestor on a plant; messages are given one delivery at a time."""

    def __init__(self, plant: Plant, *, spool: Spool | None = None, **limits: Any) -> None:
        self.plant = plant
        self.said: list[str] = []
        self.outages: list[str] = []
        self.handed: list[int] = []
        self.clock = FakeClock(NOW_NS)
        self.spool = MemorySpool(rows=plant.rows) if spool is None else spool
        self._waiting: asyncio.Queue[Given | None] = asyncio.Queue()
        self.ingestor = Ingestor(
            self, codec_of(roster_of(3)), plant, plant, self.clock, hand_on=self._hand_on, retry_max_s=0.002,
            on_outage=self.outages.append, spool=self.spool, say=self._say, name="test",
            limits=Limits(**{"patience_s": 0.02, "retry_max_s": 0.002, "waiting": 4, **limits}),
        )  # fmt: skip

    async def deliveries(self) -> AsyncIterator[Given]:
        while (given := await self._waiting.get()) is not None:
            yield given

    def give(self, number: int, messages: Sequence[Message]) -> None:
        self._waiting.put_nowait(Given(number, messages, self.plant.order))

    def _say(self, event: str, /, *, level: str = "info", **fields: object) -> None:
        self.said.append(event + "".join(f", {name}={value}" for name, value in fields.items()))

    async def _hand_on(self, readings: Readings) -> None:
        self.handed += (readings.time_ns - NOW_NS).tolist()

    async def until(self, condition: Callable[[], bool], what: str = "") -> None:
        """For what has no event to wait for."""
        for _ in range(4000):
            if condition():
                return
            await asyncio.sleep(0.0005)
        raise AssertionError(f"{what or 'it'} did not come true: {self.ingestor.figures()} {self.said}")

    async def acknowledged(self, *numbers: int) -> None:
        await self.until(lambda: set(numbers) <= set(self.plant.order), f"acknowledgement of {numbers}")

    async def drained(self) -> None:
        over = self.ingestor._overflow
        assert over is not None
        await self.until(lambda: over._books.opened and not self.spool.state.batches, "an empty spool")

    def balanced(self) -> bool:
        off = self.ingestor.counts.balance.off
        return (off.messages, off.readings) == (0, 0)

    @asynccontextmanager
    async def running(self, *, killed: bool = False) -> AsyncIterator[Process]:
        """Until the end of the block; `killed`: as by a power cut, else with what was given acknowledged."""
        task = asyncio.create_task(self.ingestor.run())
        try:
            yield self
            if not killed:
                self._waiting.put_nowait(None)
                await task
        finally:
            task.cancel()
            await asyncio.wait([task])
        if killed:
            assert task.cancelled(), task
        assert self.balanced()


def run(test: Callable[[], Awaitable[None]]) -> None:
    """Run a test in a loop of its own."""

    async def limited() -> None:
        async with asyncio.timeout(60):
            await test()

    asyncio.run(limited())
