"""The metrics that a running process exports: one table, and the registry that is read when it is scraped.

To add one: a row in EXPORTED, and a reader (`Meters.add`) that yields its Sample from a snapshot of counts. A label
takes values of a short list only, never pots: what a plant has of them belongs into the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder

__all__ = ["EXPORTED", "SHEET", "Exported", "Meters", "Reader", "Sample"]

PREFIX = "smelter_"
_STEP_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_WRITE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class Exported:
    """One row. The name follows the conventions of Prometheus: base unit at the end, `_total` for a counter."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


E = Exported
# The balance sheet of a source: received + carried = stored + spooled + parked + rejected + set aside + under way.
SHEET: tuple[tuple[str, Literal["counter", "gauge"], str], ...] = (
    ("received", "counter", "Came in."),
    ("stored", "counter", "In the store, whole."),
    ("parked", "counter", "In the dead letters, whole or for some values."),
    ("rejected", "counter", "Not kept here, because this process does not store."),
    ("carried", "gauge", "Waited in the spool when the process began."),
    ("spooled", "gauge", "On disk, waiting for the store."),
    ("aside", "gauge", "In a spool file that was damaged and is kept under another name."),
    ("under_way", "gauge", "In memory, not yet acknowledged."),
    ("off", "gauge", "What both sides of the balance sheet differ by: 0, or the product is at fault."),
)
EXPORTED: tuple[Exported, ...] = (
    E("smelter_build_info", "gauge", "Always 1; the version of the product as label.", ("version",)),
    E("smelter_ready", "gauge", "1 when /ready answers 200, else 0."),
    *(
        E(f"smelter_ingest_{place}_{what}" + "_total" * (kind == "counter"), kind, text + of, ("source",))
        for place, kind, text in SHEET
        for what, of in (("messages", ""), ("readings", " In readings: one value of one unit at one time."))
    ),
    E("smelter_ingest_problems_total", "counter", "What was wrong with messages that were parked.", ("reason",)),
    E("smelter_ingest_unknown_fields_total", "counter", "Fields of messages that no signal names."),
    E("smelter_ingest_lag_seconds", "gauge", "Now minus the newest source time received; grows while nothing comes."),
    E("smelter_ingest_newest_source_timestamp_seconds", "gauge", "The newest source time received, since 1970."),
    E("smelter_ingest_numbered_messages_total", "counter", "Messages that carry a number (`seq`)."),
    E("smelter_ingest_missing_messages", "gauge", "Messages that did not come, by their numbers; less when they do."),
    E("smelter_ingest_discovered_pots", "gauge", "Pots that came and that the plant file does not name."),
    E("smelter_ingest_turned_away_messages_total", "counter", "Messages of pots beyond ingest.discovered_max: parked."),
    E("smelter_ingest_held_bytes", "gauge", "Memory of messages received and not yet acknowledged."),
    E("smelter_ingest_waiting_batches", "gauge", "Batches received that no write has taken yet."),
    E("smelter_ingest_unacknowledged_batches", "gauge", "Batches being written and not yet acknowledged."),
    E("smelter_ingest_paused", "gauge", "1 while the socket is paused because the buffer is full."),
    E("smelter_mqtt_connected", "gauge", "1 while connected and subscribed."),
    E("smelter_mqtt_messages_received_total", "counter", "Messages the broker delivered, those that came again too."),
    E("smelter_mqtt_connections_total", "counter", "Connections made."),
    E("smelter_mqtt_connection_failures_total", "counter", "Connections that failed or broke."),
    E("smelter_mqtt_sessions_lost_total", "counter", "Times that the broker had forgotten the session: data is lost."),
    E("smelter_mqtt_outages_total", "counter", "Outages of the broker."),
    E("smelter_mqtt_outage_seconds_total", "counter", "Time without the broker."),
    E("smelter_ingest_stopped", "gauge", "1 while nothing is acknowledged: neither store nor spool takes anything."),
    E("smelter_ingest_stops_total", "counter", "Times that acknowledging stopped."),
    E("smelter_spool_bytes", "gauge", "Disk that the spool takes."),
    E("smelter_spool_limit_bytes", "gauge", "Disk that the spool may take: spool.max_mib; 0 = no spool."),
    E("smelter_spool_high", "gauge", "1 from 80 % of the limit until below 60 %."),
    E("smelter_spool_batches", "gauge", "Batches in the spool."),
    E("smelter_spool_oldest_age_seconds", "gauge", "How long the oldest of them has waited; 0 when there is none."),
    E("smelter_spool_batches_put_total", "counter", "Batches that went into the spool."),
    E("smelter_spool_batches_drained_total", "counter", "Batches that left it."),
    E("smelter_spool_slow_batches_total", "counter", "Batches that went there because the store was too slow."),
    E("smelter_spool_expired_messages_total", "counter", "Messages parked because they were older than spool.max_h."),
    E("smelter_spool_damaged_files_total", "counter", "Damaged spool files that were set aside."),
    E("smelter_spool_high_marks_total", "counter", "Times that the spool reached 80 % of its limit."),
    E("smelter_mapping_decoded_messages_total", "counter", "Messages decoded by rows of ingest.map.", ("kind",)),
    E("smelter_mapping_parked_messages_total", "counter", "Of these, messages with at least one problem.", ("kind",)),
    E("smelter_sparkplug_connected", "gauge", "1 while connected as a Sparkplug host."),
    E("smelter_sparkplug_messages_received_total", "counter", "Messages of Sparkplug that the broker delivered."),
    E("smelter_sparkplug_connections_total", "counter", "Connections made as a Sparkplug host."),
    E("smelter_sparkplug_connection_failures_total", "counter", "Those that failed or broke: all is stale then."),
    E("smelter_sparkplug_nodes_up", "gauge", "Edge nodes and devices that are online."),
    E("smelter_sparkplug_deaths_total", "counter", "Edge nodes and devices that died: their signals are stale."),
    E("smelter_sparkplug_old_deaths_total", "counter", "Wills of earlier connections, which change nothing."),
    E("smelter_sparkplug_sequence_gaps_total", "counter", "Gaps in the sequence of an edge node: data is lost."),
    E("smelter_sparkplug_rebirths_asked_total", "counter", "Commands to an edge node to be born again."),
    E("smelter_store_up", "gauge", "1 while the store answers and takes what is written."),
    E("smelter_store_outages_total", "counter", "Outages of the store."),
    E("smelter_store_outage_seconds_total", "counter", "Time in which the store took nothing."),
    E("smelter_store_write_seconds", "histogram", "Time of a write, failed ones too.", (), _WRITE_BUCKETS),
    E("smelter_store_writes_failed_total", "counter", "Failed writes: unavailable (tried again), rejected.", ("kind",)),
    E("smelter_deadletter_problems", "gauge", "Parked problems that wait for replay or drop.", ("reason",)),
    E("smelter_engine_steps_total", "counter", "Steps of the twin."),
    E("smelter_engine_step_seconds", "histogram", "Time of a step.", (), _STEP_BUCKETS),
    E("smelter_engine_minute_seconds", "histogram", "Time of the estimator for one minute.", (), _STEP_BUCKETS),
    E("smelter_engine_windows_told_total", "counter", "Windows of units whose figures were told, again included."),
    E("smelter_engine_late_readings_too_old_total", "counter", "Readings beyond engine.horizon_h: not in the books."),
    E("smelter_engine_figures_refused_total", "counter", "Windows whose figures the store refused."),
    E("smelter_engine_waiting_batches", "gauge", "Batches of stored readings that wait for the twin."),
    E("smelter_engine_closed_timestamp_seconds", "gauge", "Source time up to which the twin has closed, since 1970."),
    E("smelter_engine_faults_active", "gauge", "Pots and lines with this fault now.", ("code",)),
    E("smelter_models_loaded", "gauge", "1 while models judge every minute, 0 where faults come from rules alone."),
    E("smelter_models_minute_seconds", "histogram", "Time of the models for one minute.", (), _WRITE_BUCKETS),
    E("smelter_models_minutes_total", "counter", "Minutes that models have judged."),
    E("smelter_models_minutes_skipped_total", "counter", "Minutes not judged because newer ones waited."),
    E("smelter_models_minutes_failed_total", "counter", "Minutes that the models refused."),
    E("smelter_models_anomalies", "gauge", "Open anomalies of pots and lines."),
    E("smelter_models_anode_effect_warnings", "gauge", "Pots with an open warning of an anode effect."),
    E("smelter_models_drifted_columns", "gauge", "Columns that no longer look as in training."),
    E("smelter_models_drift_psi", "gauge", "Largest population stability index of a column: above 0.25 it drifted."),
    E("smelter_alarms_active", "gauge", "Alarms in this state of ISA-18.2 now; none is counted as normal.", ("state",)),
    E("smelter_alarms_annunciated_total", "counter", "Alarms that operators were told of, again included."),
    E("smelter_alarm_transitions_lost_total", "counter", "Transitions that the disk refused for too long: not kept."),
    E("smelter_alarm_notices_sent_total", "counter", "Notices that their receiver has.", ("channel",)),
    E("smelter_alarm_sends_failed_total", "counter", "Tries that failed; they are tried again.", ("channel",)),
    E("smelter_alarm_channel_up", "gauge", "1 unless the last try failed.", ("channel",)),
)  # fmt: skip
_ROWS = {row.name: row for row in EXPORTED}


class Sample(NamedTuple):
    """A value of a row of EXPORTED at this moment; `labels` in the order of the row."""

    name: str
    value: float
    labels: tuple[str, ...] = ()


Reader = Callable[[], Iterable[Sample]]


class Meters:
    """The registry of one process. `add` a reader; it is called at every scrape, in the thread that scrapes."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._readers: list[Reader] = []
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def add(self, reader: Reader) -> None:
        """Take the samples of this reader in, from the next scrape on."""
        self._readers.append(reader)

    def histogram(self, name: str) -> Histogram:
        """The histogram of this row, to observe [s]; once a process."""
        row = _ROWS[name]
        return Histogram(row.name, row.help, buckets=row.buckets, registry=self._registry)

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """For prometheus_client: the samples of every reader, in the order of the table."""
        found: dict[str, list[Sample]] = {}
        for reader in self._readers:
            for sample in reader():
                found.setdefault(sample.name, []).append(sample)
        for row in EXPORTED:
            family: CounterMetricFamily | GaugeMetricFamily
            if samples := found.pop(row.name, None):
                kind = CounterMetricFamily if row.kind == "counter" else GaugeMetricFamily
                family = kind(row.name, row.help, labels=row.labels)
                for sample in samples:
                    family.add_metric(sample.labels, sample.value)
                yield family
        assert not found, f"no row in twin.metrics.EXPORTED: {', '.join(found)}"

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """The exposition in the format that `accept` asks for, and its content type."""
        encode, kind = choose_encoder(accept)
        return encode(self._registry), kind
