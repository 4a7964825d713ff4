"""A chaos run: servers, the twin, the sources, the schedule, the wait until all is settled, the verdict."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from tests.chaos.figures import Compared, compare, undisturbed
from tests.chaos.ingestor import TREE, TwinProcess, clean_environment, parked
from tests.chaos.judge import Verdict, judge
from tests.chaos.load import NS, Plan, end_mark, plant_toml, said
from tests.chaos.readback import readings_back
from tests.chaos.schedule import SERVER_KINDS, Disturbance, schedule
from tests.chaos.watch import Watch
from tests.processes import HOST, Server, free_port
from tests.servers import influxd, mosquitto, nginx_v2
from twin.settings import SETTINGS

__all__ = ["Options", "Outcome", "run"]

BUCKET = "chaos"
ROOT_TOPIC = "chaos"
START_IN_S = 3.0
SETTLE_S = 180.0  # for everything to be stored or parked after the last message
QUOTA = "spool.max_mib"
HAS_QUOTA = any(setting.name == QUOTA for setting in SETTINGS)


@dataclass(frozen=True, slots=True)
class Options:
    """What to run. `settings` go to the twin, over those of the run."""

    pots: int = 1500
    seconds: int = 240
    seed: int = 7
    store: str = "influx"
    batched: bool = True
    settings: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Outcome:
    """What the run found."""

    options: Options
    done: list[tuple[float, str]] = field(default_factory=list)  # seconds after the first reading, what was done
    notes: list[str] = field(default_factory=list)
    publisher: dict[str, int] = field(default_factory=dict)
    lives: int = 0
    settled_s: float = 0.0
    gap_s: float = 0.0
    gap_at_s: float = 0.0
    verdict: Verdict = field(default_factory=Verdict)
    figures: Compared = field(default_factory=Compared)

    @property
    def ok(self) -> bool:
        return self.verdict.ok and self.figures.ok


@dataclass(slots=True)
class _Rig:
    """What runs."""

    plan: Plan
    twin: TwinProcess
    watch: Watch
    broker: Server
    database: Server | None
    outcome: Outcome
    say: Callable[[str], None]

    def at(self, second: float) -> None:
        """Wait for a moment of the plan: the schedule is in seconds, so this is what there is to wait for."""
        time.sleep(max(0.0, self.plan.start_ns / NS + second - time.time()))

    def did(self, what: str) -> None:
        second = time.time() - self.plan.start_ns / NS
        self.outcome.done.append((round(second, 1), what))
        self.say(f"{second:6.1f} s  {what}")


def run(options: Options, say: Callable[[str], None]) -> Outcome:
    """Run it all. Raises ServerError when a server does not start, TimeoutError when it does not settle."""
    outcome = Outcome(options)
    disturbances = schedule(options.seed, options.seconds)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twin-chaos-")))
        broker = stack.enter_context(mosquitto())
        database, sink = _store(options, stack)
        words = _settings(options, folder, broker, sink)
        twin = TwinProcess(folder, words)
        stack.callback(twin.close)
        twin.start()
        twin.connected()
        start_ns = (int(time.time() + START_IN_S) + 1) * NS
        rows = [(one.at_s, one.kind, one.for_s) for one in disturbances]
        plan = Plan(options.pots, options.seconds, options.seed, start_ns, ROOT_TOPIC, options.batched, rows)
        rig = _Rig(plan, twin, Watch(twin, int(str(words["page.port"]))), broker, database, outcome, say)
        _drive(rig, disturbances)
        _weigh(rig, words)
    return outcome


def _store(options: Options, stack: ExitStack) -> tuple[Server | None, str]:
    """The database and the sink's address."""
    if options.store == "duckdb":
        return None, "duckdb"
    influx = stack.enter_context(influxd())
    influx.create_database(BUCKET)
    front = stack.enter_context(nginx_v2(influx))
    return influx, f"influx://{HOST}:{front.port}/{BUCKET}"


def _settings(options: Options, folder: Path, broker: Server, sink: str) -> dict[str, object]:
    (folder / "plant.toml").write_text(plant_toml(options.pots))
    words: dict[str, object] = {
        "roles": "ingest,engine,page",
        "plant.file": folder / "plant.toml",
        "data.dir": folder / "data",
        "mqtt.url": broker.url,
        "mqtt.root": ROOT_TOPIC,
        "page.port": free_port(),
        "sink.url": f"duckdb:{folder}/data/twin.duckdb" if sink == "duckdb" else sink,
        "sink.retry_max_s": 2.0,
        "engine.checkpoint_s": 20.0 if options.pots <= 300 else 60.0,  # killed before, between and after
        "engine.output_s": 15.0,
    }
    if HAS_QUOTA:
        words[QUOTA] = int(next(setting.low or 1 for setting in SETTINGS if setting.name == QUOTA))
    return words | options.settings


def _drive(rig: _Rig, disturbances: list[Disturbance]) -> None:
    """Publish, disturb, wait until all is settled, stop the twin."""
    watching = rig.watch.begin()
    with _publisher(rig) as publisher:
        for one in disturbances:
            if one.kind in SERVER_KINDS:
                rig.at(one.at_s)
                _disturb(rig, one)
            else:
                rig.outcome.done.append((one.at_s, f"{one.kind} for {one.for_s:.0f} s"))
        told, complaints = publisher.communicate(timeout=rig.plan.seconds + SETTLE_S)
        if publisher.returncode:
            raise RuntimeError(f"the publisher failed: {complaints.decode()}")
        rig.outcome.publisher = msgspec.json.decode(told, type=dict[str, int])
    rig.did("the broker has every message")
    rig.outcome.settled_s = _settle(rig)
    rig.did("all is settled")
    rig.watch.finish()
    watching.join()
    if rig.twin.stop():
        raise RuntimeError(f"the twin did not stop cleanly:\n{rig.twin.log()[-3000:]}")
    rig.outcome.lives = rig.twin.lives
    rig.outcome.gap_s = rig.watch.gap_s
    rig.outcome.gap_at_s = rig.watch.gap_at - rig.plan.start_ns / NS
    rig.outcome.done.sort()


@contextlib.contextmanager
def _publisher(rig: _Rig) -> Iterator[subprocess.Popen[bytes]]:
    guard = ("setpriv", "--pdeathsig", "KILL", "--", sys.executable, "-m", "tests.chaos.publisher")
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        (*guard, str(rig.broker.port)), cwd=TREE, stdin=pipe, stdout=pipe, stderr=pipe, env=clean_environment()
    )
    try:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(rig.plan))
        process.stdin.close()
        process.stdin = None
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _disturb(rig: _Rig, one: Disturbance) -> None:
    twin, broker, database = rig.twin, rig.broker, rig.database
    if one.kind == "kill ingestor":
        twin.kill()
        twin.start()
        rig.did("kill -9 of the ingestor, started again")
    elif one.kind == "restart broker":
        broker.stop()
        rig.at(one.end_s)
        broker.start()
        rig.did(f"the broker was away (SIGTERM) for {one.for_s:.1f} s")
    elif database is None:
        rig.outcome.notes.append(f"{one.kind} at {one.at_s:.1f} s left out: an embedded store has no server to stop")
    elif one.kind == "fill quota" and not HAS_QUOTA:
        rig.outcome.notes.append(f"{one.kind} at {one.at_s:.1f} s left out: this version has no setting {QUOTA}")
    else:
        database.stop()
        rig.did(f"{one.kind}: the database is stopped")
        if one.kind == "kill ingestor, database stopped":
            rig.at(one.at_s + one.for_s / 2)
            twin.kill()
            twin.start()
            rig.did("kill -9 of the ingestor, started again while the database is stopped")
        rig.at(one.end_s)
        if one.kind == "fill quota":
            rig.outcome.notes.append(f"fill quota: the spool told of up to {rig.watch.spooled} messages")
        database.start()
        rig.did("the database is back")


def _settle(rig: _Rig) -> float:
    """Wait until the end mark is parked, nothing is spooled, the twin knows its past; returns how long it took [s]."""
    end, folder = end_mark(rig.plan), rig.twin.folder / "data"
    began = time.monotonic()
    while not ((end.topic, end.payload, end.reason) in parked(folder) and not rig.watch.spooled and rig.twin.whole()):
        if not rig.twin.running:
            raise RuntimeError(f"the twin has ended by itself:\n{rig.twin.log()[-3000:]}")
        if time.monotonic() - began > SETTLE_S:
            raise TimeoutError(f"not settled {SETTLE_S:.0f} s after the last message:\n{rig.twin.log()[-3000:]}")
        time.sleep(0.2)  # the file of parked messages tells nobody that it has grown
    return time.monotonic() - began


def _weigh(rig: _Rig, words: dict[str, Any]) -> None:
    plan = rig.plan
    rig.say("reading the store back")
    seconds = [list(said(plan, second)) for second in range(plan.seconds)]
    messages = [*(message for second in seconds for message in second), end_mark(plan)]
    points, written = readings_back(plan, words)
    rig.outcome.verdict = judge(messages, points, parked(rig.twin.folder / "data"), rig.watch.lives)
    rig.say("feeding an engine that nobody disturbs with the same readings")
    rig.outcome.figures = compare(written, undisturbed(plan, seconds, words))
