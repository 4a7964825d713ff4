"""Settings -> what talks to the broker: the way in, the Sparkplug host, publishers. The service puts them together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from twin.adapters.mqtt import MqttSource
from twin.adapters.publish import MqttPublisher
from twin.adapters.sparkplug import SparkplugSource
from twin.broker import Broker, addresses, broker
from twin.decoded import Beside
from twin.errors import ConfigError
from twin.files import read_secret
from twin.log import Say
from twin.sessions import SessionMark
from twin.settings import Settings
from twin.shares import client_id, presence_topic, subscriptions
from twin.sparkplug.session import Host

__all__ = ["brokers_of", "publisher_of", "source_of", "sparkplug_of"]


def brokers_of(settings: Settings) -> tuple[Broker, ...]:
    """Every address of the broker of `mqtt.url`, or the embedded one. Raises ConfigError."""
    files = {name: settings[f"mqtt.{name}"] for name in ("ca_file", "cert_file", "key_file")}
    password = read_secret(settings["mqtt.password_file"], "mqtt.password_file")
    url = settings["mqtt.url"] or f"mqtt://127.0.0.1:{settings['broker.port']}"
    return tuple(broker(one, password=password, **files) for one in addresses(url))


def source_of(
    settings: Settings,
    roles: Sequence[str],
    lines: Sequence[str],
    beside: Beside | None,
    *,
    on_change: Callable[[str], None],
    say: Say,
) -> MqttSource:
    """The way in of a process with these roles and lines, topics of a mapping file `beside` the data contract's.

    `on_change` is told each outage, `say` the rest.
    """
    stores = "ingest" in roles
    filters = beside.filters if beside else ()
    if beside is not None and beside.sparkplug and lines:  # what the Sparkplug host hands on is published again there
        filters = (*filters, f"{settings['mqtt.root']}/spBv1.0/#")
    name = client_id(settings, "" if stores else "engine")
    # The embedded broker keeps no session over its end.
    mark = None if "broker" in roles else SessionMark(Path(settings["data.dir"]), name, settings["mqtt.url"])
    return MqttSource(
        brokers_of(settings),
        subscriptions(settings, lines, filters, stores=stores),
        fresh=beside.fresh if beside else frozenset(),
        client_id=name,
        version=settings["mqtt.version"],
        qos=settings["mqtt.qos"],
        session_expiry_s=settings["mqtt.session_expiry_s"],
        receive_maximum=settings["mqtt.receive_maximum"],
        buffer_bytes=settings["mqtt.buffer_mib"] << 20,
        batch_messages=settings["ingest.batch_messages"],
        batch_bytes=settings["ingest.batch_kib"] << 10,
        linger_s=settings["ingest.linger_ms"] / 1e3,
        remembered=mark is not None and mark.known(),
        presence=presence_topic(settings, name),
        on_change=on_change,
        alarm=lambda text: say(text, level="error"),
        notice=lambda text: say(text, level="warning"),
        on_entered=(lambda: None) if mark is None else mark.keep,
    )


def sparkplug_of(
    settings: Settings, roles: Sequence[str], beside: Beside | None, on_change: Callable[[str], None]
) -> SparkplugSource | None:
    """The Sparkplug host application, None where it is off. Raises ConfigError."""
    wanted = beside is not None and beside.sparkplug
    if not settings["sparkplug.host_id"]:
        if wanted:
            raise ConfigError("ingest.map has rows of format sparkplug: name this host in sparkplug.host_id")
        return None
    if not wanted:
        raise ConfigError("sparkplug.host_id is set: say in ingest.map, by rows of format sparkplug, what metrics mean")
    purpose = "" if "ingest" in roles else "engine"
    host = Host(
        reorder_ms=settings["sparkplug.reorder_ms"],
        debounce_ms=int(settings["sparkplug.rebirth_s"] * 1000),
        max_payload=settings["ingest.max_payload_bytes"],
    )
    return SparkplugSource(
        brokers_of(settings)[0],
        settings["sparkplug.host_id"] + client_id(settings, purpose).removeprefix(settings["mqtt.client_id"]),
        settings["sparkplug.group"],
        root=settings["mqtt.root"],
        host=host,
        buffer_bytes=settings["mqtt.buffer_mib"] << 20,
        on_change=on_change,
    )


def publisher_of(settings: Settings, name: str, *, retain: bool = False, patience_s: float = 60.0) -> MqttPublisher:
    """A publisher to the broker of the settings, under the client id `name`; `retain`: the broker keeps the last."""
    version = settings["mqtt.version"]
    return MqttPublisher(brokers_of(settings), client_id=name, version=version, retain=retain, patience_s=patience_s)
