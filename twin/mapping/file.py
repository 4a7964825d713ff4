"""The mapping file as it is written: rows of topic, format, unit, time, signals (keys: docs/sensor-formats.md)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from twin.errors import ConfigError
from twin.mapping.pattern import Pattern, Template
from twin.mapping.times import EPOCHS, Clock
from twin.signals import SIGNALS, Signal, by_name

__all__ = ["KEY", "QualityAt", "Row", "SignalAt", "TimeAt", "convertible", "parse"]

Format = Literal["json", "csv", "number", "line_protocol", "sparkplug"]
Char = Annotated[str, Meta(min_length=1, max_length=1)]
T = TypeVar("T")
KEY = "signal"  # a place of this name catches the plant's own name of the signal
# Rim units that mean the same quantity. K is a difference for the signals that have it, so C is not converted to it.
_SAME = (("V", "mV"), ("kg", "t"), ("mm", "cm"), ("s", "h"), ("1", "%", "ppm"))


class TimeAt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`format`: auto (ISO with a zone, epoch ms or ns), iso, one of EPOCHS, or as for strptime; `zone`: if local."""

    path: str = ""
    format: str = "auto"
    zone: str = ""


class QualityAt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The plant's own quality flag: what is neither `good` nor `uncertain` is bad."""

    good: Annotated[list[str | int | bool], Meta(min_length=1)]
    path: str = ""
    uncertain: list[str | int | bool] = []


class SignalAt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """value = (number at `path` * factor + offset) in `unit`; `key` is what a {signal} place catches for it."""

    name: str
    path: str = ""
    key: str = ""
    unit: str = ""
    factor: float = 1.0
    offset: float = 0.0
    words: dict[str, float] = {}
    quality: str = ""


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row: which topics, where the values are, whose they are and from when."""

    topic: Annotated[str, Meta(min_length=1)]
    format: Format
    unit: Annotated[str, Meta(min_length=1)]
    signal: Annotated[list[SignalAt], Meta(min_length=1)]
    time: TimeAt | Literal["arrival"] | None = None
    name: str = ""
    items: str | None = None
    take: dict[str, str] = {}
    names: dict[str, dict[str, str]] = {}
    quality: QualityAt | None = None
    text: bool = False
    decimal: Char = "."
    delimiter: Char = ","
    columns: list[str] = []
    header: bool = False
    measurement: str = ""
    precision: Literal["ns", "us", "ms", "s"] = "ns"

    @property
    def title(self) -> str:
        """What people call the row."""
        return self.name or self.topic


def convertible(signal: Signal) -> tuple[str, ...]:
    """Rim units that values of a signal may come in."""
    if signal.unit == "C":
        return ("C", "K")
    return next((units for units in _SAME if signal.unit in units), (signal.unit,))


def parse(text: str, where: str) -> list[Row]:
    """Read a mapping file; `where` names it in errors. Raises ConfigError that names the row and what is allowed."""
    try:
        loaded = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: {error}") from error
    rows = loaded.pop("row", None)
    if loaded or not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        what = f"{next(iter(loaded))!r} is not allowed" if loaded else "there is no [[row]]"
        raise ConfigError(f"{where}: {what}; a mapping file is a list of [[row]] tables, docs/sensor-formats.md")
    return [_row(raw, f"{where}: row {number}") for number, raw in enumerate(rows, 1)]


def _row(raw: dict[str, Any], where: str) -> Row:
    title = raw.get("name") or raw.get("topic")
    where += f" ({title})" if isinstance(title, str) else ""
    signals = raw.get("signal")
    if isinstance(signals, list):
        for number, one in enumerate(signals, 1):
            _convert(one, SignalAt, f"{where}, signal {number}")
    row = _convert(raw, Row, where)
    _check_places(row, where)
    _check_time(row, where)
    _check_format(row, where)
    for one in row.signal:
        _check_signal(row, one, where)
    keys = [(one.key if _keyed(row) else one.name) for one in row.signal]
    if doubled := next((key for key in keys if keys.count(key) > 1), None):
        raise ConfigError(f"{where}: {doubled!r} is there twice; a row says each signal once")
    return row


def _convert(raw: object, kind: type[T], where: str) -> T:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        keys = ", ".join(field.name for field in msgspec.structs.fields(kind))  # type: ignore[arg-type]
        raise ConfigError(f"{where}: {error}; keys are {keys}") from error


def _keyed(row: Row) -> bool:
    return KEY in _caught(row)


def _caught(row: Row) -> set[str]:
    """Names that topic and `take` catch."""
    found = Pattern(row.topic).names
    for text in row.take.values():
        found |= Pattern(text, levels=False).names
    return found


def _check_places(row: Row, where: str) -> None:
    place = "topic"
    try:
        names = list(Pattern(row.topic).names)
        for path, text in row.take.items():
            place = f"take {path!r}"
            names += Pattern(text, levels=False).names
        place = "unit"
        wanted = Template(row.unit).names
    except ValueError as error:
        raise ConfigError(f"{where}: {place}: {error}") from error
    if doubled := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"{where}: {{{doubled}}} is caught twice, in topic and take")
    for place, used in (("unit", wanted), ("names", set(row.names))):
        if lacking := sorted(used - set(names)):
            allowed = ", ".join(sorted(names)) or "none"
            raise ConfigError(f"{where}: {place} has {{{lacking[0]}}}, which nothing catches; caught are {allowed}")
    if row.unit.count("/") not in (1, 2):
        raise ConfigError(f"{where}: unit {row.unit!r} is not allowed; it is site/line or site/line/pot")


def _check_time(row: Row, where: str) -> None:
    said = 'give time = { path = ... }, or time = "arrival" where the plant sends none (then marked UNCERTAIN)'
    own = row.format in ("line_protocol", "sparkplug")
    if own and isinstance(row.time, TimeAt):
        raise ConfigError(f'{where}: {row.format} carries its own time; leave time out, or time = "arrival"')
    if row.format == "number" and row.time != "arrival":
        raise ConfigError(f'{where}: a plain number has no time; say so with time = "arrival"')
    if row.time is None and not own:
        raise ConfigError(f"{where}: time is missing; {said}")
    if isinstance(row.time, TimeAt):
        form, zone = row.time.format, row.time.zone
        if not row.time.path:
            raise ConfigError(f"{where}: time has no path; {said}")
        if form not in ("auto", "iso", *EPOCHS) and "%" not in form:
            allowed = ", ".join(("auto", "iso", *EPOCHS))
            raise ConfigError(
                f"{where}: time format {form!r} is not allowed; it is {allowed} or like %d.%m.%Y %H:%M:%S"
            )
        try:
            Clock(form, zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ConfigError(f"{where}: time zone {zone!r} is not an IANA zone such as Asia/Shanghai") from error
        if "%" in form and not zone and "%z" not in form:
            raise ConfigError(f"{where}: times of format {form!r} name no zone; give time a zone such as Asia/Shanghai")


# keys that only some formats have -> those formats
_ONLY = {
    "items": ("json",), "text": ("json",), "columns": ("csv",), "header": ("csv",), "delimiter": ("csv",),
    "measurement": ("line_protocol",), "precision": ("line_protocol",), "decimal": ("csv", "number", "json"),
    "take": ("json", "csv", "line_protocol", "sparkplug"), "quality": ("json", "csv", "line_protocol"),
}  # fmt: skip


def _check_format(row: Row, where: str) -> None:
    defaults = {field.name: field.default for field in msgspec.structs.fields(Row)}
    for key, formats in _ONLY.items():
        if row.format not in formats and getattr(row, key) != _default(defaults[key], key):
            raise ConfigError(f"{where}: {key} has no meaning for {row.format}; it is for {', '.join(formats)}")
    if row.format == "csv":
        if row.header == bool(row.columns):
            raise ConfigError(f"{where}: give columns = [names in order], or header = true where each payload has one")
        for column in _paths(row):
            if row.columns and column not in row.columns:
                raise ConfigError(f"{where}: column {column!r} is not one of {', '.join(row.columns)}")

    if row.format == "sparkplug" and (set(row.take) - {"name"} or row.time or bool(row.take) != _keyed(row)):
        allowed = 'take = { name = "Pot{pot:d}/{signal}" } and nothing else, or no take; no time'
        raise ConfigError(f"{where}: of a Sparkplug metric the name can be taken: {allowed}")


def _default(found: object, key: str) -> object:
    return {"take": {}, "columns": []}.get(key, found)


def _paths(row: Row) -> Iterable[str]:
    """Every path of the row but those that are empty."""
    paths = [row.time.path if isinstance(row.time, TimeAt) else "", row.quality.path if row.quality else "", *row.take]
    for one in row.signal:
        paths += [one.path, one.quality]
    return [path for path in paths if path]


def _check_signal(row: Row, one: SignalAt, where: str) -> None:
    names = [signal.name for signal in SIGNALS]
    if one.name not in names:
        near = ", ".join(name for name in names if one.name.split("_")[0] in name) or "what `twin signals` lists"
        raise ConfigError(f"{where}: there is no signal {one.name!r}; did you mean {near}?")
    signal, where = SIGNALS[by_name(one.name)], f"{where}: signal {one.name}"
    if (signal.topic == "line") != (row.unit.count("/") == 1):
        wanted = "site/line" if signal.topic == "line" else "site/line/pot"
        raise ConfigError(
            f"{where} is of a {'line' if signal.topic == 'line' else 'pot'}; the row's unit must be {wanted}"
        )
    if one.unit and one.unit not in convertible(signal):
        allowed = ", ".join(convertible(signal))
        raise ConfigError(
            f"{where}: unit {one.unit!r} is not allowed; it is {allowed}, of others make it by factor and offset"
        )
    if not one.factor or not -1e300 < one.factor < 1e300 or not -1e300 < one.offset < 1e300:
        raise ConfigError(f"{where}: factor {one.factor} and offset {one.offset} must be finite, factor not 0")
    if one.words and (one.unit or one.factor != 1.0 or one.offset):
        raise ConfigError(f"{where}: its words are values of {signal.name} already; leave out unit, factor and offset")
    if odd := next((word for word, value in one.words.items() if not signal.low <= value <= signal.high), None):
        allowed = f"{signal.low:g} ... {signal.high:g}"
        raise ConfigError(f"{where}: word {odd!r} = {one.words[odd]:g} is outside {allowed}")
    if bool(one.key) != _keyed(row):
        keyed = "a {signal} place is caught; give each signal the key that it catches"
        raise ConfigError(f"{where}: {keyed if _keyed(row) else 'key needs a {signal} place in topic or take'}")
    fixed = row.format == "number" or (row.format == "sparkplug" and _keyed(row))
    if bool(one.path) == fixed:
        why = "path has no meaning here: the payload is the value" if fixed else "path is missing: where its value is"
        raise ConfigError(f"{where}: {why}")
    if one.quality and row.quality is None:
        raise ConfigError(f"{where}: its quality flag needs quality = {{ good = [...] }} in the row")
