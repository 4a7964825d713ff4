"""smelter-twin: telemetry, energy accounting and status of aluminium potlines.

In a notebook: `from twin import Session, recorded, simulated` (docs/python-api.md).
"""

from importlib import import_module
from typing import Any

__all__ = ["Session", "recorded", "simulated"]


def __getattr__(name: str) -> Any:
    # On demand: a process that ingests must not load what only a notebook needs.
    if name in __all__:
        return getattr(import_module("twin.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
