"""A broker that survives the loss of a host: three nodes of NATS JetStream, one of them killed under load."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.live.plants import lines_file, messages, stored_of, topic_of_line, wanted
from tests.live.process import twin
from tests.live.tools import until, until_sync
from tests.nats import NatsServer, nats_cluster
from tests.servers import HOST, InfluxServer, Server
from twin.adapters.publish import MqttPublisher
from twin.broker import Broker
from twin.ports import Message

pytestmark = pytest.mark.live

TOTAL = 12_000
CHUNK = 500


def node_of(pid: int, nodes: list[NatsServer]) -> NatsServer:
    """The node that a process is connected to."""
    ports = {c.raddr.port for c in psutil.Process(pid).net_connections("tcp") if c.raddr}
    (found,) = (node for node in nodes if node.mqtt_port in ports)
    return found


async def publish_and_kill(topic: str, publisher: MqttPublisher, victim: NatsServer, stored: Any) -> float:
    """Publish everything; in the middle of it kill the node. Returns for how long the publisher stood [s]."""
    loop, longest = asyncio.get_running_loop(), 0.0
    for first in range(0, TOTAL, CHUNK):
        began = loop.time()
        sending = asyncio.create_task(publisher.publish([Message(topic, m) for m in messages(first, first + CHUNK)]))
        if first == TOTAL // 3:
            await until(lambda: bool(stored()), "the first points")
            victim.kill()
        await sending
        longest = max(longest, loop.time() - began)
    return longest


@pytest.mark.parametrize("shared_node", [True, False], ids=["the ingestor's and the publisher's", "the ingestor's"])
def test_one_node_of_three_is_killed_under_load_and_nothing_is_lost_or_doubled(
    influx: InfluxServer, influx_v2: Server, database: str, fresh_name: str, tmp_path: Path, shared_node: bool
) -> None:
    with nats_cluster() as nodes:
        settings: dict[str, Any] = {
            "mqtt__url": "mqtt://" + ",".join(f"{HOST}:{node.mqtt_port}" for node in nodes),
            "mqtt__version": "3.1.1", "mqtt__root": fresh_name, "mqtt__client_id": fresh_name,
            "plant__file": lines_file(tmp_path / "plant"), "roles": "ingest", "ingest__batch_messages": 300,
            "sink__url": f"influx://127.0.0.1:{influx_v2.port}/{database}",
        }  # fmt: skip
        with twin(tmp_path / "run", "run", **settings) as ingest:
            ingest.says("connected to the broker")
            victim = node_of(ingest.process.pid, nodes)
            others = [node for node in nodes if node is not victim]
            order = [victim, *others] if shared_node else [*others, victim]

            async def load() -> float:
                where = [Broker(HOST, node.mqtt_port) for node in order]
                async with MqttPublisher(where, client_id=f"{fresh_name}-p", version="3.1.1") as publisher:
                    topic = topic_of_line(fresh_name, "A")
                    return await publish_and_kill(topic, publisher, victim, lambda: stored_of(influx, database))

            stood_s = asyncio.run(load())
            until_sync(lambda: len(stored_of(influx, database)["A"]) >= TOTAL, "every point")
            ingest.says("connected to the broker", 2)
            print(f"the publisher stood for {stood_s:.2f} s at most")
            assert ingest.stop() == 0
            assert "has forgotten the session" not in ingest.log(), "another node has it"
    assert stored_of(influx, database) == {"A": wanted(0, TOTAL)}


def test_a_broker_without_mqtt_5_is_told_with_what_to_do(fresh_name: str, tmp_path: Path) -> None:
    with nats_cluster() as nodes:
        url = f"mqtt://{HOST}:{nodes[0].mqtt_port}"
        settings = {"mqtt__url": url, "sink__url": "memory", "roles": "ingest", "mqtt__client_id": fresh_name}
        with twin(tmp_path, "run", **settings) as ingest:
            ingest.says('it does not speak MQTT 5; set mqtt.version = "3.1.1"')
            assert ingest.stop() == 0
