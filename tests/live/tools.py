"""Shared by the live tests: waiting for a condition, and publishing with the broker's own tool, not our code."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable, Iterable
from typing import IO

from tests.servers import Server, binary

__all__ = ["publish", "publisher", "until", "until_sync"]

PATIENCE_S = 30.0


async def until(condition: Callable[[], bool], what: str = "the condition") -> None:
    """Return as soon as `condition()` is true; for what has no event to wait for."""
    for _ in range(int(PATIENCE_S / 0.005)):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"{what} did not come true")


def until_sync(condition: Callable[[], bool], what: str = "the condition", patience_s: float = PATIENCE_S) -> None:
    """The same outside an event loop."""
    end = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true")
        time.sleep(0.02)


def publisher(broker: Server, topic: str, *, qos: int = 1) -> subprocess.Popen[bytes]:
    """A running `mosquitto_pub -l`: each line given to its standard input is a message."""
    command = [binary("mosquitto_pub", "mosquitto-clients"), "-h", broker.host, "-p", str(broker.port)]
    command += ["-q", str(qos), "-t", topic, "-l"]
    return subprocess.Popen(command, stdin=subprocess.PIPE)


def publish(broker: Server, topic: str, lines: Iterable[bytes], *, qos: int = 1) -> None:
    """Publish every line as a message; returns when the broker has them all (QoS 1)."""
    with publisher(broker, topic, qos=qos) as process:
        stdin: IO[bytes] | None = process.stdin
        assert stdin is not None
        stdin.writelines(line + b"\n" for line in lines)
        stdin.close()
        assert process.wait(60) == 0
