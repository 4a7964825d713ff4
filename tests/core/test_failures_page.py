"""The table of failures: no number is missing, and every test that it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "failures.md").read_text("utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| F")]
NUMBERS = [f"F{number}" for number in range(1, 34) if number != 31]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def names_in(file: Path) -> set[str]:
    """Names of the tests of a file."""
    tree = ast.parse(file.read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, kinds) and node.name.startswith("test_")}


def missing(page: str) -> list[str]:
    """Tests that a page names and that are not there."""
    return [
        f"{file}::{name}"
        for file, name in TEST.findall(page)
        if not (ROOT / file).exists() or name not in names_in(ROOT / file)
    ]


def test_no_failure_is_left_out_and_none_stands_twice() -> None:
    assert [row[0] for row in ROWS] == NUMBERS


def test_every_row_says_what_happens_and_who_shows_it() -> None:
    assert {len(row) for row in ROWS} == {5}
    assert [row[0] for row in ROWS if not all(row)] == []
    assert [row[0] for row in ROWS if not TEST.search(row[4]) or "to come" in row[4]] == []


def test_every_test_that_is_named_is_there() -> None:
    assert len(TEST.findall(PAGE)) > 30
    assert PAGE.count("tests/") >= len(TEST.findall(PAGE))
    assert missing(PAGE) == []


def test_whatever_looks_like_a_test_is_checked() -> None:
    """A name that the pattern does not know would never be looked for."""
    table = "".join(row[4] for row in ROWS)
    assert table.count("::") == len(TEST.findall(table))


def test_a_test_that_is_not_there_is_found() -> None:
    mine = "tests/core/test_failures_page.py"
    assert missing(f"`{mine}::test_nobody`") == [f"{mine}::test_nobody"]
    assert missing("`tests/core/test_nowhere.py::test_x`") == ["tests/core/test_nowhere.py::test_x"]
    assert missing(f"`{mine}::test_a_test_that_is_not_there_is_found`") == []
