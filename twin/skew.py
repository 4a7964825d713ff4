"""How far the clock of each source is from ours (F21).

The difference of source time and time of arrival is the error of the source's clock less the time on the way. Its
largest value over a minute or two is that of the message that was quickest: positive, and the clock is ahead; negative
by more than the way takes, and it is behind, or the source sends late.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from twin.frames import Codes, Floats
from twin.units import NS_PER_S

__all__ = ["PROMPT", "Skew"]

# Topic kinds that are sent as they are measured; events and samples are entered late, and that is normal.
PROMPT = frozenset({"telemetry", "line"})
WINDOW_NS = 60 * NS_PER_S
_NEVER = np.iinfo(np.int64).min


class Skew:
    """Largest difference of each unit over this window of arrival and the one before; parked messages count too."""

    def __init__(self) -> None:
        self._now = np.full(64, _NEVER)
        self._before = np.full(64, _NEVER)
        self._until_ns = 0

    def note(self, units: ArrayLike, times_ns: ArrayLike, now_ns: int) -> None:
        """Source times [ns] of units (roster codes) that arrived at `now_ns`."""
        unit = np.asarray(units, np.int64)
        if not len(unit):
            return
        if now_ns >= self._until_ns:
            fresh = now_ns < self._until_ns + WINDOW_NS
            self._before = self._now if fresh else np.full(len(self._now), _NEVER)
            self._now = np.full(len(self._before), _NEVER)
            self._until_ns = now_ns + WINDOW_NS
        if (most := int(unit.max())) >= len(self._now):
            more = np.full(max(most + 1, 2 * len(self._now)) - len(self._now), _NEVER)
            self._now, self._before = np.append(self._now, more), np.append(self._before, more)
        np.maximum.at(self._now, unit, np.asarray(times_ns, np.int64) - now_ns)

    def heard(self) -> tuple[Codes, Floats]:
        """Roster codes of the units heard lately, and how far each is ahead [s]; negative: behind, or late."""
        ahead = np.maximum(self._now, self._before)
        units = np.flatnonzero(ahead != _NEVER)
        return units.astype(np.int32), ahead[units] / NS_PER_S

    def furthest(self) -> tuple[int, float] | None:
        """The unit that is furthest ahead and by how much [s]; None before anything was heard."""
        units, ahead = self.heard()
        if not len(units):
            return None
        row = int(ahead.argmax())
        return int(units[row]), float(ahead[row])
