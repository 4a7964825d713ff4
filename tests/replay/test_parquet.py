"""Recordings in Parquet: what is written is read back, whatever the parts; a killed recorder leaves its parts."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.plants import roster_of
from tests.core.streams import readings as streams
from tests.replay.tapes import POTS, read, router_of, shift, write
from twin.adapters.parquet import RecordingWriter, parts_folder
from twin.errors import ConfigError, SinkUnavailable
from twin.frames import Readings
from twin.parquet_files import recorded_plant
from twin.recording import COLUMNS


@settings(max_examples=10)
@given(streams(pots=POTS), st.integers(1, 20), st.integers(1, 30), st.integers(1, 12))
def test_what_is_written_is_read_back(said: Readings, batch: int, part_rows: int, chunk_rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "r.parquet", said, batch=batch, part_rows=part_rows)
        assert read(path, chunk_rows=chunk_rows).same(said)
        assert not parts_folder(path).exists()


def test_the_columns_are_those_of_the_documentation_and_in_order_of_arrival(tmp_path: Path) -> None:
    said = shift().take(slice(0, 9000))
    path = write(tmp_path / "r.parquet", said)
    with duckdb.connect() as db:
        found = db.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
        assert {row[0]: row[1] for row in found} == dict(COLUMNS)
        rows = db.execute(f"SELECT seq, arrival_ns, path, signal, value FROM '{path}'").fetchall()
        about = db.execute(f"SELECT key::VARCHAR, value::VARCHAR FROM parquet_kv_metadata('{path}')").fetchall()
    assert [row[0] for row in rows] == list(range(len(said)))
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)
    assert {row[2].count("/") for row in rows} == {1, 2}
    assert dict(about)["smelter_twin_format"] == "1"
    assert dict(about)["created_by"] == "test"
    # A missing value is NULL, so that other tools do not take it for a number.
    assert sum(row[4] is None for row in rows) == int(np.isnan(said.value).sum())


def test_it_carries_its_plant(tmp_path: Path) -> None:
    path = write(tmp_path / "r.parquet", shift().take(slice(0, 10)))
    assert recorded_plant(path) == roster_of(POTS).plant


def test_a_pot_that_the_plant_does_not_name_is_discovered(tmp_path: Path) -> None:
    roster = roster_of(POTS)
    extra = roster.add("s/L/999")
    said = Readings.of([shift().time_ns[0]] * 2, [1, extra], [0, 0], [4.0, 4.1])
    path = write(tmp_path / "r.parquet", said, roster=roster)
    router = router_of()
    found = read(path, router=router)
    assert [router.roster.paths[unit] for unit in found.unit] == ["s/L/001", "s/L/999"]


def test_an_empty_recording_is_one(tmp_path: Path) -> None:
    path = write(tmp_path / "r.parquet", Readings.empty())
    assert len(read(path)) == 0
    with duckdb.connect() as db:
        found = db.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
    assert {row[0]: row[1] for row in found} == dict(COLUMNS)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = write(tmp_path / "r.parquet", shift().take(slice(0, 10)))
    with pytest.raises(ConfigError, match=r"r\.parquet is there already; remove it or give another name"):
        RecordingWriter(path, roster_of(), created_by="test")
    path.unlink()
    parts_folder(path).mkdir()
    with pytest.raises(ConfigError, match=r"r\.parquet\.parts is there already"):
        RecordingWriter(path, roster_of(), created_by="test")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkUnavailable, match=r"r\.parquet cannot be written: "):
        RecordingWriter(tmp_path / "file" / "r.parquet", roster_of(), created_by="test")


def test_a_part_is_closed_when_it_is_old(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "r.parquet", roster_of(POTS), created_by="test", part_s=0.0)
    writer.write(shift().take(slice(0, 10)), 1)
    writer.flush_if_old()
    assert [part.name for part in parts_folder(tmp_path / "r.parquet").iterdir()] == ["part-000001.parquet"]
    writer.close()


KILLED = """
import sys
from pathlib import Path
from tests.replay.tapes import POTS, shift
from tests.core.plants import roster_of
from twin.adapters.parquet import RecordingWriter
said = shift()
writer = RecordingWriter(Path(sys.argv[1]), roster_of(POTS), created_by="test", part_rows=4000)
for start in range(0, len(said), 100):
    writer.write(said.take(slice(start, start + 100)), start)
    if start == 21000:
        print("now", flush=True)
sys.stdin.read()
"""


def test_a_recorder_killed_in_the_middle_leaves_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    command = [sys.executable, "-c", KILLED, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "now\n"
        process.kill()
    assert not path.exists()
    found = read(parts_folder(path))
    assert len(found) >= 20000
    assert len(found) % 4000 == 0
    assert found.same(shift().take(slice(0, len(found))))
    with pytest.raises(ConfigError, match=r"no such recording; its recorder was stopped half-way: replay .*\.parts"):
        read(path)
