"""State of a potline: plain arrays (pots,) or (anodes, pots); everything that changes while a pot runs.

`drift` holds the states whose rates stay the same for ten seconds in one block, so that a step moves them all with
one addition; the named attributes are views of its rows. SI throughout, composition as masses in kg.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from twin.frames import Floats

__all__ = ["ADDITIVES", "DRIFT", "State", "zeros"]

DRIFT = ("cryolite", "alf3", "ledge", "wall", "distance", "cold", "lining")
ADDITIVES = ("caf2", "mgf2", "lif", "kf")


@dataclass(slots=True)
class State:
    """All that a checkpoint of the pots needs."""

    # kg of alumina: dissolved in the bath, floating undissolved, lying under the metal
    dissolved: Floats
    undissolved: Floats
    sludge: Floats
    metal: Floats  # kg
    additives: Floats  # (4, pots) kg, rows as ADDITIVES
    temperature: Floats  # K, bath
    beam: Floats  # m, larger = lower
    drift: Floats  # (7, pots), rows as DRIFT
    # one row per anode
    gap: Floats  # m, distance of this anode less the pot's mean distance
    height: Floats  # m of carbon left
    age: Floats  # s since it was set
    # bubbles, metal wave (complex amplitude), anode effect
    wave: NDArray[np.complex128]
    effect: NDArray[np.bool_]
    effect_age: Floats  # s of quench in this anode effect
    effect_voltage: Floats  # V above the normal voltage
    cathode_age: Floats  # d since start-up

    # views of the rows of drift
    cryolite: Floats = field(init=False)  # kg in the bath
    alf3: Floats = field(init=False)  # kg of excess AlF3 in the bath
    ledge: Floats = field(init=False)  # kg of frozen cryolite at the side wall
    wall: Floats = field(init=False)  # K, shell at its hottest point
    distance: Floats = field(init=False)  # m, mean distance from anode to metal (ACD)
    cold: Floats = field(init=False)  # J that new anodes and cold additions still have to take up
    lining: Floats = field(init=False)  # K, cathode blocks and anodes: what follows the bath within hours

    def __post_init__(self) -> None:
        for name, row in zip(DRIFT, self.drift, strict=True):
            setattr(self, name, row)

    def __getstate__(self) -> dict[str, object]:
        return {item.name: getattr(self, item.name) for item in fields(self) if item.init}

    def __setstate__(self, kept: dict[str, object]) -> None:
        """A copy or checkpoint: the rows of drift must be views of it again."""
        for name, value in kept.items():
            setattr(self, name, value)
        self.__post_init__()


def zeros(pots: int, anodes: int) -> State:
    """A state of the right shapes."""

    def line() -> Floats:
        return np.zeros(pots)

    def each() -> Floats:
        return np.zeros((anodes, pots))

    return State(
        dissolved=line(),
        undissolved=line(),
        sludge=line(),
        metal=line(),
        additives=np.zeros((len(ADDITIVES), pots)),
        temperature=line(),
        beam=line(),
        drift=np.zeros((len(DRIFT), pots)),
        gap=each(),
        height=each(),
        age=each(),
        wave=np.zeros(pots, np.complex128),
        effect=np.zeros(pots, bool),
        effect_age=line(),
        effect_voltage=line(),
        cathode_age=line(),
    )
