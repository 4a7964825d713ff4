"""Two different values under one key: the later one replaces the earlier one in every store. It is counted (F18).

Redelivery repeats the same value and is none. Looked for among the last readings only: a table of fixed size, in which
a newer key takes the place of an older one, so the memory never grows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.frames import Readings

__all__ = ["Collisions"]

Words = NDArray[np.uint64]

_BITS = 18  # 262,144 keys, 5 MiB: some twenty seconds of 1,500 pots with 8 signals each second
# Odd numbers that spread the bits of a key over the whole word (splitmix64).
_A, _B = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


class Collisions:
    """Counts, batch by batch; `bits` sets the size of the memory, 2**bits keys of 20 bytes."""

    def __init__(self, bits: int = _BITS) -> None:
        self._shift = np.uint64(64 - bits)
        self._keys = np.zeros(1 << bits, np.uint64)
        self._values = np.zeros(1 << bits, np.uint64)
        self._rows = np.zeros(1 << bits, np.int32)

    def count(self, readings: Readings) -> int:
        """How many of these readings replace another value of the same unit, signal and time; remembers them."""
        said = np.isfinite(readings.value)
        if not said.all():
            readings = readings.take(said)
        if not len(readings):
            return 0
        # + 0.0: minus zero is zero
        values = (readings.value + 0.0).view(np.uint64)
        keys = _key(readings)
        slots = (keys >> self._shift).astype(np.intp)
        # Of rows that share a slot the last one stays there; the others are looked at one by one with their like.
        self._rows[slots] = rows = np.arange(len(slots), dtype=np.int32)
        again = self._rows[slots] != rows
        differs = (self._keys[slots] == keys) & (self._values[slots] != values)
        if again.any():
            same = np.isin(slots, slots[again])
            differs[same] = self._one_by_one(slots[same], keys[same], values[same])
        self._keys[slots] = keys
        self._values[slots] = values
        return int(np.count_nonzero(differs))

    def _one_by_one(self, slots: NDArray[np.intp], keys: Words, values: Words) -> NDArray[np.bool_]:
        """Which of these rows differ from the row before with the same key, or from the memory if there is none."""
        order = np.argsort(keys, kind="stable")
        slots, keys, values = slots[order], keys[order], values[order]
        first = np.ones(len(order), bool)
        first[1:] = keys[1:] != keys[:-1]
        before = np.roll(values, 1)
        before[first] = np.where(self._keys[slots[first]] == keys[first], self._values[slots[first]], values[first])
        differs = np.empty(len(order), bool)
        differs[order] = values != before
        return differs


def _key(readings: Readings) -> Words:
    """One word for (unit, signal, time). That two keys share it is one chance in 2**64."""
    place = (readings.unit.astype(np.uint64) << np.uint64(16)) | readings.signal.astype(np.uint16).astype(np.uint64)
    key = readings.time_ns.view(np.uint64) + place * _A
    key = (key ^ (key >> np.uint64(30))) * _A
    key = (key ^ (key >> np.uint64(27))) * _B
    mixed: Words = key ^ (key >> np.uint64(31))
    return mixed
