"""What is wrong right now: one neutral value for everything a cause may change; the physics and the sensors read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.instruments import TELEMETRY
from twin.frames import Floats

__all__ = ["Effects", "neutral"]


@dataclass(slots=True)
class Effects:
    """Neutral unless a cause is at work. Factors are 1, offsets 0, masks False."""

    # process, (pots,)
    feed_gain: Floats  # factor on the mass that a commanded shot delivers
    settling: Floats  # added share of the slow alumina that sinks
    redissolving: Floats  # factor on how fast sludge dissolves
    alf3_gain: Floats  # factor on the AlF3 that a commanded dose delivers
    top_loss: Floats  # factor on the heat lost through cover and hood
    ledge_transfer: Floats  # factor on heat transfer from bath to ledge
    wall_local: Floats  # factor on the heat flow at the hottest shell point
    voltage_set: Floats  # V added to the target
    r_cathode: Floats  # factor on the cathode's resistance
    bar_temperature: Floats  # K added at the hottest collector bar
    wave: Floats  # factor on the metal wave
    bubbles: Floats  # factor on bubble noise
    iron: Floats  # ppm added to the metal
    # process, (anodes, pots)
    connection: Floats  # factor on an anode's own resistance
    spike: Floats  # m by which a spike bridges the distance under an anode
    # sensors
    voltage_bias: Floats  # V
    thermocouple_bias: Floats  # K
    stuck: NDArray[np.bool_]  # (signals, pots)
    clock: Floats  # s that the pot's clock is ahead
    offline: NDArray[np.bool_]  # (pots,) behind a gateway that does not answer
    # line
    rectifier_loss: float = 0.0  # added share of AC power lost
    tap_scale: float = 1.0  # factor on the weight that the ladle scale shows
    current: float = 1.0  # factor on the current set-point
    ac_meter: float = 1.0
    dc_meter: float = 1.0
    auxiliary_meter: float = 1.0

    def reset(self) -> None:
        """Back to neutral, in place."""
        for name in ONES:
            getattr(self, name).fill(1.0)
        for name in ZEROS:
            getattr(self, name).fill(0.0)
        self.rectifier_loss = 0.0
        self.current = self.tap_scale = self.ac_meter = self.dc_meter = self.auxiliary_meter = 1.0


ONES = (
    *("feed_gain", "redissolving", "alf3_gain", "top_loss", "ledge_transfer", "wall_local", "r_cathode", "wave"),
    *("bubbles", "connection"),
)
ZEROS = (
    *("settling", "voltage_set", "bar_temperature", "iron", "spike", "voltage_bias", "thermocouple_bias", "stuck"),
    *("clock", "offline"),
)


def neutral(pots: int, anodes: int) -> Effects:
    """Nothing wrong anywhere."""
    shapes = {"connection": (anodes, pots), "spike": (anodes, pots), "stuck": (len(TELEMETRY), pots)}
    masks = {"stuck", "offline"}
    arrays: dict[str, Any] = {
        name: np.zeros(shapes.get(name, (pots,)), bool if name in masks else float) for name in (*ONES, *ZEROS)
    }
    effects = Effects(**arrays)
    effects.reset()
    return effects
