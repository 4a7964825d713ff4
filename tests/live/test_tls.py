"""TLS, client certificates and passwords against the real mosquitto and the real InfluxDB behind nginx."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.core.plants import readings_of, roster_of
from tests.live.certificates import Authority, tls_listener
from tests.live.sources import run, running
from tests.live.tools import until
from tests.servers import HOST, InfluxServer, Server, binary, free_port, mosquitto, nginx_v2
from twin.adapters.publish import MqttPublisher
from twin.broker import Broker
from twin.connections import brokers_of, publisher_of
from twin.errors import ConfigError, SinkUnavailable, SourceUnavailable
from twin.parts import sink_of
from twin.ports import Message
from twin.settings import Settings, resolve

pytestmark = pytest.mark.live


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "stranger")


def settings(**named: object) -> Settings:
    return resolve(flags={name.replace("__", "."): str(value) for name, value in named.items()})


def told(at: Broker) -> str:
    """What the way in says first: "" when it is connected."""
    said: list[str] = []

    async def test() -> None:
        async with running(at, "tls") as source:
            await until(lambda: bool(source.told))
            said.append(source.told[0])

    run(test)
    return said[0]


def published(at: Broker) -> str:
    """What a publisher says: "" when its message arrived."""

    async def process() -> str:
        async with MqttPublisher(at, client_id="tls-p", patience_s=0.01) as publisher:
            try:
                await publisher.publish([Message("tls/t", b"1")])
            except SourceUnavailable as error:
                return str(error)
        return ""

    return asyncio.run(process())


def test_source_and_publishers_over_tls_with_a_client_certificate_from_the_settings(authority: Authority) -> None:
    """`use_identity_as_username`: the broker knows who it is by the certificate alone."""
    certificate, key = authority.issue("gateway-1")

    async def test(server: Server) -> None:
        at = settings(
            mqtt__url=f"mqtts://{HOST}:{server.port}", mqtt__ca_file=authority.file, mqtt__cert_file=certificate,
            mqtt__key_file=key,
        )  # fmt: skip
        async with running(brokers_of(at)[0], "tls") as source:
            await source.connected()
            async with publisher_of(at, "tls-publisher") as publisher:
                await publisher.publish([Message("tls/t", b"%d" % n) for n in range(200)])
            assert [message.payload for message in await source.take(200)] == [b"%d" % n for n in range(200)]

    listener = tls_listener(authority, authority.issue("server"), client_certificates=True)
    with mosquitto(listener) as server:
        run(lambda: test(server))
        with socket.create_connection((HOST, server.port)) as plain:
            old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
            with old.wrap_socket(plain) as spoken:
                assert spoken.version() in ("TLSv1.2", "TLSv1.3")


def test_a_server_that_offers_less_than_tls_1_2_is_refused(authority: Authority) -> None:
    """By the context: no server of today could be told to speak TLS 1.1."""
    context = Broker(HOST, 1, tls=True, ca_file=str(authority.file)).context()
    assert context is not None
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED


# paho leaves the socket of a handshake that failed to the garbage collector, which closes it.
LEFT_BY_PAHO = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@LEFT_BY_PAHO
@pytest.mark.parametrize("trusted", ["", "stranger"])
def test_an_authority_that_is_not_trusted(authority: Authority, stranger: Authority, trusted: str) -> None:
    with mosquitto(tls_listener(authority, authority.issue("server"))) as server:
        at = Broker(HOST, server.port, tls=True, ca_file=str(stranger.file) if trusted else "")
        for said in (told(at), published(at)):
            assert "from an authority that is not trusted: name that authority in mqtt.ca_file" in said


@LEFT_BY_PAHO
@pytest.mark.parametrize(
    ("identity", "days", "wanted"),
    [
        (HOST, -1, "the server's certificate has expired: renew it"),
        ("other.example", 1, "the server's certificate is for another name"),
    ],
)
def test_an_expired_certificate_and_one_of_another_name(
    authority: Authority, identity: str, days: int, wanted: str
) -> None:
    with mosquitto(tls_listener(authority, authority.issue("server", identity, days=days))) as server:
        at = Broker(HOST, server.port, tls=True, ca_file=str(authority.file))
        for said in (told(at), published(at)):
            assert wanted in said


@pytest.mark.parametrize("own", ["none", "stranger", "expired"])
def test_a_broker_that_does_not_accept_our_certificate(authority: Authority, stranger: Authority, own: str) -> None:
    files = {
        "none": ("", ""),
        "stranger": stranger.issue("gateway-1"),
        "expired": authority.issue("gateway-1", days=-1),
    }[own]
    with mosquitto(tls_listener(authority, authority.issue("server"), client_certificates=True)) as server:
        at = Broker(HOST, server.port, tls=True, ca_file=str(authority.file), cert_file=files[0], key_file=files[1])
        assert "mqtt.cert_file" in told(at), "at once, not after a time out"


def test_tls_to_a_port_without_it_and_the_other_way_round(authority: Authority, broker: Server) -> None:
    assert "a port without TLS needs mqtt://" in told(Broker(HOST, broker.port, tls=True, ca_file=str(authority.file)))
    with mosquitto(tls_listener(authority, authority.issue("server"))) as server:
        assert "a port with TLS needs mqtts:// in mqtt.url" in told(Broker(HOST, server.port))


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Server]:
    """A broker that lets in only the user `twin` with the word `right`."""
    words = tmp_path / "passwords"
    command = [binary("mosquitto_passwd", "mosquitto"), "-b", "-c", str(words), "twin", "right"]
    subprocess.run(command, check=True, capture_output=True)
    with mosquitto(f"allow_anonymous false\npassword_file {words}\n") as server:
        yield server


@pytest.mark.parametrize(("user", "word"), [("twin", "canary-word"), ("nobody", "right"), ("", "")])
def test_a_wrong_password_is_told_and_not_shown(guarded: Server, user: str, word: str) -> None:
    at = Broker(HOST, guarded.port, user, word)
    for said in (told(at), published(at)):
        assert "refuses this user: check the name in mqtt.url and the word in mqtt.password_file" in said
        assert "canary-word" not in said


def test_the_right_password_from_its_file(guarded: Server, tmp_path: Path) -> None:
    file = tmp_path / "word"
    file.write_text("right\n")
    at = brokers_of(settings(mqtt__url=f"mqtt://twin@{HOST}:{guarded.port}", mqtt__password_file=file))[0]
    assert (told(at), published(at)) == ("", "")


def test_every_address_of_a_cluster_is_entered_over_tls_with_user_and_password(
    authority: Authority, tmp_path: Path
) -> None:
    words, file = tmp_path / "passwords", tmp_path / "word"
    command = [binary("mosquitto_passwd", "mosquitto"), "-b", "-c", str(words), "twin", "right"]
    subprocess.run(command, check=True, capture_output=True)
    file.write_text("right\n")
    listener = tls_listener(authority, authority.issue("server"))

    async def test(first: Server, second: Server) -> None:
        at = settings(
            mqtt__url=f"mqtts://twin@{HOST}:{first.port},{HOST}:{second.port}", mqtt__ca_file=authority.file,
            mqtt__password_file=file,
        )  # fmt: skip
        async with running(brokers_of(at), "tls") as source, publisher_of(at, "tls-publisher") as publisher:

            def hears(server: Server) -> bool:
                transport = source.source._client and source.source._client.transport
                there = transport is not None and transport.get_extra_info("peername")[1] == server.port
                return there and not source.source.problem

            for number, (away, there) in enumerate(((second, first), (first, second), (second, first))):
                away.stop()
                await until(partial(hears, there), "the other address")
                await publisher.publish([Message("tls/t", b"%d" % number)])
                assert [message.payload for message in await source.take(1)] == [b"%d" % number]
                away.start()

    access = f"allow_anonymous false\npassword_file {words}\n"
    with mosquitto(access + listener) as first, mosquitto(access + listener) as second:
        run(lambda: test(first, second))


def test_the_store_over_tls(influx: InfluxServer, database: str, authority: Authority, stranger: Authority) -> None:
    readings = readings_of([(0, 1, "voltage_v", 4.0)])

    def directives(days: int) -> tuple[int, str]:
        port, (certificate, key) = free_port(), authority.issue(f"db{days}", days=days)
        return port, f"listen {HOST}:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};"

    async def write(port: int, ca_file: Path) -> None:
        at = settings(sink__url=f"influxs://{HOST}:{port}/{database}", sink__ca_file=ca_file)
        store, _ = sink_of(at, roster_of(3))
        await store.open()
        try:
            await store.write(readings)
            assert (await store.read("pot", "s/L/001", 0, 2 * int(readings.time_ns[0]))).same(readings)
        finally:
            await store.close()

    port, lines = directives(1)
    with nginx_v2(influx, lines):
        asyncio.run(write(port, authority.file))
        with pytest.raises(SinkUnavailable, match=r"not trusted: name that authority in sink\.ca_file"):
            asyncio.run(write(port, stranger.file))
    port, lines = directives(-1)
    with nginx_v2(influx, lines), pytest.raises(SinkUnavailable, match="certificate has expired"):
        asyncio.run(write(port, authority.file))


def test_a_certificate_authority_without_tls_is_a_mistake(authority: Authority) -> None:
    with pytest.raises(ConfigError, match=r"sink\.ca_file is only for influxs://"):
        sink_of(settings(sink__url="influx://h/b", sink__ca_file=authority.file), roster_of(1))
    with pytest.raises(ConfigError, match=r"mqtt\.ca_file: only for mqtts://"):
        brokers_of(settings(mqtt__url="mqtt://h", mqtt__ca_file=authority.file))[0]


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"cert": "good.crt", "key": "nowhere"}, r"mqtt\.key_file = '.*nowhere' cannot be used: No such file"),
        ({"cert": "good.crt", "key": "."}, r"mqtt\.key_file = '.*' cannot be used: Is a directory"),
        ({"cert": "nowhere", "key": "good.key"}, r"mqtt\.cert_file = '.*nowhere' cannot be used: No such file"),
        ({"cert": "good.crt", "key": "other.key"}, r"and the key do not belong together"),
        ({"cert": "good.key", "key": "good.key"}, r"mqtt\.cert_file = .* it must be a PEM certificate"),
        ({"cert": "good.crt", "key": "locked.key"}, r"mqtt\.key_file = .* is encrypted; give a key without"),
        ({"key": "good.key"}, r"mqtt\.key_file is set without mqtt\.cert_file"),
        ({"ca": "good.key"}, r"mqtt\.ca_file = .*good\.key' cannot be used: it must be a PEM file with certificates"),
        ({"ca": "nowhere"}, r"mqtt\.ca_file = .*nowhere' cannot be used: No such file"),
    ],
)
def test_files_that_cannot_be_used_are_named_at_the_start(
    authority: Authority, tmp_path: Path, files: dict[str, str], wanted: str
) -> None:
    folder = tmp_path / "ca"
    authority.issue("good")
    authority.issue("other")
    command = [binary("openssl", "openssl"), "pkey", "-in", str(folder / "good.key"), "-aes256", "-passout", "pass:x"]
    subprocess.run([*command, "-out", str(folder / "locked.key")], check=True, capture_output=True)
    named = {f"mqtt__{name}_file": folder / file for name, file in files.items()}
    with pytest.raises(ConfigError, match=wanted):
        brokers_of(settings(mqtt__url="mqtts://h", **named))[0]
