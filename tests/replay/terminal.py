"""`twin` as a person runs it: a process, on a terminal of its own or without one."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


def environment() -> dict[str, str]:
    """This one, without settings of the developer's, with the tree on the path."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("SMELTER_")}
    return kept | {"PYTHONPATH": str(ROOT), "COLUMNS": "140", "TERM": "xterm", "NO_COLOR": "1"}


class Terminal:
    """`twin` on a pseudo-terminal: press keys, await what it shows."""

    def __init__(self, *words: str, folder: Path) -> None:
        self._ours, self.theirs = pty.openpty()
        self.before = termios.tcgetattr(self.theirs)
        self.shown = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "twin", *words],
            cwd=folder,
            env=environment(),
            stdin=self.theirs,
            stdout=subprocess.DEVNULL,
            stderr=self.theirs,
            start_new_session=True,
        )

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self.theirs)

    def press(self, keys: str) -> None:
        """Send keys, and forget what was shown before."""
        self.shown = ""
        os.write(self._ours, keys.encode())

    def until(self, text: str, seconds: float = 20.0) -> None:
        """Return when `text` was shown."""
        end = time.monotonic() + seconds
        while text not in self.shown:
            left = end - time.monotonic()
            ready = select.select([self._ours], [], [], max(left, 0))[0]
            assert ready, f"{text!r} was not shown, but {self.shown[-500:]!r}"
            self.shown += os.read(self._ours, 1 << 16).decode(errors="replace")

    def ended(self, seconds: float = 20.0) -> int:
        """The exit code; what it still shows is read, for a full terminal would hold it up."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < end, f"still running, showing {self.shown[-500:]!r}"
            if select.select([self._ours], [], [], 0.05)[0]:
                self.shown += os.read(self._ours, 1 << 16).decode(errors="replace")
        return self.process.returncode
