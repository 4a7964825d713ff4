"""State to bytes and back, bit for bit: a head of JSON that names the arrays, then the arrays as they lie in memory.

Nothing is ever executed on reading: what does not fit is refused with a PayloadError.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import PayloadError
from twin.estimator.belief import Belief
from twin.estimator.estimator import Estimator, State
from twin.estimator.states import STATES
from twin.estimator.window import Window

__all__ = ["from_bytes", "to_bytes"]

MAGIC = b"smelter-twin estimator 1\n"
TYPES = ("float64", "float32", "int64")
Array = NDArray[np.float64] | NDArray[np.float32] | NDArray[np.int64]


def to_bytes(state: State) -> bytes:
    """Everything a later process needs to go on as if nothing had happened."""
    window = state.window
    rows = [
        (step, pot, kind, value)
        for step, kept in sorted(window.samples.items())
        for (pot, kind), value in sorted(kept.items())
    ]
    arrays: dict[str, Array] = {
        "mean": state.belief.mean,
        "cov": state.belief.cov,
        "trend": state.belief.trend,
        "innovation": state.belief.innovation,
        "memory": state.memory,
        "drives": window.drives,
        "kept": window.kept,
        "kept_at": window.kept_at,
        "sample_keys": np.array([row[:3] for row in rows], np.int64).reshape(-1, 3),
        "sample_values": np.array([row[3] for row in rows], np.float64),
    }
    head = {
        "states": [row.name for row in STATES],
        "number": state.number,
        "too_old": state.too_old,
        "every": window.every,
        "arrays": [[name, array.dtype.name, list(array.shape)] for name, array in arrays.items()],
    }
    parts = [json.dumps(head).encode() + b"\n", *(np.ascontiguousarray(a).tobytes() for a in arrays.values())]
    return MAGIC + b"".join(parts)


def from_bytes(estimator: Estimator, data: bytes) -> State:
    """The state of an estimator of the same pots. Raises PayloadError."""
    try:
        head, arrays = _read(data)
        samples: dict[int, dict[tuple[int, int], float]] = {}
        for (step, pot, kind), value in zip(
            arrays["sample_keys"].tolist(), arrays["sample_values"].tolist(), strict=True
        ):
            samples.setdefault(step, {})[pot, kind] = value
        belief = Belief(arrays["mean"], arrays["cov"], arrays["trend"], arrays["innovation"])
        window = Window(int(head["every"]), arrays["drives"], arrays["kept"], arrays["kept_at"], samples)
        state = State(int(head["number"]), belief, arrays["memory"], window, int(head["too_old"]))
        states = head["states"]
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise PayloadError("checkpoint", f"not a state of this estimator: {error}") from error
    if states != [row.name for row in STATES] or _shapes(state) != _shapes(estimator.start()):
        raise PayloadError("checkpoint", "the state is of other pots, other states or another horizon")
    return state


def _read(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    if not data.startswith(MAGIC):
        raise ValueError("no state of an estimator")
    end = data.index(b"\n", len(MAGIC))
    head = json.loads(data[len(MAGIC) : end])
    place, arrays = end + 1, {}
    for name, kind, shape in head["arrays"]:
        if kind not in TYPES:
            raise ValueError(f"numbers of type {kind}")
        count = math.prod(int(length) for length in shape)
        arrays[name] = np.frombuffer(data, kind, count, place).reshape(shape).copy()
        place += arrays[name].nbytes
    if place != len(data):
        raise ValueError("bytes left over")
    return head, arrays


def _shapes(state: State) -> list[tuple[object, ...]]:
    window, belief = state.window, state.belief
    arrays: tuple[Array, ...] = (
        belief.mean, belief.cov, belief.trend, belief.innovation, state.memory, window.drives, window.kept,
        window.kept_at,
    )  # fmt: skip
    return [(window.every,), *((*a.shape, a.dtype.name) for a in arrays)]
