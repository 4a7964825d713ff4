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
from typing import Any

import aiomqtt
from paho.mqtt import client as mqtt

from twin.errors import SourceUnavailable
from twin.ports import Message
from twin.tls import why

__all__ = ["MqttPublisher"]

# Messages under way at once; a lost connection sends the whole window again, which the key makes harmless.
_WINDOW = 64
_QUIET = logging.getLogger("twin.aiomqtt")
_QUIET.setLevel(logging.CRITICAL)


class _Client(aiomqtt.Client):
    """aiomqtt that remembers what the broker refused: it takes every answer to a publish for a success.

    The private name used here is guarded by tests/live/test_acl.py and test_deadletter.py.
    """

    refused: object = None

    def _on_publish(self, client: mqtt.Client, userdata: Any, mid: int, reason_code: Any, properties: Any) -> None:
        if reason_code.is_failure:
            self.refused = reason_code
        super()._on_publish(client, userdata, mid, reason_code, properties)


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
    ) -> None:
        self._options = {
            "hostname": host,
            "port": port,
            "identifier": client_id,
            "username": user or None,
            "password": password or None,
            "tls_context": tls,
            "protocol": aiomqtt.ProtocolVersion.V5,
            "logger": _QUIET,
            "max_queued_outgoing_messages": 0,
        }
        self._qos = qos
        self._retain = retain
        self._patience_s = patience_s
        self._client: _Client | None = None
        self.sent = 0

    async def __aenter__(self) -> MqttPublisher:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave()

    async def publish(self, messages: Sequence[Message]) -> None:
        """Hand all messages to the broker. Raises SourceUnavailable when it stays away for `patience_s` or refuses."""
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
                    if client.refused is not None:
                        refused, client.refused = client.refused, None
                        raise SourceUnavailable(
                            f"the broker refuses messages such as {window[0].topic} from this user ({refused}); allow "
                            f"them in its access list; {len(messages) - done} messages are not published"
                        )
                    done += len(window)
                    self.sent += len(window)
            except aiomqtt.MqttError as error:
                await self._leave()
                if loop.time() > until:
                    raise SourceUnavailable(
                        f"broker: {why(error)}; {len(messages) - done} messages are not published"
                    ) from error
                attempt += 1
                await asyncio.sleep(random.uniform(0, min(5.0, 0.1 * 2**attempt)))  # noqa: S311

    async def _enter(self) -> _Client:
        if self._client is None:
            client = _Client(**self._options)  # type: ignore[arg-type]
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
