"""The how-to pages are done as they stand there, against the real broker and database; only addresses are replaced."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.tools import until_sync
from tests.pages.commands import ROOT
from tests.pages.steps import Reader, Step, same, steps
from tests.servers import Server, free_port, influxd, nginx_v2

pytestmark = pytest.mark.live

HOW_TO = ROOT / "docs" / "how-to"
Follow = Callable[..., Reader]


@pytest.fixture
def follow(tmp_path: Path) -> Iterator[Follow]:
    """A reader in an empty folder, with a free port for the page."""
    readers: list[Reader] = []

    def begin(own: dict[str, str], **settings: object) -> Reader:
        port = free_port()
        own = {"http://127.0.0.1:8080": f"http://127.0.0.1:{port}", **own}
        environment = {f"SMELTER_{name.upper()}": str(value) for name, value in settings.items()}
        readers.append(Reader(tmp_path, own, {"SMELTER_PAGE_PORT": str(port), **environment}))
        return readers[-1]

    yield begin
    for reader in readers:
        reader.end()


def page(name: str) -> list[Step]:
    return steps((HOW_TO / name).read_text("utf-8"))


def publish(reader: Reader, broker: Server, topic: str, when: str, name: str, value: float) -> None:
    """One message of the line, as its gateway would send it, with the time of now."""
    text = f'{{"{when}": {time.time_ns() // 10**6}, "{name}": {value}}}'
    reader.do(Step(f"mosquitto_pub -p {broker.port} -q 1 -t {topic} -m '{text}'"))


def test_every_page_is_done_below() -> None:
    elsewhere = {"grafana.md", "own-signal.md"}  # tests/dashboards/test_push.py, tests/pages/test_own_signal.py
    assert {path.name for path in HOW_TO.glob("*.md")} == {
        "connect-a-line.md",
        "own-plan.md",
        "influxdb.md",
    } | elsewhere


def test_connect_a_line(follow: Follow, broker: Server) -> None:
    reader = follow({"broker.example:1883": f"127.0.0.1:{broker.port}"})
    *before, status, parked, record = page("connect-a-line.md")
    for step in before:
        reader.do(step)
    publish(reader, broker, "smelter/works/1/P002/telemetry", "time", "voltage_v", 4100)  # mV said as V

    def told() -> str:
        publish(reader, broker, "smelter/works/1/P001/telemetry", "time", "voltage_v", 4.1)
        publish(reader, broker, "plant/1/pot7/data", "ts", "u", 4012)
        found = re.search(r"ingest: .*", reader.type(status.text).stdout)
        return found[0] if found else ""

    until_sync(lambda: "1 parked" in told(), "the balance sheet")
    reader.do(Step(parked.text, "...out_of_range...smelter/works/1/P002/telemetry..."))
    assert record.text.endswith(" --for 10m --config twin.toml")
    reader.do(Step(record.text.replace("10m", "1s"), "...line.parquet..."))
    reader.leave()


def test_own_plan(follow: Follow) -> None:
    reader = follow({}, broker_port=free_port(), plant_pots=6, simulate_history_min=75)
    plan, spoil, wrong, up, status, config, show, report = page("own-plan.md")
    for step in (plan, spoil, wrong, up):
        reader.do(step)
    until_sync(lambda: same(status.shown, reader.type(status.text).stdout), "the rule in `twin status`", 60)
    reader.leave()
    reader.do(config)
    reader.do(Step(show.text, "...plan.file...plan.toml...twin.toml..."))
    month = time.strftime("%Y-%m", time.gmtime(time.time() + 8 * 3600))
    assert "--month 2026-11" in report.text
    reader.do(Step(report.text.replace("2026-11", month), "...wrote november.html"))
    assert "Target of the works" in (reader.folder / "november.html").read_text("utf-8")


def test_influxdb(follow: Follow, broker: Server) -> None:
    with influxd() as influx, nginx_v2(influx) as front:
        own = {
            "broker.example -p 1883": f"127.0.0.1 -p {broker.port}",
            "broker.example:1883": f"127.0.0.1:{broker.port}",
        }
        reader = follow({**own, "influx.example:8086": f"127.0.0.1:{front.port}"})
        create, config, run, message, look, move = page("influxdb.md")
        (reader.folder / "influx.token").write_text("secret\n")
        (reader.folder / "influx.token").chmod(0o600)
        for step in (create, config, run, message):
            reader.do(step)
        until_sync(lambda: "4.012" in reader.type(look.text).stdout, "the value in InfluxDB")
        reader.do(look)
        reader.leave()
        reader.do(Step("twin simulate --pots 2 --for 2m --to parquet:two.parquet && mkdir old-data"))
        reader.do(Step("twin replay two.parquet --to store --set sink.url=duckdb:old-data/twin.duckdb"))
        for _ in range(2):
            reader.do(move)
            counted = influx.query("SELECT count(voltage_v) FROM pot WHERE pot = 'A002'", "smelter")
            assert 100 < counted["results"][0]["series"][0]["values"][0][1] <= 120


PAGE = """
```toml
# x.toml: why
a = 1
```

```bash
one
two \\
  more
```

```
said
```

```console
$ three
more
$ four
```
"""


def test_a_page_is_read_in_its_order_and_what_is_shown_is_compared() -> None:
    assert steps(PAGE) == [
        Step("# x.toml: why\na = 1\n", file="x.toml"),
        Step("one"),
        Step("two   more", "said\n"),
        Step("three", "more\n"),
        Step("four"),
    ]
    assert same("a\n...\nb...d", "a\nx\ny\nbcd\n")
    assert not same("a\n...\nb", "a\nx\nc")
