"""Runs the engine beside the ingest: takes what is stored, steps once a tick, keeps the newest view for readers."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace

import numpy as np

from twin import checkpoint
from twin.engine import Engine, State
from twin.errors import SinkRejected, SinkUnavailable
from twin.frames import Event, Readings, Report, WindowFigures
from twin.judge_thread import JudgeThread
from twin.opinions import Judged
from twin.outputs import fault_readings, outputs, score_readings, state_readings
from twin.snapshot import EventView, IngestView, Snapshot
from twin.view import event_view, snapshot

__all__ = ["Runner"]

_EVENTS_SHOWN = 200
EARLY_READINGS = 3_000_000  # held in memory while the past is read back (23 bytes each); beyond it the ingest waits


class Runner:
    """`feed` is awaited by the ingest (bounded: a slow engine slows the ingest); `run` steps until cancelled.

    `write` gets the figures that changed, the events, the estimated states and the scores, every `output_s` and at
    `finish`; `health` tells of the way in. `state`: where an earlier run stopped; `save` is given the state as bytes,
    every `save_s` and at `finish`. `judge`: the models beside the engine. `whole`: there is nothing to `catch_up`
    with; else no figures are written before that.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        write: Callable[[Readings], Awaitable[None]],
        health: Callable[[], IngestView],
        output_s: float = 60.0,
        step_s: float = 1.0,
        state: State | None = None,
        save: Callable[[bytes], Awaitable[None]] | None = None,
        save_s: float = 600.0,
        whole: bool = True,
        judge: JudgeThread | None = None,
    ) -> None:
        self.engine = engine
        self.judge = judge
        self.report: Report | None = None
        self.latest: Snapshot | None = None
        self.steps = 0
        self.refused = 0  # windows whose figures the store refused
        self.windows_told = 0
        self.stepped_s: float | None = None  # when the last step of `run` ended, by the clock that never goes back
        self.around_step: Callable[[], AbstractContextManager[object]] = nullcontext  # for who measures steps
        self.hear: Callable[[Readings, Report], None] = lambda readings, report: None  # who is told of every step
        self.whole = whole  # False until the past is read back: figures of a part do not go over those of the whole
        self._state = engine.start() if state is None else state
        self._save = save
        self._save_s = save_s
        self._write = write
        self._health = health
        self._output_s = output_s
        self._step_s = step_s
        self._early: list[Readings] = []  # what came while the past was read back
        self._early_room = 0
        self._waiting: asyncio.Queue[Readings] = asyncio.Queue(maxsize=64)
        self._events: deque[EventView] = deque(maxlen=_EVENTS_SHOWN)
        self._unwritten: list[Event] = []
        self._told_ns = 0  # minute of the last estimate written
        self._scored_ns = 0  # and of the last scores
        self._changed: dict[tuple[int, str, int], WindowFigures] = {}
        self._newer = asyncio.Condition()
        if judge is not None:
            judge.told = self._judged
            judge.resume(self._state.beside)

    async def feed(self, readings: Readings) -> None:
        """Hand stored readings to the twin."""
        if not len(readings):
            return
        if self._early_room > 0:
            self._early_room -= len(readings)
            self._early.append(readings)
        else:
            await self._waiting.put(readings)

    @property
    def waiting_batches(self) -> int:
        """Batches handed over that no step has taken yet."""
        return self._waiting.qsize()

    @property
    def too_old(self) -> int:
        """Readings older than the horizon, which the books did not take."""
        return sum(ledger.too_old for ledger in self._state.books.ledgers.values())

    async def newer(self) -> None:
        """Return when a newer snapshot is there."""
        async with self._newer:
            await self._newer.wait()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        next_output, next_save = loop.time() + self._output_s, loop.time() + self._save_s
        while True:
            began = loop.time()
            await self.step()
            if loop.time() >= next_output:
                next_output = loop.time() + self._output_s
                with suppress(SinkUnavailable):  # the next output takes these figures along
                    await self._flush()
            if loop.time() >= next_save:
                next_save = loop.time() + self._save_s
                with suppress(SinkUnavailable):
                    await self._keep()
            # Under a backlog go on at once; else once a tick.
            if self._waiting.qsize() < self._waiting.maxsize // 2:
                await asyncio.sleep(max(0.0, began + self._step_s - loop.time()))
            else:
                await asyncio.sleep(0)

    @property
    def closed_ns(self) -> int:
        """Source time up to which the twin has closed, an earlier run's included; 0 before the first tick."""
        return max(0, self._state.closed_ns)

    async def step(self) -> None:
        """One engine step with everything that waits; the view is renewed even when nothing does."""
        parts, self._early = self._early, []
        while not self._waiting.empty():
            parts.append(self._waiting.get_nowait())
        if parts or self.report is None:
            readings = Readings.concat(parts)
            # A batch is decoded kind by kind: under a backlog, where it spans more than the engine's grace, the line's
            # readings would come late after all those of its pots, and late readings do not move the estimate.
            self._take(readings.take(np.argsort(readings.time_ns, kind="stable")))
        assert self.report is not None
        self.stepped_s = time.monotonic()
        if self.report.time_ns:
            self.latest = snapshot(self.engine, self.report, self._events, self._health())
            async with self._newer:
                self._newer.notify_all()

    def _take(self, readings: Readings) -> None:
        with self.around_step():
            self._state, self.report = self.engine.step(self._state, readings)
        self.steps += 1
        self.windows_told += len(self.report.figures)
        if self.judge is not None:
            self.judge.hand(self.report.minutes)
            self.report = replace(self.report, scores=dict(self.judge.latest.scores))
        self._happened(self.report.events)
        for figures in self.report.figures:
            self._changed[int(figures.units[0]), figures.window, figures.start_ns] = figures
        self.hear(readings, self.report)

    def _happened(self, events: Iterable[Event]) -> None:
        for event in events:
            self._unwritten.append(event)
            self._events.appendleft(event_view(event, self.engine.roster.paths))

    def _judged(self, judged: Judged) -> None:
        """Models have judged a minute."""
        self._happened(judged.events)
        if self.report is not None:
            self.report = replace(self.report, scores=dict(judged.scores))
            self.hear(Readings.empty(), replace(self.report, events=judged.events))

    async def catch_up(self, past: AsyncIterator[Readings]) -> int:
        """Take what an earlier run stored after it kept its state; returns how many readings that was.

        What is fed meanwhile is taken afterwards: it is newer, and the estimate wants the readings in order.
        """
        self.whole = False
        count, self._early_room = 0, EARLY_READINGS
        try:
            async for readings in past:
                if len(readings):
                    count += len(readings)
                    self._take(readings)
                    if self.judge is not None:
                        await self.judge.settled()
                await asyncio.sleep(0)
        finally:
            self._early_room = 0
        self.whole = True
        return count

    async def finish(self) -> None:
        """Take what still waits, write every figure, keep the state. Raises SinkUnavailable when the store is away."""
        await self.step()
        await self._keep()

    async def _keep(self) -> None:
        """Write every figure, then keep the state for a restart: who goes on from it does not tell what it has told.

        Raises SinkUnavailable when the store is away: then the state that was kept before stands.
        """
        if self.judge is not None:
            await self.judge.settled()
        await self._flush()
        if self.whole and self._save is not None and self.report is not None and self.report.time_ns:
            if self.judge is not None:
                self._state.beside = self.judge.to_bytes()
            await self._save(checkpoint.to_bytes(self.engine, self._state))

    def _states(self) -> Readings:
        """The newest estimate, when it is of another minute than the last one."""
        estimate = None if self.report is None else self.report.estimate
        if estimate is None or estimate.time_ns <= self._told_ns:
            return Readings.empty()
        self._told_ns = estimate.time_ns
        return state_readings(estimate)

    def _scores(self) -> Readings:
        """The newest scores, when they are of another minute than the last ones."""
        judged = Judged() if self.judge is None else self.judge.latest
        if judged.time_ns <= self._scored_ns:
            return Readings.empty()
        self._scored_ns = judged.time_ns
        return score_readings(judged.time_ns, judged.scores)

    async def _flush(self) -> None:
        if not self.whole:
            return
        changed, self._changed = self._changed, {}
        events, self._unwritten = self._unwritten, []
        told, states = self._told_ns, self._states()
        scored, scores = self._scored_ns, self._scores()
        figures = outputs(changed.values(), self.engine.roster.kinds)
        readings = Readings.concat([figures, fault_readings(events), states, scores])
        if not len(readings):
            return
        try:
            await self._write(readings)
        except SinkRejected:
            self.refused += len(changed)
        except BaseException:  # away, or stopped in the middle of it: to write twice is harmless
            self._changed = changed | self._changed  # newer figures go over older ones
            self._unwritten = [*events, *self._unwritten]
            self._told_ns, self._scored_ns = told, scored
            raise
