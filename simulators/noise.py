"""Voltage noise: gas bubbles (about 1 Hz, white at one-second averages) and the metal wave (0.008-0.05 Hz)."""

from __future__ import annotations

import numpy as np

from simulators.bath import Bath
from simulators.effects import Effects
from simulators.parameters import Parameters
from simulators.state import State
from twin.frames import Floats

__all__ = ["Noise", "wave_loss"]

WAVE_WORST = 0.030  # V of metal wave beyond which more of it costs less and less (U)
WAVE_MEMORY = 180.0  # s after which a wave has lost its phase (U)
CLOSE = 0.036  # m; the wave grows as the distance falls below it (U)
CLOSE_GAIN = 250.0  # 1/m (U)
NEW_ANODE = 0.8  # by which the noise rises just after an anode change (U), gone in a day (page 6)
NEW_ANODE_TIME = 86400.0  # s, page 6
STARVED = 0.25  # wt% above the anode-effect limit below which bubbles grow restless (U)
STARVED_GAIN = 0.5  # by which their noise has grown at the limit (U)
SLUDGE = 400.0  # kg of sludge at which the wave has doubled (U), scales with the pot


class Noise:
    """`sigma_bubbles`, `sigma_wave` [V] now; `voltage` [V] of the last step."""

    def __init__(self, pots: int, p: Parameters, size: float, rng: np.random.Generator) -> None:
        self.p = p
        self.size = size
        self.rng = rng
        self.disturbed = np.zeros(pots)  # 1 just after an anode change, fading over a day
        self.sigma_bubbles = p.bubble_noise.copy()
        self.sigma_wave = p.wave_noise.copy()
        self.voltage = np.zeros(pots)
        self._dt = 0.0
        self._normal = np.zeros((3, pots))
        self._turn = np.zeros(pots, complex)
        self._kick = 0.0

    def slow(self, state: State, bath: Bath, effects: Effects, normal_sludge: Floats, dt: float) -> None:
        """Strengths for the coming slow step."""
        p = self.p
        self.disturbed *= np.exp(-dt / (NEW_ANODE_TIME / 3.0))
        unrest = 1.0 + NEW_ANODE * np.minimum(self.disturbed, 1.5)
        starved = np.clip(1.0 - (bath.alumina - p.alumina_ae) / STARVED, 0.0, 1.0)
        self.sigma_bubbles = p.bubble_noise * (0.9 + 0.1 * unrest + STARVED_GAIN * starved) * effects.bubbles
        close = 1.0 + np.maximum(CLOSE - state.distance, 0.0) * CLOSE_GAIN
        muddy = 1.0 + np.maximum(state.sludge - normal_sludge, 0.0) * (1.0 / (SLUDGE * self.size))
        self.sigma_wave = p.wave_noise * unrest * close * muddy * effects.wave

    def step(self, state: State, dt: float) -> Floats:
        """Noise voltage of this step [V]."""
        if dt != self._dt:
            self._dt = dt
            self._turn = np.exp((2j * np.pi * self.p.wave_frequency - 1.0 / WAVE_MEMORY) * dt)
            self._kick = float(np.sqrt(1.0 - np.exp(-2.0 * dt / WAVE_MEMORY)))
        normal = self.rng.standard_normal(out=self._normal)
        wave = state.wave
        wave *= self._turn
        normal[1:] *= self._kick
        wave.real += normal[1]
        wave.imag += normal[2]
        np.multiply(self.sigma_wave, wave.real, out=self.voltage)
        normal[0] *= self.sigma_bubbles
        normal[0] *= dt**-0.5
        self.voltage += normal[0]
        return self.voltage


def wave_loss(per_mv: Floats, wave: Floats) -> Floats:
    """Current efficiency lost to a metal wave [1]; `per_mv` holds for small waves [1/mV], `wave` in V."""
    loss: Floats = per_mv * 1e3 * wave / (1.0 + wave * (1.0 / WAVE_WORST))
    return loss
