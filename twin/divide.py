"""A batch that the store refuses in part: store what it takes, name what it does not. Nothing good is lost (F9).

Writing twice is harmless (F17), so the batch is written again without what the answer names: fields of another type
(F10, F11), lines, everything older than the retention (F22). Where it names nothing, halves find the message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import numpy as np

from twin.catalogue import CATALOGUE
from twin.codec import Codec, Decoded, Problem
from twin.decoded import APART_NS
from twin.errors import SinkRejected
from twin.frames import Readings
from twin.ports import Message

__all__ = ["divide"]

_LONGEST = 500  # characters of the store's answer that are kept with a message
_SIGNALS = {(row.measurement, row.db_field): code for code, row in enumerate(CATALOGUE)}
_LEVELS = ("site", "line", "pot")


async def divide(
    messages: Sequence[Message],
    error: SinkRejected,
    codec: Codec,
    write: Callable[[Readings], Awaitable[None]],
    now_ns: int,
) -> Decoded:
    """What became of messages whose readings `write` has refused with `error`.

    `readings` are stored when this returns; `problems` say what is to be parked. `write` returns when the readings are
    durable and raises SinkRejected.
    """
    division = _Division(messages, codec, write, now_ns)
    await division.refused(list(range(len(messages))), error)
    return division.found()


class _Division:
    def __init__(
        self, messages: Sequence[Message], codec: Codec, write: Callable[[Readings], Awaitable[None]], now_ns: int
    ) -> None:
        self._messages, self._write = messages, write
        # One by one, so that each reading is known by its message. Refusals are rare, and this is far below a write.
        # A message without a time of its own has the time again that its place in the batch gave it.
        self._decoded = [codec.decode([message], now_ns + place * APART_NS) for place, message in enumerate(messages)]
        self._paths = codec.roster.paths
        self._cut: dict[int, SinkRejected] = {}  # signals that this store refuses by their type
        self._stored: list[Readings] = []
        self._problems: dict[int, list[Problem]] = {}

    def found(self) -> Decoded:
        problems, unknown, parked = list[Problem](), Counter[str](), 0
        for index, decoded in enumerate(self._decoded):
            mine = [*decoded.problems, *self._problems.get(index, ())]
            problems += mine
            parked += bool(mine)
            unknown.update(decoded.unknown)
        return Decoded(Readings.concat(self._stored), tuple(problems), parked, dict(unknown))

    async def refused(self, those: list[int], error: SinkRejected) -> None:
        """Deal with messages that were refused as they stand."""
        new = {_SIGNALS[field] for field in error.fields if field in _SIGNALS} - set(self._cut)
        if new:
            self._cut |= dict.fromkeys(new, error)
            await self._keep(those)
            return
        named = self._named(those, error)
        if error.whole or len(those) == 1 or len(named) == len(those):
            self._park(those, error)
        elif named:
            self._park(named, error)
            await self._keep([index for index in those if index not in set(named)])
        else:
            if error.reason == "beyond_retention":  # the old ones side by side, so that whole halves are refused
                those = sorted(those, key=self._time)
            middle = len(those) // 2
            await self._keep(those[:middle])
            await self._keep(those[middle:])

    async def _keep(self, those: list[int]) -> None:
        readings = Readings.concat([self._without_cut(self._decoded[index].readings) for index in those])
        try:
            await self._write(readings)
        except SinkRejected as error:
            await self.refused(those, error)
            return
        self._stored.append(readings)
        for index in those:
            for signal, conflict in self._cut.items():
                if self._says(index, signal):
                    self._problem(index, conflict, CATALOGUE[signal].topic_field)

    def _park(self, those: Sequence[int], error: SinkRejected) -> None:
        """Park what says something; a message that says nothing was not refused."""
        for index in those:
            if np.isfinite(self._decoded[index].readings.value).any():
                self._problem(index, error)

    def _problem(self, index: int, error: SinkRejected, field: str = "") -> None:
        topic, payload = self._messages[index]
        problem = Problem(topic, payload, error.reason, str(error)[:_LONGEST], field)
        self._problems.setdefault(index, []).append(problem)

    def _without_cut(self, readings: Readings) -> Readings:
        """What is left to write; a reading without a value is never sent, and stays to say that it has none."""
        cut = np.isin(readings.signal, list(self._cut)) & np.isfinite(readings.value)
        return readings.take(~cut) if cut.any() else readings

    def _says(self, index: int, signal: int) -> bool:
        readings = self._decoded[index].readings
        return bool((np.isfinite(readings.value) & (readings.signal == signal)).any())

    def _time(self, index: int) -> int:
        times = self._decoded[index].readings.time_ns
        return int(times.min()) if len(times) else 0

    def _named(self, those: Sequence[int], error: SinkRejected) -> list[int]:
        """The messages that the refused lines came from."""
        lines = {key for line in error.lines if (key := _key(line))}
        if not lines:
            return []

        def keys(readings: Readings) -> set[tuple[str, int]]:
            pairs = zip(readings.unit.tolist(), readings.time_ns.tolist(), strict=True)
            return {(self._paths[unit], time) for unit, time in pairs}

        return [index for index in those if lines & keys(self._decoded[index].readings)]


def _key(line: bytes) -> tuple[str, int] | None:
    """Path of the unit and source time [ns] of a line of ours."""
    head, _, rest = line.decode("utf-8", "replace").partition(" ")
    tags = dict(part.partition("=")[::2] for part in head.split(",")[1:])
    time = rest.rpartition(" ")[2]
    if not time.isdecimal():
        return None
    return "/".join(tags[level] for level in _LEVELS if tags.get(level)), int(time)
