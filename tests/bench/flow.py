"""End to end: publisher -> mosquitto -> consumer -> store, each its own process; the store is counted afterwards."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psutil

from tests.bench.load import SECTION_POTS, messages, plant_toml, roster, write_chunks
from tests.processes import HOST
from tests.servers import InfluxServer, Server, influxd, mosquitto, nginx_v2

__all__ = ["FLOWS", "Flow", "Measured", "measure", "samples_of"]

TREE = Path(__file__).parents[2]
POTS = 300
CONNECTIONS = 4  # section gateways that publish
PAST_S = 2 * 3600
BUCKET = "bench"
PATIENCE_S = 180.0


@dataclass(frozen=True, slots=True)
class Flow:
    """One way to measure. It is compared with the flow that `naive` names; `wanted`: how many times that one's rate."""

    name: str
    title: str
    qos: int
    ours: bool = True
    sink: str = "InfluxDB"
    batched: bool = False
    naive: str = ""
    wanted: float = 0.0
    words: tuple[str, ...] = ()  # settings of ours


FLOWS = (
    Flow("naive-q1", "naive bridge, QoS 1 (acknowledges before writing)", 1, ours=False),
    Flow("influx-q1", "ingest, QoS 1 (acknowledges after writing)", 1, naive="naive-q1", wanted=2.5),
    Flow("naive-q0", "naive bridge, QoS 0", 0, ours=False),
    Flow("influx-q0", "ingest, QoS 0", 0, naive="naive-q0", wanted=4.0),
    Flow("naive-batch", "naive bridge, QoS 1, section messages", 1, ours=False, batched=True, naive="naive-q1"),
    Flow("influx-batch", "ingest, QoS 1, section messages", 1, batched=True, naive="naive-q1", wanted=10.0),
    Flow("bare-q1", "ingest, QoS 1, without a spool", 1, words=("spool.max_mib=0",)),
    Flow("spool-q1", "ingest, QoS 1, with the spool, which is not needed", 1, naive="bare-q1", wanted=0.8),
    Flow(
        "through-q1",
        "ingest, QoS 1, every batch through the spool",
        1,
        naive="bare-q1",
        wanted=0.8,
        words=("spool.waiting=0",),
    ),
    Flow("duck-q1", "ingest, QoS 1", 1, sink="DuckDB", naive="influx-q1", wanted=1.0),
    Flow("duck-q0", "ingest, QoS 0", 0, sink="DuckDB", naive="influx-q0", wanted=1.0),
    Flow("duck-batch", "ingest, QoS 1, section messages", 1, True, "DuckDB", True, "influx-batch", 1.0),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One run. CPU in s: the consumer's own; that of broker, proxy, database and publisher; `foreign_cores` went to
    processes that are none of ours while it ran: what does not leave two cores to a flow understates it.
    """

    flow: str
    seconds: float
    messages: int
    samples: int
    samples_stored: int
    cpu_s: float
    peak_mb: float
    idle_mb: float
    other_cpu_s: dict[str, float]
    foreign_cores: float

    @property
    def samples_per_s(self) -> float:
        return self.samples_stored / self.seconds

    @property
    def messages_per_s(self) -> float:
        return self.samples_per_s * self.messages / self.samples


def samples_of(flow: Flow, *, quick: bool) -> int:
    """Return how many pot-samples make a run of some seconds; section messages go faster and need more."""
    if quick:
        return 60_000 if flow.batched else 21_000
    return 300_000 if flow.batched else 120_000


class Child:
    """A process of the benchmark that says `ready`, and at its end one line of JSON."""

    def __init__(self, module: str, *arguments: str) -> None:
        guard = ("setpriv", "--pdeathsig", "KILL", "--", sys.executable, "-m", f"tests.bench.{module}")
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            (*guard, *arguments), cwd=TREE, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )
        self._module = module

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def await_ready(self) -> None:
        """Return when it is ready."""
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError(f"{self._module} did not start: {self._process.communicate()[1]}")

    def result(self, word: str = "") -> dict[str, Any]:
        """Send a word, wait for the end, return what it tells."""
        said, complaints = self._process.communicate(word, timeout=PATIENCE_S)
        if self._process.returncode:
            raise RuntimeError(f"{self._module} failed: {complaints}")
        told: dict[str, Any] = json.loads(said.splitlines()[-1])
        return told

    def go(self) -> None:
        """Say the word that starts it."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()


def measure(flow: Flow, samples: int, seed: int, words: Sequence[str] = ()) -> Measured:
    """Run one flow once, on fresh servers, and count what its store has afterwards. `words`: settings of ours."""
    seconds = samples // POTS
    start_ns = (int(time.time()) - PAST_S) * 1_000_000_000
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twin-bench-")))
        said = messages(roster(POTS), start_ns, seconds, seed, batched=flow.batched)
        files = [str(file) for file in write_chunks(said, flow.qos, CONNECTIONS, folder)]
        count = len(said)
        assert count * (SECTION_POTS if flow.batched else 1) == seconds * POTS
        del said
        servers = {"mosquitto": stack.enter_context(mosquitto())}
        database = None
        if flow.sink == "InfluxDB":
            database = servers["influxd"] = stack.enter_context(influxd())
            servers["nginx"] = stack.enter_context(nginx_v2(database))
            database.create_database(BUCKET)
        consumer = stack.enter_context(_consumer(flow, count, servers, folder, words))
        consumer.await_ready()
        publisher = stack.enter_context(Child("publisher", str(servers["mosquitto"].port), str(flow.qos), *files))
        publisher.await_ready()
        before = {name: _cpu(server) for name, server in servers.items()}
        began, busy = time.perf_counter(), _busy()
        publisher.go()
        told = consumer.result()
        took, busy = time.perf_counter() - began, _busy() - busy
        other = {name: _cpu(server) - before[name] for name, server in servers.items()}
        other["publisher"] = publisher.result()["cpu_s"]
        stored = _count(database) if database else _count_file(folder / "data" / "twin.duckdb")
        own = {name: told[name] for name in ("seconds", "cpu_s", "peak_mb", "idle_mb")}
        foreign = max(0.0, busy - told["cpu_s"] - sum(other.values())) / took
        return Measured(
            foreign_cores=foreign,
            flow=flow.name,
            messages=count,
            samples=seconds * POTS,
            samples_stored=stored,
            other_cpu_s=other,
            **own,
        )


def _consumer(flow: Flow, count: int, servers: dict[str, Any], folder: Path, words: Sequence[str]) -> Child:
    port = servers["mosquitto"].port
    if not flow.ours:
        return Child("naive", str(count), str(port), str(flow.qos), servers["nginx"].url, BUCKET)
    file = folder / "plant.toml"
    file.write_text(plant_toml(POTS))
    settings = {
        "plant.file": str(file),
        "data.dir": str(folder / "data"),
        "mqtt.url": f"mqtt://{HOST}:{port}",
        "mqtt.qos": str(flow.qos),
        "ingest.linger_ms": "50",  # the last batch is never full: its 250 ms of waiting would count as a sixth of a run
        "sink.url": "duckdb" if flow.sink == "DuckDB" else f"influx://{HOST}:{servers['nginx'].port}/{BUCKET}",
    }
    return Child("consumer", str(count), *(f"{name}={value}" for name, value in settings.items()), *flow.words, *words)


def _cpu(server: Server) -> float:
    used = psutil.Process(server.pid).cpu_times()
    return float(used.user + used.system)


def _busy() -> float:
    """Seconds that all cores of the machine have been busy, or taken away by the host."""
    spent = psutil.cpu_times()
    return float(sum(spent) - spent.idle - spent.iowait - spent.guest - spent.guest_nice)


def _count(database: InfluxServer) -> int:
    answer = database.query("SELECT count(voltage_v) FROM pot", BUCKET)["results"][0]
    return int(answer["series"][0]["values"][0][1]) if "series" in answer else 0


def _count_file(path: Path) -> int:
    """Rows of the file, which must all be different."""
    with duckdb.connect(str(path), read_only=True) as database:
        found = database.execute("SELECT count(*), count(DISTINCT (time, pot)) FROM pot WHERE voltage_v > 0").fetchone()
    assert found is not None
    if found[0] != found[1]:
        raise RuntimeError(f"DuckDB holds {found[0]} rows of {found[1]} units and times")
    return int(found[0])
