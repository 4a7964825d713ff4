"""Measurements: by hand once a day, by the laboratory once a day; results arrive hours late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulators import chance
from simulators.rounds import METAL_DENSITY
from twin.units import KELVIN_AT_0_C

if TYPE_CHECKING:
    from simulators.potline import Potline

__all__ = ["Measurements"]

HOUR, DAY = 3600.0, 86400.0
BATH_DENSITY = 2100.0  # kg/m3 (U)
BATH_LEVEL = 0.19  # m at the pot's usual mass of bath (plan 6: 20.5 cm at 300 kA)
BATH_OFF = 0.05  # of its mass by which bath may be off before the crew adds or takes some (U)
CORRECT_TIME = 1800.0  # s (U)
HAND = (1.5, 1.2, 0.3, 0.4, 3.0)  # K, K, cm, cm, mV: errors of thermocouple, superheat, metal, bath, drop (U)
LABORATORY = (0.15, 0.12, 0.05, 0.02, 0.03)  # wt%: errors of AlF3, alumina, CaF2, MgF2, LiF (U)


class Measurements:
    """Rounds of those who measure; `bath_flow` [kg/s] is what crews add (take off when negative) because of it."""

    def __init__(self, line: Potline) -> None:
        self.line, self.agenda, self.seed = line, line.agenda, line.seed
        self.bath_flow = np.zeros(line.pots)
        work = {"measure": self._measure, "laboratory": self._laboratory, "bath_end": self._bath_end}
        self.agenda.learn(work)
        for pot in range(line.pots):
            phase = chance.uniform(self.seed, 63, pot)
            self.agenda.plan_work(phase * DAY, "measure", pot)
            self.agenda.plan_work(((phase + 0.3) % 1.0) * DAY, "laboratory", pot)

    def _measure(self, due: float, pot: int) -> None:
        line, turn = self.line, self.agenda.turn("measure", pot)
        key = (self.seed, 60, pot, turn)
        delay = (0.5 + 2.5 * chance.uniform(*key, 1)) * HOUR
        error = [sigma * chance.normal(*key, 2 + n) for n, sigma in enumerate(HAND)]
        state, bath, p = line.state, line.bath, line.p
        metal = float(state.metal[pot]) / (METAL_DENSITY * float(p.cathode_area[pot])) * 100.0
        above = float(bath.mass[pot] - p.bath_mass[pot]) / (BATH_DENSITY * float(p.bath_channel[pot]))
        drop = line.rectifier.current * float(line.electric.r_cathode[pot]) * 1e3
        values = (
            ("bath_temperature_manual_c", float(state.temperature[pot]) - KELVIN_AT_0_C + error[0]),
            ("superheat_c", float(bath.superheat[pot]) + error[1]),
            ("metal_level_cm", metal + error[2]),
            ("bath_level_cm", (BATH_LEVEL + above) * 100.0 + error[3]),
            ("cathode_drop_manual_mv", drop + error[4]),
        )
        for name, value in values[: 5 if turn % 7 == pot % 7 else 4]:  # the drop once a week
            line.journal.sample(due, delay, pot, name, round(value, 1))
        if bag := line.dosing.decide(pot, float(bath.mass[pot])):
            line.journal.event(due, pot, "alf3_bag_kg", bag)
        lack = float(p.bath_mass[pot] - bath.mass[pot])
        if abs(lack) > BATH_OFF * float(p.bath_mass[pot]):
            self.bath_flow[pot] = 0.5 * lack / CORRECT_TIME
            self.agenda.plan(due + CORRECT_TIME, "bath_end", pot)
        self.agenda.plan_work(due + DAY + 600.0 * chance.normal(*key, 9), "measure", pot)

    def _bath_end(self, due: float, pot: int) -> None:
        self.bath_flow[pot] = 0.0

    def _laboratory(self, due: float, pot: int) -> None:
        """A bath sample; plan 6: the result can be 24 h late."""
        line, turn, bath = self.line, self.agenda.turn("laboratory", pot), self.line.bath
        key = (self.seed, 61, pot, turn)
        delay = (4.0 + 20.0 * chance.uniform(*key, 1) ** 2) * HOUR
        names = ("excess_alf3_pct", "alumina_pct", "caf2_pct", "mgf2_pct", "lif_pct")
        contents = (bath.alf3, bath.alumina, bath.caf2, bath.mgf2, bath.lif)
        for n, (name, content, sigma) in enumerate(zip(names, contents, LABORATORY, strict=True)):
            value = float(content[pot]) + sigma * chance.normal(*key, 2 + n)
            line.journal.sample(due, delay, pot, name, round(max(value, 0.0), 2))
        self.agenda.plan_work(due + DAY + 900.0 * chance.normal(*key, 9), "laboratory", pot)
