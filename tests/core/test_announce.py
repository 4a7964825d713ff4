"""What the broker is told of the twin: known figures only, with their uncertainty, for every line and pot."""

from __future__ import annotations

import json
from typing import Any

from tests.core.plants import Row, engine_of, readings_of, roster_of, steady
from twin.announce import state_messages
from twin.engine import Engine, Settings
from twin.frames import Readings, Report
from twin.ports import Message


def told(messages: list[Message]) -> dict[str, dict[str, Any]]:
    return {message.topic: json.loads(message.payload) for message in messages}


def report_of(*parts: Readings, estimate: bool = False) -> tuple[Engine, Report]:
    engine = engine_of(roster_of(3), Settings(horizon_h=25, estimate=estimate))
    state = engine.start()
    for part in parts:
        state, report = engine.step(state, part)
    return engine, report


def test_every_line_and_pot_has_its_topic_and_figures() -> None:
    said = told(state_messages(*report_of(steady(range(600))), "twin"))
    assert set(said) == {"twin/s/L", "twin/s/L/001", "twin/s/L/002", "twin/s/L/003"}
    line = said["twin/s/L"]
    hour = line["windows"]["hour"]
    assert hour["start"] == "2025-11-24T06:00:00Z"
    assert abs(hour["figures"]["ac_liquid_kwh_t"]["value"] - 12874) < 1
    assert 0 < hour["figures"]["ac_liquid_kwh_t"]["u"] < 200
    assert {grade["verdict"] for grade in line["grades"]} <= {"pass", "fail", "indeterminate", "insufficient"}
    assert {grade["window"] for grade in line["grades"]} == {"hour", "day", "month"}
    pot = said["twin/s/L/002"]
    assert pot["unit"] == "s/L/002"
    assert pot["faults"] == []
    assert "state" not in pot


def test_what_is_not_known_is_left_out() -> None:
    said = told(state_messages(*report_of(steady(range(600), meters=False)), "t"))
    assert "ac_liquid_kwh_t" not in said["t/s/L"]["windows"]["hour"]["figures"]
    assert "dc_kwh_t" in said["t/s/L"]["windows"]["hour"]["figures"]


def test_an_estimated_state_is_told_where_it_is_known() -> None:
    rows: list[Row] = [(30, 1, "bath_temperature_manual_c", 955.0), (30, 1, "excess_alf3_pct", 10.5)]
    parts = [steady(range(start, start + 60)) for start in range(0, 3720, 60)]
    said = told(state_messages(*report_of(readings_of(rows), *parts, estimate=True), "twin"))
    sampled, other = said["twin/s/L/001"]["state"], said["twin/s/L/002"]["state"]
    assert abs(sampled["excess_alf3_pct"]["value"] - 10.5) < 0.3
    assert 0 < sampled["excess_alf3_pct"]["u"] < 0.7, "the drawing alone says 0.75"
    assert "excess_alf3_pct" not in other


def test_before_the_first_tick_nothing_is_told() -> None:
    assert state_messages(*report_of(Readings.empty()), "twin") == []


def test_an_active_fault_is_named() -> None:
    rows: list[Row] = [(second, 1, "voltage_v", 30.0) for second in range(60)]
    said = told(state_messages(*report_of(readings_of(rows)), "twin"))
    assert said["twin/s/L/001"]["faults"] == ["anode_effect"]
