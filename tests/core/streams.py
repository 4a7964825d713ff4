"""Hypothesis strategies: readings as a plant could send them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.core.plants import NOW_NS
from twin.frames import Readings
from twin.signals import SIGNALS

# How far the source times of one stream lie apart, in ns; few, so that keys meet often.
STEPS = (0, 1, 999_999_999, 1_000_000_000, 5_000_000_000, 61_000_000_000)


def _row(item: tuple[int, int, int, int, float], pots: int) -> tuple[int, int, int, float]:
    """(time_ns, unit, signal, value) of drawn numbers: the unit one that has the signal, the value in its range."""
    code, unit, step, count, value = item
    signal = SIGNALS[code]
    inside = min(max(value, signal.low), signal.high) if value == value else value
    return NOW_NS - STEPS[step] * count, 0 if signal.topic == "line" else 1 + unit % pots, code, inside


def readings(pots: int = 3, max_size: int = 30, *, missing: bool = True) -> st.SearchStrategy[Readings]:
    """Readings of any signals of a line (unit 0) and its pots; with `missing`, some are NaN."""
    number = st.floats(-3e3, 1e6)
    item = st.tuples(
        st.integers(0, len(SIGNALS) - 1),
        st.integers(0, pots - 1),
        st.integers(0, len(STEPS) - 1),
        st.integers(0, 3),
        st.one_of(number, st.just(float("nan"))) if missing else number,
    )

    def build(items: list[tuple[int, int, int, int, float]]) -> Readings:
        rows = [_row(item, pots) for item in items]
        time, unit, signal, value = zip(*rows, strict=True) if rows else ((), (), (), ())
        return Readings.of(time, unit, signal, value)

    return st.lists(item, max_size=max_size).map(build)


def unique_by_key(found: Readings) -> Readings:
    """The readings without those that repeat the (unit, signal, time) of an earlier one."""
    columns = np.stack([found.unit, found.signal, found.time_ns], axis=1)
    _, first = np.unique(columns, axis=0, return_index=True)
    return found.take(np.sort(first))
