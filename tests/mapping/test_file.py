"""Errors of a mapping file name the row, what is wrong and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.mapping.maps import codec_with
from twin.cli import app
from twin.errors import ConfigError
from twin.mapping.pattern import Pattern, Template
from twin.parts import codec_of, roster_of
from twin.settings import resolve

GOOD = """
[[row]]
name = "pots"
topic = "plant/{line}/pot{pot:d}/data"
format = "json"
unit = "s/{line}/{pot:03d}"
time = { path = "ts" }
signal = [{ name = "voltage_v", path = "u" }]
"""
CSV = GOOD.replace('"json"', '"csv"')
LINES = GOOD.replace('"json"', '"line_protocol"').replace('time = { path = "ts" }', "")


def changed(before: str, after: str, text: str = GOOD) -> str:
    assert before in text
    return text.replace(before, after)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["there is no [[row]]", "docs/sensor-formats.md"]),
        ("[[rows]]\n", ["'rows'", "[[row]]"]),
        ("[[row]\n", ["map.toml"]),
        (changed('name = "pots"', 'title = "pots"'), ["row 1", "`title`", "keys are topic, format"]),
        (changed('"json"', '"xml"'), ["row 1 (pots)", "'xml'"]),
        (changed('unit = "s/{line}/{pot:03d}"', ""), ["row 1 (pots)", "`unit`"]),
        (changed("{pot:03d}", "{pots}"), ["unit", "{pots}", "caught are line, pot"]),
        (changed("s/{line}/{pot:03d}", "{line}"), ["site/line or site/line/pot"]),
        (changed("s/{line}/{pot:03d}", "s/{line}"), ["voltage_v", "of a pot", "site/line/pot"]),
        (changed("s/{line}/{pot:03d}", "s/L/{pot:x}"), ["{pot:x}", "{name:03d}"]),
        (changed("pot{pot:d}", "pot{pot:3d}"), ["topic", "{pot:3d}", "{pot:d} (whole number)"]),
        (changed("pot{pot:d}", "{line}"), ["{line}", "twice"]),
        (changed("pot{pot:d}", "{a}{pot:d}"), ["{a}{pot:d}", "between two places"]),
        (changed("/data", "/#/data"), ["`#`", "at the end"]),
        (changed("/data", "/da+a"), ["whole levels"]),
        (changed("/data", "/{Data}"), ["{name}"]),
        (changed("plant/", "smelter/"), ["row 1 (pots)", "'smelter'", "mqtt.root"]),
        (changed('time = { path = "ts" }', ""), ["time is missing", 'time = "arrival"', "UNCERTAIN"]),
        (changed('{ path = "ts" }', '"now"'), ["row 1 (pots)", "time"]),
        (changed('{ path = "ts" }', '{ format = "iso" }'), ["time has no path"]),
        (changed('"ts" }', '"ts", format = "posix" }'), ["'posix'", "auto, iso, epoch_s", "%d.%m.%Y"]),
        (changed('"ts" }', '"ts", zone = "Mars/North" }'), ["'Mars/North'", "Asia/Shanghai"]),
        (changed('"ts" }', '"ts", format = "%H:%M" }'), ["zone", "Asia/Shanghai"]),
        (changed("voltage_v", "voltage"), ["'voltage'", "did you mean", "voltage_v"]),
        (changed("voltage_v", "line_current_ka"), ["line_current_ka", "of a line", "site/line"]),
        (changed('path = "u"', 'path = "u", unit = "C"'), ["signal voltage_v", "'C'", "V, mV", "factor"]),
        (changed('path = "u"', 'path = "u", factor = 0.0'), ["factor 0.0"]),
        (changed('path = "u"', 'path = "u", offset = inf'), ["offset inf"]),
        (changed('path = "u"', 'path = "u", key = "U"'), ["key", "{signal}"]),
        (changed('path = "u"', 'path = "u", quality = "q"'), ["quality = { good"]),
        (changed('path = "u"', 'path = "u", words = { A = 1 }, factor = 2.0'), ["words", "factor"]),
        (changed('path = "u"', 'path = "u", words = { A = 999 }'), ["'A'", "999", "-2 ... 150"]),
        (changed('path = "u"', 'path = "u..v"'), ["row 1 (pots)", "'u..v'", "values.u"]),
        (changed(', path = "u"', ""), ["path is missing"]),
        (changed("}]", '}, { name = "voltage_v", path = "w" }]'), ["'voltage_v'", "twice"]),
        (changed("}]", "}, { name = 3 }]"), ["row 1 (pots), signal 2", "keys are name, path, key"]),
        (changed("[[row]]", '[[row]]\nmeasurement = "m"'), ["measurement", "json", "line_protocol"]),
        (changed("[[row]]", "[[row]]\ntake = { pot = '{pot:d}' }"), ["{pot}", "topic and take"]),
        (changed("[[row]]", "[[row]]\nnames = { hall = { A = 'L' } }"), ["names", "{hall}", "line, pot"]),
        (CSV, ["columns", "header = true"]),
        (changed("[[row]]", '[[row]]\ncolumns = ["ts", "v"]', CSV), ["'u'", "ts, v"]),
        (changed("unit =", 'time = { path = "t" }\nunit =', LINES), ["its own time"]),
        (changed('"json"', '"number"'), ["plain number has no time"]),
        (changed('"json"', '"number"').replace('{ path = "ts" }', '"arrival"'), ["path has no meaning"]),
    ],
)
def test_an_error_says_where_what_and_what_is_allowed(text: str, said: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        codec_with(text)
    message = str(caught.value)
    assert message.startswith("map.toml")
    for part in said:
        assert part in message


def test_the_good_one_is_good_and_the_second_row_is_named_as_such() -> None:
    assert codec_with(GOOD).beside is not None
    with pytest.raises(ConfigError, match=r"map\.toml: row 2 \(pots\)"):
        codec_with(GOOD + changed("voltage_v", "x"))


def test_subscriptions_are_plain_mqtt_filters() -> None:
    beside = codec_with(GOOD + changed("plant/", "hall/+/").replace('{ path = "ts" }', '"arrival"')).beside
    assert beside is not None
    assert beside.filters == ("plant/+/+/data", "hall/+/+/+/data")
    assert beside.fresh == {"hall/+/+/+/data"}


@pytest.mark.parametrize(
    ("pattern", "topic", "caught"),
    [
        ("a/{x}/b", "a/1/b", {"x": "1"}),
        ("a/{x}/b", "a/1/2/b", None),
        ("a/{x}/b", "a//b", None),
        ("a/p{n:d}-{x}/#", "a/p07-q", {"n": "07", "x": "q"}),
        ("a/p{n:d}-{x}/#", "a/p07-q/r/s", {"n": "07", "x": "q"}),
        ("a/p{n:d}", "a/p", None),
        ("a/p{n:d}", "a/p1\n", None),
        ("a/p{n:d}", "a/p²", None),
        ("a/{x}-{y}", "a/1-2-3", {"x": "1", "y": "2-3"}),
        ("a/{x}-", "a/1", None),
        ("a/+/c", "a//c", {}),
        ("a.b", "aXb", None),
        ("#", "a/b", {}),
    ],
)
def test_patterns(pattern: str, topic: str, caught: dict[str, str] | None) -> None:
    assert Pattern(pattern).match(topic) == caught


def test_templates() -> None:
    assert Template("s/{a}/A{n:03d}x").fill({"a": "L", "n": "7"}) == "s/L/A007x"


def test_the_setting_names_the_file_and_a_missing_one_is_told(tmp_path: Path) -> None:
    file = tmp_path / "map.toml"
    file.write_text(GOOD)
    settings = resolve(flags={"ingest.map": str(file)})
    assert codec_of(settings, roster_of(settings)).beside is not None
    nowhere = resolve(flags={"ingest.map": "/nowhere.toml"})
    with pytest.raises(ConfigError, match=r"ingest\.map = '/nowhere\.toml' cannot be read"):
        codec_of(nowhere, roster_of(nowhere))
    assert codec_of(resolve(), roster_of(resolve())).beside is None


def said(*words: str) -> str:
    result = CliRunner(env={"COLUMNS": "300"}).invoke(app, ["map", "check", *words])
    if result.exception:
        raise result.exception
    return result.output


def test_map_check_shows_the_rows_and_what_becomes_of_a_message(tmp_path: Path) -> None:
    file = tmp_path / "map.toml"
    file.write_text(GOOD.replace('"s/', '"demo/').replace("{pot:03d}", "A{pot:03d}"))
    assert said(str(file)).splitlines() == [
        "1 rows; subscriptions: plant/+/+/data",
        "row 1 (pots): json of plant/{line}/pot{pot:d}/data -> demo/{line}/A{pot:03d}, time ts as auto",
        "    voltage_v <- u [V] * 1 + 0",
    ]
    (tmp_path / "load").write_text('{"ts": "2025-11-24T06:00:00Z", "u": 4.01}')
    tried = ("--topic", "plant/A/pot7/data", "--payload")
    assert said(str(file), *tried, f"@{tmp_path / 'load'}").splitlines() == [
        "matches row 1 (pots)",
        "  2025-11-24T06:00:00Z  demo/A/A007  voltage_v = 4.01 V  GOOD",
    ]
    parked = said(str(file), *tried, '{"ts": 1763964000000, "u": "x"}')
    assert "parked: wrong_type at u: row 'pots': 'x' is not a number. A signal is" in parked
    assert "no row matches the topic; patterns are plant/{line}" in said(str(file), "--topic", "x", "--payload", "1")
    assert "nothing: none of the row's paths" in said(str(file), *tried, '{"ts": 1763964000000}')
    with pytest.raises(ConfigError, match="together"):
        said(str(file), "--topic", "x")
    with pytest.raises(ConfigError, match="nowhere"):
        said(str(file), *tried, "@/nowhere")
