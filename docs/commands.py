"""The commands of `twin`, as typer knows them, for docs/reference/cli.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import typer

from twin.cli import app

__all__ = ["every", "page"]

SHARED = ("--config", "--set")
Table = Callable[[Iterable[str], Iterable[Iterable[object]]], str]


def every(command: Any = None, path: str = "twin") -> Iterator[tuple[str, Any]]:
    """Every command with its words, in the order of the help; groups are walked, not given."""
    command = command or typer.main.get_command(app)
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, below in command.commands.items():
        yield from every(below, f"{path} {name}")


def usage(path: str, command: Any) -> str:
    """`twin report [OPTIONS]`: the words, what stands after them, and that there are options."""
    words = [path]
    for one in command.params:
        if not one.opts[0].startswith("-"):
            name = one.name.upper() + ("..." if one.nargs < 0 else "")
            words.append(name if one.required else f"[{name}]")
        elif one.required:
            words.append(f"{one.opts[0]} ...")
    return " ".join(words) + (" [OPTIONS]" if any(one.opts[0].startswith("-") for one in command.params) else "")


def default(one: Any) -> str:
    """What an option is when it is not given."""
    if one.required:
        return "required"
    if getattr(one, "is_flag", False) or one.default in (None, "", []):
        return ""
    return f"`{one.default}`"


def page(table: Table) -> str:
    """The whole page; `table` makes a Markdown table of a head and rows."""
    text = (
        "# Commands\n\n`twin --help`, `twin COMMAND --help` print the same. In a clone it is `.venv/bin/twin`.\n\n"
        "Commands with **settings** take `--config FILE` (`-c`, or `SMELTER_CONFIG`) and `--set NAME=VALUE` (`-s`, may "
        "be repeated) for any [setting](settings.md).\n\nExit codes: 0 done; 1 it cannot be done now, or "
        "a check found something; 2 wrong usage, or a wrong setting. Of `deadletter`: "
        "[operations](../operations.md#parked-messages).\n"
    )
    for path, command in every():
        names = {one.opts[0] for one in command.params}
        more = " Settings." if names >= set(SHARED) else ""
        text += f"\n## `{path}`\n\n{' '.join(command.help.split())}{more}\n\n```text\n{usage(path, command)}\n```\n"
        rows = [
            (", ".join(f"`{name}`" for name in one.opts) if one.opts[0].startswith("-") else f"`{one.name.upper()}`",
             default(one), one.help)
            for one in command.params if one.opts[0] not in SHARED
        ]  # fmt: skip
        if rows:
            text += "\n" + table(("argument or option", "default", "meaning"), rows)
    return text
