"""The codec: what a good message becomes, and that a bad value costs only itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from tests.core.plants import NOW_NS, codec_of, readings_of
from twin.codec import REASONS, Decoded
from twin.frames import Quality
from twin.ports import Message
from twin.signals import SIGNALS, by_name, of_topic

POT = "smelter/s/L/001/telemetry"
SECTION = "smelter/s/L/section/1/telemetry"
MS = NOW_NS // 1_000_000
OF_THE_STORE = {"refused", "type_conflict", "beyond_retention", "expired", "damaged"}  # see test_divide, test_overflow


def decode(*messages: tuple[str, bytes | dict[str, Any]], **options: Any) -> Decoded:
    listed = [Message(topic, load if isinstance(load, bytes) else orjson.dumps(load)) for topic, load in messages]
    return codec_of(**options).decode(listed, NOW_NS)


def said(decoded: Decoded) -> list[tuple[int, str, float | None]]:
    """(unit, signal, value) of the readings, None for NaN."""
    found = decoded.readings
    values = [None if math.isnan(value) else value for value in found.value.tolist()]
    names = [SIGNALS[code].name for code in found.signal.tolist()]
    return list(zip(found.unit.tolist(), names, values, strict=True))


def reasons(decoded: Decoded) -> list[tuple[str, str]]:
    return [(problem.reason, problem.field) for problem in decoded.problems]


def test_a_pot_message() -> None:
    decoded = decode((POT, {"time": "2025-11-24T06:00:00.25Z", "voltage_v": 4.012, "bath_temperature_c": 957}))
    wanted = readings_of([(0.25, 1, "voltage_v", 4.012), (0.25, 1, "bath_temperature_c", 957.0)])
    assert decoded.readings.same(wanted)
    assert (decoded.problems, decoded.parked, decoded.unknown) == ((), 0, {})


@pytest.mark.parametrize(
    ("topic", "unit", "name", "value"),
    [
        ("smelter/s/L/002/event", 2, "tapped_metal_kg", 2000.0),
        ("smelter/s/L/003/sample", 3, "excess_alf3_pct", 10.5),
        ("smelter/s/L/line", 0, "line_current_ka", 500.0),
    ],
)
def test_messages_of_the_other_topics(topic: str, unit: int, name: str, value: float) -> None:
    decoded = decode((topic, {"time": MS, name: value}))
    assert decoded.readings.same(readings_of([(0, unit, name, value)]))


def test_a_section_message_with_one_time() -> None:
    load = {"time": MS, "pot": ["001", "003"], "voltage_v": [4.0, 4.1], "feed_mode": [1, 0]}
    decoded = decode((SECTION, load))
    rows = [(0.0, 1, "voltage_v", 4.0), (0, 1, "feed_mode", 1.0), (0, 3, "voltage_v", 4.1), (0, 3, "feed_mode", 0.0)]
    assert decoded.readings.same(readings_of(rows))
    assert decoded.problems == ()


def test_a_section_message_with_a_time_for_each_pot() -> None:
    decoded = decode((SECTION, {"time": [MS, MS - 500], "pot": ["001", "002"], "voltage_v": [4.0, 4.1]}))
    assert decoded.readings.same(readings_of([(0, 1, "voltage_v", 4.0), (-0.5, 2, "voltage_v", 4.1)]))


def test_every_signal_is_read_from_its_own_topic() -> None:
    for kind, topic in (("telemetry", POT), ("line", "smelter/s/L/line"), ("event", "smelter/s/L/001/event")):
        codes = of_topic(kind)
        values = [SIGNALS[code].low + 0.25 * (SIGNALS[code].high - SIGNALS[code].low) for code in codes]
        load = {SIGNALS[code].topic_field: value for code, value in zip(codes, values, strict=True)}
        decoded = decode((topic, {"time": MS, **load}))
        assert decoded.readings.signal.tolist() == list(codes)
        assert decoded.readings.value.tolist() == values


def test_many_messages_keep_the_order_of_arrival_within_their_kind() -> None:
    decoded = decode(
        (POT, {"time": MS, "voltage_v": 4.0}),
        ("smelter/s/L/line", {"time": MS, "line_current_ka": 500}),
        (POT, {"time": MS - 1000, "voltage_v": 4.1}),
        ("smelter/s/L/002/telemetry", {"time": MS, "voltage_v": 4.2}),
    )
    rows = [(1, "voltage_v", 4.0), (1, "voltage_v", 4.1), (2, "voltage_v", 4.2), (0, "line_current_ka", 500.0)]
    assert said(decoded) == rows


def test_nothing_becomes_nothing() -> None:
    decoded = decode()
    assert (len(decoded.readings), decoded.problems, decoded.parked) == (0, (), 0)


def test_a_message_with_only_a_time_is_good_and_says_nothing() -> None:
    decoded = decode((POT, {"time": MS}))
    assert (len(decoded.readings), decoded.problems, decoded.parked) == (0, (), 0)


def test_null_is_a_bad_reading_and_no_problem() -> None:
    decoded = decode((POT, {"time": MS, "voltage_v": None, "noise_mv": 3.0}))
    assert said(decoded) == [(1, "voltage_v", None), (1, "noise_mv", 3.0)]
    assert decoded.readings.quality.tolist() == [Quality.BAD, Quality.GOOD]
    assert (decoded.problems, decoded.parked) == ((), 0)
    section = decode((SECTION, {"time": MS, "pot": ["001", "002"], "voltage_v": [None, 4.0]}))
    assert said(section) == [(1, "voltage_v", None), (2, "voltage_v", 4.0)]
    assert section.problems == ()


def test_unknown_fields_are_counted_and_cost_nothing() -> None:
    decoded = decode(
        (POT, {"time": MS, "voltage_v": 4.0, "firmware": "1.2", "deep": {"a": [1]}}),
        (POT, {"time": MS, "firmware": 3, "line_current_ka": 500}),
        (SECTION, {"time": MS, "pot": ["001"], "voltage_v": [4.0], "gateway": 7}),
    )
    assert said(decoded) == [(1, "voltage_v", 4.0), (1, "voltage_v", 4.0)]
    assert decoded.unknown == {"firmware": 2, "deep": 1, "line_current_ka": 1, "gateway": 1}
    assert (decoded.problems, decoded.parked) == ((), 0)


def test_names_of_unknown_fields_are_cut() -> None:
    assert list(decode((POT, {"time": MS, "x" * 500: 1})).unknown) == ["x" * 64]


# reason, field, topic, payload; together every reason that the codec can give
BAD: tuple[tuple[str, str, str, bytes], ...] = (
    ("bad_topic", "", "smelter/s/L/001/status", b'{"time": 1763964000000}'),
    ("unknown_unit", "", "smelter/s/X/001/telemetry", b'{"time": 1763964000000}'),
    ("oversize", "", POT, b'{"time": 1763964000000, "voltage_v": 4' + b" " * 300_000 + b"}"),
    ("malformed", "", POT, b'{"time": 1763964000000'),
    ("malformed", "", POT, b""),
    ("malformed", "", POT, b"[1]"),
    ("malformed", "", POT, b"null"),
    ("malformed", "", POT, b'"text"'),
    ("malformed", "", POT, b"\xff\xfe\xfd"),
    ("too_deep", "", POT, b'{"time": 1763964000000, "x": ' + b"[" * 9 + b"]" * 9 + b"}"),
    ("too_deep", "", POT, b"[" * 200_000),
    ("too_deep", "", SECTION, b'{"a":' * 9),
    ("missing_time", "time", POT, b'{"voltage_v": 4}'),
    ("missing_time", "time", POT, b'{"time": null, "voltage_v": 4}'),
    ("bad_time", "time", POT, b'{"time": "yesterday"}'),
    ("bad_time", "time", POT, b'{"time": -148216276252152474}'),
    ("future_time", "time", POT, b'{"time": 1763964060001, "voltage_v": 4}'),
    ("future_time", "time", POT, b'{"time": 1763964060001, "voltage_v": null}'),
    ("wrong_type", "voltage_v", POT, b'{"time": 1763964000000, "voltage_v": "4"}'),
    ("wrong_type", "voltage_v", POT, b'{"time": 1763964000000, "voltage_v": true}'),
    ("wrong_type", "voltage_v", POT, b'{"time": 1763964000000, "voltage_v": [4]}'),
    ("not_finite", "voltage_v", POT, b'{"time": 1763964000000, "voltage_v": NaN}'),
    ("not_finite", "voltage_v", POT, b'{"time": 1763964000000, "voltage_v": -Infinity}'),
    ("not_finite", "voltage_v", POT, b'{"time": 1763964000000, "voltage_v": 1e999}'),
    ("out_of_range", "voltage_v", POT, b'{"time": 1763964000000, "voltage_v": 150.1}'),
    ("out_of_range", "voltage_v", POT, b'{"time": 1763964000000, "voltage_v": 1' + b"0" * 400 + b"}"),
    ("wrong_type", "pot", SECTION, b'{"time": 1763964000000, "voltage_v": [4]}'),
    ("wrong_type", "pot", SECTION, b'{"time": 1763964000000, "pot": "001", "voltage_v": [4]}'),
    ("length_mismatch", "voltage_v", SECTION, b'{"time": 1763964000000, "pot": ["001"], "voltage_v": [4, 4]}'),
    ("length_mismatch", "voltage_v", SECTION, b'{"time": 1763964000000, "pot": ["001"], "voltage_v": 4}'),
    ("length_mismatch", "time", SECTION, b'{"time": [1763964000000], "pot": ["001", "002"], "voltage_v": [4, 4]}'),
    ("length_mismatch", "time", SECTION, b'{"time": [1763964000000], "pot": ["001", "002"], "voltage_v": [4, null]}'),
    ("unknown_unit", "", SECTION, b'{"time": 1763964000000, "pot": ["a b"], "voltage_v": [4]}'),
    ("unknown_unit", "", SECTION, b'{"time": 1763964000000, "pot": ["001/x"], "voltage_v": [4]}'),
    ("malformed", "", SECTION, b'{"time": 1763964000000, "pot": [], "voltage_v": [], "feed_mode": [1]}'),
    ("bad_time", "time", SECTION, b'{"time": "now", "pot": ["001"], "voltage_v": [4]}'),
    ("future_time", "time", SECTION, b'{"time": 1763964060001, "pot": ["001"], "voltage_v": [4]}'),
    ("future_time", "time", SECTION, b'{"time": 1763964060001, "pot": ["001"], "voltage_v": [null]}'),
)


@pytest.mark.parametrize(("reason", "field", "topic", "payload"), BAD)
def test_a_bad_message_is_kept_whole_with_its_reason(reason: str, field: str, topic: str, payload: bytes) -> None:
    good = (POT, {"time": MS - 1, "voltage_v": 3.9})
    decoded = decode(good, (topic, payload), good)
    assert decoded.parked == 1
    assert reasons(decoded) == [(reason, field)]
    (problem,) = decoded.problems
    assert (problem.topic, problem.payload) == (topic, payload)
    assert 0 < len(problem.detail) <= 300
    finite = [row for row in said(decoded) if row[2] is not None]
    assert finite == [(1, "voltage_v", 3.9)] * 2, "others are not touched"


def test_every_reason_of_the_codec_has_an_example() -> None:
    elsewhere = OF_THE_STORE | {"map_mismatch", "unknown_alias"}  # see tests/mapping and tests/sparkplug
    assert {reason for reason, *_ in BAD} == set(REASONS) - elsewhere
    assert all(hint.endswith(".") for hint in REASONS.values())


def test_a_bad_value_costs_only_itself_and_counts_as_bad() -> None:
    decoded = decode((POT, {"time": MS, "voltage_v": 999, "noise_mv": 3.0, "feed_mode": "x", "metal_wave_mv": 2}))
    rows = [(1, "voltage_v", None), (1, "noise_mv", 3.0), (1, "feed_mode", None), (1, "metal_wave_mv", 2.0)]
    assert said(decoded) == rows
    assert reasons(decoded) == [("out_of_range", "voltage_v"), ("wrong_type", "feed_mode")]
    assert decoded.parked == 1, "parked once, whatever the number of its problems"


def test_a_bad_pot_or_column_of_a_section_costs_only_itself() -> None:
    load = {
        "time": [MS, "now", MS, MS + 61_000],
        "pot": ["001", "002", "a b", "003"],
        "voltage_v": [4.0, 4.1, 4.2, 4.3],
        "noise_mv": [1.0, 2.0],
        "feed_mode": [77, 0, 0, 0],
    }
    decoded = decode((SECTION, load))
    assert said(decoded) == [(1, "voltage_v", 4.0), (1, "feed_mode", None)]
    wanted = {("bad_time", "time"), ("unknown_unit", ""), ("future_time", "time"), ("out_of_range", "feed_mode")}
    assert set(reasons(decoded)) == wanted | {("length_mismatch", "noise_mv")}
    assert decoded.parked == 1


def test_limits_belong_to_the_range() -> None:
    signal = SIGNALS[by_name("voltage_v")]
    loads = [{"time": MS - n, "voltage_v": value} for n, value in enumerate((signal.low, signal.high))]
    assert [row[2] for row in said(decode(*((POT, load) for load in loads)))] == [signal.low, signal.high]
    beyond = [math.nextafter(signal.low, -1e9), math.nextafter(signal.high, 1e9)]
    decoded = decode(*((POT, {"time": MS, "voltage_v": value}) for value in beyond))
    assert reasons(decoded) == [("out_of_range", "voltage_v")] * 2


def test_a_time_may_be_ahead_by_as_much_as_is_set_and_no_more() -> None:
    loads: Sequence[dict[str, Any]] = [{"time": MS + 60_000, "noise_mv": 1}, {"time": MS + 60_001, "noise_mv": 1}]
    assert reasons(decode(*((POT, load) for load in loads))) == [("future_time", "time")]
    sections = [{"time": load["time"], "pot": ["001"], "noise_mv": [1]} for load in loads]
    assert reasons(decode(*((SECTION, load) for load in sections))) == [("future_time", "time")]


def test_a_payload_may_be_as_large_as_is_set_and_no_larger() -> None:
    load = orjson.dumps({"time": MS, "voltage_v": 4.0})
    for size, wanted in ((len(load), []), (len(load) - 1, [("oversize", "")])):
        decoded = decode((POT, load), max_payload=size)
        assert reasons(decoded) == wanted


def test_a_pot_that_is_new_is_discovered_or_parked() -> None:
    messages = (("smelter/s/L/X7/telemetry", {"time": MS, "voltage_v": 4.0}),)
    assert said(decode(*messages)) == [(7, "voltage_v", 4.0)]
    assert reasons(decode(*messages, discover=False)) == [("unknown_unit", "")]
    section = (SECTION, {"time": MS, "pot": ["001", "X7"], "voltage_v": [4.0, 4.1]})
    assert said(decode(section)) == [(1, "voltage_v", 4.0), (7, "voltage_v", 4.1)]
    parked = decode(section, discover=False)
    assert said(parked) == [(1, "voltage_v", 4.0)]
    assert reasons(parked) == [("unknown_unit", "")]


def test_of_a_key_given_twice_the_last_one_counts() -> None:
    assert said(decode((POT, b'{"time": 1763964000000, "voltage_v": 1, "voltage_v": 4}'))) == [(1, "voltage_v", 4.0)]
    slow = decode((POT, b'{"time": 1763964000000, "voltage_v": null, "voltage_v": 4, "other": 1}'))
    assert said(slow) == [(1, "voltage_v", 4.0)]


def test_one_time_of_the_wrong_kind_does_not_cost_the_other_messages() -> None:
    stamps = [MS, "2025-11-24T06:00:00Z", 5, NOW_NS, "nonsense"]
    decoded = decode(*((POT, {"time": stamp, "voltage_v": 4.0}) for stamp in stamps))
    assert decoded.readings.time_ns.tolist() == [NOW_NS] * 3
    assert reasons(decoded) == [("bad_time", "time")] * 2
