"""The composition root: settings -> adapters, codec, engine, page and simulator, as named tasks of one process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twin import topics
from twin.access import Access
from twin.adapters.deadletter import DeadLetters
from twin.adapters.mqtt import MqttSource
from twin.adapters.page import application, serve
from twin.adapters.publish import MqttPublisher
from twin.alarm_parts import Alarms, alarms_of
from twin.announce import state_messages
from twin.answers import answer
from twin.codec import Codec
from twin.engine import Engine
from twin.errors import ConfigError, SinkUnavailable, SourceUnavailable
from twin.frames import Readings
from twin.going_on import GoingOn
from twin.ingest import Ingestor
from twin.log import Say
from twin.notices import Rarely
from twin.operations import Operations
from twin.parts import (
    MemoryStore,
    OpenStore,
    access_of,
    broker_of,
    codec_of,
    engine_of,
    publisher_of,
    roster_of,
    sink_of,
)  # fmt: skip
from twin.ports import Sink
from twin.precautions import precautions
from twin.rate import Rate
from twin.resume import Journal, Noted, keep, resumed
from twin.runner import Runner
from twin.settings import Settings
from twin.shutdown import wind_down
from twin.snapshot import IngestView

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
    ingestor: Ingestor | None = None
    runner: Runner | None = None
    alarms: Alarms | None = None
    where: dict[str, str] = field(default_factory=dict)
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
        counts = self.ingestor.counts if self.ingestor else None
        if counts is None or self.source is None:
            return IngestView(False, 0, 0, 0, 0, 0.0, None, "", "this process does not ingest")
        ahead = self.codec.skew.furthest()
        return IngestView(
            connected=not self.source.problem,
            received=counts.received,
            stored=counts.stored,
            parked=counts.parked,
            rejected_values=counts.problems.total(),
            messages_per_s=self._rate.of(counts.received),
            lag_s=(time.time_ns() - counts.newest_ns) / 1e9 if counts.newest_ns else None,
            sink=self.where.get("store", ""),
            problem=self.source.problem or counts.store_problem,
            collisions=counts.collisions,
            bad_values=counts.bad_values,
            problems=dict(counts.problems),
            ahead_s=ahead[1] if ahead else None,
            ahead_unit=self.codec.roster.paths[ahead[0]] if ahead else "",
        )


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
    roster = roster_of(settings)
    for warning in precautions(settings, roles):
        say(warning, level="warning")
    ops = Operations(settings, say, version)
    twin = Twin(settings, roles, engine_of(settings, roster), codec_of(settings, roster), say=say, ops=ops)
    async with AsyncExitStack() as stack:
        jobs = await _compose(twin, stack)
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(job(), name=name) for name, job in jobs.items()}
            if watch is not None:
                tasks["console"] = group.create_task(watch(twin), name="console")
            await stop.wait()
            await wind_down(
                tasks, say, settings["stop.within_s"], source=twin.source, runner=twin.runner, ingestor=twin.ingestor
            )
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
    access = access_of(settings)
    if twin.runner is not None:
        twin.alarms, access = alarms_of(settings, roster, SystemClock(), twin.say, access)
        await stack.enter_async_context(twin.alarms)
        twin.runner.hear = twin.alarms.hear
        twin.ops.meters.add(twin.alarms.samples)
        jobs |= twin.alarms.jobs(access)
        if "page" in twin.roles:
            _compose_page(twin, twin.runner, twin.alarms.routes(access), access, jobs)
    if settings["metrics.port"]:
        jobs["metrics"] = lambda: serve(
            twin.ops.application(), settings["metrics.host"], settings["metrics.port"],
            ready=lambda url: twin.say(f"metrics: {url}metrics"), settings="metrics.host, metrics.port",
        )  # fmt: skip
    if "simulate" in twin.roles:
        from simulators.publish import simulate

        publisher = await stack.enter_async_context(publisher_of(settings, "smelter-twin-simulator"))
        twin.where["simulator"] = f"{len(roster.pot_codes())} pots, seed {settings['simulate.seed']}"
        jobs["simulate"] = lambda: simulate(roster, publisher, settings, SystemClock())
    return jobs


def _compose_page(twin: Twin, runner: Runner, routes: list[Any], access: Access, jobs: dict[str, Job]) -> None:
    app = application(
        lambda: runner.latest, wait=runner.newer, ask=lambda *asked: answer(runner.engine, runner.report, *asked),
        access=access, beside=[*twin.ops.routes(), *routes],
    )  # fmt: skip
    at = (twin.settings["page.host"], twin.settings["page.port"])
    jobs["page"] = lambda: serve(app, *at, ready=twin.page_is_at)


async def _compose_ingest(twin: Twin, stack: AsyncExitStack, jobs: dict[str, Job]) -> None:
    settings, roster = twin.settings, twin.codec.roster
    stores = "ingest" in twin.roles
    sink, twin.where["store"] = sink_of(settings, roster) if stores else (MemoryStore(roster), "not stored here")
    stack.push_async_callback(sink.close)
    try:
        await sink.open()
    except SinkUnavailable as error:  # it is tried again with the first write, and asked meanwhile
        twin.say("the store cannot be opened yet", level="warning", problem=str(error))
    letters = DeadLetters(Path(settings["data.dir"]) / "parked.sqlite")
    stack.callback(letters.close)
    twin.ops.watch_letters(letters)
    twin.source = _source(twin, stores=stores)
    twin.ops.watch_source(twin.source)
    hand_on: Callable[[Readings], Awaitable[None]] = _nobody
    into: Sink = twin.ops.timed(sink) if stores else _Discard()
    if "engine" in twin.roles:
        journal = Journal(Path(settings["data.dir"]) / "twin.since", settings["engine.horizon_h"], twin.say)
        twin.runner, jobs["engine"] = _runner(twin, sink, journal)
        hand_on = twin.runner.feed
        into = Noted(into, journal) if stores else into
    twin.ingestor = Ingestor(
        twin.source, twin.codec, into, letters, SystemClock(),
        hand_on=hand_on, retry_max_s=settings["sink.retry_max_s"], writes=settings["ingest.writes"],
        on_outage=twin.ops.store.told, on_refused=Rarely(twin.say).refused,
    )  # fmt: skip
    twin.ops.watch_counts(twin.ingestor.counts)
    jobs["probe"] = twin.ops.watch_store(sink, twin.ingestor.counts).run
    jobs["mqtt"] = twin.source.run
    jobs["ingest"] = twin.ingestor.run


def _source(twin: Twin, *, stores: bool) -> MqttSource:
    """Where messages come from, under a client id of its own for a process that only computes."""
    settings = twin.settings
    return MqttSource(
        broker_of(settings),
        topics.filters(settings["mqtt.root"]),
        client_id=settings["mqtt.client_id"] + ("" if stores else "-engine"),
        qos=settings["mqtt.qos"],
        session_expiry_s=settings["mqtt.session_expiry_s"],
        receive_maximum=settings["mqtt.receive_maximum"],
        buffer_bytes=settings["mqtt.buffer_mib"] << 20,
        batch_messages=settings["ingest.batch_messages"],
        batch_bytes=settings["ingest.batch_kib"] << 10,
        linger_s=settings["ingest.linger_ms"] / 1e3,
        on_change=twin.broker_changed,
        alarm=lambda text: twin.say(text, level="error"),
    )


def _runner(twin: Twin, store: OpenStore, journal: Journal) -> tuple[Runner, Job]:
    """The runner, going on where an earlier run stopped, and its job."""
    settings = twin.settings
    file = Path(settings["data.dir"]) / "twin.state"
    state = resumed(file, twin.engine, twin.say)

    async def save(data: bytes) -> None:
        try:
            await asyncio.to_thread(keep, file, data)
            if runner.whole:  # else the next start reads the same minutes again
                await journal.kept()
        except OSError as error:
            twin.say(f"the twin's state is not kept, a restart will read back more: {error}; free some space")

    runner = Runner(
        twin.engine, write=store.write, health=twin.ingest_view, output_s=settings["engine.output_s"],
        step_s=settings["engine.tick_s"], state=state, save=save, save_s=settings["engine.checkpoint_s"],
        whole=not journal.missed,
    )  # fmt: skip

    twin.ops.watch_runner(runner)

    going_on = GoingOn(runner, store, journal, state, twin.say, settings["sink.retry_max_s"])
    return runner, going_on.run


async def _tell(twin: Twin, publisher: MqttPublisher) -> None:
    """Publish the twin's state as often as figures are written; what a broker that is away misses is told later."""
    assert twin.runner is not None
    told_ns, rarely = 0, Rarely(twin.say, pause_s=600.0)
    while True:
        report = twin.runner.report
        if report is not None and report.time_ns > told_ns:
            told_ns = report.time_ns
            try:
                await publisher.publish(state_messages(twin.engine, report, twin.settings["mqtt.twin_root"]))
            except SourceUnavailable as error:
                rarely.tell("state", "the twin's state is not published", problem=str(error))
        await asyncio.sleep(twin.settings["engine.output_s"])


class _Discard:
    """Sink of a process that only computes: another one stores."""

    async def write(self, readings: Readings) -> None:
        """Nothing to keep."""


async def _nobody(readings: Readings) -> None:
    """No engine in this process."""
