"""Keys of `twin replay` on a real pseudo-terminal, which is left as it was."""

from __future__ import annotations

import math
import signal
import termios
from pathlib import Path

import pytest

from tests.core.plants import readings_of
from tests.replay.tapes import write
from tests.replay.terminal import Terminal
from twin.cli_replay import _press
from twin.keys import keys_of
from twin.replay import Control

pytestmark = pytest.mark.long


def test_keys_are_told_apart() -> None:
    data = b" \x1b[C\x1b[D\x1b[1;2C\x1b[1;2D\x1bOC+=-q"
    assert list(keys_of(data)) == [
        "space", "right", "left", "shift-right", "shift-left", "right", "faster", "faster", "slower", "quit",
    ]  # fmt: skip
    assert list(keys_of(b"x\x1b[A\x1b[5~\x1b[1;5C\x1b\xc3\xa4\n")) == []


def test_what_keys_do() -> None:
    control = Control(1.0)
    for key in ("space", "right", "right", "shift-left"):
        _press(control, key)
    assert (control.paused, control.seek_s) == (True, -480.0)
    for _ in range(30):
        _press(control, "faster")
    assert control.speed == math.inf
    _press(control, "slower")
    assert control.speed == 3600.0
    for _ in range(30):
        _press(control, "slower")
    assert control.speed == 0.25
    control.speed = 42.0
    _press(control, "faster")
    assert control.speed == 60.0
    _press(control, "quit")
    assert control.stopped


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Twelve minutes of one pot's voltage."""
    said = readings_of([(second, 1, "voltage_v", 4.0) for second in range(720)])
    return write(tmp_path / "r.parquet", said, batch=1)


def test_pause_seek_speed_and_quit(tmp_path: Path, recording: Path) -> None:
    words = ("replay", recording.name, "--speed", "2", "--report", "report.jsonl")
    with Terminal(*words, folder=tmp_path) as screen:
        screen.until("space pauses, left and right seek 60 s")
        assert termios.tcgetattr(screen.theirs) != screen.before, "keys come at once and are not echoed"
        screen.press(" ")
        screen.until("paused")
        screen.press("\x1b[1;2C")
        screen.until("2025-11-24T06:10:")
        screen.press("\x1b[D")
        screen.until("2025-11-24T06:09:")
        screen.press(" ")
        screen.until("speed 2")
        screen.press("+")
        screen.until("speed 5")
        screen.press("q")
        assert screen.ended() == 0
        assert termios.tcgetattr(screen.theirs) == screen.before
    assert (tmp_path / "report.jsonl").exists()


def test_ctrl_c_leaves_the_terminal_as_it_was(tmp_path: Path, recording: Path) -> None:
    with Terminal("replay", recording.name, "--speed", "1", folder=tmp_path) as screen:
        screen.until("speed 1")
        screen.process.send_signal(signal.SIGINT)
        assert screen.ended() == 0
        assert termios.tcgetattr(screen.theirs) == screen.before


def test_ctrl_c_completes_the_files_of_a_simulation(tmp_path: Path) -> None:
    words = ("simulate", "--pots", "4", "--for", "7d", "--to", "parquet:out.parquet")
    with Terminal(*words, folder=tmp_path) as screen:
        screen.until("times real time")
        screen.process.send_signal(signal.SIGINT)
        assert screen.ended() == 0
        screen.until("truth and causes beside it")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.causes.json", "out.parquet", "out.truth.parquet"]


def test_an_error_leaves_the_terminal_as_it_was(tmp_path: Path, recording: Path) -> None:
    words = ("replay", recording.name, "--speed", "60", "--to", "mqtt://127.0.0.1:1", "--set", "sink.retry_max_s=1")
    with Terminal(*words, folder=tmp_path) as screen:
        screen.until("space pauses")
        screen.press("q")
        screen.process.send_signal(signal.SIGINT)  # it waits for a broker that is not there: q alone has to wait too
        screen.ended()
        assert termios.tcgetattr(screen.theirs) == screen.before
