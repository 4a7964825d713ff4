"""Everything else that is measured: slow instruments each few minutes, samples by hand and from the laboratory.

Each is a scalar measurement: what the belief expects and how that bends with the states. Instruments that hang on the
wall for years have offsets of their own among the states; a jump of such an instrument is a jump of its offset.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from twin.estimator.design import AMBIENT, METAL_DENSITY, Design
from twin.estimator.gaussian import update
from twin.estimator.model import LEDGE_CONDUCTIVITY, melting
from twin.estimator.states import (
    ALF3,
    ALUMINA,
    BATH,
    BATH_AREA,
    ELECTRIC,
    LEDGE,
    LIQUIDUS,
    METAL,
    METALLIC,
    ONSET,
    TEMPERATURE,
    THERMAL,
    THERMOCOUPLE,
    WALL,
)
from twin.frames import Floats
from twin.physics.heat import side_resistance

__all__ = ["SAMPLES", "Kind", "onset", "thermocouple", "wall", "weigh"]

Slopes = dict[int, Floats]
GATE = 4.0  # sigmas
SAMPLE_GATE = 5.0
# Noise of a reading, K, the thermocouple's every ten minutes and the wall's every hour: errors of the model last for
# hours, so it is above the instrument's own.
THERMOCOUPLE_NOISE, WALL_NOISE = 0.5, 6.0
SHELL_TRANSFER = 22.0  # W/(m2 K), page 4
ONSET_NOISE = 0.12  # wt%, how well an anode effect tells the alumina content


def thermocouple(mean: Floats, cov: Floats, reading: Floats) -> Floats:
    """Weigh the continuous thermocouple [K]; returns innovations [sigma]."""
    one = np.ones(mean.shape[1])
    surprise = reading - mean[TEMPERATURE] - mean[THERMOCOUPLE]
    slopes = {TEMPERATURE: one, THERMOCOUPLE: one}
    return update(mean, cov, THERMAL, slopes, surprise, one * THERMOCOUPLE_NOISE**2, GATE, THERMOCOUPLE)


def wall(design: Design, mean: Floats, cov: Floats, reading: Floats) -> Floats:
    """Weigh the side-wall temperature [K]: the thinner the ledge the hotter; returns innovations [sigma]."""
    one = np.ones(mean.shape[1])
    resistance: Floats = side_resistance(mean[LEDGE], 1.0)
    flux = (melting(design, mean).liquidus - AMBIENT) / resistance
    surprise = reading - AMBIENT - flux / SHELL_TRANSFER - mean[WALL]
    slopes = {LEDGE: -flux / (resistance * (SHELL_TRANSFER * LEDGE_CONDUCTIVITY)), WALL: one}
    return update(mean, cov, THERMAL, slopes, surprise, one * WALL_NOISE**2, GATE, WALL)


def onset(mean: Floats, cov: Floats, margin: float) -> Floats:
    """Weigh that alumina stands `margin` [wt%] above the onset of anode effects; returns innovations [sigma]."""
    one = np.ones(mean.shape[1])
    surprise = mean[ONSET] + margin - mean[ALUMINA]
    return update(mean, cov, ELECTRIC, {ALUMINA: one, ONSET: -one}, surprise, one * ONSET_NOISE**2, GATE, ALUMINA)


def _direct(state: int) -> Callable[[Design, Floats], tuple[Floats, Slopes]]:
    return lambda design, mean: (mean[state], {state: np.ones(mean.shape[1])})


def _superheat(design: Design, mean: Floats) -> tuple[Floats, Slopes]:
    melt, one = melting(design, mean), np.ones(mean.shape[1])
    slopes = {TEMPERATURE: one, ALUMINA: -melt.by_alumina, ALF3: -melt.by_alf3, LIQUIDUS: -one}
    return mean[TEMPERATURE] - melt.liquidus, slopes


def _metal_level(design: Design, mean: Floats) -> tuple[Floats, Slopes]:
    """Linear on purpose: metal over pad area would bend, and a filter that bends believes itself to know the pad."""
    per_kg = 1.0 / (METAL_DENSITY * design.metal_area)
    return mean[METAL] * per_kg, {METAL: per_kg}


def _bath_level(design: Design, mean: Floats) -> tuple[Floats, Slopes]:
    per_kg = design.bath_depth / (design.bath * (1.0 + mean[BATH_AREA]))
    level = mean[BATH] * per_kg
    return level, {BATH: per_kg, BATH_AREA: -level / (1.0 + mean[BATH_AREA])}


class Kind(NamedTuple):
    """A kind of sample: signal, standard deviation [SI], the states it moves, what is expected, who takes a shock."""

    signal: str
    sd: float
    group: slice
    expected: Callable[[Design, Floats], tuple[Floats, Slopes]]
    blame: int


SAMPLES: tuple[Kind, ...] = (
    Kind("bath_temperature_manual_c", 1.5, THERMAL, _direct(TEMPERATURE), TEMPERATURE),
    Kind("superheat_c", 1.3, THERMAL, _superheat, LIQUIDUS),
    Kind("excess_alf3_pct", 0.16, THERMAL, _direct(ALF3), ALF3),
    Kind("alumina_pct", 0.13, ELECTRIC, _direct(ALUMINA), ALUMINA),
    Kind("metal_level_cm", 0.003, METALLIC, _metal_level, METAL),
    Kind("bath_level_cm", 0.0035, THERMAL, _bath_level, BATH),
)


def weigh(design: Design, mean: Floats, cov: Floats, kind: int, value: Floats) -> Floats:
    """Weigh one kind of sample of some pots (pots,) [SI], NaN = none; returns innovations [sigma]."""
    row = SAMPLES[kind]
    expected, slopes = row.expected(design, mean)
    variance = np.full(mean.shape[1], row.sd**2)
    return update(mean, cov, row.group, slopes, value - expected, variance, SAMPLE_GATE, row.blame)
