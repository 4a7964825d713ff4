"""Bytes -> Readings: the data contract of the wire, typed and bounded (the way back: `twin.encode`).

`Codec.decode` never raises on what a message holds. What can be used becomes Readings; what cannot becomes a
Problem with a reason of REASONS. The fast path decodes whole messages into typed structs with ranges checked in C;
a message that does not pass goes through `twin.salvage`, field by field, so that one bad value costs only itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from itertools import chain
from operator import attrgetter
from typing import Annotated, Any

import msgspec
import numpy as np

from twin.decoded import Beside, Decoded, Gathering, Problem
from twin.errors import PayloadError
from twin.frames import Codes, Floats, Ints, Readings
from twin.plant import Roster
from twin.ports import Message
from twin.salvage import REASONS, Found, salvage, salvage_section
from twin.signals import MEASUREMENTS, SIGNALS, of_topic
from twin.skew import PROMPT, Skew
from twin.times import parse_times
from twin.topics import SECTION, Router

__all__ = ["REASONS", "Codec", "Decoded", "Problem"]

_FLOAT_NAN = float("nan")
_CODES = {kind: of_topic(kind) for kind in MEASUREMENTS}


def _struct(kind: str, *, many: bool) -> type[Any]:
    """The typed message of one topic kind; `many`: a list per signal (section gateway)."""
    fields: list[tuple[str, Any, Any] | tuple[str, Any]] = [
        ("time", int | str | list[int | str] if many else int | str)
    ]
    fields.append(("seq", int, -1))  # for `twin.sequences`; no reading
    if many:
        fields.insert(1, ("pot", list[str]))
    for code in _CODES[kind]:
        signal = SIGNALS[code]
        value = Annotated[float, msgspec.Meta(ge=signal.low, le=signal.high)]
        fields.append((signal.topic_field, list[value] | None if many else value, None if many else _FLOAT_NAN))
    return msgspec.defstruct(f"{kind.title()}{'s' if many else ''}", fields, forbid_unknown_fields=True, gc=False)


_DECODE = {kind: msgspec.json.Decoder(_struct(kind, many=False)).decode for kind in MEASUREMENTS}
_VALUES = {kind: attrgetter(*(SIGNALS[code].topic_field for code in codes)) for kind, codes in _CODES.items()}
_DECODE_SECTION = msgspec.json.Decoder(_struct("telemetry", many=True)).decode
# ValidationError is a DecodeError; text that is not UTF-8 is none of msgspec's own errors
_REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Codec:
    """Decodes the messages of one plant. `future_s`: how far ahead of now a source time may be."""

    def __init__(
        self, router: Router, *, future_s: float = 60.0, max_payload: int = 262_144, beside: Beside | None = None
    ) -> None:
        self.router = router
        self.beside = beside
        self.future_ns = int(future_s * 1e9)
        self.max_payload = max_payload
        self.skew = Skew()

    @property
    def roster(self) -> Roster:
        return self.router.roster

    def decode(self, messages: Sequence[Message], now_ns: int) -> Decoded:
        """Any messages to Readings, in order of topic kind, then of arrival; mapped ones come last."""
        found = Gathering()
        latest = now_ns + self.future_ns
        beside = self.beside
        mapped = [] if beside is None else [n for n, message in enumerate(messages) if beside.of(message[0])]
        for kind, group in self._sort(messages, frozenset(mapped), found).items():
            if kind == SECTION:
                for index, unit in group:
                    self._decode_section(messages[index], index, unit, latest, found)
            else:
                self._decode_kind(kind, group, messages, latest, found)
        if beside is not None and mapped:
            beside.decode(mapped, messages, now_ns, latest, found)
            for units, times in found.heard:
                self.skew.note(units, times, now_ns)
        return found.decoded()

    def _sort(
        self, messages: Sequence[Message], others: Set[int], found: Gathering
    ) -> dict[str, list[tuple[int, int]]]:
        groups: dict[str, list[tuple[int, int]]] = {}
        route, limit = self.router.route, self.max_payload
        for index, message in enumerate(messages):
            if index in others:
                continue
            try:
                kind, unit = route(message[0])
                if len(message[1]) > limit:
                    raise PayloadError("oversize", f"{len(message[1])} bytes, at most {limit}")
            except PayloadError as error:
                found.problem(index, message, error)
            else:
                group = groups.get(kind)
                if group is None:
                    groups[kind] = group = []
                group.append((index, unit))
        return groups

    def _decode_kind(
        self, kind: str, group: list[tuple[int, int]], messages: Sequence[Message], latest: int, found: Gathering
    ) -> None:
        decode, rows, kept = _DECODE[kind], [], []
        for item in group:
            try:
                rows.append(decode(messages[item[0]][1]))
                kept.append(item)
            except _REFUSED:
                self._salvage(kind, item[0], item[1], messages[item[0]], latest, found)
        if not rows:
            return
        codes = _CODES[kind]
        values = np.fromiter(chain.from_iterable(map(_VALUES[kind], rows)), np.float64, len(rows) * len(codes))
        times, errors = parse_times([row.time for row in rows])
        units = np.array([item[1] for item in kept], np.int32)
        self._note_skew(kind, units, times, errors, latest)
        good = self._judge_times(times, errors, latest, [item[0] for item in kept], messages.__getitem__, found)
        table = values.reshape(len(rows), len(codes))
        if not good.all():
            times, units, table = times[good], units[good], table[good]
        found.parts.append(_long(times, units, codes, table))

    def _note_skew(
        self, kind: str, units: Codes, times: Ints, errors: Sequence[PayloadError | None], latest: int
    ) -> None:
        """Of what is sent as it is measured."""
        if kind not in PROMPT:
            return
        if any(errors):
            good = [error is None for error in errors]
            units, times = units[good], times[good]
        self.skew.note(units, times, latest - self.future_ns)

    def _judge_times(
        self,
        times: Ints,
        errors: Sequence[PayloadError | None],
        latest: int,
        indices: Sequence[int],
        message_of: Callable[[int], Message],
        found: Gathering,
    ) -> np.ndarray[Any, np.dtype[np.bool_]]:
        good = np.ones(len(times), bool)
        if any(errors) or (len(times) and times.max() > latest):
            for row, error in enumerate(errors):
                if error is None and times[row] > latest:
                    error = _future(int(times[row]), latest - self.future_ns)
                if error is not None:
                    good[row] = False
                    found.problem(indices[row], message_of(indices[row]), error)
        return good

    def _salvage(self, kind: str, index: int, unit: int, message: Message, latest: int, found: Gathering) -> None:
        try:
            result = salvage(kind, message.payload)
            self._note_skew(kind, np.array([unit], np.int32), np.array([result.time_ns]), (), latest)
            if result.time_ns > latest:
                raise _future(result.time_ns, latest - self.future_ns)
        except PayloadError as error:
            found.problem(index, message, error)
            return
        self._take(result, index, message, [unit], found)

    def _take(self, result: Found, index: int, message: Message, units: Sequence[int], found: Gathering) -> None:
        found.unknown.update(result.unknown)
        for error in result.errors:
            found.problem(index, message, error)
        count = len(result.signal)
        unit = [units[row] for row in result.row]
        found.parts.append(Readings.of([result.time_ns] * count, unit, result.signal, result.value))

    def _decode_section(self, message: Message, index: int, line: int, latest: int, found: Gathering) -> None:
        line_path = self.roster.paths[line]
        try:
            row = _DECODE_SECTION(message.payload)
            units = [self.router.pot(f"{line_path}/{pot}") for pot in row.pot]
            table, codes = _columns(row, len(units))
        except (*_REFUSED, PayloadError):
            self._salvage_section(message, index, line_path, latest, found)
            return
        several = isinstance(row.time, list)
        stamps = row.time if several else [row.time]
        if several and len(stamps) != len(units):
            found.problem(
                index, message, PayloadError("length_mismatch", f"{len(stamps)} for {len(units)} pots", "time")
            )
            return
        times, errors = parse_times(stamps)
        codes_of = np.array(units, np.int32)
        if several:
            self._note_skew("telemetry", codes_of, times, errors, latest)
        elif errors == [None]:
            self._note_skew("telemetry", codes_of, np.full(len(units), times[0]), (), latest)
        good = self._judge_times(times, errors, latest, [index] * len(times), lambda _: message, found)
        if not several:
            times, good = np.repeat(times, len(units)), np.repeat(good, len(units))
        found.parts.append(_long(times[good], codes_of[good], codes, table[good]))

    def _salvage_section(self, message: Message, index: int, line: str, latest: int, found: Gathering) -> None:
        try:
            pots, results = salvage_section(message.payload)
        except PayloadError as error:
            found.problem(index, message, error)
            return
        for pot, result in zip(pots, results, strict=True):
            try:
                if isinstance(result, PayloadError):
                    raise result
                unit = self.router.pot(f"{line}/{pot}")
                self._note_skew("telemetry", np.array([unit], np.int32), np.array([result.time_ns]), (), latest)
                if result.time_ns > latest:
                    raise _future(result.time_ns, latest - self.future_ns)
            except PayloadError as error:
                found.problem(index, message, error)
            else:
                self._take(result, index, message, [unit], found)


def _future(time_ns: int, now_ns: int) -> PayloadError:
    return PayloadError("future_time", f"{(time_ns - now_ns) / 1e9:.1f} s ahead of this clock", "time")


def _columns(row: Any, pots: int) -> tuple[Floats, tuple[int, ...]]:
    """Values (pots, signals) of a section message and their signal codes; PayloadError when a length differs."""
    said = [
        (code, column)
        for code in _CODES["telemetry"]
        if (column := getattr(row, SIGNALS[code].topic_field)) is not None
    ]
    if any(len(column) != pots for _, column in said):
        raise PayloadError("length_mismatch", "a list is not as long as pot")
    flat = np.fromiter(chain.from_iterable(column for _, column in said), np.float64, len(said) * pots)
    return flat.reshape(len(said), pots).T, tuple(code for code, _ in said)


def _long(times: Ints, units: Any, codes: Sequence[int], table: Floats) -> Readings:
    """A dense table (rows, codes) to long columns, absent (NaN) cells left out, row by row."""
    signal = np.array(codes, np.int16)
    present = np.isfinite(table)
    if present.all():
        count = len(codes)
        return Readings(
            np.repeat(times, count),
            np.repeat(units, count),
            np.tile(signal, len(times)),
            np.ascontiguousarray(table).ravel(),
            np.zeros(table.size, np.uint8),
        )
    row, column = np.nonzero(present)
    return Readings(times[row], units[row], signal[column], table[row, column], np.zeros(len(row), np.uint8))
