"""What a person sees: rim units, None for what is not known, and one verdict a pot."""

from __future__ import annotations

import msgspec
import pytest

from tests.core.plants import engine_of, readings_of, roster_of, steady
from twin.engine import Engine
from twin.frames import Event, Readings, Report
from twin.snapshot import IngestView, LineView, Snapshot
from twin.view import SHOWN, event_view, snapshot

HEALTH = IngestView(True, 5, 4, 1, 1, 2.5, 0.1, "memory", "")


def seen(engine: Engine, *parts: Readings) -> tuple[Snapshot, Report]:
    state = engine.start()
    for part in parts:
        state, report = engine.step(state, part)
    events = [event_view(event, engine.roster.paths) for event in reversed(report.events)]
    return snapshot(engine, report, events, HEALTH), report


def line_of(*parts: Readings) -> LineView:
    (line,) = seen(engine_of(), *parts)[0].lines
    return line


def test_a_steady_line() -> None:
    found, _ = seen(engine_of(), steady(range(3600), volt=4.03))
    (line,) = found.lines
    assert found.time == "2025-11-24T06:59:57Z", "the end of the last closed tick"
    assert (found.plant, found.plan, found.ingest) == ("Test plant", "China 2025-2027", HEALTH)
    assert (line.path, line.title) == ("s/L", "s L")
    assert line.current_ka == pytest.approx(500.0)
    assert line.voltage_v == pytest.approx(3 * 4.03)
    assert (line.pots_total, line.pots_reporting) == (3, 3)
    assert set(line.energy) == {"dc", "ac_liquid", "ac_comprehensive"}
    assert line.energy["ac_liquid"]["hour"] == pytest.approx(2980 * 4.03 / 0.94 / 0.985, rel=1e-5)
    assert line.energy["dc"]["hour"] == line.energy["dc"]["day"]
    assert line.production_t["hour"] == pytest.approx(3 * 0.0080537 * 500 * 0.94 / 24, rel=1e-4)
    assert line.coverage_pct["hour"] == 100.0
    assert line.coverage_pct["day"] == pytest.approx(100 / 7)
    assert (line.pot_metric, line.pot_window, line.pot_limit) == ("ac_liquid", "hour", 13000.0)
    assert (line.voltage_band_v, line.temperature_band_c) == ((3.85, 4.15), (945.0, 965.0))


def test_grades_carry_what_explains_them() -> None:
    line = line_of(steady(range(3600), volt=4.03))
    grade = next(g for g in line.grades if (g.rule, g.window) == ("new_capacity", "hour"))
    assert (grade.scope, grade.metric, grade.unit, grade.sense, grade.sure) == (
        "line",
        "ac_liquid",
        "kWh/t",
        "at_most",
        "P",
    )
    assert grade.value == line.energy["ac_liquid"]["hour"]
    assert grade.margin == pytest.approx(13000 - (grade.value or 0))
    assert (grade.verdict, grade.coverage_pct, grade.limit) == ("indeterminate", 100.0, 13000)
    assert (grade.u or 0) > 0
    assert 0.5 < (grade.probability or 0) < 0.9
    assert "% that the rule is met" in grade.why
    assert "Implementation Plan" in grade.source


def test_pots_are_judged_by_the_rule_of_the_line() -> None:
    rows = [(second, pot, "voltage_v", volt) for second in range(3600) for pot, volt in ((1, 3.9), (2, 4.2))]
    silent = steady(range(3600))
    line = line_of(Readings.concat([silent.take(silent.unit == 0), readings_of(rows)]))
    verdicts = [(pot.id, pot.verdict, pot.kwh_per_t) for pot in line.pots]
    assert [v[:2] for v in verdicts] == [("001", "pass"), ("002", "fail"), ("003", "insufficient")]
    assert verdicts[2][2] is None
    assert [pot.section for pot in line.pots] == [1, 1, 2]


def test_what_is_not_known_is_none_and_not_nan() -> None:
    found, _ = seen(engine_of(), readings_of([(0, 1, "noise_mv", 3.0), (9, 1, "noise_mv", 3.0)]))
    (line,) = found.lines
    assert (line.current_ka, line.voltage_v, line.energy["dc"]["hour"]) == (None, None, None)
    assert (line.pots[0].voltage_v, line.pots[0].bath_temperature_c, line.pots[0].kwh_per_t) == (None, None, None)
    assert (line.pots_total, line.pots_reporting) == (3, 0)
    assert line.coverage_pct == dict.fromkeys(SHOWN, 0.0)
    assert b"NaN" not in msgspec.json.encode(found)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Snapshot) == found


def test_a_pot_whose_voltage_is_old_is_stale() -> None:
    rows = [(second, 1, "voltage_v", 4.0) for second in range(30)] + [
        (15, 2, "voltage_v", 4.0),
        (17, 3, "voltage_v", 4.0),
    ]
    line = line_of(readings_of(sorted(rows)))
    assert [(pot.stale, pot.voltage_v) for pot in line.pots] == [(False, 4.0), (True, 4.0), (False, 4.0)]
    assert line.pots_reporting == 2


def test_a_pot_whose_sensor_says_that_it_has_no_value_is_stale_at_once() -> None:
    rows = [(second, pot, "voltage_v", 4.0) for second in range(30) for pot in (1, 2)]
    line = line_of(readings_of(sorted([*rows, (20.5, 2, "voltage_v", float("nan"))])))
    assert [(pot.stale, pot.voltage_v) for pot in line.pots[:2]] == [(False, 4.0), (False, 4.0)], "a later value came"
    dead = [row for row in rows if row[1] == 1 or row[0] < 25]
    line = line_of(readings_of(sorted([*dead, (25, 2, "voltage_v", float("nan"))])))
    assert [(pot.stale, pot.voltage_v) for pot in line.pots[:2]] == [(False, 4.0), (True, None)]


def test_faults_that_are_on_and_events_in_words() -> None:
    rows = [(second, 2, "voltage_v", 30.0 if second > 10 else 4.0) for second in range(30)]
    found, report = seen(engine_of(), readings_of(rows))
    assert [pot.faults for pot in found.lines[0].pots] == [[], ["anode_effect"], []]
    (event,) = found.events
    assert (event.time, event.unit, event.code, event.began) == (
        "2025-11-24T06:00:12Z",
        "s/L/002",
        "anode_effect",
        True,
    )
    assert (event.title, event.severity, event.value) == ("Anode effect", "high", 30.0)
    assert event.advice.endswith(".")
    assert [e.unit for e in report.events] == [2]


def test_temperatures_are_shown_in_celsius() -> None:
    rows = [(0, 1, "bath_temperature_c", 957.3), (9, 1, "noise_mv", 1.0)]
    assert line_of(readings_of(rows)).pots[0].bath_temperature_c == pytest.approx(957.3)


def test_a_discovered_pot_is_shown_without_a_section() -> None:
    roster = roster_of(1)
    new = roster.add("s/L/X1")
    found, _ = seen(engine_of(roster), readings_of([(0, new, "voltage_v", 4.0), (9, new, "voltage_v", 4.0)]))
    assert [(pot.id, pot.section, pot.voltage_v) for pot in found.lines[0].pots] == [("001", 1, None), ("X1", 0, 4.0)]


def test_an_event_of_the_line_has_the_name_of_the_line() -> None:
    view = event_view(Event(0, 0, "no_data", False, "medium", 61.0, 60.0), ["s/L"])
    assert (view.unit, view.time, view.began) == ("s/L", "1970-01-01T00:00:00Z", False)
