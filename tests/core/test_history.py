"""A look back through the API of the page, over a store in memory and the real server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from tests.core.desks import NEWEST, PATH, app_of, asked, written
from twin.adapters.memory import MemorySink
from twin.errors import SinkUnavailable
from twin.history import MOST_AT_ONCE, fields_of, step_s
from twin.units import NS_PER_S
from twin.web import Problem

S = NEWEST / NS_PER_S


def get(address: str, wanted: int = 200) -> Any:
    (answer,) = asked(app_of(written()), address)
    assert answer.status == wanted, answer.body
    return answer.json()


def test_an_hour_comes_in_round_spans_with_low_mean_and_high() -> None:
    found = get(f"/api/history?path={PATH}&fields=pot.voltage_v,twin_state.alumina_pct&hours=1&points=360")
    assert found["step_s"] == 10
    assert found["end"] == pytest.approx(S, abs=0.01)
    volts = found["fields"]["pot.voltage_v"]
    assert volts["unit"] == "V"
    assert sum(volts["count"]) == 3600
    assert all(time % 10 == 0 for time in volts["time"])
    spike = volts["high"].index(max(volts["high"]))
    assert volts["high"][spike] == 30.0, "one second of an anode effect is still there"
    assert volts["low"][spike] == 4.0
    assert volts["mean"][spike] == pytest.approx(6.6)
    assert len(found["fields"]["twin_state.alumina_pct"]["time"]) == 60


@pytest.mark.parametrize(("hours", "points"), [(0.01, 2000), (1, 10), (8, 600), (24, 600), (168, 600), (744, 2000)])
def test_never_more_spans_than_were_asked_for(hours: float, points: int) -> None:
    assert hours * 3600 / step_s(hours, points) <= points
    curve = get(f"/api/history?path={PATH}&fields=pot.voltage_v&hours={hours}&points={points}")["fields"]
    assert 0 < len(curve["pot.voltage_v"]["time"]) <= points + 1


def test_a_range_can_end_in_the_past() -> None:
    end = S - 1800
    found = get(f"/api/history?path={PATH}&fields=pot.voltage_v&hours=0.5&end={end}")
    assert found["end"] == end
    times = found["fields"]["pot.voltage_v"]["time"]
    assert end - 1800 - found["step_s"] < times[0] <= times[-1] < end


def test_events_come_a_page_at_a_time_and_none_twice() -> None:
    seen: list[tuple[float, str]] = []
    app, address = app_of(written()), f"/api/events?path={PATH}&hours=1&limit=3"
    following, pages = "", 0
    while True:
        found = asked(app, address + following)[0].json()
        assert len(found["events"]) <= 4
        seen += [(event["time_s"], event["code"]) for event in found["events"]]
        pages += 1
        if found["next"] is None:
            break
        following = f"&end={found['next']}"
    assert pages > 2
    assert len(seen) == len(set(seen)) == 10
    assert seen == sorted(seen, key=lambda item: -item[0])
    kinds = {event["code"]: event for event in asked(app, f"/api/events?path={PATH}")[0].json()["events"]}
    assert kinds["anode_effect"]["kind"] == "fault"
    assert kinds["anode_effect"]["title"] == "Anode effect"
    assert (kinds["tapped_metal_kg"]["kind"], kinds["tapped_metal_kg"]["value"]) == ("work", 3000.0)


@pytest.mark.parametrize(
    ("address", "status", "told"),
    [
        ("history?fields=pot.voltage_v", 400, "path is missing"),
        (f"history?path={PATH}", 400, "fields is missing"),
        (f"history?path={PATH}&fields=pot.voltage", 404, "no field 'pot.voltage'"),
        (f"history?path={PATH}&fields=line.line_current_ka", 404, "a pot has no field"),
        (f"history?path={PATH}&fields=pot.voltage_v)--", 400, "not of the form"),
        (f"history?path={PATH}&fields={','.join(['pot.voltage_v'] * 13)}", 400, "13 are too many"),
        (f"history?path={PATH}&fields=pot.voltage_v&hours=745", 400, "0.01 to 744"),
        (f"history?path={PATH}&fields=pot.voltage_v&hours=nan", 400, "not a number"),
        (f"history?path={PATH}&fields=pot.voltage_v&points=2001", 400, "10 to 2000"),
        (f"history?path={PATH}&fields=pot.voltage_v&points=1e2.5", 400, "not a whole number"),
        (f"history?path={PATH}&fields=pot.voltage_v&end=-1", 400, "end=-1"),
        ("history?path=demo/Z&fields=pot.voltage_v", 404, "there is no unit 'demo/Z'"),
        ("events?path=demo/Z", 404, "there is no unit"),
        ("pots?path=demo/Z", 404, "there is no line"),
        ("settings?x=1", 400, "'x' is not known here: only nothing"),
    ],
)
def test_what_is_wrong_is_said_with_where_and_what_to_do(address: str, status: int, told: str) -> None:
    said = msgspec.convert(get(f"/api/{address}", status), Problem)
    assert told in said.detail
    assert said.instance == f"/api/{address.partition('?')[0]}"
    assert said.advice


def test_before_there_is_data_it_says_so() -> None:
    for address in (f"/api/history?path={PATH}&fields=pot.voltage_v", f"/api/events?path={PATH}", "/api/latest"):
        (answer,) = asked(app_of(written(), warm=False), address)
        assert answer.status == 503
        assert "warming up" in answer.json()["detail"]


class _Store(MemorySink):
    """A store whose answer waits for `gate`, then is `failure`."""

    gate: Callable[[], Awaitable[object]]
    failure: Exception | None = None

    async def history(self, *asked: Any, **more: Any) -> Any:
        await self.gate()
        if self.failure:
            raise self.failure
        return await super().history(*asked, **more)


def test_a_store_that_is_away_is_a_503_and_the_next_look_works() -> None:
    store = written(_Store)
    store.gate = lambda: asyncio.sleep(0)
    store.failure = SinkUnavailable("it sleeps")
    app = app_of(store)
    address = f"/api/history?path={PATH}&fields=pot.voltage_v"
    answers = [asked(app, address)[0] for _ in range(MOST_AT_ONCE + 1)]
    assert {answer.status for answer in answers} == {503}
    assert "it sleeps" in answers[-1].json()["detail"]
    store.failure = None
    assert asked(app, address)[0].status == 200


def test_more_looks_than_the_store_can_bear_are_told_to_come_again() -> None:
    store = written(_Store)
    store.gate = lambda: asyncio.sleep(0.05)
    app = app_of(store)
    answers = asked(app, *[f"/api/history?path={PATH}&fields=pot.voltage_v"] * (MOST_AT_ONCE + 3))
    assert sorted(answer.status for answer in answers) == [200] * MOST_AT_ONCE + [503] * 3
    assert asked(app, f"/api/history?path={PATH}&fields=pot.voltage_v")[0].status == 200


@pytest.mark.long
def test_every_field_of_every_kind_can_be_asked_for() -> None:
    app = app_of(written())
    for kind, path in (("pot", PATH), ("line", "demo/A"), ("site", "demo"), ("section", "demo/A/section:1")):
        names = [row.name for row in fields_of(kind)]  # type: ignore[arg-type]
        assert [row["name"] for row in asked(app, f"/api/fields?path={path}")[0].json()] == names
        for start in range(0, len(names), 12):
            (answer,) = asked(app, f"/api/history?path={path}&fields={','.join(names[start : start + 12])}")
            assert answer.status == 200, answer.body
            assert list(answer.json()["fields"]) == names[start : start + 12]


def test_settings_are_told_without_secrets_and_the_way_in_with_advice() -> None:
    app = app_of(written())
    rows = {row["name"]: row for row in asked(app, "/api/settings")[0].json()}
    assert rows["mqtt.url"]["value"] == "mqtt://twin:***@broker:1883"
    assert rows["mqtt.url"]["origin"] == "environment SMELTER_MQTT_URL"
    assert rows["engine.output_s"]["origin"] == "default"
    told = asked(app, "/api/ingest")[0].json()
    assert [(row["reason"], row["count"]) for row in told["parked"]] == [("out_of_range", 7), ("bad_time", 2)]
    assert "ISO 8601" in told["parked"][1]["advice"]
    assert told["where"] == {"broker": "mqtt://twin:***@broker:1883", "store": "memory"}
