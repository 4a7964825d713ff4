"""What models say becomes alarms: with the cause in the message, beside the rules without telling anything twice."""

from __future__ import annotations

import pytest

from tests.alarms.rig import Rig
from tests.core.plants import NOW_NS, NS
from twin.alarms.conditions import CONDITIONS
from twin.alarms.notices import kind_of, notice
from twin.alarms.rows import index_of
from twin.frames import Event

POT, LINE = "s/L/001", "s/L"


def say(rig: Rig, cause: str, unit: str = POT, code: str = "anomaly", *, on: bool = True) -> None:
    rig.now_s += 1
    at = NOW_NS + round(rig.now_s * NS)
    rig.take([Event(at, rig.unit(unit), code, on, "medium", 0.83, 0.5, cause)])


def told(rig: Rig) -> list[tuple[str, str]]:
    return [(t.code, t.unit) for t in rig.moved if t.annunciated]


def test_an_anomaly_is_told_with_its_cause_and_what_to_do_about_it_in_both_languages() -> None:
    rig = Rig()
    say(rig, "burn_off")
    (one,) = rig.wait(300)
    english, chinese = (notice(one, kind_of(one), language, "http://x") for language in ("en", "zh"))
    assert (english.subject, english.evidence) == (f"[medium] Anomaly: {POT}", "burn_off")
    for line in (
        "Seen: burn_off 83%",
        "Likely cause: Anode burned off",
        "What to do: Take the stub out; set a new anode.",
    ):
        assert line in english.text.splitlines()
    assert "可能原因：阳极脱落" in chinese.text
    assert "处理措施：取出残极；换新阳极。" in chinese.text


def test_a_cause_of_a_model_of_ones_own_keeps_its_name_and_the_advice_of_the_table() -> None:
    rig = Rig()
    say(rig, "crane_fault")
    (one,) = rig.wait(300)
    text = notice(one, kind_of(one), "en", "").text
    assert "Likely cause: crane fault" in text
    assert "What to do: See its cause and signals on the page." in text


def test_when_the_model_changes_its_mind_the_alarm_stays_and_says_the_new_cause() -> None:
    rig = Rig()
    say(rig, "feeder_plugged")
    rig.wait(300)
    say(rig, "sludge")
    assert told(rig) == [("anomaly", POT)]
    assert rig.state.evidence[index_of("anomaly"), rig.unit(POT)] == "sludge"
    say(rig, "sludge", on=False)
    assert rig.wait(600)[-1].after == "returned_unacknowledged"


@pytest.mark.parametrize("cause", ["start_up", "power_modulation"])
def test_what_is_planned_asks_nobody_for_anything(cause: str) -> None:
    rig = Rig()
    say(rig, cause)
    say(rig, cause, LINE)
    assert rig.wait(3600) == []
    say(rig, "burn_off")
    assert rig.wait(300)[0].code == "anomaly"


def test_the_rule_stands_for_what_models_say_of_the_same_pot_whoever_comes_first() -> None:
    rig = Rig()
    say(rig, "feeder_hang")
    rig.wait(299)
    rig.wait(2)
    assert told(rig) == [("anomaly", POT)]
    say(rig, "burn_off", "s/L/002")
    rig.occurs("feeder_hang", POT)
    rig.wait(60)
    assert told(rig) == [("anomaly", POT), ("feeder_hang", POT)]
    assert rig.shown("anomaly", POT) == "suppressed"
    say(rig, "anode_effect", code="anode_effect_warning")
    rig.wait(600)
    assert rig.shown("anode_effect_warning", POT) == "suppressed"
    assert told(rig)[2:] == [("anomaly", "s/L/002")], "another pot speaks for itself"


def test_a_rule_and_a_model_of_the_same_second_are_one_alarm_and_the_model_speaks_when_the_rule_is_over() -> None:
    rig = Rig()
    say(rig, "feeder_hang")
    rig.wait(240)
    rig.occurs("feeder_hang", POT)
    rig.wait(100)
    assert told(rig) == [("feeder_hang", POT)]
    rig.ends("feeder_hang", POT)
    rig.wait(3599)
    assert told(rig) == [("feeder_hang", POT)]
    rig.wait(2)
    assert told(rig) == [("feeder_hang", POT), ("anomaly", POT)]


def test_a_feeder_that_works_again_after_the_effect_is_not_told_anew() -> None:
    rig = Rig()
    rig.occurs("feeder_hang", POT)
    rig.wait(100)
    rig.occurs("anode_effect", POT)
    rig.wait(1000)
    rig.ends("anode_effect", POT)
    rig.wait(1750)
    rig.ends("feeder_hang", POT)
    rig.wait(7200)
    assert told(rig) == [("feeder_hang", POT), ("anode_effect", POT)]


def test_an_anode_effect_stands_for_its_warning_its_cause_and_the_anomaly() -> None:
    rig = Rig()
    say(rig, "anode_effect", code="anode_effect_warning")
    rig.wait(60)
    rig.occurs("anode_effect", POT)
    rig.wait(150)
    rig.occurs("feeder_hang", POT)
    say(rig, "feeder_hang")
    rig.wait(1200)
    assert told(rig) == [("anode_effect_warning", POT), ("anode_effect", POT)]
    assert {rig.shown(code, POT) for code in ("feeder_hang", "anomaly", "anode_effect_warning")} == {"suppressed"}


def test_a_less_urgent_rule_does_not_hide_an_anomaly() -> None:
    rig = Rig()
    rig.occurs("bath_cold", POT)
    rig.wait(900)
    say(rig, "sludge")
    rig.wait(300)
    assert told(rig) == [("bath_cold", POT), ("anomaly", POT)]


def test_what_models_say_of_a_line_is_an_alarm_of_the_line_and_rules_stand_for_it() -> None:
    rig = Rig()
    say(rig, "rectifier_loss", LINE)
    rig.wait(300)
    assert told(rig) == [("line_anomaly", LINE)]
    rig.occurs("rectifier_efficiency_low", LINE)
    rig.wait(1)
    assert rig.shown("line_anomaly", LINE) == "suppressed"
    rig.occurs("energy_meter_drift", LINE)
    rig.wait(1)
    assert rig.shown("rectifier_efficiency_low", LINE) == "suppressed", "a meter that counts too much looks like it"
    assert told(rig)[1:] == [("rectifier_efficiency_low", LINE), ("energy_meter_drift", LINE)]


def test_a_lost_current_stands_for_what_is_said_of_its_line_and_its_pots() -> None:
    rig = Rig()
    rig.occurs("line_current_low", LINE)
    rig.wait(10)
    say(rig, "line_current_loss", LINE)
    for pot in ("s/L/001", "s/L/002"):
        say(rig, "cold_pot", pot)
    rig.occurs("rectifier_efficiency_low", LINE)
    rig.wait(3600)
    assert told(rig) == [("line_current_low", LINE)]


def test_the_wrong_clock_of_a_gateway_is_one_alarm() -> None:
    rig = Rig()
    rig.take([rig.event("clock_skew", f"s/L/{n:03d}", True) for n in (1, 2, 3, 4)])
    rig.wait(3600)
    assert told(rig) == [("gateway_clock", "s/L/section:1")]


def test_no_two_alarms_silence_each_other() -> None:
    silences = {(c.alarm, code) for c in CONDITIONS for code in c.silences if c.alarm}
    assert not {(a, b) for a, b in silences if (b, a) in silences}
    assert ("feeder_hang", "anomaly") in silences
    assert ("stuck", "anomaly") not in silences
