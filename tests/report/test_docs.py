"""The page of the documentation is about the report as it is: its commands run, its structs and columns are there."""

from __future__ import annotations

import contextlib
import re
import shlex
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.report.making import rows_of
from tests.report.story import Story, into_duckdb
from twin.cli import app
from twin.report import alarm_data, data
from twin.report.table import COLUMNS

PAGE = (Path(__file__).parents[2] / "docs" / "report.md").read_text("utf-8")
COMMANDS = [line for text in re.findall(r"```bash\n(.*?)```", PAGE, re.S) for line in text.splitlines()]


def test_every_struct_and_column_is_named() -> None:
    structs = set(re.findall(r"`([A-Z]\w+)`", PAGE))
    assert structs >= {*data.__all__, *alarm_data.__all__}
    assert {f"`{column}`" for column in COLUMNS} <= set(re.findall(r"`\w+`", PAGE))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("docs")
    (made / "twin-data").mkdir()
    into_duckdb(rows_of(story=Story(hours=(date(2026, 10, 7),))), made / "twin-data" / "twin.duckdb")
    return made


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_runs(command: str, folder: Path) -> None:
    words = shlex.split(command)
    assert words[0] == "twin"
    before = set(folder.iterdir())
    with contextlib.chdir(folder):
        result = CliRunner().invoke(app, words[1:])
    assert result.exception is None, result.output
    wanted = {Path(word).name for word in words if Path(word).suffix in (".html", ".json", ".csv")}
    written = {
        Path(line.removeprefix("wrote ")).name for line in result.output.splitlines() if line.startswith("wrote ")
    }
    assert written == wanted or (not wanted and len(written) == 1)
    assert before <= set(folder.iterdir())
