"""Which class a model file of a kind is read as."""

from __future__ import annotations

from typing import Any

from models.detectors import DETECTORS
from models.diagnosis import Diagnosis
from models.drift import Reference
from models.errors import ModelError
from models.warning import EarlyWarning

__all__ = ["KINDS", "class_of", "kind_of"]

KINDS: dict[str, Any] = {
    **{f"detector.{row.name}": row.form for row in DETECTORS},
    "warning": EarlyWarning,
    "diagnosis": Diagnosis,
    "drift": Reference,
}


def kind_of(model: object) -> str:
    """The kind under which a model is saved. Raises ModelError."""
    name = f"detector.{getattr(model, 'name', '')}"
    for kind, form in KINDS.items():
        if type(model) is form and (kind == name or not kind.startswith("detector.")):
            return kind
    raise ModelError(f"a {type(model).__name__} cannot be saved; it must be one of {', '.join(KINDS)}")


def class_of(kind: str) -> Any:
    """The class of a kind. Raises ModelError."""
    if kind not in KINDS:
        raise ModelError(f"kind {kind!r} of a model is not known; known are {', '.join(KINDS)}")
    return KINDS[kind]
