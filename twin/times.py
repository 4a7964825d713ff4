"""Source time on the wire: ISO 8601 with zone, epoch milliseconds or epoch nanoseconds -> int64 ns, UTC."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from twin.errors import PayloadError

__all__ = ["day_of", "iso", "moment", "parse_time", "parse_times", "shown"]

# Epoch milliseconds and nanoseconds cannot be confused between 1973 and 2096.
_MS = (100_000_000_000, 4_000_000_000_000)
_NS = (_MS[0] * 1_000_000, _MS[1] * 1_000_000)
# A fraction of a second only: the library reads "06:30.5", half past six and 30 s, as 0.5 s.
_FRACTION = re.compile(r"([^\d+\-]\d\d:?\d\d:?\d\d)[.,](\d{1,9})\d*")
_LONGEST = 64
HINT = "give epoch ms, epoch ns, or ISO 8601 with a zone"


def parse_time(value: object) -> int:
    """One wire time to ns since 1970 UTC. Raises PayloadError(missing_time, bad_time)."""
    if value is None:
        raise PayloadError("missing_time", HINT, "time")
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise PayloadError("bad_time", f"{shown(value)}: {HINT}", "time")
    if isinstance(value, str):
        return _parse_iso(value)
    if _MS[0] <= value < _MS[1]:
        return value * 1_000_000
    if _NS[0] <= value < _NS[1]:
        return value
    raise PayloadError("bad_time", f"{value!r:.80}: {HINT}", "time")


def day_of(time_ns: int) -> date:
    """The day, UTC, of a moment [ns since 1970]."""
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).date()


def shown(value: object) -> str:
    """A value from a message in a few words; of a container only the type, which may be nested too deep to print."""
    plain = isinstance(value, str | int | float | bool | None)
    return f"{value!r:.80}" if plain else f"a value of type {type(value).__name__}"


def _parse_iso(text: str) -> int:
    fraction = _FRACTION.search(text) if len(text) <= _LONGEST else None
    nanoseconds = int(fraction[2].ljust(9, "0")) if fraction else 0
    whole = _FRACTION.sub(r"\1", text, count=1) if fraction else text
    try:
        if "." in whole or "," in whole:
            raise ValueError(whole)
        moment = datetime.fromisoformat(whole)
    except ValueError as error:
        raise PayloadError("bad_time", f"{text!r:.80}: {HINT}", "time") from error
    if moment.tzinfo is None:
        raise PayloadError("bad_time", f"{text!r:.80} has no zone: {HINT}", "time")
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    result = (since.days * 86400 + since.seconds) * 1_000_000_000 + nanoseconds
    if not _NS[0] <= result < _NS[1]:
        raise PayloadError("bad_time", f"{text!r:.80}: {HINT}", "time")
    return result


def parse_times(values: Sequence[int | str]) -> tuple[NDArray[np.int64], list[PayloadError | None]]:
    """Many wire times at once: ns array (0 where bad) and the error of each bad one."""
    errors: list[PayloadError | None] = [None] * len(values)
    if set(map(type, values)) == {int}:
        try:
            times = np.array(values, np.int64)
        except OverflowError:
            pass
        else:
            if times.min() >= _MS[0]:  # what is smaller could wrap round to a good time
                times = np.where(times < _MS[1], times * 1_000_000, times)
                if times.min() >= _NS[0] and times.max() < _NS[1]:
                    return times, errors
    times = np.zeros(len(values), np.int64)
    for index, value in enumerate(values):
        try:
            times[index] = parse_time(value)
        except PayloadError as error:
            errors[index] = error
    return times, errors


def moment(text: str) -> datetime:
    """What `iso` wrote, to the microsecond.

    >>> moment("2025-11-24T06:00:00.25Z").isoformat()
    '2025-11-24T06:00:00.250000+00:00'
    """
    time_ns = _parse_iso(text)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_ns // 1000)


def iso(time_ns: int) -> str:
    """ns since 1970 to ISO 8601 in UTC, as short as it can be without losing anything.

    >>> iso(1_763_964_000_250_000_000)
    '2025-11-24T06:00:00.25Z'
    """
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{nanoseconds:09d}".rstrip("0") if nanoseconds else ""
    return f"{text}{fraction}Z"
