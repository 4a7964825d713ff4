"""The composition root: settings -> adapters, codec, engine, page and simulator, as named tasks of one process."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twin import topics
from twin.adapters.deadletter import DeadLetters
from twin.adapters.mqtt import MqttSource
from twin.adapters.page import application, serve
from twin.adapters.publish import MqttPublisher
from twin.adapters.sparkplug import SparkplugSource
from twin.announce import state_messages
from twin.answers import answer
from twin.codec import Codec
from twin.engine import Engine
from twin.errors import ConfigError, SinkUnavailable, SourceUnavailable
from twin.frames import Readings
from twin.ingest import Ingestor
from twin.parts import (
    MemoryStore,
    OpenStore,
    broker_of,
    codec_of,
    engine_of,
    publisher_of,
    roster_of,
    sink_of,
    sparkplug_of,
)
from twin.resume import keep, missed, resumed
from twin.runner import Runner
from twin.settings import Settings
from twin.snapshot import IngestView
from twin.sources import Together
from twin.times import iso

__all__ = ["SystemClock", "Twin", "run"]

Job = Callable[[], Coroutine[Any, Any, None]]  # made into a task only when everything is open

_DRAIN_S = 5.0


class SystemClock:
    """The wall clock."""

    def now_ns(self) -> int:
        return time.time_ns()


class _Rate:
    """Messages a second over the last ten seconds, from a running count."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def of(self, count: int) -> float:
        now = time.monotonic()
        self._marks.append((now, count))
        while now - self._marks[0][0] > 10.0:
            self._marks.popleft()
        then, before = self._marks[0]
        return (count - before) / (now - then) if now > then else 0.0


@dataclass
class Twin:
    """What runs, for the console and the page. A part that the roles do not ask for is None."""

    settings: Settings
    roles: tuple[str, ...]
    engine: Engine
    codec: Codec
    source: MqttSource | None = None
    sparkplug: SparkplugSource | None = None
    ingestor: Ingestor | None = None
    runner: Runner | None = None
    where: dict[str, str] = field(default_factory=dict)
    say: Callable[[str], None] = print
    _rate: _Rate = field(default_factory=_Rate)

    def page_is_at(self, url: str) -> None:
        """The page answers at `url`."""
        self.where["page"] = url
        self.say(f"page: {url}")

    def ingest_view(self) -> IngestView:
        """Health of the way in."""
        counts = self.ingestor.counts if self.ingestor else None
        if counts is None or self.source is None:
            return IngestView(False, 0, 0, 0, 0, 0.0, None, "", "this process does not ingest")
        return IngestView(
            connected=not self.source.problem,
            received=counts.received,
            stored=counts.stored,
            parked=counts.parked,
            rejected_values=counts.problems.total(),
            messages_per_s=self._rate.of(counts.received),
            lag_s=(time.time_ns() - counts.newest_ns) / 1e9 if counts.newest_ns else None,
            sink=self.where.get("store", ""),
            problem=self.source.problem or (self.sparkplug.problem if self.sparkplug else "") or counts.store_problem,
        )


async def run(
    settings: Settings,
    roles: tuple[str, ...],
    *,
    stop: asyncio.Event,
    say: Callable[[str], None],
    watch: Callable[[Twin], Coroutine[Any, Any, None]] | None = None,
) -> None:
    """Run the roles until `stop` is set, then end in order with everything flushed.

    Raises ConfigError (inside an ExceptionGroup when a task found it).
    """
    roster = roster_of(settings)
    twin = Twin(settings, roles, engine_of(settings, roster), codec_of(settings, roster), say=say)
    async with AsyncExitStack() as stack:
        jobs = await _compose(twin, stack)
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(job(), name=name) for name, job in jobs.items()}
            if watch is not None:
                tasks["console"] = group.create_task(watch(twin), name="console")
            await stop.wait()
            await _wind_down(twin, tasks)


async def _compose(twin: Twin, stack: AsyncExitStack) -> dict[str, Job]:
    """Open what the roles need, in order; closing happens in the reverse order."""
    settings, roster = twin.settings, twin.codec.roster
    jobs: dict[str, Job] = {}
    if "broker" in twin.roles:
        from twin.adapters.embedded_broker import EmbeddedBroker

        embedded = EmbeddedBroker(Path(settings["data.dir"]), settings["broker.port"])
        await embedded.start()
        stack.push_async_callback(embedded.stop)
    at = broker_of(settings)
    twin.where["broker"] = f"{at.host}:{at.port}{' (embedded)' if 'broker' in twin.roles else ''}"
    if {"ingest", "engine"} & set(twin.roles):
        await _compose_ingest(twin, stack, jobs)
    if twin.runner is not None and settings["mqtt.twin_root"]:
        if settings["mqtt.twin_root"] == settings["mqtt.root"]:
            raise ConfigError("mqtt.twin_root is mqtt.root: the twin would listen to itself; choose another, or empty")
        name = f"{settings['mqtt.client_id']}-state"
        telling = await stack.enter_async_context(publisher_of(settings, name, retain=True))
        jobs["state"] = lambda: _tell(twin, telling)
    if "page" in twin.roles:
        assert twin.runner is not None
        runner = twin.runner
        app = application(
            lambda: runner.latest, wait=runner.newer, ask=lambda *asked: answer(runner.engine, runner.report, *asked)
        )
        jobs["page"] = lambda: serve(app, settings["page.host"], settings["page.port"], ready=twin.page_is_at)
    if "simulate" in twin.roles:
        from simulators.publish import simulate

        publisher = await stack.enter_async_context(publisher_of(settings, "smelter-twin-simulator"))
        twin.where["simulator"] = f"{len(roster.pot_codes())} pots, seed {settings['simulate.seed']}"
        jobs["simulate"] = lambda: simulate(roster, publisher, settings, SystemClock())
    return jobs


async def _compose_ingest(twin: Twin, stack: AsyncExitStack, jobs: dict[str, Job]) -> None:
    settings, roster = twin.settings, twin.codec.roster
    stores = "ingest" in twin.roles
    sink, twin.where["store"] = sink_of(settings, roster) if stores else (MemoryStore(roster), "not stored here")
    await sink.open()
    stack.push_async_callback(sink.close)
    beside = twin.codec.beside
    letters = DeadLetters(Path(settings["data.dir"]) / "parked.sqlite")
    stack.callback(letters.close)
    suffix = "" if stores else "-engine"  # each has a session of its own
    twin.source = MqttSource(
        broker_of(settings),
        (*topics.filters(settings["mqtt.root"]), *(beside.filters if beside else ())),
        fresh=beside.fresh if beside else frozenset(),
        client_id=settings["mqtt.client_id"] + suffix,
        qos=settings["mqtt.qos"],
        session_expiry_s=settings["mqtt.session_expiry_s"],
        receive_maximum=settings["mqtt.receive_maximum"],
        buffer_bytes=settings["mqtt.buffer_mib"] << 20,
        batch_messages=settings["ingest.batch_messages"],
        batch_bytes=settings["ingest.batch_kib"] << 10,
        linger_s=settings["ingest.linger_ms"] / 1e3,
        on_change=lambda problem: twin.say(problem or "connected to the broker"),
    )
    said = "Sparkplug: connected"
    twin.sparkplug = sparkplug_of(settings, beside, suffix, lambda problem: twin.say(problem or said))
    hand_on: Callable[[Readings], Awaitable[None]] = _nobody
    if "engine" in twin.roles:
        twin.runner, jobs["engine"] = _runner(twin, sink)
        hand_on = twin.runner.feed
    sources = [source for source in (twin.source, twin.sparkplug) if source is not None]
    twin.ingestor = Ingestor(
        Together(sources), twin.codec, sink if stores else _Discard(), letters, SystemClock(),
        hand_on=hand_on, retry_max_s=settings["sink.retry_max_s"], writes=settings["ingest.writes"],
        on_outage=lambda problem: twin.say(f"store is away: {problem}" if problem else "store is back"),
    )  # fmt: skip
    jobs["mqtt"] = twin.source.run
    if twin.sparkplug is not None:
        jobs["sparkplug"] = twin.sparkplug.run
    jobs["ingest"] = twin.ingestor.run


def _runner(twin: Twin, store: OpenStore) -> tuple[Runner, Job]:
    """The runner, going on where an earlier run stopped, and its job."""
    settings = twin.settings
    file = Path(settings["data.dir"]) / "twin.state"
    state = resumed(file, twin.engine, twin.say)
    runner = Runner(
        twin.engine, write=store.write, health=twin.ingest_view, output_s=settings["engine.output_s"],
        step_s=settings["engine.tick_s"], state=state, save=lambda data: asyncio.to_thread(keep, file, data),
        save_s=settings["engine.checkpoint_s"],
    )  # fmt: skip

    async def job() -> None:
        if state is not None and state.closed_ns:
            past = missed(store, twin.engine, state, time.time_ns())
            try:
                count = await runner.catch_up(past)
                twin.say(f"going on from {iso(state.closed_ns)}; {count} stored readings since then taken in")
            except SinkUnavailable as error:
                twin.say(f"going on from {iso(state.closed_ns)}; the store does not say what came since: {error}")
        await runner.run()

    return runner, job


async def _tell(twin: Twin, publisher: MqttPublisher) -> None:
    """Publish the twin's state as often as figures are written; what a broker that is away misses is told later."""
    assert twin.runner is not None
    told_ns = 0
    while True:
        report = twin.runner.report
        if report is not None and report.time_ns > told_ns:
            told_ns = report.time_ns
            with suppress(SourceUnavailable):
                await publisher.publish(state_messages(twin.engine, report, twin.settings["mqtt.twin_root"]))
        await asyncio.sleep(twin.settings["engine.output_s"])


class _Discard:
    """Sink of a process that only computes: another one stores."""

    async def write(self, readings: Readings) -> None:
        """Nothing to keep."""


async def _nobody(readings: Readings) -> None:
    """No engine in this process."""


async def _wind_down(twin: Twin, tasks: dict[str, asyncio.Task[None]]) -> None:
    """Stop producing, drain what came in, flush the twin, then the rest."""
    twin.say("stopping")
    await _end(tasks.get("simulate"))
    if twin.source is not None and twin.ingestor is not None:
        try:
            async with asyncio.timeout(_DRAIN_S):
                await twin.source.drained()
                if twin.sparkplug is not None:
                    await twin.sparkplug.drained()
        except TimeoutError:
            twin.say("the store is slow: unacknowledged messages stay with the broker")
        await twin.source.close()
        if twin.sparkplug is not None:
            await twin.sparkplug.close()
            await asyncio.wait([tasks["sparkplug"]], timeout=_DRAIN_S)
        await asyncio.wait([tasks["ingest"]], timeout=_DRAIN_S)
    for name in ("ingest", "mqtt", "sparkplug", "engine"):
        await _end(tasks.get(name))
    if twin.runner is not None:
        try:
            await twin.runner.finish()
        except SinkUnavailable as error:
            twin.say(f"the last figures are not written: {error}")
    for name in ("state", "page", "console"):
        await _end(tasks.get(name))


async def _end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.wait([task])
