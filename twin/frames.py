"""The five immutable types that cross every boundary of the product.

    Readings   long columns, as on the wire and in the store   (rim units: C, kA, kWh ...)
    Frame      dense now, (units, signals)                     (SI)
    Estimate   mean, covariance and innovation per unit        (SI; filled by the estimator)
    Event      something began or ended at a unit
    Report     one tick: frame + estimate + KPIs + scores + events

Readings keep the rim unit so that what is stored is bit for bit what the sensor said; `to_si` is applied
once, where a Frame is made (docs/decisions/0002-readings-keep-rim-units.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Codes",
    "Estimate",
    "Event",
    "Floats",
    "Frame",
    "Ints",
    "Quality",
    "Readings",
    "Report",
    "Wide",
    "WindowFigures",
    "wide",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int32]


class Quality(IntEnum):
    """How far a value can be trusted; order matters: worse is larger."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


def _frozen(array: NDArray[np.generic]) -> None:
    array.flags.writeable = False


@dataclass(frozen=True, slots=True)
class Readings:
    """Long columns of equal length; keyed by (unit, signal, time_ns).

    time_ns int64 [ns since 1970, UTC] source time; unit int32 roster code; signal int16 index into
    `catalogue.CATALOGUE` (what is on the wire: `signals.SIGNALS`); value float64 [rim unit of the signal], NaN where
    quality is BAD; quality uint8 `Quality`.
    """

    time_ns: Ints
    unit: Codes
    signal: NDArray[np.int16]
    value: Floats
    quality: NDArray[np.uint8]

    def __post_init__(self) -> None:
        for column in (self.time_ns, self.unit, self.signal, self.value, self.quality):
            _frozen(column)

    @classmethod
    def of(
        cls,
        time_ns: Sequence[int] | Ints,
        unit: Sequence[int] | Codes,
        signal: Sequence[int] | NDArray[np.int16],
        value: Sequence[float] | Floats,
        quality: Sequence[int] | NDArray[np.uint8] | None = None,
    ) -> Readings:
        """Readings from anything array-like; `quality` defaults to GOOD, BAD where the value is not finite."""
        values = np.array(value, np.float64)
        if quality is None:
            quality = np.where(np.isfinite(values), Quality.GOOD, Quality.BAD).astype(np.uint8)
        columns = (
            np.array(time_ns, np.int64),
            np.array(unit, np.int32),
            np.array(signal, np.int16),
            values,
            np.array(quality, np.uint8),
        )
        if len({len(column) for column in columns}) != 1:
            raise ValueError("columns of Readings differ in length")
        return cls(*columns)

    @classmethod
    def empty(cls) -> Readings:
        return cls.of([], [], [], [], [])

    @classmethod
    def concat(cls, parts: Sequence[Readings]) -> Readings:
        """All parts in order."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls.empty()
        return cls(
            np.concatenate([p.time_ns for p in parts]),
            np.concatenate([p.unit for p in parts]),
            np.concatenate([p.signal for p in parts]),
            np.concatenate([p.value for p in parts]),
            np.concatenate([p.quality for p in parts]),
        )

    def __len__(self) -> int:
        return len(self.time_ns)

    def take(self, index: NDArray[np.generic] | slice) -> Readings:
        """Rows by mask, positions or slice."""
        return Readings(
            self.time_ns[index], self.unit[index], self.signal[index], self.value[index], self.quality[index]
        )

    def same(self, other: Readings) -> bool:
        """Bit-equal content in the same order (NaN equals NaN)."""
        return (
            np.array_equal(self.time_ns, other.time_ns)
            and np.array_equal(self.unit, other.unit)
            and np.array_equal(self.signal, other.signal)
            and np.array_equal(self.value, other.value, equal_nan=True)
            and np.array_equal(self.quality, other.quality)
        )


@dataclass(frozen=True, slots=True)
class Wide:
    """Rows as a store keeps them: one per (unit, time); `values` (rows, columns), NaN = not said.

    `signals` holds the code of each column.
    """

    time_ns: Ints
    unit: Codes
    signals: tuple[int, ...]
    values: Floats

    def __len__(self) -> int:
        return len(self.time_ns)


def wide(readings: Readings, signals: Sequence[int]) -> Wide:
    """Pivot the readings of `signals` to one row per (unit, time), in order of first appearance.

    Where one key says a signal twice the last one counts. Rows without any finite value are left out.
    """
    column_of = np.full(int(max(signals, default=-1)) + 2, -1, np.int64)
    column_of[list(signals)] = np.arange(len(signals))
    clipped = np.minimum(readings.signal, len(column_of) - 1)
    column = column_of[clipped]
    if (column < 0).any():
        kept = column >= 0
        readings, column = readings.take(kept), column[kept]
    time, unit = readings.time_ns, readings.unit
    starts = np.empty(len(time), bool)
    if len(time):
        starts[0] = True
        np.not_equal(time[1:], time[:-1], out=starts[1:])
        starts[1:] |= unit[1:] != unit[:-1]
    first = np.flatnonzero(starts)
    row = np.cumsum(starts) - 1
    run_time, run_unit = time[first], unit[first]
    row, keep = _merge_runs(run_time, run_unit, row)
    values = np.full((len(keep), len(signals)), np.nan)
    good = np.isfinite(readings.value)
    if good.all():
        values[row, column] = readings.value
    else:
        values[row[good], column[good]] = readings.value[good]
    run_time, run_unit = run_time[keep], run_unit[keep]
    said = np.isfinite(values).any(axis=1)
    if not said.all():
        run_time, run_unit, values = run_time[said], run_unit[said], values[said]
    return Wide(run_time, run_unit, tuple(signals), values)


def _merge_runs(time: Ints, unit: Codes, row: Ints) -> tuple[Ints, Ints]:
    """Give runs of the same (unit, time) one row: the new row of each reading, and the runs to keep."""
    order = np.lexsort((unit, time))
    again = np.zeros(len(order), bool)
    again[1:] = (np.diff(time[order]) == 0) & (np.diff(unit[order]) == 0)
    if not again.any():
        return row, np.arange(len(time))
    group = np.empty(len(order), np.int64)
    group[order] = np.cumsum(~again) - 1
    _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    keep = np.sort(first)
    place = np.searchsorted(keep, first)
    return place[inverse][row], keep


@dataclass(frozen=True, slots=True)
class Frame:
    """Dense now: `value` (units, signals) [SI, NaN = missing], `age_s` (units, signals) [s, inf = never], `quality`.

    `units` are roster codes (rows), `signals` codes into `signals.SIGNALS` (columns).
    """

    time_ns: int
    units: Codes
    signals: tuple[int, ...]
    value: Floats
    age_s: Floats
    quality: NDArray[np.uint8]

    def __post_init__(self) -> None:
        for array in (self.units, self.value, self.age_s, self.quality):
            _frozen(array)

    def column(self, signal: int) -> Floats:
        """Values of one signal over all units [SI]."""
        return self.value[:, self.signals.index(signal)]


@dataclass(frozen=True, slots=True)
class Estimate:
    """State estimate: `mean` (units, states), `cov` (units, states, states), `innovation` (units, channels) [sigma].

    `known` (units, states): measurements have made it surer than the drawing of the pot; what is not known is not
    shown. `time_ns`: end of the minute that it tells of.
    """

    units: Codes
    states: tuple[str, ...]
    mean: Floats
    cov: Floats
    innovation: Floats
    known: NDArray[np.bool_] | None = None
    time_ns: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """A fault began or ended at a unit. The only per-item object: events are rare."""

    time_ns: int
    unit: int
    code: str
    began: bool
    severity: str
    value: float
    limit: float
    evidence: str = ""  # of what a model says: the likely cause


@dataclass(frozen=True, slots=True)
class WindowFigures:
    """KPIs of one line with its pots and sections, or of one site, over one accounting window.

    `units` roster codes (rows,), the line or the site first; `kpis` KPI name -> values (rows,) [rim unit of the KPI],
    `u` their standard uncertainties. Written to the store under (unit, KPI and window, start_ns): figures that change
    are written again.
    """

    window: str
    start_ns: int
    end_ns: int
    open: bool
    units: Codes
    kpis: dict[str, Floats]
    u: dict[str, Floats]


@dataclass(frozen=True, slots=True)
class Report:
    """One tick of the twin.

    `pots` and `lines` are frames; `figures` the windows that changed; `grades` verdicts of the plan (`plan.Grade`);
    `active` (units, faults) which faults of `faults.FAULTS` are active; `estimate` of the last minute that is over,
    None where no state is estimated; `scores` (units,) of `catalogue.SCORES` by roster code, of the last minute that
    models have judged, empty without models. `minutes`: the `features.Minute`s that ended in this step.
    """

    time_ns: int
    pots: Frame
    lines: Frame
    figures: tuple[WindowFigures, ...]
    grades: tuple[object, ...]
    events: tuple[Event, ...]
    active: NDArray[np.bool_]
    estimate: Estimate | None = None
    scores: dict[str, Floats] = field(default_factory=dict)
    minutes: tuple[object, ...] = ()
