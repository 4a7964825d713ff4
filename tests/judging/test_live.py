"""From sensors to the page: a pot with a strong cause, the runner, an embedded store, models beside, a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from simulators.schedule import Cause
from tests.core.pages import Source, get
from tests.judging.line import HOUR, engine, minutes_of, plant_of
from twin import checkpoint
from twin.adapters.duck import DuckStore
from twin.announce import state_messages
from twin.answers import answer
from twin.catalogue import fault_code, score_code
from twin.causes import number_of
from twin.frames import Readings
from twin.judge import Judge
from twin.judge_thread import JudgeThread
from twin.plant import Roster
from twin.runner import Runner
from twin.scoring import load, packaged
from twin.snapshot import IngestView

pytestmark = pytest.mark.long

POTS, BURNT = 8, 4
HEALTH = IngestView(True, 0, 0, 0, 0, 0.0, None, "DuckDB", "")


def runner_of(roster: Roster, store: DuckStore, kept: list[bytes], state: bytes = b"") -> Runner:
    async def save(data: bytes) -> None:
        kept.append(data)

    twin = engine(roster)
    judge = JudgeThread(Judge(load(packaged()), warm_h=0.9), "", pytest.fail)
    return Runner(
        twin, write=store.write, health=lambda: HEALTH, judge=judge, save=save,
        state=checkpoint.from_bytes(twin, state) if state else None,
    )  # fmt: skip


async def run(folder: Path) -> tuple[Runner, Readings, str]:
    """Two hours with a restart in between; the runner, its scores in the store, and the path of the burnt pot."""
    roster = plant_of(POTS)
    store, kept = DuckStore(folder / "twin.duckdb", roster), list[bytes]()
    await store.open()
    stream = list(minutes_of(roster, [Cause("burn_off", BURNT, HOUR, 2 * HOUR)], 2.0))
    runner = runner_of(roster, store, kept)
    for part in stream[:75]:
        await runner.feed(part)
        await runner.step()
    await runner.finish()
    runner = runner_of(roster, store, kept, kept[-1])
    for part in stream[75:]:
        await runner.feed(part)
        await runner.step()
    await runner.finish()
    await runner.step()  # the view of the next second has what was judged meanwhile
    path = roster.paths[roster.pot_codes()[BURNT]]
    assert runner.report is not None
    end = runner.report.time_ns + 1
    scores = await store.read("twin_score", path, 0, end)
    events = await store.read("event", path, 0, end)
    await store.close()
    return runner, Readings.concat([scores, events]), path


def test_a_pot_with_a_strong_cause_is_an_anomaly_of_that_cause_on_the_page_in_the_store_and_for_the_broker(
    tmp_path: Path,
) -> None:
    runner, stored, path = asyncio.run(run(tmp_path))
    assert runner.latest is not None

    class Twin(Source):
        def ask(self, question: str, path: str, changes: Mapping[str, float]) -> object:
            return answer(runner.engine, runner.report, question, path, changes, runner.judge)

    status, _, body = get(Twin(runner.latest), "/api/anomalies?path=demo/A")
    found = msgspec.json.decode(body)
    assert status == 200
    mine = [one for one in found["anomalies"] if one["unit"] == path]
    assert [(one["cause"], one["kind"]) for one in mine] == [("burn_off", "process")]
    assert mine[0]["title"] == "Anode burned off"
    assert mine[0]["advice"].endswith("set a new anode.")
    assert mine[0]["begin"] < mine[0]["told"]
    assert any(reason["column"].startswith("anode_") for reason in mine[0]["reasons"])
    assert len(found["risks"]) == POTS
    assert [risk["probability"] for risk in found["risks"]] == sorted(
        (r["probability"] for r in found["risks"]), reverse=True
    )
    pot = next(pot for pot in runner.latest.lines[0].pots if path.endswith(pot.id))
    assert pot.cause == "burn_off"
    assert any(event.title == "Anomaly: Anode burned off" and event.unit == path for event in runner.latest.events)
    last = stored.value[stored.signal == score_code("cause")][-1]
    assert last == number_of("burn_off")
    assert stored.value[stored.signal == fault_code("anomaly")].tolist() == [1.0]
    assert runner.report is not None
    said = {m.topic: msgspec.json.decode(m.payload) for m in state_messages(runner.engine, runner.report, "twin")}
    assert said[f"twin/{path}"]["scores"]["cause"] == "burn_off"


def test_without_models_the_page_says_why() -> None:
    roster = plant_of(POTS)
    twin = engine(roster)
    _, report = twin.step(twin.start(), next(iter(minutes_of(roster, [], 1 / 60))))
    found = answer(twin, report, "anomalies", "demo/A", {}, JudgeThread(None, "models.file is off", pytest.fail))
    assert msgspec.to_builtins(found)["problem"] == "models.file is off"
