"""From the probabilities of every minute to few anomalies: one at a time for each pot, with the likely cause.

    state, happened = step(state, rules, time_ns, probability)

A probability counts once it has lasted: it is smoothed over minutes, and an anomaly opens when that of a cause comes
over
the `on` of its rule, and closes when the causes together have stayed below `off` for `clear_min`. Causes that explain
themselves (a pot just started, power modulation) have no `on` and open nothing. What is smoothed over is the memory:
splitting time anywhere gives the same anomalies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import PayloadError
from twin.frames import Floats, Ints
from twin.packing import pack, unpack

__all__ = ["Anomalies", "Happened", "Rules", "from_bytes", "step", "to_bytes"]

KIND = "smelter-twin anomalies 1"
NONE = -1
NEVER = np.inf
EVIDENCE = 0.2  # smoothed probability of the cause from which on its evidence counts


@dataclass(frozen=True, slots=True)
class Rules:
    """`causes` in the order of the columns of the probabilities; `on` (causes,) [1], inf for what opens nothing;
    `smooth_min` (causes,) time constant [min]; `off` [1] and `clear_min` [min] end an anomaly; `change`: how much
    likelier than the cause first named another must be to be named instead [1]."""

    causes: tuple[str, ...]
    on: Floats
    smooth_min: Floats
    off: float = 0.2
    clear_min: float = 30.0
    change: float = 0.3

    @classmethod
    def of(cls, causes: Sequence[str], table: Mapping[str, float | str]) -> Rules:
        """From the parameters of a model file: `on.CAUSE`, `smooth.CAUSE`, `off`, `clear_min`, `change`."""
        on = np.array([float(table.get(f"on.{name}", NEVER)) for name in causes])
        smooth = np.array([float(table.get(f"smooth.{name}", 10.0)) for name in causes])
        given = {name: float(table[name]) for name in ("off", "clear_min", "change") if name in table}
        return cls(tuple(causes), on, smooth, **given)

    def table(self) -> dict[str, float | str]:
        """As `of` takes it."""
        rows: dict[str, float | str] = {"off": self.off, "clear_min": self.clear_min, "change": self.change}
        for name, on, smooth in zip(self.causes, self.on.tolist(), self.smooth_min.tolist(), strict=True):
            rows[f"smooth.{name}"] = smooth
            if np.isfinite(on):
                rows[f"on.{name}"] = on
        return rows


@dataclass(frozen=True, slots=True)
class Happened:
    """An anomaly of a unit (row of the probabilities) began, changed its likely cause, or ended.

    `begin_ns` when the evidence began (the window is from there to `time_ns`), `cause` with its smoothed
    `probability`, and
    `others`: the next likely causes with theirs.
    """

    kind: str  # "began", "changed", "ended"
    unit: int
    time_ns: int
    begin_ns: int
    cause: str
    probability: float
    others: tuple[tuple[str, float], ...]


class Anomalies:
    """What is remembered, over units: `smooth` (units, causes) probabilities, `since_ns` (units, causes) from when each
    was evident, -1 = is not; `cause` (units,) of the open anomaly, -1 = none; `begin_ns`, `clear_ns` (units,) when it
    began and since when it is below `off`; `last_ns` time of the last step."""

    def __init__(self, units: int, causes: int) -> None:
        self.smooth: Floats = np.zeros((units, causes))
        self.since_ns: Ints = np.full((units, causes), NONE, np.int64)
        self.cause: Ints = np.full(units, NONE, np.int64)
        self.begin_ns: Ints = np.full(units, NONE, np.int64)
        self.clear_ns: Ints = np.full(units, NONE, np.int64)
        self.last_ns = NONE

    def grow(self, units: int) -> None:
        """Room for units enrolled since."""
        fresh = Anomalies(units, self.smooth.shape[1])
        had = len(self.cause)
        for name, array in self.arrays().items():
            getattr(fresh, name)[:had] = array
            setattr(self, name, getattr(fresh, name))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every array by its name."""
        return {name: array for name, array in vars(self).items() if isinstance(array, np.ndarray)}


def step(state: Anomalies, rules: Rules, time_ns: int, probability: Floats) -> tuple[Anomalies, list[Happened]]:
    """One minute: `probability` (units, causes), NaN rows = nothing is known and nothing changes. The state is
    consumed.
    """
    minutes = (time_ns - state.last_ns) / 60e9 if state.last_ns != NONE else 1.0
    state.last_ns = time_ns
    known = np.isfinite(probability).all(axis=1)
    weight = 1.0 - np.exp(-min(minutes, 60.0) / rules.smooth_min)
    # written so that the hundreds of units that are well cost no more than the arrays
    state.smooth[known] += weight * (probability[known] - state.smooth[known])
    evident = state.smooth >= EVIDENCE
    state.since_ns = np.where(evident, np.where(state.since_ns == NONE, time_ns, state.since_ns), NONE)
    over = state.smooth - rules.on
    happened = []
    for unit in np.flatnonzero(known & (state.cause == NONE) & (over >= 0.0).any(axis=1)).tolist():
        cause = int(np.argmax(np.where(over[unit] >= 0.0, state.smooth[unit], -1.0)))
        since = int(state.since_ns[unit, cause])
        state.cause[unit], state.clear_ns[unit] = cause, NONE
        state.begin_ns[unit] = since if since != NONE else time_ns
        happened.append(_told("began", state, rules, unit, time_ns))
    for unit in np.flatnonzero(known & (state.cause != NONE)).tolist():
        happened += _go_on(state, rules, unit, time_ns, over[unit])
    return state, happened


def _go_on(state: Anomalies, rules: Rules, unit: int, time_ns: int, over: Floats) -> list[Happened]:
    """An open anomaly: another cause, or its end."""
    smooth = state.smooth[unit]
    counts = np.isfinite(rules.on)
    if float(smooth[counts].sum()) >= rules.off:
        state.clear_ns[unit] = NONE
        likely = int(np.argmax(np.where(over >= 0.0, smooth, -1.0)))
        if over[likely] >= 0.0 and smooth[likely] - smooth[state.cause[unit]] > rules.change:
            state.cause[unit] = likely
            return [_told("changed", state, rules, unit, time_ns)]
        return []
    if state.clear_ns[unit] == NONE:
        state.clear_ns[unit] = time_ns
    if time_ns - state.clear_ns[unit] < rules.clear_min * 60e9:
        return []
    told = _told("ended", state, rules, unit, time_ns)
    state.cause[unit] = state.begin_ns[unit] = state.clear_ns[unit] = NONE
    return [told]


def _told(kind: str, state: Anomalies, rules: Rules, unit: int, time_ns: int) -> Happened:
    smooth, cause = state.smooth[unit], int(state.cause[unit])
    order = [n for n in np.argsort(-smooth).tolist() if n != cause and np.isfinite(rules.on[n])][:2]
    others = tuple((rules.causes[n], float(smooth[n])) for n in order)
    return Happened(kind, unit, time_ns, int(state.begin_ns[unit]), rules.causes[cause], float(smooth[cause]), others)


def to_bytes(state: Anomalies, rules: Rules) -> bytes:
    """Everything a later process needs to go on."""
    return pack(KIND, {"last_ns": state.last_ns, "causes": list(rules.causes)}, state.arrays())


def from_bytes(rules: Rules, data: bytes) -> Anomalies:
    """The state of the same causes. Raises PayloadError."""
    head, arrays = unpack(KIND, data)
    if head.get("causes") != list(rules.causes) or "cause" not in arrays:
        raise PayloadError("checkpoint", "anomalies of other causes than this model's")
    state = Anomalies(len(arrays["cause"]), len(rules.causes))
    for name, array in state.arrays().items():
        found = arrays.get(name)
        if found is None or found.shape != array.shape or found.dtype != array.dtype:
            raise PayloadError("checkpoint", f"anomalies: {name} is of another shape")
        array[...] = found
    state.last_ns = int(head["last_ns"])
    return state
