"""What is watched of a running process: outages, readiness and metrics of its parts, as the service puts them together.

A part that is not in this process is not watched. Readers look at counts when they are asked; nothing is measured
twice. A further part (a spool, a balance sheet) adds its own `meters.add(reader)` and `readiness.add(part, check)`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress

from starlette.applications import Starlette
from starlette.routing import Route

from twin.adapters import operations as http
from twin.adapters.deadletter import DeadLetters
from twin.adapters.mqtt import MqttSource
from twin.adapters.sparkplug import SparkplugSource
from twin.balance import Figures
from twin.decoded import Beside
from twin.errors import SinkRejected, SinkUnavailable
from twin.faults import FAULTS
from twin.frames import Readings
from twin.ingest import Counts, Ingestor
from twin.judge_thread import JudgeThread
from twin.link import BUFFER_FULL
from twin.log import Say
from twin.metrics import SHEET, Meters, Sample
from twin.outage import Outage
from twin.ports import Sink
from twin.readiness import Probe, Probed, Readiness
from twin.runner import Runner
from twin.salvage import REASONS
from twin.sequences import Sequences
from twin.settings import Settings
from twin.topics import Router
from twin.units import NS_PER_S

__all__ = ["Operations"]


class _Timed:
    """A sink of which every write is timed, and every failure counted."""

    def __init__(self, sink: Sink, meters: Meters) -> None:
        self._sink = sink
        self._seconds = meters.histogram("smelter_store_write_seconds")
        self._failed = {"unavailable": 0, "rejected": 0}
        meters.add(self._samples)

    async def write(self, readings: Readings) -> None:
        try:
            with self._seconds.time():
                await self._sink.write(readings)
        except SinkUnavailable:
            self._failed["unavailable"] += 1
            raise
        except SinkRejected:
            self._failed["rejected"] += 1
            raise

    def _samples(self) -> Iterator[Sample]:
        for kind, count in self._failed.items():
            yield Sample("smelter_store_writes_failed_total", count, (kind,))


class Operations:
    """`meters` and `readiness` of one process, and the outages of its broker and store."""

    def __init__(self, settings: Settings, say: Say, version: str) -> None:
        self.meters = Meters()
        self.readiness = Readiness()
        self.broker = Outage("the broker", say, self._totals, well="connected to the broker")
        self.sparkplug = Outage("the Sparkplug broker", say, dict, well="connected as Sparkplug host")
        self.store = Outage("the store", say, self._totals, well="the store takes what is written")
        self._settings, self.version = settings, version
        self._source: MqttSource | None = None
        self._counts: Counts | None = None
        self._letters: DeadLetters | None = None
        self._waiting: dict[str, int] = {}
        self.meters.add(self._process)

    def _totals(self) -> dict[str, int]:
        totals = {} if self._source is None else {"received": self._source.received}
        return (
            totals if self._counts is None else {**totals, "stored": self._counts.stored, "parked": self._counts.parked}
        )

    def _process(self) -> Iterator[Sample]:
        yield Sample("smelter_build_info", 1, (self.version,))
        yield Sample("smelter_ready", not self.readiness.reasons())

    # -- the parts ----------------------------------------------------------------------------------------------

    def watch_source(self, source: MqttSource) -> None:
        """The connection to the broker, and what waits between it and the store."""
        self._source = source
        self.readiness.add("broker", lambda: "" if source.paused else source.problem)
        self.readiness.add("ingest", lambda: BUFFER_FULL if source.paused else "")

        def samples() -> Iterator[Sample]:
            link, broker = source.link, self.broker
            yield Sample("smelter_mqtt_connected", not source.problem)
            yield Sample("smelter_mqtt_messages_received_total", source.received)
            yield Sample("smelter_mqtt_connections_total", link.connections)
            yield Sample("smelter_mqtt_connection_failures_total", link.failures)
            yield Sample("smelter_mqtt_sessions_lost_total", link.sessions_lost)
            yield Sample("smelter_mqtt_outages_total", broker.count)
            yield Sample("smelter_mqtt_outage_seconds_total", broker.total_s)
            yield Sample("smelter_ingest_held_bytes", source.held_bytes)
            waiting, unacknowledged = source.backlog
            yield Sample("smelter_ingest_waiting_batches", waiting)
            yield Sample("smelter_ingest_unacknowledged_batches", unacknowledged)
            yield Sample("smelter_ingest_paused", source.paused)

        self.meters.add(samples)

    def watch_sparkplug(self, source: SparkplugSource) -> None:
        """The connection of the Sparkplug host, and what it knows of its edge nodes."""
        self.readiness.add("sparkplug", lambda: source.problem)

        def samples() -> Iterator[Sample]:
            link, host = source.link, source.host
            yield Sample("smelter_sparkplug_connected", not source.problem)
            yield Sample("smelter_sparkplug_messages_received_total", source.received)
            yield Sample("smelter_sparkplug_connections_total", link.connections)
            yield Sample("smelter_sparkplug_connection_failures_total", link.failures)
            yield Sample("smelter_sparkplug_nodes_up", host.born())
            yield Sample("smelter_sparkplug_deaths_total", host.died)
            yield Sample("smelter_sparkplug_old_deaths_total", host.old_deaths)
            yield Sample("smelter_sparkplug_sequence_gaps_total", host.gaps)
            yield Sample("smelter_sparkplug_rebirths_asked_total", host.asked)

        self.meters.add(samples)

    def watch_mapping(self, beside: Beside) -> None:
        """What the rows of the mapping file decode."""

        def samples() -> Iterator[Sample]:
            for form, count in sorted(beside.taken.items()):
                yield Sample("smelter_mapping_decoded_messages_total", count, (form,))
                yield Sample("smelter_mapping_parked_messages_total", beside.parked[form], (form,))

        self.meters.add(samples)

    def watch_topics(self, router: Router, sequences: Sequences | None) -> None:
        """Which pots turn up that nobody named, and what did not come."""

        def samples() -> Iterator[Sample]:
            yield Sample("smelter_ingest_discovered_pots", len(router.discovered))
            yield Sample("smelter_ingest_turned_away_messages_total", router.turned_away)
            if sequences is not None:
                yield Sample("smelter_ingest_numbered_messages_total", sequences.numbered)
                yield Sample("smelter_ingest_missing_messages", sequences.missing)

        self.meters.add(samples)

    def watch_ingest(self, ingestor: Ingestor) -> None:
        """What came in and where it went."""
        counts = self._counts = ingestor.counts

        def samples() -> Iterator[Sample]:
            yield from _sheet(ingestor.figures())
            yield Sample("smelter_ingest_unknown_fields_total", counts.unknown_fields.total())
            for reason in REASONS:
                yield Sample("smelter_ingest_problems_total", counts.problems[reason], (reason,))
            if counts.newest_ns:
                yield Sample("smelter_ingest_lag_seconds", (time.time_ns() - counts.newest_ns) / NS_PER_S)
                yield Sample("smelter_ingest_newest_source_timestamp_seconds", counts.newest_ns / NS_PER_S)

        self.meters.add(samples)

    def watch_store(self, store: Probed, ingestor: Ingestor) -> Probe:
        """Whether the store answers and takes what is written; the probe has to be run."""
        probe = Probe(store, self._settings["ready.probe_s"])

        def wrong() -> str:
            return ingestor.store_problem or probe.problem

        def samples() -> Iterator[Sample]:
            yield Sample("smelter_store_up", not wrong())
            yield Sample("smelter_store_outages_total", self.store.count)
            yield Sample("smelter_store_outage_seconds_total", self.store.total_s)

        self.readiness.add("store", wrong)
        self.readiness.add("spool", lambda: ingestor.stopped)
        self.meters.add(samples)
        return probe

    def timed(self, sink: Sink) -> Sink:
        """The sink with its writes timed; once a process."""
        return _Timed(sink, self.meters)

    def watch_letters(self, letters: DeadLetters) -> None:
        """What is parked; read from the file at every scrape, because another process may replay and drop."""
        self._letters = letters

        def samples() -> Iterator[Sample]:
            for reason in REASONS:
                yield Sample("smelter_deadletter_problems", self._waiting.get(reason, 0), (reason,))

        self.meters.add(samples)

    def watch_runner(self, runner: Runner) -> None:
        """The twin: its steps, what waits for it, what it found."""
        runner.around_step = self.meters.histogram("smelter_engine_step_seconds").time
        if runner.engine.tracker is not None:
            runner.engine.tracker.around_minute = self.meters.histogram("smelter_engine_minute_seconds").time
        longest_s = self._settings["ready.engine_s"]

        def wrong() -> str:
            if runner.stepped_s is None:
                return "the twin has not begun to step: it takes in what was stored before it started"
            ago_s = time.monotonic() - runner.stepped_s
            return f"the twin has not stepped for {ago_s:.0f} s" if ago_s > longest_s else ""

        def samples() -> Iterator[Sample]:
            yield Sample("smelter_engine_steps_total", runner.steps)
            yield Sample("smelter_engine_windows_told_total", runner.windows_told)
            yield Sample("smelter_engine_late_readings_too_old_total", runner.too_old)
            yield Sample("smelter_engine_figures_refused_total", runner.refused)
            yield Sample("smelter_engine_waiting_batches", runner.waiting_batches)
            if (report := runner.report) is not None:
                yield Sample("smelter_engine_closed_timestamp_seconds", report.time_ns / NS_PER_S)
                for fault, count in zip(FAULTS, report.active.sum(axis=0).tolist(), strict=True):
                    yield Sample("smelter_engine_faults_active", count, (fault.code,))

        self.readiness.add("engine", wrong)
        self.meters.add(samples)

    def watch_judge(self, judge: JudgeThread) -> None:
        """The models: without them the twin does its work, and says so."""
        judge.around_minute = self.meters.histogram("smelter_models_minute_seconds").time

        def samples() -> Iterator[Sample]:
            yield Sample("smelter_models_loaded", not judge.problem)
            yield Sample("smelter_models_minutes_total", judge.minutes)
            yield Sample("smelter_models_minutes_skipped_total", judge.skipped)
            yield Sample("smelter_models_minutes_failed_total", judge.failed)
            yield Sample("smelter_models_anomalies", len(judge.latest.opinions))
            yield Sample("smelter_models_anode_effect_warnings", len(judge.latest.warned))
            yield Sample("smelter_models_drifted_columns", len(judge.latest.drift))
            yield Sample("smelter_models_drift_psi", judge.latest.psi)

        self.readiness.remark("models", lambda: judge.problem)
        self.meters.add(samples)

    # -- what is told -------------------------------------------------------------------------------------------

    async def metrics(self, accept: str) -> tuple[bytes, str]:
        """The exposition and its content type."""
        if self._letters is not None:
            with suppress(SinkUnavailable):  # the disk is told by the ingest; the last count stands
                self._waiting = await self._letters.waiting()
        return self.meters.text(accept)

    def routes(self) -> list[Route]:
        """`/health`, `/ready` and `/metrics`, for the page's server."""
        return http.routes(self.readiness.reasons, self.metrics, self.readiness.remarks)

    def application(self) -> Starlette:
        """The same for a server of their own."""
        return http.application(self.readiness.reasons, self.metrics, self.readiness.remarks)


def _sheet(figures: Figures) -> Iterator[Sample]:
    """The balance sheet of one source, and the state of the spool."""
    source = (figures.source,)
    for place, kind, _ in SHEET:
        for what in ("messages", "readings"):
            name = f"smelter_ingest_{place}_{what}" + "_total" * (kind == "counter")
            yield Sample(name, getattr(figures, f"{place}_{what}"), source)
    yield Sample("smelter_ingest_stopped", figures.paused)
    yield Sample("smelter_ingest_stops_total", figures.pauses)
    yield Sample("smelter_spool_bytes", figures.spool_bytes)
    yield Sample("smelter_spool_limit_bytes", figures.spool_max_bytes)
    yield Sample("smelter_spool_high", figures.spool_high)
    yield Sample("smelter_spool_batches", figures.spool_batches)
    yield Sample("smelter_spool_oldest_age_seconds", figures.spool_oldest_age_s)
    yield Sample("smelter_spool_batches_put_total", figures.spool_batches_total)
    yield Sample("smelter_spool_batches_drained_total", figures.spool_drained_batches)
    yield Sample("smelter_spool_slow_batches_total", figures.store_slow)
    yield Sample("smelter_spool_expired_messages_total", figures.spool_expired_messages)
    yield Sample("smelter_spool_damaged_files_total", figures.spool_damaged_files)
    yield Sample("smelter_spool_high_marks_total", figures.spool_high_marks)
