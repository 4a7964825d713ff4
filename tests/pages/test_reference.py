"""Every row of every table of the code has its entry in its reference page; an entry that goes missing is noticed."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from models.detectors import DETECTORS
from tests.pages.commands import ROOT
from twin.alarms.commands import ACTIONS
from twin.alarms.conditions import DESIGNED
from twin.alarms.rows import ALARMS
from twin.causes import CAUSES
from twin.endpoints import ENDPOINTS
from twin.faults import EXPLAINS, FAULTS, JUDGED
from twin.features import FEATURES, LINE_FEATURES
from twin.kpis import KPIS
from twin.metrics import EXPORTED
from twin.salvage import REASONS
from twin.settings import SETTINGS
from twin.signals import SIGNALS
from twin.states import STATES

REFERENCE = ROOT / "docs" / "reference"
COMMANDS = runpy.run_path(str(ROOT / "docs" / "commands.py"))
# page -> how each entry begins
ENTRIES: dict[str, list[str]] = {
    "alarms.md": [f"| `{name}` |" for name in (*(a.code for a in ALARMS), *(c.name for c in DESIGNED), *ACTIONS)],
    "api.md": [f"## `{one.path}`" for one in ENDPOINTS],
    "causes.md": [f"| {n} | `{cause.name}` |" for n, cause in enumerate(CAUSES, 1)],
    "cli.md": [f"## `{path}`" for path, _ in COMMANDS["every"]()],
    "detectors.md": [f"| `{one.name}` |" for one in DETECTORS],
    "faults.md": [f"| `{name}` |" for name in (*(fault.code for fault in FAULTS), *EXPLAINS, *JUDGED)],
    "features.md": [f"| `{row.name}` |" for row in (*FEATURES, *LINE_FEATURES)],
    "kpis.md": [f"| `{name}` |" for name in (*(kpi.name for kpi in KPIS), *(state.name for state in STATES))],
    "metrics.md": [f"| `{row.name}` |" for row in EXPORTED],
    "parked.md": [f"| `{reason}` |" for reason in REASONS],
    "settings.md": [f"| `{row.name}` |" for row in SETTINGS],
    "signals.md": [f"| `{row.topic_field}` | `{row.db_field}` |" for row in SIGNALS],
}
# made of files instead of tables: the plans, and the boards (each panel and rule: tests/dashboards)
OF_FILES = {"plans.md", "grafana.md"}


def without(text: str, entry: str) -> str:
    """The page less the line or section that an entry begins."""
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(entry))


def absent(page: str, text: str) -> list[str]:
    """The entries that a page does not have."""
    lines = text.splitlines()
    return [entry for entry in ENTRIES[page] if not any(line.startswith(entry) for line in lines)]


@pytest.mark.parametrize("page", ENTRIES)
def test_every_row_has_its_entry(page: str) -> None:
    assert len(ENTRIES[page]) > 5
    assert absent(page, (REFERENCE / page).read_text("utf-8")) == []


def test_no_page_is_left_out() -> None:
    assert {path.name for path in REFERENCE.glob("*.md")} == set(ENTRIES) | OF_FILES


@pytest.fixture
def copied(tmp_path: Path) -> tuple[Path, Any]:
    """The generator at work on a copy of the pages, which it finds up to date."""
    main = runpy.run_path(str(ROOT / "docs" / "generate.py"))["main"]
    for path in REFERENCE.glob("*.md"):
        (tmp_path / path.name).write_text(path.read_text("utf-8"), "utf-8")
    main.__globals__["FOLDER"] = tmp_path
    assert main(["--check"]) == 0
    return tmp_path, main


@pytest.mark.parametrize("page", ENTRIES)
def test_an_entry_that_is_missing_is_noticed(page: str, copied: tuple[Path, Any]) -> None:
    folder, main = copied
    text = (folder / page).read_text("utf-8")
    entry = ENTRIES[page][len(ENTRIES[page]) // 2]
    (folder / page).write_text(without(text, entry), "utf-8")
    assert entry in absent(page, (folder / page).read_text("utf-8"))
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert (folder / page).read_text("utf-8") == text, "written again"


@pytest.mark.parametrize("page", sorted(OF_FILES))
def test_a_line_that_is_missing_is_noticed(page: str, copied: tuple[Path, Any]) -> None:
    folder, main = copied
    lines = (folder / page).read_text("utf-8").splitlines(keepends=True)
    (folder / page).write_text("".join(lines[:-1]), "utf-8")
    assert main(["--check"]) == 1


def test_every_argument_and_option_says_what_it_is() -> None:
    text = (REFERENCE / "cli.md").read_text("utf-8")
    for path, command in COMMANDS["every"]():
        section = text.split(f"## `{path}`\n")[1].split("\n## ")[0]
        assert command.help
        assert [one.name for one in command.params if not one.help] == [], path
        options = [one.opts[0] for one in command.params if one.opts[0].startswith("--")]
        assert set(options) - {"--config", "--set"} == set(re.findall(r"^\| `(--[a-z-]+)`", section, re.M)), path
        assert (" Settings." in section) == ("--set" in options)
