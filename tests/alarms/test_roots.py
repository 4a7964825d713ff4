"""One root alarm stands for those it explains; a plant that alarms as a whole is quick and says little."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tests.alarms.rig import Rig, roster_of
from twin.alarms.rows import ALARMS, index_of
from twin.alarms.state import NAMES

POTS = [f"s/L/{n:03d}" for n in range(1, 9)]


def told(rig: Rig) -> list[tuple[str, str]]:
    """Who was annunciated, in order."""
    return [(t.code, t.unit) for t in rig.moved if t.annunciated]


def test_a_silent_gateway_is_one_alarm_and_its_pots_are_listed_under_it() -> None:
    rig = Rig()
    rig.take([rig.event("no_data", pot, True) for pot in POTS[:4]])
    rig.wait(3600)
    assert told(rig) == [("gateway_silent", "s/L/section:1")]
    (root,) = [one for one in rig.moved if one.annunciated]
    assert root.evidence.startswith("no_data at 100 % of the pots, limit 60 %, since 2"), root.evidence
    assert [rig.shown("no_data", pot) for pot in POTS] == ["suppressed"] * 4 + ["normal"] * 4
    rig.take([rig.event("no_data", pot, False) for pot in POTS[:4]])
    rig.wait(3600)
    assert told(rig) == [("gateway_silent", "s/L/section:1")]
    assert rig.shown("gateway_silent", "s/L/section:1") == "returned_unacknowledged"
    assert {rig.shown("no_data", pot) for pot in POTS} == {"normal"}


def test_a_pot_that_stays_silent_when_its_gateway_answers_speaks_for_itself() -> None:
    rig = Rig()
    rig.take([rig.event("no_data", pot, True) for pot in POTS[:4]])
    rig.wait(600)
    rig.take([rig.event("no_data", pot, False) for pot in POTS[1:4]])
    rig.wait(700)
    assert told(rig) == [("gateway_silent", "s/L/section:1"), ("no_data", POTS[0])]


def test_a_silent_line_stands_for_its_gateways() -> None:
    rig = Rig()
    rig.take([rig.event("no_data", pot, True) for pot in POTS])
    rig.wait(3600)
    assert told(rig) == [("line_silent", "s/L")]
    rig.do("ack")
    rig.wait(1800)
    assert told(rig) == [("line_silent", "s/L")] * 2, "it is told again when it was acknowledged and nothing is done"


def test_a_lost_broker_stands_for_everything_that_is_silent() -> None:
    rig = Rig()
    rig.take([rig.event("broker_lost", "s", True)])
    rig.wait(30)
    rig.take([rig.event("no_data", pot, True) for pot in POTS])
    rig.wait(600)
    assert told(rig) == [("broker_lost", "s")]
    assert rig.shown("line_silent", "s/L") == "suppressed"


def test_line_current_that_is_lost_is_one_alarm_and_lingers() -> None:
    rig = Rig()
    rig.take([], rig.readings("s/L", "line_current_ka", (0, 500.0), (1, 499.0), (2, 300.0), (5, 430.0), (9, 301.0)))
    rig.wait(20)
    assert told(rig) == [("line_current_low", "s/L")], "430 kA is between the limits: it is still there"
    rig.take([rig.event("voltage_low", pot, True) for pot in POTS])
    rig.wait(3600)
    rig.take([], rig.readings("s/L", "line_current_ka", (rig.now_s, 470.0)))
    rig.take([rig.event("voltage_low", pot, False) for pot in POTS])
    rig.wait(6000)
    rig.take([rig.event("voltage_high", pot, True) for pot in POTS[:2]])
    rig.wait(400)
    assert told(rig) == [("line_current_low", "s/L")]
    rig.wait(7200)
    assert told(rig)[1:] == [("voltage_high", POTS[0]), ("voltage_high", POTS[1])], "they outlast what explains them"


def test_a_root_out_of_service_stands_for_nothing() -> None:
    rig = Rig()
    rig.do("remove", "s/L/section:1", "gateway_silent")
    rig.take([rig.event("no_data", pot, True) for pot in POTS[:4]])
    rig.wait(600)
    assert told(rig) == [("no_data", pot) for pot in POTS[:4]]
    rig.do("restore", "s/L/section:1", "gateway_silent")
    assert rig.shown("gateway_silent", "s/L/section:1") == "unacknowledged"
    assert rig.shown("no_data", POTS[0]) == "suppressed"


@pytest.mark.parametrize(
    ("signal", "values", "seconds"),
    [("tapped_metal_kg", ((0, 1500.0),), 1800), ("beam_raised", ((0, 1.0), (900, 0.0)), 1500),
     ("anode_changed", ((0, 7.0),), 7200)],
)  # fmt: skip
def test_work_at_a_pot_silences_what_it_causes_there_and_only_for_its_time(
    signal: str, values: tuple[tuple[float, float], ...], seconds: float
) -> None:
    rig = Rig()
    rig.take([], rig.readings(POTS[0], signal, *values))
    rig.take([rig.event("voltage_low", pot, True) for pot in POTS[:2]])
    rig.wait(seconds - 1)
    assert told(rig) == [("voltage_low", POTS[1])]
    rig.wait(1)
    assert told(rig) == [("voltage_low", POTS[1]), ("voltage_low", POTS[0])]


def test_an_anode_effect_is_one_alarm_of_its_pot() -> None:
    rig = Rig()
    rig.take([rig.event("anode_effect", POTS[0], True), rig.event("voltage_high", POTS[0], True)])
    rig.wait(1000)
    assert told(rig) == [("anode_effect", POTS[0])]
    assert rig.shown("voltage_high", POTS[0]) == "suppressed"


def test_a_start_up_is_declared_by_an_engineer_and_ends_by_itself_or_by_word() -> None:
    rig = Rig()
    assert rig.do("declare", POTS[0], "start_up", hours=24, role="operator").status == "not_allowed"
    assert rig.do("declare", POTS[0], "start_up", hours=24).count == 1
    rig.take([rig.event("voltage_low", POTS[0], True)])
    rig.wait(1000)
    assert told(rig) == []
    assert rig.do("withdraw", POTS[0], "start_up").count == 1
    assert told(rig) == [("voltage_low", POTS[0])]
    assert rig.moved[-1].who == "li.wei"


def test_ten_thousand_pots_in_one_second_are_one_alarm_or_at_least_quick() -> None:
    rig = Rig(roster_of(10_000, 20))
    pots = [rig.roster.paths[unit] for unit in rig.roster.pot_codes()]
    silent = [rig.event("no_data", pot, True) for pot in pots]
    began = time.thread_time()
    rig.take(silent)
    rig.wait(300)
    assert time.thread_time() - began < 1.0
    assert told(rig) == [("line_silent", "s/L")]
    hot = [rig.event("bath_hot", pot, True) for pot in pots]
    began = time.thread_time()
    rig.take(hot)
    rig.wait(1000)
    assert time.thread_time() - began < 1.0
    assert len(told(rig)) == 10_001
    began = time.thread_time()
    assert rig.do("ack").count == 10_001
    assert time.thread_time() - began < 1.0


def test_the_order_of_the_table_is_that_in_which_roots_cover() -> None:
    for place, row in enumerate(ALARMS):
        for code in row.covers:
            child = ALARMS[index_of(code)]
            assert index_of(code) > place, f"{row.code} stands for {code}, which is settled before it"
            assert row.linger_s >= child.off_delay_s, f"{code} is still there when {row.code} no longer stands for it"
            assert row.counts != code or row.on_delay_s < child.on_delay_s, f"{code} is told before {row.code}"
    assert len(NAMES) == 9
    assert len(np.unique([row.code for row in ALARMS])) == len(ALARMS)
