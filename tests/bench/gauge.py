"""What a consumer process says of itself: seconds from the first message to the last one stored, CPU, peak memory."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import uvloop

__all__ = ["STALL_S", "START_S", "Gauge", "Outcome", "loop_factory"]

START_S = 30.0  # patience for the first message
STALL_S = 8.0  # patience for the next one


@dataclass(frozen=True, slots=True)
class Outcome:
    """`cpu_s` and `peak_mb` are the consumer's own; `stored` is what it believes, the store is asked afterwards."""

    seconds: float
    cpu_s: float
    peak_mb: float
    stored: int
    idle_mb: float


class Gauge:
    """Watches one run: `first`, then `seen` at every look; `over` when all is stored or nothing comes any more."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.stored = 0
        self._idle_mb = _peak_mb()
        self._began = self._ended = self._moved = time.perf_counter()
        self._cpu = self._cpu_end = time.process_time()
        self._started = False

    def ready(self) -> None:
        """Tell the parent process that messages may come."""
        self._moved = time.perf_counter()
        print("ready", flush=True)

    def first(self) -> None:
        """The first message is here; further calls do nothing."""
        if not self._started:
            self._started = True
            self._began = self._moved = time.perf_counter()
            self._cpu = time.process_time()

    def seen(self, stored: int) -> None:
        """So many messages are stored by now."""
        if stored != self.stored:
            self.stored = stored
            self._moved = self._ended = time.perf_counter()
            self._cpu_end = time.process_time()

    @property
    def over(self) -> bool:
        waited = time.perf_counter() - self._moved
        return self.stored >= self.wanted or waited > (STALL_S if self._started else START_S)

    def tell(self) -> None:
        """Print the outcome for the parent process."""
        outcome = Outcome(self._ended - self._began, self._cpu_end - self._cpu, _peak_mb(), self.stored, self._idle_mb)
        print(json.dumps(asdict(outcome)), flush=True)


def loop_factory(words: list[str]) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the loop that `twin` runs on where it can, uvloop; the word loop=asyncio asks for the standard one."""
    if "loop=asyncio" in words:
        words.remove("loop=asyncio")
        return None
    return uvloop.new_event_loop


def _peak_mb() -> float:
    """Largest resident memory so far. (getrusage would say the parent's, if that was larger before the exec.)"""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6
