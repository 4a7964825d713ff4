"""Arrays as bytes: they come back bit for bit, and bytes that were damaged never do harm."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from twin.errors import PayloadError
from twin.packing import TYPES, pack, unpack

KIND = "some state 1"
Arrays = dict[str, NDArray[Any]]
NAMES = st.text(min_size=1, max_size=12)
HEAD = st.dictionaries(
    st.text(max_size=8),
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text(max_size=9),
              st.lists(st.integers(), max_size=3)),
    max_size=4,
)  # fmt: skip


@st.composite
def arrays(draw: st.DrawFn) -> Arrays:
    """Arrays of every type and shape with any bits in them; some not as they lie in memory."""
    found: Arrays = {}
    for name in draw(st.lists(NAMES, max_size=4, unique=True)):
        dtype = np.dtype(draw(st.sampled_from(sorted(TYPES))))
        shape = tuple(draw(st.lists(st.integers(0, 4), max_size=3)))
        raw = draw(st.binary(min_size=(size := int(np.prod(shape)) * dtype.itemsize), max_size=size))
        flat = np.frombuffer(raw, np.uint8)
        array = (flat & 1).astype(bool) if dtype.kind == "b" else flat.view(dtype) if size else np.empty(0, dtype)
        found[name] = array.reshape(shape).T if draw(st.booleans()) else array.reshape(shape)
    return found


def shapes(found: Arrays) -> dict[str, tuple[object, ...]]:
    return {name: (array.dtype, array.shape) for name, array in found.items()}


@given(HEAD, arrays())
def test_what_is_packed_comes_back_bit_for_bit(head: dict[str, Any], packed: Arrays) -> None:
    again, found = unpack(KIND, pack(KIND, head, packed))
    assert again == head
    assert list(found) == list(packed)
    assert shapes(found) == shapes(packed)
    for name, array in packed.items():
        assert found[name].tobytes() == array.tobytes()
        assert found[name].flags.writeable, "a state is gone on with"
    assert pack(KIND, again, found) == pack(KIND, head, packed)


@given(HEAD, arrays(), st.data())
def test_what_was_cut_short_is_refused(head: dict[str, Any], packed: Arrays, data: st.DataObject) -> None:
    whole = pack(KIND, head, packed)
    for length in {0, len(whole) - 1, data.draw(st.integers(0, len(whole) - 1))}:
        with pytest.raises(PayloadError):
            unpack(KIND, whole[:length])
    with pytest.raises(PayloadError):
        unpack(KIND, whole + b"\0")


@given(HEAD, arrays(), st.data())
def test_a_flipped_byte_is_refused_or_changes_numbers_only(
    head: dict[str, Any], packed: Arrays, data: st.DataObject
) -> None:
    whole = bytearray(pack(KIND, head, packed))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    try:
        _, found = unpack(KIND, bytes(whole))
    except PayloadError:
        return
    bits = sum(array.nbytes for array in packed.values())
    assert sum(array.nbytes for array in found.values()) == bits
    if at >= len(whole) - bits:  # not in the text at the beginning, which can say another name or shape
        assert shapes(found) == shapes(packed)


TEXTS = [
    {"head": {}, "arrays": [["a", "object", [1]]]},
    {"head": {}, "arrays": [["a", "float64", [-1]]]},
    {"head": {}, "arrays": [["a", "float64", [2**62, 8]]]},
    {"head": {}, "arrays": [["a", "float64", [10**30]]]},
    {"head": {}, "arrays": [["a", "float64", ["1"]]]},
    {"head": {}, "arrays": [["a", "float64", [1.5]]]},
    {"head": {}, "arrays": [["a", "float64", None]]},
    {"head": {}, "arrays": [["a", ["float64"], [1]]]},
    {"head": {}, "arrays": [[["a"], "float64", [1]]]},
    {"head": {}, "arrays": [["a", "float64"]]},
    {"head": {}, "arrays": 5},
    {"head": 5, "arrays": []},
    {"head": [], "arrays": None},
    {"arrays": []},
    [],
    "text",
]


@pytest.mark.parametrize("text", TEXTS, ids=str)
def test_a_head_that_makes_no_sense_is_refused(text: object) -> None:
    for rest in (b"", bytes(8), bytes(12), bytes(16)):
        with pytest.raises(PayloadError):
            unpack(KIND, f"{KIND}\n{json.dumps(text)}\n".encode() + rest)


@given(st.binary(max_size=60))
def test_any_bytes_are_refused(data: bytes) -> None:
    for text in (data, KIND.encode() + b"\n" + data, KIND.encode() + b"\n" + data + b"\n"):
        with pytest.raises(PayloadError):
            unpack(KIND, text)


def test_deep_nesting_is_refused() -> None:
    for opened in (b"[", b'{"a":'):
        with pytest.raises(PayloadError):
            unpack(KIND, KIND.encode() + b"\n" + opened * 200_000 + b"\n")


def test_another_kind_is_refused() -> None:
    data = pack("some state 2", {}, {})
    with pytest.raises(PayloadError, match="some state 2") as caught:
        unpack(KIND, data)
    assert caught.value.reason == "checkpoint"
