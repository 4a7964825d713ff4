"""The column map of a CSV table: which column is the time, the unit, and which signal each other column is.

Pure: texts in, times and numbers out. A ValueError says what is wrong with one cell; every key of the map is
described in docs/replay.md.
"""

from __future__ import annotations

import math
import tomllib
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from twin.errors import ConfigError, PayloadError
from twin.recording import EVER
from twin.signals import SIGNALS
from twin.times import parse_time
from twin.units import NS_PER_S

__all__ = ["ColumnMap", "SignalColumn", "TimeReader", "number", "parse_map"]

_EPOCHS = {"epoch_s": NS_PER_S, "epoch_ms": 1_000_000, "epoch_ns": 1}  # -> ns in one
_SINCE = datetime(1970, 1, 1, tzinfo=UTC)
Char = Annotated[str, Meta(min_length=1, max_length=1)]


class TimeColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`format` is iso, epoch_s, epoch_ms, epoch_ns, or as for strptime; `zone` is that of times that name none."""

    column: str
    format: str = "iso"
    zone: str = ""


class UnitColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The unit's path is `fixed`, or the column's text by way of `names`, or `prefix` and that text."""

    column: str = ""
    fixed: str = ""
    prefix: str = ""
    names: dict[str, str] = {}

    def path(self, text: str) -> str:
        """The unit that a cell names."""
        return self.fixed or self.names.get(text, self.prefix + text)


class SignalColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """value = number in the column * factor + offset; `unit` where the column is of one unit only."""

    column: str
    name: str
    factor: float = 1.0
    offset: float = 0.0
    unit: str = ""


class ColumnMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column map file."""

    time: TimeColumn
    signal: Annotated[list[SignalColumn], Meta(min_length=1)]
    unit: UnitColumn = UnitColumn()
    delimiter: Char = ","
    decimal: Char = "."
    thousands: Annotated[str, Meta(max_length=1)] = ""
    encoding: str = "utf-8-sig"
    skip_lines: Annotated[int, Meta(ge=0)] = 0
    missing: tuple[str, ...] = ("", "-", "NaN", "nan", "NULL", "null")

    def columns(self) -> list[str]:
        """Every column that must be there."""
        return [self.time.column, *([self.unit.column] if self.unit.column else []), *(s.column for s in self.signal)]

    def units(self) -> list[str]:
        """Every unit that the map itself names."""
        named = [self.unit.fixed, *self.unit.names.values(), *(s.unit for s in self.signal)]
        return [path for path in named if path]


def parse_map(text: str, where: str) -> ColumnMap:
    """Read a column map; `where` names it in errors. Raises ConfigError."""
    try:
        found = msgspec.convert(tomllib.loads(text), ColumnMap)
        "".encode(found.encoding)
        TimeReader(found.time)
    except (ZoneInfoNotFoundError, LookupError) as error:
        raise ConfigError(f"{where}: {error}; docs/replay.md shows a column map") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, ValueError, OSError) as error:
        raise ConfigError(f"{where}: {error}; docs/replay.md shows a column map") from error
    known = {signal.name for signal in SIGNALS}
    for one in found.signal:
        if one.name not in known:
            raise ConfigError(f"{where}: signal {one.name!r} is not in the table; `twin signals` lists it")
        if not (one.unit or found.unit.column or found.unit.fixed):
            raise ConfigError(
                f"{where}: signal {one.name!r} has no unit; give it one, or give [unit] a column or fixed"
            )
    return found


class TimeReader:
    """Reads the cells of a time column, from the first line to the last.

    A time that the autumn's change of clocks makes ambiguous is the earlier one, unless that would lie before the
    line above: then it is the later one.
    """

    def __init__(self, column: TimeColumn) -> None:
        self._column = column
        self._zone = ZoneInfo(column.zone) if column.zone else None
        self._last_text, self._last_ns = "", 0

    def read(self, text: str) -> int:
        """ns since 1970, UTC. Raises ValueError in words for people."""
        text = text.strip()
        if text != self._last_text:  # often many rows, one a pot, have the same time
            found = self._read(text)
            if not EVER[0] <= found < EVER[1]:
                raise ValueError("no time between 1973 and 2096")
            self._last_text, self._last_ns = text, found
        return self._last_ns

    def _read(self, text: str) -> int:
        form = self._column.format
        if form in _EPOCHS:
            try:
                return int(Decimal(text) * _EPOCHS[form])
            except (InvalidOperation, ValueError, OverflowError) as error:
                raise ValueError(f"no time of format {form}") from error
        try:
            moment = datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)  # noqa: DTZ007
        except ValueError as error:
            raise ValueError(f"no time of format {form}") from error
        if moment.tzinfo is not None:
            return self._iso(text) if form == "iso" else _ns(moment)
        if self._zone is None:
            raise ValueError("a time without a zone; name it as zone under [time] in the map")
        local = moment.replace(tzinfo=self._zone)
        if local.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None) != moment:
            raise ValueError(f"a time that never was: the clocks of {self._column.zone} were put forward")
        first, second = _ns(local), _ns(local.replace(fold=1))
        return second if first < self._last_ns <= second else first

    def _iso(self, text: str) -> int:
        try:
            return parse_time(text)
        except PayloadError as error:
            raise ValueError(error.detail) from error


def _ns(moment: datetime) -> int:
    since = moment - _SINCE
    return (since.days * 86400 + since.seconds) * NS_PER_S + since.microseconds * 1000


def number(text: str, columns: ColumnMap) -> float:
    """The number in a cell, NaN where the map calls it missing. Raises ValueError in words for people.

    >>> number("1.234,5", ColumnMap(TimeColumn("t"), [], decimal=",", thousands="."))
    1234.5
    """
    text = text.strip()
    if text in columns.missing:
        return math.nan
    if columns.thousands:
        text = text.replace(columns.thousands, "")
    if columns.decimal != ".":
        if "." in text:
            raise ValueError(f"not a number with decimal {columns.decimal!r}")
        text = text.replace(columns.decimal, ".")
    try:
        if "_" in text:  # Python's own spelling of thousands
            raise ValueError(text)
        found = float(text)
    except ValueError as error:
        raise ValueError(f"not a number with decimal {columns.decimal!r}") from error
    if not math.isfinite(found):
        raise ValueError("not a finite number")
    return found
