"""What the twin believes of the pots: means, covariances and what the filter remembers of its surprises."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.estimator.advance import CHANNELS
from twin.estimator.design import Design
from twin.estimator.measurements import SAMPLES
from twin.estimator.states import STATES
from twin.frames import Floats, Ints

__all__ = ["PACKED", "Belief", "packed", "unpacked"]

ROWS, COLUMNS = np.tril_indices(len(STATES))
PACKED = len(STATES) + len(ROWS) + 1 + len(SAMPLES)


@dataclass(frozen=True, slots=True)
class Belief:
    """Arrays with pots last, moved on in place.

    mean (states, pots), cov (states, states, pots); trend (pots,): mean innovation of the voltage [sigma]; innovation
    (channels and kinds of samples, pots) [sigma]: of the last step, and of the last sample of each kind.
    """

    mean: Floats
    cov: Floats
    trend: Floats
    innovation: Floats

    @classmethod
    def prior(cls, design: Design) -> Belief:
        """Before anything was measured."""
        pots = len(design)
        cov = np.zeros((len(STATES), len(STATES), pots))
        place = np.arange(len(STATES))
        cov[place, place] = np.square(design.sd)
        return cls(design.mean.copy(), cov, np.zeros(pots), np.full((len(CHANNELS) + len(SAMPLES), pots), np.nan))

    def of(self, pots: slice) -> Belief:
        """A view of some pots: what is written there is written here."""
        return Belief(self.mean[:, pots], self.cov[:, :, pots], self.trend[pots], self.innovation[:, pots])

    def take(self, pots: Ints) -> Belief:
        """A copy of some pots."""
        return Belief(self.mean[:, pots], self.cov[:, :, pots], self.trend[pots], self.innovation[:, pots])

    def put(self, pots: Ints, other: Belief) -> None:
        """Overwrite some pots."""
        self.mean[:, pots] = other.mean
        self.cov[:, :, pots] = other.cov
        self.trend[pots] = other.trend
        self.innovation[:, pots] = other.innovation

    def join(self, other: Belief) -> Belief:
        """The pots of both, those of `other` behind."""
        return Belief(
            np.concatenate([self.mean, other.mean], axis=-1),
            np.concatenate([self.cov, other.cov], axis=-1),
            np.concatenate([self.trend, other.trend]),
            np.concatenate([self.innovation, other.innovation], axis=-1),
        )


def packed(belief: Belief) -> Floats:
    """What a later step depends on, and the samples' innovations, as rows (PACKED, pots)."""
    triangle = belief.cov[ROWS, COLUMNS]
    return np.concatenate([belief.mean, triangle, belief.trend[None], belief.innovation[len(CHANNELS) :]])


def unpacked(rows: Floats) -> Belief:
    """The belief that was packed, bit for bit; innovations of the last step unknown."""
    states, pots = len(STATES), rows.shape[1]
    cov = np.empty((states, states, pots))
    cov[ROWS, COLUMNS] = cov[COLUMNS, ROWS] = rows[states : states + len(ROWS)]
    innovation = np.full((len(CHANNELS) + len(SAMPLES), pots), np.nan)
    innovation[len(CHANNELS) :] = rows[-len(SAMPLES) :]
    return Belief(rows[:states].copy(), cov, rows[states + len(ROWS)].copy(), innovation)
