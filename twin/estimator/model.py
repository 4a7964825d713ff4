"""The reduced pot model: one step of all states at once, and how it bends (its Jacobian less the identity).

Eight states move, thirteen offsets fade towards their priors. Fewer states than a real pot on purpose: what is left out
(sludge, single anodes, the shell, a wandering cover) is in the noise and in the offsets.

    m dC  = (1 - r) (1 + g) fed + k U dt - 1.889 CE F I dt + C dm_ledge              alumina
    dU    = r (1 + g) fed - k U dt                                                   alumina not yet dissolved
    mc dT = [I (V - I R_ext) - reaction - feed heat - top and bottom - G (T - T_liq) + q] dt
    dL    = ledge_rate(T, T_liq, L) dt;  dm = -rho A dL                              ledge and bath
    m dA  = AlF3 fed - (1 + w) usual loss + A dm_ledge                               AlF3
    dD    = -closing I dt - beam;  dM = (CE F I dt - tapped) / (1 + p)               distance, metal as its level shows
    CE    = Dewing(T - T_liq, A) + e;    T_liq = Solheim(C, A) + l

How CE bears on alumina is left out of the Jacobian: a feeder that is out of scale by one per cent would otherwise pass
for a point of efficiency. Only metal speaks of efficiency; the feed gain takes up the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.estimator.design import AMBIENT, BATH_HEAT_TRANSFER, Design
from twin.estimator.drive import EFFECT_ABOVE, Drive, Flag
from twin.estimator.states import (
    ALF3,
    ALF3_LOSS,
    ALUMINA,
    BATH,
    CAVITY,
    DISSOLUTION,
    DISTANCE,
    EFFICIENCY,
    FEED_GAIN,
    FRESH,
    HEAT,
    LEDGE,
    LIQUIDUS,
    METAL,
    TEMPERATURE,
    UNDISSOLVED,
)
from twin.frames import Floats
from twin.physics.efficiency import current_efficiency
from twin.physics.faraday import ALUMINA_PER_METAL, METAL_PER_COULOMB
from twin.physics.heat import FEED_HEATING_ENERGY, REACTION_ENERGY, ledge_rate, side_resistance
from twin.physics.liquidus import liquidus

__all__ = ["LEDGE_CONDUCTIVITY", "Melting", "Slopes", "dewing", "melting", "move"]

LATENT, LEDGE_DENSITY, LEDGE_CONDUCTIVITY = 310e3, 3000.0, 1.5  # J/kg, kg/m3, W/(m K); page 4
EFFECT_HEAT = 0.45  # of an anode effect's extra power that stays in the pot, the rest leaves with the gas
PER_CENT = 100.0
STEP = 0.05  # wt%, of the difference quotients
LEAST_EFFICIENCY = 0.5
Slopes = dict[tuple[int, int], Floats]


@dataclass(frozen=True, slots=True)
class Melting:
    """Liquidus [K] of the estimated bath and its slopes by alumina and AlF3 [K per wt%], each (pots,)."""

    liquidus: Floats
    by_alumina: Floats
    by_alf3: Floats


def melting(design: Design, mean: Floats) -> Melting:
    """Liquidus with the pot's offset, and its slopes; `mean` (states, pots)."""
    alumina, alf3 = mean[ALUMINA], mean[ALF3]

    def solheim(c: Floats, a: Floats) -> Floats:
        result: Floats = liquidus(c, a, design.caf2, design.mgf2, design.lif)
        return result

    base = solheim(alumina, alf3)
    by_alumina = (solheim(alumina + STEP, alf3) - base) / STEP
    by_alf3 = (solheim(alumina, alf3 + STEP) - base) / STEP
    return Melting(base + mean[LIQUIDUS], by_alumina, by_alf3)


def dewing(design: Design, mean: Floats, melt: Melting) -> Floats:
    """Current efficiency [1] (pots,) of a quiet pot, without the pot's own offset."""
    result: Floats = current_efficiency(mean[TEMPERATURE] - melt.liquidus, mean[ALF3], design.lif)
    return result


def move(design: Design, mean: Floats, drive: Drive, step_s: float) -> tuple[Floats, Slopes]:
    """Means (states, pots) one step on, and the Jacobian less the identity; idle pots stay as they are."""
    running = np.where((drive.flags & Flag.IDLE) != 0, 0.0, 1.0)
    changed = (drive.flags & Flag.ANODE_CHANGE) != 0
    melt = melting(design, mean)
    charge = running * drive.current * (METAL_PER_COULOMB * step_s)  # kg of metal at 100 %
    made = charge * np.clip(dewing(design, mean, melt) + mean[EFFICIENCY], LEAST_EFFICIENCY, 1.0)
    after = mean.copy()
    pad = 1.0 / (1.0 + mean[CAVITY])
    rise = (made - drive.tapped) * pad  # as the level shows it
    slopes: Slopes = {(METAL, EFFICIENCY): charge * pad, (METAL, CAVITY): -rise * pad}
    _alumina(design, mean, after, slopes, drive.fed * running, made, step_s)
    after[METAL] += rise
    closing = design.closing * (running * step_s) * drive.current / design.rated_current
    after[DISTANCE] += np.where(changed, design.higher, 0.0) - drive.closed - closing
    after[FRESH] += np.where(changed, design.fresh, 0.0) - design.usual_fresh * step_s
    _heat(design, mean, after, slopes, drive, made, melt, running * step_s)
    _ledge(design, mean, after, slopes, drive, melt, running * step_s)
    return after, slopes


def _alumina(
    design: Design, mean: Floats, after: Floats, slopes: Slopes, fed: Floats, made: Floats, step_s: float
) -> None:
    """Shots that dissolve, part at once and part slowly, and what becomes metal."""
    per_kg = PER_CENT / mean[BATH]
    hurry = np.exp(mean[DISSOLUTION]) * (step_s / design.slow_time)
    out = -np.expm1(-hurry)  # share of the slow alumina that dissolves in the step
    came = fed * (1.0 + mean[FEED_GAIN])
    pool = mean[UNDISSOLVED] + design.slow_share * came
    after[UNDISSOLVED] = pool * (1.0 - out)
    after[ALUMINA] += per_kg * ((1.0 - design.slow_share) * came + pool * out - ALUMINA_PER_METAL * made)
    quicker = pool * (1.0 - out) * hurry
    slopes[ALUMINA, UNDISSOLVED] = per_kg * out
    slopes[ALUMINA, DISSOLUTION] = per_kg * quicker
    slopes[ALUMINA, FEED_GAIN] = per_kg * fed * (1.0 - design.slow_share * (1.0 - out))
    slopes[UNDISSOLVED, UNDISSOLVED] = -out
    slopes[UNDISSOLVED, DISSOLUTION] = -quicker
    slopes[UNDISSOLVED, FEED_GAIN] = fed * design.slow_share * (1.0 - out)


def _heat(
    design: Design, mean: Floats, after: Floats, slopes: Slopes, drive: Drive, made: Floats, melt: Melting, dt: Floats
) -> None:
    """Temperature of bath and metal."""
    voltage = np.where(np.isfinite(drive.voltage), drive.voltage, design.voltage)
    voltage -= (1.0 - EFFECT_HEAT) * np.maximum(voltage - design.voltage - EFFECT_ABOVE, 0.0)
    power = drive.current * (voltage - drive.current * design.r_external)
    rest = design.rest + design.rest_slope * (mean[TEMPERATURE] - design.temperature)
    transfer = BATH_HEAT_TRANSFER * design.side_area
    stays = power - rest - transfer * (mean[TEMPERATURE] - melt.liquidus) + mean[HEAT]
    feed_heat = np.where(dt > 0.0, FEED_HEATING_ENERGY * drive.fed, 0.0)
    share = dt / design.heat_capacity
    taken = REACTION_ENERGY * made + feed_heat * (1.0 + mean[FEED_GAIN])
    after[TEMPERATURE] += share * stays - taken / design.heat_capacity
    slopes[TEMPERATURE, TEMPERATURE] = -share * (design.rest_slope + transfer)
    slopes[TEMPERATURE, ALUMINA] = share * transfer * melt.by_alumina
    slopes[TEMPERATURE, ALF3] = share * transfer * melt.by_alf3
    slopes[TEMPERATURE, LIQUIDUS] = share * transfer
    slopes[TEMPERATURE, HEAT] = share
    slopes[TEMPERATURE, FEED_GAIN] = -feed_heat / design.heat_capacity


def _ledge(
    design: Design, mean: Floats, after: Floats, slopes: Slopes, drive: Drive, melt: Melting, dt: Floats
) -> None:
    """Ledge, bath and AlF3: what freezes is cryolite, so a growing ledge leaves the AlF3 in less bath."""
    resistance: Floats = side_resistance(mean[LEDGE], 1.0)  # K m2/W
    grows: Floats = ledge_rate(
        mean[TEMPERATURE], melt.liquidus, resistance,
        ambient=AMBIENT, bath_resistance=1.0 / BATH_HEAT_TRANSFER, area=1.0, ledge_density=LEDGE_DENSITY, latent=LATENT,
    )  # fmt: skip
    after[LEDGE] = np.maximum(mean[LEDGE] + dt * grows, 0.0)
    froze = LEDGE_DENSITY * design.side_area * (after[LEDGE] - mean[LEDGE])  # kg
    after[BATH] -= froze
    after[ALUMINA] += mean[ALUMINA] * froze / mean[BATH]
    loss = PER_CENT / mean[BATH] * design.alf3_rate * dt * drive.current / design.rated_current
    after[ALF3] += PER_CENT / mean[BATH] * drive.alf3 - loss * (1.0 + mean[ALF3_LOSS])
    after[ALF3] += mean[ALF3] * froze / mean[BATH]
    scale = dt / (LATENT * LEDGE_DENSITY)
    by_liquidus = scale * (BATH_HEAT_TRANSFER + 1.0 / resistance)
    bends = {
        TEMPERATURE: -scale * BATH_HEAT_TRANSFER,
        ALUMINA: by_liquidus * melt.by_alumina,
        ALF3: by_liquidus * melt.by_alf3,
        LIQUIDUS: by_liquidus,
        LEDGE: -scale * (melt.liquidus - AMBIENT) / (resistance * resistance * LEDGE_CONDUCTIVITY),
    }
    melts = LEDGE_DENSITY * design.side_area
    for state, bend in bends.items():
        slopes[LEDGE, state] = bend
        slopes[BATH, state] = -melts * bend
        slopes[ALF3, state] = mean[ALF3] * melts / mean[BATH] * bend
    slopes[ALF3, ALF3_LOSS] = -loss
