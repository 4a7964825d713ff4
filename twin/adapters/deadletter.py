"""Parked messages: what could not be used is kept whole, with reason and hint, in one SQLite file.

`park` returns when the messages are on disk, so that they may be acknowledged.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from twin.codec import REASONS, Problem
from twin.errors import SinkUnavailable

__all__ = ["DeadLetters"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS parked (
    id INTEGER PRIMARY KEY, received_ns INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL,
    reason TEXT NOT NULL, field TEXT NOT NULL, detail TEXT NOT NULL, hint TEXT NOT NULL)
"""


class DeadLetters:
    """Append-only file of problems, one row a problem."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute(_SCHEMA)

    async def park(self, problems: Sequence[Problem], received_ns: int) -> None:
        """Keep the problems; raises SinkUnavailable when the disk refuses."""
        if problems:
            await asyncio.to_thread(self._park, problems, received_ns)

    def _park(self, problems: Sequence[Problem], received_ns: int) -> None:
        rows = [
            (received_ns, p.topic, p.payload, p.reason, p.field, p.detail, REASONS.get(p.reason, "")) for p in problems
        ]
        try:
            self._db.execute("BEGIN")
            self._db.executemany(
                "INSERT INTO parked (received_ns, topic, payload, reason, field, detail, hint) VALUES (?,?,?,?,?,?,?)",
                rows,
            )
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise SinkUnavailable(f"{self._path}: {error}") from error

    def latest(self, count: int = 20) -> list[tuple[int, str, bytes, str, str, str, str]]:
        """(received_ns, topic, payload, reason, field, detail, hint), newest first."""
        found = self._db.execute(
            "SELECT received_ns, topic, payload, reason, field, detail, hint FROM parked ORDER BY id DESC LIMIT ?",
            (count,),
        )
        return found.fetchall()

    def close(self) -> None:
        self._db.close()
