"""What an existing plant sends, by a mapping file and as Sparkplug B, and what becomes of it on a bad day."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from tests.core.plants import NOW_NS
from tests.fuzz.mutate import IDS, MUTATIONS, VALUES
from twin.ports import Message
from twin.sparkplug import sparkplug_b_pb2

__all__ = ["MAP", "foreign"]

_SIGNALS = """signal = [
    { name = "voltage_v", path = "u", unit = "mV" },
    { name = "noise_mv", path = "n" },
    { name = "feed_mode", path = "m", words = { OVER = 2 } },
]"""
MAP = f"""
[[row]]
topic = "plant/{{line}}/pot{{pot:d}}"
format = "json"
unit = "s/{{line}}/{{pot:03d}}"
time = {{ path = "ts" }}
quality = {{ path = "q", good = [192] }}
{_SIGNALS}
[[row]]
topic = "gw/#"
format = "json"
items = "all.pots"
take = {{ id = "{{line}}.{{pot:d}}" }}
unit = "s/{{line}}/{{pot:03d}}"
time = {{ path = "$.ts" }}
{_SIGNALS}
[[row]]
topic = "csv/+"
format = "csv"
columns = ["ts", "pot", "u", "n", "m"]
take = {{ pot = "{{pot:d}}" }}
unit = "s/L/{{pot:03d}}"
time = {{ path = "ts" }}
{_SIGNALS}
[[row]]
topic = "raw/{{pot:d}}/{{signal}}"
format = "number"
unit = "s/L/{{pot:03d}}"
time = "arrival"
signal = [{{ name = "voltage_v", key = "u" }}, {{ name = "noise_mv", key = "n" }}]
[[row]]
topic = "telegraf/#"
format = "line_protocol"
take = {{ pot = "{{pot:d}}" }}
unit = "s/L/{{pot:03d}}"
time = "arrival"
{_SIGNALS}
[[row]]
topic = "spBv1.0/G/+/{{node}}/pot{{pot:d}}"
format = "sparkplug"
unit = "s/L/{{pot:03d}}"
{_SIGNALS.replace(", words = { OVER = 2 }", "")}
"""
wire: Any = sparkplug_b_pb2
_KINDS = ("NBIRTH", "DBIRTH", "DBIRTH", "NDATA", "DDATA", "DDATA", "DDATA", "DDEATH", "NDEATH")
_ALIASES = {"u": 1, "n": 2, "m": 3}


def _values(chance: random.Random) -> dict[str, float]:
    return {"u": chance.uniform(3500, 5000), "n": chance.uniform(0, 50), "m": float(chance.randrange(3))}


def _ms(chance: random.Random) -> int:
    return NOW_NS // 1_000_000 - chance.randrange(10_000)


def _pot(chance: random.Random) -> tuple[str, bytes]:
    load = {"ts": _ms(chance), "q": chance.choice((192, 192, 0)), **_values(chance), "more": {"a": [1, {"b": 2}]}}
    return f"plant/L/pot{chance.randint(1, 3)}", orjson.dumps(load)


def _gateway(chance: random.Random) -> tuple[str, bytes]:
    pots = [{"id": f"L.{n}", **_values(chance)} for n in range(1, chance.choice((2, 4, 40)))]
    return "gw/1", orjson.dumps({"ts": _ms(chance), "all": {"pots": pots}})


def _csv(chance: random.Random) -> tuple[str, bytes]:
    rows = [f"{_ms(chance)},{n},{','.join(map(str, _values(chance).values()))}" for n in range(1, 4)]
    return "csv/x", "\n".join(rows).encode()


def _number(chance: random.Random) -> tuple[str, bytes]:
    return f"raw/{chance.randint(1, 3)}/{chance.choice('unx')}", b"%.3f" % chance.uniform(0, 60)


def _lines(chance: random.Random) -> tuple[str, bytes]:
    rows = []
    for pot in range(1, 4):
        fields = ",".join(f"{name}={value}" for name, value in _values(chance).items())
        rows.append(f'pot,pot={pot},host=a\\ b {fields},say="a \\" b"' + chance.choice(("", f" {_ms(chance)}000000")))
    return "telegraf/gw", "\n".join(rows).encode()


def _sparkplug(chance: random.Random) -> tuple[str, bytes]:
    kind, payload = chance.choice(_KINDS), wire.Payload(timestamp=_ms(chance), seq=chance.randrange(256))
    for name, value in _values(chance).items():
        one = payload.metrics.add(double_value=value, datatype=10, timestamp=_ms(chance))
        if kind.endswith("BIRTH") or chance.random() < 0.3:
            one.name = name
        one.alias = _ALIASES[name]
    node = chance.choice(("N", "N", f"M{chance.randrange(20)}"))
    below = f"/pot{chance.randint(1, 3)}" if kind[0] == "D" else ""
    return f"spBv1.0/G/{kind}/{node}{below}", payload.SerializeToString()


_VALID: tuple[Callable[[random.Random], tuple[str, bytes]], ...] = (_pot, _gateway, _csv, _number, _lines, _sparkplug)


def foreign(count: int, seed: int) -> Iterator[Message]:
    """So many messages: one of three is valid, the others went through one to three mutations."""
    chance = random.Random(f"foreign {seed}")
    for _ in range(count):
        topic, payload = chance.choice(_VALID)(chance)
        if chance.random() > 1 / 3:
            for _ in range(chance.choice((1, 1, 2, 3))):
                payload = _changed(payload, chance)[:400_000]
        if chance.random() < 0.05:
            topic = topic.replace(chance.choice(("L", "pot", "1", "G")), chance.choice(IDS))
        yield Message(topic, payload)


def _changed(payload: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.2 and b"=" in payload:
        head, _, tail = payload.partition(b"=")
        return head + b"=" + chance.choice(VALUES) + tail
    return chance.choice(MUTATIONS)(payload, chance)
