"""Errors against the truth, and how often intervals hold it: sums over pots and moments, and the table of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from twin.frames import Floats

__all__ = ["Errors", "Row", "Scores", "within"]

NORMAL_95 = 1.959964


@dataclass(slots=True)
class Errors:
    """Errors of one figure: how many, their sum and squares, and how many lie in their own 95 % interval."""

    count: float = 0.0
    total: float = 0.0
    square: float = 0.0
    inside: float = 0.0
    largest: float = 0.0

    def add(self, error: Floats, u: Floats | float = 0.0) -> None:
        """Errors (any shape) with their standard uncertainties; what is not finite is not known and not counted."""
        good = np.isfinite(error)
        some, sd = error[good], np.broadcast_to(u, error.shape)[good]
        self.count += some.size
        self.total += float(some.sum())
        self.square += float(np.square(some).sum())
        self.inside += float((np.abs(some) <= NORMAL_95 * sd).sum())
        self.largest = max(self.largest, float(np.abs(some).max(initial=0.0)))

    @property
    def rmse(self) -> float:
        return (self.square / self.count) ** 0.5 if self.count else float("nan")

    @property
    def bias(self) -> float:
        return self.total / self.count if self.count else float("nan")

    @property
    def inside_pct(self) -> float:
        return 100.0 * self.inside / self.count if self.count else float("nan")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: figure of the twin and of the naive method (NaN = has none), and what is wanted."""

    name: str
    unit: str
    twin: float
    naive: float
    low: float = float("nan")
    high: float = float("nan")
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the twin's figure is where it is wanted; None where nothing is wanted."""
        if np.isnan(self.low) and np.isnan(self.high):
            return None
        return not (self.twin < self.low) and not (self.twin > self.high) and not np.isnan(self.twin)


@dataclass(slots=True)
class Scores:
    """Errors by name, of the twin and of the naive method."""

    twin: dict[str, Errors] = field(default_factory=dict)
    naive: dict[str, Errors] = field(default_factory=dict)

    def add(self, name: str, error: Floats, u: Floats | float = 0.0, *, naive: Floats | None = None) -> None:
        """Errors of the twin under a name, and of the naive method beside them where it says something."""
        self.twin.setdefault(name, Errors()).add(error, u)
        if naive is not None:
            self.naive.setdefault(name, Errors()).add(naive)

    def of(self, name: str) -> tuple[Errors, Errors]:
        return self.twin.get(name, Errors()), self.naive.get(name, Errors())


def within(errors: Errors, name: str, low: float = 90.0, high: float = 98.0) -> Row:
    """How often the truth lies in the stated 95 % interval."""
    return Row(f"{name}: in its 95 % interval", "%", errors.inside_pct, float("nan"), low, high,
               f"{errors.count:,.0f} figures")  # fmt: skip
