"""Mapped messages obey the limits of every message, and keep away from the topics of the contract."""

from __future__ import annotations

import pytest

from tests.core.plants import NOW_NS
from tests.mapping.maps import MS, PLAIN, codec_with, decode
from tests.mapping.test_rows import NUMBER, POT, ROOTED
from twin.decoded import APART_NS
from twin.errors import ConfigError
from twin.ports import Message


def test_many_things_wrong_with_one_message_are_told_up_to_a_limit() -> None:
    load = {"head": {"time": "2025-11-24T06:00:00Z"}, "pots": [{"no": 1, "u": "x"} for _ in range(1000)]}
    decoded = decode(ROOTED, ("gw/L", load))
    assert (len(decoded.problems), decoded.parked) == (16, 1)


def test_how_far_the_clock_of_a_mapped_source_is_ahead_is_known_also_of_parked_messages() -> None:
    codec = codec_with(POT)
    for ahead_ms, parked in ((1500, 0), (61_500, 1)):
        payload = b'{"ts": %d, "q": 192, "v": {"u": 4000}}' % (MS + ahead_ms)
        assert codec.decode([Message("plant/PL1/pot2/data", payload)], NOW_NS).parked == parked
        assert codec.skew.furthest() == (2, ahead_ms / 1e3)


def test_times_of_arrival_belong_to_places_so_that_what_is_divided_keeps_them() -> None:
    codec = codec_with(NUMBER)
    raw = [("raw/L/1/volt", b"4.0"), ("smelter/s/L/001/telemetry", b"x"), ("raw/L/1/volt", b"4.1")]
    messages = [Message(*one) for one in raw]
    whole = codec.decode(messages, NOW_NS).readings.time_ns.tolist()
    apart = [codec.decode([one], NOW_NS + place * APART_NS) for place, one in enumerate(messages)]
    assert whole == [time for one in apart for time in one.readings.time_ns.tolist()] == [NOW_NS, NOW_NS + 2 * APART_NS]


@pytest.mark.parametrize("topic", ["#", "+/pot{pot:d}", "smelter/x/pot{pot:d}", "{a}/#", "smel{a}/pot{pot:d}"])
def test_a_row_cannot_take_the_topics_of_the_contract(topic: str) -> None:
    text = PLAIN.replace("plant/pot{pot:d}", topic).replace("{pot:03d}", "001")
    with pytest.raises(ConfigError, match=r"topics below 'smelter' are those of the data contract"):
        codec_with(text)


@pytest.mark.parametrize("topic", ["smelter", "smelters/pot{pot:d}", "x/smelter/#", "{a}er2/#"])
def test_other_topics_may_look_like_them(topic: str) -> None:
    codec_with(PLAIN.replace("plant/pot{pot:d}", topic).replace("{pot:03d}", "001"))
