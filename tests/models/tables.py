"""Tables with known properties: correlated columns, groups, and parallel branches with one that fails."""

import numpy as np

from models.matrix import Floats, Ints, Matrix

__all__ = ["ANODES", "MINUTE", "branches", "table"]

MINUTE = 60_000_000_000
ANODES = ("anode_current_max_ka", "anode_current_min_ka", "anode_current_spread_pct")


def _place(groups: int, rows: int, first: int) -> tuple[Ints, Ints]:
    return np.tile((first + np.arange(rows)) * MINUTE, groups), np.repeat(np.arange(groups), rows)


def table(groups: int, rows: int, seed: int, *, first: int = 0, columns: int = 8, offset: float = 0.0) -> Matrix:
    """Columns of unit variance that follow two hidden ones, 0.3 of noise; the first three have the names of anode
    columns and are of the same kind. `offset`: how far groups differ for good. Minute rows from `first` on."""
    chance = np.random.default_rng(seed)
    mix = np.random.default_rng(5).normal(size=(2, columns))
    mix /= np.linalg.norm(mix, axis=0)
    hidden = chance.normal(size=(groups * rows, 2))
    values = 0.95 * hidden @ mix + 0.3 * chance.normal(size=(groups * rows, columns))
    levels = offset * np.random.default_rng(11).normal(size=(groups, columns))
    time_ns, group = _place(groups, rows, first)
    names = (*ANODES, *(f"c{number}" for number in range(3, columns)))
    return Matrix(names, values + levels[group], time_ns, group)


def branches(groups: int, rows: int, seed: int, *, first: int = 0, factor: Floats | None = None, slip: float = 1.0,
             since: int = 0) -> Matrix:  # fmt: skip
    """Largest, smallest and relative spread of the currents of 20 branches of 10 kA each, 2 % of noise; from row
    `since` on one branch carries `slip` times its share. factor (rows,) on all branches."""
    chance = np.random.default_rng(seed)
    own = 0.05 * np.random.default_rng(12).normal(size=(groups, 1, 20))
    current = 10.0 * (1.0 + own + 0.02 * chance.normal(size=(groups, rows, 20)))
    if factor is not None:
        current *= factor[:, None]
    current[:, since:, 7] *= slip
    flat = current.reshape(-1, 20)
    values = np.stack([flat.max(axis=1), flat.min(axis=1), 100.0 * flat.std(axis=1) / flat.mean(axis=1)], axis=1)
    time_ns, group = _place(groups, rows, first)
    return Matrix(ANODES, values, time_ns, group)
