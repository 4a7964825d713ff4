"""Potline: all pots of one line and their rectifier, step by step.

Fast things (current, alumina, voltage, anode effects, temperature, noise) move every step. Every ten seconds a slow
step refreshes what changes slowly (composition, liquidus, efficiency, anode shares, heat flows) and lets controllers
and crews act. Between slow steps these rates stay the same and are still integrated every step, so that mass and
energy close in every single step.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulators.agenda import Agenda, shift_starts_utc
from simulators.alumina import Alumina
from simulators.anode_effect import AnodeEffect
from simulators.anodes import Anodes
from simulators.bath import Bath
from simulators.controller import QUENCH, Controller, Tuning
from simulators.dosing import ALF3_PER_SODA, COLD_DOSE, CRYOLITE_PER_SODA, CRYOLITE_PER_VAPOUR, Dosing
from simulators.effects import neutral
from simulators.electric import Electric
from simulators.journal import Journal
from simulators.ledger import Ledger
from simulators.measurements import Measurements
from simulators.noise import Noise, wave_loss
from simulators.parameters import REFERENCE_CURRENT, draw
from simulators.rectifier import Rectifier
from simulators.rounds import DAY, METAL_DENSITY, Rounds
from simulators.schedule import Cause, Causes
from simulators.start import begin
from simulators.state import zeros
from simulators.thermal import DATUM, HEAT_BATH, Thermal
from simulators.truth import truth
from simulators.wander import Wander
from twin.frames import Floats
from twin.physics.efficiency import current_efficiency
from twin.physics.faraday import METAL_PER_COULOMB
from twin.plant import Line, Plant

__all__ = ["SLOW_STEP", "Potline"]

SLOW_STEP = 10.0  # s
SHORT_LOSS = 0.5  # of the current through anodes that touch the metal is lost (U)
SUPERHEATS = (-5.0, 40.0)  # K, range in which the efficiency follows the superheat (page 5: 0-25)
EFFICIENCIES = (0.3, 0.98)  # 1, range in which the efficiency is kept (U)


class Potline:
    """One potline. `step` advances it; `truth` says how it is; a `Sensors` says what instruments make of it."""

    def __init__(self, plant: Plant, line: Line, site_id: str, *, seed: int, start_ns: int, tuning: Tuning) -> None:
        site = next(site for site in plant.sites if site.id == site_id)
        self.line, self.site_id, self.seed = line, site_id, seed
        self.pots, self.anode_count = line.pots, plant.design_of(line).anodes
        self.current_rated = plant.rated_current_ka(line) * 1e3
        self.size = self.current_rated / REFERENCE_CURRENT
        self.start_ns, self.time_s, self.steps = start_ns, 0.0, 0
        self.audit = False  # True: keep the ledger
        self.journal = Journal(start_ns)
        self.agenda = Agenda(start_ns, shift_starts_utc(site.shift_starts, start_ns, site.zone()))
        self.rectifier = Rectifier(line, self.current_rated, seed, start_ns * 1e-9, site.zone())
        self._make_pots(tuning)
        begin(self, np.random.default_rng([seed, 4]))

    def _make_pots(self, tuning: Tuning) -> None:
        pots, anodes, seed, size = self.pots, self.anode_count, self.seed, self.size
        p = self.p = draw(pots, self.current_rated, np.random.default_rng([seed, 0]))
        self.state = zeros(pots, anodes)
        self.effects = neutral(pots, anodes)
        self.ledger = Ledger(pots)
        self.control = Controller(pots, p, self.current_rated, self.journal, tuning)
        self.alumina = Alumina(pots, p)
        self.anodes = Anodes(anodes, pots, p)
        self.electric = Electric(p, anodes)
        self.thermal = Thermal(pots, p, size)
        self.noise = Noise(pots, p, size, np.random.default_rng([seed, 1]))
        self.effect = AnodeEffect(pots, p, seed, self.current_rated, np.random.default_rng([seed, 2]))
        self.wander = Wander(pots, np.random.default_rng([seed, 7]))
        self.rounds = Rounds(self)
        self.measurements = Measurements(self)
        self.causes = Causes(self, ())
        self.bath: Bath
        self.dosing: Dosing
        self.normal_sludge = np.ones(pots)  # kg, at the start
        self.rates = np.zeros_like(self.state.drift)  # per s, of the states in `drift`
        self.gain = p.feeder_gain.copy()  # true over commanded alumina
        self.power = np.zeros(pots)  # W into every pot in the last step
        self.measured = np.zeros(pots)  # V, what the pot's voltmeter showed in the last step
        self._moved = np.zeros_like(self.state.drift)
        self._voltage_sum = np.zeros(pots)  # V, since the sensors last asked
        self._voltage_count = 0
        self._slow_left = SLOW_STEP

    @classmethod
    def of(
        cls,
        plant: Plant,
        line: Line,
        site_id: str,
        *,
        seed: int,
        start_ns: int,
        cause_schedule: Sequence[Cause] = (),
        tuning: Tuning | None = None,
    ) -> Potline:
        """A line in mid-operation at `start_ns`; the same arguments give the same line bit for bit.

        Raises ValueError for a schedule that does not fit the line.
        """
        potline = cls(plant, line, site_id, seed=seed, start_ns=start_ns, tuning=tuning or Tuning())
        potline.causes = Causes(potline, cause_schedule)
        return potline

    @property
    def now_ns(self) -> int:
        """Time of the step just made [ns since 1970, UTC]."""
        return self.journal.at(self.time_s)

    def step(self, dt_s: float = 1.0) -> None:
        """Advance by dt_s: one second, or another whole part of five seconds."""
        if dt_s <= 0.0 or 5.0 % dt_s:
            raise ValueError(f"a step of {dt_s} s does not divide the controllers' five seconds")
        state, bath, alumina, effects = self.state, self.bath, self.alumina, self.effects
        self.ledger.clear()
        if self.audit:
            self.ledger.open(self)
        self.steps += 1
        self.time_s += dt_s
        current = self.rectifier.step(float(state.effect_voltage.sum()), effects, dt_s)
        alumina.step(state, self.control.feed(dt_s), self.gain, self.control.by_hand, current, bath, dt_s)
        self.control.by_hand.fill(0.0)
        state.metal -= self.rounds.tap_rate * dt_s
        np.multiply(self.rates, dt_s, out=self._moved)
        state.drift += self._moved
        bath.weigh(state)
        bath.dissolve(state)
        quenched = self.control.mode == QUENCH
        effect = self.effect.step(state, bath, current, alumina.efficiency, quenched, dt_s)
        self.electric.step(state, bath, current, self.anodes.excess, effect)
        np.multiply(self.electric.internal, current, out=self.power)
        self.power -= self.effect.gas(state, current)
        self.thermal.step(state, bath, self.power, alumina.made, alumina.heated, dt_s)
        self.rectifier.meter(float(self.electric.total.sum()), effects, dt_s)
        np.add(self.electric.total, self.noise.step(state, dt_s), out=self.measured)
        self.measured += effects.voltage_bias
        self._voltage_sum += self.measured
        self._voltage_count += 1
        for pot in self.control.see(state, self.measured, current, self.time_s, dt_s):
            self.rounds.quench(self.time_s, pot)
        if self.audit:
            self.ledger.record(self, dt_s)
        self._slow_left -= dt_s
        if self._slow_left <= 0.0:
            self._slow_left = SLOW_STEP
            self._slow()

    def _slow(self) -> None:
        """Crews, causes, lumps, then new rates for the coming ten seconds, then the controllers' decisions."""
        state, now, current = self.state, self.time_s, self.rectifier.current
        self.rounds.mean_current += (current - self.rounds.mean_current) * (SLOW_STEP / DAY)
        self.agenda.run(now)
        for _, _, pot, name, value in self.journal.arrive(now):
            self.dosing.learn(pot, name, value)
        self.wander.slow(SLOW_STEP)
        self.causes.apply(now)
        self.dosing.slow(state, self.bath, self.effects, current, self.alumina.efficiency, SLOW_STEP)
        self._lumps()
        self.bath.refresh(state)
        self.refresh_rates(SLOW_STEP)
        self.ledger.lump("carbon", slice(None), -self.anodes.burned)
        state.cathode_age += SLOW_STEP / DAY
        self.control.decide(state, self.noise.sigma_wave, self.effects.voltage_set, current, now, SLOW_STEP)
        self.rectifier.slow(self.now_ns * 1e-9)

    def _lumps(self) -> None:
        """AlF3 that falls into the bath now; bath added cold or taken off."""
        state, ledger, everywhere = self.state, self.ledger, slice(None)
        warm = HEAT_BATH * (state.temperature - DATUM)
        added = self.dosing.added
        if added.any():
            state.alf3 += added
            state.cold += added * COLD_DOSE
            ledger.lump("alf3", everywhere, added)
            ledger.lump("energy", everywhere, added * (warm - COLD_DOSE))
        flow = self.measurements.bath_flow * SLOW_STEP
        if flow.any():
            bath = state.cryolite + state.alf3 + self.bath.additives + state.dissolved
            part = flow / bath
            heat = np.maximum(flow, 0.0) * COLD_DOSE
            ledger.lump("alumina", everywhere, state.dissolved * part)
            ledger.lump("alf3", everywhere, state.alf3 * part)
            ledger.lump("energy", everywhere, flow * warm - heat)
            state.cold += heat
            factor = 1.0 + part
            state.dissolved *= factor
            state.drift[:2] *= factor  # cryolite, AlF3
            state.additives *= factor

    def refresh_rates(self, dt: float) -> None:
        """Everything that stays the same until the next slow step, dt from now."""
        state, bath, effects, p = self.state, self.bath, self.effects, self.p
        current = self.rectifier.current
        self.noise.slow(state, bath, effects, self.normal_sludge, dt)
        quiet = current_efficiency(np.clip(bath.superheat, *SUPERHEATS), bath.alf3, bath.lif, p.dewing)
        quiet -= wave_loss(p.wave_loss, self.noise.sigma_wave)
        quiet -= SHORT_LOSS * self.anodes.shorted
        np.clip(quiet, *EFFICIENCIES, out=self.alumina.efficiency)
        np.multiply(p.feeder_gain * self.wander.shot, effects.feed_gain, out=self.gain)
        self.alumina.slow(state, bath, effects, self.wander.mud)
        self.electric.age(state, effects, self.normal_sludge)
        self.anodes.slow(state, bath, effects, current, dt)
        self.thermal.slow(state, bath, effects, self.wander.cover, self.effect.gas(state, current), SLOW_STEP)
        melting, dosing = self.thermal.melting, self.dosing
        cryolite, alf3, ledge, wall, distance, cold, lining = self.rates
        np.subtract(melting, CRYOLITE_PER_VAPOUR * dosing.vapour, out=cryolite)
        cryolite += dosing.by_soda * (CRYOLITE_PER_SODA / ALF3_PER_SODA)
        np.add(dosing.vapour, dosing.by_soda, out=alf3)
        np.negative(alf3, out=alf3)
        np.negative(melting, out=ledge)
        wall[:] = self.thermal.shell
        lining[:] = self.thermal.soaking
        rise = METAL_PER_COULOMB * current / (METAL_DENSITY * p.cathode_area) * self.alumina.efficiency
        np.subtract(self.anodes.wear, rise, out=distance)
        np.negative(self.thermal.q_cold, out=cold)

    def take_voltage(self) -> Floats:
        """Mean measured voltage since the last call [V]: what a message of this sample period carries."""
        if not self._voltage_count:
            return self.measured.copy()
        mean: Floats = self._voltage_sum / self._voltage_count
        self._voltage_sum.fill(0.0)
        self._voltage_count = 0
        return mean

    def truth(self) -> dict[str, Floats]:
        """How every pot really is, one array (pots,) each; names carry the unit. Never published beside sensors."""
        return truth(self)

    def balance(self) -> dict[str, Floats]:
        """Relative residuals of the last step (needs `audit`): alumina, AlF3, metal, carbon, energy."""
        return self.ledger.balance(self)
