"""The shipped access list on the real broker: each role can do its work and nothing else."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.certificates import Authority
from tests.live.sources import run, running
from tests.live.test_mosquitto_conf import shipped
from tests.servers import HOST, Server, binary
from twin.adapters.publish import MqttPublisher
from twin.broker import Broker
from twin.errors import SourceUnavailable
from twin.ports import Message
from twin.settings import resolve
from twin.shares import client_id, presence_topic

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "security.md").read_text("utf-8")
SENSORS = ("sensors-demo-A", "sensors-demo-B", "edge-Smelter-HallA")
ROLES = (*SENSORS, "simulator", "ingestor", "twin", "sparkplug-host", "replayer", "operator")
A, B, STATE = "smelter/demo/A/A001/telemetry", "smelter/demo/B/B001/telemetry", "twin/demo/A/A001"
DATA, OTHER = "spBv1.0/Smelter/DDATA/HallA/Pot1", "spBv1.0/Smelter/DDATA/HallB/Pot1"
BORN, NODE, DEVICE = (f"spBv1.0/Smelter/{kind}" for kind in ("NBIRTH/HallA", "NCMD/HallA", "DCMD/HallA/Pot1"))
HERE, PARKED = "spBv1.0/STATE/twin", "smelter/spBv1.0/Smelter/DDATA/HallA/Pot1"
WORD = presence_topic(resolve(), client_id(resolve()))
SAID = (A, B, STATE, DATA, OTHER, BORN, NODE, DEVICE, HERE, PARKED, WORD)
STRAY_LINE = "smelter/demo/C/x/telemetry"
STRAY = ("smelter/demo", STRAY_LINE, "elsewhere", "twins", "twin-process", "$SYS/broker/version")
MAY_WRITE = {
    "sensors-demo-A": {A},
    "sensors-demo-B": {B},
    "ingestor": {WORD},
    "twin": {STATE, WORD},
    "simulator": {A, B, "smelter/demo", STRAY_LINE},
    "replayer": {A, B, PARKED, "smelter/demo", STRAY_LINE},
    "sparkplug-host": {STATE, WORD, NODE, HERE},
    "edge-Smelter-HallA": {DATA, BORN},
}
MAY_READ = {
    "ingestor": {A, B, PARKED, WORD},
    "twin": {A, B, PARKED, WORD},
    "operator": {A, B, STATE, PARKED},
    "sparkplug-host": {A, B, PARKED, WORD, DATA, BORN, NODE, HERE},
    "edge-Smelter-HallA": {NODE, HERE},
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Authority]]:
    """The configuration as the guide makes it, with paths and port of this test; every word is the user's name."""
    folder = tmp_path_factory.mktemp("acl")
    authority, words = Authority(folder), folder / "passwords"
    certificate, key = authority.issue("server")
    tool = binary("mosquitto_passwd", "mosquitto")
    for number, role in enumerate((*ROLES, "stranger")):
        create = ["-c"] if not number else []
        subprocess.run([tool, "-b", *create, str(words), role, f"{role}-word"], check=True, capture_output=True)
    (command,) = re.findall(r"^(sed .*?) > /etc/mosquitto/mosquitto\.conf$", GUIDE, re.M | re.S)
    made = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    text = made.stdout.replace("/etc/mosquitto/passwords", str(words))
    text = text.replace("/etc/mosquitto/smelter.acl", str(ROOT / "docker" / "mosquitto.acl"))
    for name, path in (("ca.crt", authority.file), ("server.crt", certificate), ("server.key", key)):
        text = text.replace(f"/etc/mosquitto/certs/{name}", str(path))
    assert "/etc/mosquitto" not in text
    with shipped(text, "listener 8883") as server:
        yield server, authority


def entering(guarded: tuple[Server, Authority], role: str) -> Broker:
    server, authority = guarded
    return Broker(HOST, server.port, role, f"{role}-word", tls=True, ca_file=str(authority.file))


async def publish(at: Broker, topic: str, payload: bytes) -> str:
    """Why it is refused; "" when the broker took it."""
    async with MqttPublisher(at, client_id=f"{at.user}-p") as publisher:
        try:
            await publisher.publish([Message(topic, payload)])
        except SourceUnavailable as error:
            return str(error)
    return ""


@pytest.mark.parametrize("role", [*ROLES, "stranger"])
def test_a_role_writes_what_it_may_and_nothing_else(guarded: tuple[Server, Authority], role: str) -> None:
    async def process() -> dict[str, str]:
        at = entering(guarded, role)
        return {topic: await publish(at, topic, b"x") for topic in (*SAID, *STRAY)}

    said = asyncio.run(process())
    assert {topic for topic, why in said.items() if not why} == MAY_WRITE.get(role, set())
    for topic, why in said.items():
        assert not why or f"refuses messages such as {topic} from this user (Not authorized)" in why


@pytest.mark.parametrize("role", [*ROLES, "stranger"])
def test_a_role_hears_what_it_may_and_nothing_else(guarded: tuple[Server, Authority], role: str) -> None:
    async def test() -> None:
        async with running(entering(guarded, role), "#", batch_messages=1) as source:
            source.source._topics = ("#", "$SYS/#")
            await source.connected()
            writers = {topic: writer for writer, topics in MAY_WRITE.items() for topic in topics & set(SAID)}
            for topic, writer in writers.items():
                assert await publish(entering(guarded, writer), topic, topic.encode()) == ""
            wanted = MAY_READ.get(role, set())
            heard = await source.take(len(wanted))
            await source.heard()  # the broker answers in order: nothing more is on its way
            assert source.source.received == len(wanted)
            assert {message.payload.decode() for message in heard} == wanted

    run(test)


def test_nobody_enters_without_a_word_or_with_anothers(guarded: tuple[Server, Authority]) -> None:
    server, authority = guarded
    for user, word in (("", ""), ("ingestor", "twin-word"), ("nobody", "nobody-word")):
        at = Broker(HOST, server.port, user, word, tls=True, ca_file=str(authority.file))

        async def test(at: Broker = at) -> None:
            async with MqttPublisher(at, client_id="p", patience_s=0.01) as publisher:
                with pytest.raises(SourceUnavailable, match="refuses this user"):
                    await publisher.publish([Message(A, b"x")])

        asyncio.run(test())
