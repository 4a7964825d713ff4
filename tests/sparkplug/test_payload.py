"""Sparkplug payloads: the definition, datatypes, quality, and that nothing in them raises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.plants import NOW_NS
from tests.mapping.maps import codec_with, decode, readings, reasons
from tests.sparkplug.wire import NOW_MS, message
from twin import sparkplug
from twin.ports import Message
from twin.salvage import REASONS
from twin.sparkplug import sparkplug_b_pb2
from twin.sparkplug.payload import metrics, parse, rebirth
from twin.sparkplug.session import Host, told

pytestmark = pytest.mark.long

wire: Any = sparkplug_b_pb2
MAP = """
[[row]]
name = "device"
topic = "spBv1.0/G/+/{node}/pot{pot:d}"
format = "sparkplug"
unit = "s/L/{pot:03d}"
signal = [
    { name = "voltage_v", path = "Voltage", unit = "mV" },
    { name = "feed_mode", path = "Mode", words = { OVER = 2 } },
    { name = "beam_position_mm", path = "Beam" },
]
[[row]]
name = "names"
topic = "spBv1.0/G/+/Hall"
format = "sparkplug"
take = { name = "Pot{pot:d}/{signal}" }
unit = "s/L/{pot:03d}"
signal = [{ name = "voltage_v", key = "Voltage" }, { name = "noise_mv", key = "Noise" }]
"""
TOPIC = told("smelter", "spBv1.0/G/DDATA/N/pot1")


def test_the_generated_module_is_that_of_the_definition(tmp_path: Path) -> None:
    folder, out = Path(sparkplug.__file__).parent, tmp_path / "set"
    command = [
        sys.executable,
        "-m",
        "grpc_tools.protoc",
        f"-I{folder}",
        f"--descriptor_set_out={out}",
        "sparkplug_b.proto",
    ]
    subprocess.run(command, check=True, timeout=60)
    (wanted,) = FileDescriptorSet.FromString(out.read_bytes()).file
    found = FileDescriptorProto()
    wire.DESCRIPTOR.CopyToProto(found)
    assert "Payload.Metric.double_value = 13: 1  1" in _plain(found)
    assert _plain(found) == _plain(wanted)


def _plain(file: Any) -> list[str]:
    """Every field, as text, without what protoc adds in passing."""
    lines = list[str]()

    def walk(kind: Any, above: str) -> None:
        lines.extend(f"{above}{kind.name}.{f.name} = {f.number}: {f.type} {f.type_name} {f.label}" for f in kind.field)
        for inner in kind.nested_type:
            walk(inner, f"{above}{kind.name}.")

    for kind in file.message_type:
        walk(kind, "")
    lines.extend(f"{enum.name}.{value.name} = {value.number}" for enum in file.enum_type for value in enum.value)
    return lines


def payload_of(name: str, datatype: int, **value: Any) -> bytes:
    payload = wire.Payload(timestamp=NOW_MS)
    payload.metrics.add(name=name, datatype=datatype, **value)
    return bytes(payload.SerializeToString())


@pytest.mark.parametrize(
    ("datatype", "value", "wanted"),
    [
        (1, {"int_value": 0xFFFFFFFF}, -1), (1, {"int_value": 0xFF}, -1), (2, {"int_value": 0x8000}, -32768),
        (3, {"int_value": 2**32 - 5}, -5), (4, {"long_value": 2**64 - 7}, -7), (4, {"long_value": 7}, 7),
        (5, {"int_value": 255}, 255), (8, {"long_value": 2**64 - 1}, 2**64 - 1), (9, {"float_value": 0.5}, 0.5),
        (10, {"double_value": 4.012}, 4.012), (11, {"boolean_value": True}, True), (11, {"int_value": 1}, True),
        (12, {"string_value": "x"}, "x"), (10, {"is_null": True}, None), (10, {}, None),
        (10, {"is_null": True, "double_value": 1.0}, None),
    ],
)  # fmt: skip
def test_datatypes(datatype: int, value: dict[str, Any], wanted: object) -> None:
    (found,) = metrics(parse(payload_of("x", datatype, **value)))
    assert (found.value, type(found.value), found.time_ms) == (wanted, type(wanted), NOW_MS)


def test_a_metric_whose_quality_is_bad_has_no_value() -> None:
    for quality, wanted in ((192, 4.0), (0, None), (500, None)):
        payload = wire.Payload(timestamp=NOW_MS)
        one = payload.metrics.add(name="x", datatype=10, double_value=4.0)
        one.properties.keys.append("Quality")
        one.properties.values.add(type=3, int_value=quality)
        assert [found.value for found in metrics(payload)] == [wanted]


def test_metrics_become_signals_by_their_names() -> None:
    payload = wire.Payload(timestamp=NOW_MS)
    payload.metrics.add(name="Voltage", datatype=3, int_value=4012)
    payload.metrics.add(name="Mode", datatype=12, string_value="OVER")
    payload.metrics.add(name="Beam", datatype=10, double_value=120.0, timestamp=NOW_MS - 5000, is_historical=True)
    payload.metrics.add(name="Other", datatype=10, double_value=1.0)
    decoded = decode(MAP, (TOPIC, payload.SerializeToString()))
    assert readings(decoded) == [
        (0.0, 1, "voltage_v", 4.012, "GOOD"),
        (0.0, 1, "feed_mode", 2.0, "GOOD"),
        (-5.0, 1, "beam_position_mm", 120.0, "GOOD"),
    ]
    assert decoded.problems == ()


def test_names_hold_the_pot_and_the_signal() -> None:
    load: dict[str | int, float | None] = {
        "Pot1/Voltage": 4.0,
        "Pot2/Noise": 3.0,
        "Pot2/Door": 1.0,
        "Uptime": 9.0,
        "Pot3/Voltage": None,
    }
    decoded = decode(MAP, (told("smelter", "spBv1.0/G/NDATA/Hall"), message("NDATA", 1, load).payload))
    assert readings(decoded) == [
        (0.0, 1, "voltage_v", 4.0, "GOOD"), (0.0, 2, "noise_mv", 3.0, "GOOD"), (0.0, 3, "voltage_v", None, "BAD"),
    ]  # fmt: skip
    assert (decoded.unknown, decoded.problems) == ({"Door": 1}, ())


def test_not_a_number_is_a_bad_reading_and_parked() -> None:
    for number in ("nan", "inf", "-inf"):
        decoded = decode(MAP, (TOPIC, payload_of("Voltage", 10, double_value=float(number))))
        assert readings(decoded) == [(0.0, 1, "voltage_v", None, "BAD")]
        assert reasons(decoded) == [("not_finite", "Voltage")]


def test_an_alias_without_a_name_is_parked_and_what_nobody_maps_is_counted() -> None:
    decoded = decode(
        MAP,
        (TOPIC, message("DDATA", 1, {5: 1.0}).payload),
        (told("smelter", "spBv1.0/G/NBIRTH/N"), b""),
        (TOPIC, b"\xff"),
    )
    assert reasons(decoded) == [("unknown_alias", ""), ("malformed", "")]
    assert decoded.unknown == {"Sparkplug messages that no row maps": 1}


def test_the_command() -> None:
    (found,) = metrics(parse(rebirth(NOW_MS)))
    assert found[:1] + found[2:] == ("Node Control/Rebirth", NOW_MS, 11, True)


SEED = message("DBIRTH", 1, {"Voltage": 4000.0, "Mode": 1.0}, aliases={"Voltage": 1, "Mode": 2}, birth_seq=3).payload
TOPICS = [f"spBv1.0/G/{kind}/N{below}" for kind in ("NBIRTH", "NDATA", "NDEATH") for below in ("", "/pot1")]
TOPICS += [f"spBv1.0/G/{kind}/{node}/pot1" for kind in ("DBIRTH", "DDATA", "DDEATH") for node in "NO"]
changes = st.lists(st.tuples(st.integers(0, len(SEED)), st.integers(0, 4), st.binary(max_size=4)), max_size=5)


@settings(max_examples=500)
@given(st.lists(st.tuples(st.sampled_from(TOPICS), changes, st.integers(0, 3000)), min_size=1, max_size=12))
def test_no_payload_raises_and_none_is_lost(sent: list[tuple[str, list[tuple[int, int, bytes]], int]]) -> None:
    host, codec, now = Host(), codec_with(MAP), NOW_MS
    came, out = 0, list[Message]()
    for topic, changed, pause in sent:
        payload = bytearray(SEED)
        for place, count, text in changed:
            payload[place : place + count] = text
        came += 1
        now += pause
        out += host.take(Message(topic, bytes(payload)), now).messages + host.tick(now).messages
    out += host.tick(now + 10**6).messages + host.lost(now + 10**6).messages
    assert len(out) >= came
    decoded = codec.decode([Message(told("smelter", topic), load) for topic, load in out], NOW_NS + 10**12)
    assert {problem.reason for problem in decoded.problems} <= set(REASONS)
