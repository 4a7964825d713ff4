"""An outbox: messages are kept until the broker has acknowledged them, and sent again over the next connection."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field

import aiomqtt

__all__ = ["Outbox"]

WINDOW = 100  # messages under way at once
RETRY_S = 0.2
_QUIET = logging.getLogger("tests.chaos.aiomqtt")
_QUIET.setLevel(logging.CRITICAL)


@dataclass
class Outbox:
    """QoS 1 in order; `resent` counts what was sent again, `deepest` the most that ever waited."""

    host: str
    port: int
    client_id: str
    resent: int = 0
    sent: int = 0
    deepest: int = 0
    connections: int = 0
    waiting: deque[tuple[str, bytes]] = field(default_factory=deque)
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    _empty: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, topic: str, payload: bytes) -> None:
        """Take a message; it is kept until the broker has it."""
        self.waiting.append((topic, payload))
        self.deepest = max(self.deepest, len(self.waiting))
        self._empty.clear()
        self._more.set()

    async def emptied(self) -> None:
        """Return when the broker has every message."""
        await self._empty.wait()

    async def run(self) -> None:
        """Send for ever, connecting again whenever the broker went."""
        while True:
            try:
                async with aiomqtt.Client(
                    self.host, self.port, identifier=self.client_id, protocol=aiomqtt.ProtocolVersion.V5,
                    logger=_QUIET, max_queued_outgoing_messages=0,
                ) as client:  # fmt: skip
                    self.connections += 1
                    await self._send(client)
            except aiomqtt.MqttError:
                await asyncio.sleep(RETRY_S)

    async def _send(self, client: aiomqtt.Client) -> None:
        while True:
            if not self.waiting:
                self._empty.set()
                self._more.clear()
                await self._more.wait()
            window = [self.waiting[n] for n in range(min(WINDOW, len(self.waiting)))]
            try:
                await asyncio.gather(*(client.publish(topic, payload, qos=1) for topic, payload in window))
            except aiomqtt.MqttError:
                self.resent += len(window)  # some of them may have been taken: they will be there twice
                raise
            for _ in window:
                self.waiting.popleft()
            self.sent += len(window)
