"""The simulated past at a start: none for a time of which an earlier run has told."""

from __future__ import annotations

import asyncio

import pytest

from simulators.publish import simulate
from tests.core.plants import NOW_NS, codec_of, roster_of
from twin.adapters.memory import FakeClock, KeepingPublisher
from twin.settings import resolve
from twin.units import NS_PER_S


@pytest.mark.parametrize(("before_s", "first_s"), [(None, -120), (-3600, -120), (-30, -29), (-29.5, -29)])
def test_the_past_begins_after_what_was_told_before(before_s: float | None, first_s: int) -> None:
    publisher, flags = KeepingPublisher(), {"simulate.history_min": "2", "simulate.hours": "0.002"}
    after = 0 if before_s is None else NOW_NS + int(before_s * NS_PER_S)
    asyncio.run(simulate(roster_of(2), publisher, resolve(flags=flags), FakeClock(NOW_NS), after_ns=after))
    first = int(codec_of(roster_of(2)).decode(publisher.messages, NOW_NS).readings.time_ns.min())
    assert (first_s - 1) * NS_PER_S < first - NOW_NS <= (first_s + 2) * NS_PER_S
