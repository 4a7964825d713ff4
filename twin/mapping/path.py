"""Paths into a JSON value, and typed decoders that read nothing but what the paths name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET

__all__ = ["Leaf", "Path", "parse_path", "typed", "walk"]

Path = tuple[str | int, ...]
Leaf = tuple[Path, Any, Any]  # where, type, default

_STEP = re.compile(r'\.?(?:"([^"]+)"|([^.\[\]"]+))|\[(\d{1,9})\]')


def parse_path(text: str) -> Path:
    """Steps of a path; raises ValueError in words for people.

    >>> parse_path('values."U.mean"[0].v')
    ('values', 'U.mean', 0, 'v')
    """
    steps: list[str | int] = []
    end = 0
    while end < len(text):
        found = _STEP.match(text, end)
        if found is None or (found[0].startswith(".") != bool(steps) and found[3] is None):
            raise ValueError(f'{text!r} is no path; it looks like values.u, values[0].u or "a.b".u')
        steps.append(int(found[3]) if found[3] is not None else found[1] or found[2])
        end = found.end()
    return tuple(steps)


def walk(value: object, path: Path) -> object:
    """What is at a path, UNSET when nothing is."""
    for step in path:
        inside = step in value if isinstance(value, dict) else isinstance(value, list) and step in range(len(value))
        if not inside or (isinstance(value, dict) and isinstance(step, int)):
            return UNSET
        value = value[step]  # type: ignore[index]
    return value


def typed(leaves: Sequence[Leaf]) -> tuple[type[Any], Callable[[Any], tuple[Any, ...]]] | None:
    """A struct with the leaves' types and what takes them out, in order; None where paths need more than names.

    Keys that no path names are skipped in C.
    """
    tree: dict[str, Any] = {}
    for place, (path, _, _) in enumerate(leaves):
        node = tree
        for step in path[:-1]:
            node = node.setdefault(str(step), {})
            if not isinstance(node, dict):
                return None
        if not path or not all(isinstance(step, str) for step in path) or path[-1] in node:
            return None
        node[str(path[-1])] = place
    if not leaves:
        return None
    names = [""] * len(leaves)
    struct = _struct(tree, leaves, "", names)
    get = attrgetter(*names)
    return struct, get if len(names) > 1 else lambda row: (get(row),)


def _struct(tree: Mapping[str, Any], leaves: Sequence[Leaf], above: str, names: list[str]) -> type[Any]:
    fields: list[Any] = []
    rename: dict[str, str] = {}
    for number, (key, below) in enumerate(tree.items()):
        field = f"f{number}"
        rename[field] = key
        if isinstance(below, dict):
            inner = _struct(below, leaves, f"{above}{field}.", names)
            fields.append((field, inner, msgspec.field(default_factory=inner)))
        else:
            names[below] = above + field
            fields.append((field, leaves[below][1], leaves[below][2]))
    return msgspec.defstruct("Mapped", fields, rename=rename, gc=False)
