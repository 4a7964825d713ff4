"""Scenarios: text in, schedule out."""

from __future__ import annotations

import pytest

from simulators import scenarios
from simulators.causes import CAUSES
from simulators.schedule import Cause
from tests.simulators.lines import potline
from twin.errors import ConfigError

LINE = potline(60).line


@pytest.mark.parametrize("name", scenarios.names())
def test_every_scenario_of_the_product_runs(name: str) -> None:
    scenario = scenarios.load(name)
    schedule = scenarios.schedule(scenario, LINE, name, seed=7)
    assert schedule == scenarios.schedule(scenario, LINE, name, seed=7)
    assert all(0.0 <= cause.start_s < scenario.hours * 3600.0 for cause in schedule)
    line = potline(60, schedule)
    for _ in range(30):
        line.step(5.0)
    assert len(line.causes.labels()) == len(schedule)


def test_the_five_scenarios_are_there() -> None:
    assert {"normal-week", "bad-month", "power-modulation", "start-up", "one-of-each"} <= set(scenarios.names())


def test_one_of_each_has_one_of_each() -> None:
    schedule = scenarios.schedule(scenarios.load("one-of-each"), LINE, "one-of-each", seed=1)
    assert sorted(cause.name for cause in schedule) == sorted(CAUSES)


def test_meant_and_random_causes() -> None:
    text = """
    title = "Test"
    hours = 240
    [[cause]]
    name = "feeder_plugged"
    pots = ["A007", "A009"]
    at_h = 2.0
    for_h = 6.0
    severity = 0.5
    values = { missing = -0.3 }
    [[cause]]
    name = "anode_spike"
    pots = 3
    at_h = 4.0
    anode = 48
    [[cause]]
    name = "rectifier_loss"
    at_h = 10.0
    [[random]]
    name = "stuck_sensor"
    per_pot_day = 0.1
    for_h = [1.0, 4.0]
    severity = [0.5, 1.0]
    """
    schedule = scenarios.schedule(scenarios.parse(text, "test"), LINE, "test", seed=5)
    assert [cause for cause in schedule if cause.name == "feeder_plugged"] == [
        Cause("feeder_plugged", pot, 7200.0, 21600.0, 0.5, {"missing": -0.3}, None) for pot in (6, 8)
    ]
    spikes = [cause for cause in schedule if cause.name == "anode_spike"]
    assert len({cause.pot for cause in spikes}) == 3
    assert {(cause.anode, cause.duration_s) for cause in spikes} == {(47, CAUSES["anode_spike"].hours * 3600.0)}
    assert [cause.pot for cause in schedule if cause.name == "rectifier_loss"] == [None]
    stuck = [cause for cause in schedule if cause.name == "stuck_sensor"]
    assert 35 < len(stuck) < 90  # 60 pots, 10 days, 0.1 a day
    assert all(3600.0 <= cause.duration_s <= 14400.0 for cause in stuck)
    assert all(0.5 <= cause.severity <= 1.0 for cause in stuck)
    other = scenarios.schedule(scenarios.parse(text, "test"), LINE, "test", seed=6)
    assert other != schedule


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title = 1", "Expected `str`"),
        ("title = ", "Invalid value"),
        ('title = "x"\nhours = 1\n[[cause]]\nname = "gremlins"\nat_h = 0', "'gremlins' is not in the table"),
        ('title = "x"\nhours = 1\n[[cause]]\nname = "hot_pot"\nat_h = 0', "strikes a pot"),
        ('title = "x"\nhours = 1\n[[cause]]\nname = "tap_scale"\nat_h = 0\npots = 1', "strikes a line"),
        (
            'title = "x"\nhours = 1\n[[cause]]\nname = "hot_pot"\nat_h = 0\npots = 1\ncolour = 2',
            "unknown field `colour`",
        ),
        (
            'title = "x"\nhours = 1\n[[cause]]\nname = "hot_pot"\nat_h = 0\npots = 1\nvalues = { colour = 2.0 }',
            "no parameter colour",
        ),
    ],
)
def test_a_wrong_scenario_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        scenarios.parse(text, "here.toml")
    assert str(caught.value).startswith("here.toml")


def test_an_unknown_pot_and_an_unknown_scenario_are_refused() -> None:
    text = 'title = "x"\nhours = 1\n[[cause]]\nname = "hot_pot"\nat_h = 0\npots = ["Z001"]'
    with pytest.raises(ConfigError, match="no pot Z001"):
        scenarios.schedule(scenarios.parse(text, "here"), LINE, "here", seed=1)
    with pytest.raises(ConfigError, match="normal-week"):
        scenarios.load("quiet-century")
