"""No payload raises anything: whatever comes is read, or parked with one of the known reasons."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.plants import NOW_NS
from tests.mapping.maps import codec_with
from tests.mapping.test_plainly import MAP
from tests.mapping.test_rows import CSV, NUMBER, POT, ROOTED, TALL
from twin.codec import Codec
from twin.ports import Message
from twin.salvage import REASONS

ALL = (MAP, POT, TALL, ROOTED, NUMBER, CSV)
CODEC = codec_with("\n".join(ALL))
TOPICS = (
    "json/1", "array", "csv", "lines", "plant/PL1/pot2/data", "kepware/x", "gw/L", "raw/L/1/volt", "raw/L/1/mode",
    "rectifier/amps", "csv/L", "table", "smelter/s/L/001/telemetry",
)  # fmt: skip
SEEDS = (
    b'{"ts": 1763964000000, "q": 192, "v": {"u": 4012, "t": 1230.15, "m": 1}, "mode": "OVER"}',
    b'{"all": {"items": [{"ts": 1763964000000000000, "id": {"no": "P1"}, "v": {"u": 4e3}}]}}',
    b'{"values": [{"id": "L.Pot1.U", "v": 4.0, "q": true, "t": 1763964000000}]}',
    b'{"head": {"time": "2025-11-24T06:00:00Z"}, "pots": [{"no": 1, "u": "4,01"}]}',
    b"ts,no,q,u\n1763964000000000000,P1,ok,4000\n",
    b'pot,no=P1,t\\ a=g u=4000,t=12i,m="OVER \\" x",q="ok" 1763964000000000000\npot,no=P2 u=1u\n',
    b"24.11.2025 07:00:00;P1;4,01;957;ok\n",
    b"4.012",
)


def decoded_without_harm(codec: Codec, topic: str, payload: bytes) -> None:
    found = codec.decode([Message(topic, payload)], NOW_NS)
    assert {problem.reason for problem in found.problems} <= set(REASONS)
    assert all(problem.payload == payload and len(problem.detail) <= 500 for problem in found.problems)
    assert found.parked == bool(found.problems)
    readings = found.readings
    assert ((readings.value == readings.value) == (readings.quality < 2)).all()
    assert (readings.time_ns > 0).all()


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("tsquvidmn"), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=400)
@given(
    st.sampled_from(TOPICS),
    st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda t: t.encode("utf-8", "replace"))),
)
def test_bytes_of_any_kind(topic: str, payload: bytes) -> None:
    decoded_without_harm(CODEC, topic, payload)


@settings(max_examples=400)
@given(st.sampled_from(TOPICS), json_values)
def test_json_of_any_shape(topic: str, value: Any) -> None:
    import json

    decoded_without_harm(CODEC, topic, json.dumps(value).encode())


@settings(max_examples=1000)
@given(st.sampled_from(TOPICS), st.sampled_from(SEEDS), st.data())
def test_good_payloads_with_a_few_bytes_changed(topic: str, seed: bytes, data: st.DataObject) -> None:
    payload = bytearray(seed)
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(payload)))
        payload[place : place + data.draw(st.integers(0, 3))] = data.draw(
            st.one_of(
                st.binary(max_size=3), st.sampled_from([b"null", b"[", b"\n", b'"', b"\\", b"NaN", b"9" * 30, b"="])
            )
        )
    decoded_without_harm(CODEC, topic, bytes(payload))


@given(st.text(max_size=40))
def test_topics_of_any_kind(topic: str) -> None:
    for head in ("plant/", "json/", "raw/L/", ""):
        decoded_without_harm(CODEC, head + topic, SEEDS[0])


BOMBS = {
    "open quotes": b'm a="' * 40_000,
    "quoted line feeds": b'm a="' + b"\n" * 200_000,
    "equal signs": b"=" * 250_000,
    "backslashes": b"\\" * 250_000,
    "escaped quotes": b'm a="' + b'\\"=' * 80_000,
    "spaces": b" " * 250_000,
    "commas": b"," * 250_000,
    "brackets": b"[" * 250_000,
    "objects": b'{"v":' * 40_000,
    "digits": b"9" * 250_000,
    "a long number": b'{"ts": ' + b"9" * 250_000 + b"}",
    "lines": b"x\n" * 25_000,
}


@pytest.mark.parametrize("bomb", sorted(BOMBS))
def test_no_payload_takes_long(bomb: str) -> None:
    for topic in TOPICS:
        began = time.process_time()
        decoded_without_harm(CODEC, topic, BOMBS[bomb])
        assert time.process_time() - began < 2.0, topic


def test_a_long_topic_takes_no_time() -> None:
    codec = codec_with(POT.replace("plant/{line}/pot{pot:d}/data", "{line}-{a}-{b}-{c}/pot{pot:d}"))
    began = time.process_time()
    decoded_without_harm(codec, "-" * 65_000, b"")
    decoded_without_harm(codec, "-" * 500, b"")
    assert time.process_time() - began < 2.0


def test_invented_topics_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.mapping.table._KNOWN", 10)
    monkeypatch.setattr("twin.mapping.decode._KNOWN", 10)
    codec = codec_with(POT.replace("/data", "/+"))
    for number in range(50):
        decoded_without_harm(codec, f"plant/PL1/pot1/{number}", SEEDS[0])
    beside: Any = codec.beside
    assert len(beside._known) == 10
    assert len(beside.rows[0]._known) == 10
