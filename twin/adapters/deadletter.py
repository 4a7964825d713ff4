"""Parked messages: what could not be used is kept whole, with reason and hint, in one SQLite file.

`park` returns when the messages are on disk, so that they may be acknowledged. The file is in WAL mode: `ParkedFile`
reads, marks and drops in another process while the ingest parks. One row a problem; the rows of one message share its
`digest`. A row is `attempted` when its message is about to be published again, `replayed` when the broker has it; a
message that is parked once more points to the row it came from (`again_of`).
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import Any

import aiomqtt

from twin.codec import REASONS, Problem
from twin.errors import ConfigError, SinkUnavailable
from twin.letters import Dropped, Group, Letter, Selection
from twin.ports import Message

__all__ = ["DeadLetters", "ParkedFile"]

BUSY_S = 10.0  # longest wait for the other process's transaction
_SCHEMA = """
CREATE TABLE IF NOT EXISTS parked (
    id INTEGER PRIMARY KEY, received_ns INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL,
    reason TEXT NOT NULL, field TEXT NOT NULL, detail TEXT NOT NULL, hint TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS dropped (
    id INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, messages INTEGER NOT NULL, problems INTEGER NOT NULL,
    bytes INTEGER NOT NULL, reasons TEXT NOT NULL, selection TEXT NOT NULL);
"""
_LATER_COLUMNS = ("digest", "attempted_ns", "replayed_ns", "again_of")  # integers, missing in files of before
_INDEXES = """
CREATE INDEX IF NOT EXISTS parked_digest ON parked (digest);
CREATE INDEX IF NOT EXISTS parked_waiting ON parked (reason) WHERE replayed_ns IS NULL;
"""
_INSERT = (
    "INSERT INTO parked (received_ns, topic, payload, reason, field, detail, hint, digest, again_of) "
    "VALUES (:received, :topic, :payload, :reason, :field, :detail, :hint, :digest, (SELECT max(id) FROM parked "
    "WHERE digest = :digest AND topic = :topic AND payload = :payload AND attempted_ns IS NOT NULL))"
)


def _digest(topic: str, payload: bytes) -> int:
    """64 bits that tell messages apart: a signed integer, as SQLite keeps them."""
    content = topic.encode("utf-8", "surrogatepass") + b"\0" + payload
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "big", signed=True)


def _opened(path: Path) -> sqlite3.Connection:
    """The file, made if there is none, of this version's shape. Raises ConfigError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"{path} cannot be opened: {error}; see data.dir") from error
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.create_function("digest_of", 2, _digest, deterministic=True)
        db.executescript(_SCHEMA)
        if not set(_LATER_COLUMNS) <= {row[1] for row in db.execute("PRAGMA table_info(parked)")}:
            _complete(db)
        db.executescript(_INDEXES)
    except sqlite3.Error as error:
        db.close()
        raise ConfigError(
            f"{path} cannot be used: {error}; if it is damaged, move it away, a new one is made"
        ) from error
    return db


def _complete(db: sqlite3.Connection) -> None:
    """Add the columns that a file of an earlier version lacks; two processes may try at once."""
    db.execute("BEGIN IMMEDIATE")
    there = {row[1] for row in db.execute("PRAGMA table_info(parked)")}
    for column in (column for column in _LATER_COLUMNS if column not in there):
        db.execute(f"ALTER TABLE parked ADD COLUMN {column} INTEGER")
    db.execute("UPDATE parked SET digest = digest_of(topic, payload) WHERE digest IS NULL")
    db.execute("COMMIT")


class DeadLetters:
    """The ingest's side: append-only, one row a problem. Raises ConfigError when the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = _opened(path)
        # Several batches park at once, each in a thread of its own; a connection has one transaction at a time.
        self._one = threading.Lock()

    async def park(self, problems: Sequence[Problem], received_ns: int) -> None:
        """Keep the problems; raises SinkUnavailable when the disk refuses."""
        if problems:
            await asyncio.to_thread(self._park, problems, received_ns)

    def _park(self, problems: Sequence[Problem], received_ns: int) -> None:
        rows = [
            {
                "received": received_ns, "topic": p.topic, "payload": p.payload, "reason": p.reason, "field": p.field,
                "detail": p.detail, "hint": REASONS.get(p.reason, ""), "digest": _digest(p.topic, p.payload),
            }
            for p in problems
        ]  # fmt: skip
        with self._one:
            try:
                # IMMEDIATE: a transaction that first reads could not write once another process has written.
                self._db.execute("BEGIN IMMEDIATE")
                self._db.executemany(_INSERT, rows)
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                if self._db.in_transaction:
                    with suppress(sqlite3.Error):  # a disk error may have rolled back already
                        self._db.execute("ROLLBACK")
                raise SinkUnavailable(f"{self._path}: {error}") from error

    async def waiting(self) -> dict[str, int]:
        """Problems not replayed and not dropped, by reason; raises SinkUnavailable."""
        return await asyncio.to_thread(self._waiting)

    def _waiting(self) -> dict[str, int]:
        with self._one:
            try:
                found = self._db.execute(
                    "SELECT reason, count(*) FROM parked WHERE replayed_ns IS NULL GROUP BY reason"
                )
                return dict(found.fetchall())
            except sqlite3.Error as error:
                raise SinkUnavailable(f"{self._path}: {error}") from error

    def latest(self, count: int = 20) -> list[tuple[int, str, bytes, str, str, str, str]]:
        """(received_ns, topic, payload, reason, field, detail, hint), newest first."""
        found = self._db.execute(
            "SELECT received_ns, topic, payload, reason, field, detail, hint FROM parked ORDER BY id DESC LIMIT ?",
            (count,),
        )
        return found.fetchall()

    def close(self) -> None:
        """Close the file; safe to call twice."""
        with self._one:
            self._db.close()


def _topic_fits(topic: str, wanted: str) -> bool:
    try:
        return aiomqtt.Topic(topic).matches(wanted)
    except ValueError:  # a topic that no broker carries: parked by something else than the ingest
        return topic == wanted


class ParkedFile:
    """The operator's side of the file, beside a running ingest. Raises ConfigError when there is no file.

    Everything raises SinkUnavailable when the file cannot be read or written now.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise ConfigError(f"nothing was parked yet: there is no file {path.absolute()}")
        self._path = path
        self._db = _opened(path)
        self._db.create_function("topic_fits", 2, _topic_fits, deterministic=True)

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._db.close()

    def _all(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise SinkUnavailable(f"{self._path}: {error}") from error

    def groups(self, chosen: Selection) -> list[Group]:
        """By reason, most problems first."""
        condition, values = chosen.sql()
        found = self._all(
            "SELECT reason, count(*), count(DISTINCT digest), min(received_ns), max(received_ns), count(again_of), "
            f"max(id) FROM parked WHERE {condition} GROUP BY reason ORDER BY count(*) DESC, reason",
            values,
        )
        return [Group(*row, *self._all("SELECT topic, hint FROM parked WHERE id = ?", (row[6],))[0]) for row in found]

    def letter(self, number: int) -> Letter | None:
        """One problem with its whole payload; None when there is none of this id."""
        columns = ", ".join(Letter._fields[:-1])
        found = self._all(f"SELECT {columns} FROM parked WHERE id = ?", (number,))
        again = self._all("SELECT id FROM parked WHERE again_of = ? ORDER BY id", (number,))
        return Letter(*found[0])._replace(again_as=tuple(row[0] for row in again)) if found else None

    def chosen(self, chosen: Selection) -> list[tuple[int, int]]:
        """(id, digest) of every problem that is meant, in order of arrival."""
        condition, values = chosen.sql()
        return self._all(f"SELECT id, digest FROM parked WHERE {condition} ORDER BY id", values)

    def messages(self, ids: Sequence[int]) -> list[Message]:
        """Topic and payload of these problems, in order of arrival."""
        marks = ", ".join("?" * len(ids))
        found = self._all(f"SELECT topic, payload FROM parked WHERE id IN ({marks}) ORDER BY id", ids)
        return [Message(*row) for row in found]

    def attempt(self, digests: Sequence[int], up_to: int, now_ns: int) -> None:
        """Note that these messages are about to be published; from now on they are known when they are parked again."""
        self._mark("attempted_ns = ?1 WHERE id <= ?2 AND", digests, now_ns, up_to)

    def replayed(self, digests: Sequence[int], up_to: int, now_ns: int) -> None:
        """Note that the broker has these messages: every problem of theirs up to this id is done with."""
        self._mark("replayed_ns = ?1 WHERE id <= ?2 AND", digests, now_ns, up_to)

    def _mark(self, what: str, digests: Sequence[int], now_ns: int, up_to: int) -> None:
        marks = ", ".join("?" * len(digests))
        self._all(f"UPDATE parked SET {what} digest IN ({marks})", (now_ns, up_to, *digests))

    def drop(self, chosen: Selection, now_ns: int) -> Dropped:
        """Delete for good what is chosen, and record that, in one transaction."""
        condition, values = chosen.sql()
        asked = json.dumps({name: value for name, value in asdict(chosen).items() if value})
        self._all("BEGIN IMMEDIATE")
        try:
            rows = self._all(
                f"SELECT reason, count(*) FROM parked WHERE {condition} GROUP BY reason ORDER BY reason", values
            )
            sizes = self._all(
                "SELECT count(*), coalesce(sum(size), 0) FROM (SELECT max(length(payload)) AS size FROM parked "
                f"WHERE {condition} GROUP BY digest)",
                values,
            )
            problems = sum(row[1] for row in rows)
            done = Dropped(now_ns, sizes[0][0], problems, sizes[0][1], json.dumps(dict(rows)), asked)
            if problems:
                self._all(f"DELETE FROM parked WHERE {condition}", values)
                self._all(f"INSERT INTO dropped ({', '.join(Dropped._fields)}) VALUES (?, ?, ?, ?, ?, ?)", done)
            self._all("COMMIT")
        except SinkUnavailable:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        return done

    def dropped(self) -> list[Dropped]:
        """Every drop that was made, oldest first."""
        return [Dropped(*row) for row in self._all(f"SELECT {', '.join(Dropped._fields)} FROM dropped ORDER BY id")]
