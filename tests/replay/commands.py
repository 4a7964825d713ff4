"""The commands of a page of the documentation, and `twin` called in this process."""

from __future__ import annotations

import contextlib
import re
import shlex
from pathlib import Path

from typer.testing import CliRunner, Result

from twin.cli import app

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "replay.md").read_text("utf-8")


def block(language: str, number: int = 0) -> str:
    """One fenced block of the page."""
    found: str = re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)[number]
    return found


def commands() -> list[list[str]]:
    """Every command of the page, as words without the leading `twin`."""
    lines = [line for text in re.findall(r"```bash\n(.*?)```", PAGE, re.S) for line in text.splitlines() if line]
    words = [shlex.split(line) for line in lines]
    assert {one[0] for one in words} == {"twin"}
    return [one[1:] for one in words]


def documented(*start: str) -> list[str]:
    """The command of the page that has these words, in this order."""
    (found,) = [words for words in commands() if [word for word in words if word in start] == list(start)]
    return found


def twin(words: list[str], folder: Path, **replaced: str) -> Result:
    """Run a command in a folder; in its words, each key of `replaced` gives way to its value."""
    for old, new in replaced.items():
        words = [new if word == old.replace("_", "-") else word for word in words]
    with contextlib.chdir(folder):
        return CliRunner().invoke(app, words)
