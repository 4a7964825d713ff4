"""The embedded MQTT broker: rumqttd by way of iotcore, in a child process, on 127.0.0.1 only, MQTT 3.1.1 and 5.

For trying out and for one machine: it keeps sessions in memory and has no access control. A plant uses a real broker.
"""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from iotcore import Broker as Rumqttd

from twin.errors import ConfigError

__all__ = ["EmbeddedBroker"]

_TOML = """\
id = 0

[router]
id = 0
max_connections = 100
max_outgoing_packet_count = 1000
max_segment_size = 4194304
max_segment_count = 8

[v5.1]
name = "v5"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
    [v5.1.connections]
    connection_timeout_ms = 60000
    max_payload_size = 1048576
    max_inflight_count = 1000
    dynamic_filters = true
"""


class EmbeddedBroker:
    """Starts and stops the broker child; its configuration is written to `folder`."""

    def __init__(self, folder: Path, port: int) -> None:
        self.host, self.port = "127.0.0.1", port
        self._folder = folder
        self._process: Rumqttd | None = None

    async def start(self) -> None:
        """Raises ConfigError when the port is taken."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                raise ConfigError(
                    f"port {self.port} on {self.host} is taken; stop what uses it or set broker.port ({error.strerror})"
                ) from error
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / "rumqttd.toml"
        path.write_text(_TOML.format(port=self.port))
        self._process = Rumqttd(config_path=str(path))
        await asyncio.to_thread(self._process.start)

    async def stop(self) -> None:
        if self._process is not None:
            await asyncio.to_thread(self._process.stop)
            self._process = None
