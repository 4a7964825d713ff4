"""One core for what scikit-learn would spread over all.

A batch of rows is scored in milliseconds. Threads that share them out wait for the last one, which on cores that other
programs use costs many times what it saves.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

__all__ = ["cores"]


def cores(most: int = 1) -> AbstractContextManager[Any]:
    """A context in which numerical libraries use at most so many threads."""
    limit: AbstractContextManager[Any] = _controller().limit(limits=most)
    return limit


@cache
def _controller() -> Any:
    import sklearn.ensemble  # noqa: F401  # the controller only knows libraries that are loaded
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
