"""Several ingestors on one broker and one store: one is killed in mid-stream, and every reading is there once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.plants import LINES, START_MS, lines_file, messages, stored_of, topic_of_line, wanted
from tests.live.process import Twin
from tests.live.test_up import feed, finish
from tests.live.tools import publish, publisher, until_sync
from tests.servers import InfluxServer, Server, mosquitto

pytestmark = pytest.mark.live

EACH = 6000  # readings of a line


class Site:
    """What the processes of one test share."""

    def __init__(
        self, broker: Server, influx: InfluxServer, front: Server, database: str, name: str, folder: Path
    ) -> None:
        self.broker, self.influx, self.database, self.name, self.folder = broker, influx, database, name, folder
        self.settings: dict[str, Any] = {
            "plant.file": lines_file(folder / "plant"), "mqtt.url": broker.url, "mqtt.root": name,
            "mqtt.client_id": name, "sink.url": f"influx://127.0.0.1:{front.port}/{database}",
            "ingest.batch_messages": 200, "roles": "ingest",
        }  # fmt: skip
        self.running: list[Twin] = []

    def start(self, folder: str, **more: object) -> Twin:
        """A process that is connected; `folder` is its own."""
        given = {name.replace("__", "."): value for name, value in more.items()}
        self.running.append(Twin(self.folder / folder, "run", {**self.settings, **given}))
        self.running[-1].says("connected to the broker")
        return self.running[-1]

    def stored(self) -> dict[str, list[tuple[int, float]]]:
        return stored_of(self.influx, self.database)

    def count(self) -> int:
        return sum(len(points) for points in self.stored().values())

    def stop(self) -> None:
        for process in self.running:
            if process.process.poll() is None:
                assert process.stop() == 0, process.log()
                assert "Traceback" not in process.log()

    def close(self) -> None:
        for process in self.running:
            process.close()


@pytest.fixture
def site(
    broker: Server, influx: InfluxServer, influx_v2: Server, database: str, fresh_name: str, tmp_path: Path
) -> Iterator[Site]:
    found = Site(broker, influx, influx_v2, database, fresh_name, tmp_path)
    yield found
    found.close()


def test_split_by_line_one_of_three_is_killed_and_every_reading_is_there_once(site: Site) -> None:
    """What comes for a line while its process is away waits on the broker; the others go on."""
    three = {line: site.start(line, mqtt__instance=line, ingest__lines=f"demo/{line}") for line in LINES}
    with contextlib.ExitStack() as stack:
        sources = {line: stack.enter_context(publisher(site.broker, topic_of_line(site.name, line))) for line in LINES}
        for source in sources.values():
            feed(source, messages(0, EACH // 2))
        until_sync(lambda: bool(site.stored().get("B")), "the first points of B")
        three["B"].kill()
        for source in sources.values():
            feed(source, messages(EACH // 2, EACH))
            finish(source)
    until_sync(lambda: all(len(site.stored()[line]) == EACH for line in "AC"), "the lines of those that live")
    assert len(site.stored()["B"]) < EACH, "B's process is away"
    site.start("B", mqtt__instance="B", ingest__lines="demo/B")
    until_sync(lambda: len(site.stored()["B"]) >= EACH, "line B")
    site.stop()
    assert site.stored() == {line: wanted(0, EACH) for line in LINES}


@pytest.mark.parametrize("folder", ["2", "another host"])
def test_of_a_shared_subscription_one_of_three_is_killed_and_its_part_waits_for_it(site: Site, folder: str) -> None:
    """mosquitto keeps a dead member in turn: its part is stored when a process of its name comes back, anywhere."""
    three = [site.start(str(n), mqtt__instance=str(n), mqtt__share="crew") for n in (1, 2, 3)]
    total = 2 * EACH
    with publisher(site.broker, topic_of_line(site.name, "A")) as source:
        feed(source, messages(0, total // 2))
        until_sync(lambda: bool(site.stored()), "the first points")
        three[1].kill()
        feed(source, messages(total // 2, total))
        finish(source)
    until_sync(lambda: site.count() > total // 2, "the part of those that live")
    site.start(folder, mqtt__instance="2", mqtt__share="crew")
    until_sync(lambda: site.count() >= total, f"every point; {site.count()} of {total} are there")
    site.stop()
    assert site.stored() == {"A": wanted(0, total)}


def test_a_dead_member_whose_session_expires_takes_its_part_along(
    influx: InfluxServer, influx_v2: Server, database: str, fresh_name: str, tmp_path: Path
) -> None:
    """Why mqtt.session_expiry_s is a day: this is what a second of it costs under mosquitto."""
    more: dict[str, Any] = {"mqtt__share": "crew", "mqtt__session_expiry_s": 1}
    with mosquitto("log_type notice\n") as broker:
        site = Site(broker, influx, influx_v2, database, fresh_name, tmp_path)
        try:
            first, second = (site.start(str(n), mqtt__instance=str(n), **more) for n in (1, 2))
            assert "mqtt.session_expiry_s = 1: a process that is away for longer loses" in first.log()
            second.kill()
            with publisher(broker, topic_of_line(site.name, "A")) as source:
                feed(source, messages(0, 1000))
                finish(source)
            until_sync(lambda: site.count() >= 500, "the part of the one that lives")
            until_sync(lambda: f"Expiring client {site.name}-2" in broker.log(), "the end of the session")
            site.start("2", mqtt__instance="2", **more).says("has forgotten the session")
            site.stop()
            assert site.count() == 500, "the other half was the dead member's"
        finally:
            site.close()


def test_two_processes_of_one_name_do_not_take_turns(site: Site) -> None:
    first = site.start("first")
    second = site.start("second")
    assert first.process.wait(20) == 2
    said = " ".join(first.log().split())
    assert f"process {second.process.pid}," in said, "it names the other one"
    assert f"has taken over the session of client id '{site.name}'" in said
    assert "mqtt.instance" in said
    assert "Traceback" not in said
    with publisher(site.broker, topic_of_line(site.name, "A")) as source:
        feed(source, messages(0, 100))
        finish(source)
    until_sync(lambda: site.count() == 100, "the second goes on")
    assert second.stop() == 0
    assert 1 <= second.log().count("connected to the broker") <= 2, "it may have been thrown out once"


def test_engines_split_by_line_write_their_figures_beside_the_ingest_and_no_total_of_a_part(site: Site) -> None:
    engines = {"roles": "engine", "engine.output_s": 1, "engine.estimate": "false"}
    first = site.start("first", **engines, mqtt__instance="1", **{"engine.lines": "demo/A"})
    second = site.start("second", **engines, mqtt__instance="2", **{"engine.lines": "demo/B,demo/C"})
    site.start("ingest")
    assert "computing demo/B, demo/C only: not told are the figures of demo" in " ".join(second.log().split())
    for line in LINES:
        for kind, values in (("line", b'"line_current_ka":500'), (f"{line}001/telemetry", b'"voltage_v":4')):
            said = [b'{"time":%d,%s}' % (START_MS + 1000 * n, values) for n in range(300)]
            publish(site.broker, f"{site.name}/demo/{line}/{kind}", said)

    def figures() -> dict[str, float]:
        """Metal [t] of the hour of the first pot of each line, as the twin has stored it."""
        question = "SELECT last(metal_t_hour) FROM twin_pot WHERE pot =~ /001/ GROUP BY line"
        answer = site.influx.query(question, site.database)["results"][0]
        return {series["tags"]["line"]: series["values"][0][1] for series in answer.get("series", [])}

    until_sync(lambda: [line for line, metal in figures().items() if metal > 0] == [*LINES], "figures of every line")
    site.stop()
    found = site.influx.query("SHOW MEASUREMENTS", site.database)["results"][0]["series"][0]["values"]
    assert ["twin_line"] in found
    assert ["twin_site"] not in found, "no engine has all of the site"
    assert len(site.stored()["A"]) == 300
    assert "Traceback" not in first.log()
