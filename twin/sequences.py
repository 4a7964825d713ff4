"""Numbered messages: a publisher that counts its messages in `seq` makes visible what got lost on the way (F5).

A broker whose queue is full drops messages and tells nobody who reads. Where `seq` goes 0, 1, 2 ... on each topic, a
gap tells of it. What comes late or twice closes gaps and opens none.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field

from twin.ports import Delivery, Message, Source

__all__ = ["Numbered", "Sequences"]

_MARK = b'"seq"'
_NUMBER = re.compile(rb'"seq"\s*:\s*(\d{1,18})')
BEHIND = 65536  # messages that may come again after an outage, the largest window of MQTT; further back is a new count
_GAPS_KEPT = 4096  # numbers a topic that may still come; older ones are given up
MOST_TOPICS = 200_000  # so that invented topics do not fill the memory


@dataclass(slots=True)
class _Topic:
    """What comes next on a topic, and what has not come yet."""

    next: int
    gaps: dict[int, None] = field(default_factory=dict)


class Sequences:
    """Counts what is missing. Every topic must come here whole: not for members of a shared subscription.

    `missing` messages that have not come (yet); `numbered` those that carry a number. `on_gap` is told at the first one
    missing and each time that their number has doubled.
    """

    def __init__(self, on_gap: Callable[[str], None] = lambda text: None) -> None:
        self.missing = 0
        self.numbered = 0
        self._on_gap = on_gap
        self._tell_at = 1
        self._topics: dict[str, _Topic] = {}

    def see(self, messages: Iterable[Message]) -> None:
        """Take messages in receive order."""
        for topic, payload in messages:
            if _MARK in payload and (found := _NUMBER.search(payload)):
                self._take(topic, int(found[1]))

    def _take(self, topic: str, number: int) -> None:
        self.numbered += 1
        known = self._topics.get(topic)
        if known is None:
            if len(self._topics) < MOST_TOPICS:
                self._topics[topic] = _Topic(number + 1)
            return
        if number == known.next:
            known.next += 1
        elif number > known.next:
            self._gap(topic, known, number)
        elif number == 0 or number < known.next - BEHIND:
            known.next = number + 1  # the publisher began anew; what was missing before stays missing
            known.gaps.clear()
        elif number in known.gaps:
            del known.gaps[number]
            self.missing -= 1

    def _gap(self, topic: str, known: _Topic, number: int) -> None:
        first, known.next = known.next, number + 1
        self.missing += number - first
        for late in range(max(first, number - _GAPS_KEPT), number):
            known.gaps[late] = None
        while len(known.gaps) > _GAPS_KEPT:
            del known.gaps[next(iter(known.gaps))]
        if self.missing >= self._tell_at:
            self._tell_at = 2 * self.missing
            self._on_gap(
                f"{self.missing} messages are missing by their numbers, the last of them {first} to {number - 1} of"
                f" {topic[:200]}: lost before they came here, most likely in a full queue of the broker"
            )


class Numbered:
    """A source of which every message is seen by `sequences`, in receive order."""

    def __init__(self, source: Source, sequences: Sequences) -> None:
        self._source, self._sequences = source, sequences

    async def deliveries(self) -> AsyncIterator[Delivery]:
        async for delivery in self._source.deliveries():
            self._sequences.see(delivery.messages)
            yield delivery
