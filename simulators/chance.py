"""Chance for rare events: a number that depends only on its key, never on the order of asking.

Noise that every pot draws every second comes from one NumPy generator. What happens to one pot now and then (a tap
a little early, a feeder that hangs) is keyed by (seed, pot, kind, count) instead, so that a fault at one pot leaves
the luck of every other pot as it was: a run with a fault and one without can be compared pot by pot.
"""

from __future__ import annotations

import math

__all__ = ["exponential", "normal", "uniform"]

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def _mix(x: int) -> int:
    """SplitMix64 finaliser (Steele, Lea, Flood 2014)."""
    x = (x + _GOLDEN) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def uniform(*key: int) -> float:
    """A number in (0, 1) that the key decides.

    >>> uniform(7, 1) == uniform(7, 1) != uniform(7, 2)
    True
    """
    x = 0
    for part in key:
        x = _mix(x ^ (part & _MASK))
    return ((x >> 11) + 0.5) * 2.0**-53


def normal(*key: int) -> float:
    """A standard normal number that the key decides (Box-Muller).

    >>> -6.0 < normal(7, 1) < 6.0
    True
    """
    return math.sqrt(-2.0 * math.log(uniform(*key, 1))) * math.cos(2.0 * math.pi * uniform(*key, 2))


def exponential(mean: float, *key: int) -> float:
    """An exponential waiting time of this mean that the key decides.

    >>> exponential(10.0, 7, 1) > 0.0
    True
    """
    return -mean * math.log(uniform(*key))
