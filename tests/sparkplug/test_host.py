"""The host application against a real broker and an edge node that is not ours."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.core.plants import roster_of
from tests.live.sources import run
from tests.live.tools import until
from tests.servers import Server, binary, mosquitto
from twin.adapters.memory import MemorySink
from twin.adapters.sparkplug import SparkplugSource
from twin.broker import Broker
from twin.codec import Codec, Problem
from twin.frames import Quality, Readings
from twin.ingest import Ingestor
from twin.mapping.table import mapping
from twin.signals import SIGNALS
from twin.sparkplug.session import Host
from twin.topics import Router

pytestmark = pytest.mark.live

MAP = """
[[row]]
name = "pots"
topic = "spBv1.0/{0}/+/{{node}}/pot{{pot:d}}"
format = "sparkplug"
unit = "s/L/{{pot:03d}}"
signal = [
    {{ name = "voltage_v", path = "Voltage", unit = "mV" }},
    {{ name = "bath_temperature_c", path = "Bath/Temperature" }},
]
"""
EDGE_LIBRARIES = Path(sys.prefix) / "edge"


class WallClock:
    """The wall clock."""

    def now_ns(self) -> int:
        return time.time_ns()


class Twin:
    """A host with the ingest behind it, and everything that came of it."""

    def __init__(self, broker: Server, group: str) -> None:
        roster = roster_of(3)
        router = Router(roster, root="smelter", discover=False)
        codec = Codec(router, beside=mapping(MAP.format(group), "test", router))
        self.told: list[str] = []
        self.readings: list[tuple[str, int, float, int]] = []  # signal, unit, value, quality
        self.parked: list[Problem] = []
        self.sink = MemorySink(roster)
        self.host = Host(reorder_ms=300, debounce_ms=1000)
        at = Broker(broker.host, broker.port)
        self.source = SparkplugSource(
            at, f"{group}h", group, root="smelter", host=self.host, on_change=self.told.append
        )
        self.ingestor = Ingestor(self.source, codec, self.sink, self, WallClock(), hand_on=self._took)

    async def park(self, problems: Sequence[Problem], received_ns: int) -> None:
        self.parked += problems

    async def _took(self, found: Readings) -> None:
        columns = (found.signal, found.unit, found.value, found.quality)
        for code, unit, value, quality in zip(*(column.tolist() for column in columns), strict=True):
            self.readings.append((SIGNALS[code].name, unit, value, quality))

    def values(self, name: str) -> list[float]:
        return [
            round(value, 6) for signal, _, value, quality in self.readings if signal == name and quality == Quality.GOOD
        ]

    def is_stale(self) -> bool:
        """The last thing known of both signals is that they have no value."""
        last = {signal: quality for signal, _, _, quality in self.readings}
        return last == {"voltage_v": Quality.BAD, "bath_temperature_c": Quality.BAD}


@asynccontextmanager
async def hosting(broker: Server, group: str) -> AsyncIterator[Twin]:
    twin = Twin(broker, group)
    tasks = [asyncio.create_task(work) for work in (twin.source.run(), twin.ingestor.run())]
    try:
        await until(lambda: "" in twin.told, "the connection")
        yield twin
        await twin.source.drained()
    finally:
        await twin.source.close()
        await asyncio.gather(*tasks)
    counts = twin.ingestor.counts
    assert counts.received == counts.stored + counts.parked


class Edge:
    """The edge node's process."""

    def __init__(self, broker: Server, group: str, device: str = "pot2") -> None:
        assert EDGE_LIBRARIES.is_dir(), "the edge node's libraries are not installed: run ./dev test"
        command = [
            sys.executable,
            str(Path(__file__).with_name("edge.py")),
            str(broker.port),
            group,
            f"of-{device}",
            device,
        ]
        environment = {**os.environ, "PYTHONPATH": str(EDGE_LIBRARIES)}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment, text=True)

    def order(self, **order: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    async def command(self) -> str:
        """The next command that the node was given."""
        assert self.process.stdout is not None
        return (await asyncio.to_thread(self.process.stdout.readline)).strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@asynccontextmanager
async def an_edge(broker: Server, group: str, device: str = "pot2") -> AsyncIterator[Edge]:
    edge = Edge(broker, group, device)
    try:
        yield edge
    finally:
        edge.kill()


def test_births_data_aliases_gaps_and_deaths_of_a_foreign_edge_node(broker: Server, fresh_name: str) -> None:
    async def test() -> None:
        async with hosting(broker, fresh_name) as twin, an_edge(broker, fresh_name) as edge:
            await until(lambda: twin.values("voltage_v") == [4.001], "the birth")
            assert {unit for _, unit, _, _ in twin.readings} == {2}
            edge.order(update={"Voltage": 4002.0})
            edge.order(by_alias={"Voltage": 4003.0, "Bath/Temperature": 958.0})
            await until(lambda: twin.values("voltage_v") == [4.001, 4.002, 4.003], "data by name and by alias")
            assert twin.values("bath_temperature_c") == [957.0, 958.0]
            edge.order(lose=1)
            edge.order(by_alias={"Voltage": 4004.0})
            assert await edge.command() == "Node Control/Rebirth"
            await until(lambda: 4.004 in twin.values("voltage_v"), "what waited for the missing message")
            await until(lambda: len(twin.values("bath_temperature_c")) == 3, "the new birth")
            assert (twin.host.gaps, twin.host.asked, twin.parked) == (1, 1, [])
            edge.order(remove=1)
            await until(twin.is_stale, "the device's death")

    run(test)


def test_an_edge_node_that_is_killed_is_stale_and_lives_again(broker: Server, fresh_name: str) -> None:
    async def test() -> None:
        async with hosting(broker, fresh_name) as twin:
            async with an_edge(broker, fresh_name):
                await until(lambda: twin.values("voltage_v") == [4.001], "the birth")
            await until(twin.is_stale, "the will of the killed node")
            async with an_edge(broker, fresh_name):
                await until(lambda: not twin.is_stale() and len(twin.values("voltage_v")) == 2, "the second life")

    run(test)


def test_a_host_that_comes_later_asks_for_a_rebirth_and_parks_what_it_cannot_read(
    broker: Server, fresh_name: str
) -> None:
    async def test() -> None:
        async with an_edge(broker, fresh_name) as edge:
            async with hosting(broker, fresh_name) as first:
                await until(lambda: first.values("voltage_v") == [4.001], "the birth")
            async with hosting(broker, fresh_name) as twin:
                edge.order(by_alias={"Voltage": 4002.0})
                assert await edge.command() == "Node Control/Rebirth"
                await until(lambda: twin.values("voltage_v") == [4.001], "the birth")
                (problem,) = twin.parked
                assert (problem.reason, twin.host.asked) == ("unknown_alias", 1)

    run(test)


def state(broker: Server, topic: str) -> dict[str, Any]:
    """The retained state, read with the broker's own tool."""
    command = [binary("mosquitto_sub", "mosquitto-clients"), "-h", broker.host, "-p", str(broker.port)]
    found = subprocess.run([*command, "-t", topic, "-C", "1", "-W", "10"], capture_output=True, check=True, timeout=30)
    loaded: dict[str, Any] = json.loads(found.stdout)
    return loaded


def sending(broker: Server, *words: str) -> list[str]:
    return [binary("mosquitto_pub", "mosquitto-clients"), "-h", broker.host, "-p", str(broker.port), "-q", "1", *words]


async def at_a_shell(command: list[str]) -> None:
    await asyncio.to_thread(partial(subprocess.run, command, check=True, timeout=30))


def test_an_old_will_is_answered_with_our_birth(broker: Server, fresh_name: str) -> None:
    topic = f"spBv1.0/STATE/{fresh_name}h"

    async def test() -> None:
        ask = partial(asyncio.to_thread, state, broker, topic)
        async with hosting(broker, fresh_name):
            born = await ask()
            assert born["online"] is True
            assert abs(born["timestamp"] - time.time() * 1000) < 60_000
            old = json.dumps({"online": False, "timestamp": born["timestamp"] - 5000})
            await at_a_shell(sending(broker, "-r", "-t", topic, "-m", old))
            answers = [await ask()]
            while answers[-1] != born and len(answers) < 100:
                answers.append(await ask())
            assert answers[-1] == born, "said again, with the timestamp of the birth (F28)"
        assert (await ask())["online"] is False, "a clean end says so too"

    run(test)


def test_birth_and_will_have_equal_timestamps(broker: Server, fresh_name: str) -> None:
    topic = f"spBv1.0/STATE/{fresh_name}h"
    watch = [binary("mosquitto_sub", "mosquitto-clients"), "-h", broker.host, "-p", str(broker.port), "-t", topic]

    async def test() -> None:
        async with hosting(broker, fresh_name) as twin:
            watching = await asyncio.to_thread(partial(subprocess.Popen, [*watch, "-C", "3", "-W", "20"], stdout=-1))
            assert watching.stdout is not None
            born = json.loads(await asyncio.to_thread(watching.stdout.readline))
            # The same client id elsewhere: the broker closes our connection without a word, and sends the will.
            taken = ("-i", f"sparkplug-{fresh_name}h", "-t", f"{fresh_name}/x", "-m", "x")
            await at_a_shell(sending(broker, *taken))
            will, again = [json.loads(await asyncio.to_thread(watching.stdout.readline)) for _ in range(2)]
            assert (born["online"], will["online"], again["online"]) == (True, False, True)
            assert will["timestamp"] == born["timestamp"] < again["timestamp"]
            await asyncio.to_thread(watching.communicate)
            await until(lambda: twin.source.problem == "", "the new connection")

    run(test)


def test_while_the_broker_is_away_all_is_stale_and_after_it_all_comes_back(fresh_name: str) -> None:
    async def test(broker: Server) -> None:
        async with hosting(broker, fresh_name) as twin, an_edge(broker, fresh_name):
            await until(lambda: twin.values("voltage_v") == [4.001], "the birth")
            broker.kill()
            await until(twin.is_stale, "our own outage")
            assert "cannot" in twin.source.problem or "broker" in twin.source.problem
            broker.start()
            await until(lambda: len(twin.values("voltage_v")) == 2, "the birth after the outage")

    with mosquitto() as broker:
        run(lambda: test(broker))
