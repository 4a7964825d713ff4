"""What pages tell their reader to type, and what of it does not exist."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from twin.cli import app
from twin.setting_rows import SETTINGS

__all__ = ["PAGES", "ROOT", "block", "blocks", "commands", "name_of", "programs", "twin_lines", "written_in", "wrong"]

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PACKAGED = {
    "--scenario": ROOT / "simulators" / "scenarios",
    "--plan": ROOT / "twin" / "plans",
    "simulate.scenario": ROOT / "simulators" / "scenarios",
    "plan.file": ROOT / "twin" / "plans",
    "plant.file": ROOT / "twin" / "plants",
}
NAMES = {row.name for row in SETTINGS}
VERBS = set(re.findall(r"^    ([a-z-]+)\)", (ROOT / "dev").read_text("utf-8"), re.M))


def name_of(page: Path) -> str:
    """A page's place in the tree."""
    return page.relative_to(ROOT).as_posix()


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language, in lists too."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", text, re.S | re.M)


def block(text: str, language: str, name: str) -> str:
    """The block that begins with the comment `# name`, where a page says what to write into that file."""
    (found,) = [part for part in blocks(text, language) if re.match(rf"# {re.escape(name)}\b", part)]
    return found


def commands(text: str) -> list[str]:
    """Every command of a page, in order, one a line: its bash blocks, and what stands after `$ ` in console blocks."""
    lines = [line for part in blocks(text, "bash") for line in part.replace("\\\n", "").splitlines()]
    lines += [line[2:] for part in blocks(text, "console") for line in part.splitlines() if line.startswith("$ ")]
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def written_in(text: str) -> set[str]:
    """Files that a page has its reader write: `# name.toml` leads the block, "as `name.toml`", or `> name.toml`."""
    return set(re.findall(r"(?:^# |\bas `| > )(\S+\.toml)\b", text, re.M))


def twin_lines(text: str) -> list[str]:
    """The commands of `twin`, wherever the page has it installed."""
    found = [line.removeprefix(".venv/bin/") for line in commands(text)]
    return [line for line in found if line.startswith("twin ")]


def programs(text: str) -> Iterator[str]:
    """The first word of every command, behind `;`, `&&` and `|` too; what does not exist in our own is said."""
    for line in commands(text):
        for part in split(line):
            words = [word.removeprefix(".venv/bin/") for word in part]
            if words[:1] == ["./dev"]:
                yield "./dev" if len(words) == 1 or words[1] in VERBS else f"no verb {words[1]!r} of ./dev"
            elif words[:2] == ["python", "-m"]:
                yield "python -m" if importlib.util.find_spec(words[2]) else f"no module {words[2]!r}"
            elif words[0] == "python" and words[1].endswith(".py"):
                yield "python FILE" if (ROOT / words[1]).is_file() else f"no file {words[1]!r}"
            else:
                yield words[0]


def split(line: str) -> list[list[str]]:
    """The words of each command of a line. ValueError: the shell would not read it."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="();|&")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    parts: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set(";|&"):
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]


def wrong(line: str, own: set[str]) -> list[str]:
    """What of a command line of `twin` does not exist; `own`: files that the reader has made."""
    command: Any = typer.main.get_command(app)
    words = shlex.split(line, comments=True)[1:]
    while hasattr(command, "commands"):
        if not words or words[0] not in command.commands:
            return [f"no command {' '.join(words[:1])!r}"]
        command = command.commands[words.pop(0)]
    known = {name: one for one in command.params for name in one.opts if name.startswith("-")}
    bad: list[str] = []
    given: set[str] = set()
    places = 0
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if not word.startswith("-") or word == "-":
            places += 1
            continue
        name, _, value = word.partition("=")
        if name not in known:
            bad.append(f"no option {name}")
            continue
        given |= set(known[name].opts)
        if getattr(known[name], "is_flag", False):
            continue
        if not value:
            value = words[at] if at < len(words) else ""
            at += 1
        bad += missing(name, value, own)
    return bad or counted(command, places, given)


def counted(command: Any, places: int, given: set[str]) -> list[str]:
    """Whether the arguments are as many as the command takes, and the options that it wants are there."""
    arguments = [one for one in command.params if not one.opts[0].startswith("-")]
    needed = sum(one.required for one in arguments)
    most = len(arguments) if all(one.nargs == 1 for one in arguments) else 10**6
    bad = [] if needed <= places <= most else [f"{places} arguments, it takes {needed} to {most}"]
    wanted = [one.opts[0] for one in command.params if one.opts[0].startswith("-") and one.required]
    return bad + [f"no {name} given" for name in wanted if name not in given]


def missing(name: str, value: str, own: set[str]) -> list[str]:
    """What an option's value names and is not there."""
    bad = []
    if name in ("--set", "-s"):
        name, _, value = value.partition("=")
        if name not in NAMES:
            bad.append(f"no setting {name}")
    if name in PACKAGED and value not in own and not (PACKAGED[name] / f"{value}.toml").exists():
        bad.append(f"no file {value}")
    return bad
