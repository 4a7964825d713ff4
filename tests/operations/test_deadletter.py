"""Parked messages as an operator handles them: told by reason, shown, replayed once the broker has them, dropped."""

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
from twin.codec import REASONS, Problem
from twin.errors import ConfigError, SourceUnavailable
from twin.letter_texts import readable
from twin.letters import Selection
from twin.ports import Message

HOUR_NS = 3600 * 10**9


def test_list_tells_by_reason(tmp_path: Path) -> None:
    path = park(tmp_path)
    park(tmp_path, PROBLEMS[2:3], NOW_NS + HOUR_NS)
    found = printed(tmp_path, "list")
    assert found["file"] == str(path)
    assert found["dropped"] == []
    groups = {group["reason"]: group for group in found["groups"]}
    assert [(r, g["problems"], g["messages"]) for r, g in groups.items()] == [
        ("malformed", 2, 1), ("out_of_range", 2, 1), ("bad_topic", 1, 1),
    ]  # fmt: skip
    malformed = groups["malformed"]
    assert (malformed["first"], malformed["last"]) == ("2025-11-24T06:00:00Z", "2025-11-24T07:00:00Z")
    assert malformed["topic"] == "smelter/demo/A/A002/telemetry"
    assert malformed["hint"] == REASONS["malformed"]
    table = deadletter(tmp_path, "list")
    assert table.exit_code == 0
    for part in ("out_of_range", "smelter/nonsense", REASONS["bad_topic"][:30], "twin deadletter show"):
        assert part in table.output


@pytest.mark.parametrize(
    ("words", "reasons"),
    [
        (("--reason", "malformed"), {"malformed"}),
        (("--topic", "smelter/+/A/#"), {"malformed", "out_of_range"}),
        (("--topic", "smelter/nonsense"), {"bad_topic"}),
        (("--since", "2025-11-24T07:00:00Z"), {"wrong_type"}),
        (("--since", "1h"), set()),
        (("--topic", "smelter/demo/A/A002/telemetry", "--reason", "out_of_range"), set()),
        (("--state", "replayed"), set()),
    ],
)
def test_list_can_be_narrowed(tmp_path: Path, words: tuple[str, ...], reasons: set[str]) -> None:
    park(tmp_path)
    park(tmp_path, [Problem("x", b"", "wrong_type", "")], NOW_NS + HOUR_NS)
    assert {group["reason"] for group in printed(tmp_path, "list", *words)["groups"]} == reasons
    assert deadletter(tmp_path, "list", *words).exit_code == 0


def test_show_prints_text_as_text_and_anything_else_as_hex(tmp_path: Path) -> None:
    park(tmp_path)
    text = deadletter(tmp_path, "show", "1").output
    for part in (PROBLEMS[0].topic, "voltage_v", "99, at most 60", REASONS["out_of_range"], '{"time":1,', "waiting"):
        assert part in text
    dump = deadletter(tmp_path, "show", "3").output
    assert "00000000  00 ff 1b 5b 33 31 6d" in dump
    assert "\x1b" not in dump, "the terminal obeys nothing that a message holds"
    assert "ä\n{}" in deadletter(tmp_path, "show", "4").output
    found = printed(tmp_path, "show", "3")
    assert (found["payload_text"], found["payload_hex"]) == (None, PROBLEMS[2].payload.hex())
    assert printed(tmp_path, "show", "4")["payload_text"] == "ä\n{}"


def test_show_cuts_what_is_long(tmp_path: Path) -> None:
    park(tmp_path, [Problem("t", b"x" * 5000, "oversize", "5000 bytes")])
    assert deadletter(tmp_path, "show", "1").output.count("x") < 4200
    assert deadletter(tmp_path, "show", "1", "--whole").output.count("x") >= 5000


@given(st.binary(max_size=60))
def test_no_payload_reaches_the_terminal_with_a_control_character(payload: bytes) -> None:
    assert all(c.isprintable() or c in "\n\t" for c in readable(payload))


def test_a_topic_is_told_without_its_control_characters(tmp_path: Path) -> None:
    park(tmp_path, [Problem("smelter/\x1b[2J\x07", b"", "bad_topic", "\x1b]0;x\x07")])
    for words in (("list",), ("show", "1")):
        output = deadletter(tmp_path, *words).output
        assert "\x1b" not in output
        assert "\x07" not in output
        assert "\\x1b[2J" in output


WRONG = [
    (("list", "--reason", "bad"), "--reason 'bad' is not allowed; it is one of bad_topic"),
    (("list", "--state", "gone"), "--state 'gone' is not allowed; it is one of waiting, replayed, any"),
    (("list", "--since", "yesterday"), "--since"),
    (("show", "77"), "there is no parked message 77; see `twin deadletter list`"),
    (("replay", "1", "77"), "there is no parked message 77"),
    (("replay",), "say which: ids, --reason, --topic, --since, or --all"),
    (("drop", "--yes"), "say which"),
    (("drop", "1", "--reason", "malformed"), "give ids or filters, not both"),
]


@pytest.mark.parametrize(("words", "said"), WRONG)
def test_wrong_usage_says_what_is_allowed_and_changes_nothing(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    park(tmp_path)
    result = deadletter(tmp_path, *words)
    assert isinstance(result.exception, ConfigError), result.output  # `main` ends with code 2
    assert said in str(result.exception)
    assert sum(group["problems"] for group in printed(tmp_path, "list", "--state", "any")["groups"]) == 4


@pytest.mark.parametrize("words", [("list",), ("show", "1"), ("replay", "--all"), ("drop", "--all", "--yes")])
def test_without_a_file_it_says_where_it_looked(tmp_path: Path, words: tuple[str, ...]) -> None:
    result = deadletter(tmp_path / "away", *words)
    assert isinstance(result.exception, ConfigError)
    assert f"there is no {tmp_path / 'away' / 'parked.sqlite'} (data.dir = " in str(result.exception)
    assert "command line" in str(result.exception)
    assert not (tmp_path / "away").exists(), "to look makes nothing"


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "parked.sqlite").write_bytes(b"nothing like a database, at any length that matters" * 50)
    result = deadletter(tmp_path, "list")
    assert isinstance(result.exception, ConfigError)
    assert "parked.sqlite cannot be used: file is not a database" in str(result.exception)


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


def test_a_dry_run_publishes_and_marks_nothing(tmp_path: Path) -> None:
    park(tmp_path)
    found = printed(tmp_path, "replay", "--all", "--dry-run")
    assert (found["messages"], found["problems"], found["dry_run"]) == (3, 4, True)
    assert printed(tmp_path, "list", "--state", "replayed")["groups"] == []
    text = deadletter(tmp_path, "replay", "1", "--dry-run", "--set", "mqtt.url=mqtt://h:1").output
    assert text == "1 messages (1 problems) would be published to h:1\n"


def test_drop_asks_and_records_what_it_did(tmp_path: Path) -> None:
    park(tmp_path)
    refused = deadletter(tmp_path, "drop", "--reason", "out_of_range", answer="n\n")
    assert refused.exit_code == 1
    assert "Drop 2 parked problems for good?" in refused.output
    assert deadletter(tmp_path, "drop", "--all").exit_code == 1, "nobody answers: nothing is dropped"
    assert len(printed(tmp_path, "list")["groups"]) == 3
    agreed = deadletter(tmp_path, "drop", "--reason", "out_of_range", answer="y\n")
    assert agreed.exit_code == 0
    assert f"dropped 1 messages (2 problems, {len(PROBLEMS[0].payload)} bytes)" in agreed.output
    assert deadletter(tmp_path, "drop", "4", "--yes").exit_code == 0
    found = printed(tmp_path, "list")
    assert [group["reason"] for group in found["groups"]] == ["malformed"]
    assert [(one["messages"], one["reasons"]) for one in found["dropped"]] == [
        (1, {"out_of_range": 2}), (1, {"bad_topic": 1}),
    ]  # fmt: skip
    assert found["dropped"][0]["selection"] == {"reason": "out_of_range", "state": "waiting"}
    assert deadletter(tmp_path, "drop", "--all", "--yes").exit_code == 0
    nothing = deadletter(tmp_path, "drop", "--all", "--yes")
    assert (nothing.exit_code, nothing.output) == (0, "nothing is parked that is meant here; nothing dropped\n")
    assert "dropped on purpose: 3 messages" in deadletter(tmp_path, "list").output


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


def test_batches_that_park_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = tmp_path / "parked.sqlite"
    letters, reader = DeadLetters(path), ParkedFile(path)

    async def storm() -> None:
        batches = [[Problem("t", b"%d-%d" % (b, n), "malformed", "") for n in range(40)] for b in range(30)]
        tasks = [letters.park(batch, NOW_NS) for batch in batches]
        await asyncio.gather(*tasks, *(asyncio.to_thread(reader.groups, Selection()) for _ in range(10)))
        assert await letters.waiting() == {"malformed": 1200}

    asyncio.run(storm())
    assert reader.groups(Selection())[0].messages == 1200
    letters.close()
    reader.close()


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
