"""Alarms on the broker: one retained message an alarm and unit, `<topic>/<unit>/<code>`, with its state."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from twin.alarms.notices import Notice
from twin.errors import SinkUnavailable, SourceUnavailable
from twin.outgoing import Outgoing
from twin.ports import Message, Publisher

__all__ = ["MqttChannel"]


class MqttChannel:
    """The publisher retains what it publishes: whoever subscribes has the present state at once."""

    most = 200
    digests = False
    refresh_s = 0.0

    def __init__(self, publisher: Publisher, topic: str) -> None:
        self._publisher, self._topic = publisher, topic

    async def send(self, batch: Sequence[Outgoing]) -> None:
        """In order; the last state of each alarm of the batch is what stays."""
        messages = [
            Message(f"{self._topic}/{one.notice.unit}/{one.notice.code}", msgspec.json.encode(one.notice))
            for one in batch
        ]
        try:
            await self._publisher.publish(messages)
        except SourceUnavailable as error:
            raise SinkUnavailable(str(error)) from error

    async def refresh(self, standing: Sequence[Notice]) -> None:
        """The broker remembers."""

    async def close(self) -> None:
        """The publisher is closed by who opened it."""
