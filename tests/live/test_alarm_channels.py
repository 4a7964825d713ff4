"""Alarms reach Debian's Alertmanager, which tells when they fire and when they are over; a real broker keeps them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiomqtt
import pytest

from tests.alarms.receiver import receiving
from tests.alarms.telling import outgoing
from tests.servers import HOST, Server, alertmanager
from twin.adapters.notify_alertmanager import AlertmanagerChannel
from twin.adapters.notify_mqtt import MqttChannel
from twin.adapters.publish import MqttPublisher
from twin.broker import Broker
from twin.service import SystemClock

pytestmark = pytest.mark.live


def test_an_alertmanager_fires_resolves_and_ends_what_nobody_repeats() -> None:
    async def test() -> None:
        async with receiving() as receiver, asyncio.timeout(60):
            with alertmanager(receiver.url) as server:
                channel = AlertmanagerChannel(server.url, SystemClock(), resend_s=0.5)

                def told(status: str, unit: str) -> list[Any]:
                    return [
                        alert for body in receiver.bodies() for alert in body["alerts"]
                        if (alert["status"], alert["labels"]["unit"]) == (status, unit)
                    ]  # fmt: skip

                await channel.send([outgoing("a", 0)])
                await receiver.until(lambda: bool(told("firing", "s/L/001")))
                await channel.send([outgoing("a", 9, after="normal")])
                await receiver.until(lambda: bool(told("resolved", "s/L/001")))
                # Repeated it stands longer than its own end; not repeated it ends by itself.
                standing = [outgoing("a", 0, unit="s/L/002").notice]
                for _ in range(6):
                    await channel.refresh(standing)
                    await asyncio.sleep(0.5)  # what is shown is that time passes
                assert told("firing", "s/L/002")
                assert not told("resolved", "s/L/002")
                await receiver.until(lambda: bool(told("resolved", "s/L/002")))
                fired = told("firing", "s/L/001")[0]
                assert fired["annotations"]["summary"] == "[high] Anode effect: s/L/001"
                assert "What to do: Quench" in fired["annotations"]["description"]
                await channel.close()

    asyncio.run(test())


def test_a_broker_tells_whoever_comes_later_the_present_state(broker: Server, fresh_name: str) -> None:
    async def test() -> None:
        async with MqttPublisher(Broker(HOST, broker.port), client_id=fresh_name, retain=True) as publisher:
            channel = MqttChannel(publisher, f"{fresh_name}/alarms")
            await channel.send([outgoing("a", n, unit=f"s/L/{n:03d}") for n in range(300)])
            await channel.send([outgoing("a", 900, unit="s/L/007", after="normal")])
        found: dict[str, str] = {}
        async with aiomqtt.Client(HOST, broker.port) as client, asyncio.timeout(30):
            await client.subscribe(f"{fresh_name}/alarms/#", qos=1)
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                found[message.topic.value] = json.loads(message.payload)["state"]
                if len(found) == 300:
                    break
        assert found.pop(f"{fresh_name}/alarms/s/L/007/anode_effect") == "normal"
        assert set(found.values()) == {"unacknowledged"}

    asyncio.run(test())
