"""The broker configuration that ships: the real mosquitto starts with it and does what its comments say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.live.sources import run, running
from tests.live.tools import publish, until
from tests.processes import HOST, Server, binary, serving
from tests.servers import mosquitto
from twin.sequences import Sequences
from twin.settings import resolve

pytestmark = pytest.mark.live

SHIPPED = (Path(__file__).parents[2] / "docker" / "mosquitto.conf").read_text("utf-8")


def value(name: str) -> str:
    """What the shipped file sets, once."""
    (found,) = re.findall(rf"^{name} (.+)$", SHIPPED, re.M)
    return str(found)


@contextmanager
def shipped(text: str = SHIPPED, listener: str = "listener 1883 127.0.0.1") -> Iterator[Server]:
    """mosquitto with the shipped file; only the port and the folder are the test's."""

    def build(port: int, directory: Path) -> Server:
        (directory / "data").mkdir()
        assert text.count(f"\n{listener}\n") == 1
        mine = text.replace(f"\n{listener}\n", f"\nlistener {port} {HOST}\n")
        file = directory / "mosquitto.conf"
        # Started by root it would become a user who may not write the temporary folder.
        file.write_text(mine.replace(value("persistence_location"), f"{directory}/data/") + "user root\n")
        return Server(
            name="mosquitto",
            port=port,
            command=(binary("mosquitto", "mosquitto"), "-c", str(file)),
            directory=directory,
        )

    with serving("mosquitto", build) as server:
        yield server


def lines(count: int) -> list[bytes]:
    return [b"message %d" % n for n in range(count)]


def test_it_listens_on_this_host_only_and_complains_about_nothing() -> None:
    with shipped() as broker:
        listening = {c.laddr.ip for c in psutil.Process(broker.pid).net_connections() if c.status == psutil.CONN_LISTEN}
        assert listening == {HOST}
        said = [line for line in broker.log().splitlines() if "should not be run as root" not in line]
        assert not [line for line in said if re.search(r"error|warning|deprecated|unknown", line, re.I)]


def test_what_waits_for_an_absent_process_outlives_a_restart_of_the_broker(fresh_name: str) -> None:
    """More than mosquitto's own queue of 1,000."""

    async def test(broker: Server) -> None:
        async with running(broker, fresh_name) as first:
            await first.connected()
        publish(broker, f"{fresh_name}/t", lines(5000))
        broker.stop()
        broker.start()
        async with running(broker, fresh_name, remembered=True) as second:
            found = await second.take(5000)
            assert [message.payload for message in found] == lines(5000)
            assert second.source.link.sessions_lost == 0

    with shipped() as broker:
        run(lambda: test(broker))


@pytest.mark.parametrize(
    ("more", "wanted"),
    [({"version": "3.1.1"}, int(value("max_inflight_messages"))), ({"receive_maximum": 1500}, 1500)],
    ids=["the broker's for MQTT 3.1.1", "the client's for MQTT 5"],
)
def test_the_window_holds_the_batches_that_are_under_way(fresh_name: str, more: dict[str, Any], wanted: int) -> None:
    settings = resolve()
    window = int(value("max_inflight_messages"))
    assert window >= settings["mqtt.receive_maximum"] >= settings["ingest.batch_messages"]

    async def test(broker: Server) -> None:
        async with running(broker, fresh_name, **more, batch_messages=100) as source:
            await source.connected()
            publish(broker, f"{fresh_name}/t", lines(wanted + 500))
            await until(lambda: source.source.received >= wanted, "a full window")
            await source.heard()
            assert source.source.received == wanted
            await source.take(wanted + 500)

    with shipped() as broker:
        run(lambda: test(broker))


def test_a_queue_that_is_too_small_drops_messages_and_their_numbers_reveal_how_many(fresh_name: str) -> None:
    """What the shipped size is for."""
    told: list[str] = []

    async def test(broker: Server) -> None:
        sequences = Sequences(told.append)
        async with running(broker, fresh_name, receive_maximum=50, batch_messages=10) as source:
            await source.connected()
            publish(broker, f"{fresh_name}/t", [b'{"seq": %d}' % n for n in range(1000)])
            await source.heard()
            came: set[bytes] = set()
            async for delivery in source.deliveries:
                sequences.see(delivery.messages)
                came |= {message.payload for message in delivery.messages}
                delivery.acknowledge()
                await source.heard()
                if source.source.received == len(came):  # and the broker has no more
                    break
            assert 100 <= len(came) < 1000
            publish(broker, f"{fresh_name}/t", [b'{"seq": 1000}'])
            sequences.see(await source.take(1))
            assert sequences.missing == 1000 - len(came)

    with mosquitto("max_queued_messages 100\n") as broker:
        run(lambda: test(broker))
    assert "in a full queue of the broker" in told[0]


def test_the_arithmetic_in_the_comments_is_right() -> None:
    """Every a x b = c of the file; and the queue is the product that stands above it."""
    found = re.findall(r"([\d,]+)/s x ([\d,]+) min x 60 s = ([\d,]+)", SHIPPED)
    assert found
    for rate, minutes, product in found:
        numbers = [int(text.replace(",", "")) for text in (rate, minutes, product)]
        assert numbers[0] * numbers[1] * 60 == numbers[2] == int(value("max_queued_messages"))
    (memory,) = re.findall(r"([\d,]+) x \((\d+) B \+ (\d+) B\) = ([\d.]+) GB", SHIPPED)
    count, payload, own, gigabytes = (float(text.replace(",", "")) for text in memory)
    assert count * (payload + own) / 1e9 == pytest.approx(gigabytes, abs=0.05)
    assert count == int(value("max_queued_messages"))
