"""Raw values of payloads as numbers in a signal's unit, and the plant's quality flags as ours."""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import UNSET

from twin.errors import PayloadError
from twin.frames import Quality
from twin.mapping.file import QualityAt, SignalAt
from twin.signals import SIGNALS, by_name
from twin.times import shown
from twin.units import SI

__all__ = ["Flags", "Scale", "clean"]

MISSING = frozenset(("", "-", "null", "NULL"))


def clean(text: str, decimal: str) -> float | str:
    """A text as a finite number, as it is when it is none."""
    found = text.strip()
    if decimal != ".":
        if "." in found:
            return text
        found = found.replace(decimal, ".")
    if not found.isascii() or "_" in found:
        return text
    try:
        number = float(found)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


class Scale:
    """What the raw values of one signal mean: value in its unit = raw * `factor` / `divisor` + `shift`.

    4012 mV / 1000 is 4.012 V, 4012 mV * 0.001 is not quite.
    """

    def __init__(self, one: SignalAt, *, texts: bool, decimal: str = ".") -> None:
        self.code = by_name(one.name)
        self.signal = SIGNALS[self.code]
        self.words: Mapping[str, float] = one.words
        self._texts, self._decimal = texts, decimal
        self.factor, self.shift = one.factor, one.offset
        if one.unit and one.unit != self.signal.unit:
            (scale, zero), (own, own_zero) = SI[one.unit], SI[self.signal.unit]
            self.factor, self.shift = one.factor * scale / own, (one.offset * scale + zero - own_zero) / own
        self.divisor = 1.0
        inverse = 1.0 / self.factor
        if abs(inverse) > 1.0 and abs(inverse - round(inverse)) < 1e-9 * abs(inverse):
            self.factor, self.divisor = 1.0, float(round(inverse))

    def number(self, raw: object) -> float:
        """The value in the signal's unit, NaN where the plant says that there is none. Raises PayloadError."""
        if raw is None:
            return math.nan
        if isinstance(raw, str):
            if raw in self.words:
                return self._inside(float(self.words[raw]))
            if self._texts and raw.strip() in MISSING:
                return math.nan
            raw = self._of_text(raw)
        if isinstance(raw, bool) and self.signal.unit == "1":
            return self._inside(float(raw))
        if isinstance(raw, bool) or not isinstance(raw, int | float):
            raise PayloadError("wrong_type", f"{shown(raw)} is not a number")
        try:
            value = float(raw) * self.factor / self.divisor + self.shift
        except OverflowError:
            raise PayloadError("out_of_range", f"{str(raw)[:40]}... is beyond a float") from None
        if not math.isfinite(raw):
            raise PayloadError("not_finite", f"{raw}")
        return self._inside(value)

    def _of_text(self, text: str) -> float:
        found = clean(text, self._decimal) if self._texts else text
        if isinstance(found, float):
            return found
        if self._texts and text.strip().lower().lstrip("+-") in ("nan", "inf", "infinity"):
            raise PayloadError("not_finite", shown(text))
        allowed = f"; words are {', '.join(self.words)}" if self.words else ""
        raise PayloadError("wrong_type", f"{shown(text)} is not a number{allowed}")

    def _inside(self, value: float) -> float:
        low, high = self.signal.low, self.signal.high
        if not low <= value <= high:
            raise PayloadError("out_of_range", f"{value:g} {self.signal.unit} is outside {low:g} ... {high:g}")
        return value


class Flags:
    """The plant's quality flags: GOOD, UNCERTAIN, else BAD; UNCERTAIN where a flag is wanted and not there."""

    def __init__(self, at: QualityAt) -> None:
        self._known = {(type(flag) is bool, flag): Quality.UNCERTAIN for flag in at.uncertain}
        self._known |= {(type(flag) is bool, flag): Quality.GOOD for flag in at.good}

    def of(self, raw: object) -> Quality:
        """Quality of one flag."""
        if raw is UNSET:
            return Quality.UNCERTAIN
        if not isinstance(raw, str | int | float):  # null, a list: nothing that the row calls good
            return Quality.BAD
        return self._known.get((type(raw) is bool, raw), Quality.BAD)  # type: ignore[arg-type]
