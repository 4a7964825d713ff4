"""A recorded hour gives the same report, byte for byte, in one step and in any number of steps.

When this fails after a change that was meant to change figures, see `tests/golden/make.py`.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.golden.make import RECORDING, REPORT, load, record, report
from twin.frames import Readings
from twin.windows import WINDOWS


@pytest.fixture(scope="module")
def hour() -> Readings:
    return load()


def split(hour: Readings, cuts: list[int]) -> list[Readings]:
    return [hour.take(part) for part in np.split(np.arange(len(hour)), cuts)]


def test_in_one_step(hour: Readings) -> None:
    assert report([hour]) == REPORT.read_text("utf-8")


@pytest.mark.parametrize("size", [10_007, 50_000])
def test_in_chunks(hour: Readings, size: int) -> None:
    assert report(split(hour, list(range(size, len(hour), size)))) == REPORT.read_text("utf-8")


def test_in_chunks_of_any_length(hour: Readings) -> None:
    rng = np.random.default_rng(2027)
    cuts = sorted(rng.integers(0, len(hour), 60).tolist())
    assert report(split(hour, cuts)) == REPORT.read_text("utf-8")


def test_the_hour_has_in_it_what_an_hour_can_have(hour: Readings) -> None:
    lines = [json.loads(line) for line in REPORT.read_text("utf-8").splitlines()]
    assert {line["window"] for line in lines if "window" in line} == set(WINDOWS)
    assert {(line["event"], "began" in line) for line in lines if "event" in line} >= {
        ("anode_effect", True),
        ("anode_effect", False),
        ("no_data", True),
        ("no_data", False),
    }
    assert any(line.get("rule") == "new_capacity" for line in lines)
    assert {line["open"] for line in lines if "open" in line} == {True, False}
    assert np.isnan(hour.value).any(), "missing readings"
    assert (np.diff(hour.time_ns) < 0).any(), "late readings"
    assert RECORDING.stat().st_size < 1_500_000


def test_the_simulator_that_made_it_still_runs() -> None:
    assert len(record()) > 80_000
