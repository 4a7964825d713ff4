"""Who may do what to alarms, and what every command wants to be told."""

from __future__ import annotations

import pytest

from tests.alarms.rig import Rig
from tests.core.plants import NOW_NS, NS
from twin.alarms.commands import ACTIONS, ROLES, Command, Role, command

POT = "s/L/001"


def ask(rig: Rig, **named: object) -> str:
    fields: dict[str, object] = {"action": "ack", "who": "li.wei", "role": "engineer", "unit": POT}
    _, answer = command(rig.layout, rig.state, Command(**(fields | named)), rig.now_ns)  # type: ignore[arg-type]
    return f"{answer.status} {answer.detail}"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", ACTIONS)
def test_a_role_may_do_what_the_table_says_and_no_more(action: str, role: Role) -> None:
    code = "start_up" if action in ("declare", "withdraw") else "noisy"
    said = ask(Rig(), action=action, role=role, code=code, why="x", until_ns=NOW_NS + 3600 * NS)
    assert (ROLES.index(role) >= ROLES.index(ACTIONS[action].role)) == (not said.startswith("not_allowed"))


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"action": "explode"}, "wrong 'explode' is not one of ack, reset"), ({"who": ""}, "wrong a user name"),
        ({"who": "a\nb"}, "wrong a user name"), ({"who": "x" * 65}, "wrong a user name"),
        ({"unit": "s/X"}, "unknown there is no unit 's/X'"), ({"code": "fire"}, "unknown there is no alarm 'fire'"),
        ({"action": "shelve"}, "wrong shelve: name the alarm"),
        ({"action": "shelve", "code": "noisy", "why": " "}, "wrong shelve: say why"),
        ({"action": "shelve", "code": "noisy", "why": "x" * 501}, "wrong shelve: say why"),
        ({"action": "shelve", "code": "noisy", "why": "x"}, "wrong shelve: until when?"),
        ({"action": "shelve", "code": "noisy", "why": "x", "until_ns": NOW_NS + 15 * 86400 * NS},
         "not_allowed shelve: at most 336 h"),
        ({"action": "shelve", "code": "noisy", "why": "x", "role": "operator", "until_ns": NOW_NS + 13 * 3600 * NS},
         "not_allowed shelve: at most 12 h"),
        ({"action": "shelve", "code": "anode_effect", "why": "x", "role": "operator", "until_ns": NOW_NS + NS},
         "not_allowed anode_effect has high priority"),
        ({"action": "shelve", "code": "line_current_low", "why": "x", "until_ns": NOW_NS + NS},
         "unknown line_current_low is an alarm of a line"),
        ({"action": "declare", "code": "noisy", "why": "x", "until_ns": NOW_NS + NS},
         "unknown 'noisy' is not declared"),
        ({}, "nothing no alarm there"), ({"action": "reset"}, "nothing"), ({"action": "unshelve"}, "nothing"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_says_what_could(named: dict[str, object], said: str) -> None:
    rig = Rig()
    assert ask(rig, **named).startswith(said)
    assert rig.moved == []


def test_a_command_reaches_a_unit_all_below_it_or_all() -> None:
    def effects() -> Rig:
        rig = Rig()
        rig.take([rig.event("anode_effect", f"s/L/00{n}", True) for n in (1, 2, 5)])
        rig.wait(150)
        return rig

    assert [effects().do("ack", name).count for name in ("s/L/001", "s/L/section:1/*", "s/L/*", "s/*", "")] == [
        1,
        2,
        3,
        3,
        3,
    ]
    assert effects().do("ack", "s/L").count == 0
    assert effects().do("ack", "s/L/*", "noisy").count == 0


def test_shelving_anew_is_told_again_and_counts_from_then() -> None:
    rig = Rig()
    rig.do("shelve", POT, "noisy", hours=1)
    rig.do("shelve", POT, "noisy", hours=3, why="longer")
    assert [t.event for t in rig.moved] == ["shelved", "shelved"]
    rig.wait(3 * 3600 - 1)
    assert rig.shown("noisy", POT) == "shelved"
    rig.wait(1)
    assert rig.shown("noisy", POT) == "normal"


def test_a_latched_alarm_is_reset_only_when_it_is_over_and_acknowledged() -> None:
    rig = Rig()
    rig.occurs("line_current_low", "s/L")
    rig.wait(10)
    assert rig.do("reset").status == "nothing"
    rig.ends("line_current_low", "s/L")
    rig.wait(60)
    assert rig.do("reset").status == "nothing"
    rig.do("ack")
    assert rig.shown("line_current_low", "s/L") == "latched_acknowledged"
    assert rig.do("reset").count == 1
    assert rig.shown("line_current_low", "s/L") == "normal"


def test_a_quench_silences_its_effect_and_a_restrike_is_in_sight_at_once() -> None:
    rig = Rig()
    rig.occurs("anode_effect", POT)
    rig.take([], rig.readings(POT, "anode_effect_kill", (100, 1.0)), now_s=100)
    rig.wait(400)
    assert rig.moved == [], "the controller was quicker than the delay"
    assert rig.shown("anode_effect", POT) == "suppressed"
    rig.take([], rig.readings(POT, "voltage_v", (600, 25.0)), now_s=600)
    assert rig.shown("anode_effect", POT) == "unacknowledged"
    rig.do("ack")
    rig.take([], rig.readings(POT, "anode_effect_kill", (700, 2.0)), now_s=700)
    rig.take([], rig.readings(POT, "voltage_v", (900, 25.0)), now_s=900)
    assert rig.shown("anode_effect", POT) == "acknowledged", "the same trouble, of which somebody knows"
    rig.take([], rig.readings(POT, "anode_effect_kill", (1500, 2.0)), now_s=1500)
    rig.take([rig.event("anode_effect", POT, False)], now_s=1510)
    rig.take([rig.event("anode_effect", POT, True)], rig.readings(POT, "voltage_v", (2700, 25.0)), now_s=2700)
    assert rig.shown("anode_effect", POT) == "unacknowledged", "half an hour after it was acknowledged it is told again"


def test_an_effect_that_was_not_acknowledged_is_told_again_when_it_strikes_again() -> None:
    rig = Rig()
    rig.occurs("anode_effect", POT)
    rig.wait(200)
    rig.take([], rig.readings(POT, "anode_effect_kill", (300, 2.0)), now_s=300)
    rig.moved.clear()
    rig.take([], rig.readings(POT, "voltage_v", (500, 25.0)), now_s=500)
    assert [(one.event, one.after) for one in rig.moved] == [("unsuppressed", "unacknowledged")]


def test_a_re_alarm_counts_from_when_it_was_acknowledged() -> None:
    rig = Rig()
    rig.occurs("voltage_low", POT)
    rig.wait(7000)
    rig.do("ack")
    rig.wait(14399)
    assert rig.shown("voltage_low", POT) == "acknowledged"
    rig.wait(1)
    assert rig.shown("voltage_low", POT) == "unacknowledged"
