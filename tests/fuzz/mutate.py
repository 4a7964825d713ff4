"""Valid messages, and what an enemy, a broken gateway or a bad cable makes of them; same seed, same messages."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable, Iterator

import orjson

from tests.core.plants import NOW_NS
from twin.ports import Message
from twin.signals import SIGNALS, of_topic

__all__ = ["IDS", "MUTATIONS", "VALUES", "hostile"]

POT, SECTION = "smelter/s/L/001/telemetry", "smelter/s/L/section/1/telemetry"
KINDS = {
    "telemetry": POT,
    "line": "smelter/s/L/line",
    "event": "smelter/s/L/002/event",
    "sample": "smelter/s/L/003/sample",
}
# What stands where a value should: each has broken a parser, a database or a log somewhere.
VALUES = (
    b"null", b"true", b'"4.0"', b"NaN", b"-Infinity", b"Infinity", b"1e999", b"-1e-999", b"1" + b"0" * 400,
    b"9" * 5000, b"0." + b"1" * 5000, b"-0", b"00", b"1_0", b"0x10", b"+4", b".5", b"5.", b"{}", b"[]", b"[[4]]",
    b'{"a":{"b":[]}}', b'"\\ud800"', b'"\\u0000"', b'"\x00"', b'"\xff"', b'"\\"', b"18446744073709551616",
    b"-9223372036854775809", b"9007199254740993", b"4,voltage_v=5", b'"4,pot=x voltage_v=5 1\\npot,site=x a=1"',
    b"1e308", b"-1.7976931348623157e308", b"5e-324", b"[" * 500, b"[" * 100_000, b'{"a":' * 2000,
)  # fmt: skip
TIMES = (
    b'"2025-11-24T06:00:00Z"', b'"2025-11-24T06:00:00"', b"0", b"-1", b"1e18", b'"now"', b"99999999999999999999",
    b'"9999-12-31T23:59:59+23:59"', b'"0001-01-01T00:00:00-23:59"', b'"' + b"1" * 70_000 + b'"', b"true", b"{}",
    b'"2025-11-24T06:00:00.999999999999Z"', b"%d" % (NOW_NS + 10**15), b"%d" % (NOW_NS - 10**18),
)  # fmt: skip
NAMES = (
    "voltage_v", "time", "pot", "", "\x00", "é", "a" * 70_000, "voltage_v ", "VOLTAGE_V", "voltage\u200b_v",
    "vοltage_v", "__class__", "pot,site=x", "a=1 1\npot", "\\ud800", "\x1b[2J", "constructor", "$where",
)  # fmt: skip
IDS = (
    "001", "002", "X1", "", ".", "..", "section", "line", "a b", "a,b", "a=b", "a\\", "a\nb", "00\u0661", "００１",
    "001\x00", "x" * 65, "x" * 3000, "+", "#", "$SYS", "’; DROP TABLE pot; --", "{{7*7}}", "%n%s", "\x1b[31m", "-x",
)  # fmt: skip
TOPICS = (
    "", "/", "//", "smelter", "smelter/", "smelter//L/001/telemetry", "smelter/s/L//telemetry", "smelter/#",
    "smelter/+/L/001", "$SYS/broker/version", "$share/g/smelter/s/L/001/telemetry", "smelter/s/L/001/telemetry/",
    "SMELTER/s/L/001/telemetry", "smelter/s/L/section/²/telemetry",
    "smelter/s/L/section/999999999999/telemetry", "smelter/s/L/section//telemetry",
    "smelter/s/L/section/-1/telemetry", "smelter/ѕ/L/001/telemetry", "smelter/s/L/001/telemetry\x00", "a/" * 30_000,
    "smelter/../smelter/s/L/001/telemetry", "smelter/s/L/section", "smelter/s/line", "smelter/s/L/line/line",
    "\udcff/x",
)  # fmt: skip


def _valid(chance: random.Random) -> tuple[str, dict[str, object]]:
    time: object = chance.choice(
        (NOW_NS - chance.randrange(10**13), (NOW_NS - 10**9) // 10**6, "2025-11-24T05:59:59.5Z")
    )
    if chance.random() < 0.35:
        pots = [f"{n:03d}" for n in range(1, 4)]
        load: dict[str, object] = {"time": chance.choice((time, [time] * 3)), "pot": pots}
        for code in chance.sample(of_topic("telemetry"), 4):
            load[SIGNALS[code].topic_field] = [_good(chance, code) for _ in pots]
        return SECTION, load
    kind = chance.choice(sorted(KINDS))
    codes = of_topic(kind)
    load = {"time": time}
    load |= {
        SIGNALS[c].topic_field: _good(chance, c) for c in chance.sample(codes, chance.randint(0, min(6, len(codes))))
    }
    return KINDS[kind], load


def _good(chance: random.Random, code: int) -> float:
    return chance.uniform(SIGNALS[code].low, min(SIGNALS[code].high, 1e9))


def _value(payload: bytes, chance: random.Random) -> bytes:
    """Something else where a value was."""
    places = [n for n, byte in enumerate(payload) if byte == ord(":")]
    if not places:
        return payload
    start = chance.choice(places) + 1
    end = min((n for mark in b",}" if (n := payload.find(bytes([mark]), start)) >= 0), default=len(payload))
    return payload[:start] + chance.choice(TIMES if chance.random() < 0.3 else VALUES) + payload[end:]


def _name(payload: bytes, chance: random.Random) -> bytes:
    """One more field, or one twice."""
    name = orjson.dumps(chance.choice(NAMES))
    return payload.replace(b"{", b"{" + name + b":" + chance.choice(VALUES) + b",", 1)


def _pots(payload: bytes, chance: random.Random) -> bytes:
    many = [chance.choice(IDS) for _ in range(chance.choice((1, 3, 3, 3, 3, 40, 40, 2000)))]
    return payload.replace(b'["001","002","003"]', orjson.dumps(many), 1)


def _bits(payload: bytes, chance: random.Random) -> bytes:
    changed = bytearray(payload)
    for _ in range(chance.randint(1, 6)):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _cut(payload: bytes, chance: random.Random) -> bytes:
    start, end = sorted((chance.randrange(len(payload) + 1), chance.randrange(len(payload) + 1)))
    return chance.choice(
        (payload[:start], payload[start:], payload[:start] + payload[end:], payload + payload[start:end])
    )


# No message of ours at all; a compressed bomb is not opened by anyone here.
BOMB = gzip.compress(b"\x00" * 30_000_000, 9)
NOTHING = (
    b"", b"\x00", b"{", b"[]", b'"', b'"' + b'\\"' * 50_000, b"{" * 100_000, b" " * 300_000, BOMB, zlib.compress(BOMB),
    b"pot,site=s voltage_v=4 1\n" * 3, b"\xff" * 1000, b"[" + b"0," * 100_000 + b"0]",
)  # fmt: skip


def _other(payload: bytes, chance: random.Random) -> bytes:
    which = chance.randrange(5)
    if which == 0:
        return b"\xef\xbb\xbf" + payload
    if which == 1:
        return payload[:1000].decode("latin-1").encode("utf-16")
    if which == 2:
        return b'{"time":' + payload + b"}"
    return payload * 3 if which == 3 else chance.choice(NOTHING)


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _value, _value, _value, _name, _name, _pots, _bits, _cut, _other,
)  # fmt: skip


def hostile(count: int, seed: int) -> Iterator[Message]:
    """So many messages: one of six is valid, the others went through one to three mutations."""
    chance = random.Random(seed)
    for _ in range(count):
        topic, load = _valid(chance)
        payload = orjson.dumps(load)
        if chance.random() > 1 / 6:
            for _ in range(chance.choice((1, 1, 2, 3))):
                payload = chance.choice(MUTATIONS)(payload, chance)[:400_000]
        if chance.random() < 0.08:
            topic = chance.choice((chance.choice(TOPICS), topic.replace("001", chance.choice(IDS))))
        yield Message(topic, payload)
