"""The product as a process: published to by a tool that is not ours, killed in mid-stream, and stopped cleanly."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import urllib.request
from pathlib import Path
from typing import IO, Any

import duckdb
import pytest

from tests.live.process import twin
from tests.live.tools import publish, publisher, until_sync
from tests.servers import InfluxServer, Server, free_port

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
START_MS = 1_763_964_000_000
TOTAL = 20_000


def topic(root: str, pot: int = 1) -> str:
    return f"{root}/demo/A/A{pot:03d}/telemetry"


def lines(first: int, last: int) -> list[bytes]:
    """Messages a millisecond apart; the voltage tells which one it is."""
    return [b'{"time":%d,"voltage_v":%.4f,"noise_mv":2}' % (START_MS + n, n / 1e4) for n in range(first, last)]


def stored(influx: InfluxServer, database: str) -> list[float]:
    """Number of points, and sum, smallest and largest of their voltages; [] while the database cannot say yet."""
    answer = influx.query("SELECT count(voltage_v), sum(voltage_v), min(voltage_v), max(voltage_v) FROM pot", database)
    series = answer["results"][0].get("series")
    values = series[0]["values"][0][1:] if series else []
    # Asked while the first points come in, InfluxDB answers some aggregates with null.
    return [] if None in values else [float(value) for value in values]


def feed(process: subprocess.Popen[bytes], messages: list[bytes]) -> None:
    stdin: IO[bytes] | None = process.stdin
    assert stdin is not None
    stdin.write(b"".join(message + b"\n" for message in messages))
    stdin.flush()


def finish(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(60) == 0


def test_what_mosquitto_pub_says_is_read_back_from_influxdb(
    broker: Server, influx: InfluxServer, influx_v2: Server, database: str, fresh_name: str, tmp_path: Path
) -> None:
    settings = {"mqtt__url": broker.url, "mqtt__root": fresh_name, "mqtt__client_id": fresh_name}
    sink = f"influx://127.0.0.1:{influx_v2.port}/{database}"
    with twin(tmp_path / "run", "ingest", sink__url=sink, ingest__linger_ms=20, **settings) as ingest:
        ingest.says("connected to the broker")
        publish(broker, topic(fresh_name), [b'{"time":"2025-11-24T06:00:00.25Z","voltage_v":4.012,"feed_mode":1}'])
        section = b'{"time":1763964000250,"pot":["A002","A003"],"voltage_v":[4.1,4.2]}'
        publish(broker, f"{fresh_name}/demo/A/section/1/telemetry", [section])
        publish(broker, f"{fresh_name}/demo/A/line", [b'{"time":1763964000250,"line_current_ka":500.5}'])
        publish(broker, f"{fresh_name}/demo/A/A001/event", [b'{"time":1763964000250,"tapped_metal_kg":2100}'])
        publish(broker, f"{fresh_name}/nonsense", [b"parked"])

        def there() -> list[Any]:
            answer = influx.query("SELECT * FROM pot, line, event", database)["results"][0]
            return [row for series in answer.get("series", []) for row in series["values"]]

        until_sync(lambda: len(there()) == 5, "five points")
        points = {tuple(cell for cell in row if cell is not None) for row in there()}
        time = (START_MS + 250) * 1_000_000
        assert points == {
            (time, 1, "A", "A001", "demo", 4.012),
            (time, "A", "A002", "demo", 4.1),
            (time, "A", "A003", "demo", 4.2),
            (time, "A", 500.5, "demo"),
            (time, "A", "A001", "demo", 2100),
        }
        assert ingest.stop() == 0
    assert "stopping" in (tmp_path / "run" / "log").read_text()


def test_killed_in_mid_stream_it_loses_nothing_and_doubles_nothing_in_influxdb(
    broker: Server, influx: InfluxServer, influx_v2: Server, database: str, fresh_name: str, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"mqtt__url": broker.url, "mqtt__root": fresh_name, "mqtt__client_id": fresh_name}
    settings |= {"sink__url": f"influx://127.0.0.1:{influx_v2.port}/{database}", "ingest__batch_messages": 500}
    with publisher(broker, topic(fresh_name)) as source:
        with twin(tmp_path / "run", "ingest", **settings) as first:
            first.says("connected to the broker")
            feed(source, lines(0, TOTAL // 2))
            until_sync(lambda: bool(stored(influx, database)), "the first points")
            first.kill()
        before = stored(influx, database)[0]
        assert before < TOTAL
        with twin(tmp_path / "run", "ingest", **settings) as second:
            feed(source, lines(TOTAL // 2, TOTAL))
            finish(source)
            until_sync(lambda: stored(influx, database)[0] >= TOTAL, "every point")
            assert second.stop() == 0
    count, total, low, high = stored(influx, database)
    assert count == TOTAL
    assert total == pytest.approx(sum(n / 1e4 for n in range(TOTAL)))
    assert (low, high) == (0.0, (TOTAL - 1) / 1e4)


def parked(folder: Path) -> list[str]:
    """Reasons of the messages parked so far."""
    db = sqlite3.connect(folder / "twin-data" / "parked.sqlite")
    reasons = [row[0] for row in db.execute("SELECT reason FROM parked")]
    db.close()
    return reasons


def size(folder: Path) -> int:
    """Bytes of the store on disk: only its process may look into it."""
    return sum(path.stat().st_size for path in folder.glob("twin-data/twin.duckdb*"))


def test_killed_in_mid_stream_it_loses_nothing_and_doubles_nothing_in_duckdb(
    broker: Server, fresh_name: str, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"mqtt__url": broker.url, "mqtt__root": fresh_name, "mqtt__client_id": fresh_name}
    settings |= {"ingest__batch_messages": 500}
    folder = tmp_path / "run"
    with publisher(broker, topic(fresh_name)) as source:
        with twin(folder, "ingest", **settings) as first:
            first.says("connected to the broker")
            empty = size(folder)
            feed(source, lines(0, TOTAL // 2))
            until_sync(lambda: size(folder) > empty + 20_000, "the first rows")
            first.kill()
        with twin(folder, "ingest", **settings) as second:
            feed(source, lines(TOTAL // 2, TOTAL))
            finish(source)
            publish(broker, f"{fresh_name}/end", [b"the broker sends it last, and it is parked"])
            until_sync(lambda: parked(folder) == ["bad_topic"], "the last message")
            assert second.stop() == 0
    with duckdb.connect(str(folder / "twin-data" / "twin.duckdb"), read_only=True) as db:
        question = "SELECT count(*), count(DISTINCT time), sum(voltage_v), min(voltage_v), max(voltage_v) FROM pot"
        count, times, total, low, high = db.execute(question).fetchone() or (0,) * 5
    assert (count, times) == (TOTAL, TOTAL)
    assert total == pytest.approx(sum(n / 1e4 for n in range(TOTAL)))
    assert (low, high) == (0.0, (TOTAL - 1) / 1e4)


def snapshot(port: int) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/snapshot", timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except OSError:
        return {}


def test_up_shows_sixty_pots_and_stops_with_everything_on_disk(tmp_path: Path) -> None:
    page, folder = free_port(), tmp_path / "run"
    settings: dict[str, Any] = {"page__port": page, "broker__port": free_port(), "simulate__history_min": 2}
    with twin(folder, "up", **settings) as up:
        up.says(f"page: http://127.0.0.1:{page}/")
        until_sync(lambda: bool(snapshot(page)) and snapshot(page)["lines"][0]["pots_reporting"] == 60, "sixty pots")
        shown = snapshot(page)
        (line,) = shown["lines"]
        assert [pot["id"] for pot in line["pots"]] == [f"A{n:03d}" for n in range(1, 61)]
        assert all(3.5 < pot["voltage_v"] < 40 for pot in line["pots"])
        assert line["energy"]["ac_liquid"]["hour"] == pytest.approx(13_000, rel=0.15)
        assert shown["ingest"]["connected"] is True
        sheet = shown["ingest"]
        went = sum(sheet[name] for name in ("stored", "spooled", "parked", "rejected", "aside", "under_way"))
        assert sheet["received"] + sheet["carried"] == went
        assert sheet["off"] == 0
        assert up.stop() == 0, up.log()
        assert "Traceback" not in up.log()
    with duckdb.connect(str(folder / "twin-data" / "twin.duckdb"), read_only=True) as db:
        pots, rows, doubles = db.execute(
            "SELECT count(DISTINCT pot), count(*), count(*) - count(DISTINCT (pot, time)) FROM pot"
        ).fetchone() or (0, 0, 1)
        figures = db.execute("SELECT count(*) FROM twin_pot WHERE ac_liquid_kwh_t_hour > 10000").fetchone()
        line_rows = db.execute("SELECT count(*) FROM line WHERE line_current_ka > 100").fetchone()
    assert pots == 60
    assert rows > 60 * 60
    assert doubles == 0
    assert figures is not None
    assert figures[0] >= 60
    assert line_rows is not None
    assert line_rows[0] > 60
