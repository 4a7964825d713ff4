"""The features of one minute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.frames import Codes, Floats, Ints

__all__ = ["Minute"]


@dataclass(frozen=True, slots=True)
class Minute:
    """`time_ns` end of the minute; `units` roster codes (pots,); `line_of` (pots,) place of the line of each pot in
    `lines`, roster codes (lines,); `values` (pots, FEATURES) and `line_values` (lines, LINE_FEATURES) [SI], NaN = not
    known."""

    time_ns: int
    units: Codes
    lines: Codes
    line_of: Ints
    values: Floats
    line_values: Floats

    def same(self, other: Minute) -> bool:
        """Bit-equal (NaN equals NaN)."""
        return (
            self.time_ns == other.time_ns
            and np.array_equal(self.units, other.units)
            and np.array_equal(self.values, other.values, equal_nan=True)
            and np.array_equal(self.line_values, other.line_values, equal_nan=True)
        )
