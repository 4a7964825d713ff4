"""The table of figures: what it measures, how it is judged and written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simulators.figure_rows import ROWS, Figure, Row, figure, table
from simulators.figures import Survey, main
from tests.simulators.lines import potline

PLANT = Path(__file__).parents[2] / "twin" / "plants" / "demo.toml"
VOLTS = Row("a", "V", lambda survey: 0.0, 3.9, 4.1, "U", "because")


def test_survey_measures_what_it_says() -> None:
    survey = Survey(potline(6))
    survey.run(2.0, 5.0)
    figures = {(one.row.name, one.row.unit): one.mean for one in survey.figures()}
    assert len(figures) == len(ROWS)
    volts, efficiency = figures["pot voltage", "V"], figures["current efficiency", "%"]
    assert figures["DC energy of a pot", "kWh/t"] == pytest.approx(2980.0 * volts / efficiency * 100.0, rel=3e-3)
    assert figures["AC energy of the line", "kWh/t"] > figures["DC energy of a pot", "kWh/t"] / 0.985
    assert figures["net anode carbon", "kg/t"] == pytest.approx(412.0, rel=0.02)
    assert 35.0 < figures["feed cycle", "min"] < 70.0
    assert 0.3 < figures["alumina swing of a feed cycle", "wt%"] < 0.6
    assert 3.0 < figures["voltage noise, sigma of 5 s means", "mV"] < 8.0


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([3.95, 4.05], "inside"),
        ([3.8, 4.2], "mean inside: because"),
        ([4.2, 4.3], "**outside**: because"),
        ([np.nan], "none in this run"),
    ],
)
def test_verdict(values: list[float], verdict: str) -> None:
    assert figure(VOLTS, np.array(values)).verdict == verdict


def test_table_is_markdown() -> None:
    line = Row("b", "kWh/t", VOLTS.of, None, 13000.0, "plan")
    text = table([Figure(VOLTS, 3.987, 3.91, 4.05, "inside"), Figure(line, 12_950.4, 12_950.4, 12_950.4, "inside")])
    assert text.splitlines()[2:] == [
        "| a | V | 3.99 | 3.91-4.05 | 3.9-4.1 | U | inside |",
        "| b | kWh/t | 12950 |  | <= 13000 | plan | inside |",
    ]


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    main([str(PLANT), "--pots", "3", "--hours", "0.2", "--scenario", "normal-week"])
    assert "| bath temperature | C |" in capsys.readouterr().out
