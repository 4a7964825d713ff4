"""What every source promises, asked of the list and of MQTT."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import pairwise

import pytest

from tests.servers import Server
from twin.adapters.memory import ListSource
from twin.adapters.mqtt import Broker, MqttSource
from twin.adapters.publish import MqttPublisher
from twin.ports import Delivery, Message, Source
from twin.sources import Together

Feed = Callable[[Sequence[Sequence[Message]]], AbstractAsyncContextManager[Source]]


@asynccontextmanager
async def listed(batches: Sequence[Sequence[Message]]) -> AsyncIterator[Source]:
    yield ListSource(batches)


class ClosedWhenDone:
    """An MQTT source that is closed when so many messages have come and are acknowledged."""

    def __init__(self, source: MqttSource, count: int) -> None:
        self._source, self._count = source, count

    async def deliveries(self) -> AsyncIterator[Delivery]:
        closing = asyncio.create_task(self._close(), name="close") if not self._count else None
        async for delivery in self._source.deliveries():
            self._count -= len(delivery.messages)
            if self._count <= 0:
                closing = asyncio.create_task(self._close(), name="close")
            yield delivery
        assert closing
        await closing

    async def _close(self) -> None:
        await self._source.drained()
        await self._source.close()


def over_mqtt(broker: Server, name: str) -> Feed:
    """A source with a session of its own, and a publisher that has sent everything."""

    @asynccontextmanager
    async def feed(batches: Sequence[Sequence[Message]]) -> AsyncIterator[Source]:
        connected = asyncio.Event()
        source = MqttSource(
            Broker(broker.host, broker.port), (f"{name}/#",), client_id=name, linger_s=0.02, batch_messages=50,
            on_change=lambda problem: None if problem else connected.set(),
        )  # fmt: skip
        running = asyncio.create_task(source.run())
        await connected.wait()
        flat = [message for batch in batches for message in batch]
        async with MqttPublisher(Broker(broker.host, broker.port), client_id=f"{name}-p") as publisher:
            await publisher.publish([Message(f"{name}/{topic}", payload) for topic, payload in flat])
        yield ClosedWhenDone(source, len(flat))
        await running

    return feed


@asynccontextmanager
async def together(batches: Sequence[Sequence[Message]]) -> AsyncIterator[Source]:
    yield Together([ListSource(batches), ListSource([])])


@pytest.fixture(params=["list", "together", pytest.param("mqtt", marks=pytest.mark.live)])
def feed(request: pytest.FixtureRequest) -> Feed:
    if request.param != "mqtt":
        return {"list": listed, "together": together}[request.param]
    return over_mqtt(request.getfixturevalue("broker"), request.getfixturevalue("fresh_name"))


BATCHES = [[Message(f"t/{b}", b"%d-%d" % (b, n)) for n in range(size)] for b, size in enumerate((1, 40, 3, 120))]


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(30):
            await test()

    asyncio.run(limited())


def test_messages_come_once_in_order_and_whole(feed: Feed) -> None:
    async def test() -> None:
        found: list[Message] = []
        async with feed(BATCHES) as source:
            async for delivery in source.deliveries():
                assert len(delivery.messages) > 0
                found += delivery.messages
                delivery.acknowledge()
        assert [message.payload for message in found] == [m.payload for batch in BATCHES for m in batch]
        assert all(message.topic.endswith(f"t/{message.payload.split(b'-')[0].decode()}") for message in found)

    run(test)


def test_deliveries_may_be_acknowledged_later_in_the_order_of_arrival(feed: Feed) -> None:
    """Two on their way at once, as the ingest keeps them."""

    async def test() -> None:
        count, waiting = 0, list[Delivery]()
        async with feed(BATCHES) as source:
            async for delivery in source.deliveries():
                count += len(delivery.messages)
                waiting.append(delivery)
                if len(waiting) == 2 or count == sum(map(len, BATCHES)):
                    for one in waiting:
                        one.acknowledge()
                    waiting.clear()
        assert count == sum(map(len, BATCHES))

    run(test)


def test_a_source_without_messages_ends(feed: Feed) -> None:
    async def test() -> None:
        async with feed([]) as source:
            assert [delivery async for delivery in source.deliveries()] == []

    run(test)


def test_payloads_are_bytes_of_any_kind(feed: Feed) -> None:
    odd = [b"", b"\x00", b"\xff\xfe", bytes(range(256)), b"x" * 100_000, "ä€😀".encode()]

    async def test() -> None:
        found: list[bytes] = []
        async with feed([[Message("t/odd", payload) for payload in odd]]) as source:
            async for delivery in source.deliveries():
                found += [message.payload for message in delivery.messages]
                delivery.acknowledge()
        assert found == odd
        assert {type(payload) for payload in found} == {bytes}

    run(test)


def test_the_batches_of_the_tests_differ() -> None:
    assert all(len(one) != len(other) for one, other in pairwise(BATCHES))
