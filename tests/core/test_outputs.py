"""What the twin says to the store: every known figure under its window's start, every fault under its own time."""

from __future__ import annotations

import math

import numpy as np

from tests.core.plants import NOW_NS, NS, engine_of, steady
from twin.catalogue import CATALOGUE, fault_code, figure_code
from twin.frames import Event, WindowFigures
from twin.kpis import KPIS
from twin.outputs import fault_readings, outputs
from twin.plant import Kind

NAN = math.nan
KINDS: list[Kind] = ["line", "pot", "pot"]


def figures(window: str, start_s: int, **kpis: list[float]) -> WindowFigures:
    start = NOW_NS + start_s * NS
    values = {name: np.array(value) for name, value in kpis.items()}
    u = {name: value / 1000 for name, value in values.items()}
    return WindowFigures(window, start, start + 3600 * NS, True, np.array([0, 1, 2], np.int32), values, u)


def test_figures_become_readings_of_the_line_and_its_pots() -> None:
    parts = [figures("hour", 0, dc_kwh_t=[12700.5, 12600.25, NAN]), figures("day", -60, tapped_t=[3.0, 1.0, 2.0])]
    told = outputs(parts, KINDS)
    rows = list(zip(told.time_ns.tolist(), told.unit.tolist(), told.signal.tolist(), told.value.tolist(), strict=True))
    day, hour = NOW_NS - 60 * NS, NOW_NS
    assert rows == [
        (day, 0, figure_code("twin_line", "tapped_t", "day"), 3.0),
        (day, 1, figure_code("twin_pot", "tapped_t", "day"), 1.0),
        (day, 2, figure_code("twin_pot", "tapped_t", "day"), 2.0),
        (hour, 0, figure_code("twin_line", "dc_kwh_t", "hour"), 12700.5),
        (hour, 0, figure_code("twin_line", "dc_kwh_t", "hour", u=True), 12.7005),
        (hour, 1, figure_code("twin_pot", "dc_kwh_t", "hour"), 12600.25),
        (hour, 1, figure_code("twin_pot", "dc_kwh_t", "hour", u=True), 12.60025),
    ]
    assert told.quality.tolist() == [0] * 7


def test_sections_and_sites_have_measurements_of_their_own() -> None:
    kinds: list[Kind] = ["section", "site", "pot"]
    told = outputs([figures("hour", 0, tapped_t=[3.0, 1.0, 2.0])], kinds)
    assert told.unit.tolist() == [0, 1, 2]
    measurements = ("twin_section", "twin_site", "twin_pot")
    assert told.signal.tolist() == [figure_code(measurement, "tapped_t", "hour") for measurement in measurements]


def test_what_is_not_known_is_not_said() -> None:
    assert len(outputs([], KINDS)) == 0
    assert len(outputs([figures("hour", 0, dc_kwh_t=[NAN, NAN, NAN])], KINDS)) == 0


def test_every_figure_of_a_report_has_its_field() -> None:
    engine = engine_of()
    _, report = engine.step(engine.start(), steady(range(600)))
    told = outputs(report.figures, engine.roster.kinds)
    uncertain = {kpi.name for kpi in KPIS if kpi.uncertain}
    told_of = [v for f in report.figures for v in f.kpis.values()]
    told_of += [v for f in report.figures for name, v in f.u.items() if name in uncertain]
    known = sum(int(np.isfinite(value).sum()) for value in told_of)
    assert len(told) == known > 0
    for unit, signal in zip(told.unit.tolist(), told.signal.tolist(), strict=True):
        assert CATALOGUE[signal].measurement == f"twin_{engine.roster.kinds[unit]}"
    assert set(told.unit.tolist()) == set(range(len(engine.roster))), "of pots, sections, line and site"


def test_faults_become_readings_of_their_pots() -> None:
    events = [
        Event(NOW_NS, 2, "anode_effect", True, "high", 30.0, 8.0),
        Event(NOW_NS + NS, 2, "anode_effect", False, "high", 4.0, 8.0),
    ]
    told = fault_readings(events)
    assert told.time_ns.tolist() == [NOW_NS, NOW_NS + NS]
    assert told.unit.tolist() == [2, 2]
    assert told.signal.tolist() == [fault_code("anode_effect")] * 2
    assert told.value.tolist() == [1.0, 0.0]
    assert len(fault_readings([])) == 0
