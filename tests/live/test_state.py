"""The twin's state outside its process: retained on the broker, and going on after a stop and after a kill."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.live.test_up import START_MS, topic, twin
from tests.live.tools import publish, until_sync
from tests.servers import Server, binary

pytestmark = pytest.mark.live


def lines(first: int, last: int) -> list[bytes]:
    """A second of a pot a message."""
    return [
        b'{"time":%d,"voltage_v":4.0,"bath_temperature_c":957.0}' % (START_MS + 1000 * n) for n in range(first, last)
    ]


def line_lines(first: int, last: int) -> list[bytes]:
    """A second of the line a message, with an AC meter that fits 60 pots of 4 V."""
    return [
        b'{"time":%d,"line_current_ka":500.0,"line_voltage_v":240.0,"ac_energy_kwh":%.3f}'
        % (START_MS + 1000 * n, 1000.0 + 240.0 * 500.0 * n / 3600.0 / 0.985)
        for n in range(first, last)
    ]


def told(broker: Server, path: str) -> dict[str, Any]:
    """The retained message under a topic, as a subscriber who comes now gets it; {} when there is none."""
    command = [binary("mosquitto_sub", "mosquitto-clients"), "-h", broker.host, "-p", str(broker.port)]
    done = subprocess.run([*command, "-t", path, "-C", "1", "-W", "1"], capture_output=True, check=False)
    found: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
    return found


def made(broker: Server, root: str) -> float:
    """Metal of pot A001 in the hour of the data [t], as the broker has it."""
    windows = told(broker, f"{root}-twin/demo/A/A001").get("windows", {})
    figures = windows.get("hour", {}).get("figures", {})
    return float(figures.get("metal_t", {}).get("value", 0.0))


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_figures_go_on_over_a_restart_and_are_retained_on_the_broker(
    broker: Server, fresh_name: str, tmp_path: Path, end: str
) -> None:
    root = fresh_name
    settings: dict[str, Any] = {"roles": "ingest,engine", "mqtt__url": broker.url, "mqtt__root": root}
    settings |= {"mqtt__client_id": root, "mqtt__twin_root": f"{root}-twin", "engine__output_s": 1}
    settings |= {"engine__checkpoint_s": 1 if end == "kill" else 3600}

    def send(first: int, last: int) -> None:
        publish(broker, topic(root), lines(first, last))
        publish(broker, f"{root}/demo/A/line", line_lines(first, last))

    with twin(tmp_path / "run", "run", **settings) as first:
        first.says("connected to the broker")
        send(0, 300)
        until_sync(lambda: made(broker, root) > 0, "figures on the broker")
        until_sync(lambda: (tmp_path / "run" / "twin-data" / "twin.state").exists() or end == "stop", "a checkpoint")
        whole = 300 * 500e3 * 0.335573e-3 / 3600 / 1000  # t a pot makes in the time, at an efficiency of 1
        until_sync(lambda: made(broker, root) > 0.9 * whole, "all of it")
        before = made(broker, root)
        if end == "stop":
            assert first.stop() == 0
        else:
            first.kill()
    with twin(tmp_path / "run", "run", **settings) as second:
        second.says("the twin goes on")
        send(300, 600)
        until_sync(lambda: made(broker, root) > 1.9 * before, "the sum of both runs")
        assert made(broker, root) < 2.02 * before, "and nothing twice"
        assert second.stop() == 0
        assert "Traceback" not in second.log()
