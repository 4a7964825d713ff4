"""Parked messages are kept whole, with reason and hint, on disk before they are acknowledged."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.core.plants import NOW_NS
from twin.adapters.deadletter import DeadLetters
from twin.codec import REASONS, Problem
from twin.errors import SinkUnavailable

PROBLEMS = [Problem(f"t/{n}", bytes([n, 0, 255]), reason, f"detail {n}", "f") for n, reason in enumerate(REASONS)]


def test_every_problem_is_kept_with_its_hint(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "new" / "parked.sqlite")
    asyncio.run(letters.park(PROBLEMS[:2], NOW_NS))
    asyncio.run(letters.park(PROBLEMS[2:], NOW_NS + 1))
    found = letters.latest(100)
    assert [row[1:4] for row in reversed(found)] == [(p.topic, p.payload, p.reason) for p in PROBLEMS]
    assert [row[0] for row in found] == [NOW_NS + 1] * (len(PROBLEMS) - 2) + [NOW_NS] * 2
    for received_ns, _, _, reason, where, detail, hint in found:
        assert received_ns >= NOW_NS
        assert (where, detail[:6], hint) == ("f", "detail", REASONS[reason])
    assert len(letters.latest(3)) == 3
    letters.close()


def test_what_is_parked_outlives_the_process(tmp_path: Path) -> None:
    first = DeadLetters(tmp_path / "parked.sqlite")
    asyncio.run(first.park(PROBLEMS, NOW_NS))
    # Not closed: as after a crash, another reader finds it on disk.
    second = DeadLetters(tmp_path / "parked.sqlite")
    assert len(second.latest(100)) == len(PROBLEMS)
    second.close()
    first.close()


def test_nothing_to_park_writes_nothing(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "parked.sqlite")
    asyncio.run(letters.park([], NOW_NS))
    assert letters.latest() == []
    letters.close()


def test_a_disk_that_refuses_is_an_outage_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    path = tmp_path / "parked.sqlite"
    letters = DeadLetters(path)
    with sqlite3.connect(path) as other:
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON parked WHEN NEW.topic = 't/1' BEGIN SELECT RAISE(FAIL, 'full'); END"
        )
    other.close()
    with pytest.raises(SinkUnavailable, match=r"parked\.sqlite: full"):
        asyncio.run(letters.park(PROBLEMS[:3], NOW_NS))
    assert letters.latest() == []
    asyncio.run(letters.park(PROBLEMS[2:3], NOW_NS))
    assert len(letters.latest()) == 1
    letters.close()
