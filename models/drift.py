"""Drift of inputs: whether the columns still look like those that a model was trained on.

Per column the population stability index, PSI = sum (q - p) ln(q / p) over bins that held equal shares p of the
training rows (Siddiqi, Credit Risk Scorecards, 2006: above 0.25 the population has changed), and the share of missing
values. Counts are kept in a ring of time slots, so that memory does not grow and old rows leave.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.errors import ModelError
from models.matrix import Flags, Floats, Ints, Matrix

__all__ = ["Drift", "DriftState", "Reference", "drift", "refer", "start", "watch"]

PSI_LIMIT = 0.25
MISSING_LIMIT = 0.2  # more than in training, as a share of the rows
FEWEST_ROWS = 200
EMPTY = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Reference:
    """Training data in few numbers. edges (columns, bins - 1) ascending, inf where there are less bins; share (columns,
    bins) of the known values; missing (columns,) share of the rows; rows."""

    columns: tuple[str, ...]
    edges: Floats
    share: Floats
    missing: Floats
    rows: int


@dataclass(frozen=True, slots=True)
class DriftState:
    """Counts of the newest rows. slot (slots,) number of the time slot, EMPTY = none yet; counts (slots, columns,
    bins + 1), the last bin holds missing values. slot_ns [ns] is the length of a slot."""

    slot_ns: int
    slot: Ints
    counts: Ints


@dataclass(frozen=True, slots=True)
class Drift:
    """What the window says, per column: psi (columns,), NaN with less than 200 known values; missing and
    missing_before (columns,) shares of rows; drifted (columns,); rows of the window."""

    columns: tuple[str, ...]
    psi: Floats
    missing: Floats
    missing_before: Floats
    drifted: Flags
    rows: int


def refer(matrix: Matrix, bins: int = 10) -> Reference:
    """The reference of training rows. Raises ModelError when there are less than 200."""
    if len(matrix) < FEWEST_ROWS or bins < 2:
        raise ModelError(f"{len(matrix)} rows, {bins} bins: drift needs {FEWEST_ROWS} training rows and 2 bins or more")
    edges = np.full((len(matrix.columns), bins - 1), np.inf)
    for place in range(len(matrix.columns)):
        known = matrix.values[:, place]
        known = known[np.isfinite(known)]
        if len(known):
            found = np.unique(np.quantile(known, np.arange(1, bins) / bins))
            if len(found) == 1:  # below, the same, above
                found = np.array([np.nextafter(found[0], -np.inf), found[0]])[: bins - 1]
            edges[place, : len(found)] = found
    counts = _count(matrix.values, edges, np.zeros(len(matrix), np.int64), 1)[0]
    known_rows = np.maximum(counts[:, :-1].sum(axis=1, keepdims=True), 1)
    return Reference(matrix.columns, edges, counts[:, :-1] / known_rows, counts[:, -1] / len(matrix), len(matrix))


def start(reference: Reference, slot_ns: int = 3_600_000_000_000, slots: int = 24) -> DriftState:
    """An empty window of `slots` slots of `slot_ns` [ns]."""
    if slot_ns < 1 or slots < 1:
        raise ModelError(f"a window of {slots} slots of {slot_ns} ns; both must be 1 or more")
    columns, bins = reference.share.shape
    return DriftState(slot_ns, np.full(slots, EMPTY, np.int64), np.zeros((slots, columns, bins + 1), np.int64))


def watch(reference: Reference, state: DriftState, matrix: Matrix) -> DriftState:
    """The window with more rows in it; rows older than the window are not counted. Any order, any batches."""
    values = matrix.choose(reference.columns).values
    if not len(values):
        return state
    slots = len(state.slot)
    slot = matrix.time_ns // state.slot_ns
    newest = max(int(slot.max()), int(state.slot.max()))
    rows = slot > newest - slots
    mine = np.arange(newest - slots + 1, newest + 1)
    wanted = np.zeros(slots, np.int64)
    wanted[mine % slots] = mine
    counts = np.where((state.slot == wanted)[:, None, None], state.counts, 0)
    counts = counts + _count(values[rows], reference.edges, slot[rows] % slots, slots)
    return replace(state, slot=wanted, counts=counts)


def drift(reference: Reference, state: DriftState) -> Drift:
    """How the rows of the window differ from the reference."""
    counts = state.counts.sum(axis=0)
    rows = counts.sum(axis=1)
    known = counts[:, :-1].sum(axis=1)
    used = np.isfinite(reference.edges).sum(axis=1) + 1
    place = np.arange(reference.share.shape[1])
    there = place < used[:, None]
    # half a row more in each bin: a bin that happens to be empty is not an infinite change
    now = (counts[:, :-1] + 0.5) / (known + 0.5 * used)[:, None]
    before = (reference.share * reference.rows + 0.5) / (reference.rows + 0.5 * used)[:, None]
    psi = np.where(there, (now - before) * np.log(now / before), 0.0).sum(axis=1)
    psi = np.where(known >= FEWEST_ROWS, psi, np.nan)
    missing = np.where(rows > 0, counts[:, -1] / np.maximum(rows, 1), np.nan)
    more = (rows >= FEWEST_ROWS) & (missing - reference.missing > MISSING_LIMIT)
    drifted = more | (np.nan_to_num(psi) > PSI_LIMIT)
    return Drift(reference.columns, psi, missing, reference.missing, drifted, int(rows.max(initial=0)))


def _count(values: Floats, edges: Floats, slot: Ints, slots: int) -> Ints:
    """Rows by slot, column and bin (slots, columns, bins + 1), missing ones in the last bin."""
    columns, bins = edges.shape[0], edges.shape[1] + 1
    counts = np.zeros((slots, columns, bins + 1), np.int64)
    for place in range(columns):
        column = values[:, place]
        found = np.where(np.isnan(column), bins, np.searchsorted(edges[place], column))
        counts[:, place] = np.bincount(slot * (bins + 1) + found, minlength=slots * (bins + 1)).reshape(slots, -1)
    return counts
