"""The page about the simulator says what the code says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "simulator.md"


def test_tables_of_causes_scenarios_and_parameters_are_those_of_the_code() -> None:
    command = [sys.executable, str(ROOT / "docs" / "simulator_report.py"), "--check"]
    run = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr


def test_figures_are_there_and_say_of_what_run() -> None:
    text = PAGE.read_text("utf-8")
    for said in ("`normal-week`, seed 7, 300 pots, 168 h", "| current efficiency | % |", "| feed cycle | min |"):
        assert said in text


@pytest.mark.parametrize("name", ["distributions", "day", "anode-effect", "anode-change", "voltage-curve"])
def test_plots_are_there_and_light(name: str) -> None:
    picture = ROOT / "docs" / "images" / f"simulator-{name}.svg"
    assert f"images/{picture.name}" in PAGE.read_text("utf-8")
    assert 5_000 < picture.stat().st_size < 150_000
