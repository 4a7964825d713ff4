"""The schedule and the load: the same seed gives the same run, and every disturbance does what its name says."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.load import NS, SKEWS_S, Plan, Said, plant_toml, said
from tests.chaos.schedule import HEAD_S, SERVER_KINDS, SOURCE_KINDS, TAIL_S, schedule
from twin import plant
from twin.codec import Codec
from twin.plant import Roster
from twin.ports import Message
from twin.topics import Router

START_NS = 1_795_500_000 * NS


def plan_of(*disturbances: tuple[float, str, float], pots: int = 40, batched: bool = True) -> Plan:
    return Plan(pots, 60, 7, START_NS, "chaos", batched, list(disturbances))


def seconds(plan: Plan) -> list[list[Said]]:
    return [list(said(plan, second)) for second in range(plan.seconds)]


@given(st.integers(0, 10**6), st.floats(30, 3600))
def test_the_same_seed_gives_the_same_schedule_within_bounds(seed: int, length: float) -> None:
    random.seed(seed)  # nothing depends on the state of anybody else's chance
    found = schedule(seed, length)
    assert found == schedule(seed, length)
    servers = [one for one in found if one.kind in SERVER_KINDS]
    assert servers
    assert all(before.end_s <= after.at_s for before, after in pairwise(servers))
    assert all(one.at_s >= HEAD_S and one.end_s <= length - TAIL_S + 0.02 for one in servers)
    assert {one.kind for one in found if one.kind in SOURCE_KINDS} == set(SOURCE_KINDS)


def test_in_four_minutes_everything_happens_and_seeds_differ() -> None:
    kinds = {seed: [one.kind for one in schedule(seed, 240.0)] for seed in range(20)}
    assert all(set(found) == {*SERVER_KINDS, *SOURCE_KINDS} for found in kinds.values())
    assert len({tuple(found) for found in kinds.values()}) == 20


def test_a_run_too_short_for_a_disturbance_is_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        schedule(7, 20.0)


@pytest.mark.parametrize("batched", [True, False])
def test_every_key_is_said_once_however_disturbed(batched: bool) -> None:
    plan = plan_of((5.0, "clock skew", 30.0), (0.0, "reorder", 60.0), (0.0, "poison", 60.0), batched=batched)
    made = seconds(plan)
    assert made == seconds(plan)
    keys = Counter(point[:3] for messages in made for message in messages for point in message.points)
    assert set(keys.values()) == {1}
    assert len(keys) == 60 * (40 + 1 + 1)


def test_what_is_sent_leaves_what_it_says_and_poison_is_parked_for_its_reason() -> None:
    plan = plan_of((3.0, "poison", 20.0), (3.0, "clock skew", 40.0))
    codec = Codec(Router(Roster(plant.parse(plant_toml(40), "test")), root="chaos", discover=True))
    for second, messages in enumerate(seconds(plan)):
        now_ns = START_NS + second * NS
        for message in messages:
            decoded = codec.decode([Message(message.topic, message.payload)], now_ns)
            assert [problem.reason for problem in decoded.problems] == ([message.reason] if message.reason else [])
            paths = {codec.roster.paths[unit] for unit in decoded.readings.unit.tolist()}
            assert paths == {point[1] for point in message.points}
            times = set(decoded.readings.time_ns.tolist())
            assert times == {point[2] for point in message.points}


def test_duplicates_come_twice_and_what_is_reordered_is_overtaken() -> None:
    calm, doubled = seconds(plan_of()), seconds(plan_of((0.0, "duplicate", 60.0)))
    assert all(message.delays_s == (0.0,) for messages in calm for message in messages)
    assert any(len(message.delays_s) == 2 for messages in doubled for message in messages)
    late = [
        (second + message.delays_s[0], second)
        for second, messages in enumerate(seconds(plan_of((0.0, "reorder", 60.0))))
        for message in messages
    ]
    arrived = [second for _, second in sorted(late)]
    assert arrived != sorted(arrived)


def test_a_skewed_clock_puts_one_voltage_into_each_second() -> None:
    """The books count one sample a second: two different ones in a second would make them depend on the order."""
    codec = Codec(Router(Roster(plant.parse(plant_toml(40), "test")), root="chaos", discover=True))
    volts: dict[tuple[int, int], set[float]] = {}
    skewed = 0
    for second, messages in enumerate(seconds(plan_of((3.0, "clock skew", 50.0)))):
        telemetry = [Message(m.topic, m.payload) for m in messages if "section" in m.topic]
        found = codec.decode(telemetry, START_NS + second * NS).readings.take(slice(None))
        voltage = found.take(found.signal == 0)
        for time_ns, unit, value in zip(
            voltage.time_ns.tolist(), voltage.unit.tolist(), voltage.value.tolist(), strict=True
        ):
            volts.setdefault((unit, time_ns // NS), set()).add(value)
            skewed += time_ns % NS in {int(skew * NS) % NS for skew in SKEWS_S}
    assert skewed > 0
    assert {len(values) for values in volts.values()} == {1}
