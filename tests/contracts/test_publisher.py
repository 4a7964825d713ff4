"""What every publisher promises, asked of the keeping one and of MQTT."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from tests.servers import Server, binary, free_port
from twin.adapters.memory import KeepingPublisher
from twin.adapters.publish import MqttPublisher
from twin.broker import Broker
from twin.errors import SourceUnavailable
from twin.ports import Message, Publisher

Received = Callable[[int], Sequence[Message]]
Opened = Callable[[], AbstractAsyncContextManager[tuple[Publisher, Received]]]
MESSAGES = [Message(f"a/{n % 3}", b"payload %d" % n) for n in range(300)]


@asynccontextmanager
async def keeping() -> AsyncIterator[tuple[Publisher, Received]]:
    publisher = KeepingPublisher()
    yield publisher, lambda count: publisher.messages


def over_mqtt(broker: Server, name: str) -> Opened:
    """A publisher below `name`, and a session of `mosquitto_sub` that keeps what is published."""

    def sub(*options: str) -> str:
        command = [binary("mosquitto_sub", "mosquitto-clients"), "-h", broker.host, "-p", str(broker.port)]
        command += ["-i", name, "-c", "-q", "1", "-t", f"{name}/#", *options]
        return subprocess.run(command, capture_output=True, check=True, text=True, timeout=20).stdout

    def received(count: int) -> list[Message]:
        lines = sub("-C", str(count), "-W", "10", "-F", "%t %p").splitlines() if count else []
        return [Message(t.removeprefix(f"{name}/"), p.encode()) for t, _, p in (line.partition(" ") for line in lines)]

    class Below:
        def __init__(self, publisher: MqttPublisher) -> None:
            self._publisher = publisher

        async def publish(self, messages: Sequence[Message]) -> None:
            await self._publisher.publish([Message(f"{name}/{topic}", payload) for topic, payload in messages])

    @asynccontextmanager
    async def opened() -> AsyncIterator[tuple[Publisher, Received]]:
        sub("-E")
        async with MqttPublisher(Broker(broker.host, broker.port), client_id=f"{name}-p") as publisher:
            yield Below(publisher), received

    return opened


@pytest.fixture(params=["keeping", pytest.param("mqtt", marks=pytest.mark.live)])
def opened(request: pytest.FixtureRequest) -> Opened:
    if request.param == "keeping":
        return keeping
    return over_mqtt(request.getfixturevalue("broker"), request.getfixturevalue("fresh_name"))


def run(opened: Opened, test: Callable[[Publisher, Received], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(40), opened() as (publisher, received):
            await test(publisher, received)

    asyncio.run(limited())


def test_every_message_arrives_once_and_in_order(opened: Opened) -> None:
    async def test(publisher: Publisher, received: Received) -> None:
        await publisher.publish(MESSAGES[:1])
        await publisher.publish(MESSAGES[1:])
        assert list(received(len(MESSAGES))) == MESSAGES

    run(opened, test)


def test_nothing_may_be_published(opened: Opened) -> None:
    async def test(publisher: Publisher, received: Received) -> None:
        await publisher.publish([])
        assert list(received(0)) == []

    run(opened, test)


def test_a_broker_that_stays_away_is_told_after_the_patience_given() -> None:
    async def test() -> None:
        async with MqttPublisher(Broker("127.0.0.1", free_port()), client_id="x", patience_s=0.05) as publisher:
            with pytest.raises(SourceUnavailable, match="2 messages are not published"):
                await publisher.publish(MESSAGES[:2])
            assert publisher.sent == 0

    asyncio.run(test())
