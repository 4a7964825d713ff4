"""The Python API: the page of the docs runs as it stands, and names that are not there are said."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from twin import Session, recorded, simulated
from twin.errors import ConfigError

ROOT = Path(__file__).parents[2]


@pytest.mark.long
def test_the_page_runs_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "docs" / "python-api.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "docs/python-api.md", "exec"), names)
    session = names["session"]
    assert isinstance(session, Session)
    said = capsys.readouterr().out
    assert "kWh/t, 95 % interval" in said
    assert "Theoretical minimum" in said
    assert session.figures("demo", "hour").keys() >= {"ac_liquid_kwh_t"}, "of the site too"
    restored = names["again"]
    assert isinstance(restored, Session)
    assert restored.state.closed_ns == session.state.closed_ns


def test_names_that_are_not_there_are_said() -> None:
    session = Session.open(pots=2, engine__estimate=False)
    with pytest.raises(ConfigError, match="there is no unit"):
        session.figures("demo/B")
    with pytest.raises(ConfigError, match="has taken no readings"):
        session.line("demo/A")
    with pytest.raises(ConfigError, match="no recording"):
        next(recorded(session, "nothing.xyz"))
    with pytest.raises(ConfigError, match="plant"):
        Session.open(plant="no-such-file.toml")
    assert session.figures("demo/A") == {}
    assert session.states("demo/A/A001") == {}
    assert session.grades() == []


def test_a_window_is_found_by_a_moment_in_it() -> None:
    session = Session.open(pots=2, sample_s=30, engine__estimate=False)
    for readings in simulated(session, hours=1.5):
        session.take(readings)
    first = session.figures("demo/A", "hour", at="2026-01-01T00:30:00+08:00")
    second = session.figures("demo/A", "hour")
    assert first["coverage_pct"].value > 95
    assert first["metal_t"].value > second["metal_t"].value


def test_the_package_itself_loads_nothing_until_asked() -> None:
    code = "import sys, twin; assert 'twin.api' not in sys.modules and 'numpy' not in sys.modules; twin.nothing"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "has no attribute 'nothing'" in done.stderr
