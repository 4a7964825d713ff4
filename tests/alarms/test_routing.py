"""The alarm file: who is told of what by area, priority, class, shift and hour; what is wrong with it; the words."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from tests.alarms.rig import roster_of
from tests.alarms.telling import transition
from twin.alarms.notices import KINDS, common, digest, kind_of, notice
from twin.alarms.routing import AlarmFile, areas_of, default, parse, recipients, steps
from twin.alarms.rows import ALARMS, EVENTS, OF_LINE, RATIONAL, ROOTS
from twin.alarms.state import NAMES
from twin.alarms.texts import EN, LANGUAGES, ZH
from twin.causes import CAUSES
from twin.errors import ConfigError
from twin.faults import FAULTS, JUDGED
from twin.times import parse_time

ROSTER = roster_of()
CHANNELS = "".join(f'[[channels]]\nkind = "webhook"\nname = "{name}"\nurl = "http://x"\n' for name in "abc")
NIGHT, DAY = "2026-03-01T18:30:00Z", "2026-03-01T03:00:00Z"  # 02:30 and 11:00 in Shanghai


def file_of(text: str) -> AlarmFile:
    return parse(CHANNELS + text, "alarms.toml", ROSTER.paths)


def told(file: AlarmFile, code: str = "anode_effect", unit: str = "s/L/001", at: str = DAY) -> list[str]:
    return recipients(file, ROSTER.plant, unit, code, "raised", parse_time(at))


@pytest.mark.parametrize(
    ("row", "code", "unit", "at", "reached"),
    [
        ("", "anode_effect", "s/L/001", DAY, True),
        ('areas = ["s/L/001"]', "anode_effect", "s/L/001", DAY, True),
        ('areas = ["s/L/001"]', "anode_effect", "s/L/002", DAY, False),
        ('areas = ["s/L"]', "gateway_silent", "s/L/section:1", DAY, True),
        ('areas = ["s/L"]', "broker_lost", "s", DAY, False),
        ('priorities = ["high"]', "anode_effect", "s/L/001", DAY, True),
        ('priorities = ["high"]', "noisy", "s/L/001", DAY, False),
        ('classes = ["instrument", "system"]', "no_data", "s/L/001", DAY, True),
        ('classes = ["instrument"]', "noisy", "s/L/001", DAY, False),
        ('codes = ["noisy"]', "noisy", "s/L/001", DAY, True),
        ('codes = ["noisy"]', "no_data", "s/L/001", DAY, False),
        ('shifts = ["08:00"]', "noisy", "s/L/001", DAY, True),
        ('shifts = ["08:00"]', "noisy", "s/L/001", NIGHT, False),
        ('shifts = ["00:00"]', "noisy", "s/L/001", NIGHT, True),
        ('hours = "08:00-20:00"', "noisy", "s/L/001", DAY, True),
        ('hours = "08:00-20:00"', "noisy", "s/L/001", NIGHT, False),
        ('hours = "20:00-08:00"', "noisy", "s/L/001", NIGHT, True),
        ('hours = "20:00-08:00"', "noisy", "s/L/001", DAY, False),
        ('events = ["cleared"]', "noisy", "s/L/001", DAY, False),
    ],
)
def test_a_row_reaches_what_fits_all_of_it(row: str, code: str, unit: str, at: str, reached: bool) -> None:
    assert told(file_of(f'[[routes]]\nto = ["a"]\n{row}\n'), code, unit, at) == (["a"] if reached else [])


def test_each_channel_is_told_once_in_the_order_of_the_file() -> None:
    text = '[[routes]]\nto = ["b", "a"]\n[[routes]]\nto = ["a", "c"]\n[[routes]]\nto = ["c"]\ncodes = ["noisy"]\n'
    assert told(file_of(text)) == ["b", "a", "c"]


def test_steps_of_several_rows_are_one_ladder() -> None:
    text = (
        '[[routes]]\nto = ["a"]\nescalate = [{after_min = 10, to = ["b"]}, {after_min = 60, to = ["c"]}]\n'
        '[[routes]]\nto = ["a"]\nescalate = [{after_min = 30, to = ["b", "c"]}]\n'
    )
    assert steps(file_of(text), ROSTER.plant, "s/L/001", "noisy", parse_time(DAY)) == [
        (600, ["b"]), (1800, ["b", "c"]), (3600, ["c"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[routes]]\nto = ["d"]\n', "route 1: channel 'd' is not one of a, b, c"),
        ('[[routes]]\nto = ["a"]\nareas = ["s/X"]\n', "route 1: area 's/X' is not one of"),
        ('[[routes]]\nto = ["a"]\ncodes = ["fire"]\n', "route 1: alarm 'fire' is not one of"),
        ('[[routes]]\nto = ["a"]\nhours = "8-20"\n', "routes"),
        ('[[routes]]\nto = ["a"]\npriority = ["high"]\n', "unknown field `priority`"),
        ('[[routes]]\nto = []\n', "length >= 1"),
        ('[[routes]]\nto = ["a"]\nescalate = [{after_min = 9, to = ["b"]}, {after_min = 5, to = ["b"]}]\n', "order"),
        ('[[routes]]\nto = ["a"]\nescalate = [{after_min = 9, to = ["e"]}]\n', "channel 'e'"),
        ('[[channels]]\nkind = "webhook"\nname = "a"\nurl = "http://y"\n', "channel 'a' is described twice"),
        ('[[channels]]\nkind = "pigeon"\nname = "p"\n', "pigeon"),
        ('[[positions]]\nname = "room"\nareas = ["s/Y"]\n', "position room: area 's/Y'"),
        ('[[users]]\nname = "li.wei"\nrole = "boss"\ntoken_file = "x"\n', "boss"),
        ("language = ", "alarms.toml"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        file_of(text)


def test_without_a_file_the_broker_has_the_state_of_every_alarm() -> None:
    assert told(default()) == ["mqtt"]
    assert areas_of(default(), ROSTER.plant) == {"s/L": ["s/L"]}
    positions = file_of('[[positions]]\nname = "east"\nareas = ["s/L/section:1"]\n')
    assert areas_of(positions, ROSTER.plant) == {"east": ["s/L/section:1"]}


def test_both_languages_have_the_same_texts_with_the_same_places() -> None:
    for field in fields(EN):
        mine, theirs = getattr(EN, field.name), getattr(ZH, field.name)
        if isinstance(mine, str):
            assert re.findall(r"{\w+}", mine) == re.findall(r"{\w+}", theirs) or sorted(
                re.findall(r"{\w+}", mine)
            ) == sorted(re.findall(r"{\w+}", theirs)), field.name
        elif field.name not in ("alarms", "causes"):
            assert mine.keys() == theirs.keys(), field.name
            for key in mine:
                assert sorted(re.findall(r"{\w+}", mine[key])) == sorted(re.findall(r"{\w+}", theirs[key])), key
    assert EN.causes.keys() == ZH.causes.keys() == {cause.name for cause in CAUSES}
    assert all(re.search(r"[\u4e00-\u9fff]", text) for texts in ZH.causes.values() for text in texts)
    assert set(EN.states) == set(NAMES)
    assert set(EN.subjects) == set(KINDS) - {"digest"}


@pytest.mark.parametrize("row", ALARMS, ids=lambda row: row.code)
def test_every_alarm_says_in_both_languages_what_it_is_why_it_comes_and_what_to_do(row: object) -> None:
    alarm = next(one for one in ALARMS if one is row)
    for words in LANGUAGES.values():
        for text in (words.title(alarm), *words.rational(alarm)):
            assert len(text) > 2
    assert alarm.code in ZH.alarms, "give it a Chinese text in twin.alarms.texts"
    assert re.search(r"[\u4e00-\u9fff]", ZH.title(alarm))
    assert set(ZH.alarms) == {one.code for one in ALARMS}


def test_every_fault_and_whatever_models_say_is_an_alarm_that_somebody_has_rationalized() -> None:
    roots = {row.code for row in ROOTS}
    raised = {fault.code for fault in FAULTS} - roots - EVENTS | JUDGED.keys() | set(OF_LINE.values())
    assert {row.code for row in ALARMS if not row.is_root} == raised == RATIONAL.keys()
    assert len({row.code for row in ALARMS}) == len(ALARMS)
    assert {fault.code for fault in FAULTS if fault.of == "line"} - roots <= {
        r.code for r in ALARMS if r.scope == "line"
    }


def test_high_is_rare_and_what_instruments_say_is_low() -> None:
    plain = [row for row in ALARMS if not row.is_root]
    assert sum(row.priority == "high" for row in plain) <= len(plain) / 6
    assert sum(row.priority == "low" for row in plain) >= len(plain) / 2
    assert {row.priority for row in plain if row.klass == "instrument"} == {"low"}


def test_a_digest_of_digests_counts_all_and_names_the_most_urgent() -> None:
    low = [notice(transition(n, "noisy", f"s/L/{n:03d}"), "raised", "en", "") for n in range(1, 30)]
    high = [notice(transition(0, "anode_effect", "s/L/001"), "raised", "en", "")]
    first = digest(low, "2026-03-01T00:00:00Z", "en", "http://x/")
    whole = digest([first, *high], "2026-03-01T00:00:00Z", "zh", "http://x/")
    assert (whole.count, whole.priority, whole.unit) == (30, "high", "s/L")
    assert "anode" in whole.items[0].lower() or "阳极" in whole.items[0]
    assert len(whole.items) == 20
    assert whole.subject == "30 条报警：s/L"


def test_the_place_of_many_is_what_they_share() -> None:
    assert common(["s/L/001", "s/L/002"]) == "s/L"
    assert common(["s/L/001", "t/L/001"]) == ""
    assert common(["s/L/001", "s/L"]) == "s/L"


def test_every_state_is_told_as_some_kind() -> None:
    assert {kind_of(transition(after=state)) for state in NAMES} <= set(KINDS)
    assert kind_of(transition(event="realarmed")) == "realarmed"
