"""Everything the features remember: explicit, bounded per pot, to bytes and back bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import PayloadError
from twin.features.gather import Gathered
from twin.features.memory import Means
from twin.features.table import LINE_QUANTITIES, PLAIN, QUANTITIES, VERSION
from twin.frames import Floats, Ints
from twin.packing import pack, unpack
from twin.signals import of_topic

__all__ = ["RING", "RING_MIN", "SINCE", "Remembered", "from_bytes", "to_bytes"]

KIND = f"smelter-twin features {VERSION}"
RING, RING_MIN = 24, 10  # thermocouple means kept, and minutes between them: 4 h for what is measured by hand
SINCE = ("tap", "anode", "raise", "effect")
TELEMETRY = np.array(of_topic("telemetry"))
METERS = ("ac_energy_kwh", "dc_energy_kwh", "auxiliary_energy_kwh")
assert {f"since_{name}" for name in SINCE} <= {row.name for row in PLAIN}


class Remembered:
    """`gathered` of the minute being gathered, over units; what follows over pots or lines in the tracker's order.

    `pots`, `lines`: recursive means. `last` (telemetry, pots) [SI] and `same` (telemetry, pots): what each instrument
    said last and for how many minutes. `since` (SINCE, pots) minute in which it was seen last, -1 never. `mode_at`
    (pots,)
    minute in which the feed mode began. `ring` (RING, pots) thermocouple, `ring_at` (RING,) its minute; `hand_ns`,
    `hand_gap`
    (pots,). `tap_mean`, `taps` (pots,) logarithm of weighed over fall; `tap_off` (lines,). `meters` (meters, lines) and
    `metered_ns`.
    """

    def __init__(self, units: int, pots: int, lines: int) -> None:
        self.minute = -1  # being gathered, since 1970
        self.before = -1  # the last that was finished
        self.gathered = Gathered.nothing(units)
        self.pots = Means(len(QUANTITIES), pots)
        self.lines = Means(len(LINE_QUANTITIES), lines)
        self.last: Floats = np.full((len(TELEMETRY), pots), np.nan)
        self.same: Floats = np.zeros((len(TELEMETRY), pots))
        self.since: Ints = np.full((len(SINCE), pots), -1, np.int64)
        self.mode_at: Ints = np.full(pots, -1, np.int64)
        self.ring: Floats = np.full((RING, pots), np.nan)
        self.ring_at: Ints = np.full(RING, -1, np.int64)
        self.hand_ns: Ints = np.full(pots, -1, np.int64)
        self.hand_gap: Floats = np.full(pots, np.nan)
        self.tap_mean: Floats = np.full(pots, np.nan)
        self.taps: Floats = np.zeros(pots)
        self.tap_off: Floats = np.zeros(lines)
        self.meters: Floats = np.full((len(METERS), lines), np.nan)
        self.metered_ns: Ints = np.full(lines, -1, np.int64)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every array by its name."""
        own = {name: array for name, array in vars(self).items() if isinstance(array, np.ndarray)}
        for part in ("gathered", "pots", "lines"):
            own |= {f"{part}.{name}": array for name, array in getattr(self, part).arrays().items()}
        return own

    def grow(self, units: int, pots: int) -> None:
        """Room for units and pots enrolled since; lines never come later."""
        fresh = Remembered(units, pots, self.tap_off.shape[0])
        self.gathered = self.gathered.grow(units)
        self.pots.grow(pots)
        had = self.mode_at.shape[0]
        for name, array in vars(fresh).items():
            if isinstance(array, np.ndarray) and array.shape and array.shape[-1] == pots and name not in (
                "tap_off", "meters", "metered_ns", "ring_at",
            ):  # fmt: skip
                array[..., :had] = getattr(self, name)
                setattr(self, name, array)


def to_bytes(state: Remembered) -> bytes:
    """Everything a later process needs to go on."""
    return pack(KIND, {"minute": state.minute, "before": state.before}, state.arrays())


def from_bytes(state: Remembered, data: bytes) -> None:
    """Fill a fresh state of the same plant. Raises PayloadError."""
    head, arrays = unpack(KIND, data)
    for name, array in state.arrays().items():
        found = arrays.get(name)
        if found is None or found.shape != array.shape or found.dtype != array.dtype:
            raise PayloadError("checkpoint", f"features: {name} is not of this plant")
        array[...] = found
    state.minute, state.before = int(head["minute"]), int(head["before"])
