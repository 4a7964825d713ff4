"""The way in: MQTT 5 over gmqtt with our own acknowledge. A QoS 1 message is acknowledged when its batch is stored.

Memory is bounded by pausing the socket, because brokers overstep Receive Maximum (mosquitto 2.0.11 does). The session
belongs to a stable client id and outlives the connection; whatever was not acknowledged comes again. The connection
is made anew with full-jitter back-off, for ever; the process never ends because a broker is away.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import gmqtt

from twin.broker import Broker, broker
from twin.errors import ConfigError
from twin.link import BUFFER_FULL, Link, passed
from twin.ports import Message
from twin.tls import why

__all__ = ["Broker", "MqttSource", "broker"]

_NEVER_RECONNECT = {"reconnect_retries": -2}  # gmqtt's own loop has a fixed delay and no ceiling: ours runs instead
_QUIET = logging.getLogger("twin.gmqtt")  # gmqtt logs every packet; outages are ours to tell, once
_QUIET.setLevel(logging.CRITICAL)
logging.getLogger("gmqtt").setLevel(logging.CRITICAL)
# A broker's in-flight window (20 in mosquitto's defaults) may be smaller than a batch: when this many wait and no
# more come, waiting for a fuller batch would be waiting for ourselves (F7).
_WINDOW_SUSPECTED = 16
_QUIET_S = 0.01
_GOODBYE_S = 1.0
_OVERHEAD = 200  # bytes that a message costs beyond its payload: topic, objects, packet id


class _Client(gmqtt.Client):
    """gmqtt with QoS 1 publishes handed over unacknowledged, with their packet id, and a socket that can be paused.

    gmqtt acknowledges a message when its handler returns, at the price of a task a message: half of what ingest costs.
    The private names used here are guarded by tests/live/test_mqtt.py and by the pin of gmqtt in pyproject.toml.
    """

    def __init__(self, client_id: str, admit: Callable[[int, str, bytes, _Client], None], **properties: int) -> None:
        super().__init__(client_id, clean_session=False, optimistic_acknowledgement=False, logger=_QUIET, **properties)
        self.set_config(_NEVER_RECONNECT)
        self.on_message = lambda _client, topic, payload, _qos, _properties: admit(0, topic, payload, self)

        def take(mid: int, payload: bytes, topic: str, _properties: object) -> None:
            admit(mid, topic, payload, self)

        self._package_handler._handle_qos_1_publish_packet = take

    @property
    def transport(self) -> asyncio.Transport | None:
        """The open socket, None when there is none."""
        transport: asyncio.Transport | None = getattr(self._connection, "_transport", None)
        return None if transport is None or transport.is_closing() else transport

    def abandon(self) -> None:
        """Close a connection that never came to be; its socket would stay open until the heartbeat misses it."""
        if transport := self.transport:
            transport.abort()

    async def leave(self, lost: asyncio.Event) -> None:
        """Say goodbye, read on until the broker closes: closed with bytes unread, a socket loses the last PUBACKs."""
        if self.transport:
            self._connection.send_disconnect(reason_code=0)
            await passed(lost, _GOODBYE_S)
        await self.disconnect()

    def farewell(self) -> str:
        """Why the connection ended before it was one, in the transport's words."""
        closed = getattr(getattr(self._connection, "_protocol", None), "closed", None)
        error = closed.exception() if closed is not None and closed.done() and not closed.cancelled() else None
        return str(error or "no answer")

    def acknowledge(self, mids: list[int]) -> None:
        """PUBACK for each packet id, in one write; of a closed connection nothing: the broker sends them again."""
        if mids and (transport := self.transport):
            transport.write(struct.pack("!" + "BBH" * len(mids), *(part for mid in mids for part in (0x40, 2, mid))))


@dataclass(slots=True, eq=False)
class _Batch:
    """Messages received together over one connection, and their packet ids (QoS 1)."""

    client: _Client
    settled: Callable[[_Batch], None]
    messages: list[Message] = field(default_factory=list)
    mids: list[int] = field(default_factory=list)
    size: int = 0

    def acknowledge(self) -> None:
        self.client.acknowledge(self.mids)
        self.settled(self)


class MqttSource:
    """Source port. `link.problem` is "" while connected, else one sentence; `alarm` tells of a lost session (F3)."""

    def __init__(
        self,
        where: Broker,
        topics: tuple[str, ...],
        *,
        client_id: str,
        qos: int = 1,
        session_expiry_s: int = 86400,
        receive_maximum: int = 4000,
        buffer_bytes: int = 32 << 20,
        batch_messages: int = 2000,
        batch_bytes: int = 1500 << 10,
        linger_s: float = 0.25,
        on_change: Callable[[str], None] = lambda problem: None,
        fresh: frozenset[str] = frozenset(),
        alarm: Callable[[str], None] = lambda text: None,
    ) -> None:
        if not client_id:
            raise ConfigError("mqtt.client_id is empty; a persistent session needs a stable name")
        self._where, self._topics, self._client_id, self._qos = where, topics, client_id, qos
        self._fresh = fresh
        self._properties = {"session_expiry_interval": session_expiry_s, "receive_maximum": receive_maximum}
        self._buffer_bytes, self._batch_messages, self._batch_bytes = buffer_bytes, batch_messages, batch_bytes
        self._linger_s = linger_s
        self.link = Link(client_id, on_change, alarm)
        self.received = self.held_bytes = 0  # held: of messages not yet acknowledged, what they cost included
        self._batches: deque[_Batch] = deque()  # not yet taken; all but the last are full
        self._taken: set[_Batch] = set()  # taken, not yet acknowledged
        self._more = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._room = asyncio.Event()  # set unless the buffer is full
        self._room.set()
        self._client: _Client | None = None
        self._lost = asyncio.Event()  # set when its connection is
        self.paused = self._held = False
        self._closing = asyncio.Event()

    async def run(self) -> None:
        """Keep connected until closed."""
        at = f"broker {self._where.host}:{self._where.port}"
        while not self._closing.is_set():
            # A paused connection dies of its own silence; to connect again before there is room would only add to it.
            await self._room.wait()
            lost = asyncio.Event()
            try:
                await self._connect(lost)
            except (OSError, gmqtt.MQTTConnectError, TimeoutError, ConfigError) as error:
                problem = f"{at} cannot be reached: {why(str(error) or 'no answer')}"
            else:
                await lost.wait()
                if self._closing.is_set():
                    return
                problem = BUFFER_FULL if self.paused else f"{at} closed the connection"
            await self.link.rest(problem, self._closing)

    async def _connect(self, lost: asyncio.Event) -> None:
        client = _Client(self._client_id, self._admit, **self._properties)
        if (where := self._where).user:
            client.set_auth_credentials(where.user, where.password)

        def connected(_client: object, session_present: int, _code: int, _properties: object) -> None:
            self.link.opened(bool(session_present))

        def subscribed(_client: object, _mid: int, granted: tuple[int, ...], _properties: object) -> None:
            if any(code >= 128 for code in granted):
                self.link.tell(f"the broker refuses the subscription to {', '.join(self._topics)}")
            else:
                self.link.subscribed(lost)

        client.on_connect = connected
        client.on_subscribe = subscribed
        client.on_disconnect = lambda *_: lost.set()
        await self._enter(client, lost)
        if self._closing.is_set():
            await client.disconnect()
            return
        self._client, self._lost, self.paused = client, lost, False
        # Always: a broker that forgot the session forgot it too (F26). `fresh`: without what is retained (F16).
        client.subscribe([gmqtt.Subscription(t, self._qos, False, False, 2 * (t in self._fresh)) for t in self._topics])

    async def _enter(self, client: _Client, lost: asyncio.Event) -> None:
        """Return when the broker has let us in. One that hangs up first is told at once: the client would wait on."""
        tls = self._where.context() or False
        entering = asyncio.ensure_future(client.connect(self._where.host, self._where.port, ssl=tls, keepalive=30))
        gone = asyncio.ensure_future(lost.wait())
        try:
            async with asyncio.timeout(10):
                await asyncio.wait({entering, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not entering.done():  # a refusal in words comes with the end of the connection
                    await asyncio.wait({entering}, timeout=_QUIET_S)
            if not entering.done():
                raise ConnectionError(client.farewell())
            entering.result()
        except BaseException:
            client.abandon()
            raise
        finally:
            for task in (entering, gone):
                task.cancel()
            await asyncio.wait({entering, gone})

    async def close(self) -> None:
        """Leave the broker, keeping the session; what is not acknowledged comes again at the next start."""
        self.hold()
        self._closing.set()
        self._more.set()
        self._room.set()
        client, self._client = self._client, None
        if client is not None:
            await client.leave(self._lost)

    @property
    def problem(self) -> str:
        return self.link.problem

    @property
    def backlog(self) -> tuple[int, int]:
        return len(self._batches), len(self._taken)

    def hold(self) -> None:
        """Take nothing more, for good: what comes is not acknowledged and stays with the broker."""
        self._held = True
        if self._client is not None and (transport := self._client.transport):
            transport.resume_reading()

    def _admit(self, mid: int, topic: str, payload: bytes, client: _Client) -> None:
        if self._held:
            return
        batch = self._batches[-1] if self._batches else None
        if batch is None or self._full(batch) or batch.client is not client:
            batch = _Batch(client, self._settled)
            self._batches.append(batch)
            self._idle.clear()
            self._more.set()
        batch.messages.append(Message(topic, payload))
        if mid:
            batch.mids.append(mid)
        cost = len(payload) + _OVERHEAD
        batch.size += cost
        self.held_bytes += cost
        self.received += 1
        if self._full(batch):
            self._more.set()
        if self.held_bytes >= self._buffer_bytes and (transport := client.transport):
            transport.pause_reading()
            self.paused = True
            self._room.clear()

    def _full(self, batch: _Batch) -> bool:
        return len(batch.messages) >= self._batch_messages or batch.size >= self._batch_bytes

    def _settled(self, batch: _Batch) -> None:
        self._taken.discard(batch)
        self.held_bytes -= batch.size
        if self.paused and self.held_bytes < self._buffer_bytes // 2:
            self.paused = False
            self._room.set()
            if self._client is not None and (transport := self._client.transport):
                transport.resume_reading()
        if not self._taken and not self._batches:
            self._idle.set()

    async def drained(self) -> None:
        """Return when every message received is acknowledged."""
        await self._idle.wait()

    async def deliveries(self) -> AsyncIterator[_Batch]:
        """Batches in receive order: full, or lingered, or as large as the broker's window lets them become."""
        while not self._closing.is_set():
            if not self._batches:
                self._more.clear()
                await self._more.wait()
                continue
            await self._fill(self._batches[0])
            batch = self._batches.popleft()
            self._taken.add(batch)
            yield batch

    async def _fill(self, batch: _Batch) -> None:
        """Wait for the batch to become full; it is, too, when a later one has begun."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._linger_s
        while not self._full(batch) and len(self._batches) == 1 and not self._closing.is_set():
            before = len(batch.messages)
            pause = min(_QUIET_S, until - loop.time())
            if pause <= 0:
                return
            self._more.clear()
            try:
                async with asyncio.timeout(pause):
                    await self._more.wait()
            except TimeoutError:
                if len(batch.messages) == before >= _WINDOW_SUSPECTED and batch.mids:
                    return
