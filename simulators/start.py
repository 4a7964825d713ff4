"""Start: a line in mid-operation, every pot somewhere in its feed, tap and anode cycles, near its own balance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulators import chance
from simulators.rounds import ANODE_HEAT, ANODE_LIFE, BEAM_LOWEST, DAY
from simulators.thermal import AMBIENT, COLD_TIME, GAS, LEDGE_DENSITY, OPEN_LOSS
from twin.frames import Floats
from twin.physics.faraday import ALUMINA_PER_METAL, METAL_PER_COULOMB
from twin.physics.heat import FEED_HEATING_ENERGY, REACTION_ENERGY, side_resistance
from twin.physics.liquidus import liquidus

if TYPE_CHECKING:
    from simulators.potline import Potline

__all__ = ["feed_phase", "fill_anodes", "fill_bath", "fill_heat", "meet_target"]

USUAL_ALUMINA = 2.4  # wt%, mean of the feed cycle (page 6: swings about 2.0-2.5)
USUAL_EFFICIENCY = 0.937  # plan 6: 92.5-94.5 %
OPEN_SHARE = 1200.0 / 56000.0  # of the time that crust is open for an anode change


def fill_bath(line: Potline, rng: np.random.Generator) -> Floats:
    """Bath, alumina and metal; returns the temperature [K] at which the pot is in balance."""
    state, p, pots = line.state, line.p, line.pots
    alumina = rng.uniform(2.1, 2.65, pots)
    per_cent = p.bath_mass * 0.01
    state.dissolved[:] = alumina * per_cent
    state.alf3[:] = p.alf3 * per_cent
    for row, content in zip(state.additives, (p.caf2, p.mgf2, p.lif, p.kf), strict=True):
        row[:] = content * per_cent
    state.cryolite[:] = p.bath_mass - state.dissolved - state.alf3 - state.additives.sum(axis=0)
    metal = USUAL_EFFICIENCY * METAL_PER_COULOMB * line.current_rated  # kg/s
    slow = p.slow_part * metal * ALUMINA_PER_METAL
    state.undissolved[:] = slow / (p.dissolution * (1.0 + p.settling))
    state.sludge[:] = slow * p.settling / (1.0 + p.settling) / p.sludge_dissolution
    state.metal[:] = p.metal_mass + metal * (0.5 * line.rounds.tap_every - line.rounds.first_tap)
    state.cathode_age[:] = rng.uniform(200.0, 2200.0, pots)
    state.beam[:] = rng.uniform(0.05, BEAM_LOWEST - 0.01, pots)
    state.wave[:] = rng.standard_normal(pots) + 1j * rng.standard_normal(pots)
    melting_point = liquidus(USUAL_ALUMINA, p.alf3, p.caf2, p.mgf2, p.lif, p.kf)
    balance: Floats = melting_point + p.superheat
    state.temperature[:] = balance + 0.6 * rng.standard_normal(pots)
    return balance


def fill_anodes(line: Potline, rng: np.random.Generator) -> None:
    """Anodes of all ages; those set in the last day still warm up."""
    state, p, n = line.state, line.p, line.anode_count
    order = rng.permuted(np.tile(np.arange(n)[:, None], line.pots), axis=0)
    every = np.array([line.rounds.anode_every(pot) for pot in range(line.pots)])
    state.age[:] = np.maximum(every * n - line.rounds.first_anode - order * every, 0.0)
    wear = p.net_carbon * 0.94 * METAL_PER_COULOMB * line.current_rated / (1560.0 * p.anode_area)
    warm = np.minimum(state.age, p.warm_up)
    behind = warm - warm * warm / (2.0 * p.warm_up)  # s of wear an anode has missed
    state.height[:] = np.maximum(p.anode_height - wear * (state.age - behind), 0.05)
    state.gap[:] = wear * (0.5 * p.warm_up - behind) + p.setting_error * rng.standard_normal(state.gap.shape)
    heat = ANODE_HEAT * line.size / n
    state.cold[:] = heat * np.exp(-state.age / COLD_TIME).sum(axis=0)
    line.noise.disturbed[:] = np.exp(-state.age / (DAY / 3.0)).sum(axis=0)


def fill_heat(line: Potline, balance: Floats) -> None:
    """Ledge and shell in balance, and a cover (resistance to the top) that makes the pot's heat balance close."""
    state, p, current = line.state, line.p, line.current_rated
    melting_point = balance - p.superheat
    through = p.superheat / p.r_ledge
    resistance = (melting_point - AMBIENT) / through
    bare = side_resistance(0.0, p.side_area, shell_transfer=p.shell_transfer)
    thickness = np.maximum((resistance - bare) * 1.5 * p.side_area, 0.01)
    state.ledge[:] = thickness * LEDGE_DENSITY * p.side_area
    state.wall[:] = AMBIENT + through / (p.shell_transfer * p.side_area)
    metal = USUAL_EFFICIENCY * METAL_PER_COULOMB * current
    used = metal * (REACTION_ENERGY + ALUMINA_PER_METAL * FEED_HEATING_ENERGY)
    anodes = ANODE_HEAT * line.size / (ANODE_LIFE * DAY) + OPEN_LOSS * line.size * OPEN_SHARE
    power = current * (p.voltage_set - current * p.r_external)
    top = power - used - through - anodes - (balance - AMBIENT) / p.r_bottom
    line.thermal.top[:] = (balance - GAS) / top


def meet_target(line: Potline) -> None:
    """Distances at which every pot shows its target voltage at the usual alumina content."""
    state, bath, p = line.state, line.bath, line.p
    state.distance[:] = 0.042
    actual = bath.alumina.copy()
    bath.alumina[:] = USUAL_ALUMINA
    for _ in range(6):
        line.anodes.slow(state, bath, line.effects, line.current_rated, 0.0)
        line.electric.step(state, bath, line.current_rated, line.anodes.excess, state.effect_voltage)
        per_metre = line.electric.gradient
        state.distance += (p.voltage_set - line.electric.total) / per_metre
    bath.alumina[:] = actual


def feed_phase(line: Potline) -> None:
    """Controllers somewhere in their feed cycles."""
    control = line.control
    for pot in range(line.pots):
        luck = chance.uniform(line.seed, 81, pot)
        control.mode[pot] = 1 if luck < 0.5 else 2
        control.mode_age[pot] = chance.uniform(line.seed, 82, pot) * 1200.0
        control.timer[pot] = chance.uniform(line.seed, 83, pot) * 60.0
    control.filtered[:] = (line.p.voltage_set - 1.65) / line.current_rated
    control.counter[:] = np.round(
        1e5 * (1.0 + 5.0 * np.array([chance.uniform(line.seed, 84, n) for n in range(line.pots)]))
    )
    line.dosing.counter[:] = np.round(control.counter * 0.01)
