"""What every store promises, asked of every store."""

from __future__ import annotations

import asyncio
import math

import pytest

from tests.contracts.stores import Bench, Build, duck, everything, influx, memory, run, told
from tests.core.plants import NOW_NS, NS
from twin.adapters.duck import DuckStore
from twin.catalogue import FIELDS, TWIN, fault_code, figure_code
from twin.frames import Readings
from twin.ports import Sink, Store
from twin.signals import by_name

VOLTAGE, NOISE, FEED = by_name("voltage_v"), by_name("noise_mv"), by_name("feed_mode")
CURRENT, TAPPED = by_name("line_current_ka"), by_name("tapped_metal_kg")
NAN = math.nan


@pytest.fixture(params=["memory", "duckdb", pytest.param("influx", marks=pytest.mark.live)])
def build(request: pytest.FixtureRequest) -> Build:
    if request.param == "memory":
        return memory()
    if request.param == "duckdb":
        return duck(request.getfixturevalue("tmp_path"))
    return influx(request.getfixturevalue("influx_v2").url, request.getfixturevalue("database"))


def test_it_has_the_methods_of_a_store(build: Build) -> None:
    async def test(bench: Bench) -> None:
        assert isinstance(bench.store, Sink)
        assert isinstance(bench.store, Store)

    run(build, test)


def test_every_row_of_the_catalogue_is_read_back_bit_for_bit(build: Build) -> None:
    async def test(bench: Bench) -> None:
        sent = everything()
        await bench.store.write(sent)
        for measurement, codes in FIELDS.items():
            unit = 0 if measurement in ("line", "twin_line") else 1
            wanted = {int(c): float(v) for c, v in zip(sent.signal, sent.value, strict=True)}
            assert await bench.rows(measurement, unit) == [(0, code, wanted[code]) for code in codes]

    run(build, test)


def test_sections_and_sites_have_figures_of_their_own(build: Build) -> None:
    async def test(bench: Bench) -> None:
        roster = bench.roster
        units = {measurement: roster.of_kind(kind) for kind, measurement in TWIN.items()}
        assert all(units.values())
        rows = [
            (minute, unit, figure_code(measurement, "dc_kwh_t", "hour"), 12_700.0 + unit + minute / 64)
            for measurement, codes in units.items()
            for unit in codes
            for minute in (0, 1)
        ]
        await bench.write(*rows)
        for measurement, codes in units.items():
            for unit in codes:
                wanted = [(minute, code, value) for minute, of, code, value in rows if of == unit]
                assert await bench.rows(measurement, unit) == wanted, roster.paths[unit]
                for other in set(units) - {measurement}:
                    assert await bench.rows(other, unit) == []

    run(build, test)


@pytest.mark.parametrize(
    "value", [0.1, 1 / 3, 1e22, -1e-7, 5e-324, 1.7976931348623157e308, 123456789.123456789, 2.0**53 + 2, 0.0]
)
def test_any_float_is_kept(build: Build, value: float) -> None:
    async def test(bench: Bench) -> None:
        code = figure_code("twin_pot", "dc_kwh_t", "hour")
        await bench.write((0, 1, code, value))
        assert await bench.rows("twin_pot", 1) == [(0, code, value)]

    run(build, test)


def test_times_are_kept_to_the_nanosecond(build: Build) -> None:
    async def test(bench: Bench) -> None:
        await bench.write((1, 1, VOLTAGE, 4.0), (2, 1, VOLTAGE, 4.1), (999_999_999, 1, VOLTAGE, 4.2))
        assert [row[0] for row in await bench.rows("pot", 1)] == [1, 2, 999_999_999]

    run(build, test)


def test_writing_again_changes_nothing(build: Build) -> None:
    async def test(bench: Bench) -> None:
        sent = [(n * NS, pot, code, n + pot + 0.5) for n in range(50) for pot in (1, 2) for code in (VOLTAGE, NOISE)]
        await bench.write(*sent)
        before = [await bench.rows("pot", pot) for pot in (1, 2)]
        await bench.write(*sent)
        await bench.write(*sent[30:170])
        await bench.write(*reversed(sent))
        assert [await bench.rows("pot", pot) for pot in (1, 2)] == before
        assert len(before[0]) == 100

    run(build, test)


def test_other_fields_complete_a_row(build: Build) -> None:
    async def test(bench: Bench) -> None:
        await bench.write((0, 1, VOLTAGE, 4.0), (NS, 1, VOLTAGE, 4.1))
        await bench.write((0, 1, NOISE, 3.0), (0, 1, FEED, 1.0), (2 * NS, 1, NOISE, 5.0))
        wanted = [(0, VOLTAGE, 4.0), (0, NOISE, 3.0), (0, FEED, 1.0), (NS, VOLTAGE, 4.1), (2 * NS, NOISE, 5.0)]
        assert await bench.rows("pot", 1) == wanted

    run(build, test)


def test_the_last_value_counts(build: Build) -> None:
    async def test(bench: Bench) -> None:
        await bench.write((0, 1, VOLTAGE, 4.0), (0, 1, NOISE, 3.0), (NS, 1, VOLTAGE, 4.5))
        await bench.write((0, 1, VOLTAGE, 4.1), (NS, 1, VOLTAGE, 4.6), (NS, 1, VOLTAGE, 4.7))
        assert await bench.rows("pot", 1) == [(0, VOLTAGE, 4.1), (0, NOISE, 3.0), (NS, VOLTAGE, 4.7)]

    run(build, test)


def test_readings_come_back_in_order_of_time_and_signal(build: Build) -> None:
    async def test(bench: Bench) -> None:
        await bench.write((5 * NS, 1, NOISE, 5.0), (5 * NS, 1, VOLTAGE, 4.5), (3 * NS, 1, VOLTAGE, 4.3))
        await bench.write((4 * NS, 1, VOLTAGE, 4.4), (NS, 1, NOISE, 1.0), (6 * NS, 1, VOLTAGE, 4.6))
        rows = await bench.rows("pot", 1)
        assert [row[:2] for row in rows] == sorted(row[:2] for row in rows)
        assert len(rows) == 6

    run(build, test)


def test_a_range_has_its_start_and_not_its_end(build: Build) -> None:
    async def test(bench: Bench) -> None:
        await bench.write(*((n * NS, 1, VOLTAGE, 4.0 + n) for n in range(5)))
        assert [row[0] // NS for row in await bench.rows("pot", 1, NS, 3 * NS)] == [1, 2]
        assert [row[0] // NS for row in await bench.rows("pot", 1, NS, 3 * NS + 1)] == [1, 2, 3]
        assert await bench.rows("pot", 1, 3 * NS, 3 * NS) == []

    run(build, test)


def test_what_has_no_value_leaves_no_trace(build: Build) -> None:
    async def test(bench: Bench) -> None:
        await bench.write((0, 1, VOLTAGE, 4.0), (0, 1, NOISE, NAN), (NS, 1, VOLTAGE, NAN))
        await bench.write((0, 1, VOLTAGE, NAN), (0, 2, VOLTAGE, NAN))
        assert await bench.rows("pot", 1) == [(0, VOLTAGE, 4.0)]
        assert await bench.rows("pot", 2) == []

    run(build, test)


def test_nothing_is_written_and_nothing_is_read(build: Build) -> None:
    async def test(bench: Bench) -> None:
        await bench.store.write(Readings.empty())
        for measurement in FIELDS:
            assert await bench.rows(measurement, 1) == []
            assert len(await bench.store.read(measurement, "s/L/nobody", 0, NOW_NS)) == 0
        await bench.write((0, 1, VOLTAGE, 4.0))
        assert len(await bench.store.read("pot", "x/y/z", 0, 2 * NOW_NS)) == 0
        assert len(await bench.store.read("pot", "s/L", 0, 2 * NOW_NS)) == 0
        assert await bench.rows("event", 1) == []

    run(build, test)


def test_units_and_measurements_are_kept_apart(build: Build) -> None:
    async def test(bench: Bench) -> None:
        await bench.write((0, 0, CURRENT, 500.0), (0, 1, VOLTAGE, 4.1), (0, 2, VOLTAGE, 4.2), (0, 2, TAPPED, 2000.0))
        await bench.write((0, 0, figure_code("twin_line", "metal_t", "day"), 7.0))
        assert await bench.rows("line", 0) == [(0, CURRENT, 500.0)]
        assert await bench.rows("pot", 1) == [(0, VOLTAGE, 4.1)]
        assert await bench.rows("pot", 2) == [(0, VOLTAGE, 4.2)]
        assert await bench.rows("event", 2) == [(0, TAPPED, 2000.0)]
        assert [row[2] for row in await bench.rows("twin_line", 0)] == [7.0]

    run(build, test)


def test_a_unit_enrolled_later_is_stored_like_any_other(build: Build) -> None:
    async def test(bench: Bench) -> None:
        await bench.write((0, 1, VOLTAGE, 4.0))
        new = bench.roster.add("s/L/X-1.a")
        await bench.write((0, new, VOLTAGE, 4.5), (NS, 1, VOLTAGE, 4.1))
        await bench.write((0, new, NOISE, 3.0))
        assert await bench.rows("pot", new) == [(0, VOLTAGE, 4.5), (0, NOISE, 3.0)]
        assert len(await bench.rows("pot", 1)) == 2

    run(build, test)


def test_a_large_batch_is_kept_whole(build: Build) -> None:
    async def test(bench: Bench) -> None:
        times = range(2000)
        sent = told(*((t * NS, pot, VOLTAGE, t + pot / 8) for t in times for pot in range(1, 9)))
        await bench.store.write(sent)
        for pot in (1, 8):
            assert await bench.rows("pot", pot) == [(t * NS, VOLTAGE, t + pot / 8) for t in times]

    run(build, test, pots=8)


def test_several_writes_at_once_all_arrive(build: Build) -> None:
    async def test(bench: Bench) -> None:
        parts = [[(n * NS, pot, code, n + pot + 0.5) for n in range(start, start + 60)]
                 for start in (0, 40, 80) for pot in (1, 2) for code in (VOLTAGE, NOISE)]  # fmt: skip
        await asyncio.gather(*(bench.write(*part) for part in parts))
        for pot in (1, 2):
            rows = await bench.rows("pot", pot)
            assert rows == [(n * NS, code, n + pot + 0.5) for n in range(140) for code in (VOLTAGE, NOISE)]

    run(build, test)


def test_a_store_that_is_there_answers(build: Build) -> None:
    async def test(bench: Bench) -> None:
        await bench.store.probe()
        await bench.write((0, 1, 0, 4.0))
        await bench.store.probe()

    run(build, test)


def test_closing_twice_is_harmless(build: Build) -> None:
    async def test(bench: Bench) -> None:
        await bench.write((0, 1, VOLTAGE, 4.0))
        await bench.store.close()

    run(build, test)


def test_what_was_measured_is_read_back_in_order_of_time_for_every_unit(build: Build) -> None:
    """A restart reads this: all units at once, also those that the roster has forgotten; not what the twin says."""

    async def test(bench: Bench) -> None:
        new = bench.roster.add("s/L/new")
        figure = figure_code("twin_pot", "dc_kwh_t", "hour")
        rows = [(3 * NS, 1, VOLTAGE, 4.1), (NS, 2, VOLTAGE, 4.2), (NS, 2, NOISE, 9.0), (2 * NS, 0, CURRENT, 500.5)]
        rows += [(2 * NS, 1, TAPPED, 2100.0), (NS, new, VOLTAGE, 4.3), (5 * NS, 1, VOLTAGE, 4.4), (0, 1, VOLTAGE, 4.0)]
        found_by_the_twin = fault_code("no_data")
        await bench.write(*rows, (2 * NS, 1, figure, 12_700.0), (2 * NS, 1, found_by_the_twin, 1.0))
        del bench.roster.paths[new], bench.roster.codes["s/L/new"]
        for column in (bench.roster.kinds, bench.roster.line_of, bench.roster._sections):
            del column[new]
        if isinstance(bench.store, DuckStore):  # it remembers the roster too, as long as the file is open
            await bench.store._run(bench.store._close)
        found = await bench.store.measured(NOW_NS + NS, NOW_NS + 5 * NS)
        assert bench.roster.code("s/L/new") == new
        assert found.time_ns.tolist() == sorted(found.time_ns.tolist())
        columns = (found.time_ns - NOW_NS, found.unit, found.signal, found.value)
        assert sorted(zip(*(column.tolist() for column in columns), strict=True)) == sorted(rows[:6])

    run(build, test)
