"""Everything a store can hold: codes and fields that no two rows share."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from twin.alarms.figures import TARGETS
from twin.catalogue import (
    ALARM_FIGURES,
    CATALOGUE,
    FIELDS,
    SCORES,
    TWIN,
    alarm_code,
    fault_code,
    figure_code,
    score_code,
    state_code,
)
from twin.faults import FAULTS, JUDGED
from twin.kpis import KPIS
from twin.plant import Kind
from twin.signals import MEASUREMENTS, SIGNALS
from twin.states import STATES
from twin.units import SI

TAGS = {"time", "site", "line", "pot"}


def test_the_codes_of_the_wire_come_first() -> None:
    assert CATALOGUE[: len(SIGNALS)] == SIGNALS
    assert len(CATALOGUE) < 2**15, "codes are int16"


def test_every_row_is_a_field_of_one_measurement() -> None:
    assert sorted(code for codes in FIELDS.values() for code in codes) == list(range(len(CATALOGUE)))
    of_units = {"twin_pot", "twin_line", "twin_section", "twin_site"}
    assert set(FIELDS) == {*MEASUREMENTS.values(), *of_units, "twin_state", "twin_score", "twin_alarms"}
    for measurement, codes in FIELDS.items():
        assert {CATALOGUE[code].measurement for code in codes} == {measurement}
        assert list(codes) == sorted(codes), "readings are read back in order of their code"
        names = [CATALOGUE[code].db_field for code in codes]
        assert len(set(names)) == len(names)
        assert not TAGS & set(names)


def test_names_and_units_are_safe_for_every_store() -> None:
    for row in CATALOGUE:
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,62}", row.db_field), "an identifier in SQL and in line protocol"
        assert re.fullmatch(r"[a-z][a-z0-9_]*", row.measurement)
        assert row.unit in SI
        assert row.help.endswith(".")


def test_every_figure_fault_and_state_has_a_code_of_its_own() -> None:
    codes = [
        figure_code(measurement, kpi.name, window, u=u)
        for measurement in TWIN.values()
        for kpi in KPIS
        for u in (False, True)[: 1 + kpi.uncertain]
        for window in kpi.windows
    ]
    codes += [fault_code(fault.code) for fault in FAULTS]
    codes += [fault_code(code) for code in JUDGED] + [score_code(name) for name in SCORES]
    codes += [state_code(state.name, u=u) for state in STATES for u in (False, True)]
    codes += [alarm_code(name) for name in ALARM_FIGURES]
    assert {target.figure for target in TARGETS} < set(ALARM_FIGURES)
    assert sorted(codes) == list(range(len(SIGNALS), len(CATALOGUE)))
    row = CATALOGUE[figure_code("twin_pot", "dc_kwh_t", "day")]
    assert (row.measurement, row.db_field, row.unit) == ("twin_pot", "dc_kwh_t_day", "kWh/t")
    assert CATALOGUE[fault_code("anode_effect")].measurement == "event"
    temperature, u = (CATALOGUE[state_code("bath_temperature_c", u=u)] for u in (False, True))
    assert (temperature.measurement, temperature.unit, u.unit) == ("twin_state", "C", "K"), "a difference has no offset"


def test_every_kind_of_unit_has_a_measurement_of_its_own() -> None:
    assert set(TWIN) == set(get_args(Kind))
    assert len(set(TWIN.values())) == len(TWIN)


@pytest.mark.parametrize(
    "wrong", [("twin_pot", "dc_kwh_t", "decade"), ("pot", "dc_kwh_t", "day"), ("twin_pot", "x", "day")]
)
def test_an_unknown_figure_is_an_error(wrong: tuple[str, str, str]) -> None:
    with pytest.raises(KeyError):
        figure_code(*wrong)
