"""Potline: all pots of one line and their rectifier, step by step.

Fast things (current, alumina, voltage, anode effects, temperature, noise) move every step. Every ten seconds a slow
step refreshes what changes slowly (composition, liquidus, efficiency, anode shares, heat flows) and lets controllers
and crews act. Between slow steps these rates stay the same and are still integrated every step, so that mass and
energy close in every single step.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from simulators.alumina import Alumina
from simulators.anode_effect import AnodeEffect
from simulators.anodes import Anodes
from simulators.bath import Bath
from simulators.causes import Cause, Causes
from simulators.controller import Controller, Tuning
from simulators.dosing import ALF3_PER_SODA, COLD_DOSE, CRYOLITE_PER_SODA, CRYOLITE_PER_VAPOUR, Dosing
from simulators.effects import neutral
from simulators.electric import Electric
from simulators.journal import Journal
from simulators.ledger import Ledger
from simulators.noise import Noise
from simulators.parameters import REFERENCE_CURRENT, draw
from simulators.rectifier import Rectifier
from simulators.rounds import Rounds
from simulators.start import feed_phase, fill_anodes, fill_bath, fill_heat, meet_target
from simulators.state import zeros
from simulators.thermal import DATUM, HEAT_BATH, Thermal
from twin.frames import Floats
from twin.physics.efficiency import current_efficiency
from twin.physics.faraday import METAL_PER_COULOMB
from twin.plant import Line, Plant

__all__ = ["SLOW_STEP", "Potline"]

SLOW_STEP = 10.0  # s
METAL_DENSITY = 2300.0  # kg/m3 of liquid metal
SHORT_LOSS = 0.5  # of the current through anodes that touch the metal is lost (U)


class Potline:
    """One potline. `step` advances it; `truth` says how it is; a `Sensors` says what instruments make of it."""

    def __init__(self, plant: Plant, line: Line, site_id: str, seed: int, start_ns: int, tuning: Tuning) -> None:
        site = next(site for site in plant.sites if site.id == site_id)
        self.line, self.site_id, self.seed = line, site_id, seed
        self.pots = line.pots
        self.anode_count = plant.design_of(line).anodes
        self.current_rated = plant.rated_current_ka(line) * 1e3
        self.size = self.current_rated / REFERENCE_CURRENT
        self.start_ns = start_ns
        self.time_s = 0.0
        self.steps = 0
        rngs = [np.random.default_rng([seed, n]) for n in range(3)]
        pots, anodes = self.pots, self.anode_count
        self.p = draw(pots, self.current_rated, rngs[0])
        self.state = zeros(pots, anodes)
        self.effects = neutral(pots, anodes)
        self.journal = Journal(start_ns)
        self.ledger = Ledger(pots)
        self.audit = False
        self.rectifier = Rectifier(line, self.current_rated, seed, start_ns * 1e-9, site.zone())
        self.control = Controller(pots, self.p, self.current_rated, self.journal, tuning)
        self.alumina = Alumina(pots, self.p)
        self.anodes = Anodes(anodes, pots, self.p)
        self.electric = Electric(self.p, anodes)
        self.thermal = Thermal(pots, self.p, self.size)
        self.noise = Noise(pots, self.p, self.size, rngs[1])
        self.effect = AnodeEffect(pots, self.p, seed, self.current_rated, rngs[2])
        self.rounds = Rounds(self, _shift_starts(site.shift_starts, start_ns, site.zone()))
        self.rates = np.zeros_like(self.state.drift)
        self._moved = np.zeros_like(self.state.drift)
        self.gain = self.p.feeder_gain.copy()
        self.power = np.zeros(pots)  # W into every pot in the last step
        self.measured = np.zeros(pots)  # V, what the pot's voltmeter showed in the last step
        self.voltage_sum = np.zeros(pots)  # V, since the sensors last asked
        self.voltage_count = 0
        self._slow_left = SLOW_STEP
        self._begin(np.random.default_rng([seed, 4]))

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
        """A line in mid-operation at `start_ns`; the same seed gives the same line bit for bit."""
        potline = cls(plant, line, site_id, seed, start_ns, tuning or Tuning())
        potline.causes = Causes(potline, cause_schedule)
        return potline

    def _begin(self, rng: np.random.Generator) -> None:
        self.causes = Causes(self, ())
        balance = fill_bath(self, rng)
        fill_anodes(self, rng)
        fill_heat(self, balance)
        self.bath = Bath(self.state, self.p)
        self.normal_sludge = self.state.sludge.copy()
        self.dosing = Dosing(self.p, self.current_rated, self.size, balance)
        self.electric.age(self.state, self.effects, self.normal_sludge)
        meet_target(self)
        feed_phase(self)
        self._rates(0.0)
        self.control.decide(self.state, self.noise.sigma_wave, self.effects.voltage_set, self.current_rated, 0.0, 0.0)
        self.rectifier.slow(self.start_ns * 1e-9)

    @property
    def now_ns(self) -> int:
        """Time of the step just made [ns since 1970, UTC]."""
        return self.journal.at(self.time_s)

    def step(self, dt_s: float = 1.0) -> None:
        """Advance by dt_s: one second, or a whole part of five seconds."""
        if 5.0 % dt_s:
            raise ValueError(f"a step of {dt_s} s does not divide the controllers' five seconds")
        state, bath, alumina = self.state, self.bath, self.alumina
        self.ledger.clear()
        if self.audit:
            self.ledger.open(self)
        self.steps += 1
        self.time_s += dt_s
        current = self.rectifier.step(float(state.effect_voltage.sum()), self.effects, dt_s)
        shots = self.control.feed(dt_s)
        alumina.step(state, shots, self.gain, self.control.by_hand, current, bath, dt_s)
        self.control.by_hand.fill(0.0)
        state.metal -= self.rounds.tap_rate * dt_s
        np.multiply(self.rates, dt_s, out=self._moved)
        state.drift += self._moved
        bath.weigh(state)
        bath.dissolve(state)
        effect = self.effect.step(state, bath, current, alumina.efficiency, dt_s)
        self.electric.step(state, bath, current, self.anodes.excess, effect)
        np.multiply(self.electric.internal, current, out=self.power)
        self.power -= self.effect.gas(state, current)
        self.thermal.step(state, bath, self.power, alumina.made, alumina.heated, dt_s)
        self.rectifier.meter(float(self.electric.total.sum()), self.effects, dt_s)
        np.add(self.electric.total, self.noise.step(state, dt_s), out=self.measured)
        self.measured += self.effects.voltage_bias
        self.voltage_sum += self.measured
        self.voltage_count += 1
        self.control.see(state, self.measured, current, self.time_s, dt_s)
        if self.audit:
            self.ledger.record(self, dt_s)
        self._slow_left -= dt_s
        if self._slow_left <= 0.0:
            self._slow_left = SLOW_STEP
            self._slow()

    def _slow(self) -> None:
        """Crews, causes, lumps, then new rates for the coming ten seconds, then the controllers' decisions."""
        self.rounds.run(self.time_s)
        for _, _, pot, name, value in self.journal.arrive(self.time_s):
            self.dosing.learn(pot, name, value)
        self.causes.apply(self.time_s)
        state = self.state
        self.dosing.slow(state, self.bath, self.effects, self.rectifier.current, self.alumina.efficiency, SLOW_STEP)
        self._lumps()
        self.bath.refresh(state)
        self._rates(SLOW_STEP)
        self.ledger.lump("carbon", slice(None), -self.anodes.burned)
        state.cathode_age += SLOW_STEP / 86400.0
        self.control.decide(
            state, self.noise.sigma_wave, self.effects.voltage_set, self.rectifier.current, self.time_s, SLOW_STEP
        )
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
        flow = self.rounds.bath_flow * SLOW_STEP
        if flow.any():
            part = flow / self.bath.mass
            ledger.lump("alumina", everywhere, state.dissolved * part)
            ledger.lump("alf3", everywhere, state.alf3 * part)
            heat = np.maximum(flow, 0.0) * COLD_DOSE
            ledger.lump("energy", everywhere, flow * warm - heat)
            state.cold += heat
            factor = 1.0 + part
            state.dissolved *= factor
            state.drift[:2] *= factor  # cryolite, AlF3
            state.additives *= factor

    def _rates(self, dt: float) -> None:
        """Everything that stays the same until the next slow step."""
        state, bath, effects, p = self.state, self.bath, self.effects, self.p
        current = self.rectifier.current
        self.noise.slow(state, effects, self.normal_sludge, dt)
        quiet = current_efficiency(np.clip(bath.superheat, -5.0, 40.0), bath.alf3, bath.lif, p.dewing)
        quiet -= p.wave_loss * 1e3 * self.noise.sigma_wave
        quiet -= SHORT_LOSS * self.anodes.shorted
        self.alumina.efficiency[:] = np.clip(quiet, 0.3, 0.98)
        np.multiply(p.feeder_gain, effects.feed_gain, out=self.gain)
        self.gain *= self.rounds.hang
        self.alumina.slow(state, bath, effects)
        self.electric.age(state, effects, self.normal_sludge)
        self.anodes.slow(state, bath, effects, current, dt)
        self.thermal.slow(state, bath, effects, SLOW_STEP)
        melting, dosing = self.thermal.melting, self.dosing
        cryolite, alf3, ledge, wall, distance, cold = self.rates
        rise = METAL_PER_COULOMB * current / (METAL_DENSITY * p.cathode_area) * self.alumina.efficiency
        np.subtract(melting, CRYOLITE_PER_VAPOUR * dosing.vapour, out=cryolite)
        cryolite += dosing.by_soda * (CRYOLITE_PER_SODA / ALF3_PER_SODA)
        np.add(dosing.vapour, dosing.by_soda, out=alf3)
        np.negative(alf3, out=alf3)
        np.negative(melting, out=ledge)
        wall[:] = self.thermal.shell
        np.subtract(self.anodes.wear, rise, out=distance)
        np.negative(self.thermal.q_cold, out=cold)

    def take_voltage(self) -> Floats:
        """Mean measured voltage since the last call [V]: what a message of this sample period carries."""
        if not self.voltage_count:
            return self.measured.copy()
        mean: Floats = self.voltage_sum / self.voltage_count
        self.voltage_sum.fill(0.0)
        self.voltage_count = 0
        return mean

    def balance(self) -> dict[str, Floats]:
        """Relative residuals of the last step (needs `audit`): alumina, AlF3, metal, carbon, energy."""
        return self.ledger.balance(self)

    def truth(self) -> dict[str, Floats]:
        """How every pot really is, one array (pots,) each; names carry the unit. Never published beside sensors."""
        state, bath = self.state, self.bath
        return {
            "alumina_wt_pct": bath.alumina.copy(),
            "undissolved_kg": state.undissolved.copy(),
            "sludge_kg": state.sludge.copy(),
            "excess_alf3_wt_pct": bath.alf3.copy(),
            "bath_kg": bath.mass.copy(),
            "metal_kg": state.metal.copy(),
            "temperature_k": state.temperature.copy(),
            "liquidus_k": bath.liquidus.copy(),
            "superheat_k": state.temperature - bath.liquidus,
            "ledge_m": self.thermal.thickness(state),
            "wall_k": state.wall.copy(),
            "distance_m": state.distance.copy(),
            "voltage_v": self.electric.total.copy(),
            "efficiency": self.alumina.efficiency.copy(),
            "metal_wave_v": self.noise.sigma_wave.copy(),
            "bubble_noise_v": self.noise.sigma_bubbles.copy(),
            "cathode_drop_v": self.electric.r_cathode * self.rectifier.current,
            "anode_current_max_a": self.anodes.largest * (self.rectifier.current / self.anode_count),
            "anode_current_min_a": self.anodes.smallest * (self.rectifier.current / self.anode_count),
            "anode_effect": state.effect.astype(float),
            "anode_effects": self.effect.count.astype(float),
        }


def _shift_starts(starts: Sequence[str], start_ns: int, zone: ZoneInfo) -> list[float]:
    """Starts of the shifts as seconds of the UTC day, at the offset in force at the start."""
    offset = datetime.fromtimestamp(start_ns // 1_000_000_000, UTC).astimezone(zone).utcoffset()
    ahead = offset.total_seconds() if offset else 0.0
    return [(int(text[:2]) * 3600.0 + int(text[3:]) * 60.0 - ahead) % 86400.0 for text in starts]
