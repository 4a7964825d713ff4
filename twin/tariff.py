"""Tiered electricity price: what a line pays on top for using more than the step, and what the next block would save.

Metric b (`ac_comprehensive`) against the step of the year; every started block above it costs the rate, on all
liquid-aluminium electricity. The numbers are rows of the plan file's `[tariff]` table (docs/method/plan-and-carbon.md);
prices and kWh/t keep the units in which they are decreed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Generic, Literal

import msgspec
import numpy as np
from msgspec import Meta

from twin.errors import ConfigError
from twin.physics.elementary import T, shaped

__all__ = ["Step", "Surcharge", "Tariff", "parse", "surcharge"]

Positive = Annotated[float, Meta(gt=0)]
NOISE_KWH_T = 1e-6  # a figure that is a step but for rounding has not started the next block


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The step that holds from a day on [kWh/t]."""

    valid_from: date
    step_kwh_t: Positive


class Tariff(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[tariff]` table of a plan file.

    `renewable_cut`: whether non-hydro renewables lower the rate, by `renewable_cut_pct` for each percentage point of
    their share above `renewable_free_pct`; unconfirmed, off by default.
    """

    source: str
    sure: Literal["P", "S", "D", "U"]
    steps: Annotated[list[Step], Meta(min_length=1)]
    metric: Literal["ac_comprehensive"] = "ac_comprehensive"
    rate_yuan_kwh: Positive = 0.01
    block_kwh_t: Positive = 20.0
    renewable_cut: bool = False
    renewable_free_pct: Annotated[float, Meta(ge=0, le=100)] = 15.0
    renewable_cut_pct: Annotated[float, Meta(ge=0, le=100)] = 1.0

    def step_on(self, day: date) -> float:
        """The step [kWh/t] that holds on a day; NaN before the first."""
        return next((step.step_kwh_t for step in reversed(self.steps) if step.valid_from <= day), float("nan"))


@dataclass(frozen=True, slots=True)
class Surcharge(Generic[T]):
    """What the tier costs; scalars or arrays (units,), NaN where the figure or the step is not known.

    blocks: started blocks above the step [1]; yuan_kwh: on each kWh; yuan_t: per tonne of liquid aluminium
    to_next: kWh/t by which the figure must fall to lose one block, 0 where there is none
    saved_t: what that takes off the surcharge [yuan/t]
    """

    blocks: T
    yuan_kwh: T
    yuan_t: T
    to_next: T
    saved_t: T

    def yuan(self, energy_kwh: T | float) -> T:
        """Surcharge of an amount of electricity [yuan], such as a month's kWh."""
        return shaped(self.yuan_kwh * energy_kwh)


def surcharge(
    tariff: Tariff, ac_comprehensive_kwh_t: T, step_kwh_t: float, renewable_pct: T | float = 0.0
) -> Surcharge[T]:
    """The surcharge of figures [kWh/t] against a step [kWh/t].

    Equation: 0.01 yuan/kWh * ceil((E - step) / 20) where E > step, else 0; yuan/t = that times E.
    renewable_pct: share of non-hydro renewables [%], used where the tariff says so.
    Reference: NDRC 2021 no. 1239 (secondary source).

    >>> tariff = Tariff("NDRC 2021 no. 1239", "S", [Step(date(2025, 1, 1), 13300.0)])
    >>> cost = surcharge(tariff, 13400.0, 13300.0)
    >>> round(cost.yuan_kwh, 2), round(cost.yuan_t)
    (0.05, 670)
    """
    e = np.asarray(ac_comprehensive_kwh_t, np.float64)
    blocks = np.maximum(np.ceil((e - step_kwh_t - NOISE_KWH_T) / tariff.block_kwh_t), 0.0)
    rate = tariff.rate_yuan_kwh * _kept(tariff, renewable_pct)
    below = np.maximum(blocks - 1.0, 0.0)  # with one block less
    target = step_kwh_t + below * tariff.block_kwh_t
    yuan_t = rate * blocks * e
    return Surcharge(
        blocks=_plain(blocks + 0.0 * rate),
        yuan_kwh=_plain(rate * blocks),
        yuan_t=_plain(yuan_t),
        to_next=_plain(np.where(blocks > 0.0, e - target, 0.0 * blocks) + 0.0 * rate),
        saved_t=_plain(np.where(blocks > 0.0, yuan_t - rate * below * target, 0.0 * yuan_t)),
    )


def _kept(tariff: Tariff, renewable_pct: Any) -> Any:
    """Part of the rate that is left [1] by the share of non-hydro renewables [%]."""
    share = np.asarray(renewable_pct, np.float64)
    if not tariff.renewable_cut:
        return np.ones(share.shape)
    points = np.maximum(share - tariff.renewable_free_pct, 0.0)
    return np.maximum(1.0 - 0.01 * tariff.renewable_cut_pct * points, 0.0)


def _plain(value: Any) -> Any:
    """A float where the array has no dimension."""
    return value.item() if value.ndim == 0 else value


def parse(table: Mapping[str, Any], where: str) -> Tariff:
    """Read a `[tariff]` table; `where` names it in errors. Raises ConfigError."""
    try:
        tariff = msgspec.convert(table, Tariff)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: tariff: {error}") from error
    days = [step.valid_from for step in tariff.steps]
    if days != sorted(set(days)):
        raise ConfigError(f"{where}: tariff: steps are not in the order of valid_from, each day once")
    return tariff
