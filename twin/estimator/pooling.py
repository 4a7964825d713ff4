"""What the pots of a line say together of what they have in common.

One pot's metal tells of a point of current efficiency only in weeks, and of the area of its metal pad little more;
hundreds of pots together tell both in days. An offset that is pooled is the line's (one draw for all its pots) plus
the pot's own, and the plant file gives a variance to each part. What a pot's measurements say beyond its prior is kept
as a precision L and a precision times mean h, never as a covariance: of a pot that measured nothing both are zero.

    own part N(0, O), the line's N(0, C)
    line: precision C^-1 + sum L (1 + O L)^-1, times mean sum (1 + L O)^-1 h
    pot:  precision O^-1 + L, mean (O^-1 + L)^-1 (O^-1 line + h)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from twin.estimator.belief import Belief
from twin.estimator.design import Design
from twin.estimator.states import CAVITY, EFFICIENCY, METAL, METALLIC, POOLED
from twin.frames import Floats, Ints

__all__ = ["LineEfficiency", "Pooled", "believed", "efficiency_offset", "line_efficiency", "pool"]

PLACE = np.array(POOLED)
FIRST, PAD = POOLED.index(EFFICIENCY), POOLED.index(CAVITY)
DRAWN_METAL = 0.10  # of the metal in the plant file: how far off it may be for a line


@dataclass(frozen=True, slots=True)
class Pooled:
    """Pooled offsets in the order of POOLED; pots and lines first.

    mean (pots, k), own and common (pots, k, k): covariance of the part of each pot's error that is its own, and of the
    part that all pots of its line share. line_mean (lines, k), line_cov (lines, k, k): the line's, beyond the design's.
    """

    mean: Floats
    own: Floats
    common: Floats
    line_mean: Floats
    line_cov: Floats


class LineEfficiency(NamedTuple):
    """Offset from Dewing's efficiency [1], mean and standard deviation of a line, and of each of its pots (pots,)."""

    mean: float
    sd: float
    pot_mean: Floats
    pot_sd: Floats


def pool(design: Design, belief: Belief, line_of: Ints) -> Pooled:
    """Pool all pots by line; `line_of` (pots,) any number that is the same for the pots of one line."""
    prior_mean = design.mean[PLACE].T
    prior_var, own_var = np.square(design.sd[PLACE]).T, np.square(design.own).T
    cov = np.moveaxis(belief.cov[np.ix_(PLACE, PLACE)], -1, 0)
    says, pull = _said(belief.mean[PLACE].T - prior_mean, cov, prior_var)
    one, own = np.eye(len(PLACE)), own_var[:, :, None] * np.eye(len(PLACE))
    damped = np.linalg.inv(one + says @ own)  # (1 + L O)^-1
    lines, index = np.unique(line_of, return_inverse=True)
    count = np.bincount(index, minlength=len(lines))[:, None]
    precision, push = np.zeros((len(lines), *one.shape)), np.zeros((len(lines), len(PLACE)))
    np.add.at(precision, index, damped @ says)
    np.add.at(push, index, (damped @ pull[:, :, None])[:, :, 0])
    shared = np.zeros_like(push)
    np.add.at(shared, index, prior_var - own_var)
    precision = 0.5 * (precision + precision.swapaxes(1, 2)) + (count / shared)[:, :, None] * one
    sure, area = _drawn(design, belief, index, count[:, 0])
    precision[:, PAD, PAD] += sure
    push[:, PAD] += sure * area
    line_cov = np.asarray(np.linalg.inv(precision), np.float64)
    line_mean = (line_cov @ push[:, :, None])[:, :, 0]
    pot_own = own @ damped  # (O^-1 + L)^-1
    share = np.linalg.inv(one + own @ says)  # how much of the line's offset each pot takes over
    mean = (pot_own @ pull[:, :, None] + share @ line_mean[index][:, :, None])[:, :, 0]
    common = share @ line_cov[index] @ share.swapaxes(1, 2)
    return Pooled(prior_mean + mean, 0.5 * (pot_own + pot_own.swapaxes(1, 2)), common, line_mean, line_cov)


def _drawn(design: Design, belief: Belief, index: Ints, count: Ints) -> tuple[Floats, Floats]:
    """What the metal in the plant file says of a line's pads, given the levels: precision and cavity, each (lines,).

    A mass that is off is off for all pots of a line alike: it is one measurement, however many pots there are.
    """
    shown = belief.mean[METAL]
    cavity = np.bincount(index, design.mean[METAL] / shown - 1.0) / count
    unsure = np.bincount(index, belief.cov[METAL, METAL] / np.square(shown)) / count
    return 1.0 / (DRAWN_METAL**2 + unsure), cavity


def _said(mean: Floats, cov: Floats, prior_var: Floats) -> tuple[Floats, Floats]:
    """Precision (pots, k, k) of what was measured, and that times its mean (pots, k), both relative to the prior.

    P^-1 - P0^-1 as P^-1 (P0 - P) P0^-1: the difference of two nearly equal inverses would be all rounding.
    """
    inverse = np.linalg.inv(cov)
    prior = prior_var[:, :, None] * np.eye(prior_var.shape[1])
    says = inverse @ (prior - cov) / prior_var[:, None, :]
    return 0.5 * (says + says.swapaxes(1, 2)), (inverse @ mean[:, :, None])[:, :, 0]


def believed(belief: Belief, pooled: Pooled) -> Belief:
    """The belief with the pooled offsets in place of each pot's own, and what follows for the pot's metal."""
    mean, cov = belief.mean.copy(), belief.cov.copy()
    before = np.moveaxis(belief.cov[np.ix_(PLACE, PLACE)], -1, 0)
    cross = np.moveaxis(belief.cov[METALLIC][:, PLACE], -1, 0)
    gain = cross @ np.linalg.inv(before)
    mean[METALLIC] += (gain @ (pooled.mean - belief.mean[PLACE].T)[:, :, None])[:, :, 0].T
    change = gain @ (pooled.own + pooled.common - before) @ gain.swapaxes(1, 2)
    cov[METALLIC, METALLIC] += np.moveaxis(0.5 * (change + change.swapaxes(1, 2)), 0, -1)
    return Belief(mean, cov, belief.trend, belief.innovation)


def efficiency_offset(design: Design, belief: Belief, line_of: Ints) -> tuple[Floats, Floats, Floats]:
    """Offset from Dewing's efficiency [1] of every pot: mean, and standard deviations common to its line and its own.

    Each (pots,). The own parts of a line's pots are independent of each other; in a mean over n pots they shrink with
    the root of n, the common part does not shrink at all.
    """
    pooled = pool(design, belief, line_of)
    common, own = pooled.common[:, FIRST, FIRST], pooled.own[:, FIRST, FIRST]
    return pooled.mean[:, FIRST], np.sqrt(common), np.sqrt(own)


def line_efficiency(design: Design, belief: Belief) -> LineEfficiency:
    """The efficiency of one line; `design` and `belief` hold its pots only."""
    pooled = pool(design, belief, np.zeros(len(design), np.int64))
    prior = float(design.mean[EFFICIENCY].mean())
    sd = np.sqrt(pooled.own[:, FIRST, FIRST] + pooled.common[:, FIRST, FIRST])
    line_sd = float(np.sqrt(pooled.line_cov[0, FIRST, FIRST]))
    return LineEfficiency(prior + float(pooled.line_mean[0, FIRST]), line_sd, pooled.mean[:, FIRST], sd)
