"""A process that is started before its servers, watched through outages, and ended under load."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.live.sources import run, running
from tests.live.test_up import START_MS, Twin, lines, stored, topic, twin
from tests.live.tools import publish, publisher, until_sync
from tests.live.watching import events, metric, not_ready, ready
from tests.servers import InfluxServer, Server, free_port, influxd, mosquitto, nginx_v2

pytestmark = pytest.mark.live

SECRET = "open-sesame-4711"


def count(influx: InfluxServer, database: str) -> int:
    """Points so far; InfluxDB 1.6 leaves single aggregates out while points come, so only one is asked for."""
    series = influx.query("SELECT count(voltage_v) FROM pot", database)["results"][0].get("series")
    return int(series[0]["values"][0][1]) if series else 0


def end(process: Twin, within_s: float) -> float:
    """SIGTERM; returns the seconds that it took to end, with code 0."""
    began = time.monotonic()
    process.process.send_signal(signal.SIGTERM)
    assert process.process.wait(within_s) == 0, process.log()
    return time.monotonic() - began


def test_started_before_broker_and_store_it_waits_for_both_and_tells_each_outage_once(
    fresh_name: str, tmp_path: Path
) -> None:
    """F27, F32."""
    port = free_port()
    (tmp_path / "secret").write_text(SECRET)
    with influxd() as influx, nginx_v2(influx) as front, mosquitto() as broker:
        influx.create_database(fresh_name)
        influx.stop()
        broker.stop()
        settings: dict[str, Any] = {
            "mqtt__url": f"mqtt://user@127.0.0.1:{broker.port}", "mqtt__root": fresh_name,
            "sink__url": f"influx://127.0.0.1:{front.port}/{fresh_name}", "sink__retry_max_s": 0.5,
            "mqtt__password_file": tmp_path / "secret", "sink__token_file": tmp_path / "secret", "metrics__port": port,
            "ready__probe_s": 0.2, "log__format": "json", "log__level": "debug", "roles": "ingest,engine",
        }  # fmt: skip
        with twin(tmp_path / "run", "run", **settings) as process:
            until_sync(lambda: not_ready(port) == {"broker", "store"}, "a process without its servers")
            influx.start()
            until_sync(lambda: not_ready(port) == {"broker"}, "the store")
            broker.start()
            until_sync(lambda: ready(port), "the broker")
            publish(broker, topic(fresh_name), [b'{"time":%d,"voltage_v":4}' % ((time.time() - 100) * 1000)])
            until_sync(lambda: metric(port, "smelter_ingest_messages_stored_total") == 1, "the message")
            assert metric(port, "smelter_ingest_lag_seconds") == pytest.approx(101, abs=10)
            influx.stop()
            until_sync(lambda: not_ready(port) == {"store"}, "the outage of an idle store")
            publish(broker, topic(fresh_name), lines(0, 50))
            until_sync(lambda: bool(events(process, "the store is away")), "the line of the outage")
            influx.start()
            until_sync(lambda: ready(port), "the store again")
            assert metric(port, "smelter_ingest_messages_stored_total") == 51
            assert metric(port, "smelter_store_writes_failed_total") >= 1
            assert [metric(port, f"smelter_{part}_outages_total") for part in ("store", "mqtt")] == [1, 1]
            assert metric(port, "smelter_mqtt_sessions_lost_total") == 0
            end(process, 20)
            assert len(events(process, "the store is away")) == 1
            (back,) = events(process, "the store is back")
            assert {"outage_s", "received_meanwhile", "stored_meanwhile", "parked_meanwhile"} <= set(back)
            (away,) = events(process, "the broker is away")
            assert "cannot be reached" in away["problem"]
            assert len(events(process, "the broker is back; connected to the broker")) == 1
            assert SECRET not in process.log()
            assert (events(process, "stopped")[0]["received"], stored(influx, fresh_name)[0]) == (51, 51)


def test_a_session_that_the_broker_forgot_is_an_alarm_with_a_counter(fresh_name: str, tmp_path: Path) -> None:
    """F3, F26: as a process, from its log and its metrics."""
    port = free_port()
    with mosquitto() as broker:
        settings: dict[str, Any] = {"mqtt__url": broker.url, "mqtt__root": fresh_name, "sink__url": "memory"}
        settings |= {"metrics__port": port, "log__format": "json", "ingest__linger_ms": 20}
        with twin(tmp_path / "run", "ingest", **settings) as process:
            until_sync(lambda: ready(port), "the broker")
            broker.kill()
            until_sync(lambda: not_ready(port) == {"broker"}, "the outage")
            broker.start()
            until_sync(lambda: ready(port), "the broker again")
            (alarm,) = events(process, "the broker has forgotten the session")
            assert alarm["level"] == "error"
            assert metric(port, "smelter_mqtt_sessions_lost_total") == 1
            assert metric(port, "smelter_mqtt_connections_total") == 2
            publish(broker, topic(fresh_name), lines(0, 3))
            until_sync(lambda: metric(port, "smelter_ingest_messages_stored_total") == 3, "the new subscription")
            end(process, 20)


def pump(broker: Server, name: str, total: int, sent: list[int], stop: threading.Event) -> None:
    """Publish without a pause until everything is out or `stop` is set; `sent` counts."""
    with publisher(broker, topic(name)) as process:
        assert process.stdin is not None
        for first in range(0, total, 500):
            if stop.is_set():
                break
            process.stdin.write(b"".join(line + b"\n" for line in lines(first, first + 500)))
            process.stdin.flush()
            sent[0] = first + 500
        process.stdin.close()
        assert process.wait(60) == 0


def test_ended_under_load_everything_acknowledged_is_stored_and_the_rest_is_with_the_broker(
    broker: Server, influx: InfluxServer, influx_v2: Server, database: str, fresh_name: str, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"mqtt__url": broker.url, "mqtt__root": fresh_name, "mqtt__client_id": f"{fresh_name}-c"}
    settings |= {"sink__url": f"influx://127.0.0.1:{influx_v2.port}/{database}", "stop__within_s": 8}
    sent, stop = [0], threading.Event()
    pumping = threading.Thread(target=pump, args=(broker, fresh_name, 45_000, sent, stop))
    with twin(tmp_path / "run", "ingest", **settings) as process:
        process.says("connected to the broker")
        pumping.start()
        until_sync(lambda: count(influx, database) > 1000, "load")
        assert pumping.is_alive()
        took = end(process, 10)
        stop.set()
        pumping.join()
        assert took < 8
        assert "store is slow" not in process.log(), "a load that does not pause is no reason to leave anything"
    there, total, *_ = stored(influx, database)
    left: list[float] = []

    async def rest() -> None:
        async with running(broker, fresh_name, batch_messages=100) as source:
            messages = await source.take(sent[0] - int(there))
            left.extend(float(m.payload.split(b":")[2].split(b",")[0]) for m in messages)

    if there < sent[0]:
        run(rest)
    assert there + len(left) == sent[0], "nothing is lost, and nothing that is stored comes again"
    assert total + sum(left) == pytest.approx(sum(n / 1e4 for n in range(sent[0])))


def test_ended_while_the_store_is_away_it_ends_in_time_and_loses_nothing(fresh_name: str, tmp_path: Path) -> None:
    with influxd() as influx, nginx_v2(influx) as front, mosquitto() as broker:
        influx.create_database(fresh_name)
        settings: dict[str, Any] = {"mqtt__url": broker.url, "mqtt__root": fresh_name, "mqtt__client_id": fresh_name}
        settings |= {"sink__url": f"influx://127.0.0.1:{front.port}/{fresh_name}", "stop__within_s": 4}
        settings |= {"engine__output_s": 1, "roles": "ingest,engine"}
        with twin(tmp_path / "run", "run", **settings) as process:
            process.says("connected to the broker")
            influx.stop()
            publish(broker, topic(fresh_name), lines(0, 200))
            process.says("the store is away")
            assert end(process, 6) < 6
            assert "unacknowledged messages stay with the broker" in process.log()
        influx.start()
        with twin(tmp_path / "run", "run", **settings) as process:
            until_sync(lambda: count(influx, fresh_name) == 200, "all of it")
            end(process, 6)
        times = influx.query("SELECT first(voltage_v) FROM pot", fresh_name)["results"][0]["series"][0]["values"][0]
        assert times[0] == START_MS * 1_000_000


def test_a_store_file_that_cannot_be_opened_is_waited_for(broker: Server, fresh_name: str, tmp_path: Path) -> None:
    """F27, the embedded store."""
    port, file = free_port(), tmp_path / "store" / "twin.duckdb"
    file.mkdir(parents=True)
    settings: dict[str, Any] = {"mqtt__url": broker.url, "mqtt__root": fresh_name, "mqtt__client_id": fresh_name}
    settings |= {"sink__url": f"duckdb:{file}", "metrics__port": port, "ready__probe_s": 0.2, "sink__retry_max_s": 0.2}
    with twin(tmp_path / "run", "ingest", **settings) as process:
        process.says("the store cannot be opened yet")
        until_sync(lambda: not_ready(port) == {"store"}, "a process without its store")
        publish(broker, topic(fresh_name), lines(0, 20))
        process.says("the store is away")
        file.rmdir()
        until_sync(lambda: ready(port), "the store")
        until_sync(lambda: metric(port, "smelter_ingest_messages_stored_total") == 20, "the messages")
        end(process, 20)


def test_a_folder_that_cannot_be_made_is_a_wrong_setting(broker: Server, fresh_name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for sink in ("duckdb", "memory"):
        settings: dict[str, Any] = {"mqtt__url": broker.url, "sink__url": sink, "data__dir": tmp_path / "file" / "data"}
        with twin(tmp_path / f"run-{sink}", "ingest", **settings) as process:
            assert process.process.wait(20) == 2
            assert "see data.dir" in process.log()
            assert "Traceback" not in process.log()
