"""Readings -> messages -> readings: nothing is lost, nothing is changed, however they are packed."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.core.plants import NOW_NS, Row, codec_of, key, readings_of, roster_of
from tests.core.streams import readings, unique_by_key
from twin.codec import Decoded
from twin.encode import encode
from twin.frames import Readings
from twin.plant import Roster
from twin.ports import Message


def there_and_back(sent: Readings, roster: Roster, *, batched: bool) -> Decoded:
    messages = encode(sent, roster, "smelter", batched=batched)
    return codec_of(roster, max_payload=10_000_000).decode(messages, NOW_NS)


@given(sent=readings(), batched=st.booleans())
@example(sent=readings_of([]), batched=True)
@example(sent=readings_of([(0, 1, "voltage_v", float("nan"))]), batched=True)
@example(sent=readings_of([(0, 1, "voltage_v", 4.0), (0, 2, "noise_mv", 1.0), (0, 3, "noise_mv", 2.0)]), batched=True)
@example(sent=readings_of([(-0.02, 1, "voltage_v", 4), (0, 2, "voltage_v", 1), (0, 1, "voltage_v", 2)]), batched=True)
def test_every_value_comes_back_bit_for_bit(sent: Readings, batched: bool) -> None:
    sent = unique_by_key(sent)
    decoded = there_and_back(sent, roster_of(3), batched=batched)
    assert decoded.problems == ()
    assert decoded.unknown == {}
    assert key(decoded.readings) == key(sent)


@given(readings(missing=False), st.booleans())
def test_of_a_key_said_twice_the_last_value_is_sent(sent: Readings, batched: bool) -> None:
    last = {row[:3]: row[3] for row in zip(sent.unit, sent.signal, sent.time_ns, sent.value, strict=True)}
    got = there_and_back(sent, roster_of(3), batched=batched).readings
    assert {(u, s, t): v for u, s, t, v in key(got)} == last


def test_one_message_a_pot_and_time() -> None:
    rows = [(0, 1, "voltage_v", 4.0), (0, 1, "noise_mv", 2.5), (0, 2, "voltage_v", 4.1), (1, 1, "voltage_v", 4.2)]
    rows += [(0, 0, "line_current_ka", 500.0), (0, 1, "tapped_metal_kg", 2000.0), (0, 3, "iron_ppm", 900.0)]
    assert encode(readings_of(rows), roster_of(3), "works") == [
        Message("works/s/L/001/telemetry", b'{"time":%d,"voltage_v":4.0,"noise_mv":2.5}' % NOW_NS),
        Message("works/s/L/002/telemetry", b'{"time":%d,"voltage_v":4.1}' % NOW_NS),
        Message("works/s/L/001/telemetry", b'{"time":%d,"voltage_v":4.2}' % (NOW_NS + 1_000_000_000)),
        Message("works/s/L/line", b'{"time":%d,"line_current_ka":500.0}' % NOW_NS),
        Message("works/s/L/001/event", b'{"time":%d,"tapped_metal_kg":2000.0}' % NOW_NS),
        Message("works/s/L/003/sample", b'{"time":%d,"iron_ppm":900.0}' % NOW_NS),
    ]


def test_one_message_a_section_and_time() -> None:
    rows: list[Row] = [(0, pot, "voltage_v", 4.0 + pot / 10) for pot in (1, 2, 3)]
    rows += [(0, 1, "noise_mv", 2.5), (0.5, 2, "voltage_v", 3.9), (0, 0, "line_current_ka", 500.0)]
    assert encode(readings_of(rows), roster_of(3), "works", batched=True) == [
        Message("works/s/L/section/1/telemetry",
                b'{"time":%d,"pot":["001","002"],"voltage_v":[4.1,4.2],"noise_mv":[2.5,null]}' % NOW_NS),
        Message("works/s/L/section/2/telemetry", b'{"time":%d,"pot":["003"],"voltage_v":[4.3]}' % NOW_NS),
        Message("works/s/L/section/1/telemetry",
                b'{"time":%d,"pot":["002"],"voltage_v":[3.9]}' % (NOW_NS + 500_000_000)),
        Message("works/s/L/line", b'{"time":%d,"line_current_ka":500.0}' % NOW_NS),
    ]  # fmt: skip


def test_pots_with_clocks_of_their_own_share_a_section_message() -> None:
    rows = [(0.01, 1, "voltage_v", 4.1), (-0.02, 2, "voltage_v", 4.2)]
    (message,) = encode(readings_of(rows), roster_of(3), "works", batched=True)
    assert orjson.loads(message.payload)["time"] == [NOW_NS + 10_000_000, NOW_NS - 20_000_000]


@pytest.mark.parametrize("batched", [False, True])
def test_a_discovered_pot_is_sent_like_any_other(batched: bool) -> None:
    roster = roster_of(3)
    new = roster.add("s/L/X9")
    messages = encode(readings_of([(0, new, "voltage_v", 4.0)]), roster, "smelter", batched=batched)
    elsewhere = codec_of(roster_of(5)).decode(messages, NOW_NS)
    assert key(elsewhere.readings) == key(readings_of([(0, len(roster_of(5)), "voltage_v", 4.0)])), (
        "the next code there"
    )


@pytest.mark.parametrize("batched", [False, True])
def test_a_reading_without_a_value_is_not_sent(batched: bool) -> None:
    sent = readings_of([(0, 1, "voltage_v", float("nan")), (0, 0, "line_current_ka", float("nan"))])
    assert encode(sent, roster_of(3), "works", batched=batched) == []
