"""The way in: MQTT 5 over gmqtt with manual acknowledge. A QoS 1 message is acknowledged when its batch is stored.

Memory is bounded by pausing the socket, because brokers overstep Receive Maximum (mosquitto 2.0.11 does). The session
belongs to a stable client id and outlives the connection; whatever was not acknowledged comes again. The connection
is made anew with full-jitter back-off, for ever; the process never ends because a broker is away.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import gmqtt

from twin.errors import ConfigError
from twin.ports import Message

__all__ = ["Broker", "MqttSource", "broker"]

BACKOFF_CEILING_S = 30.0
_NEVER_RECONNECT = {"reconnect_retries": -2}  # gmqtt's own loop has a fixed delay and no ceiling: ours runs instead
_QUIET = logging.getLogger("twin.gmqtt")  # gmqtt logs every packet; outages are ours to tell, once
_QUIET.setLevel(logging.CRITICAL)
logging.getLogger("gmqtt").setLevel(logging.CRITICAL)
# A broker's in-flight window (20 in mosquitto's defaults) may be smaller than a batch: when this many wait and no
# more come, waiting for a fuller batch would be waiting for ourselves (F7).
_WINDOW_SUSPECTED = 16
_QUIET_S = 0.01


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how to enter."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca_file: str = ""

    def context(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=self.ca_file or None) if self.tls else None


def broker(url: str, *, password: str = "", ca_file: str = "") -> Broker:
    """Read mqtt://[user@]host[:port] or mqtts://...; raises ConfigError."""
    parts = urlsplit(url)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise ConfigError(f"mqtt.url = {url!r} is not allowed; it must look like mqtt://host:1883")
    if parts.password:
        raise ConfigError("mqtt.url holds a password; put it into a file and name it in mqtt.password_file")
    tls = parts.scheme == "mqtts"
    return Broker(parts.hostname, parts.port or (8883 if tls else 1883), parts.username or "", password, tls, ca_file)


class _Batch:
    """Messages taken together, with the future their handlers wait for."""

    def __init__(self, safe: asyncio.Future[None]) -> None:
        self.messages: list[Message] = []
        self.safe = safe

    def acknowledge(self) -> None:
        if not self.safe.done():
            self.safe.set_result(None)


class MqttSource:
    """Source port. `problem` is "" while connected, else one sentence; `sessions_lost` counts F3."""

    def __init__(
        self,
        where: Broker,
        topics: tuple[str, ...],
        *,
        client_id: str,
        qos: int = 1,
        session_expiry_s: int = 86400,
        receive_maximum: int = 4000,
        buffer_messages: int = 20000,
        batch_messages: int = 2000,
        linger_s: float = 0.25,
        on_change: Callable[[str], None] = lambda problem: None,
    ) -> None:
        if not client_id:
            raise ConfigError("mqtt.client_id is empty; a persistent session needs a stable name")
        self._where = where
        self._topics = topics
        self._client_id = client_id
        self._qos = qos
        self._properties = {"session_expiry_interval": session_expiry_s, "receive_maximum": receive_maximum}
        self._buffer_limit = buffer_messages
        self._batch_limit = batch_messages
        self._linger_s = linger_s
        self._on_change = on_change
        self.problem = "not connected yet"
        self.sessions_lost = 0
        self.received = 0
        self._batches: deque[_Batch] = deque()  # not yet taken; all but the last are full
        self._taken: deque[_Batch] = deque()  # taken, not yet acknowledged
        self._more = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._client: gmqtt.Client | None = None
        self._paused = False
        self._closing = False

    # -- connection ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep connected until closed."""
        attempt = 0
        while not self._closing:
            lost = asyncio.Event()
            try:
                await self._connect(lost, first=attempt == 0 and self.received == 0)
            except (OSError, gmqtt.MQTTConnectError, TimeoutError) as error:
                self._tell(f"broker {self._where.host}:{self._where.port} cannot be reached: {error}")
                attempt += 1
                await asyncio.sleep(random.uniform(0, min(BACKOFF_CEILING_S, 0.1 * 2**attempt)))  # noqa: S311
                continue
            attempt = 0
            await lost.wait()
            if not self._closing:
                self._tell(f"broker {self._where.host}:{self._where.port} closed the connection")

    async def _connect(self, lost: asyncio.Event, *, first: bool) -> None:
        client = gmqtt.Client(
            self._client_id, clean_session=False, optimistic_acknowledgement=False, logger=_QUIET, **self._properties
        )
        client.set_config(_NEVER_RECONNECT)
        if self._where.user:
            client.set_auth_credentials(self._where.user, self._where.password)
        client.on_message = self._receive if self._qos else self._receive_unacknowledged

        def connected(_client: Any, session_present: int, _code: int, _properties: Any) -> None:
            if not session_present and not first:
                self.sessions_lost += 1

        client.on_connect = connected
        client.on_disconnect = lambda *_: lost.set()
        async with asyncio.timeout(10):
            await client.connect(self._where.host, self._where.port, ssl=self._where.context() or False, keepalive=30)
        self._client = client
        self._paused = False
        self._pause_if_full()
        for topic in self._topics:  # always: a broker that forgot the session forgot the subscription too (F26)
            client.subscribe(topic, qos=self._qos)
        self._tell("")

    def _tell(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            self._on_change(problem)

    async def close(self) -> None:
        """Leave the broker, keeping the session; what is not acknowledged comes again at the next start."""
        self._closing = True
        self._more.set()
        if self._client is not None:
            client, self._client = self._client, None
            await client.disconnect()
        # Only now, with the connection gone, may handlers of unsafe messages return: their answer reaches nobody.
        for batch in (*self._taken, *self._batches):
            batch.acknowledge()

    # -- messages -----------------------------------------------------------------------------------------------

    async def _receive(self, _client: Any, topic: str, payload: bytes, _qos: int, _properties: Any) -> int:
        """gmqtt acknowledges when this returns: when the batch of the message is safe."""
        batch = self._admit(topic, payload)
        await batch.safe
        return 0

    def _receive_unacknowledged(self, _client: Any, topic: str, payload: bytes, _qos: int, _properties: Any) -> None:
        self._admit(topic, payload)

    def _admit(self, topic: str, payload: bytes) -> _Batch:
        if not self._batches or len(self._batches[-1].messages) >= self._batch_limit:
            safe = asyncio.get_running_loop().create_future()
            safe.add_done_callback(self._settled)
            self._batches.append(_Batch(safe))
            self._idle.clear()
        batch = self._batches[-1]
        batch.messages.append(Message(topic, payload))
        self.received += 1
        if len(batch.messages) == 1 or len(batch.messages) >= self._batch_limit:
            self._more.set()
        self._pause_if_full()
        return batch

    def _settled(self, _safe: asyncio.Future[None]) -> None:
        while self._taken and self._taken[0].safe.done():
            self._taken.popleft()
        if not self._taken and not self._batches:
            self._idle.set()

    async def drained(self) -> None:
        """Return when every message received is acknowledged."""
        await self._idle.wait()

    @property
    def buffered(self) -> int:
        """Messages held in memory, not yet taken."""
        return max(0, (len(self._batches) - 1) * self._batch_limit) + (
            len(self._batches[-1].messages) if self._batches else 0
        )

    def _transport(self) -> asyncio.Transport | None:
        # gmqtt has no public way to pause reading; tests/live/test_mqtt.py guards this against a new version.
        connection = self._client._connection if self._client is not None else None
        return connection._transport if connection is not None else None

    def _pause_if_full(self) -> None:
        if self.buffered >= self._buffer_limit and (transport := self._transport()) and not transport.is_closing():
            transport.pause_reading()
            self._paused = True

    def _resume(self) -> None:
        if self._paused and self.buffered < self._buffer_limit // 2:
            self._paused = False
            if (transport := self._transport()) and not transport.is_closing():
                transport.resume_reading()

    async def deliveries(self) -> AsyncIterator[_Batch]:
        """Batches in receive order: full, or lingered, or as large as the broker's window lets them become."""
        while not self._closing:
            if not self._batches:
                self._more.clear()
                await self._more.wait()
                continue
            await self._fill(self._batches[0])
            batch = self._batches.popleft()
            self._taken.append(batch)
            self._resume()
            yield batch

    async def _fill(self, batch: _Batch) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._linger_s
        while len(batch.messages) < self._batch_limit and not self._closing:
            before = len(batch.messages)
            pause = min(_QUIET_S, until - loop.time())
            if pause <= 0:
                return
            self._more.clear()
            try:
                async with asyncio.timeout(pause):
                    await self._more.wait()
            except TimeoutError:
                if len(batch.messages) == before >= _WINDOW_SUSPECTED and self._qos:
                    return
