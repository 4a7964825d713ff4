"""The way in against a real broker: acknowledged only when told to, bounded, and back after every outage."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import gmqtt
import pytest

from tests.live.sources import Running, run, running
from tests.live.tools import publish, until
from tests.servers import Server, free_port, mosquitto
from twin.adapters.mqtt import Broker
from twin.ports import Message

pytestmark = pytest.mark.live


def lines(count: int, start: int = 0) -> list[bytes]:
    return [b"message %d" % n for n in range(start, start + count)]


def payloads(messages: list[Message]) -> list[bytes]:
    return [message.payload for message in messages]


def test_what_is_not_acknowledged_comes_again_to_the_next_session(broker: Server, fresh_name: str) -> None:
    async def test() -> None:
        async with running(broker, fresh_name, batch_messages=10) as first:
            await first.connected()
            publish(broker, f"{fresh_name}/t", lines(100))
            assert payloads(await first.take(30)) == lines(30)
            assert payloads(await first.take(20, acknowledge=False)) == lines(20, 30)
            await first.heard()
        async with running(broker, fresh_name, batch_messages=10) as second:
            assert payloads(await second.take(70)) == lines(70, 30)
            await second.heard()
        async with running(broker, fresh_name) as third:
            await third.connected()
            publish(broker, f"{fresh_name}/t", [b"last"])
            assert payloads(await third.take(1)) == [b"last"], "all else was acknowledged"

    run(test)


def test_closing_in_the_middle_of_connecting_leaves_nothing_behind(
    broker: Server, fresh_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()
    connect = gmqtt.Client.connect

    async def slowly(client: gmqtt.Client, *arguments: Any, **options: Any) -> None:
        await connect(client, *arguments, **options)
        reached.set()
        await go_on.wait()

    async def test() -> None:
        source = Running(broker, fresh_name, {})
        await reached.wait()
        await source.source.close()
        go_on.set()
        async with asyncio.timeout(5):
            await source.task

    monkeypatch.setattr(gmqtt.Client, "connect", slowly)
    run(test)


def test_messages_sent_while_away_are_kept_by_the_session(broker: Server, fresh_name: str) -> None:
    async def test() -> None:
        async with running(broker, fresh_name) as first:
            await first.connected()
        publish(broker, f"{fresh_name}/t", lines(50))
        async with running(broker, fresh_name) as second:
            assert payloads(await second.take(50)) == lines(50)
            await second.connected()

    run(test)


def test_a_batch_is_full_or_has_lingered(broker: Server, fresh_name: str) -> None:
    async def test() -> None:
        async with running(broker, fresh_name, batch_messages=40, linger_s=0.2) as source:
            await source.connected()
            publish(broker, f"{fresh_name}/t", lines(85))
            sizes = []
            async for delivery in source.deliveries:
                sizes.append(len(delivery.messages))
                delivery.acknowledge()
                if sum(sizes) == 85:
                    break
            assert max(sizes) == 40
            publish(broker, f"{fresh_name}/t", lines(3))
            assert len(await source.take(3)) == 3, "a few messages do not wait for more than they linger"

    run(test)


def test_a_broker_with_a_window_smaller_than_a_batch_does_not_stall(fresh_name: str) -> None:
    async def test(broker: Server) -> None:
        async with running(broker, fresh_name, batch_messages=1000, linger_s=30.0) as source:
            await source.connected()
            publish(broker, f"{fresh_name}/t", lines(200))
            async with asyncio.timeout(5):
                assert payloads(await source.take(200)) == lines(200)

    with mosquitto("max_inflight_messages 20\n") as broker:
        run(lambda: test(broker))


@pytest.mark.parametrize("standard_loop", [False, True])
def test_a_flood_stops_at_the_socket_and_nothing_of_it_is_lost(fresh_name: str, standard_loop: bool) -> None:
    count, limit = 50_000, 1 << 20

    async def test(broker: Server) -> None:
        async with running(broker, fresh_name, buffer_bytes=limit, receive_maximum=65535, batch_messages=500) as source:
            await source.connected()
            flood = asyncio.to_thread(publish, broker, f"{fresh_name}/t", lines(count))
            await asyncio.gather(flood, until(lambda: source.source.held_bytes >= limit, "the flood"))
            client = source.source._client
            assert client is not None
            assert client.transport is not None
            assert not client.transport.is_reading()  # so nothing more can come
            chunk = 2 * 256 * 1024 * 15  # two reads of the socket, of messages that cost 15 times their bytes
            assert source.source.held_bytes <= limit + chunk
            assert source.source.received < count / 2
            found = await source.take(count)
            assert sorted(set(payloads(found))) == sorted(lines(count))
            assert source.source.held_bytes == 0

    with mosquitto("max_inflight_messages 0\n") as broker:
        run(lambda: test(broker), standard_loop=standard_loop)


def test_after_a_restart_of_the_broker_it_subscribes_again(fresh_name: str, tmp_path: Any) -> None:
    async def test(broker: Server) -> None:
        async with running(broker, fresh_name) as source:
            await source.connected()
            publish(broker, f"{fresh_name}/t", [b"one", b"two"])
            (held,) = [await anext(source.deliveries)]
            broker.stop()
            await until(
                lambda: "closed the connection" in source.source.problem or "cannot be" in source.source.problem
            )
            broker.start()
            await source.connected(2)
            held.acknowledge()  # its connection is gone: they come again
            publish(broker, f"{fresh_name}/t", [b"three"])
            assert payloads(await source.take(3)) == [b"one", b"two", b"three"]
            assert source.source.link.sessions_lost == 0, "mosquitto kept the session on its disk"

    with mosquitto(persistence=tmp_path) as broker:
        run(lambda: test(broker))


def test_a_session_that_the_broker_lost_is_counted(fresh_name: str) -> None:
    async def test(broker: Server) -> None:
        async with running(broker, fresh_name) as source:
            await source.connected()
            assert source.source.link.sessions_lost == 0, "the first connection has no session to lose"
            broker.kill()
            broker.start()
            await source.connected(2)
            publish(broker, f"{fresh_name}/t", [b"after"])
            assert payloads(await source.take(1)) == [b"after"], "it subscribes to what the broker forgot"
            assert source.source.link.sessions_lost == 1

    with mosquitto() as broker:
        run(lambda: test(broker))


def test_it_keeps_trying_until_there_is_a_broker(fresh_name: str) -> None:
    port = free_port()

    async def test() -> None:
        async with running(Broker("127.0.0.1", port), fresh_name) as source:
            await until(lambda: bool(source.told))
            assert source.told[0].startswith(f"broker 127.0.0.1:{port} cannot be reached")
            with mosquitto(port=port) as broker:
                await source.connected()
                publish(broker, f"{fresh_name}/t", [b"one"])
                assert payloads(await source.take(1)) == [b"one"]
                assert source.source.problem == ""

    run(test)


def test_a_broker_that_refuses_is_told_in_one_sentence(fresh_name: str) -> None:
    async def test(broker: Server) -> None:
        async with running(broker, fresh_name) as source:
            await until(lambda: bool(source.told))
            assert "cannot be reached" in source.told[0]
            assert not source.task.done()

    with mosquitto("allow_anonymous false\n") as broker:
        run(lambda: test(broker))


def test_a_host_that_has_no_address_is_told_in_one_sentence(fresh_name: str) -> None:
    async def test() -> None:
        async with running(Broker("nowhere.invalid", 1883), fresh_name) as source:
            await until(lambda: bool(source.told))
            assert "nowhere.invalid:1883 cannot be reached" in source.source.problem

    run(test)


def test_messages_of_qos_0_and_1_come_by_the_same_way(broker: Server, fresh_name: str) -> None:
    async def test() -> None:
        async with running(broker, fresh_name) as source:
            await source.connected()
            publish(broker, f"{fresh_name}/a", lines(5), qos=0)
            publish(broker, f"{fresh_name}/b", lines(5), qos=1)
            publish(broker, f"{fresh_name}/c", lines(5), qos=2)
            found = await source.take(15)
            assert sorted(payloads(found)) == sorted(lines(5) * 3)
            await source.source.drained()

    run(test)


def test_closing_leaves_nothing_behind_and_logs_nothing(
    broker: Server, fresh_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        async with running(broker, fresh_name, batch_messages=10) as source:
            await source.connected()
            publish(broker, f"{fresh_name}/t", lines(100))
            await source.take(10, acknowledge=False)
            waiting = asyncio.create_task(source.source.drained())
            await asyncio.sleep(0)
            assert not waiting.done()
            waiting.cancel()
        assert [delivery async for delivery in source.deliveries] == []
        await source.source.close()

    with caplog.at_level(logging.DEBUG):
        run(test)
    assert [record for record in caplog.records if record.name != "asyncio"] == []
