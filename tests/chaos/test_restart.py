"""`twin run` with the engine, killed under load: its figures are those of an engine that nobody killed."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.chaos.figures import compare, undisturbed
from tests.chaos.ingestor import TwinProcess, parked
from tests.chaos.judge import expected_of
from tests.chaos.load import NS, Plan, Said, end_mark, plant_toml, said
from tests.chaos.outbox import Outbox
from tests.chaos.readback import readings_back
from tests.live.tools import until, until_sync
from tests.servers import InfluxServer, Server, free_port

pytestmark = pytest.mark.live

POTS = 40
PAST_S = 40 * 60  # of readings, published as fast as they are taken
HOUR_ENDS_S = 4 * 60  # after the beginning, before the first kill: its figures are told once
LATE = range(5 * 60, 10 * 60)  # seconds of which the second section comes at the very end
ESTIMATED = 1e-3  # how far figures that rest on the estimate may be off: what was in flight at a kill may come late
IN_FLIGHT = 150  # messages: more than a batch
KILLS = (0.25, 0.7)  # of everything that is sent; the first before the state has ever been kept


def words_of(folder: Path, broker: Server, sink: str, name: str) -> dict[str, object]:
    (folder / "plant.toml").write_text(plant_toml(POTS))
    return {
        "roles": "ingest,engine", "plant.file": folder / "plant.toml", "data.dir": folder / "data",
        "mqtt.url": broker.url, "mqtt.root": name, "mqtt.client_id": name, "mqtt.twin_root": f"{name}-state",
        "sink.url": sink, "engine.checkpoint_s": 3.0, "page.port": free_port(), "ingest.batch_messages": 100,
        "spool.max_mib": 0,  # what a machine under load puts there comes to the next process beside live data: late
    }  # fmt: skip


def late(message: Said, second: int) -> bool:
    return second in LATE and "/section/2/" in message.topic


def went_on(twin: TwinProcess) -> int:
    """How many lives have said that they go on from an earlier one."""
    return twin.log().count("the twin goes on")


async def publish(broker: Server, twin: TwinProcess, messages: list[Said]) -> None:
    """Hand all messages to the broker; kill the twin and start it again on the way."""
    outbox = Outbox(broker.host, broker.port, f"{twin.settings['mqtt.client_id']}-source")
    sending = asyncio.create_task(outbox.run())
    kills = [round(len(messages) * part) for part in KILLS]
    for start, end in pairwise([0, *kills, len(messages)]):
        for message in messages[start:end]:
            outbox.put(message.topic, message.payload)
        if end == kills[-1]:
            await until((twin.folder / "data" / "twin.state").exists, "a state that is kept")
        if end in kills:
            await until(lambda: went_on(twin) == twin.lives - 1, "the twin going on")
            await until(lambda: len(outbox.waiting) < IN_FLIGHT, "the messages before the kill")
            twin.kill()
            twin.start()
    await outbox.emptied()
    sending.cancel()
    await asyncio.wait([sending])


@pytest.mark.timeout(240)
@pytest.mark.parametrize("store", ["influx", "duckdb"])
def test_killed_under_load_the_figures_are_those_of_an_engine_that_ran_through(
    store: str, broker: Server, influx: InfluxServer, influx_v2: Server, database: str, fresh_name: str, tmp_path: Path
) -> None:
    sinks = {
        "influx": f"influx://127.0.0.1:{influx_v2.port}/{database}",
        "duckdb": f"duckdb:{tmp_path}/data/twin.duckdb",
    }
    words = words_of(tmp_path, broker, sinks[store], fresh_name)
    hour_s = (int(time.time()) - PAST_S + HOUR_ENDS_S) // 3600 * 3600
    plan = Plan(POTS, PAST_S, 5, (hour_s - HOUR_ENDS_S) * NS, fresh_name, True, [])
    seconds = [list(said(plan, second)) for second in range(PAST_S)]
    prompt = [[m for m in messages if not late(m, n)] for n, messages in enumerate(seconds)]
    now = [m for messages in prompt for m in messages]
    then = [m for n, messages in enumerate(seconds) for m in messages if late(m, n)]
    twin = TwinProcess(tmp_path, words)
    twin.start()
    try:
        twin.connected()
        end = end_mark(plan)
        asyncio.run(publish(broker, twin, [*now, *then, end]))
        until_sync(lambda: (end.topic, end.payload, end.reason) in parked(tmp_path / "data"), "the end mark", 120.0)
        assert twin.stop() == 0, twin.log()
    finally:
        twin.close()
    assert went_on(twin) == len(KILLS), twin.log()
    assert twin.log().count("the twin goes on anew") == 1, "the first kill came before the state was ever kept"
    points, written = readings_back(plan, words)
    expected, _ = expected_of([*now, *then])
    assert {point[:3]: point[3] for point in points} == expected
    assert len(points) == len(expected)
    compared = compare(written, undisturbed(plan, [*prompt, then], words))
    assert compared.ok, compared
    assert compared.booked > 500
    off = {
        name: part for name, part in (compared.worst or {}).items() if name.startswith(("efficiency_pct", "dc_kwh_t"))
    }
    assert max(off.values(), default=0.0) < ESTIMATED, off
