"""What runs, and would be safer otherwise: said at the start, one sentence each. Nothing here stops anything."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from urllib.parse import urlsplit

from twin.access import is_loopback
from twin.settings import SECRET_FILES, Settings

__all__ = ["precautions"]


def precautions(settings: Settings, roles: tuple[str, ...]) -> list[str]:
    """Sentences for people, each with what to do."""
    page = _open_page(settings) if "page" in roles else ()
    return [*_readable(settings), *_in_clear(settings), *page, *_open_metrics(settings)]


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
    for url, secret, schemes in (
        ("mqtt.url", "mqtt.password_file", ("mqtt", "mqtts")),
        ("sink.url", "sink.token_file", ("influx", "influxs")),
    ):
        parts = urlsplit(settings[url])
        if settings[secret] and parts.scheme == schemes[0] and parts.hostname and not is_loopback(parts.hostname):
            yield f"{url} sends the secret of {secret} in clear to {parts.hostname}: use {schemes[1]}://"


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
