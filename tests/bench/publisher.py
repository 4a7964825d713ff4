"""A publisher that costs next to nothing: packets made beforehand, one thread a connection, QoS 0 or 1.

`python -m tests.bench.publisher PORT QOS FILE...`: prints `ready`, publishes when a line comes in, prints how it went.
"""

import json
import pickle
import socket
import sys
import threading
import time
from pathlib import Path

from tests.bench.load import CHUNK_PACKETS
from tests.processes import HOST

WINDOW_PACKETS = 1000  # unacknowledged at QoS 1
PATIENCE_S = 120.0


def connect(port: int, name: str) -> socket.socket:
    """Return a socket that has had its CONNACK."""
    identity = name.encode()
    body = b"\x00\x04MQTT\x04\x02\x00\x00" + len(identity).to_bytes(2, "big") + identity
    wire = socket.create_connection((HOST, port), timeout=PATIENCE_S)
    wire.sendall(bytes((0x10, len(body))) + body)
    answer = wire.recv(4, socket.MSG_WAITALL)
    if answer != b"\x20\x02\x00\x00":
        raise ConnectionError(f"CONNACK {answer.hex()}")
    return wire


def publish(wire: socket.socket, qos: int, count: int, chunks: list[bytes]) -> None:
    """Send every chunk; at QoS 1 with at most WINDOW_PACKETS under way, until each has its PUBACK (4 bytes)."""
    sent = answered = 0
    for chunk in chunks:
        wire.sendall(chunk)
        sent = min(sent + CHUNK_PACKETS, count)
        while qos and sent - answered // 4 > WINDOW_PACKETS:
            answered += len(_some(wire))
    while qos and answered < 4 * count:
        answered += len(_some(wire))
    wire.sendall(b"\xe0\x00")  # DISCONNECT
    while wire.recv(65_536):
        pass


def _some(wire: socket.socket) -> bytes:
    found = wire.recv(65_536)
    if not found:
        raise ConnectionError("the broker closed the connection")
    return found


def main() -> None:
    """Load, connect, wait for the word, publish."""
    port, qos, files = int(sys.argv[1]), int(sys.argv[2]), [Path(name) for name in sys.argv[3:]]
    loads: list[tuple[int, list[bytes]]] = [pickle.loads(file.read_bytes()) for file in files]
    wires = [connect(port, f"bench-publisher-{number}") for number in range(len(files))]
    threads = [
        threading.Thread(target=publish, args=(wire, qos, *load)) for wire, load in zip(wires, loads, strict=True)
    ]
    print("ready", flush=True)
    sys.stdin.readline()
    began, cpu = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"seconds": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}), flush=True)


if __name__ == "__main__":
    main()
