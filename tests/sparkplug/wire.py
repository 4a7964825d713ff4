"""Messages of an edge node for the tests of the session, made with the generated classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twin.ports import Message
from twin.sparkplug import sparkplug_b_pb2

__all__ = ["NOW_MS", "message", "said"]

wire: Any = sparkplug_b_pb2
NOW_MS = 1_763_964_000_000


def message(
    kind: str,
    seq: int | None,
    metrics: Mapping[str | int, float | None],
    *,
    device: str = "",
    time_ms: int = NOW_MS,
    aliases: Mapping[str, int] | None = None,
    birth_seq: int | None = None,
    node: str = "N",
) -> Message:
    """A message of node N in group G; a metric goes by name or by alias."""
    payload = wire.Payload(timestamp=time_ms)
    if seq is not None:
        payload.seq = seq
    if birth_seq is not None:
        payload.metrics.add(name="bdSeq", datatype=8, long_value=birth_seq, timestamp=time_ms)
    for key, value in metrics.items():
        one = payload.metrics.add(timestamp=time_ms)
        if isinstance(key, int):
            one.alias = key
        else:
            one.name, one.datatype = key, 10
            if aliases:
                one.alias = aliases[key]
        if value is None:
            one.is_null = True
        else:
            one.double_value = value
    topic = f"spBv1.0/G/{kind}/{node}" + (f"/{device}" if device else "")
    return Message(topic, payload.SerializeToString())


def said(found: Message) -> dict[str, float | None]:
    """Name -> value of the metrics of a message, bdSeq aside."""
    payload = wire.Payload()
    payload.ParseFromString(found.payload)
    return {
        one.name or f"alias {one.alias}": None if one.is_null else one.double_value
        for one in payload.metrics
        if one.name != "bdSeq"
    }
