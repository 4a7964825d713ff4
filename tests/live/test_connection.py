"""Several addresses, both versions of MQTT, and sessions that are known, lost or used twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.live.sources import run, running
from tests.live.tools import publish, until
from tests.servers import HOST, Server, free_port, mosquitto
from twin.adapters.embedded_broker import EmbeddedBroker
from twin.adapters.mqtt import Broker, MqttSource
from twin.adapters.publish import MqttPublisher
from twin.errors import ConfigError
from twin.ports import Message

pytestmark = pytest.mark.live


async def connected(source: MqttSource) -> None:
    await until(lambda: not source.problem, "the connection")


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_addresses_are_tried_in_turn_until_one_answers(broker: Server, fresh_name: str, version: str) -> None:
    dead = [free_port() for _ in range(3)]

    async def test() -> None:
        where = [Broker(HOST, port) for port in (*dead, broker.port)]
        source = MqttSource(where, (f"{fresh_name}/#",), client_id=fresh_name, version=version, linger_s=0.05)
        task = asyncio.create_task(source.run())
        await connected(source)
        async with MqttPublisher(where, client_id=f"{fresh_name}-p", version=version) as publisher:
            await publisher.publish([Message(f"{fresh_name}/t", b"one"), Message(f"{fresh_name}/t", b"two")])
        found: list[bytes] = []
        async for delivery in source.deliveries():
            found += [message.payload for message in delivery.messages]
            delivery.acknowledge()
            if len(found) == 2:
                break
        assert found == [b"one", b"two"]
        await source.close()
        await task

    run(test)


def test_by_mqtt_3_1_1_what_is_not_acknowledged_comes_again_to_the_next_session(
    broker: Server, fresh_name: str
) -> None:
    async def test() -> None:
        async with running(broker, fresh_name, version="3.1.1", batch_messages=10) as first:
            await first.connected()
            publish(broker, f"{fresh_name}/t", [b"%d" % n for n in range(30)])
            await first.take(10)
            await first.take(10, acknowledge=False)
            await first.heard()
        publish(broker, f"{fresh_name}/t", [b"30"])
        async with running(broker, fresh_name, version="3.1.1", remembered=True) as second:
            found = await second.take(21)
            assert [message.payload for message in found] == [b"%d" % n for n in range(10, 31)]
            assert second.source.link.sessions_lost == 0

    run(test)


def test_a_session_that_ought_to_be_there_and_is_not_is_told_and_counted(broker: Server, fresh_name: str) -> None:
    """The broker was started anew without its disk while this process was away (F4)."""
    told: list[str] = []

    async def test() -> None:
        entered: list[bool] = []
        async with running(
            broker, fresh_name, remembered=True, alarm=told.append, on_entered=lambda: entered.append(True)
        ) as source:
            await source.connected()
            assert source.source.link.sessions_lost == 1
            assert entered == [True]

    run(test)
    assert len(told) == 1
    assert f"has forgotten the session of '{fresh_name}-c'" in told[0]


def test_of_two_of_one_name_the_older_one_ends_and_the_newer_one_goes_on(broker: Server, fresh_name: str) -> None:
    async def test() -> None:
        def source() -> MqttSource:
            return MqttSource(
                Broker(broker.host, broker.port), (f"{fresh_name}/#",), client_id=fresh_name, linger_s=0.05,
                presence=f"p-{fresh_name}",
            )  # fmt: skip

        older, newer = source(), source()
        first = asyncio.create_task(older.run())
        await connected(older)
        await until(lambda: older._presence is not None and older._presence.said, "its own word")
        second = asyncio.create_task(newer.run())
        with pytest.raises(ConfigError, match=r"another process \(.*\) has taken over the session of client id"):
            await first
        await connected(newer)
        publish(broker, f"{fresh_name}/t", [b"one"])
        delivery = await anext(newer.deliveries())
        assert [message.payload for message in delivery.messages] == [b"one"], "its own word is no message"
        delivery.acknowledge()
        await newer.close()
        await second
        # A later process of the name finds the word of the one before it, and is not frightened.
        third = source()
        task = asyncio.create_task(third.run())
        await until(lambda: third._presence is not None and third._presence.said, "its own word")
        await connected(third)
        await third.close()
        await task

    run(test)


def test_a_flood_at_the_start_and_the_word_of_the_process_do_not_disturb_each_other(tmp_path: Path) -> None:
    """rumqttd hangs up when acknowledgements are out of order."""
    count = 20_000

    async def test() -> None:
        embedded = EmbeddedBroker(tmp_path, free_port())
        await embedded.start()
        try:
            async with MqttPublisher(Broker(HOST, embedded.port), client_id="p") as publisher:
                flood = asyncio.create_task(publisher.publish([Message("f/t", b"x" * 500)] * count))
                await until(lambda: publisher.sent > 0, "the flood")
                async with running(Broker(HOST, embedded.port), "f", presence="p-f", batch_messages=50) as source:
                    await source.take(500)
                    await until(lambda: source.source._presence is not None and source.source._presence.said)
                    await source.take(500)
                    assert source.told == [""], "one connection"
                await flood
        finally:
            await embedded.stop()

    run(test)


def test_what_the_broker_does_not_grant_is_told_once(fresh_name: str) -> None:
    told: list[str] = []

    async def test(broker: Server) -> None:
        async with running(broker, fresh_name, session_expiry_s=86400, notice=told.append) as source:
            await source.connected()
            broker.kill()
            broker.start()
            await source.connected(2)

    with mosquitto("max_qos 0\n") as broker:
        run(lambda: test(broker))
    assert [text for text in told if "QoS 0 only" in text] == [
        "the broker grants QoS 0 only: messages can be lost on the way"
    ]
