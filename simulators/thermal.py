"""Heat: the bath's temperature each step, the ledge and the shell on the slow step.

Rates of heat are frozen for a slow step; power, reaction and the heating of alumina act each step. Enthalpy counts
from liquid bath and metal at 945 C (`DATUM`), so that frozen ledge holds minus its latent heat.
"""

from __future__ import annotations

import numpy as np

from simulators.bath import Bath
from simulators.effects import Effects
from simulators.parameters import Parameters
from simulators.state import State
from twin.frames import Floats
from twin.physics.heat import FEED_HEATING_ENERGY, REACTION_ENERGY, side_resistance

__all__ = ["AMBIENT", "DATUM", "GAS_PART", "HEAT_BATH", "HEAT_METAL", "LATENT", "LEDGE_DENSITY", "LINING", "Thermal"]

DATUM = 1218.15  # K, enthalpy 0
HEAT_BATH = 1200.0  # J/(kg K), page 4 [S]
HEAT_METAL = 880.0  # J/(kg K), page 4 [S]
LATENT = 310e3  # J/kg, page 4 [S]
LEDGE_DENSITY = 3000.0  # kg/m3, page 4 [S]
AMBIENT = 303.15  # K, page 4 [S]: 30 C
GAS = 323.15  # K, page 4 [S]: 50 C
COLD_TIME = 6.0 * 3600  # s in which a new anode takes up its heat (U; with page 6: bath falls a few C)
# J/K of 56 t of cathode blocks and 36 t of anodes at 1.4 kJ/(kg K), three quarters of the bath's swing; scales with the
# pot (U). Without it three hours without current cool the bath by 180 K, published ones by 50 K (docs/simulator.md).
LINING = 100e6
LINING_TIME = 5400.0  # s in which they follow the bath (U)
SHELL_TIME = 3600.0  # s, lag of the shell temperature (U)
BARE = 50.0  # kg of ledge below which the wall counts as bare: 1 mm (U), scales with the pot
COVER_FAILS = 1273.15  # K above which the cover melts away and the bath fumes (U)
FUMING = 40e3  # W/K above that (U), scales with the pot
GAS_PART = 0.55  # of the heat through cover and hood that the duct's gas takes along (U)
HOOD_TIME = 3600.0  # s that cover, hood and duct take to follow: some 10 MJ/K; an anode effect arrives smoothed (U)
OPEN_LOSS = 60e3  # W through crust opened for work (U), scales with the pot


class Thermal:
    """Heat flows of every pot [W]; `top` is the pot's own resistance through the cover [K/W]."""

    def __init__(self, pots: int, p: Parameters, size: float) -> None:
        self.p = p
        self.size = size
        self.top = np.zeros(pots)  # set at the start so that the pot is in balance
        self.opened = np.zeros(pots)  # 1 while the crust is open
        self.frozen = np.zeros(pots)  # W out of the bath, all frozen terms
        self.q_top = np.zeros(pots)
        self.q_bottom = np.zeros(pots)
        self.q_ledge = np.zeros(pots)
        self.q_side = np.zeros(pots)
        self.q_cold = np.zeros(pots)
        self.q_lining = np.zeros(pots)
        self.q_melt = np.zeros(pots)  # W that bring molten ledge from the datum to the bath's temperature
        self.melting = np.zeros(pots)  # kg/s
        self.gas = np.zeros(pots)  # W that show in the duct
        self.shell = np.zeros(pots)  # K/s
        self.soaking = np.zeros(pots)  # K/s of the lining
        self.capacity = np.zeros(pots)

    def thickness(self, state: State) -> Floats:
        """Ledge thickness [m]."""
        return state.ledge / (LEDGE_DENSITY * self.p.side_area)

    def slow(self, state: State, bath: Bath, effects: Effects, cover: Floats, jolt: Floats, dt: float) -> None:
        """Heat flows for the coming slow step; `cover` is the loss through the cover today over its usual, `jolt` [W]
        what an anode effect sends straight into the gas."""
        p, temperature = self.p, state.temperature
        self.q_top = (temperature - GAS) / self.top * (effects.top_loss * cover) + self.opened * (OPEN_LOSS * self.size)
        self.q_top += np.maximum(temperature - COVER_FAILS, 0.0) * (FUMING * self.size)
        self.gas += (self.q_top * GAS_PART + jolt - self.gas) * (dt / HOOD_TIME)
        self.q_bottom = (temperature - AMBIENT) / p.r_bottom
        self.q_ledge = bath.superheat / p.r_ledge * effects.ledge_transfer
        resistance = side_resistance(self.thickness(state), p.side_area, shell_transfer=p.shell_transfer)
        # without ledge the heat meets the wall itself
        bare = (temperature - AMBIENT) / (p.r_ledge / effects.ledge_transfer + resistance)
        self.q_ledge = np.where(state.ledge < BARE * self.size, np.minimum(self.q_ledge, bare), self.q_ledge)
        outflow = (bath.liquidus - AMBIENT) / resistance
        melting = (self.q_ledge - outflow) / LATENT
        # no more than is there: what is left goes through the wall, or does not leave the bath
        self.melting = np.clip(melting, state.cryolite * (-0.01 / dt), state.ledge * (0.5 / dt))
        self.q_side = self.q_ledge - self.melting * LATENT
        self.q_cold = state.cold * (1.0 / COLD_TIME)
        self.q_melt = self.melting * (HEAT_BATH * (temperature - DATUM))
        self.soaking = (temperature - state.lining) * (1.0 / LINING_TIME)
        self.q_lining = self.soaking * (LINING * self.size)
        self.frozen = self.q_top + self.q_bottom + self.q_ledge + self.q_cold + self.q_melt + self.q_lining
        target = AMBIENT + self.q_side * effects.wall_local / (p.shell_transfer * p.side_area)
        self.shell = (target - state.wall) * (1.0 / SHELL_TIME)

    def step(self, state: State, bath: Bath, power: Floats, made: Floats, heated: Floats, dt: float) -> None:
        """Bath temperature after dt; `power` [W] is what the pot takes in, less what an anode effect sends off."""
        np.multiply(bath.mass, HEAT_BATH, out=self.capacity)
        self.capacity += state.metal * HEAT_METAL
        net = power - self.frozen
        net *= dt
        net -= made * REACTION_ENERGY
        net -= heated * FEED_HEATING_ENERGY
        net /= self.capacity
        state.temperature += net
