"""Figures of the alarm system as readings for the store: of each line, at the end of every 10 minutes of the clock.

Writing the same 10 minutes again goes over what was written: the key is the line, the figure and their end.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from twin.alarm_desk import AlarmDesk
from twin.alarm_figures import figures_of
from twin.alarms.figures import BUCKET_NS, SPAN_H, TARGETS, Figures
from twin.catalogue import alarm_code
from twin.errors import SinkRejected, SinkUnavailable
from twin.frames import Readings
from twin.log import Say
from twin.plant import Roster
from twin.ports import Clock
from twin.units import NS_PER_S

__all__ = ["AlarmFigures"]

SETTLE_S = 5.0  # after the 10 minutes: by then the desk has let time go on, and what came is in the journal
KEPT = 144  # times that are kept while the store is away: a day
SPAN_NS = int(SPAN_H * 3600 * NS_PER_S)
_UNACKNOWLEDGED = ("unacknowledged", "returned_unacknowledged", "latched_unacknowledged")


class AlarmFigures:
    """`write` takes readings into the store; figures that it could not take are written with the next ones."""

    def __init__(
        self, desk: AlarmDesk, roster: Roster, write: Callable[[Readings], Awaitable[None]], clock: Clock, say: Say
    ) -> None:
        self._desk, self._roster, self._write, self._clock, self._say = desk, roster, write, clock, say
        self._waiting: deque[Readings] = deque(maxlen=KEPT)

    async def run(self) -> None:
        """Write at the end of every 10 minutes of the clock, until cancelled."""
        while True:
            now_ns = self._clock.now_ns()
            await asyncio.sleep((BUCKET_NS - now_ns % BUCKET_NS) / NS_PER_S + SETTLE_S)
            now_ns = self._clock.now_ns()  # the clock may have been set, or the machine have slept
            await self.tell(now_ns - now_ns % BUCKET_NS)

    async def tell(self, end_ns: int) -> None:
        """Write what is to be said at the end of these 10 minutes, and what could not be written before."""
        try:
            self._waiting.append(await self._readings(end_ns))
            while self._waiting:
                try:
                    await self._write(self._waiting[0])
                except SinkRejected as error:
                    self._say("the store refuses figures of the alarm system", level="warning", problem=str(error))
                self._waiting.popleft()
        except SinkUnavailable as error:
            self._say("figures of the alarm system are not written yet", level="warning", problem=str(error))

    async def _readings(self, end_ns: int) -> Readings:
        """Of each line at `end_ns`. Raises SinkUnavailable when the journal cannot be read."""
        lines = {self._roster.paths[code]: code for code in self._roster.line_codes()}
        now = {path: self._now(code) for path, code in lines.items()}
        lately, over = await asyncio.to_thread(self._counted, list(lines), end_ns)
        times, units, codes, values = [], [], [], []
        for (path, unit), last, whole in zip(lines.items(), lately, over, strict=True):
            told = now[path] | {"alarms_10_min": last.alarms}
            told |= {target.figure: getattr(whole, target.figure) for target in TARGETS}
            times += [end_ns] * len(told)
            units += [unit] * len(told)
            codes += [alarm_code(name) for name in told]
            values += [float(value) for value in told.values()]
        return Readings.of(times, units, codes, values)

    def _now(self, line: int) -> dict[str, float]:
        counts = self._desk.counts(line)
        return {
            "standing": counts["unacknowledged"] + counts["acknowledged"],
            "unacknowledged": sum(counts[state] for state in _UNACKNOWLEDGED),
            "shelved": counts["shelved"],
            "suppressed": counts["suppressed"],
        }

    def _counted(self, lines: list[str], end_ns: int) -> tuple[list[Figures], list[Figures]]:
        """Of every line: figures of the 10 minutes, and of the span of the targets, up to `end_ns`."""
        positions, book = {path: [path] for path in lines}, self._desk.book
        lately = figures_of(book, positions, end_ns - BUCKET_NS, end_ns)
        return lately, figures_of(book, positions, end_ns - SPAN_NS, end_ns)
