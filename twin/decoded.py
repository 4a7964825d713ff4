"""What becomes of messages: readings that can be used, and problems with the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from twin.frames import Readings
from twin.ports import Message

__all__ = ["Beside", "Decoded", "Problem"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one message; the payload is kept whole so that nothing is lost."""

    topic: str
    payload: bytes
    reason: str
    detail: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Decoded:
    """`readings` that can be used; `problems` for the rest; `parked` messages have at least one problem.

    `unknown` counts fields that no signal names: not an error, never silent.
    """

    readings: Readings
    problems: tuple[Problem, ...]
    parked: int
    unknown: Mapping[str, int]

    def joined(self, other: Decoded) -> Decoded:
        """This and what came of other messages."""
        return Decoded(
            Readings.concat([self.readings, other.readings]),
            self.problems + other.problems,
            self.parked + other.parked,
            Counter(self.unknown) + Counter(other.unknown),
        )


class Beside(Protocol):
    """What decodes topics that are not of the contract: an existing plant's, by its mapping file.

    `filters`: its subscriptions; `fresh`: those among them whose retained messages are not wanted; `sparkplug`: it
    reads what a Sparkplug host takes.
    """

    filters: tuple[str, ...]
    fresh: frozenset[str]
    sparkplug: bool

    def of(self, topic: str) -> Sequence[int]:
        """Empty for a topic that is none of its."""
        ...

    def decode(self, messages: Sequence[Message], now_ns: int, latest_ns: int) -> Decoded:
        """As `Codec.decode`; source times after `latest_ns` lie in the future."""
        ...
