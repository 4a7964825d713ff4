"""One healthy line that many tests look at: it is run once."""

from __future__ import annotations

import pytest

from tests.simulators.lines import Run, potline, run

POTS, HOURS = 320, 9.0  # 120 pot-days, over a change of shift


@pytest.fixture(scope="session")
def day() -> Run:
    return run(potline(POTS), HOURS)
