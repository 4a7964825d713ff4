"""`twin report` as a user meets it: files, errors that help, and a line that the engine itself watched."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.core.plants import engine_of, roster_of, steady
from tests.report.making import rows_of
from tests.report.plants import TWO_LINES, two_lines
from tests.report.story import Story, into_duckdb
from twin.adapters.duck import DuckStore
from twin.cli import app
from twin.errors import ConfigError, SmelterError
from twin.runner import Runner
from twin.snapshot import IngestView

pytestmark = pytest.mark.long

ENGINE_PLANT = """
title = "Test plant"
[[sites]]
id = "s"
time_zone = "UTC"
[[sites.lines]]
id = "L"
pots = 3
section_pots = 2
design = "d"
[designs.d]
"""


def called(*words: str) -> str:
    """What the command says; raises what it raises."""
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["report", *words])
    if result.exception:
        raise result.exception
    return result.output


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("store") / "twin.duckdb"
    into_duckdb(rows_of(story=Story(hours=(date(2026, 10, 7),))), file)
    return f"sink.url=duckdb:{file}"


def test_three_files_at_once(store: str, tmp_path: Path) -> None:
    files = [tmp_path / f"october.{kind}" for kind in ("html", "json", "csv")]
    said = called("--month", "2026-10", "--line", "A", "-s", store, *(f"--to={file}" for file in files))
    assert all(f"wrote {file}" in said for file in files)
    report = json.loads(files[1].read_text())
    assert (report["format"], report["period"], report["baseline"]) == (1, "October 2026", "September 2026")
    assert {row["name"] for row in report["settings"]} >= {"plan.file", "plant.file", "engine.current_efficiency"}
    assert files[0].read_text().startswith("<!doctype html>")
    assert files[2].read_text().startswith("scope,unit,window,start,figure")


@pytest.mark.parametrize(("option", "words"), [("--day", "2026-10-07"), ("--month", "2026-10"), ("--year", "2026")])
def test_each_kind_of_period_is_a_file_named_after_it(
    store: str, option: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    called(option, words, "-s", store)
    assert (tmp_path / f"report-{words}.html").is_file()


def test_another_baseline(store: str, tmp_path: Path) -> None:
    called("--day", "2026-10-07", "--baseline", "2026-09", "-s", store, "--to", str(tmp_path / "a.json"))
    report = json.loads((tmp_path / "a.json").read_text())
    assert report["baseline"] == "September 2026"
    assert report["lines"][0]["losses"]["change"] is not None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give one of --day, --month and --year"),
        (("--month", "2026-10", "--year", "2026"), "2 were given"),
        (("--month", "October"), "must look like 2026-10"),
        (("--month", "2026-10", "--baseline", "2026-10"), "is the reported period itself"),
        (("--month", "2026-10", "--to", "a.pdf"), "its name ends with .html, .json, .csv"),
        (("--month", "2026-10", "--to", "no/where/a.html"), "there is no folder"),
        (("--month", "2026-10", "--line", "Z"), "there is no such line; there are demo/A"),
        (("--month", "2026-10", "-s", "sink.url=memory"), "keeps nothing to report on"),
        (("--month", "2026-10", "--plan", "none.toml"), "plan.file = 'none.toml' cannot be read"),
        (("--month", "2025-03"), "no figures of 2025-03 of demo/A; there is data of 2026-09, 2026-10"),
        (("--year", "2020"), "there is data of 2026"),
        (("--day", "2026-11-02"), "there is data of 2026-09-01"),
    ],
)
def test_errors_say_what_is_wrong_and_what_is_right(store: str, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        called("-s", store, *words)
    assert said in str(caught.value)


def test_an_ambiguous_line_is_asked_back(tmp_path: Path) -> None:
    plant = tmp_path / "plant.toml"
    plant.write_text(
        TWO_LINES + TWO_LINES.split("[designs", 1)[0].replace('id = "north"', 'id = "south"').split("\n", 2)[2]
    )
    with pytest.raises(ConfigError, match="--line A is more than one line: north/A, south/A"):
        called("--month", "2026-10", "--line", "A", "-s", f"plant.file={plant}")


def test_a_part_of_the_lines_has_no_portfolio(tmp_path: Path) -> None:
    (tmp_path / "plant.toml").write_text(TWO_LINES)
    into_duckdb(rows_of(two_lines()), tmp_path / "twin.duckdb")
    words = ["--month", "2026-10", "-s", f"plant.file={tmp_path / 'plant.toml'}"]
    words += ["-s", f"sink.url=duckdb:{tmp_path / 'twin.duckdb'}"]
    called(*words, "--to", str(tmp_path / "all.json"))
    called(*words, "--line", "north/B", "--to", str(tmp_path / "one.json"))
    whole, part = (json.loads((tmp_path / name).read_text()) for name in ("all.json", "one.json"))
    assert whole["portfolio"]["lines"] == len(whole["lines"]) == 2
    assert part["portfolio"] is None
    assert [line["path"] for line in part["lines"]] == ["north/B"]


def test_a_store_of_another_plant_says_so(store: str, tmp_path: Path) -> None:
    (tmp_path / "plant.toml").write_text(ENGINE_PLANT)
    with pytest.raises(SmelterError, match="has no figures of a month of s/L; has the twin run on this store"):
        called("--month", "2026-10", "-s", store, "-s", f"plant.file={tmp_path / 'plant.toml'}")


def test_what_the_engine_wrote_is_reported(tmp_path: Path) -> None:
    """Two hours of a steady line, through the engine and the embedded store."""
    roster = roster_of(3)
    store = DuckStore(tmp_path / "twin.duckdb", roster)
    runner = Runner(
        engine_of(roster), write=store.write, health=lambda: IngestView(True, 0, 0, 0, 0, 0.0, None, "", "")
    )

    async def run() -> None:
        await store.open()
        for first in range(0, 7200, 600):
            await runner.feed(steady(range(first, first + 600)))
            await runner.step()
        await runner.finish()
        await store.close()

    asyncio.run(run())
    (tmp_path / "plant.toml").write_text(ENGINE_PLANT)
    where = ["-s", f"sink.url=duckdb:{tmp_path / 'twin.duckdb'}", "-s", f"plant.file={tmp_path / 'plant.toml'}"]
    called("--day", "2025-11-24", *where, "--to", str(tmp_path / "a.json"), "--to", str(tmp_path / "a.html"))
    (line,) = json.loads((tmp_path / "a.json").read_text())["lines"]
    figures = {metric["name"]: metric["now"]["value"] for metric in line["metrics"]}
    assert figures["dc_kwh_t"] == pytest.approx(2980.0 * 4.0 / 0.94, rel=1e-3)
    assert figures["ac_liquid_kwh_t"] == pytest.approx(figures["dc_kwh_t"] / 0.985, rel=2e-3)
    assert line["pots_with_figures"] == 3
    assert {rule["verdict"] for rule in line["rules"]} == {"insufficient"}  # two hours of a day
