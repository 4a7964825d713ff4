"""What every store of figures promises, asked of memory, of a DuckDB file and of InfluxDB."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from tests.core.plants import NOW_NS, roster_of
from tests.report.story import Rows, into_duckdb, line_protocol
from tests.servers import InfluxServer
from twin.adapters.duck import DuckStore
from twin.adapters.figures import DuckFigures, InfluxFigures, MemoryFigures
from twin.adapters.influx import InfluxStore, Target
from twin.catalogue import figure_code
from twin.errors import ConfigError, SourceUnavailable
from twin.frames import Readings
from twin.report.source import FigureStore

DAY = 86400 * 10**9
ROWS: Rows = {
    ("twin_line", "s/L", NOW_NS, "metal_t_day"): 1 / 3,
    ("twin_line", "s/L", NOW_NS, "metal_t_month"): 200.5,
    ("twin_line", "s/L", NOW_NS + DAY, "metal_t_day"): -1e-7,
    ("twin_line", "s/LL", NOW_NS, "metal_t_day"): 7.0,
    ("twin_line", "t/L", NOW_NS, "metal_t_day"): 8.0,
    ("twin_pot", "s/L/001", NOW_NS, "metal_t_day"): 3.25,
    ("twin_pot", "s/L/002", NOW_NS, "dc_kwh_t_day"): 12_700.125,
    ("twin_pot", "s/L/section:1", NOW_NS, "metal_t_day"): 6.5,
    ("twin_site", "s", NOW_NS, "metal_t_day"): 99.0,
    ("event", "s/L/001", NOW_NS + 5, "fault_noisy"): 1.0,
    ("event", "s/L/001", NOW_NS + 9, "fault_noisy"): 0.0,
}
Make = Callable[[Rows], FigureStore]


def figures_of(server: InfluxServer, url: str, database: str, rows: Rows) -> InfluxFigures:
    assert server.request("POST", f"/write?db={database}&precision=ns", line_protocol(rows))[0] == 204
    store = InfluxStore(Target(url, database, "-"), roster_of(2))
    return InfluxFigures(store.query, database, begin=store.open, finish=store.close)


@pytest.fixture(params=["memory", "duckdb", pytest.param("influx", marks=pytest.mark.live)])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "memory":
        return MemoryFigures
    if request.param == "duckdb":

        def duck(rows: Rows) -> FigureStore:
            into_duckdb(rows, tmp_path / "it's.duckdb")
            return DuckFigures(tmp_path / "it's.duckdb")

        return duck
    server, front = request.getfixturevalue("influx"), request.getfixturevalue("influx_v2")
    return lambda rows: figures_of(server, front.url, request.getfixturevalue("database"), rows)


def run(store: FigureStore, test: Callable[[FigureStore], Awaitable[None]]) -> None:
    async def session() -> None:
        async with asyncio.timeout(60):
            await store.open()
            try:
                await test(store)
            finally:
                await store.close()

    asyncio.run(session())


def test_rows_come_by_time_then_unit_with_gaps_as_nan(make: Make) -> None:
    async def test(store: FigureStore) -> None:
        found = await store.read("twin_line", ["metal_t_day", "metal_t_month"], NOW_NS, NOW_NS + 2 * DAY)
        assert found.time_ns.tolist() == [NOW_NS] * 3 + [NOW_NS + DAY]
        assert found.path == ("s/L", "s/LL", "t/L", "s/L")
        assert found.columns["metal_t_day"].tolist() == [1 / 3, 7.0, 8.0, -1e-7]
        assert np.isnan(found.columns["metal_t_month"]).tolist() == [False, True, True, True]

    run(make(ROWS), test)


def test_a_range_has_its_start_and_not_its_end(make: Make) -> None:
    async def test(store: FigureStore) -> None:
        for start, end, count in (
            (NOW_NS, NOW_NS + DAY, 1),
            (NOW_NS, NOW_NS + DAY + 1, 2),
            (NOW_NS + 1, NOW_NS + DAY, 0),
        ):
            assert len(await store.read("twin_line", ["metal_t_day"], start, end, "s/L")) == count

    run(make(ROWS), test)


def test_only_a_unit_and_those_below_it(make: Make) -> None:
    async def test(store: FigureStore) -> None:
        pots = await store.read("twin_pot", ["metal_t_day", "dc_kwh_t_day"], NOW_NS, NOW_NS + 1, "s/L")
        assert pots.path == ("s/L/001", "s/L/002", "s/L/section:1")
        assert (await store.read("twin_pot", ["metal_t_day"], NOW_NS, NOW_NS + 1, "s/L/001")).path == ("s/L/001",)
        assert (await store.read("twin_site", ["metal_t_day"], NOW_NS, NOW_NS + 1, "s")).path == ("s",)
        assert len(await store.read("twin_line", ["metal_t_day"], NOW_NS, NOW_NS + 1, "s")) == 2

    run(make(ROWS), test)


def test_what_the_store_does_not_know_is_nothing_and_no_error(make: Make) -> None:
    async def test(store: FigureStore) -> None:
        found = await store.read("twin_line", ["loss_bath_kwh_t_day", "metal_t_day"], NOW_NS, NOW_NS + 1, "s/L")
        assert np.isnan(found.columns["loss_bath_kwh_t_day"]).all()
        assert found.columns["metal_t_day"].tolist() == [1 / 3]
        for measurement, field in (("twin_line", "never"), ("never", "metal_t_day")):
            nothing = await store.read(measurement, [field], 0, 2 * NOW_NS)
            assert (len(nothing), nothing.columns[field].tolist()) == (0, [])
            assert (await store.starts(measurement, field, "s/L")).tolist() == []
        assert await store.fields("never") == frozenset()

    run(make(ROWS), test)


def test_fields_and_starts(make: Make) -> None:
    async def test(store: FigureStore) -> None:
        assert await store.fields("twin_line") == {"metal_t_day", "metal_t_month"}
        assert (await store.starts("twin_line", "metal_t_day", "s/L")).tolist() == [NOW_NS, NOW_NS + DAY]
        assert (await store.starts("twin_pot", "metal_t_day", "s/L")).tolist() == []
        events = await store.read("event", ["fault_noisy"], NOW_NS, NOW_NS + DAY, "s/L")
        assert events.columns["fault_noisy"].tolist() == [1.0, 0.0]

    run(make(ROWS), test)


@pytest.mark.parametrize("kind", ["duckdb", pytest.param("influx", marks=pytest.mark.live)])
def test_it_reads_what_the_products_own_store_wrote(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    roster = roster_of(2)
    rows = [
        (0, figure_code("twin_line", "metal_t", "day"), 7.5),
        (1, figure_code("twin_pot", "dc_kwh_t", "day", u=True), 51.0),
    ]
    readings = Readings.of([NOW_NS] * 2, [u for u, _, _ in rows], [c for _, c, _ in rows], [v for _, _, v in rows])
    if kind == "duckdb":
        writer: DuckStore | InfluxStore = DuckStore(tmp_path / "twin.duckdb", roster)
        figures: FigureStore = DuckFigures(tmp_path / "twin.duckdb")
    else:
        url, database = request.getfixturevalue("influx_v2").url, request.getfixturevalue("database")
        writer = InfluxStore(Target(url, database, "-"), roster)
        reader = InfluxStore(Target(url, database, "-"), roster)
        figures = InfluxFigures(reader.query, database, begin=reader.open, finish=reader.close)

    async def write() -> None:
        await writer.open()
        await writer.write(readings)
        await writer.close()

    async def test(store: FigureStore) -> None:
        line = await store.read("twin_line", ["metal_t_day"], NOW_NS, NOW_NS + 1, "s/L")
        pots = await store.read("twin_pot", ["dc_kwh_t_u_day"], NOW_NS, NOW_NS + 1, "s/L")
        assert (line.path, line.columns["metal_t_day"].tolist()) == (("s/L",), [7.5])
        assert (pots.path, pots.columns["dc_kwh_t_u_day"].tolist()) == (("s/L/001",), [51.0])

    asyncio.run(write())
    run(figures, test)


def test_a_store_that_is_open_elsewhere_says_what_to_do(tmp_path: Path) -> None:
    """Two handles of one process do not exclude each other, so another process holds the file."""
    file = tmp_path / "twin.duckdb"
    into_duckdb(ROWS, file)
    code = f"import duckdb; db = duckdb.connect({str(file)!r}); print('open', flush=True); input()"
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    try:
        with pytest.raises(ConfigError, match=r"open in another process.*Stop that process, or copy twin\.duckdb"):
            run(DuckFigures(file), lambda _store: asyncio.sleep(0))
    finally:
        holder.communicate("\n", timeout=30)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such store"):
        run(DuckFigures(tmp_path / "no.duckdb"), lambda _store: asyncio.sleep(0))
    (tmp_path / "text.duckdb").write_text("not a database" * 100)
    with pytest.raises(ConfigError, match="cannot be opened as a store"):
        run(DuckFigures(tmp_path / "text.duckdb"), lambda _store: asyncio.sleep(0))


def test_a_server_that_does_not_answer_is_an_error_of_the_source() -> None:
    store = InfluxStore(Target("http://127.0.0.1:1", "db", "-"), roster_of(2))

    async def test(figures: FigureStore) -> None:
        with pytest.raises(SourceUnavailable, match=r"127\.0\.0\.1:1"):
            await figures.fields("twin_line")

    run(InfluxFigures(store.query, "influx", begin=store.open, finish=store.close), test)
