"""What becomes of messages: readings that can be used, and problems with the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from twin.errors import PayloadError
from twin.frames import Codes, Ints, Readings
from twin.ports import Message

__all__ = ["APART_NS", "Beside", "Decoded", "Gathering", "Problem"]

# Two messages of one batch that have no time of their own are so far apart: none hides another (F18).
APART_NS = 1000
_MOST_PROBLEMS = 16  # of one message that are told apart: each is kept with the whole message


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


class Gathering:
    """What one call of a decoder has found so far; `index` is a message's place in that call.

    `heard`: units and the source times that a mapped plant's clocks gave them, for the skew of those clocks.
    """

    def __init__(self) -> None:
        self.parts: list[Readings] = []
        self.problems: list[Problem] = []
        self.unknown: Counter[str] = Counter()
        self.parked: Counter[int] = Counter()
        self.heard: list[tuple[Codes, Ints]] = []

    def problem(self, index: int, message: Message, error: PayloadError) -> None:
        """Park a message for one thing that is wrong with it."""
        self.parked[index] += 1
        if self.parked[index] <= _MOST_PROBLEMS:
            self.problems.append(Problem(message.topic, message.payload, error.reason, error.detail, error.field))

    def decoded(self) -> Decoded:
        """All of it."""
        return Decoded(Readings.concat(self.parts), tuple(self.problems), len(self.parked), dict(self.unknown))


class Beside(Protocol):
    """What decodes topics that are not of the contract: an existing plant's, by its mapping file.

    `filters`: its subscriptions; `fresh`: those among them whose retained messages are not wanted; `sparkplug`: it
    reads what a Sparkplug host takes. `taken` and `parked`: messages by format, since the start.
    """

    filters: tuple[str, ...]
    fresh: frozenset[str]
    sparkplug: bool
    taken: Counter[str]
    parked: Counter[str]

    def of(self, topic: str) -> Sequence[int]:
        """Empty for a topic that is none of its."""
        ...

    def decode(
        self, places: Sequence[int], messages: Sequence[Message], now_ns: int, latest_ns: int, found: Gathering
    ) -> None:
        """The messages at these places into `found`; source times after `latest_ns` lie in the future.

        Depends on nothing but its arguments: a message that was kept decodes the same later, in another process. One
        without a time of its own has that of `now_ns`, and APART_NS for each place.
        """
        ...
