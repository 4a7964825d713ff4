"""What runs, and would be better otherwise: said at the start, one sentence each. Nothing here stops anything."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from urllib.parse import urlsplit

from twin.access import is_loopback
from twin.broker import addresses
from twin.settings import SECRET_FILES, Settings

__all__ = ["precautions"]

_SHORT_SESSION_S = 3600


def precautions(settings: Settings, roles: tuple[str, ...]) -> list[str]:
    """Sentences for people, each with what to do."""
    page = _open_page(settings) if "page" in roles else ()
    hears = _windows(settings) if {"ingest", "engine"} & set(roles) else ()
    return [*_readable(settings), *_in_clear(settings), *page, *_open_metrics(settings), *hears]


def _readable(settings: Settings) -> Iterator[str]:
    """Secrets that other users of this machine can read. A file that is not there is refused elsewhere."""
    for name in SECRET_FILES:
        path = settings[name]
        if not path or os.name != "posix":
            continue
        try:
            mode = stat.S_IMODE(os.stat(path).st_mode)
        except OSError:
            continue
        if mode & 0o077:
            yield f"{name} = {path!r} can be read by other users (mode {mode:04o}): chmod 600 {path}"


def _in_clear(settings: Settings) -> Iterator[str]:
    """Secrets that go over a network as they are."""
    for name, urls, secret, schemes in (
        ("mqtt.url", addresses(settings["mqtt.url"]), "mqtt.password_file", ("mqtt", "mqtts")),
        ("sink.url", (settings["sink.url"],), "sink.token_file", ("influx", "influxs")),
    ):
        for parts in map(urlsplit, urls) if settings[secret] else ():
            if parts.scheme == schemes[0] and parts.hostname and not is_loopback(parts.hostname):
                yield f"{name} sends the secret of {secret} in clear to {parts.hostname}: use {schemes[1]}://"


def _open_page(settings: Settings) -> Iterator[str]:
    host = settings["page.host"]
    if is_loopback(host):
        return
    if not settings["page.token_file"]:
        yield f"page.host = {host!r}: whoever reaches this machine can read the page; set page.token_file"
    else:
        yield f"page.host = {host!r}: the page's token goes in clear; put a proxy with TLS before it"


def _open_metrics(settings: Settings) -> Iterator[str]:
    host = settings["metrics.host"]
    if settings["metrics.port"] and not is_loopback(host):
        yield f"metrics.host = {host!r}: whoever reaches this machine can read /metrics; put a proxy before it"


def _windows(settings: Settings) -> Iterator[str]:
    """What waits, or is lost, because one bound is smaller than another (F3, F7)."""
    window, batch = settings["mqtt.receive_maximum"], settings["ingest.batch_messages"]
    if settings["mqtt.version"] == "5" and settings["mqtt.qos"] and window < batch:
        yield (
            f"mqtt.receive_maximum = {window} is less than ingest.batch_messages = {batch}: no batch gets fuller than"
            f" {window}; raise the one or lower the other, and see that the broker's own window is not smaller"
        )
    buffer, batches = settings["mqtt.buffer_mib"], settings["ingest.writes"] + 1
    if buffer << 10 < batches * settings["ingest.batch_kib"]:
        yield (
            f"mqtt.buffer_mib = {buffer} holds less than {batches} batches of ingest.batch_kib ="
            f" {settings['ingest.batch_kib']}, those under way (ingest.writes) and one that fills: the socket is paused"
            " before the store is busy"
        )
    if settings["mqtt.qos"] and settings["mqtt.session_expiry_s"] < _SHORT_SESSION_S:
        yield (
            f"mqtt.session_expiry_s = {settings['mqtt.session_expiry_s']}: a process that is away for longer loses what"
            " waits for it on the broker"
        )
