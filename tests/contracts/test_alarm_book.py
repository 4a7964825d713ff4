"""The book of alarms: journal, outbox and state, on disk and in memory; the file's journal cannot be edited."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.alarms.telling import outgoing, transition
from tests.core.plants import NOW_NS, NS
from twin.adapters.alarm_book import SqliteBook
from twin.adapters.alarm_memory import MemoryBook
from twin.alarms.chain import START, Selection, broken
from twin.errors import ConfigError, SinkUnavailable
from twin.outgoing import AlarmBook

MOVED = [
    transition(0), transition(5, "noisy", "s/L/002"), transition(9, after="acknowledged", who="li.wei", why="seen"),
    transition(12, "no_data", "s/L/0021"), transition(20, after="normal", event="returned"),
]  # fmt: skip


@pytest.fixture(params=["file", "memory"])
def book(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AlarmBook]:
    made = SqliteBook(tmp_path / "new" / "alarms.sqlite") if request.param == "file" else MemoryBook()
    yield made
    made.close()


def test_a_new_book_is_empty(book: AlarmBook) -> None:
    assert (book.state(), book.head(), book.entries(Selection()), book.backlog()) == (None, (0, START), [], {})
    assert broken(book.whole(), *book.head()) == ""


def test_the_journal_gives_back_what_it_was_given_in_order(book: AlarmBook) -> None:
    book.commit(MOVED[:2], [], b"one", NOW_NS)
    book.commit(MOVED[2:], [], b"two", NOW_NS + 1)
    assert [entry.transition for entry in book.entries(Selection())] == MOVED
    assert [entry.transition for entry in book.whole()] == MOVED
    assert book.state() == b"two"
    assert broken(book.whole(), *book.head()) == ""


@pytest.mark.parametrize(
    ("chosen", "places"),
    [
        (Selection(since_ns=NOW_NS + 5 * NS), [1, 2, 3, 4]), (Selection(until_ns=NOW_NS + 5 * NS), [0]),
        (Selection(unit="s/L/002"), [1]), (Selection(unit="s/L"), [0, 1, 2, 3, 4]), (Selection(unit="s_L"), []),
        (Selection(code="noisy"), [1]), (Selection(state="acknowledged"), [2]), (Selection(after=3), [3, 4]),
        (Selection(limit=2), [3, 4]), (Selection(limit=2, newest=False), [0, 1]),
        (Selection(unit="s/L/001", code="anode_effect", state="normal"), [4]),
    ],
)  # fmt: skip
def test_the_journal_is_asked_by_time_unit_code_and_state(
    book: AlarmBook, chosen: Selection, places: list[int]
) -> None:
    book.commit(MOVED, [], b"", NOW_NS)
    assert [entry.transition for entry in book.entries(chosen)] == [MOVED[n] for n in places]


def test_the_outbox_is_one_ordered_queue_a_channel(book: AlarmBook) -> None:
    book.commit([], [outgoing("a", 1), outgoing("b", 1), outgoing("a", 2)], b"", NOW_NS)
    book.commit([], [outgoing("a", 2), outgoing("a", 3)], b"", NOW_NS)  # 2 is known: not made twice
    assert [one.outgoing for one in book.waiting("a", 10)] == [outgoing("a", n) for n in (1, 2, 3)]
    assert book.backlog() == {"a": 3, "b": 1}
    first = book.waiting("a", 1)[0]
    book.trying([first.number])
    book.failed(first.number, NOW_NS + 7, "away")
    again = book.waiting("a", 1)[0]
    assert (again.tries, again.next_ns, again.number) == (1, NOW_NS + 7, first.number)
    book.sent([first.number], NOW_NS)
    book.given_up(book.waiting("a", 1)[0].number, NOW_NS, "no such topic")
    assert [one.outgoing.key for one in book.waiting("a", 10)] == ["3-raised"]
    book.commit([], [outgoing("a", 1), outgoing("a", 2)], b"", NOW_NS)
    assert book.backlog() == {"a": 1, "b": 1}, "what was sent or given up is not made again"


def test_many_become_one_in_the_place_of_the_first(book: AlarmBook) -> None:
    book.commit([], [outgoing("a", n) for n in range(4)], b"", NOW_NS)
    waiting = book.waiting("a", 10)
    one = replace(waiting[1].outgoing, key="digest")
    book.merge([w.number for w in waiting[1:3]], one)
    assert [w.outgoing.key for w in book.waiting("a", 10)] == ["0-raised", "digest", "3-raised"]
    book.commit([], [outgoing("a", 1), outgoing("a", 2)], b"", NOW_NS)
    keys = [w.outgoing.key for w in book.waiting("a", 10)]
    assert "2-raised" not in keys


def test_what_is_in_the_file_outlives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "alarms.sqlite"
    first = SqliteBook(path)
    first.commit(MOVED, [outgoing("a", 1)], b"state", NOW_NS)
    second = SqliteBook(path)  # the first is not closed: as after a crash
    assert (second.state(), len(second.entries(Selection())), second.backlog()) == (b"state", 5, {"a": 1})
    second.close()
    first.close()


def test_a_step_is_kept_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "alarms.sqlite"
    book = SqliteBook(path)
    book.commit(MOVED[:1], [], b"before", NOW_NS)
    with sqlite3.connect(path) as other:
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON outbox WHEN NEW.key = '2-raised' "
            "BEGIN SELECT RAISE(FAIL, 'full'); END"
        )
    other.close()
    with pytest.raises(SinkUnavailable, match=r"alarms\.sqlite: full"):
        book.commit(MOVED[1:], [outgoing("a", 1), outgoing("a", 2)], b"after", NOW_NS)
    assert (book.state(), book.head()[0], book.backlog()) == (b"before", 1, {})
    book.commit(MOVED[1:], [outgoing("a", 1)], b"after", NOW_NS)
    assert broken(book.whole(), *book.head()) == ""
    book.close()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE journal SET who = 'nobody'", "DELETE FROM journal WHERE number = 2",
        "INSERT OR REPLACE INTO journal SELECT * FROM journal WHERE number = 2",
        "REPLACE INTO journal SELECT number, time_ns, unit, code, before, after, event, 'x', why, priority, since_ns, "
        "value, \"limit\", evidence, hash FROM journal WHERE number = 1",
        "INSERT INTO journal SELECT 9, time_ns, unit, code, before, after, event, who, why, priority, since_ns, value, "
        "\"limit\", evidence, hash FROM journal WHERE number = 1",
    ],
)  # fmt: skip
def test_sql_cannot_edit_the_journal(tmp_path: Path, sql: str) -> None:
    path = tmp_path / "alarms.sqlite"
    book = SqliteBook(path)
    book.commit(MOVED, [], b"", NOW_NS)
    other = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        other.execute(sql)
    other.close()
    assert [entry.transition for entry in book.whole()] == MOVED
    book.close()


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE journal SET who = 'nobody' WHERE number = 3", "row 3 was changed"),
        ("UPDATE journal SET value = 7.9 WHERE number = 1", "row 1 was changed"),
        ("DELETE FROM journal WHERE number = 2", "row 2 is missing"),
        ("DELETE FROM journal WHERE number = 5", "ends with row 4, but 5 were written"),
    ],
)
def test_whoever_takes_the_triggers_away_is_found_out(tmp_path: Path, sql: str, said: str) -> None:
    path = tmp_path / "alarms.sqlite"
    book = SqliteBook(path)
    book.commit(MOVED, [], b"", NOW_NS)
    with sqlite3.connect(path) as other:
        for name in ("update", "delete"):
            other.execute(f"DROP TRIGGER journal_no_{name}")
        other.execute(sql)
    other.close()
    assert said in broken(book.whole(), *book.head())
    book.close()


def test_a_file_that_is_none_or_newer_is_told(tmp_path: Path) -> None:
    (tmp_path / "bad.sqlite").write_text("this is no database, whatever its name says " * 40)
    with pytest.raises(ConfigError, match="cannot be used"):
        SqliteBook(tmp_path / "bad.sqlite")
    with sqlite3.connect(tmp_path / "new.sqlite") as other:
        other.execute("PRAGMA user_version = 2")
    other.close()
    with pytest.raises(ConfigError, match="newer version"):
        SqliteBook(tmp_path / "new.sqlite")
