"""A short chaos run on the real broker and database: nothing lost, nothing doubled, figures as if undisturbed."""

from __future__ import annotations

import pytest

from tests.chaos.run import Options, run
from tests.chaos.schedule import SERVER_KINDS, schedule

pytestmark = pytest.mark.live

# Seed 5 gives, in this time: kill -9 of the ingestor, a broker restart, a kill -9 while the database is stopped.
OPTIONS = Options(pots=60, seconds=50, seed=5, settings={"engine.checkpoint_s": 12.0, "engine.output_s": 10.0})


@pytest.mark.timeout(240)
def test_a_short_chaos_run_loses_nothing_and_doubles_nothing() -> None:
    planned = {one.kind for one in schedule(OPTIONS.seed, OPTIONS.seconds)} & set(SERVER_KINDS)
    assert planned == {"kill ingestor", "restart broker", "kill ingestor, database stopped"}
    told: list[str] = []
    outcome = run(OPTIONS, told.append)
    assert outcome.verdict.problems == [], "\n".join(told)
    assert outcome.verdict.sent_points == outcome.verdict.stored_points == 50 * (60 + 1 + 1)
    assert outcome.verdict.sent_poison > 4
    assert outcome.lives == 3
    assert outcome.publisher["connections"] == 2, "the broker went away once"
    assert outcome.gap_s < 30
    assert outcome.figures.ok, outcome.figures
    assert outcome.figures.booked > 1000
