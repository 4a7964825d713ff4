"""Where the MQTT broker is and how to enter: address, user, TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from twin.errors import ConfigError
from twin.redact import redacted
from twin.tls import client_context

__all__ = ["Broker", "broker"]


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how to enter; the certificate files belong to TLS and may be empty."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""

    def context(self) -> ssl.SSLContext | None:
        """None without TLS. Reads the files anew, so that renewed certificates are used. Raises ConfigError."""
        return client_context(self.ca_file, self.cert_file, self.key_file) if self.tls else None


def broker(url: str, *, password: str = "", ca_file: str = "", cert_file: str = "", key_file: str = "") -> Broker:
    """Read mqtt://[user@]host[:port] or mqtts://...; raises ConfigError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"mqtt.url = {redacted(url)!r} is not allowed: {redacted(str(error))}") from error
    if parts.password is not None:
        raise ConfigError("mqtt.url holds a password; put it into a file and name it in mqtt.password_file")
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise ConfigError(f"mqtt.url = {redacted(url)!r} is not allowed; it must look like mqtt://host:1883")
    tls = parts.scheme == "mqtts"
    files = {"mqtt.ca_file": ca_file, "mqtt.cert_file": cert_file, "mqtt.key_file": key_file}
    if not tls and (set_ones := [name for name, path in files.items() if path]):
        raise ConfigError(f"{', '.join(set_ones)}: only for mqtts://, and mqtt.url is {redacted(url)!r}, without TLS")
    found = Broker(
        parts.hostname,
        port or (8883 if tls else 1883),
        parts.username or "",
        password,
        tls,
        ca_file,
        cert_file,
        key_file,
    )
    found.context()
    return found
