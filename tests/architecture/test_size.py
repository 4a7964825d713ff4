"""Caps on size, names that say nothing, and docstrings."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.source import ROOT, body_lines, functions, modules

FOLDERS = ("twin", "simulators", "models", "dashboards", "tests")
FILE_LINES = 300
BODY_LINES = 40
EMPTY_NAMES = frozenset({"utils", "util", "helpers", "helper", "manager", "common", "misc"})


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_file_is_longer_than_the_cap(folder: str) -> None:
    lengths = {str(p.relative_to(ROOT)): len(p.read_text("utf-8").splitlines()) for p in (ROOT / folder).rglob("*.py")}
    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES} == {}


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_function_is_longer_than_the_cap(folder: str) -> None:
    long = {
        f"{name}.{function.name}": lines
        for name, tree in modules(folder).items()
        for function in functions(tree)
        if (lines := body_lines(function)) > BODY_LINES
    }
    assert long == {}


def test_the_length_of_a_body_does_not_count_its_docstring() -> None:
    text = 'async def f():\n    """One.\n\n    Two.\n    """\n    a = 1\n\n    return (\n        a\n    )\n'
    assert [body_lines(f) for f in functions(ast.parse(text))] == [5]


@pytest.mark.parametrize("folder", FOLDERS)
def test_names_say_something(folder: str) -> None:
    assert [name for name in modules(folder) if EMPTY_NAMES & set(name.lower().replace("_", ".").split("."))] == []


@pytest.mark.parametrize("folder", ["twin", "models"])
def test_every_public_function_and_class_says_what_it_is(folder: str) -> None:
    silent = [
        f"{name}.{node.name}"
        for name, tree in modules(folder).items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_every_module_says_what_it_is() -> None:
    files = {
        name: tree
        for folder in ("twin", "simulators", "models", "dashboards")
        for name, tree in modules(folder).items()
    }
    assert [name for name, tree in files.items() if tree.body and not ast.get_docstring(tree)] == []
