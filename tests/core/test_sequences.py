"""Numbers of messages: every gap is counted, and nothing else."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.plants import NOW_NS, codec_of
from twin import sequences
from twin.adapters.memory import ListSource
from twin.ports import Message
from twin.sequences import Numbered, Sequences


def message(number: object, topic: str = "t") -> Message:
    return Message(topic, b'{"time": 1, "seq": %s, "voltage_v": 4}' % str(number).encode())


def missing(numbers: list[int]) -> int:
    found = Sequences()
    found.see([message(number) for number in numbers])
    return found.missing


@pytest.mark.parametrize(
    ("numbers", "count"),
    [
        ([], 0),
        ([7], 0),
        ([0, 1, 2], 0),
        ([5, 6, 9, 10], 2),
        ([5, 9, 7], 2),
        ([5, 9, 7, 6, 8], 0),
        ([1, 2, 3, 2, 3, 4], 0),
        ([1, 2, 5, 1, 2, 5, 6], 2),
        ([8, 9, 0, 1, 2], 0),
        ([8, 9, 0, 3], 2),
        ([5, 9, 0, 1, 7], 3 + 5),
        ([100_000, 100_001, 3, 4], 0),
    ],
    ids=str,
)
def test_what_is_missing(numbers: list[int], count: int) -> None:
    assert missing(numbers) == count


@given(st.integers(1, 300), st.sets(st.integers(1, 299)), st.randoms(use_true_random=False))
def test_late_and_doubled_messages_leave_the_number_of_the_lost(
    last: int, lost: set[int], chance: random.Random
) -> None:
    """Whatever the order between the first and the last."""
    lost = {number for number in lost if number < last}
    between = [number for number in range(1, last) if number not in lost]
    between += [chance.choice(between) for _ in range(10) if between]
    chance.shuffle(between)
    assert missing([0, *between, last]) == len(lost)


def test_every_topic_counts_for_itself() -> None:
    found = Sequences()
    found.see([message(1, "a"), message(1, "b"), message(2, "a"), message(4, "b")])
    assert (found.missing, found.numbered) == (2, 4)


@pytest.mark.parametrize(
    "payload", [b"", b'{"time": 1}', b'{"seq": "x"}', b'{"seq": -1}', b'{"sequence": 4}', b'"seq"']
)
def test_messages_without_a_number_are_no_matter(payload: bytes) -> None:
    found = Sequences()
    found.see([message(1), Message("t", payload), message(2)])
    assert (found.missing, found.numbered) == (0, 2)


def test_a_gap_is_told_at_the_first_and_when_it_has_doubled() -> None:
    told: list[str] = []
    found = Sequences(told.append)
    found.see([message(number) for number in (0, 2, 4, 6, 8, 10)])
    assert [text.split()[0] for text in told] == ["1", "2", "4"]
    assert "the last of them 7 to 7 of t" in told[2]


def test_every_message_of_a_source_is_seen_and_handed_on() -> None:
    batches = [[message(0), message(1)], [message(4)]]

    async def taken() -> list[list[Message]]:
        return [list(delivery.messages) async for delivery in Numbered(ListSource(batches), found).deliveries()]

    found = Sequences()
    assert asyncio.run(taken()) == batches
    assert (found.missing, found.numbered) == (2, 3)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequences, "MOST_TOPICS", 3)
    found = Sequences()
    found.see([message(0, str(n)) for n in range(10)])
    assert len(found._topics) == 3
    found.see([message(10**9, "0"), message(3 * 10**9, "0")])
    assert found.missing == 3 * 10**9 - 2
    assert len(found._topics["0"].gaps) == 4096


@pytest.mark.parametrize(
    "payload",
    [
        b'{"time": %d, "seq": 5, "voltage_v": 4.0}',
        b'{"seq": "five", "time": %d, "voltage_v": 4.0}',
        b'{"time": %d, "seq": null, "voltage_v": 4.0}',
    ],
)
@pytest.mark.parametrize("topic", ["smelter/s/L/001/telemetry", "smelter/s/L/section/1/telemetry"])
def test_the_codec_takes_a_number_for_no_reading_and_no_unknown_field(topic: str, payload: bytes) -> None:
    text = payload % NOW_NS
    if "section" in topic:
        text = text.replace(b'"voltage_v": 4.0', b'"pot": ["001"], "voltage_v": [4.0]')
    decoded = codec_of().decode([Message(topic, text)], NOW_NS)
    assert (decoded.parked, dict(decoded.unknown)) == (0, {})
    assert decoded.readings.value.tolist() == [4.0]
