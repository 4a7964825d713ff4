"""InfluxDB and VictoriaMetrics as they are: real refusals, real outages, real read-back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.core.plants import NOW_NS, NS, codec_of, readings_of, roster_of
from tests.servers import InfluxServer, Server, VictoriaMetricsServer, influxd, nginx_v2
from twin.adapters.influx import InfluxStore, Target
from twin.adapters.memory import FakeClock, ListSource
from twin.codec import Problem
from twin.errors import SinkRejected, SinkUnavailable
from twin.frames import Readings
from twin.ingest import Ingestor
from twin.ports import Message
from twin.signals import by_name

pytestmark = pytest.mark.live

VOLTAGE = by_name("voltage_v")
SOME = readings_of([(n, pot, "voltage_v", 4.0 + n / 100) for n in range(20) for pot in (1, 2)])


@asynccontextmanager
async def store(url: str, database: str, **options: Any) -> AsyncIterator[InfluxStore]:
    opened = InfluxStore(Target(url, database, "-"), roster_of(3), **options)
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(60):
            await test()

    asyncio.run(limited())


async def voltages(influx: InfluxStore, pot: int) -> list[float]:
    found = await influx.read("pot", f"s/L/00{pot}", 0, 2 * NOW_NS)
    values: list[float] = found.value[found.signal == VOLTAGE].tolist()
    return values


def conflict(influx: InfluxServer, database: str) -> None:
    """Make the field noise_mv an integer, before we come with floats."""
    line = b"pot,site=s,line=L,pot=009 noise_mv=1i %d\n" % NOW_NS
    assert influx.request("POST", f"/write?db={database}", line)[0] == 204


def test_a_type_conflict_is_rejected_and_the_good_lines_are_stored(
    influx: InfluxServer, influx_v2: Server, database: str
) -> None:
    async def test() -> None:
        conflict(influx, database)
        mixed = readings_of([(0, 1, "voltage_v", 4.0), (1, 1, "noise_mv", 3.0), (2, 2, "voltage_v", 4.2)])
        async with store(influx_v2.url, database) as opened:
            with pytest.raises(SinkRejected, match="field type conflict"):
                await opened.write(mixed)
            assert [await voltages(opened, pot) for pot in (1, 2)] == [[4.0], [4.2]]

    run(test)


def test_a_line_that_cannot_be_read_is_named(influx_v2: Server, database: str) -> None:
    async def test() -> None:
        async with store(influx_v2.url, database) as opened:
            good = b"pot,site=s,line=L,pot=001 voltage_v=4.0 %d\n" % NOW_NS
            with pytest.raises(SinkRejected) as caught:
                await opened.write_lines(good + b"pot,site=s voltage_v= 1\n")
            assert caught.value.lines == (b"pot,site=s voltage_v= 1",)
            assert await voltages(opened, 1) == [4.0]

    run(test)


class Parked:
    def __init__(self) -> None:
        self.problems: list[Problem] = []

    async def park(self, problems: Sequence[Problem], received_ns: int) -> None:
        self.problems += problems


def test_the_ingest_parks_the_poison_and_stores_the_rest(
    influx: InfluxServer, influx_v2: Server, database: str
) -> None:
    messages = [Message("smelter/s/L/001/telemetry", b'{"time": %d, "voltage_v": 4}' % (NOW_NS + n)) for n in range(30)]
    poison = Message("smelter/s/L/002/telemetry", b'{"time": %d, "voltage_v": 4.5, "noise_mv": 3}' % NOW_NS)
    messages.insert(17, poison)

    async def nobody(readings: Readings) -> None:
        pass

    async def test() -> None:
        conflict(influx, database)
        parked = Parked()
        async with store(influx_v2.url, database) as opened:
            source, clock = ListSource([messages]), FakeClock(NOW_NS)
            await Ingestor(source, codec_of(), opened, parked, clock, hand_on=nobody).run()
            assert await voltages(opened, 1) == [4.0] * 30
        assert [(p.reason, p.payload) for p in parked.problems] == [("type_conflict", poison.payload)]
        assert source.acknowledged == [True]

    run(test)


def test_a_database_that_is_not_there_is_an_outage_that_ends(
    influx: InfluxServer, influx_v2: Server, fresh_name: str
) -> None:
    async def test() -> None:
        async with store(influx_v2.url, fresh_name) as opened:
            with pytest.raises(SinkUnavailable, match="database not found"):
                await opened.write(SOME)
            influx.create_database(fresh_name)
            await opened.write(SOME)
            assert len(await voltages(opened, 1)) == 20

    run(test)
    influx.drop_database(fresh_name)


def test_a_server_that_is_away_is_tried_again() -> None:
    """The database dies behind its proxy, then the proxy too; the same store object goes on when they are back."""

    async def test(influx: InfluxServer, front: Server) -> None:
        async with store(front.url, "db") as opened:
            await opened.write(SOME.take(slice(0, 10)))
            influx.kill()
            with pytest.raises(SinkUnavailable, match="HTTP 502"):
                await opened.write(SOME)
            with pytest.raises(SinkUnavailable):
                await opened.read("pot", "s/L/001", 0, NOW_NS)
            front.kill()
            with pytest.raises(SinkUnavailable):
                await opened.write(SOME)
            influx.start()
            front.start()
            await opened.write(SOME)
            assert await voltages(opened, 2) == [4.0 + n / 100 for n in range(20)]

    with influxd() as influx, nginx_v2(influx) as front:
        influx.create_database("db")
        run(lambda: test(influx, front))


def test_a_server_that_was_never_there_is_an_outage() -> None:
    async def test() -> None:
        async with store("http://127.0.0.1:1", "db") as opened:
            with pytest.raises(SinkUnavailable, match=r"127\.0\.0\.1:1"):
                await opened.write(SOME)

    run(test)


def test_compressed_batches_are_read_back(influx_v2: Server, database: str) -> None:
    async def test() -> None:
        async with store(influx_v2.url, database, compress=True) as opened:
            await opened.write(SOME)
            assert await voltages(opened, 1) == [4.0 + n / 100 for n in range(20)]

    run(test)


def test_every_field_is_a_float_whatever_it_looks_like(influx: InfluxServer, influx_v2: Server, database: str) -> None:
    async def test() -> None:
        async with store(influx_v2.url, database) as opened:
            await opened.write(readings_of([(0, 1, "bath_temperature_c", 960.0), (0, 1, "feed_mode", 1.0)]))
            await opened.write(readings_of([(1, 1, "bath_temperature_c", 960.5), (1, 1, "feed_mode", 2.0)]))

    run(test)
    answer = influx.query("SHOW FIELD KEYS FROM pot", database)
    assert answer["results"][0]["series"][0]["values"] == [["bath_temperature_c", "float"], ["feed_mode", "float"]]
    answer = influx.query("SHOW TAG KEYS FROM pot", database)
    assert [row[0] for row in answer["results"][0]["series"][0]["values"]] == ["line", "pot", "site"]


@pytest.mark.parametrize("compress", [False, True])
def test_victoria_metrics_takes_the_same_lines(
    victoria: VictoriaMetricsServer, fresh_name: str, compress: bool
) -> None:
    roster = roster_of(3)
    new = roster.add(f"s/L/{fresh_name}")
    sent = [(n, new, "voltage_v", 4.0 + n / 100) for n in range(20)]

    async def test() -> None:
        opened = InfluxStore(Target(victoria.url, "any", "-"), roster, compress=compress)
        await opened.open()
        await opened.write(readings_of(sent))
        await opened.close()

    run(test)
    victoria.flush()
    (series,) = victoria.export(f'{{pot="{fresh_name}"}}')
    labels = {name: series["metric"][name] for name in ("__name__", "site", "line", "pot")}
    assert labels == {"__name__": "pot_voltage_v", "site": "s", "line": "L", "pot": fresh_name}
    assert series["values"] == [4.0 + n / 100 for n in range(20)]
    assert series["timestamps"] == [(NOW_NS + n * NS) // 1_000_000 for n in range(20)]
