"""Looks at the product while it runs: memory, its own books, and how old the newest reading is that it shows."""

from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psutil

from tests.chaos.ingestor import TwinProcess
from tests.chaos.judge import Balance, Life

__all__ = ["Watch", "health"]

LOOK_S = 0.5
ELSEWHERE = ("spooled", "rejected")  # places beside store and park that the ingest may tell of


def health(port: int) -> dict[str, Any]:
    """What the page says of the way in; empty while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/snapshot", timeout=5) as answer:
            said: dict[str, Any] = json.load(answer)["ingest"]
            return said
    except (OSError, ValueError, KeyError, http.client.HTTPException):
        return {}


@dataclass
class Watch:
    """A thread that looks every half second. `gap_s`: longest time in which nothing newer became visible."""

    twin: TwinProcess
    port: int
    lives: list[Life] = field(default_factory=list)
    gap_s: float = 0.0
    gap_at: float = 0.0
    newest: float = 0.0  # source time of the newest reading shown [s since 1970]
    lag_s: float = 0.0
    answers: int = 0
    spooled: int = 0
    _pid: int = 0
    _born: float = 0.0
    _end: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> threading.Thread:
        """Start to look; the thread ends by itself after `finish`."""
        thread = threading.Thread(target=self._run, name="watch", daemon=True)
        thread.start()
        return thread

    def finish(self) -> None:
        """Stop looking."""
        self._end.set()

    def _run(self) -> None:
        while not self._end.wait(LOOK_S):
            if self.twin.running:
                self._look()
            if self.newest:
                self.lag_s = time.time() - self.newest
                if self.lag_s > self.gap_s:
                    self.gap_s, self.gap_at = self.lag_s, time.time()

    def _look(self) -> None:
        pid = self.twin.pid
        if pid != self._pid:
            self._pid, self._born = pid, time.monotonic()
            self.lives.append(Life())
        life = self.lives[-1]
        with suppress(psutil.Error):
            life.memory.append((time.monotonic() - self._born, psutil.Process(pid).memory_info().rss / 1e6))
        said = health(self.port)
        if not said or self.twin.pid != pid:  # of another life than the memory
            return
        self.answers += 1
        self.spooled = int(said.get("spooled", 0))
        elsewhere = sum(int(said.get(name, 0)) for name in ELSEWHERE)
        life.balances.append(Balance(said["received"], said["stored"], said["parked"], elsewhere))
        if said["lag_s"] is not None:
            self.newest = max(self.newest, min(time.time(), time.time() - said["lag_s"]))
