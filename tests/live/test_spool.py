"""The spool with a real broker and a real database: outages, kill -9, a full disk. Lost 0, twice 0."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.live.process import twin
from tests.live.test_up import feed, finish, lines, stored, topic
from tests.live.tools import publish, publisher, until_sync
from tests.servers import InfluxServer, Server, binary, influxd, mosquitto, nginx_v2

pytestmark = pytest.mark.live

DATABASE = "db"
AWAY, BACK, EMPTY = "the store is away", "the store is back", "the spool is empty again"
EMPTY_BYTES = 400_000  # of the file and its log before the first batch, at most


@contextmanager
def servers() -> Iterator[tuple[Server, InfluxServer, Server]]:
    """A broker and a database of its own, which this test breaks."""
    with mosquitto() as broker, influxd() as influx, nginx_v2(influx) as front:
        influx.create_database(DATABASE)
        yield broker, influx, front


def settings(broker: Server, front: Server, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"mqtt__url": broker.url, "mqtt__root": "r", "mqtt__client_id": "c"}
    found |= {"sink__url": f"influx://127.0.0.1:{front.port}/{DATABASE}", "ingest__batch_messages": 500}
    return found | more


def all_there(influx: InfluxServer, count: int) -> None:
    """Wait for the last point; then every message is there, and each once (their source times differ)."""
    until_sync(lambda: (stored(influx, DATABASE) or [0])[0] >= count, "every point")
    found, total, low, high = stored(influx, DATABASE)
    assert found == count
    assert total == pytest.approx(sum(n / 1e4 for n in range(count)))
    assert (low, high) == (0.0, (count - 1) / 1e4)


def spooled(folder: Path) -> int:
    """Bytes of the spool's files."""
    return sum(path.stat().st_size for path in folder.glob("twin-data/spool.sqlite*"))


def test_a_store_that_stops_under_load_loses_nothing_and_live_data_comes_first(tmp_path: Path) -> None:
    """F13, F14, F20, F33."""
    count = 30_000
    with servers() as (broker, influx, front), publisher(broker, topic("r")) as source:
        with twin(tmp_path / "run", "ingest", **settings(broker, front)) as ingest:
            ingest.says("connected to the broker")
            feed(source, lines(0, 5000))
            until_sync(lambda: (stored(influx, DATABASE) or [0])[0] == 5000, "the first points")
            influx.kill()
            feed(source, lines(5000, 7000))
            ingest.says(AWAY)
            before = psutil.Process(ingest.process.pid).memory_info().rss
            feed(source, [line[:-1] + b" " * 6000 + b"}" for line in lines(7000, count - 1)])
            until_sync(lambda: spooled(tmp_path / "run") > EMPTY_BYTES + 200_000, "the spool")
            publish(broker, "r/end", [b"sent last"])
            influx.start()
            ingest.says(BACK)
            back = time.monotonic()
            feed(source, lines(count - 1, count))
            until_sync(lambda: (stored(influx, DATABASE) or [0] * 4)[3] == (count - 1) / 1e4, "the live point")
            assert time.monotonic() - back < 5, "live data does not wait for the backlog"
            ingest.says(EMPTY)
            all_there(influx, count)
            grown = psutil.Process(ingest.process.pid).memory_info().rss - before
            assert grown < 70e6, "140 MB came while the store was away"
            finish(source)
            assert ingest.stop() == 0
            log = ingest.log()
        assert (log.count(AWAY), log.count(BACK)) == (1, 1), log
        assert "Traceback" not in log


def test_killed_while_it_spools_everything_is_stored_once_by_the_next(tmp_path: Path) -> None:
    """F1: acknowledged because it was spooled, and there after kill -9. F17: what comes again changes nothing."""
    count, folder = 30_000, tmp_path / "run"
    with servers() as (broker, influx, front), publisher(broker, topic("r")) as source:
        influx.kill()
        with twin(folder, "ingest", **settings(broker, front)) as first:
            first.says("connected to the broker")
            feed(source, lines(0, count // 2))
            first.says(AWAY)
            until_sync(lambda: spooled(folder) > EMPTY_BYTES + 200_000, "batches in the spool")
            first.kill()
        with twin(folder, "ingest", **settings(broker, front)) as second:
            second.says("messages of an earlier run wait in the spool")
            second.says("connected to the broker")
            feed(source, lines(count // 2, count))
            finish(source)
            second.says(AWAY)
            second.kill()
        influx.start()
        with twin(folder, "ingest", **settings(broker, front)) as third:
            third.says(EMPTY)
            all_there(influx, count)
            assert third.stop() == 0


def test_a_restart_drains_the_spool_though_the_broker_is_away(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with servers() as (broker, influx, front):
        influx.kill()
        with twin(folder, "ingest", **settings(broker, front)) as first:
            first.says("connected to the broker")
            publish(broker, topic("r"), lines(0, 2000))
            first.says(AWAY)
            publish(broker, "r/end", [b"sent last"])
            assert first.stop() == 0, first.log()
        broker.kill()
        influx.start()
        with twin(folder, "ingest", **settings(broker, front)) as second:
            second.says(EMPTY)
            all_there(influx, 2000)
            assert second.stop() == 0


def test_a_damaged_spool_is_set_aside_and_a_new_one_is_begun(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "twin-data").mkdir(parents=True)
    (folder / "twin-data" / "spool.sqlite").write_bytes(os.urandom(100_000))
    with servers() as (broker, influx, front):
        influx.kill()
        with twin(folder, "ingest", **settings(broker, front)) as ingest:
            ingest.says("the spool was damaged; its file is kept under another name")
            ingest.says("connected to the broker")
            publish(broker, topic("r"), lines(0, 1000))
            ingest.says(AWAY)
            influx.start()
            ingest.says(EMPTY)
            all_there(influx, 1000)
            assert ingest.stop() == 0
    (aside,) = (folder / "twin-data").glob("spool.sqlite.damaged-*")
    assert aside.stat().st_size == 100_000


def test_at_its_bound_the_broker_keeps_the_rest(tmp_path: Path) -> None:
    """F6, F13: neither acknowledged nor dropped; nothing is held in a queue of the client that is not acknowledged."""
    count, folder = 40_000, tmp_path / "run"
    with servers() as (broker, influx, front), publisher(broker, topic("r")) as source:
        influx.kill()
        small = settings(broker, front, spool__max_mib=0.1)
        with twin(folder, "ingest", **small) as ingest:
            ingest.says("connected to the broker")
            feed(source, lines(0, count))
            finish(source)
            ingest.says("at 100 % of spool.max_mib nothing more is acknowledged")
            ingest.says("nothing more is acknowledged, the broker keeps what comes: problem=spool")
            assert spooled(folder) < 5_000_000, "the bound, and the log beside the file"
            influx.start()
            ingest.says("acknowledging again")
            ingest.says(EMPTY)
            all_there(influx, count)
            assert ingest.stop() == 0


def test_a_full_disk_stops_acknowledging_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    """F13: a disk of 3 MB, of which another file takes most, in a mount namespace that ends with the process."""
    count, folder = 60_000, tmp_path / "run"
    folder.mkdir()
    mount = f"mkdir -p {folder}/twin-data && mount -t tmpfs -o size=3m tmpfs {folder}/twin-data"
    before = [binary("unshare", "util-linux"), *([] if os.geteuid() == 0 else ["-r"]), "-m", "sh", "-c"]
    before += [f'{mount} && head -c 2400000 /dev/zero > {folder}/twin-data/other && exec "$@"', "sh"]
    with servers() as (broker, influx, front), publisher(broker, topic("r")) as source:
        influx.kill()
        with twin(folder, "ingest", before=before, **settings(broker, front)) as ingest:
            ingest.says("connected to the broker")
            inside = Path(f"/proc/{ingest.process.pid}/root{folder}/twin-data")
            feed(source, lines(0, count))
            finish(source)
            ingest.says("database or disk is full")
            assert "nothing more is acknowledged, the broker keeps what comes" in ingest.log()
            (inside / "other").unlink()
            ingest.says("acknowledging again")
            influx.start()
            ingest.says(EMPTY)
            all_there(influx, count)
            assert ingest.stop() == 0
            assert "Traceback" not in ingest.log()
