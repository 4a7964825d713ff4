"""The product under chaos: `python -m twin run` as a process that is killed and started again."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

__all__ = ["TREE", "TwinProcess", "clean_environment", "parked"]

TREE = Path(__file__).parents[2]
LIFE = "-- a life begins\n"
START_S = 60.0
STOP_S = 90.0


def clean_environment() -> dict[str, str]:
    """This tree first, and no settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SMELTER_")}
    return {**kept, "PYTHONPATH": str(TREE)}


class TwinProcess:
    """One twin on its folder: its settings, its data and what it printed over all its lives."""

    def __init__(self, folder: Path, settings: Mapping[str, object]) -> None:
        self.folder = folder
        self.settings = dict(settings)
        self.lives = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Start a life; returns at once. Like the servers it dies with the thread that starts it."""
        words = [word for name, value in self.settings.items() for word in ("--set", f"{name}={value}")]
        guard = ("setpriv", "--pdeathsig", "KILL", "--", sys.executable, "-m", "twin", "run")
        with (self.folder / "log").open("ab") as log:
            log.write(LIFE.encode())
            log.flush()
            self._process = subprocess.Popen(
                (*guard, *words), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=clean_environment(),
            )  # fmt: skip
        self.lives += 1

    def whole(self) -> bool:
        """Whether its present life has read back what came before it."""
        *_, last = self.log().rpartition(LIFE)
        return self.lives == 1 or "the twin goes on" in last

    def connected(self) -> None:
        """Return when it has subscribed for the first time: before that the broker has nobody to keep messages for."""
        began = time.monotonic()
        while "connected to the broker" not in self.log():
            if not self.running or time.monotonic() - began > START_S:
                raise RuntimeError(f"the twin did not connect to the broker:\n{self.log()[-3000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; returns the exit code. Raises TimeoutExpired when it does not obey."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_S)

    def close(self) -> None:
        """Leave nothing behind."""
        if self.running:
            self.kill()


def parked(folder: Path) -> list[tuple[str, bytes, str]]:
    """Topic, payload and reason of every parked row; empty before there is such a file."""
    file = folder / "parked.sqlite"
    if not file.exists():
        return []
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)) as db:
        try:
            rows = db.execute("SELECT topic, payload, reason FROM parked").fetchall()
        except sqlite3.OperationalError:  # made in this moment, no table in it yet
            return []
    return [(str(topic), bytes(payload), str(reason)) for topic, payload, reason in rows]
