"""Every command in the README is run here, as it stands there; only hosts, ports and folders are replaced."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.servers import InfluxServer, Server, free_port

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", README, re.S) for line in block.splitlines() if line]


def test_every_command_of_the_readme_is_run_below() -> None:
    started = {
        "./dev up",
        "./dev test",
        ".venv/bin/twin settings --config twin.toml",
        ".venv/bin/twin run --config twin.toml",
    }
    rest = [command for command in COMMANDS if command not in started]
    assert [shlex.split(command)[:2] for command in rest] == [[".venv/bin/twin", "trace"], ["mosquitto_pub", "-p"]]


def _command(start: str) -> list[str]:
    return shlex.split(next(command for command in COMMANDS if command.startswith(start)))


def _snapshot(port: int, process: subprocess.Popen[str], wanted: Any) -> dict[str, Any]:
    """The page's snapshot once `wanted(snapshot)` is true."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, process.communicate()[0]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/snapshot", timeout=5) as answer:
                found: dict[str, Any] = json.load(answer)
        except OSError:
            found = {}
        if found and wanted(found):
            return found
        time.sleep(0.1)  # the page has no event for "there is a page"
    raise AssertionError(f"the page never showed it; last: {str(found)[:500]}")


@contextmanager
def _running(command: list[str], folder: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A command of the README until SIGINT, which it must answer with code 0."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        yield process
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
        assert process.returncode == 0, output
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A new user's folder: the virtual environment of this test run, the settings file of the README, a plant file."""
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    shutil.copy(ROOT / "twin" / "plants" / "demo.toml", tmp_path / "plant.toml")
    (tmp_path / "influx.token").write_text("secret\n")
    return tmp_path


def test_dev_up_and_a_message_from_another_client(tmp_path: Path) -> None:
    broker, page = free_port(), free_port()
    environment = {
        "SMELTER_BROKER_PORT": str(broker),
        "SMELTER_PAGE_PORT": str(page),
        "SMELTER_DATA_DIR": str(tmp_path),
        "SMELTER_SIMULATE_HISTORY_MIN": "5",
    }
    with _running(_command("./dev up"), ROOT, environment) as process:
        shown = _snapshot(page, process, lambda s: s["lines"][0]["pots_reporting"] == 60 and s["ingest"]["lag_s"] < 5)
        assert shown["ingest"]["parked"] == 0
        assert shown["lines"][0]["energy"]["ac_liquid"]["hour"] > 12000
        # An unusable sibling of the README's message shows that the good one was stored, not merely not refused.
        sample = [word.replace("18883", str(broker)) for word in _command("mosquitto_pub")]
        bad = [word.replace("excess_alf3_pct", "nonsense").replace('"time"', '"when"') for word in sample]
        subprocess.run(sample, check=True, timeout=20)
        subprocess.run(bad, check=True, timeout=20)
        _snapshot(page, process, lambda s: s["ingest"]["parked"] == 1)


def test_settings_and_run_with_a_real_broker_and_influxdb(
    folder: Path, broker: Server, influx: InfluxServer, influx_v2: Server, database: str
) -> None:
    (text,) = re.findall(r"```toml\n# twin.toml\n(.*?)```", README, re.S)
    text = text.replace("broker.example:1883", f"127.0.0.1:{broker.port}")
    text = text.replace("influx.example:8086/smelter", f"127.0.0.1:{influx_v2.port}/{database}")
    (folder / "twin.toml").write_text(text)
    page = free_port()
    printed = subprocess.run(
        _command(".venv/bin/twin settings"), cwd=folder, check=True, capture_output=True, text=True, timeout=60,
        env={**os.environ, "COLUMNS": "250", "SMELTER_PAGE_PORT": str(page)},
    ).stdout  # fmt: skip
    assert f"mqtt://127.0.0.1:{broker.port}" in printed
    assert "twin.toml" in printed
    assert "SMELTER_PAGE_PORT" in printed
    with _running(_command(".venv/bin/twin run"), folder, {"SMELTER_PAGE_PORT": str(page)}) as process:
        now = time.time_ns()
        _wait_connected(process, page)
        publish = ["mosquitto_pub", "-p", str(broker.port), "-q", "1", "-t", "smelter/demo/A/A001/telemetry"]
        subprocess.run([*publish, "-m", json.dumps({"time": now, "voltage_v": 4.0})], check=True, timeout=20)
        subprocess.run([*publish, "-m", json.dumps({"time": now + 10**10, "voltage_v": 4.1})], check=True, timeout=20)
        _snapshot(page, process, lambda s: s["ingest"]["stored"] == 2)
        found = influx.query("SELECT voltage_v FROM pot WHERE pot = 'A001'", database)
    assert [row[1] for row in found["results"][0]["series"][0]["values"]] == [4.0, 4.1]


def _wait_connected(process: subprocess.Popen[str], page: int) -> None:
    """Until the ingest has subscribed: it says so on its first line after what runs where."""
    assert process.stdout is not None
    for line in process.stdout:
        if "connected to the broker" in line:
            return
    raise AssertionError("twin run ended")


def test_trace_prints_every_hop(folder: Path) -> None:
    printed = subprocess.run(
        _command(".venv/bin/twin trace"), cwd=folder, check=True, capture_output=True, text=True, timeout=60
    ).stdout
    hops = [line.split()[0] for line in printed.splitlines()]
    assert sorted(set(hops), key=hops.index) == ["adapters/mqtt", "codec", "engine", "adapters/influx", "dashboards"]
    assert "pot,site=demo,line=A,pot=A001 voltage_v=4.012,bath_temperature_c=957.3 1795500000000000000" in printed
