"""A restart from the engine's bytes at any moment changes nothing that is told afterwards."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.plants import engine_of, readings_of, roster_of
from tests.core.test_engine_splits import POTS, final, run, stream
from twin import checkpoint
from twin.engine import Engine, Settings
from twin.errors import PayloadError
from twin.frames import Readings, Report


def engine(*, estimate: bool, pots: int = POTS) -> Engine:
    return engine_of(roster_of(pots), Settings(horizon_h=25, estimate=estimate))


def told(report: Report) -> list[tuple[object, ...]]:
    return [
        (f.window, f.start_ns, f.units.tolist(), [(name, v.tobytes()) for name, v in (f.kpis | f.u).items()])
        for f in report.figures
    ]


@settings(max_examples=12)
@given(st.integers(0, 2**32), st.booleans())
def test_a_restart_at_any_moment_gives_what_no_restart_gives(seed: int, estimate: bool) -> None:
    rng = np.random.default_rng(seed)
    whole = stream(rng)
    cut = int(rng.integers(0, len(whole) + 1))
    first, second = whole.take(slice(0, cut)), whole.take(slice(cut, None))
    through = run(engine(estimate=estimate), [first, second])
    before, after = engine(estimate=estimate), engine(estimate=estimate)
    data = checkpoint.to_bytes(before, run(before, [first]).state)
    state, report = after.step(checkpoint.from_bytes(after, data), second)
    assert told(report) == told(through.report)
    through.state, again = through.state, through
    restarted = type(through)(state, report, again.events, again.figures)
    assert final(restarted) == final(through)
    assert checkpoint.to_bytes(after, state) == checkpoint.to_bytes(before, through.state)


def test_pots_that_were_discovered_are_there_again() -> None:
    before, after = engine(estimate=True), engine(estimate=True)
    unit = before.roster.add("s/L/X7")
    rows = [(second, unit, "voltage_v", 4.0) for second in range(200)]
    state, _ = before.step(before.start(), readings_of(rows))
    again = checkpoint.from_bytes(after, checkpoint.to_bytes(before, state))
    assert after.roster.paths == before.roster.paths
    assert again.value[unit].tobytes() == state.value[unit].tobytes()


@pytest.mark.parametrize("other", [engine(estimate=False, pots=4), engine_of(roster_of(POTS), Settings(horizon_h=30))])
def test_a_state_of_another_twin_is_refused(other: Engine) -> None:
    mine = engine(estimate=False)
    data = checkpoint.to_bytes(mine, mine.start())
    with pytest.raises(PayloadError, match="differ"):
        checkpoint.from_bytes(other, data)


def test_damage_is_refused() -> None:
    mine = engine(estimate=False)
    data = checkpoint.to_bytes(mine, mine.step(mine.start(), Readings.empty())[0])
    for damaged in (data[:-1], data[: len(data) // 2], b"", b"smelter-twin engine 0" + data[21:], data + b"x"):
        with pytest.raises(PayloadError):
            checkpoint.from_bytes(mine, damaged)
