"""Mapped messages -> Readings: what a row says, for many messages at once, and one by one where a message is odd."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from twin.decoded import APART_NS, Gathering
from twin.errors import PayloadError
from twin.frames import Ints, Quality, Readings
from twin.mapping.file import KEY, Row, TimeAt
from twin.mapping.numbers import Flags, Scale
from twin.mapping.pattern import Pattern, Template
from twin.mapping.records import MISMATCH, REFUSED, Record, Shape
from twin.mapping.times import Clock
from twin.ports import Message
from twin.salvage import plain
from twin.skew import PROMPT
from twin.sparkplug.session import told
from twin.topics import Router

__all__ = ["LONGEST", "MappedRow"]

_KNOWN = 65_536  # places remembered: a stream of invented topics cannot fill the memory
LONGEST = 256  # characters of a name that is remembered
_EVER = (100_000_000_000_000_000, 4_000_000_000_000_000_000)  # ns: line protocol's own times, 1973 ... 2096


class MappedRow:
    """One row, ready to decode."""

    def __init__(self, row: Row, router: Router) -> None:
        self.row, self.pattern = row, Pattern(told(router.root, row.topic) if row.format == "sparkplug" else row.topic)
        self.arrival = row.time == "arrival"
        self._router, self._template, self._shape = router, Template(row.unit), Shape(row)
        self._take = [Pattern(text, levels=False) for text in row.take.values()]
        texts = row.text or row.format in ("csv", "number")
        self._scales = [Scale(one, texts=texts, decimal=row.decimal) for one in row.signal]
        self._prompt = not self.arrival and all(scale.signal.topic in PROMPT for scale in self._scales)
        self._keys = {one.key: place for place, one in enumerate(row.signal) if one.key}
        self._flags = Flags(row.quality) if row.quality else None
        self._at = row.time.path if isinstance(row.time, TimeAt) else ""
        self._clock = Clock(row.time.format, row.time.zone) if isinstance(row.time, TimeAt) else None
        self._code = np.array([scale.code for scale in self._scales], np.int16)
        self._factor, self._divisor, self._shift, self._low, self._high = np.array(
            [(s.factor, s.divisor, s.shift, s.signal.low, s.signal.high) for s in self._scales]
        ).T
        self._column = np.array(self._shape.columns)
        self._known: dict[tuple[Any, ...], tuple[int, int]] = {}

    def _place(self, topic: str, take: tuple[Any, ...]) -> tuple[int, int]:
        """Unit, and place of the signal that is caught (-1: none is, -2: unknown). Raises PayloadError."""
        known = self._known.get((topic, *take))
        if known is not None:
            return known
        captures: dict[str, str | int] = dict(self.pattern.match(topic) or {})
        for (path, pattern), raw in zip(zip(self.row.take, self._take, strict=True), take, strict=True):
            text = str(raw) if isinstance(raw, str | int) and not isinstance(raw, bool) else ""
            caught = pattern.match(text)
            if caught is None:
                raise PayloadError(MISMATCH, f"{str(raw)[:80]!r} is not like {pattern.text!r}", path)
            captures |= caught
        key = self._keys.get(str(captures.get(KEY)), -2) if self._keys else -1
        for name, table in self.row.names.items():
            captures[name] = table.get(str(captures[name]), captures[name])
        path = self._template.fill(captures)
        code = self._router.roster.code(path)
        if path.count("/") == 2:
            code = self._router.pot(path)
        elif code is None or not self._router.roster.is_line(code):
            raise PayloadError("unknown_unit", f"line {path[:200]!r} is not in the plant file")
        if len(self._known) < _KNOWN and len(topic) + sum(len(str(raw)) for raw in take) <= LONGEST:
            self._known[(topic, *take)] = (code, key)
        return code, key

    # -- many at once ---------------------------------------------------------------------------------------------

    def decode(
        self, indices: Sequence[int], messages: Sequence[Message], now_ns: int, latest: int, found: Gathering
    ) -> None:
        """The messages at these places, all of which the pattern matches."""
        quick, place, columns = self._shape.quick, self._place, list[tuple[int, int, int, Record]]()
        odd = []
        for index in indices:
            topic, payload = messages[index]
            try:
                columns += [(index, *place(topic, record.take), record) for record in quick(payload)]
            except (*REFUSED, TypeError):  # TypeError: what cannot be a key is no name
                odd.append(index)
        if columns:
            odd += self._together(columns, now_ns, latest, found)
        for index in sorted(set(odd)):
            self._one(index, messages[index], now_ns, latest, found)

    def _together(
        self, items: list[tuple[int, int, int, Record]], now_ns: int, latest: int, found: Gathering
    ) -> list[int]:
        """Records of regular messages as columns; returns the messages that are not regular after all."""
        index, unit, key, records = zip(*items, strict=True)
        places, keys = np.array(index), np.array(key)
        width = len(records[0].values)
        try:
            flat = chain.from_iterable(record.values for record in records)
            raw = np.fromiter(flat, np.float64, width * len(records)).reshape(-1, width)[:, self._column]
            times, bad = self._times(places, records, now_ns, latest)
            quality = self._qualities(records)
        except (OverflowError, TypeError):  # a whole number beyond a float; a flag that is a list
            return list(index)
        units = np.array(unit, np.int32)
        if self._prompt:
            found.heard.append((units[~bad], times[~bad]))
        values = raw * self._factor / self._divisor + self._shift
        present = ~np.isnan(raw)
        if self._keys:
            present &= np.arange(len(self._scales)) == keys[:, None]
            bad |= keys == -2
        with np.errstate(invalid="ignore"):
            bad |= (present & ~((values >= self._low) & (values <= self._high))).any(axis=1) | (times > latest)
        refused = np.unique(places[bad])
        if len(refused):
            present[np.isin(places, refused)] = False
        row, column = np.nonzero(present)
        graded = quality[row, column]
        value = values[row, column]
        value[graded == Quality.BAD] = np.nan
        found.parts.append(Readings(times[row], units[row], self._code[column], value, graded))
        return [int(index) for index in refused]

    def _times(
        self, places: Ints, records: Sequence[Record], now_ns: int, latest: int
    ) -> tuple[Ints, NDArray[np.bool_]]:
        bad = np.zeros(len(records), bool)
        if self._clock is not None:
            times, wrong = self._clock.read_all([record.time for record in records], latest)
            bad[wrong] = True
            return times, bad
        arrived = _arrivals(places, now_ns)
        if self.row.format == "number":
            return arrived, bad
        said = [record.time for record in records]
        silent = np.array([time is None for time in said])
        times = np.array([0 if time is None else time for time in said], np.int64)
        bad |= ~silent & ((times < _EVER[0]) | (times >= _EVER[1]))
        return (np.where(silent, arrived, times), bad) if self.arrival else (times, bad | silent)

    def _qualities(self, records: Sequence[Record]) -> NDArray[np.uint8]:
        quality = np.zeros((len(records), len(self._scales)), np.uint8)
        if self._flags is not None:
            of = self._flags.of
            each = np.array([[of(flag) for flag in record.flags] for record in records], np.uint8)
            for column, place in enumerate(self._shape.flags):
                if place >= 0:
                    quality[:, column] = each[:, place]
        if self.arrival:
            silent = np.array([record.time is None for record in records])
            quality[silent] = np.maximum(quality[silent], Quality.UNCERTAIN)
        return quality

    # -- one by one -----------------------------------------------------------------------------------------------

    def _one(self, index: int, message: Message, now_ns: int, latest: int, found: Gathering) -> None:
        try:
            records = self._shape.read(message.payload)
        except PayloadError as error:
            self.park(index, message, error, found)
            return
        for number, record in enumerate(records):
            try:
                if isinstance(record, PayloadError):
                    raise record
                unit, key = self._place(message.topic, record.take)
                time_ns, floor = self._time(record, now_ns + index * APART_NS + number, latest)
                if self._prompt:
                    found.heard.append((np.array([unit], np.int32), np.array([time_ns])))
                if time_ns > latest:
                    raise PayloadError(
                        "future_time", f"{(time_ns - latest) / 1e9:.1f} s beyond what is allowed", self._at
                    )
            except (PayloadError, TypeError) as error:
                known = error if isinstance(error, PayloadError) else PayloadError(MISMATCH, "a list is no name")
                self.park(index, message, known, found)
                continue
            if key == -2:
                caught = self._caught(message.topic, record.take)
                found.unknown[plain(caught)] += 1
                continue
            chosen = range(len(self._scales)) if key == -1 else (key,)
            found.parts.append(self._readings(index, message, record, chosen, (time_ns, unit, floor), found))

    def park(self, index: int, message: Message, error: PayloadError, found: Gathering) -> None:
        """Park a message for what is wrong with one value, named by row and path."""
        detail = f"row {self.row.title!r}: {error.detail}"[:500]
        found.problem(index, message, PayloadError(error.reason, detail, error.field))

    def _caught(self, topic: str, take: tuple[Any, ...]) -> str:
        captures = dict(self.pattern.match(topic) or {})
        for pattern, raw in zip(self._take, take, strict=True):
            captures |= pattern.match(str(raw)) or {}
        return captures.get(KEY, "")

    def _time(self, record: Record, arrived_ns: int, latest: int) -> tuple[int, Quality]:
        """Time, and the best quality that it allows."""
        try:
            if self._clock is not None:
                time_ns = self._clock.read(record.time, latest)
            elif record.time is None and self.arrival:
                return arrived_ns, Quality.UNCERTAIN
            elif record.time is None:
                raise PayloadError("missing_time", 'the line has no time; `time = "arrival"` in the row takes it')
            else:
                time_ns = int(record.time)
                if not _EVER[0] <= time_ns < _EVER[1]:
                    raise PayloadError("bad_time", f"{time_ns} ns lies before 1973 or after 2096; see `precision`")
        except PayloadError as error:
            raise PayloadError(error.reason, error.detail, self._at) from error
        return time_ns, Quality.GOOD

    def _readings(
        self, index: int, message: Message, record: Record, chosen: Sequence[int], at: tuple[int, int, Quality],
        found: Gathering,
    ) -> Readings:  # fmt: skip
        time_ns, unit, floor = at
        rows: list[tuple[int, float, int]] = []
        for place in chosen:
            scale, one = self._scales[place], self.row.signal[place]
            raw, flag = record.values[self._shape.columns[place]], self._shape.flags[place]
            if raw is UNSET:
                continue
            quality = max(
                floor, Quality.GOOD if self._flags is None or flag < 0 else self._flags.of(record.flags[flag])
            )
            try:
                value = scale.number(raw)
            except PayloadError as error:
                self.park(index, message, PayloadError(error.reason, error.detail, one.path or one.name), found)
                value = np.nan  # the sensor spoke, and cannot be trusted: a BAD reading, not silence (F30)
            if quality == Quality.BAD or value != value:
                value, quality = np.nan, Quality.BAD
            rows.append((scale.code, value, quality))
        codes, values, qualities = zip(*rows, strict=True) if rows else ((), (), ())
        return Readings.of([time_ns] * len(rows), [unit] * len(rows), codes, values, qualities)


def _arrivals(places: Ints, now_ns: int) -> Ints:
    """Times of arrival: in order of messages, and of records within each."""
    first = np.flatnonzero(np.concatenate([[True], np.diff(places) != 0]))
    number = np.arange(len(places)) - np.repeat(first, np.diff(np.concatenate([first, [len(places)]])))
    return now_ns + places * APART_NS + number
