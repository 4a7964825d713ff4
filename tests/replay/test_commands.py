"""The commands of docs/replay.md that need no server, and what the commands say when a word is wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.replay.commands import block, commands, documented, twin
from twin.adapters.parquet import parts_folder
from twin.errors import ConfigError
from twin.parquet_files import recorded_plant

pytestmark = pytest.mark.long

LIVE = 4  # commands of the page that tests/live/test_replay.py runs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of someone who has run the page's first command, on a smaller plant and a shorter day."""
    folder = tmp_path_factory.mktemp("replay")
    ran = twin(documented("simulate", "parquet:day.parquet"), folder, **{"300": "4", "24h": "6m"})
    assert ran.exit_code == 0, ran
    return folder


def test_every_command_of_the_page_is_run_somewhere() -> None:
    assert len(commands()) == LIVE + 7


def test_simulate_then_replay_whole_and_in_part(folder: Path) -> None:
    assert len(json.loads((folder / "day.causes.json").read_text())) > 20
    assert twin(documented("replay", "day.jsonl"), folder).exit_code == 0
    rows = [json.loads(line) for line in (folder / "day.jsonl").read_text().splitlines()]
    assert {row["unit"] for row in rows if row["kind"] == "figures"} == {
        "demo",
        "demo/A",
        "demo/A/section:1",
        *(f"demo/A/A00{n}" for n in range(1, 5)),
    }
    times = {"2026-01-05T06:00:00Z": "2026-01-05T00:02:00Z", "2026-01-05T08:00:00Z": "2026-01-05T00:04:00Z"}
    assert twin(documented("replay", "part.jsonl"), folder, **times).exit_code == 0
    rows = [json.loads(line) for line in (folder / "part.jsonl").read_text().splitlines()]
    known = {row["unit"] for row in rows if row["kind"] == "figures" and row.get("dc_kwh_t")}
    assert known == {"demo", "demo/A", "demo/A/section:1", "demo/A/A001", "demo/A/A003"}


def test_into_a_store_and_from_it_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMELTER_PLANT_POTS", "4")
    assert twin(documented("replay", "store"), folder).exit_code == 0
    assert twin(documented("replay", "duckdb:copy.duckdb"), folder).exit_code == 0
    assert twin(documented("replay", "day.jsonl"), folder).exit_code == 0
    assert (folder / "copy.jsonl").read_bytes() == (folder / "day.jsonl").read_bytes()


def test_parts_that_were_left(folder: Path, tmp_path: Path) -> None:
    parts_folder(tmp_path / "line.parquet").mkdir()
    shutil.copy(folder / "day.parquet", parts_folder(tmp_path / "line.parquet") / "part-000001.parquet")
    assert twin(documented("replay", "line.parquet.parts"), tmp_path).exit_code == 0
    assert twin(documented("replay", "day.jsonl"), folder).exit_code == 0
    assert (tmp_path / "line.jsonl").read_bytes() == (folder / "day.jsonl").read_bytes()


def test_a_csv_table(tmp_path: Path) -> None:
    (tmp_path / "columns.toml").write_text(block("toml"))
    (tmp_path / "export.csv").write_text(block("csv"), "latin-1")
    done = twin(documented("replay", "export.csv"), tmp_path)
    assert (done.exit_code, done.exception) == (0, None)
    assert "4 readings" in done.stderr
    bad = block("csv").replace("4.012,5", "4.o12,5")
    (tmp_path / "export.csv").write_text(bad, "latin-1")
    done = twin(documented("replay", "export.csv"), tmp_path)
    assert str(done.exception) == (
        "export.csv: line 3, column 'U [mV]': '4.o12,5': not a number with decimal ','. Correct it, or check decimal, "
        "factor and offset of voltage_v in the map; or keep what can be read with --skip-bad."
    )
    done = twin([*documented("replay", "export.csv"), "--skip-bad"], tmp_path)
    assert "3 readings" in done.stderr
    assert (
        "skipped 1: not a number with decimal ',' (first: export.csv: line 3, column 'U [mV]': '4.o12,5')"
        in done.stderr
    )


def test_the_report_is_the_only_thing_on_standard_output(folder: Path) -> None:
    done = twin(["replay", "day.parquet"], folder)
    assert [json.loads(line)["kind"] for line in done.stdout.splitlines()]
    assert twin(documented("replay", "day.jsonl"), folder).stdout == ""
    assert done.stdout == (folder / "day.jsonl").read_text()


def test_another_plant_goes_before_the_recorded_one(folder: Path, tmp_path: Path) -> None:
    plant = recorded_plant(folder / "day.parquet")
    assert plant is not None
    other = '[[sites]]\nid = "other"\n[[sites.lines]]\nid = "B"\npots = 3\ndesign = "d"\n[designs.d]\n'
    (tmp_path / "plant.toml").write_text(other)
    done = twin(["replay", str(folder / "day.parquet"), "--set", f"plant.file={tmp_path / 'plant.toml'}"], folder)
    assert "column 'path': 'demo/A" in str(done.exception)
    assert "the plant has no such unit. Name the recording's plant file with --set plant.file=FILE" in str(
        done.exception
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["day.parquet", "--to", "2026-01-05T06:00:00Z"],
            "it is mqtt://host:port, engine or store (times are --from and",
        ),
        (["day.parquet", "--to", "store", "--report", "r"], "--report r is for --to engine"),
        (["day.parquet", "--shift-to-now"], "--shift-to-now is for a broker or a store"),
        (["day.parquet", "--speed", "0"], "--speed '0' is not allowed; it is a number from 0.01 to 1000000, or max"),
        (["day.parquet", "--from", "06:00"], "--from '06:00': give epoch ms, epoch ns, or ISO 8601 with a zone"),
        (
            ["day.parquet", "--from", "2026-01-05T06:00:00Z", "--until", "2026-01-05T06:00:00Z"],
            "--from 2026-01-05T06:00:00Z does not lie before --until 2026-01-05T06:00:00Z",
        ),
        (["day.parquet", "--pot", "Z9"], "--pot Z9: there is no such pot; there are demo/A/A001, demo/A/A002"),
        (["day.parquet", "--map", "m.toml"], "--map m.toml is for tables in CSV; day.parquet is none"),
        (["day.xlsx"], "'day.xlsx' is no recording; there are FILE.parquet, FILE.parquet.parts, FILE.csv (with --map)"),
        (["day.csv"], "day.csv: a CSV table needs --map FILE.toml, which says what its columns are"),
        (["day.csv", "--map", "m.toml"], "--map m.toml cannot be read"),
        (["gone.parquet"], "gone.parquet: no such recording"),
        (["duckdb:gone"], "gone: no such store"),
        (["influx://host"], "SOURCE = 'influx://host' is not allowed; it must look like influx://host:8086/bucket"),
        (["day.parquet", "--report", "no/such/folder"], "--report no/such/folder cannot be written: No such file"),
    ],
)
def test_words_that_are_wrong(folder: Path, words: list[str], message: str) -> None:
    done = twin(["replay", *words], folder)
    assert isinstance(done.exception, ConfigError)
    assert message in str(done.exception)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["mqtt://127.0.0.1:1", "line.csv"], "line.csv: give the recording the suffix .parquet"),
        (["mqtt://127.0.0.1:1", "day.parquet"], "day.parquet is there already"),
        (
            ["http://127.0.0.1:1", "line.parquet"],
            "'http://127.0.0.1:1' is not allowed; it must look like mqtt://host:1883",
        ),
        (["mqtt://127.0.0.1:1", "line.parquet", "--for", "x"], "--for 'x' is not allowed"),
    ],
)
def test_words_of_record_that_are_wrong(folder: Path, words: list[str], message: str) -> None:
    done = twin(["record", *words], folder)
    assert isinstance(done.exception, ConfigError)
    assert message in str(done.exception)
    assert not parts_folder(folder / "line.parquet").exists(), "nothing is left behind"
