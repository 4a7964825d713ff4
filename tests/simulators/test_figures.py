"""The table of figures: what it measures, how it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulators.figures import Figure, Survey, main, table
from tests.simulators.lines import potline

PLANT = Path(__file__).parents[2] / "twin" / "plants" / "demo.toml"


def test_survey_measures_energy_per_tonne() -> None:
    survey = Survey(potline(6))
    survey.run(0.5, 5.0)
    figures = {figure.name: figure for figure in survey.figures()}
    volts, efficiency = figures["pot voltage [V]"].mean, figures["current efficiency [%]"].mean
    assert figures["DC of a pot [kWh/t]"].mean == pytest.approx(2980.0 * volts / efficiency * 100.0, rel=2e-3)
    assert figures["AC of the line [kWh/t]"].mean > figures["DC of a pot [kWh/t]"].mean / 0.985


def test_table_is_markdown() -> None:
    text = table([Figure("a [V]", 3.987, 3.91, 4.05, "3.9-4.1"), Figure("b", 12_950.4, 12_950.4, 12_950.4, "")])
    assert text.splitlines()[2:] == ["| a [V] | 3.99 | 3.91-4.05 | 3.9-4.1 |", "| b | 12950 |  |  |"]


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    main([str(PLANT), "--pots", "3", "--hours", "0.1"])
    assert "| bath temperature [C] |" in capsys.readouterr().out
