"""The sources keep what the broker has not acknowledged, and send it again when the broker is back."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from tests.chaos.outbox import Outbox
from tests.live.sources import running
from tests.live.tools import until
from tests.servers import Server, mosquitto

pytestmark = pytest.mark.live
TOTAL = 3000


def run(test: Coroutine[Any, Any, None]) -> None:
    """In the standard loop: when a broker goes, aiomqtt leaves futures behind of which a loop complains."""

    async def limited() -> None:
        async with asyncio.timeout(60):
            await test

    asyncio.run(limited())


def test_a_broker_that_restarts_in_mid_stream_gets_everything_from_the_outbox() -> None:
    async def test(broker: Server) -> None:
        outbox = Outbox(broker.host, broker.port, "outbox")
        async with running(broker, "t") as source:
            await source.connected()
            sending = asyncio.create_task(outbox.run())
            for number in range(TOTAL):
                outbox.put("t/x", b"%d" % number)
            await until(lambda: outbox.sent > TOTAL // 10, "the first messages")
            broker.stop()
            assert outbox.sent < TOTAL, "the broker went away in the middle"
            broker.start()
            found: set[bytes] = set()
            while len(found) < TOTAL:
                found |= {message.payload for message in await source.take(1)}
            await outbox.emptied()
            sending.cancel()
            await asyncio.wait([sending])
        assert found == {b"%d" % number for number in range(TOTAL)}
        assert outbox.sent == TOTAL
        assert outbox.resent > 0
        assert outbox.connections == 2

    with mosquitto() as broker:
        run(test(broker))


def test_it_is_not_empty_before_the_broker_has_taken_everything() -> None:
    async def test(broker: Server) -> None:
        outbox = Outbox(broker.host, broker.port, "outbox")
        broker.stop()
        sending = asyncio.create_task(outbox.run())
        outbox.put("t/x", b"one")
        emptied = asyncio.create_task(outbox.emptied())
        await asyncio.sleep(0)
        assert not emptied.done()
        broker.start()
        await emptied
        assert (outbox.sent, outbox.deepest) == (1, 1)
        sending.cancel()
        await asyncio.wait([sending])

    with mosquitto() as broker:
        run(test(broker))
