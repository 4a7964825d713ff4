"""The whole twin as a Sparkplug host: what a foreign edge node sends is on the page, and stale when it dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.sources import run
from tests.live.tools import until
from tests.servers import Server
from tests.sparkplug.test_host import MAP, an_edge
from twin.connections import source_of, sparkplug_of
from twin.decoded import Beside
from twin.errors import ConfigError
from twin.mapping.table import mapping
from twin.parts import roster_of, router_of
from twin.service import Twin
from twin.service import run as run_service
from twin.settings import Settings, resolve
from twin.snapshot import PotView


def beside_of(settings: Settings, text: str = MAP) -> Beside:
    return mapping(text.format("G"), "test", router_of(settings, roster_of(settings)))


ROLES = ("ingest",)


def told(problem: str, /, *, level: str = "info", **fields: object) -> None:
    """Nobody listens."""


def test_a_process_of_one_line_hears_what_the_host_hands_on() -> None:
    """Parked messages of edge nodes are published again below the root, where no line's topics are."""
    on = resolve(flags={"sparkplug.host_id": "twin", "ingest.lines": "demo/A"})
    source = source_of(on, ROLES, ("demo/A",), beside_of(on), on_change=told, say=told)
    assert source._topics == ("smelter/demo/A/#", "smelter/spBv1.0/#")


def test_host_id_and_rows_belong_together() -> None:
    off, on = resolve(), resolve(flags={"sparkplug.host_id": "twin"})
    assert sparkplug_of(off, ROLES, None, told) is None
    assert sparkplug_of(on, ROLES, beside_of(on), told) is not None
    with pytest.raises(ConfigError, match=r"sparkplug\.host_id"):
        sparkplug_of(off, ROLES, beside_of(off), told)
    with pytest.raises(ConfigError, match=r"ingest\.map"):
        sparkplug_of(on, ROLES, None, told)


@pytest.mark.parametrize(("name", "value"), [("host_id", "a/b"), ("host_id", "a+"), ("group", "a/b"), ("group", "#")])
def test_names_that_are_none(name: str, value: str) -> None:
    settings = resolve(flags={"sparkplug.host_id": "twin", f"sparkplug.{name}": value})
    with pytest.raises(ConfigError, match=f"sparkplug.{name} = '{value}'".replace("+", r"\+")):
        sparkplug_of(settings, ROLES, beside_of(settings), told)


def settings_of(broker: Server, fresh_name: str, tmp_path: Path, file: Path) -> Settings:
    """Ingest and engine on a memory store, as a Sparkplug host."""
    return resolve(
        flags={
            "mqtt.url": broker.url, "mqtt.client_id": fresh_name, "mqtt.root": fresh_name, "mqtt.twin_root": "",
            "sink.url": "memory", "data.dir": str(tmp_path), "ingest.map": str(file), "engine.estimate": "false",
            "sparkplug.host_id": f"{fresh_name}h", "sparkplug.group": fresh_name, "plant.pots": "3",
        }
    )  # fmt: skip


class Watched:
    """The twin that runs, as soon as it does, and what it shows of the second pot."""

    def __init__(self) -> None:
        self.twin: Twin | None = None

    async def watch(self, twin: Twin) -> None:
        self.twin = twin

    @property
    def pot(self) -> PotView | None:
        view = self.twin.runner.latest if self.twin and self.twin.runner else None
        return view.lines[0].pots[1] if view else None

    def hosting(self) -> bool:
        return self.twin is not None and self.twin.sparkplug is not None and self.twin.sparkplug.problem == ""

    def shows(self, volt: float | None, stale: bool) -> Callable[[], bool]:
        return lambda: (found := self.pot) is not None and (found.voltage_v, found.stale) == (volt, stale)

    def born(self, group: str, device: str) -> Callable[[], bool]:
        def said() -> bool:
            source = self.twin.sparkplug if self.twin else None
            return source is not None and source.host.online(group, f"of-{device}", device)

        return said


@pytest.mark.live
def test_the_page_shows_what_an_edge_node_says_and_that_it_is_gone(
    broker: Server, fresh_name: str, tmp_path: Path
) -> None:
    file = tmp_path / "map.toml"
    file.write_text(MAP.format(fresh_name).replace('"s/L/', '"demo/A/A'))
    settings = settings_of(broker, fresh_name, tmp_path, file)
    seen = Watched()

    async def test() -> None:
        stop, roles = asyncio.Event(), ("ingest", "engine")
        service = asyncio.create_task(run_service(settings, roles, stop=stop, say=told, watch=seen.watch))
        try:
            await until(seen.hosting, "the host's connection")  # of a node that was born before, only data tell
            async with an_edge(broker, fresh_name) as edge:
                await until(seen.born(fresh_name, "pot2"), "the birth")
                for second in range(1, 6):  # a tick closes when later data comes
                    edge.order(update={"Voltage": 4010.0}, ahead_ms=second * 1000)
                await until(seen.shows(4.01, False), "the voltage")
            async with an_edge(broker, fresh_name, "pot3") as other:
                await until(seen.born(fresh_name, "pot3"), "the birth of another")
                other.order(update={"Voltage": 4020.0}, ahead_ms=20_000)
                await until(seen.shows(None, True), "the death")
        finally:
            stop.set()
            await service

    run(test)
