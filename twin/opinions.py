"""What models say of the plant at the end of a minute, as plain types: nothing here knows a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from twin.frames import Event, Floats

__all__ = ["DriftView", "Judged", "ModelView", "Opinion", "Reason"]


class Reason(msgspec.Struct, frozen=True):
    """A column that speaks for the cause: its value [its unit], None = missing, and by how much it raises the log odds
    of the cause."""

    column: str
    unit: str
    help: str
    value: float | None
    weight: float


class Opinion(msgspec.Struct, frozen=True):
    """An open anomaly of a unit (roster code): the evidence is in `begin_ns` to `told_ns`; `others` are the next likely
    causes with their probabilities."""

    unit: int
    cause: str
    probability: float
    others: list[tuple[str, float]]
    reasons: list[Reason]
    begin_ns: int
    told_ns: int


class DriftView(msgspec.Struct, frozen=True):
    """A column that no longer looks as in training: population stability index and shares of missing values."""

    column: str
    psi: float | None
    missing: float
    missing_before: float


class ModelView(msgspec.Struct, frozen=True):
    """A model in use."""

    name: str
    title: str
    made: str
    data: str
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Judged:
    """One minute. `scores` of `catalogue.SCORES` (units,) by roster code, `events` that it raised, `opinions` open now
    by unit, `warned` units with an open warning of an anode effect; `drift` columns of `drift_columns` that drifted,
    `psi` the largest index."""

    time_ns: int = 0
    scores: Mapping[str, Floats] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    opinions: Mapping[int, Opinion] = field(default_factory=dict)
    warned: frozenset[int] = frozenset()
    drift: tuple[DriftView, ...] = ()
    drift_columns: int = 0
    psi: float = 0.0
    models: tuple[ModelView, ...] = ()
