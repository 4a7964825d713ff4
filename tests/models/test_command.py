"""`twin models`: detectors on any table."""

import csv
import datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from typer.testing import CliRunner

from models.detectors import DETECTORS
from models.saving import describe
from tests.bench import learned
from tests.models.tables import MINUTE
from tests.models.test_finds import BAD_ROWS, ROWS, broken_relation
from twin.cli import app
from twin.errors import ConfigError
from twin.table_file import read_table

pytestmark = pytest.mark.long

TRAIN_ROWS = 6000


def run(*words: object) -> Any:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["models", *map(str, words)])
    if isinstance(result.exception, ConfigError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """6 pots, 1000 good minutes and 600 with a relation broken for an hour; a column of words."""
    training, test, _ = broken_relation(1)
    path = tmp_path_factory.mktemp("models") / "plant's.csv"
    with path.open("w", newline="") as out:
        lines = csv.writer(out)
        lines.writerow(["when", "pot", "note", *training.columns])
        for matrix in (training, test):
            for row in np.argsort(matrix.time_ns, kind="stable"):
                moment = datetime.datetime.fromtimestamp(1_763_964_000 + matrix.time_ns[row] / 1e9, datetime.UTC)
                lines.writerow([moment.isoformat(), f"P{matrix.group[row]}", "shift A", *matrix.values[row].tolist()])
    return path


def given(file: Path) -> tuple[object, ...]:
    return "--data", file, "--time", "when", "--group", "pot", "--without", "note"


def rows_of(out: Path) -> list[dict[str, str]]:
    with out.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_detector_fitted_on_the_first_rows_finds_what_is_wrong_in_the_others(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.csv"
    told = run("score", *given(file), "--detector", "pca", "--train-rows", TRAIN_ROWS, "--out", out).stderr
    table = rows_of(out)
    assert len(table) == 6 * (1000 + ROWS)
    assert f"{len(table)} rows, {len(table)} scored" in told
    assert table[0] | {"score": ""} == {
        "time": "2025-11-24T06:00:00Z", "group": "P0", "score": "", "flagged": "0", "column": "",
    }  # fmt: skip
    later = table[TRAIN_ROWS:]
    flags = np.array([row["flagged"] == "1" for row in later]).reshape(ROWS, 6)
    assert flags[BAD_ROWS].mean() > 0.25
    assert flags[~BAD_ROWS].mean() < 0.01
    named = [row["column"] for row in later if row["flagged"] == "1"]
    assert named.count("c5") > 0.9 * len(named)
    assert all(not row["column"] for row in later if row["flagged"] == "0")


@pytest.mark.parametrize("name", ["pca", "cusum"])
def test_fit_and_score_with_a_file_is_score_alone(file: Path, tmp_path: Path, name: str) -> None:
    how = ("--detector", name, "--train-rows", TRAIN_ROWS, "--parameter", "clip=5", "--seed", 7)
    run("score", *given(file), *how, "--out", tmp_path / "one.csv")
    run("fit", *given(file), *how, "--model", tmp_path / "model")
    run("score", *given(file), "--model", tmp_path / "model", "--out", tmp_path / "two.csv")
    assert (tmp_path / "one.csv").read_text() == (tmp_path / "two.csv").read_text()
    said = describe(tmp_path / "model")
    assert (said.seeds, said.parameters["clip"]) == ((7,), "5")
    assert "6000 rows of plant's.csv, 6 groups" in run("card", tmp_path / "model").stdout


def test_batches_do_not_show_in_the_scores(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    how = (*given(file), "--detector", "change_point", "--train-rows", TRAIN_ROWS, "--out")
    run("score", *how, tmp_path / "one.csv")
    monkeypatch.setattr("twin.cli_models.BATCH", 1000)
    run("score", *how, tmp_path / "two.csv")
    one, two = rows_of(tmp_path / "one.csv"), rows_of(tmp_path / "two.csv")
    assert [row["column"] for row in one] == [row["column"] for row in two]
    assert [row["score"] for row in one] == [row["score"] for row in two]
    assert not one[0]["score"]  # warming up


def test_every_detector_is_listed() -> None:
    text = run("list").stdout
    assert [row.name for row in DETECTORS if row.name not in text] == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"--data": "none.csv"}, r"--data none\.csv: there is no such file"),
        ({"--data": "table.xlsx"}, r"give a file that ends in \.csv or \.parquet"),
        ({"--time": "clock"}, r"--time clock: .* has no such column; it has when, pot, note"),
        ({"--group": "line"}, "--group line: .* has no such column"),
        ({"--without": "nothing"}, "--without nothing: .* has no such column"),
        ({"--without": "c3"}, "column note of .* is no number everywhere, it holds 'shift A'; leave it out"),
        ({"--time": "note", "--without": "when"}, "holds neither moments"),
        ({"--group": ""}, "column pot of .* is no number everywhere, it holds 'P0'"),
        ({"--detector": "oracle"}, "there is no detector 'oracle'; there are robust_limits"),
        ({"--train-rows": 99999}, "--train-rows 99999 is more than the 9600 rows"),
        ({"--parameter": "clip"}, "must look like NAME=VALUE"),
        ({"--parameter": "power=1"}, "pca has no parameter power"),
        ({"--model": "none"}, "--detector NAME or --model FILE, and not both"),
        ({"--detector": ""}, "--detector NAME or --model FILE, and not both"),
        ({"--detector": "", "--model": "none"}, "--train-rows and --parameter go with --detector"),
        ({"--detector": "", "--model": "none", "--train-rows": 0}, "there is no model file none"),
        ({"--out": "no/such/folder/scores.csv"}, "cannot be written"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_with_what_to_do(file: Path, change: dict[str, Any], says: str) -> None:
    words: dict[Any, object] = dict(zip(given(file)[::2], given(file)[1::2], strict=True))
    words |= {"--detector": "pca", "--train-rows": TRAIN_ROWS, "--out": "/dev/null", **change}
    with pytest.raises(ConfigError, match=says):
        run("score", *(part for word in words.items() for part in word))


def test_a_model_for_other_columns_is_refused(file: Path, tmp_path: Path) -> None:
    run("fit", *given(file), "--detector", "robust_limits", "--model", tmp_path / "model")
    with pytest.raises(ConfigError, match="has no column c7; it has"):
        run("score", *given(file), "--without", "c7", "--model", tmp_path / "model", "--out", tmp_path / "x.csv")


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_numbers_moments_gaps_and_order_of_a_file(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "a.csv", "t;x;y\n2;1.5;\n1;inf;7\n1.5;NA;true\n"), "t", without=["y"])
    assert table.columns == ("x",)
    assert table.time_ns.tolist() == [1_000_000_000, 1_500_000_000, 2_000_000_000]
    assert np.array_equal(table.values, [[np.nan], [np.nan], [1.5]], equal_nan=True)
    assert table.group_names == ("",)
    assert table.when.tolist() == ["1", "1.5", "2"]
    moments = "when,on\n2026-11-24 06:00:00,true\n2026-11-24 06:01:00,false\n"
    table = read_table(write(tmp_path / "b.csv", moments), "when")
    assert np.diff(table.time_ns).tolist() == [MINUTE]
    assert (table.when[0], table.values[:, 0].tolist()) == ("2026-11-24T06:00:00Z", [1.0, 0.0])


def test_a_parquet_file_is_the_same_table(tmp_path: Path) -> None:
    text = write(tmp_path / "a.csv", 't,g,"odd ""name"""\n1,A,1\n1,B,2\n2,A,\n')
    duckdb.sql(f"COPY (FROM read_csv('{text}')) TO '{tmp_path}/a.parquet'")
    one, other = (read_table(tmp_path / f"a.{kind}", "t", "g") for kind in ("csv", "parquet"))
    assert one.columns == other.columns == ('odd "name"',)
    assert one.group_names == other.group_names == ("A", "B")
    assert np.array_equal(one.values, other.values, equal_nan=True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("t,x\n", "has no rows"),
        ("t\n1\n2\n", "has no column beside t"),
        ("t,x\n1,1\n,2\n", "row 2 of .* has no time"),
    ],
)  # fmt: skip
def test_a_table_without_what_is_needed_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read_table(write(tmp_path / "a.csv", text), "t")


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a\.parquet cannot be read as a table: "):
        read_table(write(tmp_path / "a.parquet", "hello"), "t")


def test_two_rows_of_one_time_ask_for_a_group(tmp_path: Path) -> None:
    lines = "".join(f"{row // 2},{row % 7}\n" for row in range(100))
    with pytest.raises(ConfigError, match="name the column that tells the groups apart"):
        run("fit", "--data", write(tmp_path / "a.csv", "t,x\n" + lines), "--time", "t", "--detector", "cusum",
            "--model", tmp_path / "m")  # fmt: skip


def test_the_benchmark_scores_every_pot_by_every_model() -> None:
    told: Any = learned.scorer(20, 7, columns=6, training=250, trees=2)()
    scores, warning, diagnosis = told
    assert len(scores) == len(DETECTORS)
    assert (warning.shape, diagnosis.shape) == ((20,), (20, learned.CAUSES))
    assert np.isfinite(scores[[row.name for row in DETECTORS].index("pca")]).all()
