"""The examples of docs/sensor-formats.md are what happens."""

from __future__ import annotations

import contextlib
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.sparkplug.wire import message
from twin.cli import app
from twin.mapping.file import QualityAt, Row, SignalAt, TimeAt

PAGE = (Path(__file__).parents[2] / "docs" / "sensor-formats.md").read_text("utf-8")
SECTIONS = [part for part in PAGE.split("\n## ") if "```toml" in part]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.splitlines()[0])
def test_an_example_is_what_happens(section: str, tmp_path: Path) -> None:
    (toml,) = re.findall(r"```toml\n(.*?)```", section, re.S)
    (tmp_path / "map.toml").write_text(toml, "utf-8")
    metrics: dict[str | int, float | None] = {"Process/Voltage": 4012.0, "Process/Pressure": 1.0}
    (tmp_path / "ddata.bin").write_bytes(message("DDATA", 1, metrics).payload)
    examples = [
        part.split("\n", 1)
        for text in re.findall(r"```console\n(.*?)```", section, re.S)
        for part in text.split("$ ")[1:]
    ]
    assert examples
    for command, wanted in examples:
        words = shlex.split(command)
        assert words[:3] == ["twin", "map", "check"]
        with contextlib.chdir(tmp_path):
            result = CliRunner(env={"COLUMNS": "400"}).invoke(app, words[1:])
        assert result.exception is None, result.exception
        assert re.fullmatch(re.escape(wanted).replace(r"\.\.\.", ".*"), result.output), result.output


def test_every_key_has_its_line() -> None:
    for kind in (Row, SignalAt, TimeAt, QualityAt):
        for field in kind.__struct_fields__:
            assert re.search(rf"`{field}`|[{{,] {field}\b", PAGE), field
