"""AlF3: what the bath loses to soda and vapour, and what the daily decision adds, in small doses or in bags."""

from __future__ import annotations

import numpy as np

from simulators.bath import Bath
from simulators.effects import Effects
from simulators.parameters import Parameters
from simulators.state import State
from twin.frames import Floats
from twin.physics.faraday import ALUMINA_PER_METAL, METAL_PER_COULOMB
from twin.units import KELVIN_AT_0_C

__all__ = ["ALF3_PER_SODA", "COLD_DOSE", "CRYOLITE_PER_SODA", "CRYOLITE_PER_VAPOUR", "Dosing"]

# 3 Na2O + 4 AlF3 -> 2 Na3AlF6 + Al2O3 (61.98, 83.98, 209.94 g/mol); its alumina, 0.2 % of the feed, is left out
ALF3_PER_SODA = 4 * 83.98 / (3 * 61.98)  # kg/kg
CRYOLITE_PER_SODA = 2 * 209.94 / (3 * 61.98)  # kg/kg
# vapour is NaAlF4 = 1/3 Na3AlF6 + 2/3 AlF3
CRYOLITE_PER_VAPOUR = (209.94 / 3) / (2 * 83.98 / 3)  # kg of cryolite per kg of AlF3
VAPOUR_PER_K = 0.02  # 1/K, growth of vapour loss with temperature (U)
DOSE = 2.0  # kg of one dose of the AlF3 feeder (U)
COLD_DOSE = 1.5e6  # J that a kg of cold AlF3 or crushed bath takes up (U)
PER_KELVIN = 1.5  # kg/d more per K that the bath is too hot (U)
PER_PERCENT = 0.35  # of a measured lack of AlF3 that a day's decision makes up (U)
BAG_BELOW = 1.3  # wt% under target at which the crew adds a bag (U)
BAG = 25.0  # kg (U)
NOMINAL_EFFICIENCY = 0.94  # page 5, with which the usual dose is reckoned
DAY = 86400.0


class Dosing:
    """AlF3 of every pot: loss rates [kg/s], commanded rate [kg/d], counter [kg], doses of this step [kg]."""

    def __init__(self, p: Parameters, rated: float, size: float, target_temperature: Floats) -> None:
        self.p, self.size = p, size
        self.target_temperature = target_temperature
        metal = NOMINAL_EFFICIENCY * METAL_PER_COULOMB * rated
        self.usual = DAY * metal * (p.soda * ALUMINA_PER_METAL * ALF3_PER_SODA + p.vapour)  # kg/d
        self.daily = self.usual.copy()
        self.known_alf3 = p.alf3.copy()  # wt%, last the laboratory said
        self.known_temperature = target_temperature.copy()  # K, last measured by hand
        self.due = np.zeros_like(p.alf3)
        self.counter = np.zeros_like(p.alf3)
        self.added = np.zeros_like(p.alf3)  # kg that reached the bath in the last slow step
        self.bags = np.zeros_like(p.alf3)  # kg the crew adds at the next slow step
        self.vapour = np.zeros_like(p.alf3)  # kg/s
        self.by_soda = np.zeros_like(p.alf3)  # kg/s

    def slow(self, state: State, bath: Bath, effects: Effects, current: float, efficiency: Floats, dt: float) -> None:
        """Loss rates for the coming slow step; doses that fall now."""
        p = self.p
        metal = efficiency * (METAL_PER_COULOMB * current)
        warmth = np.exp(VAPOUR_PER_K * (state.temperature - self.target_temperature))
        self.vapour = np.maximum(p.vapour * metal * warmth * bath.alf3 / p.alf3, 0.0)
        self.by_soda = p.soda * (ALUMINA_PER_METAL * ALF3_PER_SODA) * metal
        self.due += self.daily * (dt / DAY)
        doses = np.floor(self.due * (1.0 / DOSE)) * DOSE
        self.due -= doses
        self.counter += doses
        self.added = doses * effects.alf3_gain + self.bags
        self.bags.fill(0.0)

    def learn(self, pot: int, name: str, value: float) -> None:
        """A laboratory result or a measurement by hand has been entered."""
        if name == "excess_alf3_pct":
            self.known_alf3[pot] = value
        elif name == "bath_temperature_manual_c":
            self.known_temperature[pot] = value + KELVIN_AT_0_C

    def decide(self, pot: int, bath_mass: float) -> float:
        """The day's decision for one pot; returns kg to be added in bags by hand."""
        lack = float(self.p.alf3[pot] - self.known_alf3[pot])
        hot = float(self.known_temperature[pot] - self.target_temperature[pot])
        dose = self.usual[pot] + PER_KELVIN * self.size * hot + PER_PERCENT * lack * 0.01 * bath_mass
        self.daily[pot] = min(max(dose, 0.0), 3.0 * self.usual[pot])
        bag = round(BAG * self.size, 1) if lack > BAG_BELOW else 0.0
        self.bags[pot] += bag
        return bag
