"""A batch that the store refuses in part: what is good is stored, each refused message is parked with its reason."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.plants import NOW_NS, NS, codec_of, key, roster_of
from twin.adapters.memory import MemorySink
from twin.codec import REASONS, Decoded
from twin.divide import divide
from twin.errors import SinkRejected
from twin.frames import Readings
from twin.lines import LineProtocol
from twin.ports import Message
from twin.refusals import judged

OLD_NS = NOW_NS - 10 * 86400 * NS


def message(pot: int, time_ns: int, **values: object) -> Message:
    fields = "".join(f', "{name}": {value}' for name, value in values.items())
    return Message(f"smelter/s/L/00{pot}/telemetry", f'{{"time": {time_ns}{fields}}}'.encode())


@dataclass
class Fake1x:
    """Refuses like InfluxDB 1.x: by the line, in its words, after it has stored the other lines.

    `numbered`: answers like InfluxDB 3, with the numbers of the lines.
    """

    conflicts: Sequence[str] = ()
    oldest_ns: int = 0
    poison: str = ""
    numbered: bool = False
    writes: int = 0
    kept: dict[bytes, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.roster = roster_of(3)
        self.lines = LineProtocol(self.roster)

    def _bad(self, line: bytes) -> str:
        name = next((name for name in self.conflicts if f"{name}=".encode() in line), "")
        if name:
            return f'field type conflict: input field \\"{name}\\" on measurement \\"pot\\" is type float'
        if int(line.rsplit(b" ", 1)[1]) < self.oldest_ns:
            return "points beyond retention policy"
        return "some new words: unable to parse" if self.poison and self.poison.encode() in line else ""

    async def write(self, readings: Readings) -> None:
        self.writes += 1
        sent = self.lines.encode(readings)
        bad = {n: why for n, line in enumerate(sent.splitlines(), 1) if (why := self._bad(line))}
        for number, line in enumerate(sent.splitlines(), 1):
            if number not in bad:
                head, value, time = line.split(b" ")
                self.kept[head + time] = value
        if bad and self.numbered:
            rows = ", ".join(f'{{"line_number": {n}, "error_message": "invalid column type"}}' for n in bad)
            raise judged(400, f'{{"error": "partial write of line protocol occurred", "data": [{rows}]}}', sent)
        if bad:
            first = next(iter(bad.values()))
            dropped = sum(why == first for why in bad.values())
            raise judged(400, f'{{"error":"partial write: {first} dropped={dropped}"}}', sent)


def run(store: Fake1x, messages: Sequence[Message]) -> Decoded:
    codec = codec_of(store.roster)

    async def process() -> Decoded:
        decoded = codec.decode(messages, NOW_NS)
        try:
            await store.write(decoded.readings)
        except SinkRejected as error:
            return await divide(messages, error, codec, store.write, NOW_NS)
        return decoded

    return asyncio.run(process())


def reasons(decoded: Decoded) -> list[tuple[str, str]]:
    return [(problem.reason, problem.field) for problem in decoded.problems]


def test_a_field_of_another_type_costs_only_itself_and_one_more_write() -> None:
    messages = [message(1 + n % 3, NOW_NS + n, voltage_v=4, noise_mv=(n % 2 and 7) or "null") for n in range(100)]
    store = Fake1x(conflicts=["noise_mv"])
    decoded = run(store, messages)
    assert store.writes == 2, "however many messages say it"
    assert set(reasons(decoded)) == {("type_conflict", "noise_mv")}
    assert [p.payload for p in decoded.problems] == [m.payload for n, m in enumerate(messages) if n % 2]
    assert decoded.parked == 50
    assert len(store.kept) == 100
    assert set(store.kept.values()) == {b"voltage_v=4.0"}


def test_several_fields_of_another_type_are_found_one_after_the_other() -> None:
    store = Fake1x(conflicts=["noise_mv", "voltage_v"])
    decoded = run(store, [message(1, NOW_NS, voltage_v=4, noise_mv=1, metal_wave_mv=2), message(2, NOW_NS, noise_mv=1)])
    assert sorted(reasons(decoded)) == [
        ("type_conflict", "noise_mv"), ("type_conflict", "noise_mv"), ("type_conflict", "voltage_v"),
    ]  # fmt: skip
    assert decoded.parked == 2
    assert list(store.kept.values()) == [b"metal_wave_mv=2.0"]


@pytest.mark.parametrize("every", [1, 3, 50])
def test_what_is_older_than_the_retention_is_parked_in_few_writes(every: int) -> None:
    """Old ones and new ones by turns, as of one pot whose clock is wrong."""
    messages = [message(1 + n % 3, (NOW_NS if n % every else OLD_NS) + n, voltage_v=4) for n in range(300)]
    store = Fake1x(oldest_ns=NOW_NS - NS)
    decoded = run(store, messages)
    wanted = [m.payload for n, m in enumerate(messages) if not n % every]
    assert [p.payload for p in decoded.problems] == wanted
    assert set(reasons(decoded)) == {("beyond_retention", "")}
    assert (decoded.parked, len(store.kept)) == (len(wanted), 300 - len(wanted))
    assert store.writes <= 2 * 9 + 1, "two a halving at most"


def test_lines_that_are_numbered_are_parked_at_once() -> None:
    messages = [message(1, NOW_NS + n, voltage_v=4, noise_mv=5 if n in (3, 70) else "null") for n in range(100)]
    store = Fake1x(conflicts=["noise_mv"], numbered=True)
    decoded = run(store, messages)
    assert store.writes == 2
    assert [p.payload for p in decoded.problems] == [messages[3].payload, messages[70].payload]
    assert len(store.kept) == 98


def test_everything_at_once() -> None:
    messages = [
        message(1, NOW_NS, voltage_v=4, noise_mv=1),
        message(2, OLD_NS, voltage_v=4),
        message(3, NOW_NS, voltage_v=13.5),
        message(1, NOW_NS + 1, voltage_v='"x"', metal_wave_mv=2),
        Message("elsewhere", b"x"),
        message(2, NOW_NS + 1),
        message(3, NOW_NS + 1, voltage_v=4.1, extra=1),
    ]
    store = Fake1x(conflicts=["noise_mv"], oldest_ns=NOW_NS - NS, poison="voltage_v=13.5")
    decoded = run(store, messages)
    assert reasons(decoded) == [
        ("type_conflict", "noise_mv"), ("beyond_retention", ""), ("refused", ""), ("wrong_type", "voltage_v"),
        ("bad_topic", ""),
    ]  # fmt: skip
    assert decoded.parked == 5
    assert decoded.unknown == {"extra": 1}
    assert sorted(store.kept.values()) == [b"metal_wave_mv=2.0", b"voltage_v=4.0", b"voltage_v=4.1"]
    assert {reason for reason, _ in reasons(decoded)} <= set(REASONS)


KINDS: dict[str, Callable[[int], Message]] = {
    "good": lambda n: message(1 + n % 3, NOW_NS + n, voltage_v=4),
    "conflict": lambda n: message(1 + n % 3, NOW_NS + n, voltage_v=4, noise_mv=3),
    "old": lambda n: message(1 + n % 3, OLD_NS + n, voltage_v=4),
    "poison": lambda n: message(1 + n % 3, NOW_NS + n, voltage_v=13.5),
    "silent": lambda n: message(1 + n % 3, NOW_NS + n),
    "bad": lambda n: message(1 + n % 3, NOW_NS + n, voltage_v='"x"'),
}


@given(st.lists(st.sampled_from(sorted(KINDS)), max_size=40), st.booleans())
def test_every_message_is_stored_or_parked_and_what_is_handed_on_is_what_is_stored(
    kinds: list[str], numbered: bool
) -> None:
    store = Fake1x(["noise_mv"], NOW_NS - NS, "voltage_v=13.5", numbered)
    decoded = run(store, [KINDS[kind](n) for n, kind in enumerate(kinds)])
    good = {"good", "silent"}
    assert decoded.parked == len(decoded.problems) == sum(kind not in good for kind in kinds)
    said = [kind for kind in kinds if kind == "good" or (kind == "conflict" and not numbered)]
    assert len(store.kept) == len(said)
    memory = MemorySink(store.roster)
    asyncio.run(memory.write(decoded.readings))
    assert len(memory.values) == len(key(decoded.readings)) == len(store.kept)
    assert all(re.fullmatch(rb"voltage_v=4\.0", value) for value in store.kept.values())
