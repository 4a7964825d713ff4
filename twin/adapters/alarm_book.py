"""Journal, outbox and state of the alarms in one SQLite file: what one step brings is on disk as a whole or not at all.

The journal cannot be edited through SQL: triggers refuse UPDATE, DELETE and a row in place of another; whoever takes
the triggers away breaks the chain of hashes (`twin alarms verify`). WAL mode, fsync with every commit.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from twin.alarms.chain import START, Entry, Selection, link
from twin.alarms.moved import Transition
from twin.alarms.notices import Notice
from twin.errors import ConfigError, SinkUnavailable
from twin.outgoing import Outgoing, Waiting

__all__ = ["SqliteBook"]

BUSY_S = 10.0
_PART = 5000  # rows read at once
_FIELDS = Transition.__struct_fields__
_SCHEMA = """
CREATE TABLE IF NOT EXISTS journal (
    number INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, unit TEXT NOT NULL, code TEXT NOT NULL,
    before TEXT NOT NULL, after TEXT NOT NULL, event TEXT NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL,
    priority TEXT NOT NULL, since_ns INTEGER NOT NULL, value REAL, "limit" REAL, evidence TEXT NOT NULL,
    hash TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS journal_time ON journal (time_ns);
CREATE INDEX IF NOT EXISTS journal_unit ON journal (unit, code);
CREATE TRIGGER IF NOT EXISTS journal_no_update BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS journal_no_delete BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS journal_only_append BEFORE INSERT ON journal
    WHEN NEW.number <> coalesce((SELECT max(number) FROM journal), 0) + 1
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, key TEXT NOT NULL, made_ns INTEGER NOT NULL,
    notice BLOB NOT NULL, tries INTEGER NOT NULL DEFAULT 0, next_ns INTEGER NOT NULL DEFAULT 0,
    problem TEXT NOT NULL DEFAULT '', done_ns INTEGER, UNIQUE (channel, key));
CREATE INDEX IF NOT EXISTS outbox_waiting ON outbox (channel, number) WHERE done_ns IS NULL;
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value BLOB NOT NULL);
PRAGMA user_version = 1;
"""
_NAMES = ", ".join(f'"{name}"' for name in _FIELDS)
_INSERT = f"INSERT INTO journal (number, {_NAMES}, hash) VALUES ({', '.join('?' * (len(_FIELDS) + 2))})"
_OUT = "INSERT OR IGNORE INTO outbox (channel, key, made_ns, notice) VALUES (?, ?, ?, ?)"
_KEEP = "INSERT INTO kept (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
KEPT_DONE = 100_000  # notices that are sent and still remembered, so that none is made twice


class SqliteBook:
    """`AlarmBook` on a file. Raises ConfigError when the file cannot be used.

    `read_only`: of another process, which may be at work on it; nothing is written, and there must be a file.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        self._one = threading.Lock()
        if read_only:
            self._db = _reading(path)
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(f"{path} cannot be opened: {error}; see data.dir") from error
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > 1:
                raise ConfigError(f"{path} is of a newer version of this product ({version})")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            self._db.close()
            raise ConfigError(
                f"{path} cannot be used: {error}; if it is damaged, move it away, a new one is made"
            ) from error

    def close(self) -> None:
        """Close the file; safe to call twice."""
        with self._one:
            self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._one:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                raise SinkUnavailable(f"{self._path}: {error}") from error
            finally:
                with suppress(sqlite3.Error):
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")

    def _all(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._one:
            try:
                return self._db.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise SinkUnavailable(f"{self._path}: {error}") from error

    def commit(self, moved: Sequence[Transition], outgoing: Sequence[Outgoing], state: bytes, now_ns: int) -> None:
        """Keep all of it, on disk when this returns; an outgoing notice that was kept before is left out."""
        with self._transaction() as db:
            number, head = self._head(db)
            rows = []
            for one in moved:
                number += 1
                head = link(head, number, one)
                rows.append((number, *msgspec.structs.astuple(one), head))
            db.executemany(_INSERT, rows)
            encode = msgspec.json.encode
            db.executemany(_OUT, [(one.channel, one.key, now_ns, encode(one.notice)) for one in outgoing])
            db.execute(_KEEP, ("state", state))
            db.execute(_KEEP, ("head", encode([number, head])))

    @staticmethod
    def _head(db: sqlite3.Connection) -> tuple[int, str]:
        found = db.execute("SELECT value FROM kept WHERE name = 'head'").fetchone()
        if found is None:
            return 0, START
        number, head = msgspec.json.decode(found[0], type=tuple[int, str])
        return number, head

    def state(self) -> bytes | None:
        """The state that was kept last."""
        found = self._all("SELECT value FROM kept WHERE name = 'state'")
        return bytes(found[0][0]) if found else None

    def head(self) -> tuple[int, str]:
        """Number and hash of the last row, as noted when it was written."""
        with self._one:
            try:
                return self._head(self._db)
            except sqlite3.Error as error:
                raise SinkUnavailable(f"{self._path}: {error}") from error

    def entries(self, chosen: Selection) -> list[Entry]:
        """Rows of the journal, in order."""
        condition, values = chosen.sql()
        order = "DESC" if chosen.newest else "ASC"
        found = self._all(
            f"SELECT number, {_NAMES}, hash FROM journal WHERE {condition} ORDER BY number {order} LIMIT ?",
            [*values, chosen.limit],
        )
        rows = [Entry(number, Transition(*columns), end) for number, *columns, end in found]
        return rows[::-1] if chosen.newest else rows

    def whole(self) -> Iterator[Entry]:
        """Every row of the journal, in order, a bounded part in memory."""
        after = 0
        while part := self.entries(Selection(after=after, limit=_PART, newest=False)):
            yield from part
            after = part[-1].number

    def waiting(self, channel: str, limit: int) -> list[Waiting]:
        """The oldest notices of a channel that are not sent, in order."""
        found = self._all(
            "SELECT number, tries, next_ns, key, notice FROM outbox WHERE channel = ? AND done_ns IS NULL "
            "ORDER BY number LIMIT ?",
            (channel, limit),
        )
        decode = msgspec.json.decode
        return [
            Waiting(number, tries, next_ns, Outgoing(channel, key, decode(notice, type=Notice)))
            for number, tries, next_ns, key, notice in found
        ]

    def backlog(self) -> dict[str, int]:
        """How many wait, by channel."""
        return dict(self._all("SELECT channel, count(*) FROM outbox WHERE done_ns IS NULL GROUP BY channel"))

    def merge(self, numbers: Sequence[int], one: Outgoing) -> None:
        """One notice instead of these, in the place of the first."""
        with self._transaction() as db:
            db.execute(
                "UPDATE outbox SET key = ?, notice = ? WHERE number = ?",
                (one.key, msgspec.json.encode(one.notice), numbers[0]),
            )
            problem = f"merged into {numbers[0]}"
            made_ns = self._made(db, numbers[0])
            rows = [(made_ns, problem, number) for number in numbers[1:]]
            db.executemany("UPDATE outbox SET done_ns = ?, problem = ? WHERE number = ?", rows)

    @staticmethod
    def _made(db: sqlite3.Connection, number: int) -> int:
        return int(db.execute("SELECT made_ns FROM outbox WHERE number = ?", (number,)).fetchone()[0])

    def trying(self, numbers: Sequence[int]) -> None:
        """These are about to be sent."""
        with self._transaction() as db:
            db.executemany("UPDATE outbox SET tries = tries + 1 WHERE number = ?", [(number,) for number in numbers])

    def sent(self, numbers: Sequence[int], now_ns: int) -> None:
        """These are with their receiver."""
        with self._transaction() as db:
            db.executemany(
                "UPDATE outbox SET done_ns = ?, problem = '' WHERE number = ?", [(now_ns, n) for n in numbers]
            )
            db.execute(
                "DELETE FROM outbox WHERE done_ns IS NOT NULL AND number <= (SELECT max(number) FROM outbox) - ?",
                (KEPT_DONE,),
            )

    def failed(self, number: int, next_ns: int, problem: str) -> None:
        """The receiver does not have this one; it is due again at `next_ns`."""
        with self._transaction() as db:
            db.execute(
                "UPDATE outbox SET next_ns = ?, problem = ? WHERE number = ?",
                (next_ns, problem[:300], number),
            )

    def given_up(self, number: int, now_ns: int, problem: str) -> None:
        """The receiver refuses this one for good; it is kept as such."""
        with self._transaction() as db:
            db.execute(
                "UPDATE outbox SET done_ns = ?, problem = ? WHERE number = ?",
                (now_ns, problem[:300] or "refused", number),
            )


def _reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write. Raises ConfigError."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    # Beside a file in WAL mode SQLite wants files of its own. Where none can be made, and nobody is at work on it
    # (there is no log), the file is read as it stands.
    alone = [] if path.with_name(f"{path.name}-wal").exists() else [f"{address}&immutable=1"]
    problem: sqlite3.Error | None = None
    for name in (address, *alone):
        db = None
        try:
            db = sqlite3.connect(name, uri=True, timeout=BUSY_S, check_same_thread=False, isolation_level=None)
            version = db.execute("PRAGMA user_version").fetchone()[0]
            db.execute("SELECT 1 FROM journal LIMIT 1")
        except sqlite3.Error as error:
            problem = error
            if db is not None:
                db.close()
            continue
        if version > 1:
            db.close()
            raise ConfigError(f"{path} is of a newer version of this product ({version})")
        return db
    raise ConfigError(f"{path} cannot be read as a journal of alarms: {problem}") from problem
