"""A parked file in a folder, and the command that looks into it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from tests.core.plants import NOW_NS
from twin.adapters.deadletter import DeadLetters
from twin.cli import app
from twin.codec import Problem

__all__ = ["NOW_NS", "PROBLEMS", "deadletter", "park", "printed"]

TOPIC = "smelter/demo/A/A001/telemetry"
PROBLEMS = [
    Problem(TOPIC, b'{"time":1,"voltage_v":99,"noise_mv":-1}', "out_of_range", "99, at most 60", "voltage_v"),
    Problem(TOPIC, b'{"time":1,"voltage_v":99,"noise_mv":-1}', "out_of_range", "-1, at least 0", "noise_mv"),
    Problem("smelter/demo/A/A002/telemetry", b"\x00\xff\x1b[31m", "malformed", "no JSON"),
    Problem("smelter/nonsense", b"\xc3\xa4\n{}", "bad_topic", "3 levels"),
]


def park(folder: Path, problems: Sequence[Problem] = PROBLEMS, at_ns: int = NOW_NS) -> Path:
    """Park as the ingest does; returns the file."""
    path = folder / "parked.sqlite"
    letters = DeadLetters(path)
    asyncio.run(letters.park(problems, at_ns))
    letters.close()
    return path


def deadletter(folder: Path, *words: str, answer: str | None = None) -> Result:
    """Call `twin deadletter` on the data of `folder`."""
    environment = {"COLUMNS": "250", "TERM": "dumb", "NO_COLOR": "1"}
    return CliRunner(env=environment).invoke(app, ["deadletter", *words, "--set", f"data.dir={folder}"], input=answer)


def printed(folder: Path, *words: str) -> Any:
    """What the command prints as JSON."""
    result = deadletter(folder, *words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)
