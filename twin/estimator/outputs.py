"""What the estimator tells: its states and what follows from them, with what is not known yet left out.

A figure counts as known once measurements made it so much surer than the drawing of the pot alone; until then it is
only what the plant file said, and showing it would be a lie.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.estimator.belief import Belief
from twin.estimator.design import Design
from twin.estimator.model import dewing, melting
from twin.estimator.pooling import Pooled, believed, efficiency_offset, line_efficiency, pool
from twin.estimator.states import ALF3, ALUMINA, CAVITY, EFFICIENCY, LIQUIDUS, METAL, POOLED, STATES, TEMPERATURE
from twin.frames import Codes, Estimate, Floats, Ints

__all__ = ["OUTPUTS", "Output", "derive", "drawn", "efficiency_offset", "known", "line_efficiency", "told"]

DEWING_BY_SUPERHEAT, DEWING_BY_ALF3 = -0.0095 * np.log(10.0), 0.019 * np.log(10.0)  # of the loss
# What no state stands for, one standard deviation: the shape of V(C), the shape of the ledge, and what metal waves and
# work at the pot do to efficiency for hours. It is in the pot, not in the measurements, so it goes into what is told.
UNSEEN = {"alumina_wt_pct": 0.058, "superheat_k": 0.3, "ledge_m": 0.007, "efficiency": 0.0015}


class Output(NamedTuple):
    """One row: `surer` is the share of the prior's standard deviation below which the figure is known."""

    name: str
    unit: str
    surer: float
    help: str


SURER = {"alumina_wt_pct": 0.6, "temperature_k": 0.8, "excess_alf3_wt_pct": 0.8, "fresh_anodes_v": 2.0}
OUTPUTS: tuple[Output, ...] = (
    *(Output(state.name, state.unit, SURER.get(state.name, 0.9), state.help) for state in STATES),
    Output("superheat_k", "K", 0.4, "Bath temperature less liquidus."),
    Output("efficiency", "1", 0.8, "Current efficiency: Dewing's with the pot's own offset, pooled over its line."),
    Output("metal_kg", "kg", 0.5, "Metal in the pot."),
)
SUPERHEAT, CURRENT_EFFICIENCY, METAL_MASS = range(len(STATES), len(OUTPUTS))


def derive(design: Design, belief: Belief) -> tuple[Floats, Floats]:
    """Means (outputs, pots) and covariances (outputs, outputs, pots) of OUTPUTS."""
    states, pots = belief.mean.shape
    mean, cov = np.empty((len(OUTPUTS), pots)), np.empty((len(OUTPUTS), len(OUTPUTS), pots))
    mean[:states], cov[:states, :states] = belief.mean, belief.cov
    melt = melting(design, belief.mean)
    quiet = dewing(design, belief.mean, melt)
    mean[SUPERHEAT] = belief.mean[TEMPERATURE] - melt.liquidus
    mean[CURRENT_EFFICIENCY] = quiet + mean[EFFICIENCY]
    one, loss = np.ones(pots), 1.0 - quiet
    by_superheat = {TEMPERATURE: one, LIQUIDUS: -one, ALUMINA: -melt.by_alumina, ALF3: -melt.by_alf3}
    by_efficiency = {n: DEWING_BY_SUPERHEAT * loss * slope for n, slope in by_superheat.items()}
    by_efficiency[ALF3] = by_efficiency[ALF3] + DEWING_BY_ALF3 * loss
    by_efficiency[EFFICIENCY] = one
    pad = 1.0 + belief.mean[CAVITY]
    mean[METAL_MASS] = belief.mean[METAL] * pad
    by_metal = {METAL: pad, CAVITY: belief.mean[METAL]}
    rows = ((SUPERHEAT, by_superheat), (CURRENT_EFFICIENCY, by_efficiency), (METAL_MASS, by_metal))
    for row, slopes in rows:
        cov[row, :row] = sum(slope * cov[n, :row] for n, slope in slopes.items())
        cov[:row, row] = cov[row, :row]
        cov[row, row] = sum(slope * cov[row, n] for n, slope in slopes.items())
    for row, output in enumerate(OUTPUTS):
        cov[row, row] += UNSEEN.get(output.name, 0.0) ** 2
    return mean, cov


def drawn(design: Design) -> Floats:
    """Variance of every output (outputs, pots) as the plant file alone gives it."""
    _, cov = derive(design, Belief.prior(design))
    place = np.arange(len(OUTPUTS))
    return cov[place, place]


def known(design: Design, cov: Floats, pooled: Pooled, prior: Floats) -> NDArray[np.bool_]:
    """Which outputs (pots, outputs) measurements have made known: `cov` (outputs, outputs, pots) of `derive`, against
    the variances `prior` of `drawn`."""
    place = np.arange(len(OUTPUTS))
    surer = np.array([output.surer for output in OUTPUTS])[:, None]
    result: NDArray[np.bool_] = (cov[place, place] < np.square(surer) * prior).T
    result[:, CURRENT_EFFICIENCY] = _level_known(design, pooled)
    return result


def _level_known(design: Design, pooled: Pooled) -> NDArray[np.bool_]:
    """Where metal rather than the plant file sets the level of efficiency (pots,).

    What is the pot's own stays open for weeks and is in the uncertainty; it is small beside the line's level.
    """
    n = POOLED.index(EFFICIENCY)
    prior = np.square(design.sd[EFFICIENCY]) - np.square(design.own[n])
    result: NDArray[np.bool_] = pooled.common[:, n, n] < np.square(OUTPUTS[CURRENT_EFFICIENCY].surer) * prior
    return result


def told(
    design: Design, belief: Belief, units: Codes, line_of: Ints, prior: Floats
) -> tuple[Estimate, NDArray[np.bool_]]:
    """The estimate of all pots, pooled by line, and which of its figures (pots, outputs) are known.

    `units` roster codes of the pots; `line_of` (pots,) any number that is the same for the pots of one line;
    `prior` of `drawn`.
    """
    pooled = pool(design, belief, line_of)
    mean, cov = derive(design, believed(belief, pooled))
    names = tuple(output.name for output in OUTPUTS)
    estimate = Estimate(units, names, mean.T, np.moveaxis(cov, 2, 0), belief.innovation.T)
    return estimate, known(design, cov, pooled, prior)
