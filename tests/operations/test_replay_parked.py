"""Replaying parked messages: published once, marked once the broker has them, linked when they are parked again."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.operations.parking import NOW_NS, PROBLEMS, deadletter, park, printed
from twin.adapters.deadletter import DeadLetters, ParkedFile
from twin.adapters.memory import KeepingPublisher
from twin.cli_deadletter import CHUNK, replay_messages
from twin.codec import Problem
from twin.errors import SourceUnavailable
from twin.letters import Selection
from twin.ports import Message


class Publisher(KeepingPublisher):
    """A broker that goes away after so many messages; parks what it got before it answers, as a fast ingest does."""

    def __init__(self, path: Path, lasts: int = 10**9, parks: bool = False) -> None:
        super().__init__()
        self._letters, self._lasts, self._parks = DeadLetters(path), lasts, parks

    async def publish(self, messages: Sequence[Message]) -> None:
        if len(self.messages) + len(messages) > self._lasts:
            raise SourceUnavailable("broker: away")
        if self._parks:
            problems = [Problem(m.topic, m.payload, "future_time", "again") for m in messages]
            await self._letters.park(problems, NOW_NS + 1)
        await super().publish(messages)


def test_a_message_is_published_once_whatever_is_wrong_with_it_and_marked_afterwards(tmp_path: Path) -> None:
    path = park(tmp_path)
    file, publisher = ParkedFile(path), Publisher(path)
    rows = file.chosen(Selection(topic="smelter/demo/#"))
    assert asyncio.run(replay_messages(file, publisher, rows, NOW_NS + 9)) == 2
    assert publisher.messages == [Message(p.topic, p.payload) for p in (PROBLEMS[0], PROBLEMS[2])]
    assert [number for number, _ in file.chosen(Selection())] == [4]
    assert "replayed at 2025-11-24T06:00:00.000000009Z" in deadletter(tmp_path, "show", "2").output
    assert {g["reason"] for g in printed(tmp_path, "list", "--state", "replayed")["groups"]} == {
        "out_of_range", "malformed",
    }  # fmt: skip
    file.close()


def test_what_is_parked_again_is_linked_even_when_it_comes_before_the_broker_answers(tmp_path: Path) -> None:
    path = park(tmp_path)
    file = ParkedFile(path)
    rows = file.chosen(Selection(reason="out_of_range"))
    asyncio.run(replay_messages(file, Publisher(path, parks=True), rows, NOW_NS))
    first, again = file.letter(2), file.letter(5)
    assert first is not None
    assert again is not None
    assert (again.again_of, again.replayed_ns, again.payload) == (2, None, PROBLEMS[0].payload)
    assert (first.again_as, first.replayed_ns) == ((5,), NOW_NS)
    assert "parked again as 5" in deadletter(tmp_path, "show", "2").output
    assert "waiting; parked again after the replay of 2" in deadletter(tmp_path, "show", "5").output
    assert printed(tmp_path, "list", "--reason", "future_time")["groups"][0]["again"] == 1
    park(tmp_path, PROBLEMS[3:])
    fresh = file.letter(6)
    assert fresh is not None
    assert fresh.again_of is None, "the same message from its sender, never replayed"
    file.close()


def test_a_broker_that_goes_away_leaves_the_rest_waiting(tmp_path: Path) -> None:
    count = 2 * CHUNK + 5
    path = park(tmp_path, [Problem("t", b"%d" % n, "malformed", "") for n in range(count)])
    file, publisher = ParkedFile(path), Publisher(path, lasts=CHUNK + 1)
    with pytest.raises(SourceUnavailable, match=rf"away. {CHUNK} of {count} are replayed, {CHUNK + 5} still wait"):
        asyncio.run(replay_messages(file, publisher, file.chosen(Selection()), NOW_NS))
    assert len(file.chosen(Selection())) == CHUNK + 5
    assert len(file.chosen(Selection(state="replayed"))) == CHUNK
    assert "did not reach the broker" in deadletter(tmp_path, "show", str(CHUNK + 1)).output
    rest = Publisher(path)
    asyncio.run(replay_messages(file, rest, file.chosen(Selection()), NOW_NS))
    assert len(rest.messages) == CHUNK + 5
    file.close()


def test_a_file_of_an_earlier_version_is_completed(tmp_path: Path) -> None:
    path = tmp_path / "parked.sqlite"
    with sqlite3.connect(path) as old:
        old.execute(
            "CREATE TABLE parked (id INTEGER PRIMARY KEY, received_ns INTEGER NOT NULL, topic TEXT NOT NULL, payload "
            "BLOB NOT NULL, reason TEXT NOT NULL, field TEXT NOT NULL, detail TEXT NOT NULL, hint TEXT NOT NULL)"
        )
        for n, problem in enumerate(PROBLEMS):
            row = (NOW_NS + n, problem.topic, problem.payload, problem.reason, problem.field, problem.detail, "hint")
            old.execute("INSERT INTO parked VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", row)
    old.close()
    groups = {group["reason"]: group for group in printed(tmp_path, "list")["groups"]}
    assert groups["out_of_range"]["messages"] == 1
    file = ParkedFile(path)
    asyncio.run(replay_messages(file, Publisher(path, parks=True), file.chosen(Selection(ids=(3,))), NOW_NS))
    again = file.letter(5)
    assert again is not None
    assert again.again_of == 3
    file.close()


ACTIONS = st.lists(st.tuples(st.sampled_from(["park", "replay", "again", "drop"]), st.integers(0, 3)), max_size=12)


@settings(max_examples=25)
@given(ACTIONS)
def test_nothing_leaves_the_file_but_by_a_drop_that_is_recorded(
    tmp_path_factory: pytest.TempPathFactory, actions: list[tuple[str, int]]
) -> None:
    path = park(tmp_path_factory.mktemp("d"), [])
    file, letters, parked = ParkedFile(path), DeadLetters(path), 0
    for action, which in actions:
        if action == "park":
            asyncio.run(letters.park(PROBLEMS[: which + 1], NOW_NS))
            parked += which + 1
        elif action == "drop":
            file.drop(Selection(reason=PROBLEMS[which].reason, state="any"), NOW_NS)
        elif rows := file.chosen(Selection(reason=PROBLEMS[which].reason)):
            publisher = Publisher(path, parks=action == "again")
            asyncio.run(replay_messages(file, publisher, rows, NOW_NS))
            parked += len(publisher.messages) if action == "again" else 0
    dropped = file.dropped()
    there = sum(group.problems for group in file.groups(Selection(state="any")))
    assert there + sum(one.problems for one in dropped) == parked
    for one in dropped:
        assert sum(json.loads(one.reasons).values()) == one.problems
    assert sum(asyncio.run(letters.waiting()).values()) == len(file.chosen(Selection()))
    letters.close()
    file.close()
