"""The way out: publishing over aiomqtt, for simulators, replay and notifications.

`publish` returns when the broker has every message (QoS 1). Until then they are kept and sent again after a lost
connection: an outbox in memory, bounded by what the caller hands over at once.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import Sequence
from types import TracebackType

import aiomqtt

from twin.errors import SourceUnavailable
from twin.ports import Message

__all__ = ["MqttPublisher"]

# Messages under way at once; a lost connection sends the whole window again, which the key makes harmless.
_WINDOW = 64
_QUIET = logging.getLogger("twin.aiomqtt")
_QUIET.setLevel(logging.CRITICAL)


class MqttPublisher:
    """Publisher port. Use as an async context manager."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        client_id: str,
        qos: int = 1,
        retain: bool = False,
        user: str = "",
        password: str = "",
        tls: ssl.SSLContext | None = None,
        patience_s: float = 60.0,
        others: Sequence[tuple[str, int]] = (),
        version: str = "5",
    ) -> None:
        self._hosts = [(host, port), *others]  # of one cluster; the next one after a failure
        self._options = {
            "identifier": client_id,
            "username": user or None,
            "password": password or None,
            "tls_context": tls,
            "protocol": aiomqtt.ProtocolVersion.V5 if version == "5" else aiomqtt.ProtocolVersion.V311,
            "logger": _QUIET,
            "max_queued_outgoing_messages": 0,
        }
        self._qos = qos
        self._retain = retain
        self._patience_s = patience_s
        self._client: aiomqtt.Client | None = None
        self.sent = 0

    async def __aenter__(self) -> MqttPublisher:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave()

    async def publish(self, messages: Sequence[Message]) -> None:
        """Hand all messages to the broker. Raises SourceUnavailable when it stays away for `patience_s`."""
        loop = asyncio.get_running_loop()
        until, attempt, done = loop.time() + self._patience_s, 0, 0
        while done < len(messages):
            try:
                client = await self._enter()
                while done < len(messages):
                    window = messages[done : done + _WINDOW]
                    await asyncio.gather(
                        *(client.publish(m.topic, m.payload, qos=self._qos, retain=self._retain) for m in window)
                    )
                    done += len(window)
                    self.sent += len(window)
            except aiomqtt.MqttError as error:
                await self._leave()
                self._hosts.append(self._hosts.pop(0))
                if loop.time() > until:
                    raise SourceUnavailable(
                        f"broker: {error}; {len(messages) - done} messages are not published"
                    ) from error
                attempt += 1
                await asyncio.sleep(random.uniform(0, min(5.0, 0.1 * 2**attempt)))  # noqa: S311

    async def _enter(self) -> aiomqtt.Client:
        if self._client is None:
            host, port = self._hosts[0]
            client = aiomqtt.Client(host, port, **self._options)  # type: ignore[arg-type]
            await client.__aenter__()
            self._client = client
        return self._client

    async def _leave(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            try:
                await client.__aexit__(None, None, None)
            except aiomqtt.MqttError:
                return
