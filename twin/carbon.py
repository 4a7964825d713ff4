"""Carbon of a line or a portfolio: direct emissions by gas, CBAM, China's trading scheme, scope 2, clean energy.

Masses of each gas are kept; a warming potential is applied only when a figure is asked for. PFC come from anode effects
above the threshold alone: always a lower bound. What a source leaves open is a row of the plan file's `[carbon]` table,
off or at the default the domain gives (docs/method/plan-and-carbon.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from twin.errors import ConfigError
from twin.physics.elementary import T, only_positive, shaped
from twin.physics.emissions import (
    GWP,
    OVERVOLTAGE_CWPB,
    SLOPES,
    anode_co2,
    c2f6,
    cf4_overvoltage,
    cf4_slope,
    co2_equivalent,
)
from twin.units import from_si

__all__ = [
    *("BenchmarkShare", "Carbon", "Cbam", "CleanShare", "CleanTarget", "Ets", "Kills", "Masses", "PfcMethod"),
    *("allowance", "benchmark_share", "cbam_against", "clean_share", "direct", "intensity", "parse", "pfc_method"),
    *("NATIONAL_GRID_KG_KWH", "Against", "scope_2"),
]

Percent = Annotated[float, Meta(ge=0, le=100)]
Floats = NDArray[np.float64]
OVERVOLTAGE = "overvoltage_cwpb"
NATIONAL_GRID_KG_KWH = (0.5306, 0.5568)  # kg CO2/kWh, the range given (secondary source, unconfirmed); never a default


class Cbam(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """European border adjustment, primary aluminium [t CO2e/t], direct emissions: benchmark, China's default."""

    benchmark_t_t: Annotated[float, Meta(gt=0)] = 1.423
    default_t_t: Annotated[float, Meta(gt=0)] = 3.0


class Ets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """China's trading scheme, direct emissions. 2024: allowance = verified.

    From 2025 by intensity against a balance value, at most `band_pct` more or less than verified; the formula is
    unconfirmed, so it is off until `enabled` and `balance_t_t` (not known to us) are given. `gain` is the share of the
    relative distance to the balance value that is granted or taken.
    """

    enabled: bool = False
    balance_t_t: Annotated[float, Meta(gt=0)] | None = None
    gain: Annotated[float, Meta(gt=0)] = 1.0
    band_pct: Percent = 3.0


class CleanTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Clean or renewable share that a province asks for in a year [%]."""

    province: str
    year: Annotated[int, Meta(ge=2020, le=2100)]
    limit_pct: Percent
    source: str
    sure: Literal["P", "S", "D", "U"]


class Carbon(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[carbon]` table of a plan file. `method`: a name of `physics.emissions.SLOPES`, or "overvoltage_cwpb"."""

    method: str = "china"
    gwp: str = "AR5"
    net_carbon_t_t: Annotated[float, Meta(gt=0)] = 0.411
    sulphur_pct: Percent = 2.0
    ash_pct: Percent = 0.4
    clean_sources: tuple[str, ...] = ("hydro", "wind", "solar", "nuclear")
    cbam: Cbam = Cbam()
    ets: Ets = Ets()
    clean_targets: list[CleanTarget] = []

    def clean_target(self, province: str, year: int) -> CleanTarget | None:
        """The target of a province in exactly this year; None where the plan file has none: never carried forward."""
        name = province.strip().casefold()
        return next((t for t in self.clean_targets if (t.province.casefold(), t.year) == (name, year)), None)


def parse(table: Mapping[str, Any], where: str) -> Carbon:
    """Read a `[carbon]` table; `where` names it in errors. Raises ConfigError."""
    try:
        carbon = msgspec.convert(table, Carbon)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: carbon: {error}") from error
    methods = (*SLOPES, OVERVOLTAGE)
    if carbon.method not in methods:
        raise ConfigError(f"{where}: carbon: method {carbon.method!r} is not one of {', '.join(methods)}")
    if carbon.gwp not in GWP:
        raise ConfigError(f"{where}: carbon: gwp {carbon.gwp!r} is not one of {', '.join(GWP)}")
    if carbon.ets.enabled and carbon.ets.balance_t_t is None:
        raise ConfigError(f"{where}: carbon: ets is enabled without balance_t_t")
    years = [(t.province.casefold(), t.year) for t in carbon.clean_targets]
    if doubled := next((name for name in years if years.count(name) > 1), None):
        raise ConfigError(f"{where}: carbon: clean target of {doubled[0]} {doubled[1]} is given twice")
    return carbon


@dataclass(frozen=True, slots=True)
class Kills:
    """How anode effects ended in the period, in numbers; `controller` version as logged."""

    automatic: int = 0
    manual: int = 0
    unrecorded: int = 0
    controller: str = ""


@dataclass(frozen=True, slots=True)
class PfcMethod:
    """What PFC were computed with, stored beside the masses. `chosen` by the plan file, `used` after the kills."""

    chosen: str
    used: str
    source: str
    c2f6_ratio: float
    kills: Kills
    why: str = ""
    lower_bound: bool = True  # high-voltage effects only


def pfc_method(chosen: str, kills: Kills) -> PfcMethod:
    """The method that may be used: the slope of automatic kill only where every effect was killed automatically."""
    used, why = chosen, ""
    by_hand = kills.manual + kills.unrecorded
    if chosen == "pfpb_modern" and by_hand:
        used, why = "cwpb", f"{by_hand} anode effects were not recorded as killed automatically"
    row = OVERVOLTAGE_CWPB if used == OVERVOLTAGE else SLOPES[used]
    return PfcMethod(chosen, used, row.source, row.c2f6_ratio, kills, why)


@dataclass(frozen=True, slots=True)
class Masses(Generic[T]):
    """Direct emissions as masses of each gas [kg], scalars or arrays (units,). What is stored."""

    co2: T
    cf4: T
    c2f6: T


def direct(
    metal: T,
    method: PfcMethod,
    carbon: Carbon,
    *,
    effect_time: T | float = np.nan,
    overvoltage: T | float = np.nan,
    efficiency: T | float = np.nan,
    net_carbon: T | float | None = None,
) -> Masses[T]:
    """Direct emissions [kg] of `metal` [kg].

    effect_time: in anode effect per pot and day [s], for a slope method
    overvoltage: of anode effects, averaged over the day [V], with `efficiency` [1], for the overvoltage method
    net_carbon: measured net anode consumption over metal [kg/kg]; None: the default of the plan file
    What the method needs and is not given makes its gases NaN.
    """
    if method.used == OVERVOLTAGE:
        per_metal: T = cf4_overvoltage(overvoltage, efficiency)
    else:
        per_metal = cf4_slope(effect_time, SLOPES[method.used].slope)
    consumed = carbon.net_carbon_t_t if net_carbon is None else net_carbon
    cf4: T = shaped(per_metal * metal)
    return Masses(
        co2=shaped(anode_co2(consumed, carbon.sulphur_pct * 0.01, carbon.ash_pct * 0.01) * metal),
        cf4=cf4,
        c2f6=c2f6(cf4, method.c2f6_ratio),
    )


def intensity(masses: Masses[T], metal: T, gwp: str) -> T:
    """Direct emissions over metal [kg CO2e/kg = t/t], at the warming potentials `gwp` of `physics.emissions.GWP`."""
    emitted: T = co2_equivalent(masses.co2, masses.cf4, masses.c2f6, GWP[gwp])
    return shaped(emitted / only_positive(metal))


@dataclass(frozen=True, slots=True)
class Against(Generic[T]):
    """An intensity [t/t] against benchmark and default: `above_benchmark` is owed, `below_default` is saved."""

    above_benchmark: T
    below_default: T


def cbam_against(intensity_t_t: T, cbam: Cbam) -> Against[T]:
    """What a plant's own data change at the border, per tonne [t CO2e/t]; times a price it is money."""
    return Against(shaped(intensity_t_t - cbam.benchmark_t_t), shaped(cbam.default_t_t - intensity_t_t))


def allowance(verified: T, intensity_t_t: T, ets: Ets, year: int) -> T:
    """Free allowance [unit of `verified`, direct CO2e] of a year; verified less this is the shortfall.

    2024: as verified. From 2025: verified * (1 + clip(gain (balance - intensity) / balance, +-band)); NaN while the
    formula is off, and before 2024.
    """
    value: Any = np.asarray(verified, np.float64)
    if year == 2024:
        granted = value + 0.0
    elif year < 2024 or not ets.enabled or ets.balance_t_t is None:
        granted = value * np.nan
    else:
        better = ets.gain * (1.0 - np.asarray(intensity_t_t, np.float64) / ets.balance_t_t)
        granted = value * (1.0 + np.clip(better, -0.01 * ets.band_pct, 0.01 * ets.band_pct))
    return _plain(granted)  # type: ignore[no-any-return]


def scope_2(energy: T, grid_factor_kg_kwh: T | float) -> T:
    """CO2 [kg] of electricity [J] at the site's own grid factor [kg/kWh]; outside China's trading scheme."""
    kwh: T = from_si(energy, "kWh")
    return shaped(kwh * grid_factor_kg_kwh)


@dataclass(frozen=True, slots=True)
class CleanShare(Generic[T]):
    """Clean part of the electricity [1], its standard uncertainty [1], and the part of each source [1]."""

    value: T
    u: T
    by_source: Mapping[str, T]


def clean_share(energy: Mapping[str, T], u: Mapping[str, T | float], clean: tuple[str, ...]) -> CleanShare[T]:
    """Clean share of electricity by source.

    energy: of each source [J, or any one unit], scalars or arrays (units,); u: its standard uncertainty, same unit,
    errors of sources independent, 0 where absent. The share is of the sum of all sources, whatever that is.
    Equation: p = C / S; u^2 = sum of ((1 - p) u_i / S)^2 over clean and (p u_i / S)^2 over the other sources (GUM).
    """
    amounts = {name: np.asarray(value, np.float64) for name, value in energy.items()}
    whole: Any = sum(amounts.values(), np.zeros(()))
    whole = np.where(whole > 0.0, whole, np.nan)
    share = sum((value for name, value in amounts.items() if name in clean), np.zeros(())) / whole
    squares: Any = 0.0 * share
    for name in amounts:
        weight = (1.0 - share) if name in clean else share
        squares = squares + np.square(weight * np.asarray(u.get(name, 0.0), np.float64) / whole)
    parts = {name: _plain(value / whole) for name, value in amounts.items()}
    return CleanShare(_plain(share), _plain(np.sqrt(squares)), parts)


@dataclass(frozen=True, slots=True)
class BenchmarkShare:
    """Capacity-weighted share of lines at benchmark efficiency [1].

    measured: lines whose figure is at or below the limit; expected: by each line's probability, with `u`
    low, high: lines without a figure counted as not at, and as at, the benchmark; unknown: their share of capacity
    """

    measured: float
    expected: float
    u: float
    low: float
    high: float
    unknown: float


def benchmark_share(capacity: Floats, figure: Floats, probability: Floats, limit: float) -> BenchmarkShare:
    """Share of `capacity` (lines,) at benchmark: `figure` (lines,) at most `limit` in the same unit, NaN = not known.

    probability: that each line meets the limit (lines,) [1], taken as independent. Shares are of the capacity of all
    lines; `measured` and `expected` are of those with a figure. Never a pass or fail of one plant.
    """
    known = np.isfinite(figure) & np.isfinite(probability)
    all_of, seen = float(capacity.sum()), float(capacity[known].sum())
    if not all_of > 0.0 or not seen > 0.0:
        return BenchmarkShare(np.nan, np.nan, np.nan, 0.0, 1.0, 1.0)
    weight, p = capacity[known], probability[known]
    at = float(weight[figure[known] <= limit].sum())
    spread = float(np.sqrt((np.square(weight) * p * (1.0 - p)).sum()))
    missing = all_of - seen
    return BenchmarkShare(
        measured=at / seen,
        expected=float(weight @ p) / seen,
        u=spread / seen,
        low=at / all_of,
        high=(at + missing) / all_of,
        unknown=missing / all_of,
    )


def _plain(value: Any) -> Any:
    """A float where the array has no dimension."""
    return value.item() if np.ndim(value) == 0 else value
