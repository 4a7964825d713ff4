"""What every store promises of a look back over spans of time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.contracts.stores import Bench, Build, duck, influx, memory, run
from tests.core.plants import NOW_NS, NS
from twin.adapters.duck import DuckStore
from twin.catalogue import state_code
from twin.errors import SinkUnavailable
from twin.signals import by_name

VOLTAGE, NOISE, CURRENT = by_name("voltage_v"), by_name("noise_mv"), by_name("line_current_ka")
ALUMINA = state_code("alumina_pct")
TEN = 10 * NS
Row = tuple[int, int, int, float, float, float]


@pytest.fixture(params=["memory", "duckdb", pytest.param("influx", marks=pytest.mark.live)])
def build(request: pytest.FixtureRequest) -> Build:
    if request.param == "memory":
        return memory()
    if request.param == "duckdb":
        return duck(request.getfixturevalue("tmp_path"))
    return influx(request.getfixturevalue("influx_v2").url, request.getfixturevalue("database"))


async def look(
    bench: Bench, measurement: str, unit: int, codes: list[int], start: int, end: int, step: int = TEN
) -> list[Row]:
    path = bench.roster.paths[unit]
    found = await bench.store.history(measurement, path, codes, NOW_NS + start, NOW_NS + end, step)
    rows = zip(*(column.tolist() for column in found), strict=True)
    return [(time - NOW_NS, signal, *rest) for time, signal, *rest in rows]


def test_a_span_has_its_count_least_mean_and_largest_value(build: Build) -> None:
    assert NOW_NS % TEN == 0

    async def test(bench: Bench) -> None:
        await bench.write(*((n * NS, 1, VOLTAGE, 4.0 + n) for n in range(25)), (3 * NS, 1, NOISE, 7.0))
        await bench.write((4 * NS, 2, VOLTAGE, 99.0))
        assert await look(bench, "pot", 1, [VOLTAGE, NOISE], 0, 60 * NS) == [
            (0, VOLTAGE, 10, 4.0, 8.5, 13.0),
            (0, NOISE, 1, 7.0, 7.0, 7.0),
            (TEN, VOLTAGE, 10, 14.0, 18.5, 23.0),
            (2 * TEN, VOLTAGE, 5, 24.0, 26.0, 28.0),
        ]

    run(build, test)


def test_the_start_is_inside_and_the_end_is_not(build: Build) -> None:
    async def test(bench: Bench) -> None:
        await bench.write(*((n * NS, 1, VOLTAGE, 4.0 + n) for n in range(30)))
        assert await look(bench, "pot", 1, [VOLTAGE], 5 * NS, 12 * NS) == [
            (0, VOLTAGE, 5, 9.0, 11.0, 13.0),
            (TEN, VOLTAGE, 2, 14.0, 14.5, 15.0),
        ]
        assert await look(bench, "pot", 1, [VOLTAGE], 40 * NS, 60 * NS) == []
        assert await look(bench, "pot", 1, [VOLTAGE], 5 * NS, 5 * NS) == []

    run(build, test)


def test_lines_and_what_the_twin_says_can_be_looked_at(build: Build) -> None:
    async def test(bench: Bench) -> None:
        line = bench.roster.line_of[1]
        await bench.write((0, line, CURRENT, 500.0), (NS, line, CURRENT, 501.0), (0, 1, ALUMINA, 2.5))
        assert await look(bench, "line", line, [CURRENT], 0, TEN) == [(0, CURRENT, 2, 500.0, 500.5, 501.0)]
        assert await look(bench, "twin_state", 1, [ALUMINA], 0, TEN) == [(0, ALUMINA, 1, 2.5, 2.5, 2.5)]

    run(build, test)


def test_what_nobody_wrote_is_empty(build: Build) -> None:
    async def test(bench: Bench) -> None:
        assert await look(bench, "pot", 1, [VOLTAGE, NOISE], 0, TEN) == []

    run(build, test)


def test_a_look_back_holds_up_no_write(build: Build) -> None:
    async def test(bench: Bench) -> None:
        await bench.write(*((n * NS, 1, VOLTAGE, 4.0) for n in range(3000)))

        async def write(n: int) -> None:
            await bench.write((n * NS, 2, VOLTAGE, 4.5))

        looks = [look(bench, "pot", 1, [VOLTAGE], 0, 3000 * NS) for _ in range(8)]
        found = await asyncio.gather(*looks, *(write(n) for n in range(8)))
        assert all(rows is not None and sum(row[2] for row in rows) == 3000 for rows in found[:8])
        assert len(await bench.rows("pot", 2)) == 8

    run(build, test)


def test_a_file_that_cannot_be_read_is_said_to_be_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(bench: Bench) -> None:
        assert isinstance(bench.store, DuckStore)
        monkeypatch.setattr("twin.over_time.sql", lambda *_: "SELECT nothing FROM nowhere")
        with pytest.raises(SinkUnavailable, match="nowhere"):
            await look(bench, "pot", 1, [VOLTAGE], 0, TEN)

    run(duck(tmp_path), test)
