"""Hostile messages: no crash, no leak, nothing uncounted, nothing injected. The long run is `python -m tests.fuzz`."""

from __future__ import annotations

import asyncio
import json
import time

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.plants import NOW_NS, codec_of, roster_of
from tests.fuzz.mutate import BOMB, hostile
from tests.fuzz.run import LINE, fuzz
from twin.adapters.memory import FakeClock, ListSource, MemorySink
from twin.codec import Decoded, Problem
from twin.frames import Readings
from twin.ingest import OTHER_NAMES, Counts, Ingestor
from twin.lines import LineProtocol
from twin.ports import Message
from twin.salvage import DEEPEST

pytestmark = pytest.mark.long

POT, SECTION = "smelter/s/L/001/telemetry", "smelter/s/L/section/1/telemetry"
MS = NOW_NS // 1_000_000


def decode(topic: str, payload: bytes) -> Decoded:
    return codec_of().decode([Message(topic, payload)], NOW_NS)


def test_thousands_of_hostile_messages() -> None:
    found = fuzz(1500, seed=3)
    counts = found.counts
    assert counts.received == counts.stored + counts.parked == found.sent > 2000
    assert counts.stored > 400
    assert min(found.refused, found.away) > 2
    assert {"malformed", "too_deep", "bad_topic", "unknown_unit", "oversize", "type_conflict"} <= set(counts.problems)
    assert {"map_mismatch", "unknown_alias", "wrong_type", "future_time", "missing_time"} <= set(counts.problems)
    assert found.grown_mib < 2, "8 KiB a message would be 16; the last names and pots that are told apart are in it"


def test_the_same_seed_gives_the_same_messages() -> None:
    assert list(hostile(200, 1)) == list(hostile(200, 1))
    assert list(hostile(200, 1)) != list(hostile(200, 2))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(["time", "pot", "voltage_v", "noise_mv", "feed_mode"])
TOPICS = st.sampled_from([POT, SECTION, "smelter/s/L/line", "smelter/s/L/X9/event"]) | st.text(max_size=40)


LOADS = st.dictionaries(FIELDS | st.text(max_size=8), JSON, max_size=6)


@given(TOPICS, st.binary(max_size=60) | LOADS.map(json.dumps).map(str.encode))
def test_anything_is_stored_or_parked_and_lines_hold_nothing_else(topic: str, payload: bytes) -> None:
    roster = roster_of(3)
    decoded = codec_of(roster).decode([Message(topic, payload)], NOW_NS)
    assert decoded.parked == bool(decoded.problems) <= 1
    for line in LineProtocol(roster).encode(decoded.readings).splitlines(keepends=True):
        assert LINE.fullmatch(line)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"time": %d, "a": %s}' % (MS, b"[" * 300_000), "oversize"),
        (b'{"time": %d, "a": %s}' % (MS, b"[" * 200_000), "too_deep"),
        (b'{"time": %d, "a": "\\"[[[[[[[[[[[[[[[[", "b": %s}' % (MS, b"[" * DEEPEST), "too_deep"),
        (b'"' + b'\\"' * 130_000, "malformed"),
        (b'"' * 262_144, "malformed"),
        (b'{"' + b'\\"[' * 80_000, "malformed"),
        (b'{"time": %d, "voltage_v": %s}' % (MS, b"9" * 262_000), "malformed"),
        (b"\xff\xfe" * 100_000, "malformed"),
        (BOMB, "malformed"),
        (b"[" + b"1," * 100_000 + b"1]", "malformed"),
    ],
)
def test_the_costly_ones_are_refused_in_no_time(payload: bytes, reason: str) -> None:
    began = time.process_time()
    decoded = decode(POT, payload)
    assert time.process_time() - began < 0.2
    assert [problem.reason for problem in decoded.problems] == [reason]
    assert decoded.problems[0].payload is payload or decoded.problems[0].payload == payload


def test_brackets_in_text_and_flat_lists_are_no_depth() -> None:
    note = orjson.dumps({"time": MS, "voltage_v": 4.0, "note": "[[[[{{{{" * 20 + '\\" ]]', "list": [[1]] * 50})
    assert decode(POT, note).problems == ()
    many = [f"{n:03d}" for n in range(1, 4)] * 40
    flat = orjson.dumps({"time": MS, "pot": many, "voltage_v": [None] * 120, **{f"x{n}": [n] for n in range(60)}})
    assert decode(SECTION, flat).problems == ()


def test_one_message_is_kept_only_so_often_whatever_is_wrong_with_it() -> None:
    """A message with a thousand bad pots is kept whole with each problem: that would be a thousand times its size."""
    pots = [f"bad {n}" for n in range(5000)]
    decoded = decode(SECTION, orjson.dumps({"time": MS, "pot": pots, "voltage_v": [4.0] * 5000}))
    assert len(decoded.problems) == 16
    assert decoded.parked == 1


def test_names_of_strangers_do_not_fill_the_memory() -> None:
    counts = Counts()
    for n in range(30):
        load = orjson.dumps({"time": MS, **{f"name {n} {k}": 1 for k in range(100)}})
        counts.take(decode(POT, load))
    assert len(counts.unknown_fields) == 1001
    assert counts.unknown_fields[OTHER_NAMES] == 2000
    assert counts.unknown_fields.total() == 3000


@pytest.mark.parametrize("name", ["\x1b[2J", "a\nb", "\\ud800", "\u202eevil", "\x00"])
def test_a_strange_name_becomes_plain_text(name: str) -> None:
    payload = b'{"time": %d, "%s": 1}' % (MS, name.encode() if name == "\\ud800" else orjson.dumps(name)[1:-1])
    (found,) = decode(POT, payload).unknown
    assert found.isprintable()
    assert found.encode()


@pytest.mark.parametrize(
    "topic",
    [
        "$SYS/broker/uptime", "smelter", "smelter/", "smelter//L/001/telemetry", "smelter/s/L//telemetry", "smelter/#",
        "smelter/s/+/001/telemetry", "smelter/s/L/001/telemetry/", "Smelter/s/L/001/telemetry", "a/" * 30_000,
        "smelter/s/L/section/²/telemetry", "smelter/s/L/section/٣/telemetry",
        "smelter/s/L/section/1234567890/telemetry",
        "smelter/ѕ/L/001/telemetry", "smelter/s/L/001\x00/telemetry", "smelter/s/L/００１/telemetry", "\x1b[2J",
        "smelter/s/L/001 /telemetry", "smelter/s/L/a,pot=b/telemetry", "smelter/s/L/" + "x" * 65 + "/telemetry", "",
        "smelter/../s/L/001/telemetry", "smelter/s/L/../telemetry",
    ],
)  # fmt: skip
def test_no_trick_with_the_topic_reaches_a_unit(topic: str) -> None:
    decoded = decode(topic, b'{"time": %d, "voltage_v": 4}' % MS)
    assert len(decoded.readings) == 0
    assert [problem.reason in ("bad_topic", "unknown_unit") for problem in decoded.problems] == [True]
    assert decoded.problems[0].detail.isprintable()
    assert len(decoded.problems[0].detail) <= 500


def test_a_poison_message_between_good_ones_costs_only_itself() -> None:
    roster = roster_of(3)
    sink, parked = MemorySink(roster), list[Problem]()
    good = [Message(POT, b'{"time": %d, "voltage_v": 4}' % (MS - n)) for n in range(20)]
    bad = list(hostile(20, 9))
    mixed = [message for pair in zip(good, bad, strict=True) for message in pair]

    class Park:
        async def park(self, problems: list[Problem], received_ns: int) -> None:
            parked.extend(problems)

    async def nobody(readings: Readings) -> None:
        pass

    source = ListSource([mixed])
    ingestor = Ingestor(source, codec_of(roster), sink, Park(), FakeClock(NOW_NS), hand_on=nobody)  # type: ignore[arg-type]
    asyncio.run(ingestor.run())
    voltages = {time for (path, _, time), value in sink.values.items() if path == "s/L/001" and value == 4.0}
    assert {(MS - n) * 1_000_000 for n in range(20)} <= voltages
