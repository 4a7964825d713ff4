"""The way in of Sparkplug B: a host application with a clean session of its own.

By the specification edge nodes publish at QoS 0: there is nothing to acknowledge, and what comes while this process or
the broker is away is lost. Gaps in the sequence show it; the node is then told to be born again, with all its values.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import aiomqtt
import orjson

from twin.broker import Broker
from twin.errors import ConfigError
from twin.link import Link
from twin.ports import Message
from twin.sparkplug.payload import rebirth
from twin.sparkplug.session import NAMESPACE, Host, Outcome, told
from twin.tls import why

__all__ = ["SparkplugSource"]

_QUEUED = 20_000  # messages waiting in the client; what is dropped beyond shows as a gap in the sequence
_BATCH = 2000
_OVERHEAD = 200  # bytes that a message costs beyond its payload
_QUIET = logging.getLogger("twin.aiomqtt.sparkplug")  # outages are ours to tell, once
_QUIET.setLevel(logging.CRITICAL)


@dataclass(slots=True, eq=False)
class _Batch:
    messages: Sequence[Message]
    settled: Callable[[_Batch], None]

    def acknowledge(self) -> None:
        """QoS 0: nobody waits for it but `drained`."""
        self.settled(self)


class SparkplugSource:
    """Source port. `link.problem` is "" while connected, else one sentence; `host` knows the nodes and counts.

    What it delivers needs no session any more and has topics below `root`: it is decoded, parked and published again
    as any message of ours.
    """

    def __init__(
        self,
        where: Broker,
        host_id: str,
        group: str,
        *,
        root: str,
        host: Host | None = None,
        buffer_bytes: int = 32 << 20,
        on_change: Callable[[str], None] = lambda problem: None,
    ) -> None:
        if not host_id or any(character in host_id for character in "/+#"):
            raise ConfigError(f"sparkplug.host_id = {host_id!r} is not allowed; it is a name without / + #")
        if "/" in group or "#" in group or ("+" in group and group != "+"):
            raise ConfigError(f"sparkplug.group = {group!r} is not allowed; it is the name of a group, or + for all")
        self._where, self._root, self._buffer_bytes = where, root, buffer_bytes
        self._state = f"{NAMESPACE}/STATE/{host_id}"
        self._client_id, self._topics = f"sparkplug-{host_id}", f"{NAMESPACE}/{group}/#"
        self.host = host or Host()
        self.link = Link(self._client_id, on_change)
        self.received = 0
        self._waiting: list[Message] = []
        self._waiting_bytes = 0
        self._taken: set[_Batch] = set()
        self._more, self._idle, self._room, self._ended, self._gone = (asyncio.Event() for _ in range(5))
        for event in (self._idle, self._room, self._gone):
            event.set()
        self._held = False

    @property
    def problem(self) -> str:
        return self.link.problem

    # -- connection ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep connected until closed; whatever was known is stale while not."""
        self._gone.clear()
        try:
            while not self._ended.is_set():
                lost = asyncio.Event()
                try:
                    await self._session(lost)
                except (aiomqtt.MqttError, OSError, ConfigError) as error:
                    lost.set()
                    self._hand(self.host.lost(_now_ms()))
                    at = f"{self._where.host}:{self._where.port}"
                    await self.link.rest(f"Sparkplug: broker {at}: {why(error)}", self._ended)
        finally:
            self._gone.set()

    async def _session(self, lost: asyncio.Event) -> None:
        """One connection: will, subscriptions, then our own birth, with the timestamp of the will."""
        born_ms, at = _now_ms(), self._where
        client = aiomqtt.Client(
            at.host,
            at.port,
            username=at.user or None,
            password=at.password or None,
            tls_context=at.context(),
            identifier=self._client_id,
            will=aiomqtt.Will(self._state, _state(False, born_ms), qos=1, retain=True),
            clean_session=True,
            max_queued_incoming_messages=_QUEUED,
            logger=_QUIET,
        )
        async with client:
            self.link.opened(session_present=True)  # a clean session has nothing to lose
            await client.subscribe([(self._topics, 1), (self._state, 1)])
            await client.publish(self._state, _state(True, born_ms), qos=1, retain=True)
            self.link.subscribed(lost)
            reading = asyncio.create_task(self._read(client, born_ms), name="sparkplug-read")
            ended = asyncio.create_task(self._ended.wait(), name="sparkplug-end")
            try:
                await asyncio.wait([reading, ended], return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (reading, ended):
                    task.cancel()
                found, _ = await asyncio.gather(reading, ended, return_exceptions=True)
            if isinstance(found, Exception):
                raise found
            # A clean end sends no will: say it ourselves, when nobody reads it and answers.
            await client.publish(self._state, _state(False, _now_ms()), qos=1, retain=True)

    async def _read(self, client: aiomqtt.Client, born_ms: int) -> None:
        messages = aiter(client.messages)
        coming = asyncio.ensure_future(anext(messages))
        try:
            while not self._ended.is_set():  # a cancellation may be lost in the client
                due = self.host.deadline_ms()
                pause = None if due is None else max(0.0, (due - _now_ms()) / 1e3)
                await asyncio.wait([coming], timeout=pause)
                if coming.done():
                    message = coming.result()
                    coming = asyncio.ensure_future(anext(messages))
                    await self._one(client, message, born_ms)
                await self._act(client, self.host.tick(_now_ms()))
                await self._room.wait()
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)

    async def _one(self, client: aiomqtt.Client, message: aiomqtt.Message, born_ms: int) -> None:
        topic, payload = str(message.topic), message.payload
        load = payload if isinstance(payload, bytes) else b""
        if topic != self._state:
            self.received += 1
            await self._act(client, self.host.take(Message(topic, load), _now_ms()))
        elif not _says_online(load):
            # The will of an earlier connection came after our birth: say again that we are here (F28).
            await client.publish(self._state, _state(True, born_ms), qos=1, retain=True)

    async def _act(self, client: aiomqtt.Client, outcome: Outcome) -> None:
        self._hand(outcome)
        for group, node in outcome.rebirths:
            await client.publish(f"{NAMESPACE}/{group}/NCMD/{node}", rebirth(_now_ms()), qos=0)

    def hold(self) -> None:
        """Take nothing more, for good."""
        self._held = True
        self._room.set()

    async def close(self) -> None:
        """Say that we leave, and end."""
        self.hold()
        self._ended.set()
        self._more.set()
        await self._gone.wait()

    # -- messages -----------------------------------------------------------------------------------------------

    def _hand(self, outcome: Outcome) -> None:
        if self._held or not outcome.messages:
            return
        self._waiting += [Message(told(self._root, topic), payload) for topic, payload in outcome.messages]
        self._waiting_bytes += sum(_cost(message) for message in outcome.messages)
        self._idle.clear()
        self._more.set()
        if self._waiting_bytes >= self._buffer_bytes:
            self._room.clear()

    def _settled(self, batch: _Batch) -> None:
        self._taken.discard(batch)
        if not self._taken and not self._waiting:
            self._idle.set()

    async def drained(self) -> None:
        """Return when every message that came is stored."""
        await self._idle.wait()

    async def deliveries(self) -> AsyncIterator[_Batch]:
        """What has come, in order, at most a few thousand messages at once."""
        while not self._ended.is_set():
            await self._more.wait()
            while self._waiting:
                batch = _Batch(self._waiting[:_BATCH], self._settled)
                del self._waiting[:_BATCH]
                self._waiting_bytes -= sum(_cost(message) for message in batch.messages)
                self._taken.add(batch)
                if self._waiting_bytes < self._buffer_bytes // 2:
                    self._room.set()
                yield batch
            if not self._ended.is_set():
                self._more.clear()


def _cost(message: Message) -> int:
    return len(message.payload) + _OVERHEAD


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _state(online: bool, timestamp_ms: int) -> bytes:
    return orjson.dumps({"online": online, "timestamp": timestamp_ms})


def _says_online(payload: bytes) -> bool:
    try:
        found = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return False
    return isinstance(found, dict) and found.get("online") is True
