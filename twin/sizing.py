"""What a plant of so many pots needs: arithmetic from measured figures, each row with the sum it comes from.

Measured here on two cores that broker, load, store and process shared: orders of magnitude for another machine, and a
reason to measure there. Where each figure comes from stands beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Load", "Row", "rows"]

# Bytes of a message with 20 signals (tests/bench): payload, and topic with packet header; of a section message per pot.
PAYLOAD_B, ENVELOPE_B = 550, 36
SECTION_PAYLOAD_B, SECTION_ENVELOPE_B = 168, 2
SECTION_POTS = 20
# CPU per pot-sample [us], docs/performance.md: rows influx-q1 and influx-batch, our process and all processes.
INGEST_US, ALL_US = 8.8, 43.8
SECTION_INGEST_US, SECTION_ALL_US = 5.4, 22.1
BUSY = 0.5  # part of a core that an ingestor may take in normal times: the rest catches up after an outage
# Engine with estimation, 5,000 pots in 20 lines (tests/bench/engine_size): CPU per pot and step [us], of the estimate
# of a minute more [us], memory per pot [kB] with the 36 h of engine.horizon_h, and of a kept state (`twin.state`).
ENGINE_US, ESTIMATE_US, ENGINE_KB, STATE_KB = 7.4, 41.0, 250, 250
ENGINE_POTS = 5000  # in one engine process: its kept state is then 1.25 GB
# One hour of 100 simulated pots at 1 Hz, 20 signals, after compaction (docs/scale.md): bytes of a pot-sample on disk.
INFLUX_B, DUCKDB_B = 174, 36
QUEUE_B = 380  # that mosquitto 2.0.11 takes for a message that waits, beyond its payload
FIELDS = 20
SERIES = 5  # measurements that have a pot's tags


@dataclass(frozen=True, slots=True)
class Load:
    """A plant: `pots`, seconds between two samples of a pot, minutes that a process may be away, and how it is sent."""

    pots: int
    period_s: float = 1.0
    outage_min: float = 30.0
    batched: bool = False

    @property
    def samples_per_s(self) -> float:
        """Pot-samples a second."""
        return self.pots / self.period_s

    @property
    def messages_per_s(self) -> float:
        return self.samples_per_s / (SECTION_POTS if self.batched else 1)

    @property
    def bytes_per_s(self) -> float:
        """On the wire from the broker to one reader."""
        payload, envelope = self._bytes
        return self.samples_per_s * (payload + envelope)

    @property
    def _bytes(self) -> tuple[int, int]:
        return (SECTION_PAYLOAD_B, SECTION_ENVELOPE_B) if self.batched else (PAYLOAD_B, ENVELOPE_B)

    @property
    def cpu_us(self) -> tuple[float, float]:
        """CPU of an ingestor, and of broker, store and publisher together, per pot-sample [us]."""
        own, every = (SECTION_INGEST_US, SECTION_ALL_US) if self.batched else (INGEST_US, ALL_US)
        return own, every - own


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the answer. `how`: the sum, with its inputs."""

    what: str
    value: float
    unit: str
    how: str


def rows(load: Load) -> list[Row]:
    """Everything there is to say of a load, in the order of the way of a sample."""
    return [*_wire(load), *_ingest(load), *_engine(load), *_disk(load)]


def _wire(load: Load) -> list[Row]:
    a_message = f"{SECTION_POTS} pots a message" if load.batched else "a message a pot"
    payload, envelope = load._bytes
    queue = load.messages_per_s * load.outage_min * 60
    size = payload * (SECTION_POTS if load.batched else 1)
    pots = f"{load.pots:,} pots / {load.period_s:g} s"
    return [
        Row("pot-samples", load.samples_per_s, "/s", pots),
        Row("field values", load.samples_per_s * FIELDS, "/s", f"{pots} x {FIELDS} signals"),
        Row("messages", load.messages_per_s, "/s", f"{pots}, {a_message}"),
        Row(
            "broker to one reader", load.bytes_per_s / 1e6, "MB/s",
            f"{load.samples_per_s:,.0f}/s x ({payload} + {envelope}) B",
        ),
        Row("broker queue", queue, "messages", f"{load.messages_per_s:,.0f}/s x {load.outage_min:g} min x 60 s"),
        Row("broker memory then", queue * (size + QUEUE_B) / 1e9, "GB", f"{queue:,.0f} x ({size} B + {QUEUE_B} B)"),
    ]  # fmt: skip


def _ingest(load: Load) -> list[Row]:
    own, others = load.cpu_us
    cores = load.samples_per_s * own / 1e6
    row = "influx-batch" if load.batched else "influx-q1"
    hour = load.bytes_per_s * 3600
    return [
        Row("ingest", cores, "cores", f"{load.samples_per_s:,.0f}/s x {own:g} us (performance: {row})"),
        Row("ingestors", max(1, math.ceil(cores / BUSY)), "processes", f"{cores:.2f} cores / {BUSY:g} of a core each"),
        Row(
            "broker and InfluxDB", load.samples_per_s * others / 1e6, "cores",
            f"{load.samples_per_s:,.0f}/s x {others:.1f} us (all processes less ours; the publisher is in it)",
        ),
        Row("spool per hour without store", hour / 1e9, "GB", f"{load.bytes_per_s / 1e6:,.2f} MB/s x 3,600 s, as sent"),
    ]  # fmt: skip


def _engine(load: Load) -> list[Row]:
    own, _ = load.cpu_us
    steps, reads = load.pots * (ENGINE_US + ESTIMATE_US / 60) / 1e6, load.samples_per_s * own / 1e6
    pots = f"{load.pots:,} pots"
    return [
        Row("engine", steps, "cores", f"{pots} x ({ENGINE_US:g} us a tick of 1 s + {ESTIMATE_US:g} us a minute / 60)"),
        Row("engine, its own reading", reads, "cores", "at most what the ingest takes: the same messages, not written"),
        Row(
            "engines", max(1, math.ceil(load.pots / ENGINE_POTS)), "processes",
            f"{pots} / {ENGINE_POTS:,} pots each; every site in one of them",
        ),
        Row("engine memory", load.pots * ENGINE_KB / 1e6, "GB", f"{pots} x {ENGINE_KB} kB (engine.horizon_h = 36)"),
        Row("kept states", load.pots * STATE_KB / 1e6, "GB", f"{pots} x {STATE_KB} kB, each engine.checkpoint_s"),
    ]  # fmt: skip


def _disk(load: Load) -> list[Row]:
    day = load.samples_per_s * 86400
    return [
        Row("InfluxDB per day", day * INFLUX_B / 1e9, "GB", f"{load.samples_per_s:,.0f}/s x 86,400 s x {INFLUX_B} B"),
        Row("DuckDB per day", day * DUCKDB_B / 1e9, "GB", f"{load.samples_per_s:,.0f}/s x 86,400 s x {DUCKDB_B} B"),
        Row("series", SERIES * load.pots, "", f"{load.pots:,} pots x {SERIES} measurements of a pot"),
    ]
