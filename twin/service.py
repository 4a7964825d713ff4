"""The composition root: settings -> adapters, codec, engine, page and simulator, as named tasks of one process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twin.access import Access
from twin.adapters.deadletter import DeadLetters
from twin.adapters.memory import Discard
from twin.adapters.mqtt import MqttSource
from twin.adapters.page import application, serve
from twin.adapters.sparkplug import SparkplugSource
from twin.alarm_parts import Alarms, alarms_of
from twin.answers import answer
from twin.codec import Codec
from twin.connections import brokers_of, publisher_of, source_of, sparkplug_of
from twin.engine import Engine
from twin.errors import ConfigError, SinkUnavailable
from twin.frames import Readings
from twin.going_on import GoingOn
from twin.ingest import Ingestor
from twin.log import Say
from twin.notices import Rarely
from twin.operations import Operations
from twin.page_parts import api_routes
from twin.parts import (
    OpenStore,
    access_of,
    codec_of,
    engine_of,
    judge_thread_of,
    plant_of,
    roster_of,
    sink_of,
    spool_of,
)  # fmt: skip
from twin.ports import Sink, Source
from twin.precautions import precautions
from twin.rate import Rate
from twin.resume import Journal, Noted, keep, resumed
from twin.runner import Runner
from twin.sequences import Numbered, Sequences
from twin.settings import Settings
from twin.shares import client_id, left_out, lines_of
from twin.shutdown import wind_down
from twin.snapshot import IngestView
from twin.sources import Together
from twin.telling import telling_of
from twin.way_in import NOT_HERE, ingest_view

__all__ = ["SystemClock", "Twin", "run"]

Job = Callable[[], Coroutine[Any, Any, None]]  # made into a task only when everything is open


class SystemClock:
    """The wall clock."""

    def now_ns(self) -> int:
        return time.time_ns()


@dataclass
class Twin:
    """What runs, for the console and the page. A part that the roles do not ask for is None."""

    settings: Settings
    roles: tuple[str, ...]
    engine: Engine
    codec: Codec
    source: MqttSource | None = None
    sequences: Sequences | None = None  # what did not come; None: this process cannot know
    sparkplug: SparkplugSource | None = None
    ingestor: Ingestor | None = None
    runner: Runner | None = None
    alarms: Alarms | None = None
    store: OpenStore | None = None
    where: dict[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = ()  # that this process takes; empty = all
    say: Say = field(kw_only=True)
    ops: Operations = field(kw_only=True)
    _rate: Rate = field(default_factory=Rate)

    def page_is_at(self, url: str) -> None:
        """The page answers at `url`."""
        self.where["page"] = url
        self.say(f"page: {url}")

    def broker_changed(self, problem: str) -> None:
        """The broker is lost, for this reason, or ("") is back."""
        self.ops.broker.told(problem)
        if self.alarms is not None:
            self.alarms.broker(problem)

    def ingest_view(self) -> IngestView:
        """Health of the way in."""
        if self.ingestor is None or self.source is None:
            return NOT_HERE
        missing = self.sequences.missing if self.sequences else 0
        where = self.where.get("store", "")
        problem = self.source.problem or (self.sparkplug.problem if self.sparkplug else "")
        return ingest_view(self.ingestor, problem, self.codec, self._rate, where, missing)


async def run(
    settings: Settings,
    roles: tuple[str, ...],
    *,
    stop: asyncio.Event,
    say: Say,
    watch: Callable[[Twin], Coroutine[Any, Any, None]] | None = None,
    version: str = "",
) -> None:
    """Run the roles until `stop` is set, then end in order with everything flushed, within `stop.within_s`.

    Raises ConfigError (inside an ExceptionGroup when a task found it).
    """
    plant = plant_of(settings)
    lines = lines_of(settings, roles, plant)
    roster = roster_of(settings, lines if "engine" in roles else ())
    for warning in precautions(settings, roles):
        say(warning, level="warning")
    for text in left_out(plant, roster.plant):
        say(text)
    engine, codec, ops = (
        engine_of(settings, roster, plant),
        codec_of(settings, roster),
        Operations(settings, say, version),
    )
    twin = Twin(settings, roles, engine, codec, lines=lines, say=say, ops=ops)
    async with AsyncExitStack() as stack:
        jobs = await _compose(twin, stack)
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(job(), name=name) for name, job in jobs.items()}
            if watch is not None:
                tasks["console"] = group.create_task(watch(twin), name="console")
            await stop.wait()
            await wind_down(
                tasks, say, settings["stop.within_s"], runner=twin.runner, ingestor=twin.ingestor,
                sources=[source for source in (twin.source, twin.sparkplug) if source is not None],
            )  # fmt: skip
            if twin.alarms is not None:
                await twin.alarms.end(task for name, task in tasks.items() if name.startswith("alarm"))


async def _compose(twin: Twin, stack: AsyncExitStack) -> dict[str, Job]:
    """Open what the roles need, in order; closing happens in the reverse order."""
    settings, roster = twin.settings, twin.codec.roster
    jobs: dict[str, Job] = {}
    if "broker" in twin.roles:
        from twin.adapters.embedded_broker import EmbeddedBroker

        embedded = EmbeddedBroker(Path(settings["data.dir"]), settings["broker.port"])
        await embedded.start()
        stack.push_async_callback(embedded.stop)
    at = ", ".join(map(str, brokers_of(settings)))
    twin.where["broker"] = f"{at}{' (embedded)' if 'broker' in twin.roles else ''}"
    if {"ingest", "engine"} & set(twin.roles):
        await _compose_ingest(twin, stack, jobs)
    if twin.runner is not None and settings["mqtt.twin_root"]:
        if settings["mqtt.twin_root"] == settings["mqtt.root"]:
            raise ConfigError("mqtt.twin_root is mqtt.root: the twin would listen to itself; choose another, or empty")
        telling = await stack.enter_async_context(publisher_of(settings, client_id(settings, "state"), retain=True))
        output_s, root = settings["engine.output_s"], settings["mqtt.twin_root"]
        jobs["state"] = telling_of(twin.runner, telling, root, output_s, twin.say)
    access = access_of(settings)
    if twin.runner is not None and twin.store is not None:
        twin.alarms, access = alarms_of(settings, roster, SystemClock(), twin.say, access)
        await stack.enter_async_context(twin.alarms)
        twin.runner.hear = twin.alarms.hear
        twin.ops.meters.add(twin.alarms.samples)
        jobs |= twin.alarms.jobs(access, twin.store.write)
        if "page" in twin.roles:
            _compose_page(twin, twin.runner, twin.alarms.routes(access), access, jobs)
    if settings["metrics.port"]:
        jobs["metrics"] = lambda: serve(
            twin.ops.application(), settings["metrics.host"], settings["metrics.port"],
            ready=lambda url: twin.say(f"metrics: {url}metrics"), settings="metrics.host, metrics.port",
        )  # fmt: skip
    if "simulate" in twin.roles:
        from simulators.publish import simulate

        publisher = await stack.enter_async_context(publisher_of(settings, client_id(settings, "simulator")))
        twin.where["simulator"] = f"{len(roster.pot_codes())} pots, seed {settings['simulate.seed']}"
        before = 0 if twin.runner is None or settings["simulate.start"] else twin.runner.closed_ns
        jobs["simulate"] = lambda: simulate(roster, publisher, settings, SystemClock(), after_ns=before)
    return jobs


def _compose_page(twin: Twin, runner: Runner, routes: list[Any], access: Access, jobs: dict[str, Job]) -> None:
    assert twin.store is not None
    routes += api_routes(twin.settings, runner, twin.store, twin.ingest_view, twin.where, twin.ops.version)
    app = application(
        lambda: runner.latest, wait=runner.newer,
        ask=lambda question, path, changes: answer(
            runner.engine, runner.report, question, path, changes, runner.judge
        ),
        access=access, beside=[*twin.ops.routes(), *routes],
    )  # fmt: skip
    at = (twin.settings["page.host"], twin.settings["page.port"])
    jobs["page"] = lambda: serve(app, *at, ready=twin.page_is_at)


async def _compose_ingest(twin: Twin, stack: AsyncExitStack, jobs: dict[str, Job]) -> None:
    settings, roster = twin.settings, twin.codec.roster
    stores = "ingest" in twin.roles
    sink, twin.where["store"] = sink_of(settings, roster)
    twin.store = sink
    stack.push_async_callback(sink.close)
    try:
        await sink.open()
    except SinkUnavailable as error:  # it is tried again with the first write, and asked meanwhile
        twin.say("the store cannot be opened yet", level="warning", problem=str(error))
    letters = DeadLetters(Path(settings["data.dir"]) / "parked.sqlite")
    stack.callback(letters.close)
    twin.ops.watch_letters(letters)
    hand_on: Callable[[Readings], Awaitable[None]] = _nobody
    into: Sink = twin.ops.timed(sink) if stores else Discard()
    if "engine" in twin.roles:
        journal = Journal(Path(settings["data.dir"]) / "twin.since", settings["engine.horizon_h"], twin.say)
        twin.runner, jobs["engine"] = _runner(twin, sink, journal)
        assert twin.runner.judge is not None
        jobs["models"] = twin.runner.judge.run
        hand_on = twin.runner.feed
        into = Noted(into, journal)
    spool, limits = spool_of(settings) if stores else (None, None)
    if spool is not None:
        stack.push_async_callback(spool.close)
    twin.ingestor = Ingestor(
        _sources(twin, jobs), twin.codec, into, letters, SystemClock(),
        hand_on=hand_on, retry_max_s=settings["sink.retry_max_s"], writes=settings["ingest.writes"],
        on_outage=twin.ops.store.told, on_refused=Rarely(twin.say).refused,
        spool=spool, limits=limits, say=twin.say, stores=stores, name=client_id(settings, "" if stores else "engine"),
    )  # fmt: skip
    twin.ops.watch_ingest(twin.ingestor)
    jobs["probe"] = twin.ops.watch_store(sink, twin.ingestor).run
    jobs["ingest"] = twin.ingestor.run


def _sources(twin: Twin, jobs: dict[str, Job]) -> Source:
    """Where messages come from, in receive order each."""
    settings, beside = twin.settings, twin.codec.beside
    twin.source = source_of(settings, twin.roles, twin.lines, beside, on_change=twin.broker_changed, say=twin.say)
    twin.ops.watch_source(twin.source)
    jobs["mqtt"] = twin.source.run
    # A member of a shared subscription sees gaps where the others have the messages.
    shared = "ingest" in twin.roles and settings["mqtt.share"]
    twin.sequences = None if shared else Sequences(lambda text: twin.say(text, level="error"))
    source: Source = Numbered(twin.source, twin.sequences) if twin.sequences else twin.source
    twin.codec.router.on_crowded = lambda text: twin.say(text, level="warning")
    twin.ops.watch_topics(twin.codec.router, twin.sequences)
    if beside is not None:
        twin.ops.watch_mapping(beside)
    twin.sparkplug = sparkplug_of(settings, twin.roles, beside, twin.ops.sparkplug.told)
    if twin.sparkplug is None:
        return source
    twin.ops.watch_sparkplug(twin.sparkplug)
    jobs["sparkplug"] = twin.sparkplug.run
    return Together([source, twin.sparkplug])


def _runner(twin: Twin, store: OpenStore, journal: Journal) -> tuple[Runner, Job]:
    """The runner, going on where an earlier run stopped, and its job."""
    settings = twin.settings
    file = Path(settings["data.dir"]) / "twin.state"
    state = resumed(file, twin.engine, twin.say)

    async def save(data: bytes) -> None:
        try:
            await asyncio.to_thread(keep, file, data)
            await journal.kept()
        except OSError as error:
            twin.say(f"the twin's state is not kept, a restart will read back more: {error}; free some space")

    judge = judge_thread_of(settings, twin.engine, twin.say)
    twin.ops.watch_judge(judge)
    runner = Runner(
        twin.engine, write=store.write, health=twin.ingest_view, output_s=settings["engine.output_s"],
        step_s=settings["engine.tick_s"], state=state, save=save, save_s=settings["engine.checkpoint_s"],
        whole=not journal.missed, judge=judge,
    )  # fmt: skip

    twin.ops.watch_runner(runner)

    going_on = GoingOn(runner, store, journal, state, twin.say, settings["sink.retry_max_s"])
    return runner, going_on.run


async def _nobody(readings: Readings) -> None:
    """No engine in this process."""
