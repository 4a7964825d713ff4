"""What rows say: topics, paths, units, times, flags and words, format by format."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.plants import NOW_NS
from tests.mapping.maps import MS, decode, readings, reasons
from twin.salvage import REASONS

POT = """
[[row]]
name = "pots"
topic = "plant/{line}/pot{pot:d}/data"
format = "json"
unit = "s/{line}/{pot:03d}"
names = { line = { PL1 = "L" } }
time = { path = "ts", format = "epoch_ms" }
quality = { path = "q", good = [192, "good", true], uncertain = [64] }
signal = [
    { name = "voltage_v", path = "v.u", unit = "mV" },
    { name = "bath_temperature_c", path = 'v."T.bath"', unit = "K" },
    { name = "feed_mode", path = "mode", words = { NORMAL = 0, OVER = 2 } },
    { name = "noise_mv", path = "n[1]", factor = 2.0, offset = 1.0, quality = "nq" },
]
"""
TOPIC = "plant/PL1/pot2/data"


def test_a_message_becomes_readings_in_our_units() -> None:
    load = {"ts": MS - 500, "q": 192, "v": {"u": 4012, "T.bath": 1230.15}, "mode": "OVER", "n": [0, 5], "nq": 64}
    decoded = decode(POT, (TOPIC, load))
    assert [row[:3] + row[4:] for row in readings(decoded)] == [
        (-0.5, 2, "voltage_v", "GOOD"),
        (-0.5, 2, "bath_temperature_c", "GOOD"),
        (-0.5, 2, "feed_mode", "GOOD"),
        (-0.5, 2, "noise_mv", "UNCERTAIN"),
    ]
    assert [row[3] for row in readings(decoded)] == pytest.approx([4.012, 957.0, 2.0, 11.0])
    assert (decoded.problems, decoded.parked) == ((), 0)


@pytest.mark.parametrize(
    ("flag", "quality"), [(192, "GOOD"), ("good", "GOOD"), (True, "GOOD"), (64, "UNCERTAIN"), (0, "BAD"), (1, "BAD")]
)
def test_the_plants_own_quality_flag(flag: object, quality: str) -> None:
    value = None if quality == "BAD" else 4.0
    decoded = decode(POT, (TOPIC, {"ts": MS, "q": flag, "v": {"u": 4000}}))
    assert readings(decoded) == [(0.0, 2, "voltage_v", value, quality)]
    assert decoded.parked == 0, "the plant says that it is bad: nothing is wrong with the message"


def test_a_flag_that_is_wanted_and_missing_makes_the_value_uncertain() -> None:
    assert readings(decode(POT, (TOPIC, {"ts": MS, "v": {"u": 4000}}))) == [(0.0, 2, "voltage_v", 4.0, "UNCERTAIN")]


def test_null_nan_and_infinity_become_bad_readings_never_silence() -> None:
    for text, wanted in (
        ("null", []),
        ("NaN", ["not_finite"]),
        ("-Infinity", ["not_finite"]),
        ("1e999", ["not_finite"]),
    ):
        decoded = decode(POT, (TOPIC, f'{{"ts": {MS}, "q": 192, "v": {{"u": {text}}}}}'))
        assert readings(decoded) == [(0.0, 2, "voltage_v", None, "BAD")]
        assert reasons(decoded) == [(reason, "v.u") for reason in wanted]


@pytest.mark.parametrize(
    ("load", "wanted"),
    [
        ({"q": 192, "v": {"u": 1}}, ("missing_time", "ts")),
        ({"ts": "x", "v": {"u": 1}}, ("bad_time", "ts")),
        ({"ts": 5, "v": {"u": 1}}, ("bad_time", "ts")),
        ({"ts": MS + 61_000, "v": {"u": 1}}, ("future_time", "ts")),
        ({"ts": MS, "v": {"u": "4012"}}, ("wrong_type", "v.u")),
        ({"ts": MS, "v": {"u": True}}, ("wrong_type", "v.u")),
        ({"ts": MS, "v": {"u": [1]}}, ("wrong_type", "v.u")),
        ({"ts": MS, "v": {"u": 160_000}}, ("out_of_range", "v.u")),
        ({"ts": MS, "mode": "QUENCH"}, ("wrong_type", "mode")),
        (b"[1]", ("map_mismatch", "")),
        (b"{", ("malformed", "")),
        (b"\xff\xfe", ("malformed", "")),
        (b"[" * 100_000, ("too_deep", "")),
        ({"ts": MS, "v": {"u": 4012, "x": [[[[[[[1]]]]]]]}}, ("too_deep", "")),
        (b"", ("malformed", "")),
        (b'{"ts": 1%s}' % (b"0" * 6000), ("malformed", "")),
    ],
)
def test_what_does_not_fit_is_parked_whole_with_row_path_and_hint(load: Any, wanted: tuple[str, str]) -> None:
    good = (TOPIC, {"ts": MS, "q": 192, "v": {"u": 4000}})
    decoded = decode(POT, good, (TOPIC, load), good)
    assert reasons(decoded) == [wanted]
    (problem,) = decoded.problems
    assert "row 'pots'" in problem.detail
    assert problem.reason in REASONS
    assert len(problem.detail) <= 500
    assert (problem.topic, decoded.parked) == (TOPIC, 1)
    assert [row for row in readings(decoded) if row[3] is not None] == [(0.0, 2, "voltage_v", 4.0, "GOOD")] * 2


def test_a_unit_that_the_plant_does_not_have_is_parked() -> None:
    load = {"ts": MS, "v": {"u": 4000}}
    decoded = decode(POT, ("plant/PL1/pot9/data", load), ("plant/X/pot1/data", load))
    assert reasons(decoded) == [("unknown_unit", "")] * 2


def test_a_topic_that_no_row_matches_is_the_contracts_own() -> None:
    own = {"time": MS, "voltage_v": 4.0}
    decoded = decode(
        POT, ("smelter/s/L/001/telemetry", own), ("plant/PL1/potX/data", own), (TOPIC, {"ts": MS, "mode": 1})
    )
    assert readings(decoded) == [(0.0, 1, "voltage_v", 4.0, "GOOD"), (0.0, 2, "feed_mode", 1.0, "UNCERTAIN")]
    assert reasons(decoded) == [("bad_topic", "")]


def test_a_payload_larger_than_allowed_is_parked_unread() -> None:
    assert reasons(decode(POT, (TOPIC, b"x" * 101), max_payload=100)) == [("oversize", "")]


TALL = """
[[row]]
topic = "kepware/#"
format = "json"
items = "values"
take = { id = "{line}.Pot{pot:d}.{signal}" }
unit = "s/{line}/{pot:03d}"
time = { path = "t", format = "epoch_ms" }
quality = { path = "q", good = [true] }
signal = [
    { name = "voltage_v", path = "v", key = "U" },
    { name = "bath_temperature_c", path = "v", key = "T" },
]
"""


def test_an_array_of_named_values() -> None:
    values = [
        {"id": "L.Pot1.U", "v": 4.0, "q": True, "t": MS},
        {"id": "L.Pot3.T", "v": 957, "q": True, "t": MS - 1000},
        {"id": "L.Pot1.T", "v": 958, "q": False, "t": MS},
        {"id": "L.Pot1.Other", "v": "x", "q": True, "t": MS},
        {"id": "bogus", "v": 4.0, "q": True, "t": MS},
    ]
    decoded = decode(TALL, ("kepware/iot", {"timestamp": MS, "values": values}))
    assert readings(decoded) == [
        (0.0, 1, "voltage_v", 4.0, "GOOD"),
        (-1.0, 3, "bath_temperature_c", 957.0, "GOOD"),
        (0.0, 1, "bath_temperature_c", None, "BAD"),
    ]
    assert reasons(decoded) == [("map_mismatch", "id")]
    assert decoded.unknown == {"Other": 1}
    assert readings(decode(TALL, ("kepware/iot", {"values": values[:3]}))) == readings(decoded), (
        "many at once say the same"
    )


def test_items_that_are_no_list_are_a_mismatch() -> None:
    loads: list[Any] = [{"values": 1}, {}, [], {"values": [1]}]
    assert reasons(decode(TALL, *(("kepware/x", load) for load in loads))) == [
        ("map_mismatch", "values"), ("map_mismatch", "values"), ("map_mismatch", "values"), ("map_mismatch", ""),
    ]  # fmt: skip


ROOTED = """
[[row]]
topic = "gw/{line}"
format = "json"
items = "pots"
take = { no = "{pot:d}" }
unit = "s/{line}/{pot:03d}"
time = { path = "$.head.time" }
signal = [{ name = "voltage_v", path = "u" }]
text = true
decimal = ","
"""


def test_a_time_of_the_whole_message_and_numbers_that_are_texts() -> None:
    load = {
        "head": {"time": "2025-11-24T06:00:00Z"},
        "pots": [{"no": 1, "u": "4,01"}, {"no": 2, "u": ""}, {"no": 3, "u": "x"}],
    }
    decoded = decode(ROOTED, ("gw/L", load))
    assert [row[3] for row in readings(decoded)] == [4.01, None, None]
    assert reasons(decoded) == [("wrong_type", "u")]


NUMBER = """
[[row]]
topic = "raw/{line}/{pot:d}/{signal}"
format = "number"
unit = "s/{line}/{pot:03d}"
time = "arrival"
signal = [
    { name = "voltage_v", key = "volt" },
    { name = "feed_mode", key = "mode", words = { under = 1 } },
]
[[row]]
topic = "rectifier/{signal}"
format = "number"
unit = "s/L"
time = "arrival"
signal = [{ name = "line_current_ka", key = "amps", factor = 0.001 }]
"""


def test_plain_numbers_have_the_time_of_arrival_and_are_uncertain() -> None:
    sent: list[tuple[str, Any]] = [("raw/L/1/volt", "4.01"), ("raw/L/1/volt", " 4.02\n"), ("raw/L/2/mode", "under")]
    decoded = decode(NUMBER, *sent, ("rectifier/amps", "500000"), ("raw/L/1/door", "1"))
    assert sorted((row[1:]) for row in readings(decoded)) == [
        (0, "line_current_ka", 500.0, "UNCERTAIN"),
        (1, "voltage_v", 4.01, "UNCERTAIN"),
        (1, "voltage_v", 4.02, "UNCERTAIN"),
        (2, "feed_mode", 1.0, "UNCERTAIN"),
    ]
    times = [row[0] for row in readings(decoded) if row[2] == "voltage_v"]
    assert len(set(times)) == 2, "one does not hide the other (F18)"
    assert max(times) < 0.001
    assert decoded.unknown == {"door": 1}


def test_a_number_that_is_none_is_bad() -> None:
    for text, reason in (("nan", "not_finite"), ("4.0 V", "wrong_type"), ("4_0", "wrong_type"), ("-inf", "not_finite")):
        decoded = decode(NUMBER, ("raw/L/1/volt", text))
        assert [row[3:] for row in readings(decoded)] == [(None, "BAD")]
        assert [problem.reason for problem in decoded.problems] == [reason]


CSV = """
[[row]]
topic = "csv/{line}"
format = "csv"
columns = ["when", "pot", "u", "t", "q"]
delimiter = ";"
decimal = ","
take = { pot = "P{pot:d}" }
unit = "s/{line}/{pot:03d}"
time = { path = "when", format = "%d.%m.%Y %H:%M:%S", zone = "Europe/Berlin" }
quality = { path = "q", good = ["ok"], uncertain = ["sub"] }
signal = [{ name = "voltage_v", path = "u" }, { name = "bath_temperature_c", path = "t" }]
[[row]]
topic = "table"
format = "csv"
header = true
take = { pot = "{pot}" }
unit = "s/L/{pot}"
time = { path = "time", format = "epoch_s" }
signal = [{ name = "voltage_v", path = "u" }]
"""


def test_csv_columns_by_place_or_by_header() -> None:
    lines = "24.11.2025 07:00:00;P1;4,01;957;ok\r\n24.11.2025 06:59:59;P2;4,02;;sub\n\n"
    decoded = decode(CSV, ("csv/L", lines), ("table", f"u, pot, time\n4.03,003,{NOW_NS // 10**9 - 1}.25\n"))
    assert readings(decoded) == [
        (0.0, 1, "voltage_v", 4.01, "GOOD"),
        (0.0, 1, "bath_temperature_c", 957.0, "GOOD"),
        (-1.0, 2, "voltage_v", 4.02, "UNCERTAIN"),
        (-1.0, 2, "bath_temperature_c", None, "BAD"),
        (-0.75, 3, "voltage_v", 4.03, "GOOD"),
    ]
    assert decoded.problems == ()


def test_a_bad_line_of_csv_costs_only_itself() -> None:
    lines = "24.11.2025 07:00:00;P1;4,01;957;ok\nx;P1;1;1;ok\n1;2\n24.11.2025 07:00:00;Q1;1;1;ok\n"
    decoded = decode(CSV, ("csv/L", lines), ("table", "u,pot\n1,001\n"))
    assert len(readings(decoded)) == 2
    wanted = [("bad_time", "when"), ("map_mismatch", ""), ("map_mismatch", "pot"), ("map_mismatch", "")]
    assert reasons(decoded) == wanted
    assert decoded.parked == 2
