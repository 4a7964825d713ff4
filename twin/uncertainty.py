"""Standard uncertainty of energy, metal and kWh/t. What it leaves of a verdict: `twin.verdict`.

An `Amount` carries its value and, per source of `SOURCES`, a signed contribution: sensitivity times the standard
uncertainty of that source (GUM, first order). One source is one error: in a quotient it can cancel (the current in
DC over Faraday's metal), in a sum over pots a common one adds up and an independent one averages out.
Method, assumptions and what is unconfirmed: docs/method/uncertainty.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Any, Generic, Literal

import numpy as np
from numpy.typing import NDArray

from twin.physics.elementary import T, at_least, only_positive, shaped, sqrt

__all__ = [
    "SOURCES",
    "Amount",
    "Figure",
    "Instruments",
    "MetalPad",
    "Source",
    "integrated",
    "metal_by_faraday",
    "metal_by_tapping",
    "metered",
    "plus",
    "ratio",
    "total",
    "unseen",
]

PERCENT = 0.01
CONFIDENCE = 0.95  # two-sided
_ERFC: Any = np.frompyfunc(math.erfc, 1, 1)


@dataclass(frozen=True, slots=True)
class Source:
    """One row: a source of error; `common` = the same error in every pot, so that it does not average out."""

    name: str
    title: str
    common: bool
    help: str


SOURCES: tuple[Source, ...] = (
    Source("ac_meter", "AC meter", True, "Class of the AC energy meter."),
    Source("dc_meter", "DC meter", True, "Class of the DC energy meter."),
    Source("auxiliary_meter", "Auxiliary meter", True, "Class of the meter of potroom auxiliaries."),
    Source("current", "Line current", True, "Class of the line-current measurement: all pots are in series."),
    Source("voltage", "Pot voltage", False, "Class of a pot's voltage sensor, where DC is voltage times current."),
    Source("allocation", "Allocation", False, "Class of the voltage sensors, where AC is shared out by voltage."),
    Source("scale", "Tap scale", True, "Part of the scale's error that all weighings share (adjustment)."),
    Source("weighing", "Weighing", False, "Part of the scale's error that is new with each tap."),
    Source("level", "Metal level", False, "Reading of the metal level at both ends of the window."),
    Source("pad", "Metal pad", True, "Area and density that turn a metal level into a mass."),
    Source("efficiency_common", "Efficiency, common", True, "Part of the efficiency's error that all pots share."),
    Source("efficiency", "Efficiency, own", False, "Part of the efficiency's error that is each pot's own."),
    Source("unseen", "Time not seen", True, "What the pot may have done in the time without data."),
)
_COMMON = {source.name: source.common for source in SOURCES}


@dataclass(frozen=True, slots=True)
class Instruments:
    """Classes [% of reading], each one number or an array (units,): limits of error, taken as rectangular
    (standard uncertainty = class / sqrt(3)).

    `scale_common_part` [1] of the tap scale's variance is shared by all weighings; 1 never averages out (safe side).
    """

    current_class_pct: Any
    voltage_class_pct: Any
    ac_class_pct: Any = 0.5
    dc_class_pct: Any = 0.5
    auxiliary_class_pct: Any = 0.5
    scale_class_pct: Any = 0.5
    scale_common_part: float = 1.0


@dataclass(frozen=True, slots=True)
class MetalPad:
    """How a metal level becomes a mass: `area` [m2] of the cathode, `density` [kg/m3], limit of one reading [m].

    `class_pct` [%] limit of error of area times density; `readings` averaged at each end of the window.
    """

    area: float
    density: float
    level_limit: float
    class_pct: float
    readings: int = 1


@cache
def _coverage_factor(p: float) -> float:
    return NormalDist().inv_cdf(0.5 + 0.5 * p)


def _at_most(value: float, u: float, limit: float) -> float:
    distance = limit - value
    if math.isnan(distance) or not u >= 0.0:
        return math.nan
    if u == 0.0:
        return 1.0 if distance >= 0.0 else 0.0
    return 0.5 * math.erfc(-(distance / u) / math.sqrt(2.0))


@dataclass(frozen=True, slots=True)
class Figure(Generic[T]):
    """A value and its standard uncertainty, both in one unit, scalars or arrays (units,); normal distribution."""

    value: T
    u: T

    def interval(self, p: float = CONFIDENCE, k: float | None = None) -> tuple[T, T]:
        """Low and high end at the two-sided confidence `p` [1], or at the coverage factor `k`."""
        factor = _coverage_factor(p) if k is None else k
        return shaped(self.value - factor * self.u), shaped(self.value + factor * self.u)

    def probability_at_most(self, limit: T | float) -> T:
        """Probability [1] that the true value is at or below `limit`; without uncertainty 0 or 1; NaN stays NaN.

        >>> Figure(13000.0, 30.0).probability_at_most(13000.0)
        0.5
        """
        if isinstance(self.value, float) and isinstance(self.u, float) and isinstance(limit, float):
            at_most: Any = _at_most(self.value, self.u, limit)  # by the thousand a second, where rules are graded
            return at_most  # type: ignore[no-any-return]
        value, u, at = (np.asarray(x, np.float64) for x in (self.value, self.u, limit))
        distance = at - value
        z = distance / np.where(u > 0.0, u, 1.0)
        smooth = 0.5 * np.asarray(_ERFC(-z / math.sqrt(2.0)), np.float64)
        known = np.where(u > 0.0, smooth, np.where(u == 0.0, np.where(distance >= 0.0, 1.0, 0.0), np.nan))
        probability: T = like(np.where(np.isnan(distance), np.nan, known))
        return probability


@dataclass(frozen=True, slots=True)
class Amount(Generic[T]):
    """A value and its signed contributions per source, all in one unit, scalars or arrays (units,)."""

    value: T
    parts: Mapping[str, T]

    @property
    def u(self) -> T:
        """Combined standard uncertainty, in the unit of the value."""
        squares: Any = sum(part * part for part in self.parts.values())
        root: T = sqrt(squares + 0.0 * self.value)
        return root

    @property
    def figure(self) -> Figure[T]:
        return Figure(self.value, self.u)


def like(array: NDArray[Any]) -> Any:
    """A plain scalar where the array has no dimension."""
    return array.item() if array.ndim == 0 else array


def _standard(class_pct: Any) -> Any:
    """Relative standard uncertainty of a class [% of reading], rectangular."""
    return class_pct * PERCENT / math.sqrt(3.0)


def metered(
    energy: T,
    meter: Literal["ac", "dc", "auxiliary"],
    instruments: Instruments,
    pots: T | float = 1.0,
    together: T | float = 1.0,
) -> Amount[T]:
    """Energy [J] of a meter, or the share of `together` pots by voltage among `pots` pots of about the same voltage.

    The line itself is all of its pots together: no sharing. The share of m of n pots errs by r sqrt(1/m - 1/n): errors
    of all shares sum to 0.
    """
    spread: T = sqrt(at_least(1.0 / at_least(together, 1.0) - 1.0 / at_least(pots, 1.0), 0.0))
    shared = energy * _standard(instruments.voltage_class_pct) * spread
    own = energy * _standard(getattr(instruments, f"{meter}_class_pct"))
    return Amount(energy, {f"{meter}_meter": own, "allocation": shaped(shared)})


def integrated(energy: T, instruments: Instruments, sensors: T | float = 1.0) -> Amount[T]:
    """DC energy [J] as voltage times current; the voltage of `sensors` sensors that each err by themselves."""
    current, voltage = instruments.current_class_pct, instruments.voltage_class_pct
    own: T = shaped(energy * _standard(voltage) / sqrt(at_least(sensors, 1.0)))
    return Amount(energy, {"current": energy * _standard(current), "voltage": own})


def metal_by_faraday(
    metal: T,
    efficiency: T,
    u_common: T | float,
    u_own: T | float,
    instruments: Instruments,
    learnt: T | float = 0.0,
) -> Amount[T]:
    """Metal [kg] by Faraday at a current efficiency [1].

    `u_common`, `u_own` [1]: its standard uncertainty in two parts, that which all pots share (a setting, a model's
    bias: it never averages out) and that of this unit alone. `learnt` [1]: how far it was learnt from weighed taps. An
    efficiency that was learnt makes up for an error of the current, and has that of the scale instead.
    """
    relative: T = shaped(metal / efficiency)
    return Amount(
        metal,
        {
            "current": metal * _standard(instruments.current_class_pct) * (1.0 - learnt),
            "scale": metal * _standard(instruments.scale_class_pct) * learnt,
            "efficiency_common": relative * u_common,
            "efficiency": relative * u_own,
        },
    )


def metal_by_tapping(tapped: T, taps: T | float, change: T, pad: MetalPad, instruments: Instruments) -> Amount[T]:
    """Metal [kg] as `tapped` [kg] in a number of `taps` of about the same mass, plus the `change` [kg] in the pot."""
    weigh = _standard(instruments.scale_class_pct)
    number: T = sqrt(at_least(taps, 1.0))
    reading = pad.area * pad.density * pad.level_limit / math.sqrt(3.0) * math.sqrt(2.0 / pad.readings)
    common = instruments.scale_common_part
    return Amount(
        tapped + change,
        {
            "scale": tapped * weigh * math.sqrt(common),
            "weighing": tapped * weigh * math.sqrt(1.0 - common) / number,
            "level": reading + 0.0 * change,
            "pad": change * _standard(pad.class_pct),
        },
    )


def unseen(amount: Amount[T], coverage: T | float, spread: float) -> Amount[T]:
    """The same amount for the whole window, though only `coverage` [1] of its time was seen.

    In the unseen time the unit is taken to have gone on as in the seen time, within `spread` [1, relative standard].
    """
    gap: T = at_least(1.0 - coverage, 0.0)
    extra: T = shaped(amount.value * gap * spread)
    before = amount.parts.get("unseen", 0.0)
    return Amount(amount.value, {**amount.parts, "unseen": shaped(extra + before)})


def ratio(numerator: Amount[T], denominator: Amount[T]) -> Amount[T]:
    """Quotient; an error that both share counts once, with its sign. NaN where the denominator is not positive."""
    divisor: T = only_positive(denominator.value)
    value: T = shaped(numerator.value / divisor)
    names = list(dict.fromkeys([*numerator.parts, *denominator.parts]))
    above, below = numerator.parts, denominator.parts
    return Amount(value, {n: shaped((above.get(n, 0.0) - value * below.get(n, 0.0)) / divisor) for n in names})


def plus(first: Amount[T], second: Amount[T]) -> Amount[T]:
    """Sum of two amounts of the same unit; an error that both share is one error."""
    names = list(dict.fromkeys([*first.parts, *second.parts]))
    return Amount(
        first.value + second.value, {n: shaped(first.parts.get(n, 0.0) + second.parts.get(n, 0.0)) for n in names}
    )


def total(amount: Amount[NDArray[np.float64]], pots_on_meter: int | None = None) -> Amount[float]:
    """Sum over the units of an amount [same unit]: common errors add up, independent ones in quadrature.

    `pots_on_meter`: how many pots share the meter out of which these come; together they have no allocation error.
    Units that are NaN are not known: the sum is NaN too. Take the sum before a ratio, never the mean of ratios.
    """
    parts = {}
    for name, part in amount.parts.items():
        added = part.sum() if _COMMON[name] else np.sqrt(np.square(part).sum())
        parts[name] = float(added)
    size = len(amount.value)
    if "allocation" in parts and pots_on_meter is not None and pots_on_meter > 1:
        parts["allocation"] *= math.sqrt(max(pots_on_meter - size, 0) / (pots_on_meter - 1))
    return Amount(float(amount.value.sum()), parts)
