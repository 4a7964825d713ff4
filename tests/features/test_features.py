"""Features: the same however the stream is cut and after a restart; what they say of trouble."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from msgspec.structs import replace

from simulators.publish import SimulatedLine
from simulators.schedule import Cause
from twin.engine import Engine, Settings
from twin.features import FEATURES, LINE_FEATURES, Minute
from twin.features.state import from_bytes, to_bytes
from twin.frames import Readings
from twin.plan import Plan
from twin.plant import Roster
from twin.units import NS_PER_S

pytestmark = pytest.mark.long

PLACE = {row.name: n for n, row in enumerate(FEATURES)}
LINE_PLACE = {row.name: n for n, row in enumerate(LINE_FEATURES)}


@pytest.fixture(scope="module")
def made(plant_and_plan: tuple[Roster, Plan]) -> tuple[Roster, Plan, Readings]:
    """Two hours of eight pots in which a thermometer hangs and an anode slips."""
    roster, plan = plant_and_plan
    site, line = next(roster.plant.lines())
    line = replace(line, pots=8, capacity_t_per_year=None, sample_period_s=10)
    own = Roster(replace(roster.plant, sites=[replace(site, lines=[line])]))
    start = int(datetime(2026, 3, 1, tzinfo=site.zone()).timestamp()) * NS_PER_S
    causes = [Cause("stuck_sensor", 2, 3600.0, 3600.0), Cause("anode_slip", 5, 3600.0, 3600.0)]
    simulated = SimulatedLine(own, site, line, 7, start, causes)
    parts = []
    for _ in range(660):
        simulated.potline.step(5.0)
        simulated.potline.step(5.0)
        parts += simulated.advance(0)
    return own, plan, Readings.concat(parts)


@pytest.fixture(scope="module")
def plant_and_plan() -> tuple[Roster, Plan]:
    from twin.cli_options import settings_of
    from twin.parts import engine_of, roster_of

    settings = settings_of(None, None)
    roster = roster_of(settings)
    return roster, engine_of(settings, roster).plan


def engine(made: tuple[Roster, Plan, Readings]) -> Engine:
    return Engine(made[0], made[1], Settings(grace=2, estimate=True, features=True))


def minutes(made: tuple[Roster, Plan, Readings], cuts: list[int]) -> list[Minute]:
    twin = engine(made)
    state, found = twin.start(), []
    for begin, end in zip([0, *cuts], [*cuts, len(made[2])], strict=True):
        state, report = twin.step(state, made[2].take(slice(begin, end)))
        found += [one for one in report.minutes if isinstance(one, Minute)]
    return found


def test_cutting_the_stream_anywhere_gives_the_same_features(made: tuple[Roster, Plan, Readings]) -> None:
    whole = minutes(made, [])
    assert len(whole) == 109
    count = len(made[2])
    for seed in range(3):
        cuts = sorted(np.random.default_rng(seed).choice(count, 40, replace=False).tolist())
        cut = minutes(made, cuts)
        assert len(cut) == len(whole)
        assert all(one.same(other) for one, other in zip(cut, whole, strict=True))


def test_a_restart_in_between_changes_nothing(made: tuple[Roster, Plan, Readings]) -> None:
    whole, twin = minutes(made, []), engine(made)
    state, report = twin.step(twin.start(), made[2].take(slice(0, 60_000)))
    found = list(report.minutes)
    assert state.remembered is not None
    assert twin.features is not None
    kept = to_bytes(state.remembered)
    state.remembered = twin.features.start()
    from_bytes(state.remembered, kept)
    state, report = twin.step(state, made[2].take(slice(60_000, None)))
    found += list(report.minutes)
    assert all(isinstance(one, Minute) and one.same(other) for one, other in zip(found, whole, strict=True))


def test_trouble_shows_in_its_columns_and_at_its_pot(made: tuple[Roster, Plan, Readings]) -> None:
    last = minutes(made, [])[-1]
    stuck = last.values[:, PLACE["stuck"]]
    assert stuck[2] > 40.0
    assert np.delete(stuck, 2).max() < 8.0
    slipped = last.values[:, PLACE["anode_max_10m"]]
    assert slipped.argmax() == 5
    assert last.line_values[0, LINE_PLACE["current_now"]] == pytest.approx(1.0, abs=0.01)


def test_nothing_is_infinite_and_what_is_not_known_is_nan(made: tuple[Roster, Plan, Readings]) -> None:
    for one in minutes(made, [])[::10]:
        assert not np.isinf(one.values).any()
        assert not np.isinf(one.line_values).any()
        assert one.values.shape == (8, len(FEATURES))


def test_silence_is_not_known_and_ends_nothing(made: tuple[Roster, Plan, Readings]) -> None:
    readings = made[2]
    silent = readings.take(
        ~((readings.unit == int(np.unique(readings.unit)[-1])) & (readings.time_ns > readings.time_ns[60_000]))
    )
    twin = engine(made)
    _, report = twin.step(twin.start(), silent)
    last = report.minutes[-1]
    assert isinstance(last, Minute)
    assert np.isnan(last.values[-1, PLACE["voltage_now"]])
    assert np.isfinite(last.values[0, PLACE["voltage_now"]])
    assert last.values[-1, PLACE["clock"]] < -600.0


def test_every_column_says_what_it_is() -> None:
    names = [row.name for row in (*FEATURES, *LINE_FEATURES)]
    assert len({row.name for row in FEATURES}) == len(FEATURES)
    assert len({row.name for row in LINE_FEATURES}) == len(LINE_FEATURES)
    assert all(row.help.endswith(".") and row.unit for row in (*FEATURES, *LINE_FEATURES)), names
