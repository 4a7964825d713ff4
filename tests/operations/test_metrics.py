"""Metrics: names by the conventions, bounded labels, and what every part says of itself."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed

from tests.core.plants import NOW_NS, engine_of, roster_of, steady
from tests.core.test_ingest import POISON, message
from tests.core.test_parts import settings
from tests.mapping.maps import PLAIN, codec_with
from tests.operations.parking import PROBLEMS
from twin.adapters.deadletter import DeadLetters
from twin.adapters.memory import FakeClock, ListSource, MemorySink
from twin.adapters.mqtt import Broker, MqttSource
from twin.adapters.sparkplug import SparkplugSource
from twin.alarm_parts import Alarms
from twin.alarms.routing import default
from twin.engine import Settings as EngineSettings
from twin.errors import PayloadError, SinkRejected, SinkUnavailable
from twin.faults import FAULTS
from twin.frames import Readings
from twin.ingest import Ingestor
from twin.judge_thread import JudgeThread
from twin.link import BUFFER_FULL
from twin.log import Log
from twin.metrics import EXPORTED, Meters, Sample
from twin.operations import Operations
from twin.parts import MemoryStore
from twin.ports import Message
from twin.readiness import Probe, Readiness, Reason
from twin.runner import Runner
from twin.salvage import REASONS
from twin.sequences import Sequences
from twin.settings import resolve
from twin.snapshot import IngestView
from twin.topics import Router

NAMES = {row.name: row for row in EXPORTED}
HEALTH = IngestView(True, 0, 0, 0, 0, 0.0, None, "", "")
UNITS = ("seconds", "bytes", "messages", "readings", "batches", "problems", "pots", "total", "info")
JUDGED = ("anomalies", "warnings", "columns", "psi")
STATES = ("ready", "connected", "up", "paused", "stopped", "high", "active", "loaded")  # 0 or 1, or how many are


async def nobody(readings: Readings) -> None:
    """Its times are of today, those of the twin below are not."""


class Choosy(MemorySink):
    """Refuses one value for good."""

    async def write(self, readings: Readings) -> None:
        await super().write(readings)
        if POISON in readings.value:
            raise SinkRejected("no")


def operations() -> Operations:
    return Operations(settings(), Log("json", "error", lambda line: None), "1.2.3")


def scraped(ops: Operations) -> dict[tuple[str, ...], float]:
    """(name, *label values) -> value of every sample."""
    text, kind = asyncio.run(ops.metrics(""))
    assert kind.startswith("text/plain")
    return {(s.name, *s.labels.values()): s.value for family in parsed(text.decode()) for s in family.samples}


@pytest.mark.parametrize("row", EXPORTED, ids=lambda row: row.name)
def test_names_follow_the_conventions(row: Any) -> None:
    assert re.fullmatch(r"smelter_[a-z]+(_[a-z]+)*", row.name)
    assert row.name.endswith("_total") == (row.kind == "counter")
    assert bool(row.buckets) == (row.kind == "histogram")
    assert row.name.endswith("_seconds") or row.kind != "histogram"
    assert set(row.labels) <= {"reason", "code", "kind", "version", "source", "state", "channel"}, (
        "no label that grows with the plant"
    )
    assert row.help.endswith(".")
    assert row.name.rpartition("_")[2] in UNITS + STATES + JUDGED


def test_every_name_stands_once() -> None:
    assert len(NAMES) == len(EXPORTED)


def test_a_sample_without_a_row_is_a_mistake() -> None:
    meters = Meters()
    meters.add(lambda: [Sample("smelter_nothing", 1)])
    with pytest.raises(AssertionError, match=r"no row in twin\.metrics\.EXPORTED: smelter_nothing"):
        meters.text()


def test_a_reader_is_asked_at_every_scrape() -> None:
    meters, counts = Meters(), [0]

    def reader() -> list[Sample]:
        counts[0] += 1
        return [Sample("smelter_ingest_problems_total", counts[0], ("malformed",))]

    meters.add(reader)
    for n in (1, 2):
        assert f'smelter_ingest_problems_total{{reason="malformed"}} {n}.0' in meters.text()[0].decode()


def test_openmetrics_is_spoken_too() -> None:
    text, kind = operations().meters.text("application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    assert text.endswith(b"# EOF\n")


def test_the_process_is_told() -> None:
    found = scraped(operations())
    assert found["smelter_build_info", "1.2.3"] == 1
    assert found["smelter_ready",] == 1
    assert found["process_resident_memory_bytes",] > 1e6


def whole(folder: Path) -> tuple[dict[tuple[str, ...], float], int]:
    """Everything that a process with every part exports after two batches, and the steps of its twin."""
    ops, roster = operations(), roster_of(3)
    sink = Choosy(roster, [SinkUnavailable("away")])
    letters = DeadLetters(folder / "parked.sqlite")
    engine = engine_of(settings=EngineSettings(estimate=True))
    runner = Runner(engine, write=sink.write, health=lambda: HEALTH)
    lagging_ns = time.time_ns() - 100 * 10**9
    batches = [[message(1, POISON)], [message(2, '"x"'), message(3, time_ns=lagging_ns)]]
    codec = codec_with(PLAIN, roster=roster)
    sparkplug = SparkplugSource(Broker("h", 1), "twin", "+", root="smelter")

    async def work() -> None:
        ops.watch_letters(letters)
        ops.watch_source(MqttSource(Broker("h", 1), ("t/#",), client_id="c"))
        ops.watch_topics(codec.router, Sequences())
        ops.watch_sparkplug(sparkplug)
        assert codec.beside is not None
        ops.watch_mapping(codec.beside)
        ingestor = Ingestor(
            ListSource(batches), codec, ops.timed(sink), letters, FakeClock(time.time_ns()),
            hand_on=nobody, retry_max_s=0.001, writes=2, on_outage=ops.store.told, name="c",
        )  # fmt: skip
        ops.watch_ingest(ingestor)
        probe = ops.watch_store(MemoryStore(roster), ingestor)
        ops.watch_runner(runner)
        ops.watch_judge(JudgeThread(None, "off", lambda text: None))
        where = resolve(flags={"data.dir": str(folder)})
        async with Alarms(
            where, roster, default(), FakeClock(time.time_ns()), Log("json", "error", lambda line: None)
        ) as alarms:
            ops.meters.add(alarms.samples)
        await ingestor.run()
        await probe.ask()
        await runner.feed(steady(range(150)))
        await runner.step()
        await letters.park(PROBLEMS, NOW_NS)

    asyncio.run(work())
    found = scraped(ops)
    letters.close()
    return found, runner.steps


def test_every_row_of_a_whole_process_is_exported_and_right(tmp_path: Path) -> None:
    found, steps = whole(tmp_path)
    histograms = {f"{row.name}_count" for row in EXPORTED if row.kind == "histogram"}
    wanted = {row.name for row in EXPORTED if row.kind != "histogram"} | histograms
    assert wanted - {key[0] for key in found} == set()
    plain = {key[0].removeprefix("smelter_"): value for key, value in found.items() if len(key) == 1}
    total = [found[f"smelter_ingest_{what}_messages_total", "c"] for what in ("received", "stored", "parked")]
    assert total == [3, 1, 2], "one refused, one with a wrong value"
    off = [found[f"smelter_ingest_off_{what}", "c"] for what in ("messages", "readings")]
    assert off == [0, 0], "the balance sheet"
    assert plain["ingest_lag_seconds"] == pytest.approx(100, abs=20), "F32: now minus the newest source time"
    assert plain["store_outages_total"] == 1
    assert plain["store_up"] == 1
    assert plain["store_write_seconds_count"] == 3
    assert found["smelter_store_writes_failed_total", "unavailable"] == 1
    assert found["smelter_store_writes_failed_total", "rejected"] == 1
    assert found["smelter_ingest_problems_total", "wrong_type"] == 1
    assert found["smelter_ingest_problems_total", "refused"] == 1
    assert found["smelter_deadletter_problems", "out_of_range"] == 2
    assert found["smelter_deadletter_problems", "oversize"] == 0, "a series that is there before it counts"
    assert plain["engine_steps_total"] == plain["engine_step_seconds_count"] == steps > 0
    assert plain["engine_minute_seconds_count"] >= 1
    assert plain["engine_windows_told_total"] > 0
    assert plain["mqtt_connected"] == plain["sparkplug_connected"] == 0
    assert {key[1] for key in found if key[0] == "smelter_engine_faults_active"} == {fault.code for fault in FAULTS}
    assert {key[1] for key in found if key[0] == "smelter_ingest_problems_total"} == set(REASONS)


def test_the_number_of_series_does_not_grow_with_the_plant() -> None:
    def series(pots: int) -> int:
        ops = operations()
        runner = Runner(engine_of(roster_of(pots)), write=MemorySink(roster_of(pots)).write, health=lambda: HEALTH)
        ops.watch_runner(runner)

        async def step() -> None:
            await runner.feed(steady(range(10)))
            await runner.step()

        asyncio.run(step())
        return len(scraped(ops))

    assert series(3) == series(200)


class Answers:
    """A store that answers as the list says, one after the other."""

    def __init__(self, *answers: Exception | None) -> None:
        self._answers = list(answers)

    async def probe(self) -> None:
        if (answer := self._answers.pop(0)) is not None:
            raise answer


def test_a_probe_tells_what_the_store_says() -> None:
    probe = Probe(Answers(SinkUnavailable("refused"), None, SinkRejected("who are you")), 1.0)
    said = [probe.problem]
    for _ in range(3):
        asyncio.run(probe.ask())
        said.append(probe.problem)
    assert said == ["not asked yet", "refused", "", "who are you"]


def test_a_store_that_does_not_answer_is_not_waited_for() -> None:
    class Silent:
        async def probe(self) -> None:
            await asyncio.Event().wait()

    probe = Probe(Silent(), 0.05)
    asyncio.run(probe.ask())
    assert probe.problem == "no answer within 0.05 s"


def test_readiness_names_every_part_that_is_not() -> None:
    readiness, broker = Readiness(), ["away"]
    readiness.add("broker", lambda: broker[0])
    readiness.add("store", lambda: "")
    assert readiness.reasons() == [Reason("broker", "away")]
    broker[0] = ""
    assert readiness.reasons() == []


def test_a_twin_that_does_not_step_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    ops, now = operations(), [1000.0]
    monkeypatch.setattr("twin.operations.time.monotonic", lambda: now[0])
    runner = Runner(engine_of(), write=MemorySink(roster_of(1)).write, health=lambda: HEALTH)
    ops.watch_runner(runner)
    assert ops.readiness.reasons()[0].reason.startswith("the twin has not begun to step")
    asyncio.run(runner.step())
    assert ops.readiness.reasons() == []
    now[0] += 31
    assert ops.readiness.reasons() == [Reason("engine", "the twin has not stepped for 31 s")]


def test_what_did_not_come_and_who_was_turned_away_is_exported() -> None:
    ops, sequences = operations(), Sequences()
    router = Router(roster_of(1), root="smelter", discover=True, max_discovered=2)
    ops.watch_topics(router, sequences)
    sequences.see([Message("t", b'{"seq": %d}' % number) for number in (3, 4, 9)])
    for pot in ("x1", "x2", "x3", "x3"):
        with suppress(PayloadError):
            router.route(f"smelter/s/L/{pot}/telemetry")
    found = scraped(ops)
    assert found["smelter_ingest_numbered_messages_total",] == 3
    assert found["smelter_ingest_missing_messages",] == 4
    assert found["smelter_ingest_discovered_pots",] == 2
    assert found["smelter_ingest_turned_away_messages_total",] == 2


def test_a_member_of_a_shared_subscription_exports_no_number_of_what_is_missing() -> None:
    ops = operations()
    ops.watch_topics(Router(roster_of(1), root="smelter", discover=True), None)
    assert not [key for key in scraped(ops) if "missing" in key[0] or "numbered" in key[0]]


def test_a_paused_ingest_is_not_ready_and_says_why_once() -> None:
    ops = operations()
    source = MqttSource(Broker("h", 1), ("t/#",), client_id="c")
    ops.watch_source(source)
    assert [reason.part for reason in ops.readiness.reasons()] == ["broker"]
    source.paused = True
    assert ops.readiness.reasons() == [Reason("ingest", BUFFER_FULL)]
