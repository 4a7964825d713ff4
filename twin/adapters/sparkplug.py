"""The way in of Sparkplug B: a host application with a clean session of its own.

By the specification edge nodes publish at QoS 0: there is nothing to acknowledge, and what comes while this process or
the broker is away is lost. Gaps in the sequence show it; the node is then told to be born again, with all its values.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import aiomqtt
import orjson

from twin.errors import ConfigError
from twin.ports import Message
from twin.sparkplug.payload import rebirth
from twin.sparkplug.session import NAMESPACE, Host, Outcome

__all__ = ["Address", "SparkplugSource"]

BACKOFF_CEILING_S = 30.0
_LAST_DOUBLING = 10
_QUEUED = 20_000  # messages waiting in the client; what is dropped beyond shows as a gap in the sequence
_HELD = 50_000  # messages waiting for the ingest
_BATCH = 2000
_QUIET = logging.getLogger("twin.aiomqtt.sparkplug")  # outages are ours to tell, once
_QUIET.setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is and how to enter, as aiomqtt wants it."""

    options: dict[str, object]
    name: str


@dataclass(slots=True, eq=False)
class _Batch:
    messages: Sequence[Message]
    settled: Callable[[_Batch], None]

    def acknowledge(self) -> None:
        """QoS 0: nobody waits for it but `drained`."""
        self.settled(self)


class SparkplugSource:
    """Source port. `problem` is "" while connected, else one sentence; `host` knows the nodes and counts."""

    def __init__(
        self,
        where: Address,
        host_id: str,
        group: str,
        *,
        host: Host | None = None,
        on_change: Callable[[str], None] = lambda problem: None,
    ) -> None:
        if not host_id or any(character in host_id for character in "/+#"):
            raise ConfigError(f"sparkplug.host_id = {host_id!r} is not allowed; it is a name without / + #")
        if "/" in group or "#" in group or ("+" in group and group != "+"):
            raise ConfigError(f"sparkplug.group = {group!r} is not allowed; it is the name of a group, or + for all")
        self._where, self._on_change = where, on_change
        self._state = f"{NAMESPACE}/STATE/{host_id}"
        self._client_id, self._topics = f"sparkplug-{host_id}", f"{NAMESPACE}/{group}/#"
        self.host = host or Host()
        self.problem = "not connected yet"
        self._waiting: list[Message] = []
        self._taken: set[_Batch] = set()
        self._more, self._idle, self._room, self._ended = (asyncio.Event() for _ in range(4))
        self._idle.set()
        self._room.set()

    # -- connection ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep connected until closed; whatever was known is stale while not."""
        attempt = 0
        while not self._ended.is_set():
            try:
                await self._session()
                return
            except aiomqtt.MqttError as error:
                attempt = 0 if not self.problem else min(attempt + 1, _LAST_DOUBLING)
                self._hand(self.host.lost(_now_ms()))
                self._tell(f"Sparkplug: broker {self._where.name}: {error}")
            pause = random.uniform(0, min(BACKOFF_CEILING_S, 0.1 * 2**attempt))  # noqa: S311
            try:
                async with asyncio.timeout(pause):
                    await self._ended.wait()
            except TimeoutError:
                continue

    async def _session(self) -> None:
        """One connection: will, subscriptions, then our own birth, with the timestamp of the will."""
        born_ms = _now_ms()
        client = aiomqtt.Client(
            identifier=self._client_id,
            will=aiomqtt.Will(self._state, _state(False, born_ms), qos=1, retain=True),
            clean_session=True,
            max_queued_incoming_messages=_QUEUED,
            logger=_QUIET,
            **self._where.options,  # type: ignore[arg-type]
        )
        async with client:
            await client.subscribe([(self._topics, 1), (self._state, 1)])
            await client.publish(self._state, _state(True, born_ms), qos=1, retain=True)
            self._tell("")
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
            await self._act(client, self.host.take(Message(topic, load), _now_ms()))
        elif not _says_online(load):
            # The will of an earlier connection came after our birth: say again that we are here (F28).
            await client.publish(self._state, _state(True, born_ms), qos=1, retain=True)

    async def _act(self, client: aiomqtt.Client, outcome: Outcome) -> None:
        self._hand(outcome)
        for group, node in outcome.rebirths:
            await client.publish(f"{NAMESPACE}/{group}/NCMD/{node}", rebirth(_now_ms()), qos=0)

    def _tell(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            self._on_change(problem)

    async def close(self) -> None:
        """Say that we leave, and end."""
        self._ended.set()
        self._more.set()
        self._room.set()

    # -- messages -----------------------------------------------------------------------------------------------

    def _hand(self, outcome: Outcome) -> None:
        if outcome.messages:
            self._waiting += outcome.messages
            self._idle.clear()
            self._more.set()
            if len(self._waiting) >= _HELD and not self._ended.is_set():
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
                self._taken.add(batch)
                if len(self._waiting) < _HELD // 2:
                    self._room.set()
                yield batch
            if not self._ended.is_set():
                self._more.clear()


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
