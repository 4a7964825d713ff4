"""Every `twin` command of the tutorials is one that this release has: command, options, settings, packaged files."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
import typer

from twin.cli import app
from twin.setting_rows import SETTINGS

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
PACKAGED = {
    "--scenario": ROOT / "simulators" / "scenarios",
    "--plan": ROOT / "twin" / "plans",
    "simulate.scenario": ROOT / "simulators" / "scenarios",
    "plan.file": ROOT / "twin" / "plans",
    "plant.file": ROOT / "twin" / "plants",
}
NAMES = {row.name for row in SETTINGS}


def lines_of(text: str) -> list[str]:
    """The `twin` command lines of the bash blocks, without comments."""
    blocks = re.findall(r"```bash\n(.*?)```", text, re.S)
    return [line for block in blocks for line in block.splitlines() if line.startswith("twin ")]


def written_in(text: str) -> set[str]:
    """The files that a page tells the reader to write: `# name.toml` leads the block, or "as `name.toml`"."""
    return set(re.findall(r"(?:^# |\bas `)(\S+\.toml)\b", text, re.M))


def wrong(line: str, own: set[str]) -> list[str]:
    """What of a command line does not exist."""
    command: click.Command = typer.main.get_command(app)  # type: ignore[assignment, unused-ignore]
    words = shlex.split(line, comments=True)[1:]
    while hasattr(command, "commands"):
        if not words or words[0] not in command.commands:
            return [f"no command {' '.join(words[:1])!r}"]
        command = command.commands[words.pop(0)]
    known = {name: one for one in command.params for name in one.opts if name.startswith("-")}
    bad: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if not word.startswith("-"):
            continue
        name, _, value = word.partition("=")
        if name not in known:
            bad.append(f"no option {name}")
            continue
        if getattr(known[name], "is_flag", False):
            continue
        if not value:
            value = words[at] if at < len(words) else ""
            at += 1
        if name in ("--set", "-s"):
            name, _, value = value.partition("=")
            if name not in NAMES:
                bad.append(f"no setting {name}")
        if name in PACKAGED and value not in own and not (PACKAGED[name] / f"{value}.toml").exists():
            bad.append(f"no file {value}")
    return bad


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    lines = lines_of(text)
    assert len(lines) >= 4
    assert {line: found for line in lines if (found := wrong(line, written_in(text)))} == {}


def test_there_is_a_tutorial_for_each_user() -> None:
    assert [page.stem for page in PAGES] == ["engineer", "maintenance", "operator"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("twin simulate --sceanrio one-of-each", ["no option --sceanrio"]),
        ("twin alarms list --urgent", ["no option --urgent"]),
        ("twin alarms hush demo/A/A001", ["no command 'hush'"]),
        ("twin fly", ["no command 'fly'"]),
        ("twin up --set page.prot=8081", ["no setting page.prot"]),
        ("twin up -s simulate.scenario=good-month", ["no file good-month"]),
        ("twin simulate --scenario good-month --pots 6", ["no file good-month"]),
        ("twin simulate --scenario one-of-each --pots 6  # a comment", []),
        ("twin up --port 8081 --set simulate.scenario=mine.toml", []),
    ],
)
def test_what_does_not_exist_is_found(line: str, found: list[str]) -> None:
    assert wrong(line, {"mine.toml"}) == found
