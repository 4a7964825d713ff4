"""The slow road of the codec: take a refused message apart, keep every good value, name every bad one."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import msgspec

from twin.errors import PayloadError
from twin.signals import MEASUREMENTS, SIGNALS, Signal, of_topic
from twin.times import parse_time, shown

__all__ = ["REASONS", "Found", "json_of", "salvage", "salvage_section"]

# reason -> what to do about it; the reasons are label values of counters, so the set is closed
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "bad_topic": "Topics are <root>/<site>/<line>/<pot>/telemetry|event|sample, <root>/<site>/<line>/line "
        "and <root>/<site>/<line>/section/<n>/telemetry.",
        "unknown_unit": "Add the line or pot to the plant file, or set ingest.unknown_pot = discover.",
        "oversize": "Send fewer pots in a message or raise ingest.max_payload_bytes.",
        "malformed": "Send one JSON object in UTF-8.",
        "missing_time": "Every message carries its source time in `time`.",
        "bad_time": "`time` is epoch ms, epoch ns, or ISO 8601 with a zone.",
        "future_time": "Set the clock of the source (NTP), or raise ingest.future_s.",
        "wrong_type": "A signal is a JSON number (or null when there is none).",
        "not_finite": "Leave a missing value out or send null; NaN and Infinity are not JSON.",
        "out_of_range": "The value is not what this sensor can say; check sensor, unit, or the signal's range.",
        "length_mismatch": "In a section message every list is as long as `pot`.",
        "too_deep": "Send flat JSON: an object of numbers, or of lists of numbers; mapped ones have 8 levels at most.",
        "map_mismatch": "The message is not as its row of the mapping file says; compare them with `twin map check`.",
        "unknown_alias": "The edge node was asked to be born again; what it sends before that cannot be read.",
        "expired": "The store was away for longer than spool.max_h; when it is back, send the message again.",
        "damaged": "The disk gave a spooled batch back changed; the payload holds what is left of it. Check the disk.",
        "refused": "The store does not take it, for the reason in `detail`; mend that and send the message again.",
        "type_conflict": "The store has this field with another type (an integer, or text); rename or drop that field "
        "there, then send the message again. Its other values are stored.",
        "beyond_retention": "The store keeps no data of that age; lengthen its retention, then send the message again.",
    }
)

DEEPEST = 8  # levels of brackets in a message; the contract needs two
# A string, or one bracket: brackets in strings do not count. Possessive, and an open string reaches to the end: each
# byte is read once, whatever the payload.
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.S)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))

_BY_FIELD: dict[str, dict[str, tuple[int, Signal]]] = {
    kind: {SIGNALS[code].topic_field: (code, SIGNALS[code]) for code in of_topic(kind)} for kind in MEASUREMENTS
}


@dataclass(slots=True)
class Found:
    """What one unit's part of a message held: parallel lists, `row` is always 0 (one unit)."""

    time_ns: int
    signal: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    errors: list[PayloadError] = field(default_factory=list)

    @property
    def row(self) -> list[int]:
        return [0] * len(self.signal)


def check_depth(payload: bytes) -> None:
    """Refuse nesting that no message has, before anything is decoded. Raises PayloadError."""
    if payload.count(b"{") + payload.count(b"[") <= DEEPEST:
        return
    marks = payload.translate(None, _NO_BRACKETS)
    for _ in range(DEEPEST):
        if not marks:
            return  # bracket by bracket there is not more, those in texts counted as well
        marks = marks.replace(b"{}", b"").replace(b"[]", b"")
    if not marks:
        return
    depth = 0
    for token in _TOKENS.finditer(payload):
        mark = token[0]
        if mark in b"{[":
            depth += 1
            if depth > DEEPEST:
                raise PayloadError("too_deep", f"more than {DEEPEST} levels of brackets")
        elif mark in b"}]":
            depth -= 1


def plain(name: str) -> str:
    """The name of a field that no signal names, as short text that can be printed and stored anywhere."""
    short = name[:64]
    return short if short.isprintable() else ascii(short)[1:65]


def json_of(payload: bytes) -> object:
    """What a JSON text says, NaN and Infinity included. Raises ValueError, RecursionError."""
    try:
        found: object = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        found = json.loads(payload)  # the standard library also reads NaN and Infinity, which then get their own reason
    return found


def _load(payload: bytes) -> dict[str, Any]:
    check_depth(payload)
    try:
        loaded = json_of(payload)
    except (ValueError, RecursionError) as error:
        raise PayloadError("malformed", f"{error!s:.200}") from error
    if not isinstance(loaded, dict):
        raise PayloadError("malformed", f"a JSON object is wanted, not {type(loaded).__name__}")
    return loaded


def _number(value: object, signal: Signal, name: str) -> float:
    """The value as a float in range; NaN for null. Raises PayloadError."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PayloadError("wrong_type", f"{shown(value)} is not a number", name)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf if value > 0 else -math.inf
        raise PayloadError("out_of_range", f"{str(value)[:40]}... is beyond a float", name) from None
    if not math.isfinite(number):
        raise PayloadError("not_finite", f"{number}", name)
    if not signal.low <= number <= signal.high:
        raise PayloadError(
            "out_of_range", f"{number:g} {signal.unit} is outside {signal.low:g} ... {signal.high:g}", name
        )
    return number


def _fill(found: Found, kind: str, items: Iterator[tuple[str, object]]) -> Found:
    fields = _BY_FIELD[kind]
    for name, value in items:
        row = fields.get(name)
        if row is None:
            found.unknown.append(plain(name))
            continue
        try:
            number = _number(value, row[1], name)
        except PayloadError as error:
            found.errors.append(error)
            number = math.nan  # the sensor spoke, and cannot be trusted: a BAD reading, not silence (F30)
        found.signal.append(row[0])
        found.value.append(number)
    return found


def salvage(kind: str, payload: bytes) -> Found:
    """One unit's message, field by field. Raises PayloadError when nothing in it can be used."""
    loaded = _load(payload)
    loaded.pop("seq", None)
    time_ns = parse_time(loaded.pop("time", None))
    return _fill(Found(time_ns), kind, iter(loaded.items()))


def salvage_section(payload: bytes) -> tuple[list[str], list[Found | PayloadError]]:
    """A section message, pot by pot. Raises PayloadError when nothing in it can be used."""
    loaded = _load(payload)
    loaded.pop("seq", None)
    stamp, pots = loaded.pop("time", None), loaded.pop("pot", None)
    if not isinstance(pots, list) or not all(isinstance(pot, str) for pot in pots):
        raise PayloadError("wrong_type", "`pot` is a list of pot ids", "pot")
    stamps = stamp if isinstance(stamp, list) else [stamp] * len(pots)
    if len(stamps) != len(pots):
        raise PayloadError("length_mismatch", f"{len(stamps)} times for {len(pots)} pots", "time")
    columns: dict[str, list[object]] = {}
    common = Found(0)  # what concerns the message as a whole goes to its first pot
    for name, column in loaded.items():
        if name not in _BY_FIELD["telemetry"]:
            common.unknown.append(plain(name))
        elif isinstance(column, list) and len(column) == len(pots):
            columns[name] = column
        else:
            common.errors.append(PayloadError("length_mismatch", f"a list of {len(pots)} values is wanted", name))
    results = [_one_of_section(stamps[row], columns, row) for row in range(len(pots))]
    first = next((result for result in results if isinstance(result, Found)), None)
    if first is None:
        raise next((r for r in results if isinstance(r, PayloadError)), PayloadError("malformed", "no pots"))
    first.unknown.extend(common.unknown)
    first.errors.extend(common.errors)
    return pots, results


def _one_of_section(stamp: object, columns: dict[str, list[object]], row: int) -> Found | PayloadError:
    try:
        found = Found(parse_time(stamp))
    except PayloadError as error:
        return error
    return _fill(found, "telemetry", ((name, column[row]) for name, column in columns.items()))
