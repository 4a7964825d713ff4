"""Voltage as a measurement: what the estimated pot would show, and how that bends with each state.

V(C) is steep and curved on the lean side, flat near its minimum and rises again on the rich side. A tangent at the
mean is wrong where the belief is wide, so alumina is taken at three points (the mean, and 1.7 standard deviations
either side: Gauss-Hermite), which gives the mean of V over the belief, its statistical slope, and what the straight
line leaves over. Near the minimum the slope is nothing and what is left over grows: the measurement then tells nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.estimator.design import Design
from twin.estimator.states import ALF3, ALUMINA, DISTANCE, FRESH, ONSET, TEMPERATURE, VOLTAGE
from twin.frames import Floats
from twin.physics.bubbles import bubble_thickness
from twin.physics.voltage import PotVoltage, pot_voltage

__all__ = ["FANNING", "Shown", "shown"]

REACH, OUTER = 3.0**0.5, 1.0 / 6.0  # Gauss-Hermite's three points: how far out, and the weight of the outer ones
LEAST_SPREAD, LARGEST_SPREAD = 0.03, 0.6  # wt%
MARGIN = 0.03  # wt% above the onset, below which the equation has no meaning
FANNING = 1.1382  # page 2
LEAST_GAP = 2e-3  # m of bath below the bubbles


@dataclass(frozen=True, slots=True)
class Shown:
    """Expected voltage [V], its slopes by state, and the variance [V2] that the straight line leaves; (pots,)."""

    voltage: Floats
    slopes: dict[int, Floats]
    bend: Floats


def shown(design: Design, mean: Floats, cov: Floats, current: Floats) -> Shown:
    """The voltage that pots believed to be like this would show at this current [A]."""
    onset, centre = mean[ONSET], mean[ALUMINA]
    spread = np.clip(np.sqrt(cov[ALUMINA, ALUMINA]), LEAST_SPREAD, LARGEST_SPREAD)

    def at(alumina: Floats, warmer: float = 0.0, more: float = 0.0) -> PotVoltage[Floats]:
        return pot_voltage(
            current, mean[TEMPERATURE] + warmer, np.maximum(alumina, onset + MARGIN), mean[ALF3] + more,
            design.caf2, design.mgf2, design.lif, mean[DISTANCE], anode_area=design.anode_area, anodes=design.anodes,
            cathode_area=design.cathode_area, r_anode=design.r_anode, r_cathode=design.r_cathode,
            r_external=design.r_external, alumina_ae=onset, fanning=FANNING,
        )  # fmt: skip

    lean, middle, rich = at(centre - REACH * spread), at(centre), at(centre + REACH * spread)
    low, mid, high = lean.total, middle.total, rich.total
    voltage = OUTER * (low + high) + (1.0 - 2.0 * OUTER) * mid
    by_alumina = (high - low) / (2.0 * REACH * spread)
    below, above, over = low - voltage, high - voltage, mid - voltage
    square = OUTER * (below * below + above * above) + (1.0 - 2.0 * OUTER) * over * over
    straight = by_alumina * spread
    load = current / design.rated_current
    layer: Floats = bubble_thickness(current / (FANNING * design.anode_area))
    slopes = {
        ALUMINA: by_alumina,
        TEMPERATURE: at(centre, warmer=1.0).total - mid,
        ALF3: (at(centre, more=0.1).total - mid) * 10.0,
        DISTANCE: middle.bath / np.maximum(mean[DISTANCE] - layer, LEAST_GAP),
        ONSET: (lean.bubbles - rich.bubbles) / (2.0 * REACH * spread),
        VOLTAGE: load,
        FRESH: load,
    }
    expected = voltage + load * (mean[VOLTAGE] + mean[FRESH])
    return Shown(expected, slopes, np.maximum(square - straight * straight, 0.0))
