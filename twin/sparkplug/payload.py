"""Sparkplug B payloads: bytes to metrics and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError, EncodeError

from twin.errors import PayloadError
from twin.sparkplug import sparkplug_b_pb2

__all__ = ["REBIRTH", "Metric", "Payload", "metrics", "parse", "rebirth", "resolved", "seq_of", "stale"]

Payload = Any  # the generated class has no types
wire: Any = sparkplug_b_pb2
REBIRTH = "Node Control/Rebirth"
_SIGNED = {1: 8, 2: 16, 3: 32, 4: 64}  # datatype -> bits: negative numbers travel as two's complement
_UNUSABLE = frozenset((0, 500))  # property Quality: bad, stale
_BOOLEAN, _DOUBLE = 11, 10


class Metric(NamedTuple):
    """One metric: `value` None where the sensor has none; `time_ms` None where nothing says when."""

    name: str
    alias: int | None
    time_ms: int | None
    datatype: int
    value: float | int | str | bool | None


def parse(payload: bytes) -> Payload:
    """Raises PayloadError(malformed)."""
    found = wire.Payload()
    try:
        found.ParseFromString(payload)
    except (DecodeError, RecursionError) as error:
        raise PayloadError("malformed", "not a Sparkplug B payload") from error
    return found


def seq_of(payload: Payload) -> int | None:
    """Sequence number of a message, None where it has none."""
    return int(payload.seq) if payload.HasField("seq") else None


def metrics(payload: Payload) -> list[Metric]:
    """The metrics of a payload; those that are no number, text or truth value are left out. Raises PayloadError."""
    whole = int(payload.timestamp) if payload.HasField("timestamp") else None
    found = []
    for one in payload.metrics:
        kind = one.WhichOneof("value")
        if kind in (None, "int_value", "long_value", "float_value", "double_value", "boolean_value", "string_value"):
            time_ms = int(one.timestamp) if one.HasField("timestamp") else whole
            alias = int(one.alias) if one.HasField("alias") else None
            name, value = one.name, _value(one, kind)
            if isinstance(name, bytes) or isinstance(value, bytes):  # protobuf gives a text that is not UTF-8 as it is
                raise PayloadError("malformed", "a text in the Sparkplug B payload is not UTF-8")
            found.append(Metric(name, alias, time_ms, int(one.datatype), value))
    return found


def _value(one: Any, kind: str | None) -> float | int | str | bool | None:
    if kind is None or one.is_null or _unusable(one):
        return None
    value: float | int | str | bool = getattr(one, kind)
    bits = _SIGNED.get(one.datatype)
    if bits is not None and isinstance(value, int):
        value &= (1 << bits) - 1
        return value - (1 << bits) if value >> (bits - 1) else value
    return bool(value) if one.datatype == _BOOLEAN and isinstance(value, int) else value


def _unusable(one: Any) -> bool:
    if not one.HasField("properties"):
        return False
    pairs = zip(one.properties.keys, one.properties.values, strict=False)
    return any(key == "Quality" and value.int_value in _UNUSABLE for key, value in pairs)


def resolved(payload: Payload, names: dict[int, tuple[str, int]], *, birth: bool) -> bytes:
    """The payload with every alias' name and datatype in it, so that it can be read alone.

    A birth says what holds at its own time, whenever a value last changed. Raises PayloadError.
    """
    for one in payload.metrics:
        if one.HasField("alias") and not one.HasField("name") and one.alias in names:
            one.name, datatype = names[one.alias]
            one.datatype = one.datatype or datatype
        if birth and payload.HasField("timestamp") and not one.is_historical:
            one.timestamp = payload.timestamp
    return _bytes(payload)


def _bytes(payload: Payload) -> bytes:
    try:
        return bytes(payload.SerializeToString())
    except (EncodeError, ValueError) as error:
        raise PayloadError("malformed", "not a Sparkplug B payload") from error


def stale(names: Iterable[str], time_ms: int) -> bytes:
    """A payload that says of each metric that it has no value any more."""
    found = wire.Payload(timestamp=time_ms)
    for name in names:
        found.metrics.add(name=name, timestamp=time_ms, datatype=_DOUBLE, is_null=True)
    return _bytes(found)


def rebirth(time_ms: int) -> bytes:
    """The command to an edge node to be born again."""
    found = wire.Payload(timestamp=time_ms)
    found.metrics.add(name=REBIRTH, timestamp=time_ms, datatype=_BOOLEAN, boolean_value=True)
    return _bytes(found)
