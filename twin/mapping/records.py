"""Payload -> records: raw values, flags, time and names, whatever the format. Nothing is judged here.

`read` takes any payload apart; `quick` does the same to regular ones, faster, and raises on the others.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
from line_protocol_parser import LineFormatError, parse_line
from msgspec import UNSET, UnsetType

from twin.errors import PayloadError
from twin.mapping.file import Row, TimeAt
from twin.mapping.numbers import clean
from twin.mapping.path import Leaf, Path, parse_path, typed, walk
from twin.mapping.pattern import Pattern
from twin.salvage import json_of
from twin.sparkplug.payload import metrics, parse

__all__ = ["MISMATCH", "REFUSED", "Record", "Shape"]

MISMATCH = "map_mismatch"
# ValidationError is a DecodeError; text that is not UTF-8 is none of msgspec's own errors
REFUSED = (PayloadError, msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_NAN = float("nan")
_PRECISION = {"ns": 1, "us": 1000, "ms": 1_000_000, "s": 1_000_000_000}
_FLAG: Any = int | float | str | bool | None | UnsetType
_TIME: Any = int | float | str | None
# A quote opens a text only behind the `=` of a field; within names and tags it is a letter. What is not closed ends
# with its line, so that one bad line costs only itself.
_LINE = re.compile(
    r'[ \t]*(?:\#[^\n]*|(?:[^\n\\ ]|\\[^\n]|\\)+(?: (?:[^\n\\=]|\\[^\n]|\\|=(?:"(?:[^"\\]|\\.)*")?)*)?)', re.DOTALL
)
_ROOT = "$."  # of the whole message, in a row with items


class Record(NamedTuple):
    """Values of one time: `take` in the order of the row's `take`, `values` and `flags` in that of the shape.

    UNSET where nothing is there.
    """

    take: tuple[Any, ...]
    time: Any
    flags: tuple[Any, ...]
    values: tuple[Any, ...]


class Shape:
    """How the payloads of one row are read. `columns`: place of each signal's value in a record; `flags`: of its flag.

    Raises ValueError in words for people when a path is none.
    """

    def __init__(self, row: Row) -> None:
        self.row = row
        fixed = row.format == "number"
        self._names = [Pattern(text, levels=False) for text in row.take.values()]
        paths = [one.path for one in row.signal]
        self._values = list(dict.fromkeys(paths))
        self.columns = [self._values.index(path) for path in paths]
        own = [one.quality or (row.quality.path if row.quality else "") for one in row.signal]
        self._flags = [path for path in dict.fromkeys(own) if path]
        self.flags = [self._flags.index(path) if path else -1 for path in own]
        self._time = row.time.path if isinstance(row.time, TimeAt) else ""
        self._texts = row.text or fixed or row.format == "csv"
        keyed = any(one.key for one in row.signal)
        self._clean = self._texts and not (keyed and any(one.words for one in row.signal))
        self._words = [{}] * len(self._values) if keyed else [one.words for one in row.signal]
        self._translate = self._clean or any(self._words)
        parts = {
            "json": self._json,
            "csv": self._csv,
            "number": self._number,
            "line_protocol": self._lines,
            "sparkplug": self._metrics,
        }
        self._split: Callable[[bytes, bool], list[Record | PayloadError]] = parts[row.format]
        self._typed: Callable[[bytes], list[Record]] | None = None
        if row.format == "json":
            self._paths = [parse_path(path.removeprefix(_ROOT)) for path in self._all()]
            self._rooted = [row.items is not None and path.startswith(_ROOT) for path in self._all()]
            self._items: Path | None = None if row.items is None else parse_path(row.items)
            self._typed = self._typed_json()

    def _all(self) -> list[str]:
        return [*([self._time] if self._time else []), *self.row.take, *self._flags, *self._values]

    def read(self, payload: bytes) -> list[Record | PayloadError]:
        """Every record, or what is wrong with it; raises PayloadError when the payload is not of the row's format."""
        return self._split(payload, False)

    def quick(self, payload: bytes) -> list[Record]:
        """The records of a regular payload, values as floats, NaN where nothing is there. Raises one of REFUSED."""
        if self._typed is not None:
            return self._typed(payload)
        found = []
        for record in self._split(payload, True):
            if isinstance(record, PayloadError):
                raise record
            take, time, flags, values = record
            if self._translate:
                values = tuple(map(self._plain, values, self._words))
            kinds = set(map(type, values))
            if UnsetType in kinds:
                values = tuple(_NAN if value is UNSET else value for value in values)
                kinds.discard(UnsetType)
            if not kinds <= {float, int} or any(value != value for value in record.values):
                raise PayloadError(MISMATCH, "not regular")
            found.append(Record(take, time, flags, values))
        return found

    def _plain(self, value: object, words: dict[str, float]) -> object:
        if not isinstance(value, str):
            return value
        return words[value] if value in words else clean(value, self.row.decimal) if self._clean else value

    # -- JSON -----------------------------------------------------------------------------------------------------

    def _typed_json(self) -> Callable[[bytes], list[Record]] | None:
        """A decoder that reads what the paths name and nothing else; None where that cannot be said in types."""
        first, take = int(bool(self._time)), len(self.row.take)
        flags = first + take + len(self._flags)
        kinds: list[tuple[Any, Any]] = [(_TIME, None)] * first + [(int | str | None, None)] * take
        kinds += [(_FLAG, UNSET)] * len(self._flags) + [(float, _NAN)] * len(self._values)
        leaves: list[Leaf] = [(path, *kind) for path, kind in zip(self._paths, kinds, strict=True)]
        made = None if self._texts or self._translate or any(self._rooted) else typed(leaves)
        if made is None:
            return None
        inner, get = made
        if self._items is None:
            decode_one = msgspec.json.Decoder(inner).decode

            def one(payload: bytes) -> list[Record]:
                row = get(decode_one(payload))
                return [
                    Record(row[first : first + take], row[0] if first else None, row[first + take : flags], row[flags:])
                ]

            return one
        outer = typed([(self._items, list[inner], ...)]) if self._items else (list[inner], None)  # type: ignore[valid-type]
        if outer is None:
            return None
        decode, into = msgspec.json.Decoder(outer[0]).decode, outer[1]

        def several(payload: bytes) -> list[Record]:
            found = decode(payload)
            rows = map(get, found if into is None else into(found)[0])
            return [
                Record(r[first : first + take], r[0] if first else None, r[first + take : flags], r[flags:])
                for r in rows
            ]

        return several

    def _json(self, payload: bytes, strict: bool) -> list[Record | PayloadError]:
        whole = msgspec.json.decode(payload) if strict else _load(payload)
        if self._items is None:
            return [self._object(whole, whole)]
        items = walk(whole, self._items)
        if not isinstance(items, list):
            at = f"at {self.row.items!r} " if self.row.items else ""
            raise PayloadError(MISMATCH, f"{at}a list is wanted, there is {_kind(items)}", self.row.items or "")
        return [self._object(item, whole) for item in items]

    def _object(self, item: object, whole: object) -> Record | PayloadError:
        if not isinstance(item, dict):
            return PayloadError(MISMATCH, f"a JSON object is wanted, there is {_kind(item)}")
        found = [walk(whole if root else item, path) for path, root in zip(self._paths, self._rooted, strict=True)]
        return self._record(found)

    def _record(self, found: Sequence[Any]) -> Record:
        """What was found at `_all()` as a record."""
        first = int(bool(self._time))
        take = first + len(self.row.take)
        flags = take + len(self._flags)
        time = found[0] if first and found[0] is not UNSET else None
        return Record(tuple(found[first:take]), time, tuple(found[take:flags]), tuple(found[flags:]))

    # -- other formats --------------------------------------------------------------------------------------------

    def _csv(self, payload: bytes, strict: bool) -> list[Record | PayloadError]:
        lines = _text(payload).removeprefix("\ufeff").splitlines()
        rows = csv.reader(lines, delimiter=self.row.delimiter, skipinitialspace=True)
        found: list[Record | PayloadError] = []
        try:
            names = [name.strip() for name in next(rows, [])] if self.row.header else self.row.columns
            if lacking := [name for name in self._all() if name not in names]:
                raise PayloadError(MISMATCH, f"column {lacking[0]!r} is missing; there are {', '.join(names)[:200]}")
            places = [names.index(name) for name in self._all()]
            for cells in rows:
                if len(cells) == len(names):
                    found.append(self._record([cells[place] for place in places]))
                elif cells:  # an empty line is nothing
                    found.append(PayloadError(MISMATCH, f"{len(cells)} columns where {len(names)} are wanted"))
        except csv.Error as error:
            raise PayloadError(MISMATCH, f"not CSV: {error}") from error
        return found

    def _number(self, payload: bytes, strict: bool) -> list[Record | PayloadError]:
        return [Record((), None, (), (_text(payload),))]

    def _lines(self, payload: bytes, strict: bool) -> list[Record | PayloadError]:
        unit, found = _PRECISION[self.row.precision], list[Record | PayloadError]()
        for line in _split_lines(_text(payload)):
            try:
                point = parse_line(line)
            except (LineFormatError, UnicodeEncodeError) as error:
                found.append(
                    PayloadError(MISMATCH, f"not line protocol: {str(error).splitlines()[0]} in {line[:80]!r}")
                )
                continue
            if point is None or (self.row.measurement and point["measurement"] != self.row.measurement):
                continue
            fields, tags, time = point["fields"], point["tags"], point["time"]
            names = [fields.get(name, tags.get(name, UNSET)) for name in self._all()]
            found.append(self._record(names)._replace(time=None if time is None else time * unit))
        return found

    def _metrics(self, payload: bytes, strict: bool) -> list[Record | PayloadError]:
        """Metrics by name, those of one time together; with `take`, each alone."""
        found: list[Record | PayloadError] = []
        together: dict[int | None, dict[str, Any]] = {}
        for one in metrics(parse(payload)):
            time = None if one.time_ms is None else one.time_ms * 1_000_000
            if not one.name:
                found.append(PayloadError("unknown_alias", f"a metric with alias {one.alias} and no name"))
            elif not self._names:
                together.setdefault(time, {})[one.name] = one.value
            elif self._names[0].match(one.name) is not None:
                found.append(Record((one.name,), time, (), (one.value,)))
        for time, said in together.items():
            if any(name in said for name in self._values):
                found.append(Record((), time, (), tuple(said.get(name, UNSET) for name in self._values)))
        return found


def _load(payload: bytes) -> object:
    try:
        return json_of(payload)
    except (ValueError, RecursionError) as error:
        raise PayloadError("malformed", f"not JSON: {error!s:.200}") from error


def _kind(value: object) -> str:
    return "nothing" if value is UNSET else f"a value of type {type(value).__name__}"


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise PayloadError("malformed", f"not UTF-8: {error.reason} at byte {error.start}") from error


def _split_lines(text: str) -> list[str]:
    """Lines of line protocol: a line feed within a quoted field value does not end one."""
    lines = _LINE.findall(text) if '"' in text else text.split("\n")
    return [line for line in lines if line.strip()]
