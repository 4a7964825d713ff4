"""Two different values under one key: the later one replaces the earlier one in every store. It is counted (F18).

Redelivery repeats the same value and is none. Looked for among the last readings only: a table of fixed size, in which
a newer key takes the place of an older one, so the memory never grows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.frames import Readings

__all__ = ["Collisions"]

_BITS = 18  # 262,144 keys, 4 MiB: some twenty seconds of 1,500 pots with 8 signals each second
# Odd numbers that spread the bits of a key over the whole word (splitmix64).
_A, _B = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


class Collisions:
    """Counts, batch by batch; `bits` sets the size of the memory, 2**bits keys of 16 bytes."""

    def __init__(self, bits: int = _BITS) -> None:
        self._shift = np.uint64(64 - bits)
        self._keys = np.zeros(1 << bits, np.uint64)
        self._values = np.zeros(1 << bits, np.uint64)

    def count(self, readings: Readings) -> int:
        """How many of these readings differ from another one of the same unit, signal and time; remembers them."""
        said = np.isfinite(readings.value)
        if not said.all():
            readings = readings.take(said)
        if not len(readings):
            return 0
        # + 0.0: minus zero is zero
        values = (readings.value + 0.0).view(np.uint64)
        keys = _key(readings)
        slots = (keys >> self._shift).astype(np.intp)
        known = self._keys[slots] == keys
        differs = known & (self._values[slots] != values)
        self._keys[slots] = keys
        self._values[slots] = values
        # A key that is new with this batch: the last of its values is kept, and stands for the one before.
        differs |= ~known & (self._keys[slots] == keys) & (self._values[slots] != values)
        return int(np.count_nonzero(differs))


def _key(readings: Readings) -> NDArray[np.uint64]:
    """One word for (unit, signal, time). That two keys share it is one chance in 2**64."""
    place = (readings.unit.astype(np.uint64) << np.uint64(16)) | readings.signal.astype(np.uint16).astype(np.uint64)
    key = readings.time_ns.view(np.uint64) + place * _A
    key = (key ^ (key >> np.uint64(30))) * _A
    key = (key ^ (key >> np.uint64(27))) * _B
    mixed: NDArray[np.uint64] = key ^ (key >> np.uint64(31))
    return mixed
