"""The report of a recording: the same bytes at any speed, in any chunks, from any store that keeps its readings."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.plants import NOW_NS, engine_of, readings_of, roster_of
from tests.replay.tapes import POTS, FakeTimer, ListRecording, gather, play, read, report, router_of, shift, write
from twin.adapters.duck import DuckStore
from twin.adapters.parquet_recording import ParquetRecording
from twin.adapters.stored import DuckRecording
from twin.errors import ConfigError
from twin.frames import Readings
from twin.recording import Selection, Skipped
from twin.replay import Control
from twin.replay_report import EngineTarget


@pytest.fixture(scope="module")
def expected() -> list[str]:
    return report(ListRecording(shift()))


def test_the_report_says_what_happened(expected: list[str]) -> None:
    rows = [json.loads(line) for line in expected]
    assert {row["kind"] for row in rows} == {"event", "figures", "grade"}
    effects = [row for row in rows if row["kind"] == "event" and row["code"] == "anode_effect"]
    assert next((row["unit"], row["began"], row["severity"]) for row in effects) == ("s/L/002", True, "high")
    hours = [row for row in rows if row["kind"] == "figures" and row["window"] == "hour"]
    assert {row["unit"] for row in hours} == set(roster_of(POTS).paths)
    struck = ("s/L/002", "s/L/section:1")
    assert all(12_000 < row["dc_kwh_t"] < 15_000 for row in hours if row["unit"] not in struck)
    dc = {row["unit"]: row["dc_kwh_t"] for row in hours if row["start"] == hours[0]["start"]}
    assert dc["s/L/001"] < dc["s/L/section:1"] < dc["s/L/002"], "a section is the mean of its pots"
    assert expected == sorted(expected)


@pytest.mark.parametrize(("speed", "chunk_rows"), [(1.0, 1 << 20), (60.0, 7000), (math.inf, 1111)])
def test_a_file_at_any_speed(tmp_path: Path, expected: list[str], speed: float, chunk_rows: int) -> None:
    path = write(tmp_path / "r.parquet", shift(), part_rows=50_000, batch=5000)
    recording = ParquetRecording(path, router_of(), Selection(), Skipped(), chunk_rows=chunk_rows)
    assert report(recording, speed=speed) == expected


@settings(max_examples=4)
@given(cuts=st.lists(st.integers(0, len(shift())), max_size=12), speed=st.sampled_from([7.0, 600.0, math.inf]))
def test_in_any_chunks(expected: list[str], cuts: list[int], speed: float) -> None:
    assert report(ListRecording(shift(), cuts), speed=speed) == expected


def test_from_the_embedded_store(tmp_path: Path, expected: list[str]) -> None:
    async def fill() -> None:
        store = DuckStore(tmp_path / "twin.duckdb", roster_of(POTS))
        await store.open()
        for start in range(0, len(shift()), 20_000):
            await store.write(shift().take(slice(start, start + 20_000)))
        await store.close()

    asyncio.run(fill())
    for page_rows in (3000, 10**6):
        recording = DuckRecording(tmp_path / "twin.duckdb", router_of(), Selection(), Skipped(), page_rows=page_rows)
        assert report(recording) == expected
    chosen = Selection(NOW_NS + 60 * 10**9, NOW_NS + 120 * 10**9, pots=("003",))
    recording = DuckRecording(tmp_path / "twin.duckdb", router_of(), chosen, Skipped())
    bounds, found = asyncio.run(gather(recording))
    assert set(found.unit.tolist()) == {0, 3}
    assert chosen.start_ns <= bounds.first_ns <= found.time_ns.min()
    assert found.time_ns.max() <= bounds.last_ns < chosen.end_ns


def test_a_store_that_is_none_is_told(tmp_path: Path) -> None:
    def error(path: Path) -> str:
        with pytest.raises(ConfigError) as caught:
            asyncio.run(gather(DuckRecording(path, router_of(), Selection(), Skipped())))
        return str(caught.value)

    assert "no such store; duckdb:FILE names the file of an embedded store" in error(tmp_path / "twin.duckdb")
    (tmp_path / "text").write_text("hello")
    assert "cannot be opened" in error(tmp_path / "text")
    with duckdb.connect(str(tmp_path / "other")) as db:
        db.execute("CREATE TABLE pot (a INTEGER)")
    assert "not a store of this product; it has none of pot, line, event, sample" in error(tmp_path / "other")


def test_a_part_of_a_recording(tmp_path: Path) -> None:
    path = write(tmp_path / "r.parquet", shift())
    said = shift()
    time, unit = said.time_ns, said.unit
    first, end = NOW_NS + 60 * 10**9, NOW_NS + 180 * 10**9
    assert read(path, Selection(first, end)).same(said.take((time >= first) & (time < end)))
    assert read(path, Selection(start_ns=first)).same(said.take(time >= first))
    assert read(path, Selection(end_ns=end), start_ns=first).same(said.take((time >= first) & (time < end)))
    assert read(path, Selection(pots=("002", "s/L/004"))).same(said.take(np.isin(unit, [0, 2, 4])))
    assert read(path, Selection(lines=("L",))).same(said)
    assert read(path, Selection(lines=("s/L",), pots=("001",))).same(said.take(np.isin(unit, [0, 1])))


def test_a_seek_begins_the_report_anew(expected: list[str]) -> None:
    control = Control(60.0)
    timer = FakeTimer({2.1: lambda: setattr(control, "seek_s", -3600.0)})
    target = EngineTarget(engine_of(roster_of(POTS)))
    play(ListRecording(shift()), target, speed=60.0, timer=timer, control=control)
    assert target.lines() == expected


def test_numbers_that_are_none_are_null() -> None:
    said = readings_of([(second, 1, "voltage_v", 4.0) for second in range(120)])
    rows = [json.loads(line) for line in report(ListRecording(said))]
    assert {row["dc_kwh_t"] for row in rows if row["kind"] == "figures"} == {None}
    assert {row["verdict"] for row in rows if row["kind"] == "grade"} == {"insufficient"}
    assert report(ListRecording(Readings.of([NOW_NS], [1], [0], [math.nan]))) == []
