"""What the books want of every quarter hour: the state at its end, put down where a late sample can still mend it.

A mark is a function of the belief after the last step of its quarter hour; when a late sample makes the window run
again, the marks on the way are written again, and `changed` says which, so that the books follow.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np

from twin.estimator.design import Design
from twin.estimator.drive import Narrow
from twin.estimator.model import dewing, melting
from twin.estimator.states import ALF3, ALUMINA, CAVITY, DISTANCE, METAL, ONSET, TEMPERATURE
from twin.estimator.voltage import FANNING, LEAST_GAP, MARGIN
from twin.frames import Floats, Ints
from twin.losses import above_target
from twin.physics.bubbles import bubble_thickness
from twin.physics.voltage import PotVoltage, pot_voltage

__all__ = ["MARKS", "PARTS", "Marks", "mark"]

PARTS = tuple(part.name for part in fields(PotVoltage))
# quiet: efficiency of the model without the pot's own offset [1]; parts, above_target [V]; metal [kg]
MARKS = ("quiet", *PARTS, "above_target", "metal")
LEAST_LOAD = 0.3  # of rated current; below it nothing is made and no part of the voltage means anything


@dataclass(slots=True)
class Marks:
    """Ring of the last quarter hours: `rows` (places, MARKS, pots), `cell` (places,) which quarter hour stands there.

    `changed`: quarter hours whose marks were written since the caller last cleared it.
    """

    rows: Narrow
    cell: Ints
    changed: set[int] = field(default_factory=set)

    @classmethod
    def empty(cls, places: int, pots: int) -> Marks:
        return cls(np.full((places, len(MARKS), pots), np.nan, np.float32), np.full(places, -1, np.int64))

    def put(self, cell: int, pots: Ints, values: Floats) -> None:
        """Write the marks (MARKS, pots) of some pots at the end of a quarter hour."""
        place = cell % len(self.cell)
        if self.cell[place] > cell:  # a re-run passes by quarter hours that are forgotten
            return
        if self.cell[place] != cell:
            self.rows[place], self.cell[place] = np.nan, cell
        self.rows[place][:, pots] = values
        self.changed.add(cell)

    def at(self, cell: int) -> Narrow | None:
        """Marks (MARKS, pots) of a quarter hour; None where it is not over, or forgotten."""
        place = cell % len(self.cell)
        return self.rows[place] if self.cell[place] == cell else None

    def grow(self, pots: int) -> None:
        """Make room for pots enrolled since."""
        extra = pots - self.rows.shape[2]
        self.rows = np.pad(self.rows, ((0, 0), (0, 0), (0, extra)), constant_values=np.nan)


def mark(design: Design, mean: Floats, current: Floats) -> Floats:
    """Marks (MARKS, pots) of beliefs `mean` (states, pots) at a line current (pots,) [A]."""
    load = np.where(current > LEAST_LOAD * design.rated_current, current, design.rated_current)
    onset = mean[ONSET]
    parts = pot_voltage(
        load, mean[TEMPERATURE], np.maximum(mean[ALUMINA], onset + MARGIN), mean[ALF3], design.caf2, design.mgf2,
        design.lif, mean[DISTANCE], anode_area=design.anode_area, anodes=design.anodes,
        cathode_area=design.cathode_area, r_anode=design.r_anode, r_cathode=design.r_cathode,
        r_external=design.r_external, alumina_ae=onset, fanning=FANNING,
    )  # fmt: skip
    layer: Floats = bubble_thickness(load / (FANNING * design.anode_area))
    distance = np.maximum(mean[DISTANCE], layer + LEAST_GAP)
    over: Floats = above_target(parts.bath, distance, design.mean[DISTANCE], layer)
    quiet = dewing(design, mean, melting(design, mean))
    return np.array([quiet, *(getattr(parts, name) for name in PARTS), over, mean[METAL] * (1.0 + mean[CAVITY])])
