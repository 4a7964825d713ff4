"""The host over TLS, with a user, under the shipped access list; and its messages parked and sent again."""

from __future__ import annotations

import asyncio
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.live.certificates import Authority, tls_listener
from tests.live.process import twin
from tests.live.sources import run
from tests.live.test_deadletter import replay, waiting
from tests.live.test_tls import LEFT_BY_PAHO
from tests.live.tools import publish, until, until_sync
from tests.live.watching import metric
from tests.servers import HOST, Server, binary, free_port, mosquitto
from tests.sparkplug.test_host import MAP, Edge, an_edge
from tests.sparkplug.test_service import beside_of
from twin.adapters.sparkplug import SparkplugSource
from twin.connections import sparkplug_of
from twin.settings import Settings, resolve

pytestmark = pytest.mark.live

WORD = "c4n4ry-w0rd"


def settings(folder: Path, port: int, authority: Authority, word: str = WORD) -> Settings:
    file = folder / "word"
    file.write_text(word)
    file.chmod(0o600)
    return resolve(
        flags={
            "mqtt.url": f"mqtts://ingestor@{HOST}:{port}", "mqtt.ca_file": str(authority.file),
            "mqtt.password_file": str(file), "sparkplug.host_id": "h",
        }
    )  # fmt: skip


def host_of(found: Settings, told: list[str]) -> SparkplugSource:
    source = sparkplug_of(found, ("ingest",), beside_of(found), told.append)
    assert source is not None
    return source


@LEFT_BY_PAHO
def test_it_enters_as_the_settings_say_and_errors_name_them_without_the_word(tmp_path: Path) -> None:
    authority, words = Authority(tmp_path / "ca"), tmp_path / "words"
    stranger = Authority(tmp_path / "stranger")
    create = [binary("mosquitto_passwd", "mosquitto"), "-b", "-c", str(words), "ingestor", WORD]
    subprocess.run(create, check=True, capture_output=True)

    async def said(found: Settings) -> str:
        told: list[str] = []
        source = host_of(found, told)
        task = asyncio.create_task(source.run())
        await until(lambda: bool(told), "the first word")
        await source.close()
        await task
        return told[0]

    async def test(port: int) -> None:
        assert await said(settings(tmp_path, port, authority)) == ""
        refused = await said(settings(tmp_path, port, authority, "wrong-w0rd"))
        assert "the server refuses this user" in refused
        assert "mqtt.password_file" in refused
        assert "w0rd" not in refused
        assert "mqtt.ca_file" in await said(settings(tmp_path, port, stranger))

    config = tls_listener(authority, authority.issue("server")) + f"password_file {words}\nallow_anonymous false\n"
    with mosquitto(config) as server:
        run(lambda: test(server.port))


def test_what_was_parked_is_stored_by_a_replay_and_the_edge_nodes_do_not_notice(
    broker: Server, fresh_name: str, tmp_path: Path
) -> None:
    """A Sparkplug message and a mapped one from the future: parked, then published again when their time has come."""
    plain = f'[[row]]\ntopic = "{fresh_name}-raw/pot{{pot:d}}"\nformat = "json"\nunit = "demo/A/A{{pot:03d}}"\n'
    plain += 'time = { path = "ts" }\nsignal = [{ name = "noise_mv", path = "n" }]\n'
    file = tmp_path / "map.toml"
    file.write_text(MAP.format(fresh_name).replace('"s/L/', '"demo/A/A') + plain)
    watch = free_port()
    options: dict[str, Any] = {"mqtt__url": broker.url, "mqtt__root": fresh_name, "mqtt__client_id": fresh_name}
    options |= {"ingest__linger_ms": 20, "ingest__future_s": 5, "sink__url": "memory", "ingest__map": file}
    options |= {"sparkplug__host_id": f"{fresh_name}h", "sparkplug__group": fresh_name, "metrics__port": watch}
    data = tmp_path / "run" / "twin-data"

    def counted(name: str) -> float:
        return metric(watch, f"smelter_{name}_total")

    with twin(tmp_path / "run", "ingest", **options) as ingest:
        ingest.says("connected as Sparkplug host")
        edge = Edge(broker, fresh_name)
        try:
            until_sync(lambda: counted("ingest_stored_messages") >= 2, "the births")
            soon_ms = int(time.time() * 1000) + 8_000
            edge.order(update={"Voltage": 4005.0}, ahead_ms=8_000)
            publish(broker, f"{fresh_name}-raw/pot2", [b'{"ts": %d, "n": 3}' % soon_ms])
            until_sync(lambda: data.exists() and waiting(data) == {"future_time": 2}, "both parked")
            stored, heard = counted("ingest_stored_messages"), counted("sparkplug_messages_received")
            until_sync(lambda: time.time() * 1000 > soon_ms, "the time of the messages")
            ended = replay(data, "--all", mqtt__url=broker.url)
            assert (ended.returncode, ended.stderr) == (0, "")
            until_sync(lambda: counted("ingest_stored_messages") == stored + 2, "both stored")
            assert waiting(data) == {}
            assert counted("sparkplug_messages_received") == heard, "nothing of it in the namespace of Sparkplug"
            assert counted("sparkplug_sequence_gaps") == counted("sparkplug_rebirths_asked") == 0
        finally:
            edge.kill()
        assert ingest.stop() == 0


def test_a_source_that_was_never_run_ends_at_once() -> None:
    async def test() -> None:
        found = resolve(flags={"sparkplug.host_id": "h"})
        source = host_of(found, [])
        await source.close()
        assert [delivery async for delivery in source.deliveries()] == []

    run(test)


def test_what_is_held_is_bounded_by_bytes_and_goes_on_when_there_is_room(broker: Server, fresh_name: str) -> None:
    async def test() -> None:
        flags = {"mqtt.url": broker.url, "sparkplug.host_id": f"{fresh_name}h", "sparkplug.group": fresh_name}
        source = host_of(resolve(flags=flags), [])
        source._buffer_bytes = 100  # less than one message
        task = asyncio.create_task(source.run())
        await until(lambda: source.problem == "", "the connection")
        async with an_edge(broker, fresh_name) as edge:
            await until(lambda: source.received == 1, "the first birth")
            edge.order(update={"Voltage": 4005.0})
            deliveries, came = source.deliveries(), 0
            while came < 3:
                delivery = await anext(deliveries)
                came += len(delivery.messages)
                assert len(delivery.messages) == 1, "the socket waits for each"
                delivery.acknowledge()
        await source.close()
        await task

    run(test)
