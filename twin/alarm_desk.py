"""Where alarms are at work: hears reports and commands, lets time go on, keeps what comes of it, wakes the senders.

What is heard is settled at once, in memory. `run` then brings transitions, outgoing notices and state to disk together,
in a thread, so that a flood does not hold up the page. A command is answered when it is on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from twin.alarm_figures import figures_of
from twin.alarms.commands import Answer, Command, command
from twin.alarms.escalation import Escalated, escalate
from twin.alarms.figures import SPAN_H, Figures
from twin.alarms.inputs import told
from twin.alarms.layout import Layout
from twin.alarms.machine import advance
from twin.alarms.moved import Moved, Transition, transitions
from twin.alarms.notices import Notice
from twin.alarms.routing import AlarmFile, areas_of
from twin.alarms.saved import from_bytes, to_bytes
from twin.alarms.state import ACKED, UNACKED, AlarmState
from twin.alarms.views import AlarmsView, as_transitions, counts, standing, view
from twin.composing import compose, standing_notices
from twin.errors import PayloadError, SinkUnavailable
from twin.frames import Event, Readings, Report
from twin.log import Say
from twin.outgoing import AlarmBook
from twin.plant import Roster
from twin.ports import Clock
from twin.units import NS_PER_S

__all__ = ["AlarmDesk"]

TICK_S = 1.0
MOST_UNWRITTEN = 200_000  # transitions in memory while the disk refuses; then the oldest are lost, which is told


class AlarmDesk:
    """`wake`: called when there may be something to send. `counts`: what came of it, for metrics."""

    def __init__(
        self, roster: Roster, file: AlarmFile, book: AlarmBook, clock: Clock, say: Say,
        wake: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self.file, self.book, self.annunciated, self.lost = file, book, 0, 0
        self._roster, self._clock, self._say, self._wake = roster, clock, say, wake
        self.layout = Layout.of(roster)
        self._moved: list[Transition] = []
        self._escalated: list[Escalated] = []
        self._changed = True
        self._written = asyncio.Condition()
        self._asked = self._answered = 0  # commands carried out, and how many of them are on disk
        self._news = asyncio.Event()
        self.state = self._resumed()

    def _resumed(self) -> AlarmState:
        try:
            kept = self.book.state()
            if kept is not None:
                return from_bytes(self.layout, kept)
        except PayloadError as error:
            self._say("the alarms' state cannot be read; they start anew, the journal stays", level="error",
                      problem=str(error))  # fmt: skip
        return AlarmState(len(self.layout))

    # -- what is heard ------------------------------------------------------------------------------------------

    def hear(self, readings: Readings, report: Report) -> None:
        """One step of the twin: its fault events, and the readings that it took."""
        self._grow()
        inputs = told(self.layout, report.events, readings)
        self._note(advance(self.layout, self.state, inputs, max(report.time_ns, self.state.time_ns)))

    def told(self, code: str, unit: str, *, on: bool, problem: str = "") -> None:
        """A condition that no reading tells: the broker is lost (`broker_lost` of a site) or is back."""
        now_ns = self._clock.now_ns()
        event = Event(now_ns, self._roster.codes[unit], code, on, "high", float("nan"), float("nan"), problem)
        self._note(advance(self.layout, self.state, told(self.layout, [event]), now_ns))

    async def act(self, asked: Command) -> Answer:
        """Carry out a command; answered when it is on disk. Raises SinkUnavailable when the disk refuses for long."""
        self._grow()
        moved, answer = command(self.layout, self.state, asked, self._clock.now_ns())
        if answer.status != "done":
            return answer
        self._note(moved)
        self._changed = True
        self._asked += 1
        mine = self._asked
        self._news.set()
        try:
            async with asyncio.timeout(10.0), self._written:
                await self._written.wait_for(lambda: self._answered >= mine)
        except TimeoutError:
            raise SinkUnavailable("done, but not on disk yet: the disk refuses; it is kept trying") from None
        return answer

    def _grow(self) -> None:
        if len(self.layout) != len(self._roster):
            self.layout = Layout.of(self._roster)
            self.state.grow(len(self.layout))

    def _note(self, moved: Sequence[Moved]) -> None:
        if not moved:
            return
        self._moved += transitions(self.layout, self.state, moved)
        if (extra := len(self._moved) - MOST_UNWRITTEN) > 0:
            self.lost += extra
            del self._moved[:extra]
            self._say("transitions of alarms are lost: the disk has refused them for too long", level="error")
        self._news.set()

    # -- what comes of it ---------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Let time go on and write, until cancelled."""
        rarely = 0
        while True:
            self.tick()
            try:
                await self.write()
                rarely = 0
            except SinkUnavailable as error:
                if not rarely % 60:
                    self._say("the journal of alarms is not written", level="error", problem=str(error))
                rarely += 1
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), TICK_S)
            except TimeoutError:
                continue

    def tick(self) -> None:
        """Let time go on to now."""
        self._grow()
        self._note(advance(self.layout, self.state, told(self.layout), self._clock.now_ns()))
        self._escalated += escalate(self.file, self._roster.plant, self.layout, self.state)

    async def write(self) -> None:
        """Bring to disk what came since the last time. Raises SinkUnavailable; nothing of it is forgotten then."""
        if not (self._moved or self._escalated or self._changed):
            return
        moved, escalated, asked, self._changed = self._moved, self._escalated, self._asked, False
        self._moved, self._escalated = [], []
        data, now_ns = to_bytes(self.layout, self.state), self._clock.now_ns()
        commit = asyncio.ensure_future(asyncio.to_thread(self._commit, moved, escalated, data, now_ns))
        try:
            await asyncio.shield(commit)
        except asyncio.CancelledError:
            await asyncio.wait({commit})  # the thread goes on whatever we do: only then is it known what is on disk
            if commit.exception() is not None:
                self._again(moved, escalated)
            raise
        except BaseException:
            self._again(moved, escalated)
            raise
        self.annunciated += sum(one.annunciated for one in moved)
        async with self._written:
            self._answered = asked
            self._written.notify_all()
        self._wake()

    async def finish(self) -> None:
        """Bring the rest to disk. Raises SinkUnavailable."""
        self.tick()
        await self.write()

    def _again(self, moved: list[Transition], escalated: list[Escalated]) -> None:
        self._moved, self._escalated, self._changed = moved + self._moved, escalated + self._escalated, True

    def _commit(self, moved: list[Transition], escalated: list[Escalated], data: bytes, now_ns: int) -> None:
        number = self.book.head()[0] + 1
        outgoing = compose(self.file, self._roster.plant, moved, escalated, number)
        self.book.commit([*moved, *(step.transition for step in escalated)], outgoing, data, now_ns)

    # -- what is shown ------------------------------------------------------------------------------------------

    def view(self, language: str = "", unit: str = "") -> AlarmsView:
        """Every alarm that is not normal."""
        return view(self.layout, self.state, language or self.file.language, unit)

    def counts(self, line: int | None = None) -> dict[str, int]:
        """How many alarms are in each state but normal; of suppressed ones those whose condition is there.

        `line`: only of this line (its code) and what stands in it.
        """
        return counts(self.state, None if line is None else self.layout.line == line)

    def standing(self, channel: str) -> list[Notice]:
        """What stands and is routed to a channel, to be told again."""
        cells = standing(self.state, UNACKED, ACKED)
        there = as_transitions(self.layout, self.state, cells, "stands")
        return standing_notices(self.file, self._roster.plant, channel, there)

    async def figures(self, hours: float = SPAN_H) -> list[Figures]:
        """Figures of every operating position over the last hours, from the journal."""
        end_ns = self._clock.now_ns() + 1  # what is just now is in it
        start_ns = end_ns - int(hours * 3600 * NS_PER_S)
        positions = areas_of(self.file, self._roster.plant)
        return await asyncio.to_thread(figures_of, self.book, positions, start_ns, end_ns)
