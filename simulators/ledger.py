"""Ledger: what went in and out of every pot in the last step, against what it holds more than before.

The flows are written down where they happen, the stocks are read from the state: when the two disagree, something
was made from nothing. Read with `balance`; kept only while `Potline.audit` is on, because it costs time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulators.thermal import DATUM, HEAT_BATH, HEAT_METAL, LATENT, LINING
from twin.frames import Floats
from twin.physics.heat import FEED_HEATING_ENERGY, REACTION_ENERGY

if TYPE_CHECKING:
    from simulators.potline import Potline

__all__ = ["KINDS", "Ledger"]

STILL = 1e-3  # kg or J; below it a flow is no flow (AlF3 moves 1 g/s)
KINDS = ("alumina", "alf3", "metal", "carbon", "energy")


class Ledger:
    """Stocks (kinds, pots) before the step; `lumps` are flows that come at once: doses, new anodes, butts, bath."""

    def __init__(self, pots: int) -> None:
        self.before = {kind: np.zeros(pots) for kind in KINDS}
        self.lumps = {kind: np.zeros(pots) for kind in KINDS}
        self.flows = {kind: np.zeros(pots) for kind in KINDS}  # in less out, but for lumps
        self.through = {kind: np.zeros(pots) for kind in KINDS}
        self.temperature = np.zeros(pots)  # K, before the step
        self._dirty = False

    def lump(self, kind: str, pot: int | slice, amount: float | Floats) -> None:
        """Something came in at once (out when negative)."""
        self.lumps[kind][pot] += amount
        self._dirty = True

    def clear(self) -> None:
        """A new step begins."""
        if self._dirty:
            for lump in self.lumps.values():
                lump.fill(0.0)
            self._dirty = False

    def open(self, line: Potline) -> None:
        """Read the stocks before a step."""
        self.before = stocks(line)
        self.temperature = line.state.temperature.copy()

    def record(self, line: Potline, dt: float) -> None:
        """Write down the flows of this step, before the slow step changes the rates."""
        alumina, thermal, drift = line.alumina, line.thermal, line.rates
        tapped = line.rounds.tap_rate * dt
        into_bath = alumina.dissolved_flow() + (drift[0] + drift[1]) * dt
        carried = (HEAT_BATH * into_bath + HEAT_METAL * (alumina.made - tapped)) * (self.temperature - DATUM)
        used = alumina.made * REACTION_ENERGY + alumina.heated * FEED_HEATING_ENERGY
        lost = (thermal.q_top + thermal.q_bottom + thermal.q_side + thermal.q_melt) * dt
        electric = line.power * dt
        self.flows = {
            "alumina": alumina.delivered - alumina.consumed,
            "alf3": drift[1] * dt,
            "metal": alumina.made - tapped,
            "carbon": np.zeros(line.pots),
            "energy": electric + carried - used - lost,
        }
        self.through = {
            "alumina": alumina.consumed + alumina.delivered,
            "alf3": np.abs(drift[1]) * dt,
            "metal": alumina.made + tapped,
            "carbon": np.zeros(line.pots),
            "energy": electric + used + lost,
        }

    def balance(self, line: Potline) -> dict[str, Floats]:
        """(stock after - stock before - flows) over what went through, for each kind and pot."""
        after, residual = stocks(line), {}
        for kind in KINDS:
            error = after[kind] - self.before[kind] - self.flows[kind] - self.lumps[kind]
            through = self.through[kind] + np.abs(self.lumps[kind])
            residual[kind] = error / np.maximum(through, STILL)
        return residual


def stocks(line: Potline) -> dict[str, Floats]:
    """What every pot holds: kg, and J of enthalpy counted from molten bath and metal at the datum."""
    state = line.state
    capacity = HEAT_BATH * line.bath.mass + HEAT_METAL * state.metal
    return {
        "alumina": state.dissolved + state.undissolved + state.sludge,
        "alf3": state.alf3.copy(),
        "metal": state.metal.copy(),
        "carbon": line.anodes.mass(state),
        "energy": capacity * (state.temperature - DATUM)
        + (LINING * line.size) * (state.lining - DATUM)
        - LATENT * state.ledge
        - state.cold,
    }
