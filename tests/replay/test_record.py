"""Recording a source: every reading in the order in which it came, what cannot be used kept beside it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path

import orjson

from tests.core.plants import NOW_NS, codec_of, roster_of
from tests.replay.tapes import NS, POTS, read, shift
from twin.adapters.memory import FakeClock, ListSource
from twin.adapters.parquet import RecordingWriter
from twin.codec import Problem
from twin.encode import encode
from twin.frames import Readings
from twin.ports import Message
from twin.record import Recorder


class Kept:
    """Parked problems, in a list."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    async def park(self, problems: Sequence[Problem], received_ns: int) -> None:
        self.problems.extend(problems)


def record(path: Path, batches: list[list[Message]], limit: int = 0) -> tuple[Recorder, Kept, ListSource]:
    """A finished recording of the batches."""
    roster = roster_of(POTS)
    tape = RecordingWriter(path, roster, created_by="test")
    kept, source = Kept(), ListSource(batches)
    recorder = Recorder(source, codec_of(roster), tape, kept, FakeClock(NOW_NS + 10**6 * NS))

    async def process() -> None:
        await recorder.run(limit)
        await recorder.close()

    asyncio.run(process())
    return recorder, kept, source


def second(number: int) -> Readings:
    """What the line said in one second."""
    said = shift().take(slice(0, 6000))
    at = (said.time_ns - said.time_ns.min()) // NS
    return said.take((at == number) & (said.value == said.value))


def test_the_order_of_arrival_is_kept_across_kinds_of_topics(tmp_path: Path) -> None:
    parts = [second(number) for number in range(10)]
    messages = [m for part in parts for m in encode(part, roster_of(POTS), "smelter")]
    recorder, _, source = record(tmp_path / "r.parquet", [messages[:7], messages[7:]])
    found = read(tmp_path / "r.parquet")
    # Decoded message by message: the order on the wire.
    roster = roster_of(POTS)
    expected = [codec_of(roster).decode([message], NOW_NS + 10**6 * NS).readings for message in messages]
    assert found.same(Readings.concat(expected))
    assert recorder.counts.messages == len(messages)
    assert recorder.counts.readings == len(found)
    assert source.acknowledged == [True, True]


def test_what_cannot_be_used_is_kept_and_counted(tmp_path: Path) -> None:
    good = Message("smelter/s/L/001/telemetry", orjson.dumps({"time": NOW_NS, "voltage_v": 4.0}))
    half = Message("smelter/s/L/001/telemetry", orjson.dumps({"time": NOW_NS, "voltage_v": 4.0, "noise_mv": "x"}))
    bad = Message("smelter/s/L/001/telemetry", b"{")
    recorder, kept, _ = record(tmp_path / "r.parquet", [[good, half, bad, good]])
    assert recorder.counts.messages == 4
    assert recorder.counts.parked == 2
    assert sum(recorder.counts.reasons.values()) == 2
    assert [problem.payload for problem in kept.problems] == [half.payload, bad.payload]
    found = read(tmp_path / "r.parquet")
    assert [value for value in found.value.tolist() if not math.isnan(value)] == [4.0, 4.0, 4.0]


def test_it_stops_after_so_many_messages(tmp_path: Path) -> None:
    good = Message("smelter/s/L/001/telemetry", orjson.dumps({"time": NOW_NS, "voltage_v": 4.0}))
    recorder, _, source = record(tmp_path / "r.parquet", [[good] * 3, [good] * 3, [good] * 3], 5)
    assert recorder.counts.messages == 5
    assert len(read(tmp_path / "r.parquet")) == 5
    assert source.acknowledged == [True, True, False]
