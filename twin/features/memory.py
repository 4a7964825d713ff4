"""Recursive means with several time constants: what is usual of a quantity, in bounded memory.

Within the first time constant a mean is the plain mean of what was heard. What is not known leaves a mean as it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.frames import Floats

__all__ = ["SPANS", "Means"]

SPANS = (10.0, 60.0, 240.0, 1440.0, 7200.0)  # min
LEAST = 0.5  # of a span's minutes (at most LEAST_MIN) heard before a mean is used
LEAST_MIN = 360.0


class Means:
    """Means (spans, quantities, columns), minutes heard (quantities, columns), and the variance of the 10-minute mean
    about the longest (quantities, columns)."""

    def __init__(self, quantities: int, columns: int) -> None:
        self.mean: Floats = np.zeros((len(SPANS), quantities, columns))
        self.heard: Floats = np.zeros((quantities, columns))
        self.variance: Floats = np.zeros((quantities, columns))

    def arrays(self) -> dict[str, Floats]:
        """Every array by its name."""
        return {"mean": self.mean, "heard": self.heard, "variance": self.variance}

    def grow(self, columns: int) -> None:
        """Room for columns that are new."""
        for name, array in self.arrays().items():
            extra = columns - array.shape[-1]
            setattr(self, name, np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, extra)]))

    def add(self, values: Floats, minutes: float) -> None:
        """One minute's values (quantities, columns) that stand for so many minutes since the last."""
        known = np.isfinite(values)
        self.heard += known * minutes
        with np.errstate(invalid="ignore", divide="ignore"):
            for row, span in zip(self.mean, SPANS, strict=True):
                weight = np.maximum(1.0 - np.exp(-minutes / span), minutes / np.maximum(self.heard, minutes))
                np.add(row, weight * (values - row), out=row, where=known)
            gap = self.mean[0] - self.mean[-1]
            weight = np.maximum(1.0 - np.exp(-minutes / SPANS[-1]), minutes / np.maximum(self.heard, minutes))
            np.add(self.variance, weight * (gap * gap - self.variance), out=self.variance, where=known)

    def of(self, span: int) -> Floats:
        """Means (quantities, columns) of one span, NaN where too little was heard."""
        enough: NDArray[np.bool_] = self.heard >= min(LEAST * SPANS[span], LEAST_MIN)
        return np.where(enough & (self.heard > 0.0), self.mean[span], np.nan)

    def sigma(self) -> Floats:
        """Usual size of what the 10-minute mean is off the longest mean (quantities, columns), NaN = not known."""
        return np.where(self.heard >= LEAST_MIN, np.sqrt(self.variance), np.nan)
