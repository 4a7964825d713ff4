"""The spool on disk: one SQLite file in WAL mode, one row a batch, its messages as a compressed blob.

`put` returns after the fsync of its commit (synchronous = FULL). A file that SQLite cannot read is set aside under
another name and a fresh one begun; a row whose blob has changed is given out as it is, to be parked. One process at a
time: the file is locked while it is open, and a kill unlocks it. All calls run in one worker thread.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from twin.errors import ConfigError, SinkUnavailable, SpoolFull
from twin.ports import Message, Spooled, SpoolState

__all__ = ["DiskSpool"]

T = TypeVar("T")
FORMAT = 1  # of the file: `PRAGMA user_version`
_PAGE = 16384  # blobs are large: fewer pages to chain
_LOG_PAGES = 256  # 4 MiB of log beside the file
_GIVEN_BYTES = 4 << 20  # of payloads given out at once, and at most one batch more: memory stays flat
_BUSY_S = 3.0  # a process that ends still holds the file for a moment
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_GOES_ON = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_CONSTRAINT})  # errors after which the connection is sound
_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT, received_ns INTEGER NOT NULL, messages INTEGER NOT NULL,
    readings INTEGER NOT NULL, size INTEGER NOT NULL, crc INTEGER NOT NULL, body BLOB NOT NULL)
"""
_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(list[Message]).decode


class DiskSpool:
    """Spool port on the file `path`; holds at most `max_bytes` of batches as they are on disk."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.state = SpoolState()
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._db: sqlite3.Connection | None = None
        self._opened = False
        self._gone = 0  # every id up to here is done with, whether or not the disk knows yet

    async def open(self) -> None:
        """Open or create the file and count what is in it."""
        await self._run(self._open)

    async def put(self, messages: Sequence[Message], received_ns: int, readings: int) -> None:
        await self._run(lambda: self._put(messages, received_ns, readings))

    async def oldest(self, messages: int) -> Sequence[Spooled]:
        return await self._run(lambda: self._oldest(messages))

    async def remove(self, up_to: int) -> None:
        await self._run(lambda: self._remove(up_to))

    async def close(self) -> None:
        """Close the file; what is in it waits for the next process."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    # -- in the worker thread ----------------------------------------------------------------------------------

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: self._guarded(work))

    def _guarded(self, work: Callable[[], T]) -> T:
        """Do it, once more on a fresh file where this one turned out to be damaged."""
        try:
            return work()
        except sqlite3.DatabaseError as error:
            if _code(error) not in _DAMAGED:
                raise self._unavailable(error) from error
            self._set_aside()
        except OSError as error:
            raise SinkUnavailable(f"spool {self._path}: {error}") from error
        try:
            return work()
        except (sqlite3.Error, OSError) as error:
            raise SinkUnavailable(f"spool {self._path}: {error}") from error

    def _unavailable(self, error: sqlite3.DatabaseError) -> SinkUnavailable:
        """What the disk said; nothing is left half done."""
        if _code(error) in _GOES_ON and self._db is not None:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        else:
            self._close()  # the next call opens the file anew
        return SinkUnavailable(f"spool {self._path}: {error}")

    def _open(self) -> None:
        self._connection()
        if not self._opened:
            self._count()
            self._opened = True

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self._path, timeout=_BUSY_S, check_same_thread=False, isolation_level=None)
            try:
                self._prepare(db)
            except BaseException:
                db.close()
                raise
            self._db = db
        return self._db

    def _prepare(self, db: sqlite3.Connection) -> None:
        try:
            db.execute("PRAGMA locking_mode = EXCLUSIVE")  # before WAL: no shared memory file is needed then
            db.execute(f"PRAGMA page_size = {_PAGE}")
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > FORMAT:
                raise ConfigError(
                    f"{self._path}: written by a later version (format {version}, this one reads up to {FORMAT}); "
                    "let that version drain it, or move the file away"
                )
            db.execute(_SCHEMA)
            if version != FORMAT:
                db.execute(f"PRAGMA user_version = {FORMAT}")
                # Ids go on where those of a damaged file ended: what is done with must not hide what is new.
                db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('batches', ?)", (self.state.last_id,))
            db.execute("BEGIN IMMEDIATE")  # takes the lock, which stays
            db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if _code(error) in _LOCKED:
                raise ConfigError(
                    f"{self._path}: another process has this spool open; stop it, or give this one its own data.dir"
                ) from error
            raise

    def _count(self) -> None:
        db, state = self._connection(), self.state
        state.batches, state.messages, state.readings, state.bytes = self._sum(0, 2**62)
        state.oldest_ns = self._oldest_ns()
        state.last_id = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'batches'").fetchone()[0]

    def _sum(self, after: int, up_to: int) -> tuple[int, int, int, int]:
        """Batches, messages, readings and bytes of a range of ids."""
        found = self._connection().execute(
            "SELECT count(*), sum(messages), sum(readings), sum(size) FROM batches WHERE id > ? AND id <= ?",
            (after, up_to),
        )
        batches, messages, readings, size = (number or 0 for number in found.fetchone())
        return batches, messages, readings, size

    def _oldest_ns(self) -> int:
        found = self._connection().execute(
            "SELECT received_ns FROM batches WHERE id > ? ORDER BY id LIMIT 1", (self._gone,)
        )
        row = found.fetchone()
        return row[0] if row else 0

    def _put(self, messages: Sequence[Message], received_ns: int, readings: int) -> None:
        if not self._opened:
            raise SinkUnavailable(f"spool {self._path}: not open yet")
        # Level 1: a fifth of the bytes for 4 us of CPU a message, beside the loop's thread.
        body = zlib.compress(_ENCODE(list(messages)), 1)
        if self.state.bytes + len(body) > self.max_bytes:
            raise SpoolFull(
                f"spool {self._path} is full: {self.state.bytes / 2**20:.1f} of {self.max_bytes / 2**20:.1f} MiB "
                "(spool.max_mib)"
            )
        row = (received_ns, len(messages), readings, len(body), zlib.crc32(body), body)
        inserted = self._connection().execute(
            "INSERT INTO batches (received_ns, messages, readings, size, crc, body) VALUES (?, ?, ?, ?, ?, ?)", row
        )
        state = self.state
        state.batches += 1
        state.messages += len(messages)
        state.readings += readings
        state.bytes += len(body)
        state.oldest_ns = min(state.oldest_ns or received_ns, received_ns)
        state.last_id = inserted.lastrowid or 0

    def _oldest(self, messages: int) -> list[Spooled]:
        found: list[Spooled] = []
        size = 0
        rows = self._connection().execute(
            "SELECT id, received_ns, messages, readings, crc, body FROM batches WHERE id > ? ORDER BY id", (self._gone,)
        )
        for number, received_ns, count, readings, crc, body in rows:
            messages -= count
            if found and (messages < 0 or size > _GIVEN_BYTES):
                break
            found.append(_given(number, received_ns, count, readings, crc, body))
            size += sum(len(message.payload) for message in found[-1].messages or ())
        rows.close()
        return found

    def _remove(self, up_to: int) -> None:
        if up_to > self._gone:
            batches, messages, readings, size = self._sum(self._gone, up_to)
            self._gone, state = up_to, self.state
            state.batches -= batches
            state.messages -= messages
            state.readings -= readings
            state.bytes -= size
            state.oldest_ns = self._oldest_ns()
        db = self._connection()
        db.execute("DELETE FROM batches WHERE id <= ?", (self._gone,))
        if not self.state.batches:  # give the disk back what an outage took
            db.executescript("PRAGMA incremental_vacuum")  # `execute` would stop after the first page
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _set_aside(self) -> None:
        """Keep the damaged file under another name; the next call makes a new one."""
        self._close()
        state = self.state
        aside = f"{self._path}.damaged-{time.time_ns()}"
        try:
            for ending in ("", "-wal"):
                file = Path(f"{self._path}{ending}")
                if file.exists():
                    file.rename(f"{aside}{ending}")
        except OSError as error:
            raise SinkUnavailable(f"spool {self._path} is damaged and cannot be set aside: {error}") from error
        state.damaged_files += 1
        state.aside_messages += state.messages
        state.aside_readings += state.readings
        state.aside_at = aside
        state.batches = state.messages = state.readings = state.bytes = state.oldest_ns = 0

    def _close(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None


def _code(error: sqlite3.Error) -> int:
    """Primary result code of SQLite; 0 for what the Python module itself complains about."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _given(number: int, received_ns: int, count: int, readings: int, crc: int, body: bytes) -> Spooled:
    """A row as a batch; what does not fit its checksum is given as it is."""
    if zlib.crc32(body) == crc:
        with suppress(zlib.error, msgspec.DecodeError):
            return Spooled(number, received_ns, count, readings, _DECODE(zlib.decompress(body)))
    return Spooled(number, received_ns, count, readings, None, body)
