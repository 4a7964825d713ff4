"""Failures of the connection to a real broker, each with its outcome, its counter and one alarm: F2, F3, F24-F26."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.live.sources import run as run_loop
from tests.live.sources import running
from tests.live.tools import publish, until
from tests.servers import Server, mosquitto
from twin.adapters.mqtt import Broker, MqttSource
from twin.errors import ConfigError

pytestmark = pytest.mark.live


def test_a_persistent_session_without_a_name_is_refused() -> None:
    """F2."""
    with pytest.raises(ConfigError, match=r"mqtt\.client_id is empty; a persistent session needs a stable name"):
        MqttSource(Broker("127.0.0.1", 1), ("t/#",), client_id="")


def test_the_session_outlives_the_connection_by_the_expiry_that_is_set(fresh_name: str) -> None:
    """F3: the broker forgets it when that has passed, and this is an alarm at the next connection."""
    alarms: list[str] = []

    async def test(broker: Server) -> None:
        async with running(broker, fresh_name, session_expiry_s=1, alarm=alarms.append) as source:
            await source.connected()
            client = source.source._client
            assert client is not None
            assert client.transport is not None
            source.source.paused = True  # there is no room: it does not connect again until there is
            source.source._room.clear()
            client.transport.abort()
            await until(lambda: "buffer is full" in source.source.problem, "the end of the connection")
            await asyncio.sleep(2.5)  # nothing tells when the broker has forgotten it: it checks once a second
            source.source.paused = False
            source.source._room.set()
            await source.connected(2)
            assert source.source.link.sessions_lost == 1
            assert len(alarms) == 1
            assert f"forgotten the session of '{fresh_name}-c'" in alarms[0]
            publish(broker, f"{fresh_name}/t", [b"after"])
            assert [m.payload for m in await source.take(1)] == [b"after"]

    with mosquitto() as broker:
        run_loop(lambda: test(broker))


def test_a_session_that_the_broker_kept_is_no_alarm(fresh_name: str, tmp_path: Path) -> None:
    """F4, F26: after a restart of the broker it subscribes again, and what was sent meanwhile comes."""
    alarms: list[str] = []

    async def test(broker: Server) -> None:
        async with running(broker, fresh_name, alarm=alarms.append) as source:
            await source.connected()
            for time in (2, 3):
                broker.stop()
                await until(lambda: bool(source.source.problem), "the outage")
                broker.start()
                publish(broker, f"{fresh_name}/t", [b"%d" % time])
                await source.connected(time)
                assert [m.payload for m in await source.take(1)] == [b"%d" % time]
            link = source.source.link
            assert (link.connections, link.sessions_lost, alarms) == (3, 0, [])
            assert link.failures >= 2

    with mosquitto(persistence=tmp_path) as broker:
        run_loop(lambda: test(broker))


def test_two_clients_of_one_name_do_not_storm_the_broker(broker: Server, fresh_name: str) -> None:
    """F24: each takes the other's session; pauses grow, and each tells it once, with what to do."""

    async def test() -> None:
        async with running(broker, fresh_name) as one, running(broker, fresh_name) as other:
            both = [one.source.link, other.source.link]
            await until(lambda: all(link.doubt_s > 0 for link in both), "short connections in a row")
            await until(lambda: all("does another client" in link.problem for link in both), "the alarm of both")
            before, told = [link.connections for link in both], [len(one.told), len(other.told)]
            await asyncio.sleep(4)  # a storm would be hundreds of connections by now
            assert sum(link.connections for link in both) - sum(before) < 30
            assert [len(one.told), len(other.told)] == told, "each has told it, once"
            for source in (one, other):
                assert f"again and again: does another client use the client id '{fresh_name}-c'?" in source.told[-1]

    run_loop(test)
