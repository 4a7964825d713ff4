"""Slow drift: cover and feeders of every pot wander around their own mean over days."""

from __future__ import annotations

import math

import numpy as np

from twin.frames import Floats

__all__ = ["Wander"]

EVERY = 600.0  # s between two steps
ROWS = ((0.010, 2.0), (0.008, 1.5), (0.06, 3.0))  # spread and memory [d] of cover loss, shot mass, sludge's return (U)


class Wander:
    """Factors around 1: `cover` on the heat lost at the top, `shot` on the mass of a shot, `mud` on sludge's return."""

    def __init__(self, pots: int, rng: np.random.Generator) -> None:
        self.rng = rng
        self._state = rng.standard_normal((len(ROWS), pots))
        self._left = EVERY
        self._refresh()

    def _refresh(self) -> None:
        rows = [1.0 + spread * state for (spread, _), state in zip(ROWS, self._state, strict=True)]
        self.cover: Floats = rows[0]
        self.shot: Floats = rows[1]
        self.mud: Floats = rows[2]

    def slow(self, dt: float) -> None:
        """Move on by dt."""
        self._left -= dt
        if self._left > 0.0:
            return
        self._left = EVERY
        kick = self.rng.standard_normal(self._state.shape)
        for state, new, (_, days) in zip(self._state, kick, ROWS, strict=True):
            keep = math.exp(-EVERY / (days * 86400.0))
            state *= keep
            state += math.sqrt(1.0 - keep * keep) * new
        self._refresh()
