"""State to bytes and back, bit for bit (`twin.packing`)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import PayloadError
from twin.estimator.belief import Belief
from twin.estimator.estimator import Estimator, State
from twin.estimator.marks import Marks
from twin.estimator.states import STATES
from twin.estimator.window import Window
from twin.packing import pack, unpack

__all__ = ["from_bytes", "to_bytes"]

KIND = "smelter-twin estimator 2"


def to_bytes(state: State) -> bytes:
    """Everything a later process needs to go on as if nothing had happened."""
    window = state.window
    rows = [
        (step, pot, kind, value)
        for step, kept in sorted(window.samples.items())
        for (pot, kind), value in sorted(kept.items())
    ]
    arrays: dict[str, NDArray[Any]] = {
        "mean": state.belief.mean,
        "cov": state.belief.cov,
        "trend": state.belief.trend,
        "innovation": state.belief.innovation,
        "memory": state.memory,
        "drives": window.drives,
        "kept": window.kept,
        "kept_at": window.kept_at,
        "marks": state.marks.rows,
        "marked": state.marks.cell,
        "sample_keys": np.array([row[:3] for row in rows], np.int64).reshape(-1, 3),
        "sample_values": np.array([row[3] for row in rows], np.float64),
    }
    head = {
        "states": [row.name for row in STATES],
        "number": state.number,
        "too_old": state.too_old,
        "every": window.every,
        "changed": sorted(state.marks.changed),
    }
    return pack(KIND, head, arrays)


def from_bytes(estimator: Estimator, data: bytes) -> State:
    """The state of an estimator of the same pots. Raises PayloadError."""
    head, arrays = unpack(KIND, data)
    try:
        samples: dict[int, dict[tuple[int, int], float]] = {}
        for (step, pot, kind), value in zip(
            arrays["sample_keys"].tolist(), arrays["sample_values"].tolist(), strict=True
        ):
            samples.setdefault(step, {})[pot, kind] = value
        belief = Belief(arrays["mean"], arrays["cov"], arrays["trend"], arrays["innovation"])
        window = Window(int(head["every"]), arrays["drives"], arrays["kept"], arrays["kept_at"], samples)
        marks = Marks(arrays["marks"], arrays["marked"], set(head["changed"]))
        state = State(int(head["number"]), belief, arrays["memory"], window, marks, int(head["too_old"]))
        states = head["states"]
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise PayloadError("checkpoint", f"not a state of this estimator: {error}") from error
    if states != [row.name for row in STATES] or _shapes(state) != _shapes(estimator.start()):
        raise PayloadError("checkpoint", "the state is of other pots, other states or another horizon")
    return state


def _shapes(state: State) -> list[tuple[object, ...]]:
    window, belief = state.window, state.belief
    arrays = (
        belief.mean, belief.cov, belief.trend, belief.innovation, state.memory, window.drives, window.kept,
        window.kept_at, state.marks.rows, state.marks.cell,
    )  # fmt: skip
    return [(window.every,), *((*a.shape, a.dtype.name) for a in arrays)]
