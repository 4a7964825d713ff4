"""Arrays to bytes and back, bit for bit: a head of JSON that names them, then each as it lies in memory.

Nothing is ever executed on reading: what does not fit is refused with a PayloadError.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import PayloadError

__all__ = ["pack", "unpack"]

TYPES = frozenset({"float64", "float32", "int64", "int32", "int16", "uint64", "uint8", "bool"})


def pack(kind: str, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """`kind` says in one line what this is and in which version; `head` is anything JSON can hold."""
    named = [[name, array.dtype.name, list(array.shape)] for name, array in arrays.items()]
    text = json.dumps({"head": dict(head), "arrays": named}, separators=(",", ":"))
    parts = [f"{kind}\n{text}\n".encode(), *(np.ascontiguousarray(a).tobytes() for a in arrays.values())]
    return b"".join(parts)


def unpack(kind: str, data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Head and arrays of what `pack` made under the same kind. Raises PayloadError."""
    try:
        first = data.index(b"\n")
        if data[:first] != kind.encode():
            raise ValueError(f"begins with {data[: min(first, 60)]!r}, not with {kind!r}")
        end = data.index(b"\n", first + 1)
        told = json.loads(data[first + 1 : end])
        arrays: dict[str, NDArray[Any]] = {}
        place = end + 1
        for name, kind_of, shape in told["arrays"]:
            if kind_of not in TYPES or any(length < 0 for length in shape):
                raise ValueError(f"numbers of type {kind_of} and shape {shape}")
            count = math.prod(int(length) for length in shape)
            arrays[name] = np.frombuffer(data, kind_of, count, place).reshape(shape).copy()
            place += arrays[name].nbytes
        if place != len(data):
            raise ValueError(f"{len(data) - place} bytes left over")
        return dict(told["head"]), arrays
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise PayloadError("checkpoint", f"not a state that can be read: {error}") from error
