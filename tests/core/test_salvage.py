"""Hostile payloads: whatever comes, the codec gives readings and reasons and never raises."""

from __future__ import annotations

import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.plants import NOW_NS, codec_of
from twin.codec import REASONS, Decoded
from twin.errors import PayloadError
from twin.ports import Message
from twin.salvage import salvage, salvage_section
from twin.signals import SIGNALS

TOPICS = (
    "smelter/s/L/001/telemetry",
    "smelter/s/L/line",
    "smelter/s/L/001/event",
    "smelter/s/L/001/sample",
    "smelter/s/L/section/1/telemetry",
)
MS = NOW_NS // 1_000_000
VALID = (
    {"time": MS, "voltage_v": 4.0, "bath_temperature_c": 957.3},
    {"time": "2025-11-24T06:00:00Z", "line_current_ka": 500, "ac_energy_kwh": 123456.789},
    {"time": NOW_NS, "tapped_metal_kg": 2100},
    {"time": MS, "excess_alf3_pct": 10.5, "iron_ppm": 900},
    {"time": [MS, MS], "pot": ["001", "002"], "voltage_v": [4.0, 4.1], "noise_mv": [3, None]},
)


def check(topic: str, payload: bytes) -> Decoded:
    """Decode one message; whatever it holds, the result is whole and in bounds."""
    codec = codec_of()
    decoded = codec.decode([Message(topic, payload)], NOW_NS)
    found = decoded.readings
    assert len({len(c) for c in (found.time_ns, found.unit, found.signal, found.value, found.quality)}) == 1
    assert decoded.parked in (0, 1)
    assert (decoded.parked == 1) == bool(decoded.problems)
    for problem in decoded.problems:
        assert problem.reason in REASONS
        assert problem.payload == payload
        (problem.reason + problem.detail + problem.field).encode()  # no half characters: this goes into files
    for unit, signal, value in zip(found.unit.tolist(), found.signal.tolist(), found.value.tolist(), strict=True):
        assert 0 <= unit < len(codec.roster)
        row = SIGNALS[signal]
        assert codec.roster.is_line(unit) == (row.topic == "line")
        assert math.isnan(value) or row.low <= value <= row.high
    assert not len(found) or found.time_ns.max() <= NOW_NS + 60_000_000_000
    return decoded


@given(st.sampled_from(TOPICS), st.binary(max_size=200))
def test_any_bytes(topic: str, payload: bytes) -> None:
    check(topic, payload)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=12), st.just(MS)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=8,
)
FIELDS = st.sampled_from(["time", "pot", *(signal.topic_field for signal in SIGNALS[:40]), "other", ""])


@given(st.sampled_from(TOPICS), st.dictionaries(FIELDS, JSON, max_size=6), st.booleans())
def test_any_json_under_the_right_names(topic: str, load: dict[str, object], timed: bool) -> None:
    if timed:
        load["time"] = MS
    try:
        payload = orjson.dumps(load)
    except TypeError:  # an integer beyond 64 bits
        payload = str(load).replace("'", '"').encode("utf-8", "replace")
    check(topic, payload)


@given(st.sampled_from(range(len(VALID))), st.data())
def test_a_good_message_with_bytes_changed(which: int, data: st.DataObject) -> None:
    payload = bytearray(orjson.dumps(VALID[which]))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(payload) - 1))
        cut = data.draw(st.integers(0, 2))
        payload[place : place + cut] = data.draw(st.binary(max_size=3))
        if not payload:
            break
    check(TOPICS[which], bytes(payload))


NUL = b"\x00"
HOSTILE = (
    b'{"time":1763964000000,"\x80":4}',
    b'{"time":1763964000000,"voltage_v":"\xff"}',
    b'{"time":"\xc3(","voltage_v":4}',
    b'{"time":1763964000000,"pot":["\xed\xa0\x80"],"voltage_v":[4]}',
    b"{" * 100_000,
    b"[" * 100_000,
    b'{"time":' + b"[" * 100_000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b'{"time":1763964000000,"voltage_v":' + b"9" * 5000 + b"}",
    b'{"time":1763964000000,"voltage_v":-' + b"9" * 4000 + b"}",
    b'{"time":' + b"9" * 5000 + b"}",
    b'{"time":1763964000000,"voltage_v":0.' + b"0" * 5000 + b"4}",
    b'{"time":1763964000000,"voltage_v":4e-999999999}',
    b'{"time":1763964000000,"voltage_v":-0.0}',
    b'{"time":"\\ud800","voltage_v":4}',
    b'{"time":1763964000000,"\\ud800":4,"x":NaN}',
    b'{"time":1763964000000,"voltage_v":"\\udfff"}',
    b'{"time":1763964000000,"pot":["\\ud800"],"voltage_v":[4],"x":NaN}',
    b'\xef\xbb\xbf{"time":1763964000000,"voltage_v":4}',
    '{"time":1763964000000,"voltage_v":4}'.encode("utf-16"),
    b'{"time":1763964000000,"voltage_v":4}' + NUL,
    b'{"time":1763964000000,"volt' + NUL + b'age_v":4}',
    b'{"time":1763964000000}{"time":1763964000000}',
    b'{"time":1763964000000,"pot":[' + b'"001",' * 5000 + b'"001"],"voltage_v":[4]}',
    b'{"pot":{"001":1},"time":{"a":1},"voltage_v":{"b":2}}',
    b'{"time":1763964000000,' + b",".join(b'"f%d":1' % n for n in range(10_000)) + b"}",
    b" " * 1000,
    b"nan",
    b'{"time":NaN,"voltage_v":4}',
    b'{"time":Infinity,"pot":NaN}',
)


@pytest.mark.parametrize("topic", [TOPICS[0], TOPICS[-1]])
@pytest.mark.parametrize("payload", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_payloads(topic: str, payload: bytes) -> None:
    check(topic, payload)


@pytest.mark.parametrize("pattern", [(b"[", b"]"), (b'{"a":', b"}")])
@pytest.mark.parametrize("field", [b'{"time":', b'{"time":1763964000000,"voltage_v":', b'{"time":1763964000000,"pot":'])
def test_nesting_of_any_depth(field: bytes, pattern: tuple[bytes, bytes]) -> None:
    for depth in [*range(2, 1100, 7), *range(900, 1020)]:  # round the depth that one reader still takes
        middle = b"1" if pattern[0].endswith(b":") else b""
        payload = field + pattern[0] * depth + middle + pattern[1] * depth + b"}"
        for topic in TOPICS[-1:] if b"pot" in field else (TOPICS[0], TOPICS[-1]):
            assert check(topic, payload).parked == 1


def test_field_by_field() -> None:
    found = salvage(
        "telemetry", b'{"voltage_v": 4, "noise_mv": "x", "other": 1, "time": 1763964000000, "feed_mode": null}'
    )
    assert found.time_ns == NOW_NS
    assert [SIGNALS[code].name for code in found.signal] == ["voltage_v", "noise_mv", "feed_mode"]
    assert found.value[0] == 4.0
    assert [math.isnan(value) for value in found.value] == [False, True, True]
    assert found.unknown == ["other"]
    assert [(error.reason, error.field) for error in found.errors] == [("wrong_type", "noise_mv")]


def test_fields_of_another_topic_are_unknown_here() -> None:
    assert salvage("line", b'{"time": 1763964000000, "voltage_v": 4}').unknown == ["voltage_v"]


def test_pot_by_pot() -> None:
    load = {"time": [MS, None], "pot": ["001", "002"], "voltage_v": [4.0, 4.1], "odd": 1, "noise_mv": 3}
    pots, (first, second) = salvage_section(orjson.dumps(load))
    assert pots == ["001", "002"]
    assert not isinstance(first, PayloadError)
    assert (first.time_ns, first.value, first.unknown) == (NOW_NS, [4.0], ["odd"])
    assert [(error.reason, error.field) for error in first.errors] == [("length_mismatch", "noise_mv")]
    assert isinstance(second, PayloadError)
    assert second.reason == "missing_time"


def test_a_section_of_which_nothing_can_be_used_is_refused_as_a_whole() -> None:
    with pytest.raises(PayloadError, match="missing_time"):
        salvage_section(b'{"pot": ["001", "002"], "voltage_v": [4, 4]}')
