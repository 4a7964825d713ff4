"""Unit conversion between the rim (C, kA, kWh, mV ...) and SI inside the core.

Every signal names its rim unit; `to_si` and `from_si` are the only places where a factor stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["JOULE_PER_KWH", "KELVIN_AT_0_C", "NS_PER_S", "SI", "from_si", "to_si"]

T = TypeVar("T", float, NDArray[np.float64])

JOULE_PER_KWH = 3.6e6
KELVIN_AT_0_C = 273.15
NS_PER_S = 1_000_000_000

# rim unit -> (factor, offset): si = rim * factor + offset
SI: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "1": (1.0, 0.0),
        "%": (0.01, 0.0),
        "wt%": (1.0, 0.0),  # bath composition stays in wt%: every published equation is written in it
        "V": (1.0, 0.0),
        "mV": (1e-3, 0.0),
        "kA": (1e3, 0.0),
        "uOhm": (1e-6, 0.0),
        "nOhm/min": (1e-9 / 60.0, 0.0),
        "C": (1.0, KELVIN_AT_0_C),
        "K": (1.0, 0.0),
        "kg": (1.0, 0.0),
        "t": (1e3, 0.0),
        "mm": (1e-3, 0.0),
        "cm": (1e-2, 0.0),
        "m3/s": (1.0, 0.0),
        "s": (1.0, 0.0),
        "h": (3600.0, 0.0),
        "ppm": (1e-6, 0.0),
        "kWh": (JOULE_PER_KWH, 0.0),
        "t/t": (1.0, 0.0),
        "yuan/t": (1e-3, 0.0),
        "kWh/t": (JOULE_PER_KWH / 1e3, 0.0),
    }
)


def to_si(value: T, unit: str) -> T:
    """Rim value to SI: scalar in = scalar out, array in = array out.

    Raises KeyError for a unit that is not in the table.

    >>> round(to_si(960.0, "C"), 2)
    1233.15
    """
    factor, offset = SI[unit]
    return value * factor + offset


def from_si(value: T, unit: str) -> T:
    """SI value to the rim unit; the inverse of `to_si`.

    >>> from_si(500e3, "kA")
    500.0
    """
    factor, offset = SI[unit]
    return (value - offset) / factor
