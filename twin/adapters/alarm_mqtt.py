"""Listens for commands to alarms on the broker and publishes what became of them; comes back after an outage."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

import aiomqtt

from twin.access import Access
from twin.alarms.commands import Answer, Command
from twin.asked import answered, read_command, topics
from twin.errors import PayloadError, SinkUnavailable
from twin.ports import Clock, Message

__all__ = ["AlarmCommands"]

_QUIET = logging.getLogger("twin.aiomqtt")
LONGEST_PAUSE_S = 30.0


class AlarmCommands:
    """`options` are those of `aiomqtt.Client`. Commands are not asked for by a session: what comes while this is away
    is not carried out later."""

    def __init__(
        self,
        options: dict[str, Any],
        root: str,
        access: Access,
        clock: Clock,
        act: Callable[[Command], Awaitable[Answer]],
    ) -> None:
        self._options = {"protocol": aiomqtt.ProtocolVersion.V5, "logger": _QUIET, **options}
        self._root, self._access, self._clock, self._act = root, access, clock, act
        self.ready = asyncio.Event()  # while it listens

    async def run(self) -> None:
        """Listen until cancelled."""
        attempt = 0
        while True:
            try:
                async with aiomqtt.Client(**self._options) as client:
                    await client.subscribe(topics(self._root), qos=1)
                    attempt = 0
                    self.ready.set()
                    async for message in client.messages:
                        await self._one(client, message)
            except aiomqtt.MqttError:
                attempt += 1
            finally:
                self.ready.clear()
            await asyncio.sleep(random.uniform(0, min(LONGEST_PAUSE_S, 0.2 * 2**attempt)))  # noqa: S311

    async def _one(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        given = Message(str(message.topic), message.payload if isinstance(message.payload, bytes) else b"")
        name = ""
        try:
            asked, name = read_command(
                given, self._root, self._access, self._clock.now_ns(), retained=bool(message.retain)
            )
            answer = await self._act(asked)
        except PayloadError as error:
            answer = Answer("wrong", 0, f"{error.field}: {error.detail}"[:300])
        except SinkUnavailable as error:
            answer = Answer("wrong", 0, str(error)[:300])
        told = answered(self._root, name, answer)
        await client.publish(told.topic, told.payload, qos=1)
