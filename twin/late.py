"""Late readings that nobody has to be told of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.frames import Ints, Readings
from twin.tracking import SAMPLED

__all__ = ["too_late_to_tell"]


def too_late_to_tell(said_ns: Ints, readings: Readings, tick: Ints, effective: Ints) -> NDArray[np.bool_]:
    """Late readings that change no frame, fault or estimate, because a newer one was told: not worth keeping until
    a tick closes. A backlog that drains, or a restart that reads back what it knows, would fill the memory with them.
    One is left for each tick that they let close.
    """
    older = readings.time_ns < said_ns[readings.unit, readings.signal]
    told: NDArray[np.bool_] = (tick < effective) & older & ~np.isin(readings.signal, SAMPLED)
    rows = np.flatnonzero(told)
    told[rows[np.unique(effective[rows], return_index=True)[1]]] = False
    return told
