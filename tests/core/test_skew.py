"""How far the clocks of the sources are from ours, of good messages and of parked ones."""

from __future__ import annotations

import numpy as np
import pytest

from tests.core.plants import NOW_NS, NS, codec_of
from twin.ports import Message
from twin.skew import WINDOW_NS, Skew


def said(skew: Skew) -> dict[int, float]:
    units, ahead = skew.heard()
    return dict(zip(units.tolist(), ahead.tolist(), strict=True))


def test_the_quickest_message_of_a_window_counts_and_is_forgotten_after_two() -> None:
    skew = Skew()
    assert said(skew) == {}
    assert skew.furthest() is None
    skew.note([1, 2, 1], [NOW_NS - NS, NOW_NS + 3 * NS, NOW_NS - 5 * NS], NOW_NS)
    assert said(skew) == {1: -1.0, 2: 3.0}
    assert skew.furthest() == (2, 3.0)
    skew.note([1], [NOW_NS + WINDOW_NS - 2 * NS], NOW_NS + WINDOW_NS)
    assert said(skew) == {1: -1.0, 2: 3.0}
    skew.note([1], [NOW_NS + 2 * WINDOW_NS - 2 * NS], NOW_NS + 2 * WINDOW_NS)
    assert said(skew) == {1: -2.0}
    skew.note([3], [NOW_NS + 9 * WINDOW_NS], NOW_NS + 9 * WINDOW_NS)
    assert said(skew) == {3: 0.0}, "nothing is left of before a long silence"


def test_it_grows_with_the_roster() -> None:
    skew = Skew()
    units = np.arange(5000)
    skew.note(units, np.full(5000, NOW_NS), NOW_NS)
    skew.note([9999], [NOW_NS], NOW_NS)
    assert list(said(skew)) == [*units.tolist(), 9999]


POT, SECTION = "smelter/s/L/001/telemetry", "smelter/s/L/section/1/telemetry"


@pytest.mark.parametrize(
    ("topic", "load", "wanted"),
    [
        (POT, b'{"time": %d, "voltage_v": 4}', {1: 120.0}),
        (POT, b'{"time": %d, "voltage_v": null}', {1: 120.0}),
        ("smelter/s/L/line", b'{"time": %d, "line_current_ka": 500}', {0: 120.0}),
        (SECTION, b'{"time": %d, "pot": ["001", "002"], "voltage_v": [4, 4]}', {1: 120.0, 2: 120.0}),
        (SECTION, b'{"time": [%d, 1763963999000], "pot": ["001", "002"], "voltage_v": [4, 4]}', {1: 120.0, 2: -1.0}),
        (SECTION, b'{"time": %d, "pot": ["001"], "voltage_v": [null]}', {1: 120.0}),
        ("smelter/s/L/001/sample", b'{"time": %d, "excess_alf3_pct": 10}', {}),
        ("smelter/s/L/001/event", b'{"time": %d, "tapped_metal_kg": 10}', {}),
    ],
)
def test_a_message_from_the_future_is_parked_and_its_source_is_known(
    topic: str, load: bytes, wanted: dict[int, float]
) -> None:
    codec = codec_of()
    decoded = codec.decode([Message(topic, load % (NOW_NS + 120 * NS))], NOW_NS)
    assert [problem.reason for problem in decoded.problems] == ["future_time"]
    assert said(codec.skew) == wanted


def test_a_bad_time_says_nothing_of_a_clock() -> None:
    codec = codec_of()
    loads = (b'{"time": "no", "voltage_v": 4}', b'{"time": %d, "voltage_v": 4}' % (NOW_NS - NS))
    codec.decode([Message(POT, load) for load in loads], NOW_NS)
    codec.decode([Message(SECTION, b'{"time": 5, "pot": ["002"], "voltage_v": [4]}')], NOW_NS)
    assert said(codec.skew) == {1: -1.0}
