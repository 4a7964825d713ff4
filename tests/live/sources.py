"""An MQTT source that runs in a test: takes, acknowledges, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvloop

from tests.live.tools import until
from tests.servers import Server
from twin.adapters.mqtt import Broker, MqttSource
from twin.ports import Delivery, Message

__all__ = ["Running", "run", "running"]


class Running:
    """A source that runs, the outages it has told, and what the loop complained about."""

    def __init__(self, broker: Server | Broker, name: str, options: dict[str, Any]) -> None:
        self.told: list[str] = []
        self.source = MqttSource(
            broker if isinstance(broker, Broker) else Broker(broker.host, broker.port),
            (f"{name}/#",),
            client_id=f"{name}-c",
            on_change=self.told.append,
            **{"linger_s": 0.05, **options},
        )
        self.task = asyncio.create_task(self.source.run(), name="mqtt")
        self.deliveries = self.source.deliveries()

    async def connected(self, times: int = 1) -> None:
        await until(lambda: self.told.count("") >= times, f"connection {times}")

    async def take(self, count: int, *, acknowledge: bool = True) -> list[Message]:
        """At least so many messages, delivery by delivery."""
        found: list[Message] = []
        while len(found) < count:
            delivery: Delivery = await anext(self.deliveries)
            found += delivery.messages
            if acknowledge:
                delivery.acknowledge()
        return found

    async def heard(self) -> None:
        """Return when the broker has read what was sent until now: it answers in order."""
        await self.connected()
        client, answered = self.source._client, asyncio.Event()
        assert client is not None
        client.on_subscribe = lambda *_: answered.set()
        client.subscribe("heard", qos=1)
        await answered.wait()

    async def close(self) -> None:
        await self.source.close()
        await self.task


@asynccontextmanager
async def running(broker: Server | Broker, name: str, **options: Any) -> AsyncIterator[Running]:
    found = Running(broker, name, options)
    try:
        yield found
    finally:
        await found.close()


def run(test: Callable[[], Awaitable[None]], *, standard_loop: bool = False) -> None:
    """Run the test in a loop that must end with nothing left over and nothing complained about."""

    async def limited() -> None:
        complaints: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        async with asyncio.timeout(60):
            await test()
        await until(lambda: asyncio.all_tasks() == {asyncio.current_task()}, "the end of every task")
        assert complaints == []

    with asyncio.Runner(loop_factory=None if standard_loop else uvloop.new_event_loop) as runner:
        runner.run(limited())
