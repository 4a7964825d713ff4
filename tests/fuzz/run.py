"""The way in under fire: codec and ingest between a source, a store and a park that fail on purpose."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import random
import re
import time
import tracemalloc
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import orjson
import psutil

from tests.core.plants import NOW_NS, roster_of
from tests.fuzz.foreign import MAP, foreign
from tests.fuzz.mutate import hostile
from twin.adapters.memory import FakeClock, ListSource
from twin.catalogue import CATALOGUE
from twin.codec import REASONS, Codec, Problem
from twin.errors import SinkRejected, SinkUnavailable
from twin.frames import Quality, Readings
from twin.ingest import Counts, Ingestor
from twin.lines import LineProtocol
from twin.mapping.table import mapping
from twin.ports import Message
from twin.refusals import judged
from twin.signals import SIGNALS
from twin.sparkplug.session import NAMESPACE, Host, told
from twin.topics import Router

__all__ = ["Outcome", "fuzz"]

BATCH = 50
# The whole grammar of a line of ours: what does not match it would be an injection.
LINE = re.compile(
    rb"(pot|line|event|sample),site=s,line=L(,pot=[A-Za-z0-9][A-Za-z0-9_.\-]{0,63})? "
    rb"([a-z0-9_]+=-?[0-9.]+(e[+-]?[0-9]+)?,?)+ [0-9]{18,19}\n"
)
LOW = np.array([signal.low for signal in SIGNALS])
HIGH = np.array([signal.high for signal in SIGNALS])


@dataclass(frozen=True)
class Outcome:
    """What came of it. `grown_mib`: Python's memory after the last message less that after the first tenth."""

    counts: Counts
    sent: int
    seconds: float
    grown_mib: float
    rss_mib: tuple[float, float]
    refused: int
    away: int


class _World:
    """The store: checks every reading and line, is away now and then, and refuses some signals and values for good."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.roster = roster_of(3)
        self.lines = LineProtocol(self.roster)
        self.refused = self.away = self.parked = 0

    async def write(self, readings: Readings) -> None:
        if self.chance.random() < 0.02:
            self.away += 1
            raise SinkUnavailable("away")
        finite = np.isfinite(readings.value)
        assert (finite | (readings.quality == Quality.BAD)).all()
        values, signals = readings.value[finite], readings.signal[finite]
        assert ((LOW[signals] <= values) & (values <= HIGH[signals])).all()
        sent = self.lines.encode(readings)
        whole = sent.splitlines(keepends=True)
        assert all(LINE.fullmatch(line) for line in whole), sent[:500]
        self._refuse(whole, sent)

    def _refuse(self, whole: list[bytes], sent: bytes) -> None:
        for line in whole:
            if b"metal_wave_mv=" in line:
                said = 'field type conflict: input field \\"metal_wave_mv\\" on measurement \\"pot\\" is type float'
            elif line.endswith(b"7\n"):
                said = "points beyond retention policy"
            elif line.endswith(b"33\n"):
                said = "unable to parse"
            else:
                continue
            self.refused += 1
            error = judged(400, f'{{"error": "partial write: {said} dropped=1"}}', sent)
            assert isinstance(error, SinkRejected)
            raise error

    async def park(self, problems: Sequence[Problem], received_ns: int) -> None:
        if self.chance.random() < 0.01:
            self.away += 1
            raise SinkUnavailable("disk full")
        for problem in problems:
            assert problem.reason in REASONS
            assert len(problem.detail) <= 1000
            assert problem.detail.isprintable() or problem.reason not in ("bad_topic", "unknown_unit")
            (problem.detail + problem.field).encode()
        self.parked += len(problems)


def _used_mib() -> float:
    return tracemalloc.get_traced_memory()[0] / 2**20


def fuzz(count: int, seed: int = 5, *, trace: bool = True) -> Outcome:
    """Send so many hostile messages, and half as many of an existing plant, through codec and ingest.

    Raises on a crash or an unbalanced count.
    """
    world, process = _World(seed), psutil.Process()
    router = Router(world.roster, root="smelter", discover=True)
    codec, host = Codec(router, beside=mapping(MAP, "fuzz", router)), Host()
    messages, others = hostile(count, seed), foreign(count // 2, seed)
    counts, used, rss = Counts(), list[float](), list[float]()
    if trace:
        tracemalloc.start()
    began = time.perf_counter()

    async def chunk(batches: list[list[Message]]) -> None:
        source = ListSource(batches)
        ingestor = Ingestor(
            source, codec, world, world, FakeClock(NOW_NS), hand_on=_nobody, retry_max_s=0.0,
        )  # fmt: skip
        ingestor.counts = counts
        await ingestor.run()
        assert all(source.acknowledged)

    sent = 0
    while batch := list(itertools.islice(messages, max(BATCH, count // 40))):
        batch += _hosted(host, itertools.islice(others, len(batch) // 2))
        asyncio.run(chunk([batch[n : n + BATCH] for n in range(0, len(batch), BATCH)]))
        sent += len(batch)
        assert counts.received == counts.stored + counts.parked == sent, counts
        orjson.dumps({**counts.problems, **counts.unknown_fields})  # what a page or a metric would have to print
        json.dumps(counts.unknown_fields)
        if sent >= count // 10:
            gc.collect()
            used.append(_used_mib() if trace else 0.0)
            rss.append(process.memory_info().rss / 2**20)
    seconds = time.perf_counter() - began
    if trace:
        tracemalloc.stop()
    assert len(world.roster.paths) <= 1100, "no more pots than may be discovered"
    assert len(CATALOGUE) > len(SIGNALS)
    grown = min(used[len(used) // 2 :]) - min(used[: max(1, len(used) // 4)])
    return Outcome(counts, sent, seconds, grown, (rss[0], rss[-1]), world.refused, world.away)


def _hosted(host: Host, messages: Iterable[Message]) -> Iterator[Message]:
    """Messages of Sparkplug as a host hands them on, and others as they are, a millisecond apart."""
    for number, message in enumerate(messages):
        if message.topic.startswith(f"{NAMESPACE}/"):
            now_ms = NOW_NS // 1_000_000 + number
            found = host.take(message, now_ms).messages + host.tick(now_ms).messages
            yield from (Message(told("smelter", topic), payload) for topic, payload in found)
        else:
            yield message


async def _nobody(readings: Readings) -> None:
    """No engine here."""
