"""The way in: MQTT over gmqtt with our own acknowledge. A QoS 1 message is acknowledged when its batch is stored.

Memory is bounded by pausing the socket, because brokers overstep Receive Maximum (mosquitto 2.0.11 does). The session
belongs to a stable client id and outlives the connection; whatever was not acknowledged comes again. The connection
is made anew with full-jitter back-off, for ever, to the next address where there are several; the process never ends
because a broker is away. It ends where another process has taken over its session: two of one name would take turns.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from twin.broker import Broker, broker
from twin.connection import REFUSALS, TAKEN_OVER, Connection, Presence
from twin.errors import ConfigError
from twin.link import BUFFER_FULL, Link
from twin.ports import Message
from twin.tls import why

__all__ = ["Broker", "MqttSource", "broker"]

# A broker's in-flight window (20 in mosquitto's defaults) may be smaller than a batch: when this many wait and no
# more come, waiting for a fuller batch would be waiting for ourselves (F7).
_WINDOW_SUSPECTED = 16
_QUIET_S = 0.01
_OVERHEAD = 200  # bytes that a message costs beyond its payload: topic, objects, packet id


@dataclass(slots=True, eq=False)
class _Batch:
    """Messages received together over one connection, and their packet ids (QoS 1)."""

    client: Connection
    settled: Callable[[_Batch], None]
    messages: list[Message] = field(default_factory=list)
    mids: list[int] = field(default_factory=list)
    size: int = 0

    def acknowledge(self) -> None:
        self.client.acknowledge(self.mids)
        self.settled(self)


class MqttSource:
    """Source port. `link.problem` is "" while connected, else one sentence; `alarm` tells of a lost session (F3).

    `where`: one broker, or the addresses of one cluster, tried in turn. `remembered`: an earlier process left a session
    there; `on_entered` is called when the broker has taken us in. `notice` is told, once, what the broker does not
    grant. `presence`: a topic on which this process says that it holds the session, so that a second one of its name
    is found out.
    """

    def __init__(
        self,
        where: Broker | Sequence[Broker],
        topics: tuple[str, ...],
        *,
        client_id: str,
        version: str = "5",
        qos: int = 1,
        session_expiry_s: int = 86400,
        receive_maximum: int = 4000,
        buffer_bytes: int = 32 << 20,
        batch_messages: int = 2000,
        batch_bytes: int = 1500 << 10,
        linger_s: float = 0.25,
        remembered: bool = False,
        presence: str = "",
        on_change: Callable[[str], None] = lambda problem: None,
        fresh: frozenset[str] = frozenset(),
        alarm: Callable[[str], None] = lambda text: None,
        notice: Callable[[str], None] = lambda text: None,
        on_entered: Callable[[], None] = lambda: None,
    ) -> None:
        if not client_id:
            raise ConfigError("mqtt.client_id is empty; a persistent session needs a stable name")
        self._where = (where,) if isinstance(where, Broker) else tuple(where)
        self._turn = random.randrange(len(self._where))  # noqa: S311  # not all processes to the same node
        self._topics, self._client_id, self._version, self._qos = topics, client_id, version, qos
        self._fresh = fresh
        self._properties = {"session_expiry_interval": session_expiry_s, "receive_maximum": receive_maximum}
        self._buffer_bytes, self._batch_messages, self._batch_bytes = buffer_bytes, batch_messages, batch_bytes
        self._linger_s = linger_s
        self._presence = Presence(presence) if presence else None
        self._notice, self._on_entered, self._noticed = notice, on_entered, set[str]()
        self.link = Link(client_id, on_change, alarm, keeps=session_expiry_s > 0, remembered=remembered)
        self.received = self.held_bytes = 0  # held: of messages not yet acknowledged, what they cost included
        self._batches: deque[_Batch] = deque()  # not yet taken; all but the last are full
        self._taken: set[_Batch] = set()  # taken, not yet acknowledged
        self._more = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._room = asyncio.Event()  # set unless the buffer is full
        self._room.set()
        self._client: Connection | None = None
        self.paused = self._held = False
        self._closing = asyncio.Event()

    async def run(self) -> None:
        """Keep connected until closed. Raises ConfigError when another process takes over the session."""
        while not self._closing.is_set():
            # A paused connection dies of its own silence; to connect again before there is room would only add to it.
            await self._room.wait()
            where = self._where[self._turn % len(self._where)]
            at = f"broker {where}"
            try:
                client = await self._connect(where)
            except REFUSALS as error:
                problem = f"{at} cannot be reached: {why(str(error) or 'no answer')}"
            else:
                await client.lost.wait()
                if self._closing.is_set():
                    return
                if client.reason == TAKEN_OVER:
                    raise ConfigError(self._taken_over(at))
                problem = BUFFER_FULL if self.paused else f"{at} closed the connection"
            self._turn += 1
            await self.link.rest(problem, self._closing)

    def _taken_over(self, at: str) -> str:
        other = f" ({self._presence.other})" if self._presence is not None and self._presence.other else ""
        return (
            f"another process{other} has taken over the session of client id {self._client_id!r} on {at}; give every"
            " process its own mqtt.instance, and do not start this one as it is"
        )

    async def _connect(self, where: Broker) -> Connection:
        client = Connection(
            self._client_id, self._admit, version=self._version, presence=self._presence, **self._properties
        )
        await client.enter(where)
        if self._closing.is_set():
            await client.disconnect()
            return client
        self._client, self.paused = client, False
        self.link.opened(client.session_present)
        self._on_entered()
        shared = any(topic.startswith("$share/") for topic in self._topics)
        for concern in client.concerns(self._qos, shared=shared):
            if concern not in self._noticed:
                self._noticed.add(concern)
                self._notice(concern)

        def told(granted: bool) -> None:
            if granted:
                self.link.subscribed(client.lost)
            else:
                self.link.tell(f"the broker refuses the subscription to {', '.join(self._topics)}")

        # Always: a broker that forgot the session forgot the subscription too (F26).
        client.subscribe_to(self._topics, self._qos, told, fresh=self._fresh)
        return client

    async def close(self) -> None:
        """Leave the broker, keeping the session; what is not acknowledged comes again at the next start."""
        self.hold()
        self._closing.set()
        self._more.set()
        self._room.set()
        client, self._client = self._client, None
        if client is not None:
            await client.leave()

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

    def _admit(self, mid: int, topic: str, payload: bytes, client: Connection) -> None:
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
