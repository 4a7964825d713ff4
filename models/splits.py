"""Splits for judging a model on what it has not seen: other groups at other times.

Rows of one group resemble each other, and so do rows of one time (one line current, one weather). A split that shares
either between training and test tells a model the answer. Here a test part is some groups in some blocks of time; its
training part is the other groups in the other blocks, less a gap on each side as long as the features look back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.errors import ModelError
from models.matrix import Flags, Ints, Matrix

__all__ = ["Split", "grouped_splits"]

DAY_NS = 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers, ascending; `name` says which groups and blocks are tested."""

    name: str
    train: Ints
    test: Ints


def grouped_splits(
    matrix: Matrix,
    *,
    group_folds: int = 3,
    block_folds: int = 2,
    block_ns: int = DAY_NS,
    gap_ns: int = 0,
    seed: int = 0,
) -> list[Split]:
    """`group_folds` x `block_folds` splits whose test parts hold each row once; `block_folds` 1 shares the times.

    block_ns [ns] is the length of the blocks of time that are dealt out to the folds; training rows within `gap_ns`
    [ns] of a tested block are left out. Raises ModelError when there are fewer groups or blocks than folds, or when a
    training part is empty.
    """
    if group_folds < 1 or block_folds < 1 or group_folds * block_folds < 2 or block_ns < 1 or gap_ns < 0:
        raise ModelError(
            "splits need 2 or more folds of groups or of blocks, blocks longer than 0, and no negative gap"
        )
    chance = np.random.default_rng(seed)
    group_fold = _deal(matrix.group, group_folds, chance, "groups")
    block = matrix.time_ns // block_ns
    block_fold = _deal(block, block_folds, chance, f"blocks of {block_ns / DAY_NS:g} days")
    splits = []
    for blocks in range(block_folds):
        tested = block_fold == blocks
        apart = _apart(matrix.time_ns, np.unique(block[tested]), block_ns, gap_ns) if block_folds > 1 else None
        for groups in range(group_folds):
            mine = group_fold == groups
            train = ~mine if group_folds > 1 else np.ones(len(matrix), bool)
            train = train & apart if apart is not None else train
            name = f"groups {groups + 1} of {group_folds}, times {blocks + 1} of {block_folds}"
            splits.append(Split(name, _numbers(train), _numbers(mine & tested)))
    empty = [split.name for split in splits if not len(split.train)]
    if empty:
        raise ModelError(
            f"nothing is left to train on for {empty[0]}; take shorter blocks, a smaller gap or less folds"
        )
    return [split for split in splits if len(split.test)]


def check_splits(matrix: Matrix, splits: Sequence[Split]) -> None:
    """Raises ModelError when a split trains on a row that it tests."""
    for split in splits:
        if np.intersect1d(split.train, split.test).size:
            raise ModelError(f"split {split.name} trains on rows that it tests; use models.splits.grouped_splits")
        if len(split.test) and split.test.max() >= len(matrix):
            raise ModelError(f"split {split.name} is of another matrix: it tests row {split.test.max()}")


def _numbers(mask: Flags) -> Ints:
    return np.flatnonzero(mask).astype(np.int64)


def _deal(keys: Ints, folds: int, chance: np.random.Generator, what: str) -> Ints:
    """The fold of each row; every key goes to one fold, folds are as even as can be."""
    names, place = np.unique(keys, return_inverse=True)
    if len(names) < folds:
        raise ModelError(f"{folds} folds need {folds} {what} or more, the data has {len(names)}")
    fold: Ints = (chance.permutation(len(names)) % folds)[place.reshape(-1)]
    return fold


def _apart(time_ns: Ints, tested: Ints, block_ns: int, gap_ns: int) -> Flags:
    """Rows outside the tested blocks and not within the gap of one."""
    begins, ends = tested * block_ns, (tested + 1) * block_ns
    before = np.searchsorted(begins, time_ns, "right") - 1  # the last block that begins before the row
    inside = (before >= 0) & (time_ns < ends[np.maximum(before, 0)] + gap_ns)
    after = np.minimum(before + 1, len(tested) - 1)
    soon = (begins[after] > time_ns) & (begins[after] - gap_ns <= time_ns)
    apart: Flags = ~(inside | soon)
    return apart
