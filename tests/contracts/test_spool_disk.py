"""What only a spool on disk can do: outlive a kill, run out of room, be damaged, be locked."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.spools import MUCH, batch, fill, run, size
from tests.core.plants import NOW_NS
from twin.adapters.spool import DiskSpool
from twin.errors import ConfigError, SinkUnavailable, SpoolFull
from twin.ports import Message, Spool

ROOT = Path(__file__).parents[2]


def disk(folder: Path, most: int = MUCH) -> DiskSpool:
    return DiskSpool(folder / "spool.sqlite", most)


def test_a_batch_that_was_put_survives_a_kill(tmp_path: Path) -> None:
    """F1, F13: what was acknowledged because it was in the spool is there after kill -9."""
    script = (
        "import asyncio, os, signal, sys\nfrom pathlib import Path\nfrom twin.adapters.spool import DiskSpool\n"
        "from twin.ports import Message\n"
        "async def main():\n"
        "    spool = DiskSpool(Path(sys.argv[1]), 1 << 30)\n"
        "    await spool.open()\n"
        "    for n in range(50):\n"
        "        await spool.put([Message('t', b'%d' % n)] * 20, n + 1, 20)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    clean = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "spool.sqlite")], env=clean, check=False)
    assert done.returncode == -9

    async def test(spool: Spool) -> None:
        found = await spool.oldest(10**6)
        assert [one.received_ns for one in found] == list(range(1, 51))
        assert all(one.messages == [Message("t", b"%d" % (one.received_ns - 1))] * 20 for one in found)

    run(disk(tmp_path), test)


def test_every_put_is_synced(tmp_path: Path) -> None:
    spool = disk(tmp_path)

    async def test(spool: Spool) -> None:
        assert isinstance(spool, DiskSpool)
        settings = [
            spool._connection().execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
        ]
        assert settings == ["wal", 2], "2 = FULL: each commit is synced"

    run(spool, test)


def test_a_file_that_is_no_spool_is_set_aside_and_told(tmp_path: Path) -> None:
    (tmp_path / "spool.sqlite").write_bytes(b"this is not a database, though it is long enough to be one" * 99)

    async def test(spool: Spool) -> None:
        assert spool.state.damaged_files == 1
        await spool.put(batch(1), NOW_NS, 3)
        assert len(await spool.oldest(9)) == 1

    run(disk(tmp_path), test)
    (aside,) = tmp_path.glob("spool.sqlite.damaged-*")
    assert aside.read_bytes().startswith(b"this is not")

    async def again(spool: Spool) -> None:
        assert (spool.state.damaged_files, spool.state.batches) == (0, 1)

    run(disk(tmp_path), again)


def test_a_file_that_becomes_unreadable_is_set_aside_with_what_is_known_of_it(tmp_path: Path) -> None:
    async def test(spool: Spool) -> None:
        assert isinstance(spool, DiskSpool)
        for n in range(40):
            await spool.put(batch(n, 400), NOW_NS + n, 5)
        newest = spool.state.last_id
        spool._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        file = tmp_path / "spool.sqlite"
        with file.open("r+b") as handle:  # every page but the first
            handle.seek(16384)
            handle.write(os.urandom(file.stat().st_size - 16384))
        spool._close()  # so that nothing is left of it in SQLite's own memory
        await spool.put(batch(1), NOW_NS, 5)
        state = spool.state
        assert (state.damaged_files, state.aside_messages, state.aside_readings) == (1, 16_000, 200)
        assert (state.batches, state.messages) == (1, 3)
        await spool.remove(newest)  # of a batch that was given out of the old file
        (only,) = await spool.oldest(100)
        assert only.id > newest

    run(disk(tmp_path), test)
    assert list(tmp_path.glob("spool.sqlite.damaged-*"))


def test_a_batch_that_the_disk_has_changed_is_given_as_it_is(tmp_path: Path) -> None:
    async def test(spool: Spool) -> None:
        assert isinstance(spool, DiskSpool)
        for n in range(3):
            await spool.put(batch(n), NOW_NS, 5)
        spool._connection().execute("UPDATE batches SET body = zeroblob(9) WHERE id = 2")
        first, second, third = await spool.oldest(100)
        assert first.messages is not None
        assert third.messages is not None
        assert (second.messages, second.payload, second.held) == (None, bytes(9), 3)

    run(disk(tmp_path), test)


def test_a_full_disk_is_an_outage_that_ends_when_there_is_room(tmp_path: Path) -> None:
    async def test(spool: Spool) -> None:
        assert isinstance(spool, DiskSpool)
        db = spool._connection()
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages + 6}")
        with pytest.raises(SinkUnavailable, match="database or disk is full") as caught:
            await fill(spool, 400)
        assert not isinstance(caught.value, SpoolFull)
        held = spool.state.batches
        assert [one.received_ns - NOW_NS for one in await spool.oldest(10**6)] == list(range(held))
        await spool.remove((await spool.oldest(1))[-1].id)
        await spool.put(batch(7, 400), NOW_NS, 1)
        db.execute(f"PRAGMA max_page_count = {pages + 600}")
        await spool.put(batch(7, 400), NOW_NS, 1)
        assert spool.state.batches == held + 1

    run(disk(tmp_path), test)


def test_a_folder_that_cannot_be_made_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    spool = DiskSpool(tmp_path / "file" / "spool.sqlite", MUCH)

    async def test() -> None:
        with pytest.raises(SinkUnavailable, match=r"spool\.sqlite"):
            await spool.open()
        with pytest.raises(SinkUnavailable, match="not open"):
            await spool.put(batch(1), NOW_NS, 1)
        (tmp_path / "file").unlink()
        await spool.open()
        await spool.put(batch(1), NOW_NS, 1)
        await spool.close()

    asyncio.run(test())


def test_two_processes_do_not_share_a_spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.adapters.spool._BUSY_S", 0.05)

    async def test(spool: Spool) -> None:
        other = disk(tmp_path)
        with pytest.raises(ConfigError, match=r"another process has this spool open.*data\.dir"):
            await other.open()
        await other.close()
        await spool.put(batch(1), NOW_NS, 1)

    run(disk(tmp_path), test)


def test_a_file_of_a_later_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "spool.sqlite"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 2")
    db.close()
    spool = disk(tmp_path)

    async def test() -> None:
        with pytest.raises(ConfigError, match="later version"):
            await spool.open()
        await spool.close()

    asyncio.run(test())
    assert file.exists()


def test_an_empty_spool_gives_the_disk_back(tmp_path: Path) -> None:
    async def test(spool: Spool) -> None:
        for n in range(60):
            await spool.put(batch(n, 400), NOW_NS, 1)
        full = size(tmp_path)
        await spool.remove((await spool.oldest(10**6))[-1].id)
        assert size(tmp_path) < full / 5

    run(disk(tmp_path), test)


def test_large_messages_are_not_all_given_at_once(tmp_path: Path) -> None:
    """F14: what is small on disk may be large in memory."""

    async def test(spool: Spool) -> None:
        for n in range(40):
            await spool.put([Message("t", b" " * 250_000)] * 4, NOW_NS + n, 4)
        assert spool.state.bytes < 1_000_000
        given = await spool.oldest(10**6)
        assert len(given) == 5, "5 of 1 MB"

    run(disk(tmp_path), test)
