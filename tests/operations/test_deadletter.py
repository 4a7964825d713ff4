"""Parked messages as an operator handles them: told by reason, shown, dropped."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.operations.parking import NOW_NS, PROBLEMS, deadletter, park, printed
from twin.adapters.deadletter import DeadLetters, ParkedFile
from twin.codec import REASONS, Problem
from twin.errors import ConfigError
from twin.letter_texts import readable
from twin.letters import Selection

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
    assert found["dropped"][0]["selection"] == {"reason": "out_of_range", "state": "waiting", "up_to": 2}
    assert deadletter(tmp_path, "drop", "--all", "--yes").exit_code == 0
    nothing = deadletter(tmp_path, "drop", "--all", "--yes")
    assert (nothing.exit_code, nothing.output) == (0, "nothing is parked that is meant here; nothing dropped\n")
    assert "dropped on purpose: 3 messages" in deadletter(tmp_path, "list").output


def test_what_is_parked_while_the_question_is_open_is_not_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    park(tmp_path)

    def confirm(text: str, abort: bool) -> bool:
        park(tmp_path)
        return True

    monkeypatch.setattr("twin.cli_deadletter.typer.confirm", confirm)
    assert "dropped 3 messages (4 problems" in deadletter(tmp_path, "drop", "--all").output
    assert sum(group["problems"] for group in printed(tmp_path, "list")["groups"]) == 4


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
