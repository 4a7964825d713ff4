"""The command line as a user meets it: a process, its output, its exit code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from twin.cli import app
from twin.errors import ConfigError
from twin.settings import SETTINGS
from twin.signals import SIGNALS

ROOT = Path(__file__).parents[2]
WIDE = {"COLUMNS": "400", "TERM": "dumb", "NO_COLOR": "1"}


def twin(*words: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `twin` in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SMELTER_")}
    return subprocess.run(
        [sys.executable, "-m", "twin", *words],
        capture_output=True, text=True, timeout=60, cwd=ROOT, env={**clean, **WIDE, **(environment or {})}, check=False,
    )  # fmt: skip


def called(*words: str, environment: Mapping[str, str] | None = None) -> str:
    """What the command prints, called within this process; raises what it raises."""
    result = CliRunner(env={**WIDE, **(environment or {})}).invoke(app, list(words))
    if result.exception:
        raise result.exception
    return result.output


def row(text: str, name: str) -> list[str]:
    line = next(line for line in text.splitlines() if re.match(rf"[│|]\s*{re.escape(name)}\s", line))
    return [cell.strip() for cell in re.split("[│|]", line)[1:-1]]


def test_settings_shows_every_setting_with_its_origin(tmp_path: Path) -> None:
    file = tmp_path / "twin.toml"
    file.write_text("[page]\nport = 8181\n[mqtt]\nroot = 'works'\n")
    text = called("settings", "-c", str(file), "-s", "log.level=debug", environment={"SMELTER_MQTT_ROOT": "hall"})
    for setting in SETTINGS:
        cells = row(text, setting.name)
        assert cells[3] == str(setting.default)
        assert setting.environment in cells[5]
    assert row(text, "page.port")[:5] == ["page.port", "8181", "", "8080", str(file)]
    assert row(text, "mqtt.root")[1:5] == ["hall", "", "smelter", "environment SMELTER_MQTT_ROOT"]
    assert row(text, "log.level")[1:5] == ["debug", "", "info", "command line"]
    assert row(text, "page.host")[4] == "default"


def test_signals_shows_every_signal() -> None:
    text = called("signals")
    for signal in SIGNALS:
        assert row(text, signal.name)[1:2] == [signal.unit]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("settings", "-s", "page.port=none"), ["page.port", "'none'", "a whole number from 1 to 65535"]),
        (("settings", "-s", "page.prot=1"), ["'page.prot'", "twin settings"]),
        (("settings", "-s", "page.port"), ["'page.port'", "page.port=8081"]),
        (("up", "--port", "0"), ["page.port", "'0'", "a whole number from 1 to 65535"]),
        (("simulate", "--speed", "0"), ["--speed", "'0'", "0.01 to 1000000"]),
        (("run", "-s", "roles=cook"), ["roles", "'cook'", "broker, simulate, ingest, engine, page"]),
        (("run", "-s", "roles=,"), ["roles", "broker, simulate, ingest, engine, page"]),
        (("run", "-s", "roles=page"), ["roles", "page needs engine"]),
        (("ingest", "-s", "mqtt.url=http://h"), ["mqtt.url", "'http://h'", "mqtt://host:1883"]),
        (("ingest", "-s", "mqtt.url=mqtt://u:secret@h"), ["mqtt.url", "mqtt.password_file"]),
        (("ingest", "-s", "mqtt.url=mqtt://h", "-s", "sink.url=oracle"), ["sink.url", "'oracle'", "duckdb, influx://"]),
        (("ingest", "-s", "mqtt.url=mqtt://h", "-s", "sink.url=influx://h"), ["sink.url", "influx://host:8086/bucket"]),
        (("ingest", "-s", "mqtt.password_file=/nowhere/x"), ["mqtt.password_file", "/nowhere/x"]),
        (("trace", "t", "{}", "-s", "plant.file=mars"), ["plant.file", "'mars'", "demo"]),
        (("trace", "t", "{}", "-s", "plan.file=/nowhere.toml"), ["plan.file", "/nowhere.toml"]),
        (("settings", "-c", "/nowhere.toml"), ["--config", "/nowhere.toml"]),
    ],
)
def test_a_wrong_setting_names_itself_its_value_and_what_is_allowed(
    words: tuple[str, ...], said: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ConfigError, ExceptionGroup)) as caught:
        called(*words)
    message = str(caught.value)
    assert "secret" not in message
    for part in said:
        assert part in message


def test_a_wrong_setting_ends_the_process_with_code_2_and_one_sentence() -> None:
    ended = twin("settings", "--set", "page.port=none")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines() == [
        "twin: command line: page.port = 'none' is not allowed; it must be a whole number from 1 to 65535."
    ]


def test_an_environment_can_be_wrong_too() -> None:
    with pytest.raises(ConfigError, match=r"environment SMELTER_ENGINE_TICK_S: engine\.tick_s = 'fast'"):
        called("settings", environment={"SMELTER_ENGINE_TICK_S": "fast"})


@pytest.mark.parametrize("words", [["dance"], ["up", "--port", "x"], ["trace", "topic"]])
def test_wrong_usage_ends_with_code_2(words: list[str]) -> None:
    assert CliRunner(env=WIDE).invoke(app, words).exit_code == 2


def test_trace_prints_the_hops() -> None:
    ended = twin("trace", "smelter/demo/A/A001/telemetry", '{"time":"2025-11-24T06:00:00.25Z","voltage_v":4.012}')
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert lines[0] == "adapters/mqtt    smelter/demo/A/A001/telemetry  52 bytes"
    assert lines[1] == "codec            2025-11-24T06:00:00.25Z  demo/A/A001  voltage_v = 4.012 V"
    assert lines[-2] == "adapters/influx  pot,site=demo,line=A,pot=A001 voltage_v=4.012 1763964000250000000"
    assert [line.split()[0] for line in lines] == sorted((line.split()[0] for line in lines), key=HOPS.index)


COMMANDS = set(
    "up run ingest simulate record replay status report trace settings signals evaluate deadletter size".split()  # noqa: SIM905
) | {"map", "models", "alarms", "grafana"}
HOPS = ["adapters/mqtt", "codec", "engine", "adapters/influx", "dashboards"]


def test_every_command_of_the_issue_is_there_and_says_what_it_does() -> None:
    commands = typer.main.get_command(app)
    assert set(commands.commands) == COMMANDS  # type: ignore[attr-defined]
    for command in commands.commands.values():  # type: ignore[attr-defined]
        assert command.help
