"""Decode, encode and engine step in this process, beside the naive forms of the same work."""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from tests.bench import learned, load
from tests.bench.naive import point
from twin.codec import Codec
from twin.engine import Engine
from twin.frames import Readings
from twin.lines import LineProtocol
from twin.parts import engine_of
from twin.plant import Roster
from twin.ports import Message
from twin.settings import resolve
from twin.signals import of_topic
from twin.topics import Router

__all__ = ["MICROS", "Timing", "measure"]

POTS = 300
SECONDS = 8  # of all pots: 2,400 pot-samples a batch
PAST_S = 2 * 3600


@dataclass(frozen=True, slots=True)
class Timing:
    """Medians of the repeats, in `unit`; CPU of the naive form, 0 where there is none. Other work moves `wall` only."""

    name: str
    title: str
    unit: str
    wall: float
    cpu: float
    naive: float = 0.0
    naive_title: str = ""
    wanted_below: float = 0.0


def _timed(works: list[Callable[[], object]], repeats: int) -> list[tuple[float, float]]:
    """Return (wall, CPU) medians [s] of each work, taken in turns so that what disturbs one disturbs all."""
    taken: list[list[tuple[float, float]]] = [[] for _ in works]
    for _ in range(repeats):
        for work, times in zip(works, taken, strict=True):
            wall, cpu = time.perf_counter(), time.process_time()
            work()
            times.append((time.perf_counter() - wall, time.process_time() - cpu))
    return [(statistics.median(t[0] for t in times), statistics.median(t[1] for t in times)) for times in taken]


def _said(roster: Roster, seed: int, *, batched: bool) -> list[Message]:
    return load.messages(roster, (int(time.time()) - PAST_S) * load.NS, SECONDS, seed, batched=batched)


def _codec(roster: Roster) -> Codec:
    return Codec(Router(roster, root=load.ROOT_TOPIC, discover=False))


def decode(name: str, repeats: int, seed: int, *, title: str, batched: bool) -> Timing:
    """Messages -> Readings, beside json.loads of the same payloads."""
    roster = load.roster(POTS)
    said, codec = _said(roster, seed, batched=batched), _codec(roster)
    now = time.time_ns()
    decoded = codec.decode(said, now)
    assert len(decoded.readings) == POTS * SECONDS * len(of_topic("telemetry"))
    ours, naive = _timed(
        [lambda: codec.decode(said, now), lambda: [json.loads(message.payload) for message in said]], repeats
    )
    per = 1e6 / (POTS * SECONDS)
    return Timing(name, title, "us/pot-sample", ours[0] * per, ours[1] * per, naive[1] * per, "json.loads")


def encode(name: str, repeats: int, seed: int, *, title: str) -> Timing:
    """Readings -> line protocol, beside a Point built and put into words a message, from JSON already read."""
    roster = load.roster(POTS)
    said = _said(roster, seed, batched=False)
    readings = _codec(roster).decode(said, time.time_ns()).readings
    lines = LineProtocol(roster)
    read = [(message.topic.split("/"), json.loads(message.payload)) for message in said]
    fields = [(topic[1], topic[2], topic[3], body.pop("time"), body) for topic, body in read]
    assert lines.encode(readings).count(b"\n") == len(fields) == POTS * SECONDS

    def naive_form() -> list[str]:
        return [point(*one).to_line_protocol() for one in fields]

    ours, naive = _timed([lambda: lines.encode(readings), naive_form], repeats)
    per = 1e6 / (POTS * SECONDS)
    return Timing(name, title, "us/pot-sample", ours[0] * per, ours[1] * per, naive[1] * per, "Point")


def step(name: str, repeats: int, seed: int, *, title: str, pots: int, lines: int, stride: int = 1) -> Timing:
    """One engine step with one second of every pot and line; at a `stride` of 60 each step ends a minute, and the state
    of every pot is estimated in it."""
    roster = load.roster(pots, lines)
    engine: Engine = engine_of(resolve(), roster)
    state = engine.start()
    start_ns = (int(time.time()) - PAST_S) * load.NS
    walls, cpus = [], []
    for second in range(0, (repeats + 5) * stride, stride):
        given = Readings.concat(
            [load.readings(roster, start_ns, second, 1, seed), _of_lines(roster, start_ns + second * load.NS, second)]
        )
        wall, cpu = time.perf_counter(), time.process_time()
        state, report = engine.step(state, given)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    assert len(report.pots.units) == pots
    assert report.figures
    return Timing(
        name, title, "ms/step", statistics.median(walls[5:]) * 1e3, statistics.median(cpus[5:]) * 1e3,
        wanted_below=WANTED_MS.get(name, 0.0),
    )  # fmt: skip


def _of_lines(roster: Roster, time_ns: int, second: int) -> Readings:
    """Current, voltage and meters of every line."""
    codes, count = of_topic("line")[:5], len(roster.line_codes())
    meters = 1e6 + second * np.array([0.0, 0.0, 335.0, 330.0, 4.0])
    value = np.array([500.0, 2400.0, *meters[2:]])
    return Readings.of(
        np.full(count * len(codes), time_ns),
        np.repeat(roster.line_codes(), len(codes)),
        np.tile(codes, count),
        np.tile(value, count),
    )


def score(name: str, repeats: int, seed: int, *, title: str, rows: int) -> Timing:
    """A minute of every pot through every detector and both supervised models, one after the other."""
    score_all = learned.scorer(rows, seed)
    ((wall, cpu),) = _timed([score_all], repeats)
    return Timing(name, title, "ms/minute", wall * 1e3, cpu * 1e3, wanted_below=WANTED_MS.get(name, 0.0))


MICROS: dict[str, Callable[[str, int, int], Timing]] = {
    "decode-single": partial(decode, title="decode: a message a pot", batched=False),
    "decode-section": partial(decode, title="decode: section messages of 20 pots", batched=True),
    "encode": partial(encode, title="encode: to line protocol"),
    "step-300": partial(step, title="step: engine, 300 pots", pots=300, lines=1),
    "step-10000": partial(step, title="step: engine, 10,000 pots in one line", pots=10_000, lines=1),
    "step-10000-lines": partial(step, title="step: engine, 10,000 pots in 40 lines", pots=10_000, lines=40),
    "minute-10000": partial(
        step, title="step that ends a minute: engine and estimator, 10,000 pots", pots=10_000, lines=1, stride=60
    ),
    "minute-10000-lines": partial(
        step, title="step that ends a minute, 10,000 pots in 40 lines", pots=10_000, lines=40, stride=60
    ),
    "models-10000": partial(
        score, title="models: 10,000 pots, 60 columns, all detectors, warning and diagnosis", rows=10_000
    ),
}
WANTED_MS = {
    "step-10000": 100.0, "step-10000-lines": 100.0, "minute-10000": 200.0, "minute-10000-lines": 200.0,
    "models-10000": 2000.0,
}  # fmt: skip


def measure(name: str, repeats: int, seed: int) -> Timing:
    """Run one of MICROS."""
    return MICROS[name](name, repeats, seed)
