"""Settings -> parts: each choice gives what it says, and a wrong one is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.plants import roster_of
from twin.adapters.duck import DuckStore
from twin.adapters.influx import InfluxStore, Target, target
from twin.adapters.mqtt import broker
from twin.connections import brokers_of
from twin.errors import ConfigError
from twin.files import read_config, read_secret
from twin.parts import ROLES, MemoryStore, codec_of, engine_of, roles_of, sink_of
from twin.parts import roster_of as roster_from
from twin.ports import Message
from twin.settings import Settings, resolve


def settings(**flags: object) -> Settings:
    return resolve(flags={name.replace("__", "."): str(value) for name, value in flags.items()})


def test_roles_by_name() -> None:
    assert roles_of(" ingest , engine,page") == ("ingest", "engine", "page")
    assert roles_of(",".join(ROLES)) == ROLES


@pytest.mark.parametrize(
    ("url", "kind", "name"),
    [
        ("duckdb", DuckStore, "DuckDB folder/twin.duckdb"),
        ("duckdb:other.file", DuckStore, "DuckDB other.file"),
        ("influx://h:1/b", InfluxStore, "InfluxDB http://h:1/b"),
        ("influxs://h/b?org=o", InfluxStore, "InfluxDB https://h:8086/b"),
        ("memory", MemoryStore, "memory"),
    ],
)
def test_a_store_of_each_scheme(url: str, kind: type, name: str) -> None:
    store, shown = sink_of(settings(sink__url=url, data__dir="folder"), roster_of(1))
    assert isinstance(store, kind)
    assert shown == name


@pytest.mark.parametrize("url", ["", "mysql://h/d", "duck", "http://h:8086/b"])
def test_an_unknown_store_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"sink\.url = .* is not allowed; it starts with duckdb, influx://"):
        sink_of(settings(sink__url=url), roster_of(1))


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("influx://h:9999/smelter", Target("http://h:9999", "smelter", "-")),
        ("influx://[::1]:9999/b", Target("http://[::1]:9999", "b", "-")),
        ("influx://h/db/policy", Target("http://h:8086", "db/policy", "-")),
        ("influxs://h/b?org=my%20org", Target("https://h:8086", "b", "my org")),
    ],
)
def test_influx_addresses(url: str, found: Target) -> None:
    assert target(url) == found


@pytest.mark.parametrize(
    "url", ["influx://h", "influx://h/", "influx:///b", "http://h/b", "influx://h:99999/b", "influx://[/b"]
)
def test_wrong_influx_addresses_are_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"sink\.url"):
        target(url)


@pytest.mark.parametrize(
    ("url", "host", "port", "user", "tls"),
    [
        ("mqtt://h", "h", 1883, "", False),
        ("mqtt://h:1", "h", 1, "", False),
        ("mqtts://h", "h", 8883, "", True),
        ("mqtt://u@h:2", "h", 2, "u", False),
        ("mqtt://[::1]:3", "::1", 3, "", False),
    ],
)
def test_broker_addresses(url: str, host: str, port: int, user: str, tls: bool) -> None:
    at = broker(url, password="secret")
    assert (at.host, at.port, at.user, at.tls) == (host, port, user, tls)
    assert "secret" not in repr(at)
    assert (at.context() is not None) == tls


@pytest.mark.parametrize(
    "url", ["h", "h:1883", "tcp://h", "mqtt://", "mqtt://u:p@h", "mqtt://h:0x1", "mqtt://h:99999", "mqtt://["]
)
def test_wrong_broker_addresses_are_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"mqtt\.url"):
        broker(url)


def test_without_an_address_the_broker_is_the_embedded_one() -> None:
    at = brokers_of(settings(broker__port=1999))[0]
    assert (at.host, at.port) == ("127.0.0.1", 1999)


def test_settings_reach_codec_and_engine() -> None:
    found = settings(
        ingest__unknown_pot="park", mqtt__root="works", ingest__max_payload_bytes=100, engine__grace_ticks=7
    )
    roster = roster_from(found)
    codec = codec_of(found, roster)
    topics = ["works/demo/A/X1/telemetry", "works/demo/A/A001/telemetry", "smelter/demo/A/A001/telemetry"]
    problems = codec.decode([Message(topic, b"{}".ljust(101)) for topic in topics], 0).problems
    assert [problem.reason for problem in problems] == ["unknown_unit", "oversize", "bad_topic"]
    assert engine_of(found, roster).settings.grace == 7


def test_a_packaged_file_goes_by_its_name_and_another_by_its_path(tmp_path: Path) -> None:
    text, where = read_config("demo", "plants", "plant.file")
    assert "[[sites]]" in text
    assert where == "packaged plant demo"
    file = tmp_path / "mine.toml"
    file.write_text("x = 1")
    assert read_config(str(file), "plants", "plant.file") == ("x = 1", str(file))


@pytest.mark.parametrize("name", ["", "nowhere", "/nowhere/x.toml", "."])
def test_a_file_that_is_not_there_is_refused_by_its_setting(name: str) -> None:
    with pytest.raises(ConfigError, match=r"plant\.file = "):
        read_config(name, "plants", "plant.file")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"plant\.file = .*mine\.toml.* cannot be read"):
        read_config(str(file), "plants", "plant.file")


def test_a_secret_is_the_first_line_of_its_file_and_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(" word \nmore\n")
    assert read_secret(str(file), "mqtt.password_file") == "word"
    assert read_secret("", "mqtt.password_file") == ""
    file.write_bytes(b"q5z\xff\xfe")
    with pytest.raises(ConfigError) as caught:
        read_secret(str(file), "mqtt.password_file")
    assert "q5z" not in str(caught.value)
    assert "mqtt.password_file" in str(caught.value)
