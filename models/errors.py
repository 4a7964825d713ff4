"""The one error of this package."""

from __future__ import annotations

__all__ = ["ModelError"]


class ModelError(Exception):
    """A table, a parameter or a model file cannot be used; the message says what, where and what to do."""
