"""Sensors: what instruments make of a potline: noise, steps, drop-outs, stuck values, drift, clocks, late delivery.

`Sensors(potline, seed).observe()` gives one `Observation` for the step just made, in rim units and signal names of
`twin.signals`; the truth stays in `Potline.truth()`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.instruments import READING, TELEMETRY
from simulators.journal import Event, Sample
from simulators.potline import Potline
from twin.frames import Floats, Ints
from twin.physics.control import BACK_EMF
from twin.units import KELVIN_AT_0_C, NS_PER_S

__all__ = ["Imperfection", "Observation", "Sensors"]

DAY = 86400.0
GAS_FLOW = 2.4  # m3/s of a 500 kA pot (U)
GAS_HEAT = 1210.0  # J/(m3 K) of air at duct temperature (U)
BAR = 0.30  # share of the bath's temperature above ambient left at the end of a collector bar (U)


@dataclass(frozen=True, slots=True)
class Imperfection:
    """How good instruments and transport are; rates are per reading. All U."""

    dropout: float = 2e-5  # a reading is missing (NaN)
    hang: float = 2e-8  # a reading sticks for a while
    hang_s: float = 900.0
    duplicate: float = 2e-5  # a pot's message arrives twice
    late: float = 2e-5  # a pot's message arrives late, behind later ones
    late_s: float = 8.0  # mean
    clock_s: float = 0.02  # standard deviation of the pots' clocks
    voltage_offset: float = 0.0015  # V, standard deviation between voltmeters
    thermocouple_offset: float = 1.0  # K, standard deviation between thermocouples
    thermocouple_drift: float = 0.02  # K/d, standard deviation


@dataclass(frozen=True, slots=True)
class Observation:
    """What sensors say about one step.

    time_ns: true time of the step; pot_time_ns (pots,): the time each pot's own clock puts on its message.
    telemetry: signal -> (pots,), rim unit, NaN = the reading is missing. line: signal -> number.
    events: (time_ns, pot, signal, value). samples: (time_ns of sampling, available_at_ns, pot, signal, value),
    handed out once they are available.
    duplicated (pots,): send this message twice. delay_s (pots,): send it that much later (0 = now).
    offline (pots,): the gateway of these pots does not answer: nothing of theirs can be sent now.
    """

    time_ns: int
    pot_time_ns: Ints
    telemetry: dict[str, Floats]
    line: dict[str, float]
    events: list[Event]
    samples: list[Sample]
    duplicated: NDArray[np.bool_]
    delay_s: Floats
    offline: NDArray[np.bool_]


class Sensors:
    """Instruments of one potline; every pot has its own offsets, drifts and clock."""

    def __init__(self, potline: Potline, seed: int, imperfection: Imperfection | None = None) -> None:
        self.potline = potline
        self.flaws = imperfection or Imperfection()
        self.rng = np.random.default_rng([seed, 6])
        pots = potline.pots
        own = self.rng.standard_normal((5, pots))
        self.clock = own[0] * self.flaws.clock_s
        self.voltage_offset = own[1] * self.flaws.voltage_offset
        self.thermo_offset = own[2] * self.flaws.thermocouple_offset
        self.thermo_drift = own[3] * self.flaws.thermocouple_drift
        self.gas_flow = GAS_FLOW * potline.size * (1.0 + 0.03 * own[4])
        self.thermo: Floats = potline.state.temperature.copy()
        self.values = np.zeros((len(TELEMETRY), pots))
        self.held = np.zeros((len(TELEMETRY), pots))
        self.stuck_until = np.zeros((len(TELEMETRY), pots))
        self.was_stuck = np.zeros((len(TELEMETRY), pots), bool)
        self.next_hang = 0.0
        self.last_s = potline.time_s
        self.sigma = np.array([READING[name][0] for name in TELEMETRY])[:, None]
        self.steps = np.rint(1.0 / np.array([READING[name][1] for name in TELEMETRY]))[:, None]  # per unit
        self.noisy = np.flatnonzero(self.sigma[:, 0] > 0.0)

    def observe(self) -> Observation:
        """Read every instrument for the step just made."""
        line = self.potline
        values = self.values
        self._read(values)
        rng = self.rng
        values[self.noisy] += self.sigma[self.noisy] * rng.standard_normal((len(self.noisy), line.pots))
        values *= self.steps
        np.rint(values, out=values)
        values /= self.steps
        self._stick(values)
        said = values.copy()
        self._drop(said)
        events, samples = line.journal.take()
        clock = self.clock + line.effects.clock
        self.last_s = line.time_s
        return Observation(
            time_ns=line.now_ns,
            pot_time_ns=line.now_ns + np.rint(clock * 1e3).astype(np.int64) * (NS_PER_S // 1000),
            telemetry=dict(zip(TELEMETRY, said, strict=True)),
            line=self._line(),
            events=events,
            samples=samples,
            duplicated=self._few(self.flaws.duplicate),
            delay_s=np.where(self._few(self.flaws.late), rng.exponential(self.flaws.late_s), 0.0),
            offline=line.effects.offline.copy(),
        )

    def _read(self, out: Floats) -> None:
        """True values at the instruments, in the order of TELEMETRY."""
        line = self.potline
        state, effects, control, thermal = line.state, line.effects, line.control, line.thermal
        current = line.rectifier.current
        elapsed = line.time_s - self.last_s
        voltage = line.take_voltage() + self.voltage_offset
        self.thermo += (state.temperature - self.thermo) * min(elapsed / 45.0, 1.0)
        drift = self.thermo_offset + self.thermo_drift * (line.time_s / DAY) + effects.thermocouple_bias
        per_anode = current / line.anode_count * 1e-3
        rows = (
            voltage,
            control.target,
            (voltage - BACK_EMF) / max(current, 0.02 * line.current_rated) * 1e6,
            control.slope * 60e9,
            line.noise.sigma_bubbles * 1e3,
            line.noise.sigma_wave * 1e3,
            self.thermo - KELVIN_AT_0_C + drift,
            state.wall - KELVIN_AT_0_C,
            (state.temperature - 303.15) * BAR + 30.0 + effects.bar_temperature,
            30.0 + thermal.gas / (self.gas_flow * GAS_HEAT),
            self.gas_flow,
            control.counter,
            line.dosing.counter,
            np.minimum(control.interval, DAY),
            control.mode,
            np.clip(state.beam, 0.0, 1.0) * 1e3,
            line.anodes.largest * per_anode,
            line.anodes.smallest * per_anode,
            line.anodes.spread * 100.0,
            line.electric.r_cathode * (current * 1e3),
        )
        for row, value in zip(out, rows, strict=True):
            row[:] = value

    def _stick(self, values: Floats) -> None:
        """Readings that hang keep their last value: some by chance, some by a cause."""
        now = self.potline.time_s
        if self.flaws.hang > 0.0:
            for _ in range(int(self.rng.poisson(self.flaws.hang * values.size))):
                row, pot = int(self.rng.integers(values.shape[0])), int(self.rng.integers(values.shape[1]))
                self.stuck_until[row, pot] = now + self.rng.exponential(self.flaws.hang_s)
                self.next_hang = max(self.next_hang, float(self.stuck_until[row, pot]))
        caused = self.potline.effects.stuck
        if now > self.next_hang and not caused.any():
            self.held[:] = values
            return
        stuck = caused | (self.stuck_until > now)
        np.copyto(self.held, values, where=~stuck)
        np.copyto(values, self.held, where=stuck)

    def _drop(self, values: Floats) -> None:
        count = int(self.rng.poisson(self.flaws.dropout * values.size))
        if count:
            values.reshape(-1)[self.rng.integers(values.size, size=count)] = np.nan

    def _few(self, rate: float) -> NDArray[np.bool_]:
        """A few pots, each with this probability."""
        pots = self.potline.pots
        chosen = np.zeros(pots, bool)
        count = int(self.rng.poisson(rate * pots))
        if count:
            chosen[self.rng.integers(pots, size=count)] = True
        return chosen

    def _line(self) -> dict[str, float]:
        line = self.potline
        rectifier = line.rectifier
        said = {
            "line_current_ka": round(rectifier.current * 1e-3 + 0.01 * float(self.rng.standard_normal()), 2),
            "line_voltage_v": round(rectifier.voltage + 0.05 * float(self.rng.standard_normal()), 1),
            "ac_energy_kwh": rectifier.ac.reading(),
            "dc_energy_kwh": rectifier.dc.reading(),
            "auxiliary_energy_kwh": rectifier.auxiliary.reading(),
        }
        for source, share in rectifier.power_mix(line.now_ns * 1e-9).items():
            said[f"power_{source}_pct"] = round(share, 1)
        return said
