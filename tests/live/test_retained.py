"""Retained messages at every start: stored once where they have a time, not asked for where they have none (F16)."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import pytest

from tests.core.plants import roster_of
from tests.live.sources import run
from tests.live.tools import until
from tests.servers import Server, binary
from twin.adapters.memory import MemorySink
from twin.adapters.mqtt import Broker, MqttSource
from twin.codec import Codec, Problem
from twin.frames import Readings
from twin.ingest import Counts, Ingestor
from twin.mapping.table import mapping
from twin.signals import by_name
from twin.topics import Router

pytestmark = pytest.mark.live

MAP = """
[[row]]
topic = "{0}/timed/pot{{pot:d}}"
format = "json"
unit = "s/L/{{pot:03d}}"
time = {{ path = "ts" }}
signal = [{{ name = "voltage_v", path = "u" }}]
[[row]]
topic = "{0}/raw/{{pot:d}}"
format = "number"
unit = "s/L/{{pot:03d}}"
time = "arrival"
signal = [{{ name = "voltage_v" }}]
"""


def send(broker: Server, topic: str, payload: str, *more: str) -> None:
    command = [binary("mosquitto_pub", "mosquitto-clients"), "-h", broker.host, "-p", str(broker.port), "-V", "5"]
    subprocess.run([*command, "-q", "1", "-t", topic, "-m", payload, *more], check=True, timeout=30)


class Park:
    """Nothing of this test is parked."""

    async def park(self, problems: Sequence[Problem], received_ns: int) -> None:
        assert not problems


class WallClock:
    """The wall clock."""

    def now_ns(self) -> int:
        return time.time_ns()


@asynccontextmanager
async def ingesting(broker: Server, name: str, client: str, sink: MemorySink) -> AsyncIterator[Ingestor]:
    """The way in, from the broker to the sink, under a mapping file."""
    router = Router(roster_of(3), root=name, discover=False)
    beside = mapping(MAP.format(f"{name}m"), "test", router)
    connected = asyncio.Event()
    source = MqttSource(
        Broker(broker.host, broker.port), (f"{name}/#", *beside.filters), client_id=client, linger_s=0.02,
        on_change=lambda problem: None if problem else connected.set(), fresh=beside.fresh,
    )  # fmt: skip

    async def nobody(readings: Readings) -> None:
        """No engine here."""

    ingestor = Ingestor(source, Codec(router, beside=beside), sink, Park(), WallClock(), hand_on=nobody)
    tasks = [asyncio.create_task(work) for work in (source.run(), ingestor.run())]
    await connected.wait()
    try:
        yield ingestor
        await source.drained()
    finally:
        await source.close()
        await asyncio.gather(*tasks)


def _received(counts: Counts, count: int) -> bool:
    return counts.received == count


def test_a_retained_message_is_stored_once(broker: Server, fresh_name: str) -> None:
    topic, start_ms = f"{fresh_name}m", time.time_ns() // 10**6 - 60_000
    send(broker, f"{topic}/timed/pot1", f'{{"ts": {start_ms}, "u": 4.01}}', "-r")
    send(broker, f"{topic}/raw/2", "4.02", "-r")
    send(broker, f"{fresh_name}/s/L/003/telemetry", f'{{"time": {start_ms}, "voltage_v": 4.03}}', "-r")
    sink = MemorySink(roster_of(3))

    async def test() -> None:
        for start in (1, 2):  # each with a session of its own: the broker gives what is retained anew
            async with ingesting(broker, fresh_name, f"{fresh_name}-{start}", sink) as ingestor:
                await asyncio.to_thread(send, broker, f"{topic}/raw/3", f"4.{start}")
                counts = ingestor.counts
                await until(partial(_received, counts, 3), "two retained and one new message")

    run(test)
    volt = by_name("voltage_v")
    said = {(path, value): time_ns for (path, signal, time_ns), value in sink.values.items() if signal == volt}
    assert said.pop(("s/L/001", 4.01)) == said.pop(("s/L/003", 4.03)) == start_ms * 10**6, "under its own time, once"
    assert set(said) == {("s/L/003", 4.1), ("s/L/003", 4.2)}, (
        "what has no time is stored when it is said, not when kept"
    )
