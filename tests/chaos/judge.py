"""The judge of a chaos run: what was sent against what is there. Pure, so that tests show that it can say no."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from tests.chaos.load import Point, Said

__all__ = ["FLAT", "Balance", "Life", "Verdict", "expected_of", "judge"]

FLAT = 0.20  # memory after warm-up may grow by this part
WARM_S = 20.0  # of a process's life that are its warm-up
LEAST_SAMPLES = 10  # of memory, else nothing is said about a life
SHOWN = 5

Key = tuple[str, str, int]  # measurement, path, source time [ns]


@dataclass(frozen=True, slots=True)
class Balance:
    """What the ingest told of itself at one moment, messages."""

    received: int
    stored: int
    parked: int
    elsewhere: int = 0  # spooled, rejected by policy

    @property
    def even(self) -> bool:
        return self.received == self.stored + self.parked + self.elsewhere


@dataclass(slots=True)
class Life:
    """One process of the ingest: seconds since its start and memory [MB] at each look, and its books."""

    memory: list[tuple[float, float]] = field(default_factory=list)
    balances: list[Balance] = field(default_factory=list)

    def growth(self) -> float | None:
        """Last third of the memory after warm-up over its first third, less 1; None for a life too short to tell."""
        warm = [size for age, size in self.memory if age >= WARM_S]
        if len(warm) < LEAST_SAMPLES:
            return None
        third = len(warm) // 3
        return median(warm[-third:]) / median(warm[:third]) - 1.0


@dataclass(slots=True)
class Verdict:
    """Counts, and the first few of each kind of wrong; `ok` when nothing is wrong."""

    sent_points: int = 0
    stored_points: int = 0
    sent_poison: int = 0
    parked: int = 0
    parked_again: int = 0
    lost: int = 0
    doubled: int = 0
    changed: int = 0
    uneven: int = 0
    growth: float | None = None
    peak_mb: float = 0.0
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems


def expected_of(messages: Sequence[Said]) -> tuple[dict[Key, float], Counter[tuple[str, bytes, str]]]:
    """Numbers that the store must hold by key, and messages that must be parked with their reason."""
    points: dict[Key, float] = {}
    for message in messages:
        for measurement, path, time_ns, number in message.points:
            assert points.setdefault((measurement, path, time_ns), number) == number, "the load contradicts itself"
    return points, Counter((m.topic, m.payload, m.reason) for m in messages if m.reason)


def judge(
    messages: Sequence[Said],
    stored: Sequence[Point],
    parked: Sequence[tuple[str, bytes, str]],
    lives: Sequence[Life],
) -> Verdict:
    """Compare. `stored` rows as they were read back, doubles included; `parked` rows (topic, payload, reason)."""
    points, poison = expected_of(messages)
    found = Verdict(sent_points=len(points), stored_points=len(stored), sent_poison=poison.total(), parked=len(parked))
    _points(found, points, stored)
    _parked(found, poison, Counter(parked))
    _balances(found, lives)
    _memory(found, lives)
    return found


def _wrong(found: Verdict, what: str, cases: Sequence[object]) -> None:
    if cases:
        found.problems.append(f"{what}: {len(cases)}, as {', '.join(map(str, cases[:SHOWN]))}")


def _points(found: Verdict, points: Mapping[Key, float], stored: Sequence[Point]) -> None:
    rows = Counter((measurement, path, time_ns) for measurement, path, time_ns, _ in stored)
    lost = [key for key in points if key not in rows]
    twice = [key for key, times in rows.items() if times > 1]
    nobody = [key for key in rows if key not in points]
    changed = [row for row in stored if points.get(row[:3], row[3]) != row[3]]
    found.lost, found.doubled, found.changed = len(lost), len(twice) + len(nobody), len(changed)
    _wrong(found, "lost", lost)
    _wrong(found, "stored twice", twice)
    _wrong(found, "stored under a key that nobody sent", nobody)
    _wrong(found, "stored with another number", changed)


def _parked(found: Verdict, poison: Counter[tuple[str, bytes, str]], parked: Counter[tuple[str, bytes, str]]) -> None:
    """A message that comes again after a crash may be parked again: that is counted, and no fault."""
    found.parked_again = sum(times - 1 for times in parked.values())
    _wrong(found, "poison that is not parked with its reason", [row for row in poison if row not in parked])
    _wrong(found, "parked without being poison", [row for row in parked if row not in poison])


def _balances(found: Verdict, lives: Sequence[Life]) -> None:
    uneven = [balance for life in lives for balance in life.balances if not balance.even]
    backwards = [
        (before, after) for life in lives for before, after in pairwise(life.balances)
        if after.received < before.received or after.stored < before.stored or after.parked < before.parked
    ]  # fmt: skip
    found.uneven = len(uneven)
    _wrong(found, "books that do not balance", uneven)
    _wrong(found, "counters that went back", backwards)


def _memory(found: Verdict, lives: Sequence[Life]) -> None:
    grown = [growth for life in lives if (growth := life.growth()) is not None]
    found.growth = max(grown, default=None)
    found.peak_mb = max((size for life in lives for _, size in life.memory), default=0.0)
    if found.growth is not None and found.growth > FLAT:
        found.problems.append(f"memory grew by {found.growth:.0%} after warm-up; {FLAT:.0%} are allowed")
