"""The page with its API over a store in memory: an hour of one pot, with an anode effect of a second and ten events."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import msgspec
from starlette.applications import Starlette

from tests.core.pages import Source, ask, snapshot
from twin import plant
from twin.adapters import page, page_api
from twin.adapters.memory import MemorySink
from twin.catalogue import fault_code, score_code, state_code
from twin.history import Lookback
from twin.page_parts import ingest_answer, setting_views
from twin.plant import Roster
from twin.settings import resolve
from twin.signals import by_name
from twin.units import NS_PER_S

PATH = "demo/A/A001"
NEWEST = 1_767_243_600 * NS_PER_S  # 2026-01-01 05:00 UTC, 13:00 where the plant is
URL = "mqtt://twin:hunter2@broker:1883"


def roster() -> Roster:
    """The demo plant: line demo/A with 60 pots."""
    return Roster(plant.parse((files("twin") / "plants" / "demo.toml").read_text("utf-8"), "demo"))


def written(kind: type[MemorySink] = MemorySink) -> Any:
    """A store with the hour before NEWEST: signals each second, states and risk each minute, events."""
    store = kind(roster())
    store.values = dict(_hour())
    return store


@cache
def _hour() -> dict[tuple[str, int, int], float]:
    first = NEWEST - 3600 * NS_PER_S
    rows: list[tuple[int, int, float]] = []
    for second in range(1, 3601):
        time = first + second * NS_PER_S
        spike = 30.0 if second == 1805 else 4.0
        for name, value in (("voltage_v", spike), ("resistance_uohm", 4.7), ("noise_mv", 8.0 + second % 5)):
            rows.append((time, by_name(name), value))
        rows.append((time, by_name("bath_temperature_c"), 955.0 + math.sin(second / 600)))
        if second % 60 == 0:
            rows.append((time, state_code("alumina_pct"), 2.5))
            rows.append((time, state_code("alumina_pct", u=True), 0.2))
            rows.append((time, score_code("anode_effect_risk"), 0.05))
    events = [("anode_effect", 1805, 1.0), ("anode_effect", 1806, 0.0)]
    events += [("noisy", 100 * n, float(n % 2)) for n in range(1, 8)]
    rows += [(first + second * NS_PER_S, fault_code(code), value) for code, second, value in events]
    rows.append((first + 2400 * NS_PER_S, by_name("tapped_metal_kg"), 3000.0))
    return {(PATH, code, time): value for time, code, value in rows}


def api(store: Any, source: Source, *, warm: bool = True) -> list[Any]:
    """The routes beside those of the page."""
    settings = resolve(environment={"SMELTER_MQTT_URL": URL})
    view = msgspec.structs.replace(snapshot(1).ingest, problems={"bad_time": 2, "out_of_range": 7})
    rows = list(setting_views(settings))
    back = Lookback(store._roster, store, lambda: NEWEST if warm else 0)
    return page_api.routes(
        page_api.Desk(
            source.latest, back, lambda: ingest_answer(view, {"broker": URL, "store": "memory"}), lambda: rows
        )
    )


def app_of(store: Any, *, warm: bool = True) -> Starlette:
    """The page over `store`, before or after the first data."""
    source = Source(snapshot(1) if warm else None)
    return page.application(source.latest, wait=source.wait, ask=source.ask, beside=api(store, source, warm=warm))


class Said(NamedTuple):
    """An answer to one request."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


def asked(app: Starlette, *addresses: str) -> list[Said]:
    """The answers of the real server to requests that come at the same time."""

    async def run() -> list[Said]:
        address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        server = asyncio.create_task(page.serve(app, "127.0.0.1", 0, ready=address.set_result))
        port = int((await address).rstrip("/").rpartition(":")[2])
        try:
            return [Said(*found) for found in await asyncio.gather(*(ask(port, one) for one in addresses))]
        finally:
            server.cancel()
            with suppress(asyncio.CancelledError):
                await server

    return asyncio.run(run())
