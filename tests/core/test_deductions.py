"""Deductions of the plan: off by default, exact when on, recorded with every figure."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from msgspec.structs import replace

from tests.core.plants import NOW_NS, NS, engine_of, packaged_plan, readings_of, roster_of, steady
from twin import kpis, plan
from twin.deductions import Deduction, Given, given_energy
from twin.engine import Engine, Settings
from twin.errors import ConfigError
from twin.frames import Floats, Readings
from twin.plan import Grade
from twin.units import to_si

FIRST, LAST = "2025-11-24T00:00:00Z", "2025-11-25T00:00:00Z"  # the day of T0
PLAN = """
id = "p"
title = "p"
pot_rule = "r"
[[rules]]
id = "r"
title = "r"
metric = "ac_liquid"
limit = 13000
unit = "kWh/t"
sense = "at_most"
scope = "line"
source = "s"
sure = "U"
"""
ROW = '[[deductions]]\nid = "d"\ntitle = "d"\nkind = "{kind}"\nsource = "s"\nsure = "U"\non = {on}\n'


def day(rows: str, *parts: Readings) -> dict[str, Floats]:
    """Figures of the day under a plan with these deductions."""
    engine = Engine(roster_of(3), plan.parse(PLAN + rows, "p", kpis.METRICS), Settings(horizon_h=25))
    state = engine.start()
    for part in parts:
        state, report = engine.step(state, part)
    return next(f.kpis for f in report.figures if f.window == "day" and int(f.units[0]) == 0)


def stopped(kiloampere: float = 500.0) -> Readings:
    """Ten minutes in which pot 3 is short-circuited at 0.3 V."""
    whole = steady(range(600), volt=4.0, kiloampere=kiloampere)
    voltage = np.where((whole.unit == 3) & (whole.value == 4.0), 0.3, whole.value)
    return Readings.of(whole.time_ns, whole.unit, whole.signal, voltage)


def test_the_packaged_plan_takes_nothing_off() -> None:
    assert [row.on for row in packaged_plan().deductions] == [False, False, False]


def test_what_a_stopped_pot_loses_is_taken_off_at_the_lines_rectifier_efficiency() -> None:
    off, on = (
        day(ROW.format(kind="stopped_pots", on="false"), stopped()),
        day(ROW.format(kind="stopped_pots", on="true"), stopped()),
    )
    assert off["deducted_kwh"].tolist() == [0.0] * len(off["deducted_kwh"])
    lost_dc = on["stopped_kwh"][0]
    assert lost_dc == pytest.approx(0.3 * 500 * 600 / 3600, rel=1e-6)
    ratio = off["ac_energy_kwh"][0] / (12.0 * 500 * 600 / 3600)
    assert on["deducted_kwh"][0] == pytest.approx(lost_dc * ratio, rel=1e-2)
    assert on["deducted_kwh"][1:4].sum() == pytest.approx(on["deducted_kwh"][0])
    assert on["ac_energy_kwh"].tolist() == off["ac_energy_kwh"].tolist(), "what was metered stays"
    less = 1 - on["deducted_kwh"][0] / off["ac_energy_kwh"][0]
    assert on["ac_liquid_kwh_t"][0] == pytest.approx(off["ac_liquid_kwh_t"][0] * less)


def test_given_energy_goes_by_the_time_that_is_shared() -> None:
    given = Given("s/L", datetime.fromisoformat(FIRST), datetime.fromisoformat(LAST), 2400.0)
    rows = [Deduction("d", "d", "given", "s", "U", True, [given])]
    hour = 3600 * NS
    assert given_energy(rows, "s/L", NOW_NS, NOW_NS + hour) == pytest.approx(to_si(100.0, "kWh"))
    assert given_energy(rows, "s/L", NOW_NS - 48 * hour, NOW_NS + 48 * hour) == pytest.approx(to_si(2400.0, "kWh"))
    assert given_energy(rows, "s/M", NOW_NS, NOW_NS + hour) == 0.0
    off = [replace(rows[0], on=False)]
    assert given_energy(off, "s/L", NOW_NS, NOW_NS + hour) == 0.0


def test_given_energy_is_in_the_figures() -> None:
    entry = f'entries = [{{ line = "s/L", from = {FIRST}, to = {LAST}, kwh = 24.0 }}]\n'
    found = day(ROW.format(kind="given", on="true") + entry, steady(range(600)))
    assert found["deducted_kwh"][0] == pytest.approx(24.0)
    assert found["deducted_kwh"][1:4] == pytest.approx([8.0] * 3)


def test_an_entry_that_ends_before_it_begins_is_refused() -> None:
    entry = f'entries = [{{ line = "s/L", from = {LAST}, to = {FIRST}, kwh = 24.0 }}]\n'
    with pytest.raises(ConfigError, match="is not after"):
        plan.parse(PLAN + ROW.format(kind="given", on="true") + entry, "p", kpis.METRICS)


def test_levels_are_graded_for_plants_too() -> None:
    engine = engine_of(roster_of(3))
    _, report = engine.step(engine.start(), Readings.concat([readings_of([]), steady(range(900))]))
    site = engine.roster.codes["s"]
    graded = {g.rule.id for g in report.grades if isinstance(g, Grade) and g.unit == site}
    assert {"ac_liquid_level_1", "ac_comprehensive_level_3", "baseline"} <= graded
    assert "new_capacity" not in graded
