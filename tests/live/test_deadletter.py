"""Replaying what was parked, against a running ingest and a broker with rules of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.live.test_up import ROOT, topic, twin
from tests.live.tools import publish, until_sync
from tests.operations.parking import park, printed
from tests.servers import Server, free_port, mosquitto
from twin.codec import Problem

pytestmark = pytest.mark.live


def replay(data: Path, *words: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """`twin deadletter replay` as a process."""
    flags = [f"--set={name.replace('__', '.')}={value}" for name, value in settings.items()]
    return subprocess.run(
        [sys.executable, "-m", "twin", "deadletter", "replay", *words, f"--set=data.dir={data}", *flags],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def waiting(data: Path) -> dict[str, int]:
    return {group["reason"]: group["problems"] for group in printed(data, "list")["groups"]}


def test_what_the_plant_file_did_not_know_is_stored_by_a_replay_beside_the_running_ingest(
    broker: Server, fresh_name: str, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"mqtt__url": broker.url, "mqtt__root": fresh_name, "mqtt__client_id": fresh_name}
    settings |= {"ingest__linger_ms": 20, "ingest__future_s": 5, "sink__url": "memory"}
    data = tmp_path / "run" / "twin-data"
    soon_ms = int(time.time() * 1000) + 8_000
    with twin(tmp_path / "run", "ingest", **settings) as ingest:
        ingest.says("connected to the broker")
        publish(broker, topic(fresh_name), [b'{"time":%d,"voltage_v":4}' % (soon_ms + n) for n in range(100)])
        publish(broker, f"{fresh_name}/nonsense", [b"\x00\xff"])
        until_sync(lambda: data.exists() and waiting(data) == {"future_time": 100, "bad_topic": 1}, "101 parked")
        until_sync(lambda: time.time() * 1000 > soon_ms, "the time of the messages")
        ended = replay(data, "--all", mqtt__url=broker.url)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout == f"101 messages (101 problems) published to 127.0.0.1:{broker.port}\n"
        until_sync(lambda: waiting(data) == {"bad_topic": 1}, "the one that is parked again")
        again = printed(data, "list")["groups"][0]
        assert again["again"] == 1
        assert printed(data, "show", str(again["newest"]))["again_of"] == 101
        assert printed(data, "show", "101")["again_as"] == [again["newest"]]
        assert ingest.stop() == 0


def test_what_the_broker_refuses_is_not_marked_as_replayed(tmp_path: Path) -> None:
    rules = tmp_path / "acl"
    rules.write_text("topic readwrite allowed/#\n")
    park(tmp_path, [Problem(f"forbidden/{n}", b"x", "malformed", "") for n in range(3)])
    with mosquitto(f"acl_file {rules}\n") as broker:
        ended = replay(tmp_path, "--all", mqtt__url=broker.url)
        assert ended.returncode == 1
        assert "from this user (Not authorized)" in ended.stderr
        assert "0 of 3 are replayed, 3 still wait" in ended.stderr
        assert waiting(tmp_path) == {"malformed": 3}
        park(tmp_path, [Problem("allowed/1", b"x", "bad_topic", "")])
        assert replay(tmp_path, "--topic", "allowed/#", mqtt__url=broker.url).returncode == 0
    assert waiting(tmp_path) == {"malformed": 3}


def test_without_a_broker_nothing_is_marked(tmp_path: Path) -> None:
    park(tmp_path)
    ended = replay(tmp_path, "--all", mqtt__url=f"mqtt://127.0.0.1:{free_port()}")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("twin: broker: ")
    assert "0 of 3 are replayed, 3 still wait" in ended.stderr
    assert sum(waiting(tmp_path).values()) == 4
