"""What the estimator tells: its states and what follows from them, with what is not known yet left out.

A figure counts as known once measurements made it so much surer than the drawing of the pot alone; until then it is
only what the plant file said, and showing it would be a lie.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.estimator.belief import Belief
from twin.estimator.design import LINE_EFFICIENCY, Design
from twin.estimator.model import dewing, melting
from twin.estimator.states import ALF3, ALUMINA, EFFICIENCY, LIQUIDUS, STATES, TEMPERATURE
from twin.frames import Codes, Estimate, Floats, Ints

__all__ = ["OUTPUTS", "LineEfficiency", "Output", "derive", "known", "line_efficiency", "told"]

DEWING_BY_SUPERHEAT, DEWING_BY_ALF3 = -0.0095 * np.log(10.0), 0.019 * np.log(10.0)  # of the loss


class Output(NamedTuple):
    """One row: `surer` is the share of the prior's standard deviation below which the figure is known."""

    name: str
    unit: str
    surer: float
    help: str


SURER = {"alumina_wt_pct": 0.6, "temperature_k": 0.8, "excess_alf3_wt_pct": 0.8, "metal_kg": 0.8, "fresh_anodes_v": 2.0}
OUTPUTS: tuple[Output, ...] = (
    *(Output(state.name, state.unit, SURER.get(state.name, 0.9), state.help) for state in STATES),
    Output("superheat_k", "K", 0.4, "Bath temperature less liquidus."),
    Output("efficiency", "1", 0.5, "Current efficiency: Dewing's with the pot's own offset, pooled over its line."),
)
SUPERHEAT, CURRENT_EFFICIENCY = len(STATES), len(STATES) + 1


class LineEfficiency(NamedTuple):
    """Offset from Dewing's efficiency [1], mean and standard deviation of a line, and of each of its pots (pots,)."""

    mean: float
    sd: float
    pot_mean: Floats
    pot_sd: Floats


def line_efficiency(design: Design, belief: Belief) -> LineEfficiency:
    """What the pots of one line say together of their efficiency; `design` and `belief` hold its pots only.

    One pot's metal tells of a point of efficiency only in weeks; hundreds of pots together tell it in days. What each
    pot's measurements say beyond its prior is weighed for the line's mean, and that is the new prior of each pot.
    """
    prior, wide = design.mean[EFFICIENCY], np.square(design.sd[EFFICIENCY])
    between = np.square(design.pot_efficiency)
    variance = np.minimum(belief.cov[EFFICIENCY, EFFICIENCY], wide * (1.0 - 1e-9))
    told_by_pot = 1.0 / variance - 1.0 / wide  # precision of the measurements alone
    says = (belief.mean[EFFICIENCY] / variance - prior / wide) / told_by_pot
    weight = 1.0 / (1.0 / told_by_pot + between)
    precision = 1.0 / LINE_EFFICIENCY**2 + float(weight.sum())
    mean = (float(prior.mean()) / LINE_EFFICIENCY**2 + float((weight * says).sum())) / precision
    pot_precision = told_by_pot + 1.0 / between
    pot_mean = (told_by_pot * says + mean / between) / pot_precision
    share = 1.0 / (between * pot_precision)  # of the line's own uncertainty
    return LineEfficiency(mean, precision**-0.5, pot_mean, np.sqrt(1.0 / pot_precision + share * share / precision))


def derive(design: Design, belief: Belief, offset: tuple[Floats, Floats] | None = None) -> tuple[Floats, Floats]:
    """Means (outputs, pots) and covariances (outputs, outputs, pots) of OUTPUTS.

    `offset`: mean and standard deviation of the pooled efficiency offset of each pot, in place of the pot's own.
    """
    states, pots = belief.mean.shape
    mean, cov = np.empty((len(OUTPUTS), pots)), np.empty((len(OUTPUTS), len(OUTPUTS), pots))
    mean[:states], cov[:states, :states] = belief.mean, belief.cov
    if offset is not None:
        shrink = offset[1] / np.sqrt(belief.cov[EFFICIENCY, EFFICIENCY])
        mean[EFFICIENCY] = offset[0]
        cov[EFFICIENCY, :states] *= shrink
        cov[:states, EFFICIENCY] *= shrink
    melt = melting(design, belief.mean)
    quiet = dewing(design, belief.mean, melt)
    mean[SUPERHEAT] = belief.mean[TEMPERATURE] - melt.liquidus
    mean[CURRENT_EFFICIENCY] = quiet + mean[EFFICIENCY]
    one, loss = np.ones(pots), 1.0 - quiet
    by_superheat = {TEMPERATURE: one, LIQUIDUS: -one, ALUMINA: -melt.by_alumina, ALF3: -melt.by_alf3}
    by_efficiency = {n: DEWING_BY_SUPERHEAT * loss * slope for n, slope in by_superheat.items()}
    by_efficiency[ALF3] = by_efficiency[ALF3] + DEWING_BY_ALF3 * loss
    by_efficiency[EFFICIENCY] = one
    for row, slopes in ((SUPERHEAT, by_superheat), (CURRENT_EFFICIENCY, by_efficiency)):
        cov[row, :row] = sum(slope * cov[n, :row] for n, slope in slopes.items())
        cov[:row, row] = cov[row, :row]
        cov[row, row] = sum(slope * cov[row, n] for n, slope in slopes.items())
    return mean, cov


def known(design: Design, cov: Floats) -> NDArray[np.bool_]:
    """Which outputs (pots, outputs) measurements have made known; `cov` (outputs, outputs, pots) of `derive`."""
    _, prior = derive(design, Belief.prior(design))
    place = np.arange(len(OUTPUTS))
    surer = np.array([output.surer for output in OUTPUTS])[:, None]
    result: NDArray[np.bool_] = (cov[place, place] < np.square(surer) * prior[place, place]).T
    return result


def told(design: Design, belief: Belief, units: Codes, line_of: Ints) -> tuple[Estimate, NDArray[np.bool_]]:
    """The estimate of all pots, pooled by line, and which of its figures (pots, outputs) are known.

    `units` roster codes of the pots; `line_of` (pots,) any number that is the same for the pots of one line.
    """
    pooled_mean, pooled_sd = np.empty(len(design)), np.empty(len(design))
    for line in np.unique(line_of):
        pots = np.flatnonzero(line_of == line)
        found = line_efficiency(design.take(pots), belief.take(pots))
        pooled_mean[pots], pooled_sd[pots] = found.pot_mean, found.pot_sd
    mean, cov = derive(design, belief, (pooled_mean, pooled_sd))
    names = tuple(output.name for output in OUTPUTS)
    estimate = Estimate(units, names, mean.T, np.moveaxis(cov, 2, 0), belief.innovation.T)
    return estimate, known(design, cov)
