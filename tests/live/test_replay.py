"""Recordings against real servers: what mosquitto_pub sent is recorded, a recording reaches a broker, InfluxDB gives
back what it was filled with. With tests/replay/test_commands.py, every command of docs/replay.md is run."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.core.plants import roster_of
from tests.processes import binary
from tests.replay.commands import documented, twin
from tests.replay.tapes import NS, POTS, read, shift, write
from tests.replay.terminal import environment
from tests.servers import InfluxServer, Server
from twin.adapters.influx import InfluxStore, target
from twin.cli_record import _source
from twin.frames import Readings
from twin.parts import roster_of as roster_of_settings
from twin.settings import resolve
from twin.topics import Router

pytestmark = pytest.mark.live

BROKER = "mqtt://broker.example:1883"


@contextmanager
def recording(folder: Path, words: list[str], broker: Server) -> Iterator[subprocess.Popen[str]]:
    """`twin record`, subscribed; at the end it must have ended by itself with code 0."""
    words = [broker.url if word == BROKER else word for word in words]
    command = [sys.executable, "-m", "twin", *words]
    process = subprocess.Popen(command, cwd=folder, env=environment(), text=True, stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if "connected to the broker" in line:
                break
        else:
            raise AssertionError("twin record ended")
        yield process
        _, said = process.communicate(timeout=20)
        assert process.returncode == 0, said
        (folder / "said").write_text(said)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def publish(broker: Server, topic: str, lines: list[str]) -> None:
    """Send each line as a message, QoS 1."""
    command = [binary("mosquitto_pub", "mosquitto-clients"), "-p", str(broker.port), "-q", "1", "-l", "-t", topic]
    subprocess.run(command, input="\n".join(lines) + "\n", text=True, check=True, timeout=20)


def test_what_others_publish_is_recorded(tmp_path: Path, broker: Server, fresh_name: str) -> None:
    words = documented("record", "line.parquet")
    words[words.index("10m")] = "60s"
    now = time.time_ns() // NS * NS
    telemetry = [json.dumps({"time": now + n * NS, "voltage_v": 4 + n / 1000}) for n in range(5)]
    with recording(tmp_path, [*words, "--messages", "8", "--set", f"mqtt.root={fresh_name}"], broker):
        publish(broker, f"{fresh_name}/demo/A/A001/telemetry", [telemetry[0], "{oops", *telemetry[1:]])
        publish(broker, f"{fresh_name}/demo/A/line", [json.dumps({"time": now, "line_current_ka": 500})])
        publish(broker, f"{fresh_name}/demo/A/A001/event", [json.dumps({"time": now, "tapped_metal_kg": 1500})])
    router = Router(roster_of_settings(resolve()), root="smelter", discover=False)
    found = read(tmp_path / "line.parquet", router=router)
    assert found.value.tolist() == [4.0, 4.001, 4.002, 4.003, 4.004, 500.0, 1500.0]
    assert "8 messages, 7 readings" in (tmp_path / "said").read_text()
    assert "1 messages could not be used whole (malformed 1)" in (tmp_path / "said").read_text()
    with sqlite3.connect(tmp_path / "line.parked.sqlite") as db:
        assert db.execute("SELECT payload, reason FROM parked").fetchall() == [(b"{oops", "malformed")]
    db.close()


@pytest.mark.parametrize("end", ["0.5s", "10m"])
def test_a_recording_ends_in_time_or_at_ctrl_c(tmp_path: Path, broker: Server, fresh_name: str, end: str) -> None:
    words = documented("record", "line.parquet")
    words[words.index("10m")] = end
    with recording(tmp_path, [*words, "--set", f"mqtt.root={fresh_name}"], broker) as process:
        if end == "10m":
            process.send_signal(signal.SIGINT)
    assert "line.parquet: 0 messages, 0 readings" in (tmp_path / "said").read_text()
    assert [file.name for file in tmp_path.iterdir() if file.name != "said"] == ["line.parquet"]


def test_the_session_of_a_recorder_is_its_own_and_clean(broker: Server) -> None:
    source = _source(resolve(flags={"mqtt.url": broker.url}), print)
    assert source._properties["session_expiry_interval"] == 0
    assert source._client_id != "smelter-twin-ingest"


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    """The plant of the test recordings, as a file."""
    text = """
    [[sites]]
    id = "s"
    [[sites.lines]]
    id = "L"
    pots = 4
    section_pots = 2
    design = "d"
    ac_meter = { rollover_kwh = 1e9 }
    auxiliary_meter = { rollover_kwh = 1e9 }
    [designs.d]
    """
    (tmp_path / "plant.toml").write_text(text)
    return tmp_path / "plant.toml"


def test_a_recording_reaches_a_broker_and_comes_back(
    tmp_path: Path, broker: Server, fresh_name: str, plant: Path
) -> None:
    said = shift().take(np.isfinite(shift().value)).take(slice(0, 9000))
    write(tmp_path / "sent.parquet", said)
    places = ["--set", f"mqtt.root={fresh_name}", "--set", f"plant.file={plant}"]
    # One message a unit and time at least; events at the time of a telemetry message make a few more.
    least = len(np.unique(np.stack([said.time_ns, said.unit], axis=1), axis=0))
    words = ["record", BROKER, "back.parquet", "--messages", str(least), *places]
    with recording(tmp_path, words, broker):
        done = twin(["replay", "sent.parquet", "--to", broker.url, *places], tmp_path)
        assert done.exception is None
    back = read(tmp_path / "back.parquet")
    for code in np.unique(said.signal).tolist():
        mine, theirs = said.take(said.signal == code), back.take(back.signal == code)
        assert theirs.same(mine.take(slice(0, len(theirs)))), "in order"
        assert len(theirs) >= len(mine) - 3


def test_the_documented_replay_to_a_broker_seems_to_happen_now(tmp_path: Path, broker: Server, fresh_name: str) -> None:
    said = shift().take(np.isfinite(shift().value))
    write(tmp_path / "line.parquet", said.take((said.time_ns - said.time_ns.min()) < 100 * NS))
    words = [broker.url if word == BROKER else word for word in documented("replay", "--shift-to-now")]
    heard: list[tuple[int, str]] = []
    ready, topic = f"{fresh_name}/ready", f"{fresh_name}/s/L/001/telemetry"
    at = ("-p", str(broker.port))
    subprocess.run([binary("mosquitto_pub", "mosquitto-clients"), *at, "-r", "-t", ready, "-m", "yes"], check=True)
    command = [binary("mosquitto_sub", "mosquitto-clients"), *at, "-t", topic, "-t", ready, "-W", "20", "-C", "100"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "yes\n", "the retained message says that the subscription is there"

    def listen() -> None:
        assert process.stdout is not None
        heard.extend((time.time_ns(), line) for line in process.stdout)

    listener = threading.Thread(target=listen)
    listener.start()
    began = time.monotonic()
    done = twin([*words, "--set", f"mqtt.root={fresh_name}"], tmp_path)
    assert done.exception is None
    assert 1.4 < time.monotonic() - began < 10, "100 s at 60 times real time"
    listener.join()
    process.wait()
    process.stdout.close()
    behind = [(came - json.loads(message)["time"]) / NS for came, message in heard]
    assert len(behind) == 99
    assert min(behind) > -0.1, "nothing lies in the future"
    assert behind[0] == pytest.approx(98.3, abs=3)
    assert behind[-1] < 4, "the last reading is now"
    assert re.search(r"\d+ readings", done.stderr)


def test_the_report_of_influxdb_is_that_of_the_parquet(
    tmp_path: Path, influx: InfluxServer, influx_v2: Server, database: str, plant: Path
) -> None:
    said = shift()
    write(tmp_path / "day.parquet", said, batch=20_000, part_rows=200_000)

    async def fill() -> None:
        store = InfluxStore(target(f"influx://127.0.0.1:{influx_v2.port}/{database}"), roster_of(POTS))
        await store.open()
        for start in range(0, len(said), 10_000):
            await store.write(said.take(slice(start, start + 10_000)))
        await store.close()

    asyncio.run(fill())
    place = f"influx://127.0.0.1:{influx.port}/{database}"
    words = documented("replay", "influx://influx.example:8086/smelter")
    words = [place if word.startswith("influx://") else word for word in words]
    done = twin([*words, "--set", f"plant.file={plant}"], tmp_path)
    assert done.exception is None
    assert twin(["replay", "day.parquet", "--report", "day.jsonl"], tmp_path).exception is None
    assert (tmp_path / "line.jsonl").read_bytes() == (tmp_path / "day.jsonl").read_bytes()
    words = ["replay", place, "--set", f"plant.file={plant}", "--pot", "002", "--until", "2025-11-24T06:02:00Z"]
    part = twin([*words, "--to", "store", "--set", "sink.url=duckdb:part.duckdb"], tmp_path)
    assert part.exception is None
    until = said.time_ns.min() // (60 * NS) * 60 * NS + 120 * NS
    kept = said.take((said.time_ns < until) & np.isin(said.unit, [0, 2]) & np.isfinite(said.value))
    assert f"{len(unique(kept)):,} readings" in part.stderr


def unique(readings: Readings) -> set[tuple[int, int, int]]:
    """Keys of the readings: what a store can keep."""
    return set(zip(readings.time_ns.tolist(), readings.unit.tolist(), readings.signal.tolist(), strict=True))


def test_an_influxdb_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = twin(["replay", "influx://127.0.0.1:1/nothing"], tmp_path)
    assert "influx://127.0.0.1:1/nothing: http://127.0.0.1:1: ClientConnectorError" in str(done.exception)


def test_a_scenario_to_a_broker(tmp_path: Path, broker: Server, fresh_name: str) -> None:
    words = documented("simulate", "bad-month")
    small = {"300": "4", "60": "max", "24h": "2m", BROKER: broker.url}
    words = [small.get(word, word) for word in words]
    with recording(
        tmp_path, ["record", BROKER, "line.parquet", "--messages", "300", "--set", f"mqtt.root={fresh_name}"], broker
    ):
        done = twin([*words, "--set", f"mqtt.root={fresh_name}"], tmp_path)
        assert done.exception is None
        (sent,) = re.findall(r"published (\d+) messages", done.stderr)
        missing = 300 - int(sent)
        filler = json.dumps({"time": time.time_ns(), "voltage_v": 4.0})
        publish(broker, f"{fresh_name}/demo/A/A001/telemetry", [filler] * missing)
    router = Router(roster_of_settings(resolve()), root="smelter", discover=False)
    found = read(tmp_path / "line.parquet", router=router)
    assert {len(set(found.time_ns[found.unit == unit].tolist()) - {0}) >= 118 for unit in range(5)} == {True}
    assert os.path.getsize(tmp_path / "line.parquet")
