"""Start: a line in mid-operation, every pot somewhere in its feed, tap and anode cycles, near its own balance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulators import chance
from simulators.bath import Bath
from simulators.controller import OVERFEED, UNDERFEED
from simulators.dosing import ALF3_PER_SODA, COLD_DOSE, Dosing
from simulators.noise import wave_loss
from simulators.rounds import ANODE_HEAT, ANODE_LIFE, BEAM_LOWEST, DAY
from simulators.thermal import AMBIENT, COLD_TIME, GAS, GAS_PART, LEDGE_DENSITY, OPEN_LOSS
from twin.frames import Floats
from twin.physics.efficiency import current_efficiency
from twin.physics.faraday import ALUMINA_PER_METAL, METAL_PER_COULOMB
from twin.physics.heat import FEED_HEATING_ENERGY, REACTION_ENERGY, side_resistance
from twin.physics.liquidus import liquidus

if TYPE_CHECKING:
    from simulators.potline import Potline

__all__ = ["begin"]

USUAL_ALUMINA = 2.34  # wt%, mean of the feed cycle (page 6: swings about 2.0-2.5)
USUAL_SLUDGE = 1.15  # over that of constant superheat: cold spells add more than warm ones take (U)
USUAL_EFFICIENCY = 0.937  # plan 6: 92.5-94.5 %
USUAL_WAVE = 1.45  # the metal wave over its calmest: anode changes stir it (U)
OPEN_SHARE = 1200.0 / 56000.0  # of the time that crust is open for an anode change: every 56 000 s


def fill_bath(line: Potline, rng: np.random.Generator) -> Floats:
    """Bath, alumina and metal; returns the temperature [K] at which the pot is in balance."""
    state, p, pots = line.state, line.p, line.pots
    alumina = rng.uniform(2.1, 2.6, pots)
    per_cent = p.bath_mass * 0.01
    state.dissolved[:] = alumina * per_cent
    state.alf3[:] = p.alf3 * per_cent
    for row, content in zip(state.additives, (p.caf2, p.mgf2, p.lif, p.kf), strict=True):
        row[:] = content * per_cent
    state.cryolite[:] = p.bath_mass - state.dissolved - state.alf3 - state.additives.sum(axis=0)
    metal = USUAL_EFFICIENCY * METAL_PER_COULOMB * line.current_rated  # kg/s
    slow = p.slow_part * metal * ALUMINA_PER_METAL
    state.undissolved[:] = slow / (p.dissolution * (1.0 + p.settling))
    state.sludge[:] = slow * p.settling / (1.0 + p.settling) / p.sludge_dissolution * USUAL_SLUDGE
    state.metal[:] = p.metal_mass + metal * (0.5 * line.rounds.tap_every - line.rounds.first_tap)
    state.cathode_age[:] = rng.uniform(200.0, 2200.0, pots)
    state.beam[:] = rng.uniform(0.05, BEAM_LOWEST - 0.01, pots)
    state.wave[:] = rng.standard_normal(pots) + 1j * rng.standard_normal(pots)
    melting_point = liquidus(USUAL_ALUMINA, p.alf3, p.caf2, p.mgf2, p.lif, p.kf)
    balance: Floats = melting_point + p.superheat
    state.temperature[:] = balance + 0.6 * rng.standard_normal(pots)
    state.lining[:] = balance
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
    state.gap -= state.gap.mean(axis=0)
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
    quiet = current_efficiency(p.superheat, p.alf3, p.lif, p.dewing) - wave_loss(p.wave_loss, USUAL_WAVE * p.wave_noise)
    metal = quiet * METAL_PER_COULOMB * current
    used = metal * (REACTION_ENERGY + ALUMINA_PER_METAL * FEED_HEATING_ENERGY)
    anodes = ANODE_HEAT * line.size / (ANODE_LIFE * DAY) + OPEN_LOSS * line.size * OPEN_SHARE
    additions = metal * (p.soda * ALUMINA_PER_METAL * ALF3_PER_SODA + p.vapour) * COLD_DOSE
    power = current * (p.voltage_set - current * p.r_external)
    top = power - used - through - anodes - additions - (balance - AMBIENT) / p.r_bottom
    line.thermal.top[:] = (balance - GAS) / top
    line.thermal.gas[:] = top * GAS_PART


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
    """Controllers somewhere in their feed cycles, counters somewhere in their lives."""
    control, seed = line.control, line.seed
    luck = np.array([[chance.uniform(seed, 81, pot, n) for pot in range(line.pots)] for n in range(4)])
    control.mode[:] = np.where(luck[0] < 0.5, UNDERFEED, OVERFEED)
    control.mode_age[:] = luck[1] * 0.8 * control.tuning.overfeed
    control.timer[:] = luck[2] * 60.0
    control.counter[:] = np.round(1e5 * line.size * (1.0 + 5.0 * luck[3]))
    line.dosing.counter[:] = np.round(control.counter * 0.01)


def begin(line: Potline, rng: np.random.Generator) -> None:
    """Fill a new line's state; its parts exist, its causes come later."""
    balance = fill_bath(line, rng)
    fill_anodes(line, rng)
    fill_heat(line, balance)
    line.bath = Bath(line.state, line.p)
    line.normal_sludge = line.state.sludge.copy()
    line.dosing = Dosing(line.p, line.current_rated, line.size, balance)
    line.electric.age(line.state, line.effects, line.normal_sludge)
    meet_target(line)
    feed_phase(line)
    line.refresh_rates(0.0)
    line.electric.step(line.state, line.bath, line.current_rated, line.anodes.excess, line.state.effect_voltage)
    line.measured[:] = line.electric.total
    line.control.settle(line.electric.total, line.current_rated)
    line.control.decide(line.state, line.noise.sigma_wave, line.effects.voltage_set, line.current_rated, 0.0, 0.0)
    line.rectifier.voltage = float(line.electric.total.sum())
    line.rectifier.slow(line.start_ns * 1e-9)
