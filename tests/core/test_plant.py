"""Plant files: what they may say, how an error names its place, and the roster of units made of them."""

from __future__ import annotations

from importlib.resources import files

import pytest

from tests.core.plants import PLANT, roster_of
from twin import plant
from twin.errors import ConfigError
from twin.plant import Line, Plant, Roster, parse, valid_id

GOOD = PLANT.format(zone="Europe/Berlin", shifts='["06:00", "14:00", "22:00"]', pots=5, period=1, rollover=1e6)


def demo() -> Plant:
    return parse((files("twin") / "plants" / "demo.toml").read_text("utf-8"), "demo")


def test_the_packaged_plant_is_the_demo_line() -> None:
    ((site, line),) = demo().lines()
    assert (site.id, line.id, line.pots, site.time_zone) == ("demo", "A", 60, "Asia/Shanghai")
    assert line.pot_ids()[0] == "A001"
    assert line.pot_ids()[-1] == "A060"
    assert demo().rated_current_ka(line) == 500.0


def test_what_a_file_leaves_out_has_a_default() -> None:
    ((site, line),) = parse(GOOD, "f").lines()
    assert site.title == ""
    assert line.rectifier_efficiency_pct == 98.5
    assert line.pot_ids() == ("001", "002", "003", "004", "005")
    assert [line.section_of(index) for index in range(5)] == [1, 1, 2, 2, 3]


def test_pot_numbers_are_as_wide_as_the_largest() -> None:
    line = Line(id="L", pots=1200, design="d", pot_prefix="P")
    assert line.pot_ids()[0] == "P0001"
    assert line.pot_ids()[-1] == "P1200"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("pots = 5", "pots = 0", ("$.sites[0].lines[0].pots", ">= 1")),
        ("pots = 5", "pots = 5.5", ("$.sites[0].lines[0].pots", "int")),
        ("pots = 5", 'pots = "5"', ("$.sites[0].lines[0].pots", "int")),
        ("pots = 5", "pot_count = 5", ("$.sites[0].lines[0]", "pot_count")),
        ("pots = 5", "", ("pots",)),
        ('id = "L"', 'id = "L/1"', ("$.sites[0].lines[0].id", "matching regex")),
        ('id = "L"', 'id = ""', ("$.sites[0].lines[0].id",)),
        ('id = "s"', 'id = "s\\n"', ("$.sites[0].id",)),
        ('id = "s"', 'id = "s,line=x"', ("$.sites[0].id",)),
        ('id = "s"', 'id = "ſ"', ("$.sites[0].id",)),
        ('design = "d"', 'design = "e"', ("line s/L", "'e'", "describes d")),
        ('"06:00"', '"6:00"', ("shift_starts[0]",)),
        ('"06:00"', '"24:00"', ("shift_starts[0]",)),
        ('"06:00"', '"06:00\\n"', ("shift_starts[0]",)),
        ('"Europe/Berlin"', '"Europe/Nowhere"', ("site s", "'Europe/Nowhere'", "IANA")),
        ('"Europe/Berlin"', '"Europe"', ("site s", "'Europe'", "IANA")),
        ('"Europe/Berlin"', '"../etc"', ("site s", "'../etc'", "IANA")),
        ('"Europe/Berlin"', '""', ("site s", "''", "IANA")),
        ("rollover_kwh = 1000000.0", "rollover_kwh = 0", ("$.sites[0].lines[0].ac_meter.rollover_kwh", "> 0")),
        ("sample_period_s = 1", "sample_period_s = 0.5", ("$.sites[0].lines[0].sample_period_s", ">= 1")),
        (
            "sample_period_s = 1",
            'sample_period_s = 1\npot_prefix = "a b"',
            ("line s/L", "'a b001'", "A-Z a-z 0-9 _ . -"),
        ),
        ("[[sites.lines]]", "[[sites.lines]", ("line 7",)),
        ("[designs.d]", "[[sites]]\nid = 's'\nlines = []\n[designs.d]", ("site s", "twice")),
        ("[designs.d]", "[[sites.lines]]\nid = 'L'\npots = 1\ndesign = 'd'\n[designs.d]", ("line s/L", "twice")),
    ],
)
def test_a_wrong_file_says_where_and_what_is_allowed(old: str, new: str, said: tuple[str, ...]) -> None:
    assert GOOD.count(old) >= 1
    with pytest.raises(ConfigError) as caught:
        parse(GOOD.replace(old, new, 1), "plants/mine.toml")
    message = str(caught.value)
    assert message.startswith("plants/mine.toml: ")
    for part in said:
        assert part in message


@pytest.mark.parametrize("text", ["sites = []\ndesigns = {}", "[[sites]]\nid = 's'\nlines = []\n[designs]"])
def test_a_plant_without_a_line_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="at least one site with one line"):
        parse(text, "f")


@pytest.mark.parametrize("text", ["A1", "a-b.c_d", "0", "x" * 64])
def test_good_ids(text: str) -> None:
    assert valid_id(text)


@pytest.mark.parametrize(
    "text", ["", ".a", "-a", "a/b", "a b", "a,b", "a=b", "a\n", "a+", "#", "ä", "x" * 65, "a\x00", "٣"]
)
def test_bad_ids(text: str) -> None:
    assert not valid_id(text)


def test_a_roster_gives_every_unit_a_code_for_life() -> None:
    roster = roster_of(3)
    assert roster.paths == ["s/L", "s/L/001", "s/L/002", "s/L/003", "s/L/section:1", "s/L/section:2", "s"]
    assert roster.kinds == ["line", "pot", "pot", "pot", "section", "section", "site"]
    assert [roster.code(path) for path in roster.paths] == list(range(7))
    assert roster.line_of == [0, 0, 0, 0, 0, 0, 6]
    assert [roster.is_line(code) for code in range(7)] == [True] + [False] * 6
    assert [roster.is_pot(code) for code in range(7)] == [False, True, True, True, False, False, False]
    assert [roster.section_of(code) for code in range(7)] == [0, 1, 1, 2, 1, 2, 0]
    assert roster.add("s/L/X9") == 7
    assert roster.add("s/L/X9") == 7, "enrolled once"
    assert roster.add("s/L/002") == 2
    assert len(roster) == 8
    assert (roster.kinds[7], roster.section_of(7)) == ("pot", 0)
    assert roster.code("s/L/unknown") is None
    assert roster.line_codes() == [0]
    assert roster.pot_codes() == [1, 2, 3, 7]
    assert roster.of_kind("section") == [4, 5]
    assert roster.of_kind("site") == [6]
    with pytest.raises(KeyError):
        roster.add("s/M/001")


def test_pots_of_several_lines_know_their_own() -> None:
    text = GOOD.replace("[designs.d]", '[[sites.lines]]\nid = "M"\npots = 2\ndesign = "d"\n[designs.d]')
    roster = Roster(plant.parse(text, "f"))
    assert roster.line_codes() == [0, 6]
    assert roster.line_of[:9] == [0, 0, 0, 0, 0, 0, 6, 6, 6]
    assert roster.paths[9:] == ["s/L/section:1", "s/L/section:2", "s/L/section:3", "s/M/section:1", "s"]
    assert roster.line_of[9:] == [0, 0, 0, 6, 13]
    assert roster.line_of[roster.add("s/M/X")] == 6


def test_what_is_summed_up_has_names_that_no_message_can_have() -> None:
    roster = roster_of(5)
    assert all(valid_id(path.split("/")[2]) for path in (roster.paths[code] for code in roster.pot_codes()))
    assert not any(valid_id(roster.paths[code].split("/")[2]) for code in roster.of_kind("section"))


def test_a_day_of_commissioning_that_is_none_names_the_line() -> None:
    wrong = GOOD.replace('id = "L"', 'id = "L"\ncommissioned = "spring"')
    with pytest.raises(ConfigError, match=r"line s/L: commissioned 'spring' is not a date"):
        plant.parse(wrong, "test")
