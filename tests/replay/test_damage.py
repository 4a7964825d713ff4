"""What cannot be read is named by file, row and column; with `keep` the rest is read and the bad is counted."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from tests.core.plants import NOW_NS
from tests.replay.tapes import POTS, read, router_of, shift, write
from twin.errors import ConfigError
from twin.parquet_files import recorded_plant
from twin.recording import Selection, Skipped

GOOD = (
    "'s/L/001' AS path, 'voltage_v' AS signal, 4.0::DOUBLE AS value, 0::UTINYINT AS quality, "
    f"{NOW_NS} + range AS time_ns"
)
OR_SKIP = "; or keep what can be read with --skip-bad."


def table(path: Path, columns: str = "*", rows: int = 5, good: str = GOOD) -> Path:
    """A Parquet file whose rows are good, but for what `columns` makes of them (`range` counts them from 0)."""
    with duckdb.connect() as db:
        db.execute(
            f"COPY (SELECT {columns} FROM (SELECT {good}, range FROM range({rows}))) TO '{path}' (FORMAT parquet)"
        )
    return path


def error(path: Path, **options: object) -> str:
    """What reading the recording says, without its place in the file system."""
    with pytest.raises(ConfigError) as caught:
        read(path, **options)  # type: ignore[arg-type]
    return str(caught.value).replace(f"{path.parent}/", "")


def kept(path: Path) -> tuple[int, list[str]]:
    """How many readings can be kept, and what is told of the rest."""
    skipped = Skipped(keep=True)
    return len(read(path, skipped=skipped)), [line.replace(f"{path.parent}/", "") for line in skipped.told()]


ROWS = [
    pytest.param(
        "* REPLACE (CASE range WHEN 3 THEN NULL ELSE time_ns END AS time_ns)",
        "r.parquet: row 4, column 'time_ns': NULL: no source time between 1973 and 2096. Give every row its time in ns "
        "since 1970, UTC; or keep what can be read with --skip-bad.",
        id="no time",
    ),
    pytest.param(
        "* REPLACE (CASE range WHEN 3 THEN 5 ELSE time_ns END AS time_ns)",
        "r.parquet: row 4, column 'time_ns': '5': no source time between 1973 and 2096. Give every row its time in ns "
        "since 1970, UTC; or keep what can be read with --skip-bad.",
        id="a time in 1970",
    ),
    pytest.param(
        "* REPLACE (CASE range WHEN 3 THEN 's/X/001' ELSE path END AS path)",
        "r.parquet: row 4, column 'path': 's/X/001': the plant has no such unit. Name the recording's plant file with "
        "--set plant.file=FILE; or keep what can be read with --skip-bad.",
        id="unknown line",
    ),
    pytest.param(
        "* REPLACE (CASE range WHEN 3 THEN NULL ELSE path END AS path)",
        "r.parquet: row 4, column 'path': NULL: the plant has no such unit. Name the recording's plant file with "
        "--set plant.file=FILE; or keep what can be read with --skip-bad.",
        id="no unit",
    ),
    pytest.param(
        "* REPLACE (CASE range WHEN 3 THEN 'volts' ELSE signal END AS signal)",
        "r.parquet: row 4, column 'signal': 'volts': no such signal in the table (`twin signals`). Rename it to a "
        "signal of the table; or keep what can be read with --skip-bad.",
        id="unknown signal",
    ),
    pytest.param(
        "* REPLACE (CASE range WHEN 3 THEN 4000.0 ELSE value END AS value)",
        "r.parquet: row 4, column 'value': '4000.0': not a value that the signal can have. Check the unit of the values"
        + OR_SKIP,
        id="out of range",
    ),
    pytest.param(
        "* REPLACE (CASE range WHEN 3 THEN 'inf'::DOUBLE ELSE value END AS value)",
        "r.parquet: row 4, column 'value': 'inf': not a value that the signal can have. Check the unit of the values"
        + OR_SKIP,
        id="infinite",
    ),
    pytest.param(
        "* REPLACE (CASE range WHEN 3 THEN 7 ELSE quality END AS quality)",
        "r.parquet: row 4, column 'quality': '7': not a quality. Write 0 for good, 1 for uncertain, 2 for bad; or keep "
        "what can be read with --skip-bad.",
        id="quality",
    ),
]


@pytest.mark.parametrize(("columns", "message"), ROWS)
def test_a_bad_row_is_named_or_skipped(tmp_path: Path, columns: str, message: str) -> None:
    path = table(tmp_path / "r.parquet", columns)
    assert error(path) == message
    place, reason = message.split(". ", 1)[0].rsplit(": ", 1)
    assert kept(path) == (4, [f"skipped 1: {reason} (first: {place})"])


def test_a_null_value_is_a_bad_reading_and_no_mistake(tmp_path: Path) -> None:
    path = table(tmp_path / "r.parquet", "* REPLACE (CASE range WHEN 3 THEN NULL ELSE value END AS value)")
    assert read(path).quality.tolist() == [0, 0, 0, 2, 0]


@pytest.mark.parametrize("column", ["time_ns", "path", "signal", "value"])
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    path = table(tmp_path / "r.parquet", f"* EXCLUDE ({column}, range)")
    there = ", ".join(name for name in ("path", "signal", "value", "quality", "time_ns") if name != column)
    message = (
        f"r.parquet: column '{column}' is missing; there are {there}. A recording has the columns seq, arrival_ns, "
        "time_ns, path, signal, value, quality; other tables can be replayed as CSV with --map."
    )
    assert error(path) == message
    assert error(path, skipped=Skipped(keep=True)) == message


def test_quality_seq_and_arrival_are_not_needed(tmp_path: Path) -> None:
    path = table(tmp_path / "r.parquet", "* EXCLUDE (quality, range)")
    assert read(path).quality.tolist() == [0] * 5


def test_a_wrong_type_is_named_or_read_where_it_can_be(tmp_path: Path) -> None:
    path = table(tmp_path / "r.parquet", "* REPLACE (CASE range WHEN 3 THEN 'hot' ELSE '4.5' END AS value)")
    assert error(path) == (
        "r.parquet: column 'value' has type VARCHAR: it must be DOUBLE. Write it as DOUBLE; or keep what can be read "
        "with --skip-bad."
    )
    assert kept(path) == (
        4,
        [
            "put up with: it must be DOUBLE (first: r.parquet: column 'value' has type VARCHAR)",
            "skipped 1: not a value that the signal can have (first: r.parquet: row 4, column 'value': 'hot')",
        ],
    )


@pytest.mark.parametrize("size", [0, 10, 3000])
def test_a_file_that_is_cut_off_is_named(tmp_path: Path, size: int) -> None:
    path = write(tmp_path / "r.parquet", shift().take(slice(0, 5000)))
    whole = path.read_bytes()
    assert len(whole) > 3000
    path.write_bytes(whole[:size])
    said = error(path)
    assert said.startswith("r.parquet (")
    assert said.endswith("): cut off, or no Parquet file at all. Copy or record the file again" + OR_SKIP)
    assert error(path, skipped=Skipped(keep=True)) == (
        "r.parquet: nothing in it can be read. Copy or record the file again."
    )
    assert recorded_plant(path) is None


def test_a_part_that_is_cut_off_costs_only_itself(tmp_path: Path) -> None:
    folder = tmp_path / "r.parquet.parts"
    folder.mkdir()
    for number in (1, 2, 3):
        part = write(tmp_path / "one.parquet", shift().take(slice(1000 * number, 1000 * (number + 1))))
        shutil.move(part, folder / f"part-{number:06d}.parquet")
    (folder / "part-000002.parquet").write_bytes((folder / "part-000002.parquet").read_bytes()[:2000])
    assert "r.parquet.parts/part-000002.parquet (" in error(folder)
    count, told = kept(folder)
    assert count == 2000
    assert len(told) == 1
    assert told[0].startswith("skipped 1: cut off, or no Parquet file at all (first: r.parquet.parts/part-000002")


@pytest.mark.parametrize("column", ["value", "path", "time_ns"])
def test_damage_inside_is_named_by_rows_and_column_and_costs_its_row_group(tmp_path: Path, column: str) -> None:
    path = tmp_path / "r.parquet"
    with duckdb.connect() as db:
        db.execute(
            f"COPY (SELECT ({NOW_NS} + range * 1000 + hash(range) % 999)::BIGINT AS time_ns, "
            f"'s/L/00' || (1 + hash(range) % {POTS}) AS path, 'voltage_v' AS signal, "
            "4 + (hash(range) % 100003)::DOUBLE / 1e6 AS value "
            f"FROM range(8192)) TO '{path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)"
        )
        ((start, length),) = db.execute(
            "SELECT coalesce(dictionary_page_offset, data_page_offset), total_compressed_size "
            f"FROM parquet_metadata('{path}') WHERE row_group_id = 1 AND path_in_schema = '{column}'"
        ).fetchall()
    data = bytearray(path.read_bytes())
    for place in range(start, start + length):
        data[place] ^= 0x5A
    path.write_bytes(data)
    said = error(path)
    assert said.startswith(f"r.parquet: rows 2049 to 4096, column '{column}': damaged data (")
    assert said.endswith("). Copy or record the file again; or keep what can be read with --skip-bad.")
    count, told = kept(path)
    assert count == 3 * 2048
    assert len(told) == 1
    assert told[0].startswith("skipped 2048: damaged data (")


def test_no_file_and_no_part_are_told(tmp_path: Path) -> None:
    assert error(tmp_path / "r.parquet") == "r.parquet: no such recording"
    (tmp_path / "r.parquet.parts").mkdir()
    assert error(tmp_path / "r.parquet.parts") == (
        "r.parquet.parts: no part of the recording was closed; there is nothing to replay"
    )


def test_a_newer_format_and_a_broken_plant_are_told(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    for about, message in (
        ("smelter_twin_format: '2'", "a recording of format 2; this version reads format 1: update it"),
        ("plant: '{'", "the plant in its metadata cannot be read"),
    ):
        with duckdb.connect() as db:
            db.execute(f"COPY (SELECT 1 AS a) TO '{path}' (FORMAT parquet, KV_METADATA {{{about}}})")
        with pytest.raises(ConfigError, match=message):
            recorded_plant(path)


def test_a_name_that_selects_nothing_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "r.parquet", shift().take(slice(0, 100)))
    assert error(path, selection=Selection(pots=("777",))) == (
        "--pot 777: there is no such pot; there are s/L/001, s/L/002, s/L/003, s/L/004"
    )
    assert error(path, selection=Selection(lines=("M",)), router=router_of(6)) == (
        "--line M: there is no such line; there are s/L"
    )
