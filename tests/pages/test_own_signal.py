"""The page on a signal of one's own is done in a copy of the tree: the row, what follows from it, and what it shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages.commands import ROOT, blocks
from tests.pages.steps import same, steps

pytestmark = pytest.mark.long

PAGE = (ROOT / "docs" / "how-to" / "own-signal.md").read_text("utf-8")
(ROW,) = blocks(PAGE, "text")
CODE = ("twin", "simulators", "models", "dashboards", "docs", "tests", "dev", "CHANGELOG.md", "README.md")


def run(tree: Path, *words: str) -> str:
    """A command in the copy, with the copy's code."""
    done = subprocess.run(
        words, cwd=tree, env={**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "400"}, capture_output=True, text=True,
        timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which the row stands where the page says: at the end of its topic kind."""
    copy = tmp_path_factory.mktemp("tree")
    for name in CODE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "images"))
        else:
            shutil.copy(ROOT / name, copy / name)
    table = copy / "twin" / "signals.py"
    text = table.read_text("utf-8")
    telemetry, rest = text.split('    ),\n    *_rows(\n        "line",', 1)
    table.write_text(f'{telemetry}{ROW}    ),\n    *_rows(\n        "line",{rest}', "utf-8")
    return copy


@pytest.fixture(scope="module")
def written(tree: Path) -> set[str]:
    """The files that `./dev docs` has written again: its two commands, as `dev` has them."""
    dev = (ROOT / "dev").read_text("utf-8").split("    docs)")[1].split(";;")[0]
    commands = re.findall(r'"\$VENV/bin/python" (.*?) "\$@"', dev)
    assert commands == ["-m dashboards", "docs/generate.py"]
    before = {path: path.read_bytes() for path in generated(tree)}
    for command in commands:
        run(tree, sys.executable, *command.split())
    return {path.relative_to(tree).as_posix() for path in generated(tree) if before.get(path) != path.read_bytes()}


def generated(tree: Path) -> list[Path]:
    folders = (tree / "docs" / "reference", tree / "dashboards" / "generated")
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def test_the_page_names_every_file_that_is_written_again(written: set[str]) -> None:
    assert written == set(re.findall(r"^\| `([^`]*)` \|", PAGE, re.M))


@pytest.mark.usefixtures("written")
def test_what_the_page_shows_is_what_happens(tree: Path) -> None:
    (example,) = [step for step in steps(PAGE) if step.shown]
    twin = f"{sys.executable} -m twin"
    said = run(tree, "bash", "-c", example.text.replace("twin", twin, 1))
    assert same(example.shown, said), said
    assert "duct_hf_ppm" in run(tree, sys.executable, "-m", "twin", "signals")


@pytest.mark.usefixtures("written")
def test_tables_pages_simulator_and_golden_hour_are_well_with_it(tree: Path) -> None:
    """The part of `./dev core` that could mind a new row."""
    run(
        tree, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tree), "-c", "/dev/null",
        "tests/core/test_signals.py", "tests/core/test_catalogue.py", "tests/core/test_docs.py",
        "tests/core/test_frames.py", "tests/core/test_api.py", "tests/dashboards/test_generated.py", "tests/golden",
        "tests/simulators/test_sensors.py", "tests/pages/test_reference.py",
    )  # fmt: skip


def test_what_the_page_points_to_is_there() -> None:
    for name in ("twin/units.py", "twin/faults.py", "simulators/instruments.py", "simulators/sensors.py"):
        assert f"`{name}`" in PAGE
        assert (ROOT / name).is_file()
    assert "ENDINGS" in (ROOT / "tests" / "core" / "test_signals.py").read_text("utf-8")
