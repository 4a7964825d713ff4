"""Database failures against the real InfluxDB: F9 to F12, F18, F21, F22, F30. Each has an outcome and a counter."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from tests.core.plants import NS, codec_of, roster_of
from tests.servers import InfluxServer, Server
from twin.adapters.influx import InfluxStore, Target
from twin.adapters.memory import FakeClock, ListSource
from twin.codec import Problem
from twin.errors import SinkRejected
from twin.frames import Readings
from twin.ingest import Counts, Ingestor
from twin.ports import Message
from twin.service import SystemClock

pytestmark = pytest.mark.live

NOW_NS = SystemClock().now_ns() // NS * NS  # the database measures its retention with its own clock
DAY_NS = 86400 * NS


def message(pot: int, time_ns: int, fields: str) -> Message:
    return Message(f"smelter/s/L/00{pot}/telemetry", b'{"time": %d, %s}' % (time_ns, fields.encode()))


class Rig:
    """Messages on their way into a real database; what it wrote, parked and counted."""

    def __init__(self, front: Server, database: str) -> None:
        self._where = Target(front.url, database, "-")
        self.parked: list[Problem] = []
        self.refusals: list[SinkRejected] = []
        self.handed: list[Readings] = []
        self.writes = 0
        self.codec = codec_of(roster_of(3))

    async def park(self, problems: Sequence[Problem], received_ns: int) -> None:
        self.parked += problems

    async def write(self, readings: Readings) -> None:
        self.writes += 1
        await self._store.write(readings)

    async def _hand_on(self, readings: Readings) -> None:
        self.handed.append(readings)

    def take(self, *batches: Sequence[Message]) -> Counts:
        async def process() -> Counts:
            self._store = InfluxStore(self._where, self.codec.roster)
            await self._store.open()
            ingestor = Ingestor(
                ListSource(batches), self.codec, self, self, FakeClock(NOW_NS),
                hand_on=self._hand_on, on_refused=self.refusals.append,
            )  # fmt: skip
            try:
                async with asyncio.timeout(60):
                    await ingestor.run()
            finally:
                await self._store.close()
            return ingestor.counts

        counts = asyncio.run(process())
        assert counts.received == counts.stored + counts.parked == sum(map(len, batches))
        return counts

    @property
    def reasons(self) -> list[tuple[str, str, bytes]]:
        return [(p.reason, p.field, p.payload) for p in self.parked]


@pytest.fixture
def rig(influx_v2: Server, database: str) -> Rig:
    return Rig(influx_v2, database)


def values(influx: InfluxServer, database: str, field: str) -> list[float]:
    answer: dict[str, Any] = influx.query(f"SELECT {field} FROM pot ORDER BY time", database)
    return [row[1] for one in answer["results"][0].get("series", []) for row in one["values"]]


def make_integer(influx: InfluxServer, database: str, field: str) -> None:
    """Another product was here first, and wrote 950 where it meant 950.0."""
    line = f"pot,site=s,line=L,pot=009 {field}=1i {NOW_NS}\n".encode()
    assert influx.request("POST", f"/write?db={database}", line)[0] == 204


def test_f9_f10_f12_a_type_conflict_costs_one_value_a_message_and_one_write_a_batch(
    influx: InfluxServer, database: str, rig: Rig
) -> None:
    make_integer(influx, database, "noise_mv")
    batch = [
        message(1 + n % 3, NOW_NS - n * NS, f'"voltage_v": 4, "noise_mv": {5 if n % 4 else "null"}') for n in range(400)
    ]
    counts = rig.take(batch)
    assert rig.writes == 2
    assert rig.reasons == [("type_conflict", "noise_mv", m.payload) for n, m in enumerate(batch) if n % 4]
    assert counts.problems == {"type_conflict": 300}
    assert (counts.stored, counts.parked) == (100, 300)
    assert values(influx, database, "voltage_v") == [4.0] * 400, "what was good in them is there"
    assert [error.reason for error in rig.refusals] == ["type_conflict"], "told, once a batch"
    assert len(rig.handed[0]) == 500  # 400 voltages, and 100 that had no noise: BAD


def test_f22_what_the_retention_refuses_is_parked_and_never_tried_again(
    influx: InfluxServer, influx_v2: Server, fresh_name: str
) -> None:
    influx.query(f'CREATE DATABASE "{fresh_name}" WITH DURATION 24h SHARD DURATION 1h')
    rig = Rig(influx_v2, fresh_name)
    batch = [
        message(1 + n % 3, NOW_NS - n * NS - (3 * DAY_NS if n % 7 == 0 else 0), '"voltage_v": 4') for n in range(200)
    ]
    counts = rig.take(batch)
    old = [m.payload for n, m in enumerate(batch) if n % 7 == 0]
    assert rig.reasons == [("beyond_retention", "", payload) for payload in old]
    assert counts.problems == {"beyond_retention": len(old)}
    assert (counts.outages, counts.store_problem) == (0, "")
    assert values(influx, fresh_name, "voltage_v") == [4.0] * (200 - len(old))
    assert rig.writes < 20
    again = Rig(influx_v2, fresh_name)
    again.take([message(1, NOW_NS - 3 * DAY_NS - n, '"voltage_v": 4') for n in range(2000)])
    assert again.writes == 1, "a backfill that is too old as a whole is one question"
    assert len(again.parked) == 2000
    influx.drop_database(fresh_name)


def test_f9_f22_conflict_and_retention_in_one_batch(influx: InfluxServer, influx_v2: Server, fresh_name: str) -> None:
    influx.query(f'CREATE DATABASE "{fresh_name}" WITH DURATION 24h SHARD DURATION 1h')
    make_integer(influx, fresh_name, "noise_mv")
    rig = Rig(influx_v2, fresh_name)
    batch = [
        message(1, NOW_NS, '"voltage_v": 4.1, "noise_mv": 5'),
        message(2, NOW_NS - 3 * DAY_NS, '"voltage_v": 4.2'),
        message(3, NOW_NS, '"voltage_v": 4.3'),
        message(2, NOW_NS - 3 * DAY_NS, '"voltage_v": 4.2, "noise_mv": 5'),
        message(1, NOW_NS - NS, '"voltage_v": 999'),
    ]
    counts = rig.take(batch)
    assert values(influx, fresh_name, "voltage_v") == [4.1, 4.3]
    assert counts.problems == {"type_conflict": 1, "beyond_retention": 2, "out_of_range": 1}
    assert (counts.stored, counts.parked) == (1, 4)
    influx.drop_database(fresh_name)


def test_f11_a_whole_number_and_a_fraction_are_one_type(influx: InfluxServer, database: str, rig: Rig) -> None:
    counts = rig.take(
        [message(1, NOW_NS - 2 * NS, '"bath_temperature_c": 950')], [message(1, NOW_NS, '"bath_temperature_c": 950.5')]
    )
    assert counts.problems == {}
    assert values(influx, database, "bath_temperature_c") == [950.0, 950.5]


def test_f18_another_value_under_the_same_key_is_counted(influx: InfluxServer, database: str, rig: Rig) -> None:
    first, same, other = (message(1, NOW_NS, f'"voltage_v": {value}') for value in (4.0, 4.0, 4.5))
    counts = rig.take([first, same, message(2, NOW_NS, '"voltage_v": 4.0'), other])
    assert counts.collisions == 1
    assert counts.parked == 0
    assert values(influx, database, "voltage_v") == [4.5, 4.0], "the later one replaced it"


def test_f21_a_source_from_the_future_is_parked_and_known(influx: InfluxServer, database: str, rig: Rig) -> None:
    counts = rig.take([message(1, NOW_NS + 90 * NS, '"voltage_v": 4'), message(2, NOW_NS - NS, '"voltage_v": 4')])
    assert counts.problems == {"future_time": 1}
    assert counts.newest_ns == NOW_NS - NS, "it does not poison the newest time"
    assert values(influx, database, "voltage_v") == [4.0]
    assert rig.codec.skew.furthest() == (1, 90.0)


def test_f30_no_value_is_a_bad_reading_and_no_empty_line(influx: InfluxServer, database: str, rig: Rig) -> None:
    counts = rig.take(
        [
            message(1, NOW_NS, '"voltage_v": NaN'),
            message(2, NOW_NS, '"voltage_v": null'),
            message(3, NOW_NS, '"voltage_v": Infinity, "noise_mv": 5'),
        ]
    )
    assert counts.problems == {"not_finite": 2}
    assert (counts.stored, counts.parked, counts.bad_values) == (1, 2, 3)
    assert values(influx, database, "voltage_v") == []
    assert values(influx, database, "noise_mv") == [5.0]
    assert (rig.writes, rig.refusals) == (1, []), "no empty line went out"
    assert sorted(rig.handed[0].quality.tolist()) == [0, 2, 2, 2]
