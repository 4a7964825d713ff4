"""F15, F19 and F23 with the real broker: an error that nobody expects, writes that end out of order, invented pots."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.core.plants import roster_of
from tests.live.process import twin
from tests.live.sources import run, running
from tests.live.tools import publish, until, until_sync
from tests.live.watching import metric
from tests.servers import InfluxServer, Server, free_port
from twin.adapters.mqtt import MqttSource
from twin.codec import Codec, Problem
from twin.frames import Readings
from twin.ingest import Ingestor
from twin.ports import Delivery
from twin.service import SystemClock
from twin.topics import Router

pytestmark = pytest.mark.live

START_MS = 1_763_964_000_000


def lines(count: int) -> list[bytes]:
    """Messages a second apart; the voltage tells which one it is."""
    return [b'{"time":%d,"voltage_v":%d}' % (START_MS + 1000 * n, n + 1) for n in range(count)]


class Noting:
    """A source of which the order of acknowledgements is noted, by the first voltage of each delivery."""

    def __init__(self, source: MqttSource) -> None:
        self._source = source
        self.order: list[int] = []

    async def deliveries(self) -> AsyncIterator[Delivery]:
        async for delivery in self._source.deliveries():
            yield _Noted(delivery, self.order)


class _Noted:
    def __init__(self, delivery: Delivery, order: list[int]) -> None:
        self.messages = delivery.messages
        self._delivery, self._order = delivery, order

    def acknowledge(self) -> None:
        self._order += [int(message.payload.rpartition(b":")[2].rstrip(b"}")) for message in self.messages]
        self._delivery.acknowledge()


class NoPark:
    """Nothing of these tests is parked."""

    async def park(self, problems: Sequence[Problem], received_ns: int) -> None:
        assert not problems


class Backwards:
    """A store in which the first write ends after the second."""

    def __init__(self) -> None:
        self.ended: list[float] = []
        self._second = asyncio.Event()

    async def write(self, readings: Readings) -> None:
        if not len(readings):
            return
        if readings.value[0] == 1:
            await self._second.wait()
        self.ended.append(float(readings.value[0]))
        if readings.value[0] == 2:
            self._second.set()


class Broken:
    """A store with an error that nobody expects."""

    async def write(self, readings: Readings) -> None:
        raise ZeroDivisionError("a bug")


async def nobody(readings: Readings) -> None:
    """No engine."""


def ingestor(source: Any, sink: Any, root: str) -> Ingestor:
    codec = Codec(Router(roster_of(3), root=root, discover=False))
    return Ingestor(source, codec, sink, NoPark(), SystemClock(), hand_on=nobody)


def test_f19_the_broker_gets_acknowledgements_in_its_order_though_writes_end_out_of_order(
    broker: Server, fresh_name: str
) -> None:
    async def test() -> None:
        store = Backwards()
        async with running(broker, fresh_name, batch_messages=1) as source:
            await source.connected()
            noting = Noting(source.source)
            ingest = asyncio.create_task(ingestor(noting, store, fresh_name).run())
            await asyncio.to_thread(publish, broker, f"{fresh_name}/s/L/001/telemetry", lines(2))
            await until(lambda: len(noting.order) == 2, "both acknowledgements")
            assert (store.ended, noting.order) == ([2.0, 1.0], [1, 2])
            await source.heard()
            ingest.cancel()
            await asyncio.wait([ingest])
        async with running(broker, fresh_name) as again:
            await again.heard()
            assert again.source.received == 0, "the broker has both acknowledgements"

    run(test)


def test_f15_what_an_unexpected_error_met_is_delivered_again(broker: Server, fresh_name: str) -> None:
    async def test() -> None:
        async with running(broker, fresh_name) as source:
            await source.connected()
            ingest = asyncio.create_task(ingestor(source.source, Broken(), fresh_name).run())
            await asyncio.to_thread(publish, broker, f"{fresh_name}/s/L/001/telemetry", lines(20))
            await asyncio.wait([ingest])
            assert isinstance(ingest.exception(), ExceptionGroup), "it is seen, and ends the ingest"
        async with running(broker, fresh_name) as again:
            came = await again.take(20)
            assert sorted(message.payload for message in came) == sorted(lines(20))

    run(test)


def test_f23_invented_pots_stop_at_the_cap_and_do_not_fill_the_database(
    broker: Server, influx: InfluxServer, influx_v2: Server, database: str, fresh_name: str, tmp_path: Path
) -> None:
    port = free_port()
    settings: dict[str, Any] = {"mqtt__url": broker.url, "mqtt__root": fresh_name, "mqtt__client_id": fresh_name}
    settings |= {"sink__url": f"influx://127.0.0.1:{influx_v2.port}/{database}", "ingest__linger_ms": 20}
    with twin(tmp_path / "run", "ingest", metrics__port=port, ingest__discovered_max=3, **settings) as ingest:
        ingest.says("connected to the broker")
        for n in range(6):
            publish(broker, f"{fresh_name}/demo/A/X{n}/telemetry", lines(1))
        until_sync(lambda: metric(port, "smelter_ingest_received_messages_total") == 6, "six messages")
        until_sync(lambda: metric(port, "smelter_ingest_parked_messages_total") == 3, "three of them parked")
        assert metric(port, "smelter_ingest_discovered_pots") == 3
        assert metric(port, "smelter_ingest_turned_away_messages_total") == 3
        until_sync(lambda: metric(port, "smelter_ingest_stored_messages_total") == 3, "the others stored")
        found = influx.query('SHOW TAG VALUES FROM pot WITH KEY = "pot"', database)["results"][0]["series"][0]["values"]
        assert len(found) == 3
        assert ingest.stop() == 0
