"""What is asked on demand: numbers against `losses` and `whatif` by hand, what is not known, and what is refused."""

from __future__ import annotations

import math

import msgspec
import pytest

from tests.core.plants import engine_of, roster_of, steady
from tests.core.told import AUXILIARY, EFFICIENCY, KNOWN, RECTIFIER, VOLTAGE, estimate, figures, loss_tree, report_of
from twin.answers import LineAnswer, PotAnswer, Refused, answer, line_answer, pot_answer, what_if_answer
from twin.engine import Engine, Settings
from twin.frames import Report
from twin.levers import CONTROLS, FigureView, LeverView, WhatIfAnswer
from twin.losses import TERMS
from twin.physics.faraday import METAL_PER_COULOMB, metal_rate
from twin.plant import PotDesign
from twin.point import working_point
from twin.units import to_si
from twin.whatif import LEVERS, SUPERHEAT_BAND, Change, Point, moved, predict, what_if

KWH_T = to_si(1.0, "kWh/t")
AC = loss_tree().total / KWH_T


@pytest.fixture
def engine() -> Engine:
    return engine_of(settings=Settings(estimate=True))


@pytest.fixture
def report(engine: Engine) -> Report:
    return report_of(engine, figures(engine), figures(engine, "month"), believed=estimate(engine))


def lever(found: WhatIfAnswer, name: str) -> LeverView:
    return next(each for each in found.levers if each.name == name)


def told(found: WhatIfAnswer, name: str) -> FigureView:
    return next(each for each in found.figures if each.name == name)


# where the energy goes


def test_the_tree_of_a_line_is_that_of_losses_and_reaches_the_metered_figure(engine: Engine, report: Report) -> None:
    found = line_answer(engine, report, "s/L")
    tree = found.trees["day"]
    expected = loss_tree().in_kwh_t
    assert [term.name for term in tree.terms] == [term.name for term in TERMS if term.name != "auxiliary"]
    for term in tree.terms:
        assert term.kwh_t == pytest.approx(expected[term.name], abs=1e-6), term.name
        assert (term.end or 0) - (term.start or 0) == pytest.approx(term.kwh_t, abs=1e-6)
        assert term.share_pct == pytest.approx(100 * expected[term.name] / AC)
    assert tree.terms[0].kwh_t == pytest.approx(6347, abs=1)
    assert tree.terms[0].start == 0
    assert tree.terms[-1].end == pytest.approx(AC)
    assert tree.ac_liquid == pytest.approx(AC)
    assert (tree.missing, tree.coverage_pct, tree.metal_t, tree.ac_liquid_u) == ("", 80.0, 30.0, 60.0)
    by_name = {term.name: term for term in TERMS}
    assert all((t.title, t.help) == (by_name[t.name].title, by_name[t.name].help) for t in tree.terms)
    assert any((term.kwh_t or 0) < 0 for term in tree.terms)


def test_auxiliaries_stand_beside_the_tree(engine: Engine, report: Report) -> None:
    tree = line_answer(engine, report, "s/L").trees["month"]
    assert tree.auxiliary.kwh_t == pytest.approx(AUXILIARY)
    assert tree.auxiliary.start == tree.ac_liquid
    assert tree.auxiliary.end == tree.ac_comprehensive == pytest.approx(AC + AUXILIARY)


def test_what_is_not_known_is_said_with_the_reason(engine: Engine) -> None:
    waiting = report_of(engine, figures(engine, explained=False), believed=estimate(engine, {}))
    trees = line_answer(engine, waiting, "s/L").trees
    assert trees["day"].missing == "estimate"
    assert trees["day"].ac_liquid == pytest.approx(AC)
    assert {term.kwh_t for term in trees["day"].terms} == {None}
    assert (trees["month"].missing, trees["month"].ac_liquid, trees["month"].coverage_pct) == ("metal", None, None)
    off = engine_of()
    assert line_answer(off, report_of(off, figures(off, explained=False)), "s/L").trees["day"].missing == "off"
    assert b"NaN" not in msgspec.json.encode(line_answer(engine, waiting, "s/L"))


# a pot


def test_states_of_a_pot_with_their_interval_and_the_band_of_the_design(engine: Engine, report: Report) -> None:
    found = pot_answer(engine, report, "s/L/002")
    states = {state.name: state for state in found.states}
    for name, (value, u) in KNOWN.items():
        state = states[name]
        assert state.value == pytest.approx(value)
        assert state.u == pytest.approx(u)
        assert state.low == pytest.approx(value - 1.96 * u)
        assert state.high == pytest.approx(value + 1.96 * u)
    unknown = states["distance_mm"]
    assert (unknown.value, unknown.u, unknown.low, unknown.high) == (None, None, None, None)
    assert unknown.band == PotDesign().anode_cathode_distance_mm
    assert states["superheat_c"].band == SUPERHEAT_BAND
    assert states["metal_kg"].band is None
    assert found.estimated == "2025-11-24T06:01:00Z"
    assert found.efficiency_pct == pytest.approx(100 * EFFICIENCY)
    assert found.efficiency_u == 0.5


def test_losses_of_a_pot_are_told_against_its_line_the_largest_difference_first(engine: Engine, report: Report) -> None:
    found = pot_answer(engine, report, "s/L/003")
    assert [term.name for term in found.terms][-1] == "unexplained"
    assert "theoretical" not in {term.name for term in found.terms}
    sizes = [abs(term.difference) for term in found.terms[:-1]]
    assert sizes == sorted(sizes, reverse=True)
    term = next(term for term in found.terms if term.name == "efficiency")
    pot, line = (loss_tree(volts).in_kwh_t["efficiency"] for volts in (VOLTAGE + 0.02, VOLTAGE))
    assert term.kwh_t == pytest.approx(pot)
    assert term.line == pytest.approx(line)
    assert term.difference == pytest.approx(pot - line)


def test_a_pot_of_a_twin_that_does_not_estimate() -> None:
    engine = engine_of()
    found = pot_answer(engine, report_of(engine), "s/L/001")
    assert (found.states, found.terms, found.estimated, found.efficiency_pct) == ([], [], "", None)


# what if


def test_the_point_reproduces_the_metered_figures(engine: Engine, report: Report) -> None:
    point = working_point(engine, report, 0).point
    now = predict(point)
    assert now.ac_liquid / KWH_T == pytest.approx(AC)
    assert now.dc / KWH_T == pytest.approx(AC * RECTIFIER)
    assert now.ac_comprehensive / KWH_T == pytest.approx(AC + AUXILIARY)
    assert point.voltage == pytest.approx(VOLTAGE + 0.005), "the line's own, busbars included"
    assert point.external_voltage == pytest.approx(0.15 + 0.005)
    assert point.current == 500000.0
    assert point.efficiency == pytest.approx(EFFICIENCY)
    assert point.pots == 3
    assert point.alumina == pytest.approx(2.6)
    assert point.superheat == pytest.approx(9.0)
    assert point.alf3 == pytest.approx(10.5), "not known: the middle of the design's band"
    assert point.bath_gradient == pytest.approx(34.0, rel=0.15)
    assert point.ledge_resistance == pytest.approx(7.6e-5)


def test_anode_effects_of_the_point_are_those_of_the_day(engine: Engine) -> None:
    day = figures(engine, anode_effects_per_day=0.5, anode_effect_s_per_day=60.0, anode_effect_kwh_t=57.0)
    point = working_point(engine, report_of(engine, day), 0).point
    assert (point.effects, point.effect_time) == (0.5, 120.0)
    extra = 57.0 * KWH_T * EFFICIENCY * METAL_PER_COULOMB
    assert point.voltage == pytest.approx(VOLTAGE + 0.005 - extra)
    assert (point.effect_voltage - point.voltage) * 60 / 86400 == pytest.approx(extra)
    assert predict(point).dc / KWH_T == pytest.approx(AC * RECTIFIER)


def test_the_answer_is_that_of_what_if(engine: Engine, report: Report) -> None:
    found = what_if_answer(engine, report, "s/L", {"current": 5.0, "voltage": -20.0, "superheat": -1.0})
    point = working_point(engine, report, 0).point
    expected = what_if(point, Change(current=5e3, voltage=-0.020, superheat=-1.0))
    for name in ("dc", "ac_liquid", "ac_comprehensive"):
        figure = told(found, name)
        before, after = (getattr(side, name) / KWH_T for side in (expected.before, expected.after))
        assert figure.before == pytest.approx(before)
        assert figure.after == pytest.approx(after)
        assert figure.difference == pytest.approx(after - before)
    assert told(found, "metal").before == pytest.approx(3 * metal_rate(500e3, EFFICIENCY) * 86400 / 1e3)
    assert told(found, "ac_energy").after == pytest.approx(expected.after.ac_energy / 3.6e9)
    assert told(found, "co2_direct").after == pytest.approx(expected.after.co2_direct)
    assert found.heat.expected == pytest.approx(expected.heat.expected)
    assert found.heat.superheat == pytest.approx(9.0)
    assert found.heat.mismatch == pytest.approx(expected.heat.mismatch)
    voltage = lever(found, "voltage")
    assert voltage.change == -20.0
    assert voltage.before == pytest.approx(VOLTAGE + 0.005)
    assert voltage.after == pytest.approx(moved(point, Change(current=5e3, voltage=-0.02, superheat=-1.0)).voltage)
    assert (found.window, found.coverage_pct, found.pots) == ("day", 80.0, 3)


def test_the_answer_says_what_was_metered_estimated_and_taken_from_the_plant_file(
    engine: Engine, report: Report
) -> None:
    origins = {each.name: each.origin for each in what_if_answer(engine, report, "s/L", {}).levers}
    assert origins == {
        "current": "metered", "distance": "plant", "voltage": "metered", "efficiency": "estimated", "alf3": "plant",
        "superheat": "estimated", "effects": "metered", "rectifier_efficiency": "metered",
    }  # fmt: skip
    unexplained = report_of(engine, figures(engine, explained=False))
    assert lever(what_if_answer(engine, unexplained, "s/L", {}), "efficiency").origin == "setting"


def test_a_lever_alone_closes_the_gap(engine: Engine, report: Report) -> None:
    found = what_if_answer(engine, report, "s/L", {})
    rule = found.rules[0]
    assert (rule.rule, rule.limit, rule.before) == ("new_capacity", 13000.0, "fail")
    for name in ("voltage", "distance"):
        closes = lever(found, name).closes
        assert closes is not None
        assert closes < 0
        then = what_if_answer(engine, report, "s/L", {name: closes}).rules[0]
        assert 0 <= (then.margin_after or 0) < 2 * abs(lever(found, name).kwh_t_per_step), name
    assert lever(found, "efficiency").closes == pytest.approx(2.0, abs=1.5)
    rectifier = lever(found, "rectifier_efficiency")
    assert (rectifier.closes is None or rectifier.closes > 1.0, rectifier.within) == (True, False)


def test_verdicts_go_by_the_uncertainty_of_the_metered_figure(engine: Engine, report: Report) -> None:
    def verdict(millivolt: float) -> str:
        return what_if_answer(engine, report, "s/L", {"voltage": millivolt}).rules[0].after

    assert [verdict(0.0), verdict(-65.0), verdict(-160.0)] == ["fail", "indeterminate", "pass"]
    assert what_if_answer(engine, report, "s/L", {}).rules[0].u == 60.0
    metrics = {rule.metric for rule in what_if_answer(engine, report, "s/L", {}).rules}
    assert metrics == {"ac_liquid", "ac_comprehensive"}


def test_a_pot_that_would_get_cold_is_warned_of(engine: Engine, report: Report) -> None:
    assert what_if_answer(engine, report, "s/L", {}).heat.warning == 0
    cold = what_if_answer(engine, report, "s/L", {"voltage": -200.0}).heat
    assert cold.warning == -1
    assert cold.expected < SUPERHEAT_BAND[0]
    assert what_if_answer(engine, report, "s/L", {"voltage": 200.0}).heat.warning == 1


def test_there_are_never_fewer_than_no_anode_effects(engine: Engine) -> None:
    day = figures(engine, anode_effects_per_day=0.123, anode_effect_s_per_day=14.76, anode_effect_kwh_t=14.0)
    found = what_if_answer(engine, report_of(engine, day), "s/L", {"effects": -1.0})
    effects = lever(found, "effects")
    assert effects.low == -0.12
    assert effects.after == pytest.approx(0.0, abs=1e-12)


def test_every_lever_has_a_control_and_a_unit() -> None:
    assert list(CONTROLS) == [each.name for each in LEVERS]
    for name, control in CONTROLS.items():
        assert control.low < 0 < control.high, name
        assert round(control.step, control.digits) == control.step, name


@pytest.mark.parametrize(
    ("question", "path", "changes", "why", "says"),
    [
        ("line", "s/X", {}, "unknown", "there is no line 's/X'; there is s/L"),
        ("line", "s/L/001", {}, "unknown", "there is no line"),
        ("pot", "s/L", {}, "unknown", "there is no pot 's/L'; there is s/L/001, s/L/002, s/L/003"),
        ("whatif", "s/X", {}, "unknown", "there is no line"),
        ("whatif", "s/L", {"anode": 1.0}, "not_allowed", "'anode' is not a lever; there is current, distance"),
        ("whatif", "s/L", {"voltage": 500.0}, "not_allowed", "voltage=500 is not allowed: -200 to 200 mV"),
        ("whatif", "s/L", {"voltage": math.nan}, "not_allowed", "-200 to 200 mV"),
    ],
)
def test_what_is_refused_says_what_is_allowed(
    engine: Engine, report: Report, question: str, path: str, changes: dict[str, float], why: str, says: str
) -> None:
    with pytest.raises(Refused) as refused:
        answer(engine, report, question, path, changes)
    assert refused.value.why == why
    assert says in str(refused.value)


def test_no_efficiency_goes_above_100_percent(engine: Engine) -> None:
    high = report_of(engine, figures(engine, efficiency_pct=97.0))
    with pytest.raises(Refused, match="above 100 %"):
        what_if_answer(engine, high, "s/L", {"efficiency": 3.5})


def test_before_there_are_figures_there_is_no_point(engine: Engine) -> None:
    for early in (None, report_of(engine)):
        with pytest.raises(Refused) as refused:
            answer(engine, early, "whatif", "s/L", {})
        assert refused.value.why == "yet"


def test_without_ac_the_rectifier_is_the_plant_file_s(engine: Engine) -> None:
    day = figures(engine, ac_liquid_kwh_t=math.nan, ac_comprehensive_kwh_t=math.nan)
    found = what_if_answer(engine, report_of(engine, day), "s/L", {})
    assert (lever(found, "rectifier_efficiency").origin, told(found, "ac_comprehensive").before) == ("plant", None)
    assert b"NaN" not in msgspec.json.encode(found)


def test_the_real_engine_is_answered_for() -> None:
    """Two hours of an even line: what is shown adds up to what is graded."""
    engine = engine_of(roster_of(period=10.0), Settings(estimate=True))
    state = engine.start()
    for start in range(0, 7200, 600):
        state, report = engine.step(state, steady(range(start, start + 600, 10), volt=4.03))
    line, pot = answer(engine, report, "line", "s/L", {}), answer(engine, report, "pot", "s/L/001", {})
    assert isinstance(line, LineAnswer)
    assert isinstance(pot, PotAnswer)
    tree = line.trees["day"]
    assert tree.missing == ""
    assert sum(term.kwh_t or 0 for term in tree.terms) == pytest.approx(tree.ac_liquid)
    supposed = what_if_answer(engine, report, "s/L", {})
    assert told(supposed, "ac_liquid").before == pytest.approx(tree.ac_liquid)
    assert told(supposed, "ac_comprehensive").before == pytest.approx(tree.ac_comprehensive)
    assert pot.states[0].name == "alumina_pct"
    point: Point[float] = working_point(engine, report, 0).point
    assert 3.9 < point.voltage < 4.1
