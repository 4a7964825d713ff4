"""Numbers and verdicts as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from twin.report.data import Quantity, Trend

__all__ = [
    "DASH",
    "SENSE",
    "SURE",
    "VERDICT",
    "moment",
    "number",
    "plus_minus",
    "probability",
    "short_day",
    "trend_words",
]

DASH = "–"
NOT_MEASURED = "not measured"
VERDICT: Mapping[str, str] = MappingProxyType(
    {"pass": "met", "fail": "not met", "indeterminate": "uncertain", "insufficient": "not graded"}
)
SENSE: Mapping[str, str] = MappingProxyType({"at_most": "≤", "at_least": "≥", "above": ">", "below": "<"})
SURE: Mapping[str, str] = MappingProxyType(
    {"P": "primary text read", "S": "secondary source", "D": "derived", "U": "unconfirmed"}
)
_K95 = 1.959964


def number(value: float | None, digits: int = 0, *, sign: bool = False) -> str:
    """A number with thousands apart and a true minus; an en dash for what is not known.

    >>> number(-12974.6), number(4.0, 1, sign=True), number(-0.2), number(None)
    ('−12,975', '+4.0', '0', '–')
    """
    if value is None:
        return DASH
    text = f"{value:{'+' if sign else ''},.{digits}f}"
    if not text.strip("+-0.,"):  # what rounds to nothing has no sign
        return text.lstrip("+-")
    return text.replace("-", "−")


def plus_minus(quantity: Quantity, digits: int = 0) -> str:
    """A value with half its 95 % interval.

    >>> plus_minus(Quantity("kWh/t", 12974.6, 24.0, 12927.6, 13021.6))
    '12,975 ± 47'
    """
    if quantity.value is None:
        return NOT_MEASURED
    if not quantity.u:
        return number(quantity.value, digits)
    return f"{number(quantity.value, digits)} ± {number(_K95 * quantity.u, digits)}"


def probability(value: float | None) -> str:
    """A probability in percent that never claims certainty.

    >>> probability(0.9999), probability(0.42), probability(0.0)
    ('> 99 %', '42 %', '< 1 %')
    """
    if value is None:
        return DASH
    if value > 0.99:
        return "> 99 %"
    return "< 1 %" if value < 0.01 else f"{100 * value:.0f} %"


def moment(text: str) -> datetime:
    """A time of the report."""
    return datetime.fromisoformat(text)


def short_day(text: str) -> str:
    """A time as day and month."""
    at = moment(text)
    return f"{at.day} {at:%b}"


def trend_words(trend: Trend | None) -> str:
    """A slope with its standard error, and whether it is one."""
    if trend is None:
        return "no trend: fewer than three figures"
    per = "hour" if trend.per == "hour" else "day"
    text = f"{number(trend.slope, 1, sign=True)} ± {number(trend.u, 1)} kWh/t per {per}"
    return text if trend.p < 0.05 else f"{text}, which may be chance (p {trend.p:.2f})"
