"""The way in: MQTT over gmqtt with our own acknowledge. A QoS 1 message is acknowledged when its batch is stored.

Memory is bounded by pausing the socket, because brokers overstep Receive Maximum (mosquitto 2.0.11 does). The session
belongs to a stable client id and outlives the connection; whatever was not acknowledged comes again. The connection
is made anew with full-jitter back-off, for ever, to the next address where there are several; the process never ends
because a broker is away. It ends where another process has taken over its session: two of one name would take turns.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from twin.errors import ConfigError
from twin.link import REFUSALS, TAKEN_OVER, Link, Presence
from twin.ports import Message

__all__ = ["Broker", "MqttSource", "broker"]

BACKOFF_CEILING_S = 30.0
_LAST_DOUBLING = 10
# A connection that lasts less counts as one more try: a broker that lets in and throws out would be stormed (F24).
STEADY_S = 10.0
_FLAPPING = 5  # such connections in a row: most likely another process under the same client id
# A broker's in-flight window (20 in mosquitto's defaults) may be smaller than a batch: when this many wait and no
# more come, waiting for a fuller batch would be waiting for ourselves (F7).
_WINDOW_SUSPECTED = 16
_QUIET_S = 0.01
_OVERHEAD = 200  # bytes that a message costs beyond its payload: topic, objects, packet id


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
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"mqtt.url = {url!r} is not allowed: {error}") from error
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise ConfigError(f"mqtt.url = {url!r} is not allowed; it must look like mqtt://host:1883")
    if parts.password:
        raise ConfigError("mqtt.url holds a password; put it into a file and name it in mqtt.password_file")
    tls = parts.scheme == "mqtts"
    return Broker(parts.hostname, port or (8883 if tls else 1883), parts.username or "", password, tls, ca_file)


@dataclass(slots=True, eq=False)
class _Batch:
    """Messages received together over one connection, and their packet ids (QoS 1)."""

    client: Link
    settled: Callable[[_Batch], None]
    messages: list[Message] = field(default_factory=list)
    mids: list[int] = field(default_factory=list)
    size: int = 0

    def acknowledge(self) -> None:
        self.client.acknowledge(self.mids)
        self.settled(self)


class MqttSource:
    """Source port. `problem` is "" while connected, else one sentence; `sessions_lost` counts F3.

    `where`: one broker, or the addresses of one cluster, tried in turn. `on_notice` is told what is worth knowing but
    no outage: a session that is gone (`remembered`: an earlier process left one), what the broker does not grant, a
    window too small for the batch. `on_entered` is called when the broker has taken us in. `presence`: a topic on which
    this process says that it holds the session, so that a second one of its name is found out.
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
        on_notice: Callable[[str], None] = lambda notice: None,
        on_entered: Callable[[], None] = lambda: None,
    ) -> None:
        if not client_id:
            raise ConfigError("mqtt.client_id is empty; a persistent session needs a stable name")
        self._where = (where,) if isinstance(where, Broker) else tuple(where)
        self._turn = random.randrange(len(self._where))  # noqa: S311  # not all processes to the same node
        self._topics = topics
        self._client_id = client_id
        self._version = version
        self._presence = Presence(presence) if presence else None
        self._qos = qos
        self._properties = {"session_expiry_interval": session_expiry_s, "receive_maximum": receive_maximum}
        self._buffer_bytes, self._batch_messages, self._batch_bytes = buffer_bytes, batch_messages, batch_bytes
        self._linger_s = linger_s
        self._expected = remembered  # a session on the broker
        self._on_change, self._on_notice, self._on_entered = on_change, on_notice, on_entered
        self._noticed: set[str] = set()
        self.problem = "not connected yet"
        self.sessions_lost = 0
        self.received = 0
        self.held_bytes = 0  # of messages not yet acknowledged, what they cost included
        self._batches: deque[_Batch] = deque()  # not yet taken; all but the last are full
        self._taken: set[_Batch] = set()  # taken, not yet acknowledged
        self._more = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._room = asyncio.Event()  # set unless the buffer is full
        self._room.set()
        self._client: Link | None = None
        self._paused = False
        self._closed = asyncio.Event()

    # -- connection ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep connected until closed. Raises ConfigError when another process takes over the session."""
        loop, attempt = asyncio.get_running_loop(), 0
        while not self._closed.is_set():
            # A paused connection dies of its own silence; to connect again before there is room would only add to it.
            await self._room.wait()
            at = self._where[self._turn % len(self._where)]
            try:
                link = await self._connect(at)
            except REFUSALS as error:
                self._tell(f"broker {at.host}:{at.port} cannot be reached: {str(error) or 'no answer'}")
            else:
                began = loop.time()
                await link.lost.wait()
                attempt = 0 if loop.time() - began >= STEADY_S else attempt
                self._tell_end(at, link.reason, attempt + 1)
            self._turn += 1
            attempt = min(attempt + 1, _LAST_DOUBLING)
            pause_s = random.uniform(0, min(BACKOFF_CEILING_S, 0.1 * 2**attempt))  # noqa: S311
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._closed.wait()

    def _tell_end(self, at: Broker, reason: int, times: int) -> None:
        """Say why the connection is over. Raises ConfigError."""
        if self._closed.is_set():
            return
        if reason == TAKEN_OVER:
            other = f" ({self._presence.other})" if self._presence is not None and self._presence.other else ""
            raise ConfigError(
                f"another process{other} has taken over the session of client id {self._client_id!r} on"
                f" {at.host}:{at.port}; give every process its own mqtt.instance, and do not start this one as it is"
            )
        if self._paused:
            self._tell("the buffer is full: waiting for the store; the broker keeps what comes")
            return
        flapping = f", {times} times in a row: is another process using client id {self._client_id!r}?"
        self._tell(f"broker {at.host}:{at.port} closed the connection" + (flapping if times >= _FLAPPING else ""))

    async def _connect(self, at: Broker) -> Link:
        link = Link(self._client_id, self._admit, version=self._version, presence=self._presence, **self._properties)
        await link.enter(at.host, at.port, user=at.user, password=at.password, context=at.context())
        if self._closed.is_set():
            await link.disconnect()
            return link
        self._client, self._paused = link, False
        self._look_at(link, at)
        # Always: a broker that forgot the session forgot the subscription too (F26).
        refused = f"the broker refuses the subscription to {', '.join(self._topics)}"
        link.subscribe_to(self._topics, self._qos, lambda granted: self._tell("" if granted else refused))
        return link

    def _look_at(self, link: Link, at: Broker) -> None:
        """Compare what the broker remembers and grants with what was asked for (F3, F4)."""
        if self._expected and not link.session_present:
            self.sessions_lost += 1
            self._on_notice(
                f"broker {at.host}:{at.port} has forgotten the session of {self._client_id!r}: what was published while"
                " this process was away is lost, unless the publishers send it again. Does the broker keep sessions on"
                " disk, for longer than the absence?"
            )
        for concern in link.concerns(self._qos, shared=any(topic.startswith("$share/") for topic in self._topics)):
            self._notice(concern)
        self._expected = self._properties["session_expiry_interval"] > 0
        self._on_entered()

    def _notice(self, text: str) -> None:
        """Tell it once."""
        if text not in self._noticed:
            self._noticed.add(text)
            self._on_notice(text)

    def _tell(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            self._on_change(problem)

    async def close(self) -> None:
        """Leave the broker, keeping the session; what is not acknowledged comes again at the next start."""
        self._closed.set()
        self._more.set()
        self._room.set()
        client, self._client = self._client, None
        if client is not None:
            await client.disconnect()

    # -- messages -----------------------------------------------------------------------------------------------

    def _admit(self, mid: int, topic: str, payload: bytes, client: Link) -> None:
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
            self._paused = True
            self._room.clear()

    def _full(self, batch: _Batch) -> bool:
        return len(batch.messages) >= self._batch_messages or batch.size >= self._batch_bytes

    def _settled(self, batch: _Batch) -> None:
        self._taken.discard(batch)
        self.held_bytes -= batch.size
        if self._paused and self.held_bytes < self._buffer_bytes // 2:
            self._paused = False
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
        while not self._closed.is_set():
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
        while not self._full(batch) and len(self._batches) == 1 and not self._closed.is_set():
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
