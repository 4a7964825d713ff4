"""`twin up` with 60 pots: memory and CPU of the whole process tree, the broker child included."""

import contextlib
import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.processes import HOST, free_port

__all__ = ["Footprint", "measure"]

TREE = Path(__file__).parents[2]
START_S = 40.0
STOP_S = 15.0


@dataclass(frozen=True, slots=True)
class Footprint:
    """Largest memory seen [MB] and mean CPU [cores] over `seconds`. `pss_mb` counts shared pages once."""

    seconds: float
    rss_mb: float
    pss_mb: float
    cores: float
    parts: dict[str, tuple[float, float]]
    messages_per_s: float


def measure(warm_s: float, seconds: float) -> Footprint:
    """Start `twin up`, let it warm up, watch it, stop it."""
    with tempfile.TemporaryDirectory(prefix="twin-bench-up-") as folder, _up(Path(folder)) as (process, url):
        threading.Thread(target=_look, args=(url,), daemon=True).start()
        time.sleep(warm_s)
        tree = [process, *process.children(recursive=True)]
        cpu = [_cpu(member) for member in tree]
        began = time.perf_counter()
        rss = pss = 0.0
        while time.perf_counter() - began < seconds:
            full = [member.memory_full_info() for member in tree]
            rss = max(rss, sum(info.rss for info in full) / 1e6)
            pss = max(pss, sum(info.pss for info in full) / 1e6)
            time.sleep(1)
        took = time.perf_counter() - began
        shares = [(_cpu(member) - before) / took for member, before in zip(tree, cpu, strict=True)]
        parts = {
            f"{member.name()} {member.pid}": (member.memory_info().rss / 1e6, share)
            for member, share in zip(tree, shares, strict=True)
        }
        with urllib.request.urlopen(f"{url}api/snapshot", timeout=5) as answer:
            rate = json.load(answer)["ingest"]["messages_per_s"]
        return Footprint(took, rss, pss, sum(shares), parts, rate)


def _look(url: str) -> None:
    """Watch the page as one browser does, until it goes."""
    with contextlib.suppress(OSError, http.client.HTTPException), urllib.request.urlopen(f"{url}api/stream") as stream:
        while stream.readline():
            pass


@contextlib.contextmanager
def _up(folder: Path) -> Iterator[tuple[psutil.Process, str]]:
    port = free_port()
    words = (f"data.dir={folder}", f"broker.port={free_port()}", f"page.port={port}", "simulate.history_min=0")
    options = [part for word in words for part in ("--set", word)]
    guard = ("setpriv", "--pdeathsig", "KILL", "--")
    with (folder / "log").open("w") as log:
        run = subprocess.Popen([*guard, sys.executable, "-m", "twin", "up", *options], cwd=TREE, stdout=log, stderr=log)
    try:
        url = f"http://{HOST}:{port}/"
        _await_page(url, run, folder / "log")
        yield psutil.Process(run.pid), url
    finally:
        run.terminate()
        try:
            run.wait(STOP_S)
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()


def _await_page(url: str, run: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and run.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"twin up gave no page: {log.read_text()[-2000:]}")


def _cpu(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)
