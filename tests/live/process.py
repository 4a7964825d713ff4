"""One `python -m twin` in a test: its output in a file, killed or stopped by process id, never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.live.tools import until_sync

__all__ = ["ROOT", "Twin", "twin"]

ROOT = Path(__file__).parents[2]


class Twin:
    """One `python -m twin`; `before` are words to put before its command."""

    def __init__(self, folder: Path, command: str, settings: dict[str, object], before: Sequence[str] = ()) -> None:
        folder.mkdir(exist_ok=True)
        words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SMELTER_")}
        self._log = (folder / "log").open("ab+")
        self.process = subprocess.Popen(
            [*before, sys.executable, "-m", "twin", command, *words], cwd=folder, stdout=self._log, stderr=self._log,
            env={**clean, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip

    def log(self) -> str:
        self._log.seek(0)
        return self._log.read().decode()

    def says(self, text: str, times: int = 1) -> None:
        """Wait until it has printed this."""
        until_sync(
            lambda: self.log().count(text) >= times or self.process.poll() is not None, f"{text!r} in the output"
        )
        assert self.log().count(text) >= times, self.log()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """Ctrl-C; it has ten seconds."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(10)

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
        self._log.close()


@contextmanager
def twin(folder: Path, command: str, *, before: Sequence[str] = (), **settings: object) -> Iterator[Twin]:
    started = Twin(folder, command, {name.replace("__", "."): value for name, value in settings.items()}, before)
    try:
        yield started
    finally:
        started.close()
