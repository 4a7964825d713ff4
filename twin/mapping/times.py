"""Source times of mapped messages: numbers and texts of one format -> ns since 1970, UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

import numpy as np

from twin.errors import PayloadError
from twin.frames import Ints
from twin.times import parse_time, parse_times, shown
from twin.units import NS_PER_S

__all__ = ["EPOCHS", "Clock"]

EPOCHS = {"epoch_s": NS_PER_S, "epoch_ms": 1_000_000, "epoch_us": 1000, "epoch_ns": 1}  # -> ns in one
_FIRST, _LAST = 100_000_000_000_000_000, 4_000_000_000_000_000_000  # 1973 ... 2096, as on the wire of the contract
_SINCE = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """Reads times of one format: auto, iso, one of EPOCHS, or as for strptime. `zone`: of texts that name none.

    A local time that the autumn's change of clocks makes ambiguous is the later one that does not lie in the future.
    """

    def __init__(self, form: str, zone: str = "") -> None:
        self.form = form
        self._unit = EPOCHS.get(form, 0)
        self._zone = ZoneInfo(zone) if zone else None
        self._plain = form == "auto" or (form == "iso" and self._zone is None)

    def read(self, raw: object, latest_ns: int) -> int:
        """One time [ns]; raises PayloadError (missing_time, bad_time)."""
        if self.form == "auto":
            text = isinstance(raw, str) and raw.isascii() and raw.isdecimal() and len(raw) <= 20
            return parse_time(int(str(raw)) if text else raw)
        if raw is None or raw == "":
            raise PayloadError("missing_time", "there is no time")
        found = self._epoch(raw) if self._unit else self._text(raw, latest_ns)
        if not _FIRST <= found < _LAST:
            raise PayloadError("bad_time", f"{shown(raw)} as {self.form} lies before 1973 or after 2096")
        return found

    def read_all(self, raws: list[object], latest_ns: int) -> tuple[Ints, list[int]]:
        """Many times, 0 where there is none, and the places of those."""
        kinds = set(map(type, raws))
        if self._plain and kinds <= {int, str}:
            times, errors = parse_times(raws)  # type: ignore[arg-type]
            return times, [place for place, error in enumerate(errors) if error is not None]
        if self._unit and kinds == {int}:
            try:
                times = np.array(raws, np.int64)
            except OverflowError:
                times = np.zeros(1, np.int64)
            if times.min() >= _FIRST // self._unit and times.max() < _LAST // self._unit:
                return times * self._unit, []
        times, bad = np.zeros(len(raws), np.int64), []
        known: dict[object, int] = {}  # many records of a message have one time
        for place, raw in enumerate(raws):
            try:
                time_ns = known.get(raw) or self.read(raw, latest_ns)
            except (PayloadError, TypeError):  # TypeError: what cannot be a key is no time
                bad.append(place)
            else:
                known[raw] = times[place] = time_ns
        return times, bad

    def _epoch(self, raw: object) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int | float | str):
            raise PayloadError("bad_time", f"{shown(raw)} is not {self.form}")
        if isinstance(raw, int):
            return raw * self._unit
        try:
            number = Decimal(raw if isinstance(raw, str) else repr(raw))
            if not number.is_finite() or abs(number) > _LAST:
                raise InvalidOperation
            return int(number * self._unit)
        except InvalidOperation as error:
            raise PayloadError("bad_time", f"{shown(raw)} is not {self.form}") from error

    def _text(self, raw: object, latest_ns: int) -> int:
        if not isinstance(raw, str):
            raise PayloadError("bad_time", f"{shown(raw)} is not a text of format {self.form}")
        try:
            iso = self.form == "iso"
            moment = datetime.fromisoformat(raw) if iso else datetime.strptime(raw, self.form)  # noqa: DTZ007
            if moment.tzinfo is not None or self._zone is None:
                return parse_time(raw) if iso else self._zoned(moment, raw)
            return self._local(moment, raw, latest_ns)
        except (ValueError, OverflowError) as error:
            raise PayloadError("bad_time", f"{shown(raw)} is not of format {self.form}") from error

    def _zoned(self, moment: datetime, raw: str) -> int:
        if moment.tzinfo is None:
            raise PayloadError("bad_time", f"{shown(raw)} has no zone; give the row's time a `zone`")
        return _ns(moment)

    def _local(self, moment: datetime, raw: str, latest_ns: int) -> int:
        first = moment.replace(tzinfo=self._zone)
        if first.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None) != moment:
            raise PayloadError("bad_time", f"{shown(raw)} never was: the clocks of {self._zone} were put forward")
        later = _ns(first.replace(fold=1))
        return later if later <= latest_ns else _ns(first)


def _ns(moment: datetime) -> int:
    since = moment - _SINCE
    return (since.days * 86400 + since.seconds) * NS_PER_S + since.microseconds * 1000
