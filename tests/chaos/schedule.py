"""What goes wrong, and when: a function of the seed alone, so that a run that found something can be run again.

Disturbances of servers and processes come one after the other, each with calm around it; disturbances of what the
sensors send overlap with them as chance will have it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

__all__ = ["HEAD_S", "SERVER_KINDS", "SOURCE_KINDS", "TAIL_S", "Disturbance", "schedule"]

HEAD_S = 8.0  # of calm at the beginning: what is read back must be there first
TAIL_S = 6.0  # after the last disturbance has ended
# kind -> shortest and longest time it lasts [s]
SERVER_KINDS: dict[str, tuple[float, float]] = {
    "kill ingestor": (0.0, 0.0),
    "restart broker": (0.2, 4.0),
    "stop database": (2.0, 8.0),
    "kill ingestor, database stopped": (3.0, 6.0),
    "fill quota": (10.0, 15.0),
}
SOURCE_KINDS: dict[str, tuple[float, float]] = {
    "duplicate": (3.0, 10.0),
    "reorder": (3.0, 10.0),
    "clock skew": (3.0, 10.0),
    "poison": (3.0, 10.0),
}
SLOT_S = 12.0  # least room for one disturbance of a server, its recovery included


@dataclass(frozen=True, slots=True, order=True)
class Disturbance:
    """`at_s` [s] after the first reading, for `for_s` [s]. Of a source in whole seconds of its readings."""

    at_s: float
    kind: str
    for_s: float

    @property
    def end_s(self) -> float:
        return self.at_s + self.for_s


def schedule(seed: int, seconds: float) -> list[Disturbance]:
    """All disturbances of a run of so many seconds, in order of time.

    Raises ValueError where the time does not suffice for one of them.
    """
    room = seconds - HEAD_S - TAIL_S
    slots = int(room // SLOT_S)
    if slots < 1:
        raise ValueError(f"{seconds:.0f} s are too short for a disturbance; give at least {HEAD_S + TAIL_S + SLOT_S}")
    chance = random.Random(seed)
    found: list[Disturbance] = []
    kinds: list[str] = []
    for slot in range(slots):
        kinds = kinds or chance.sample(list(SERVER_KINDS), len(SERVER_KINDS))
        kind = kinds.pop()
        lasts = chance.uniform(*SERVER_KINDS[kind])
        width = room / slots
        lasts = min(lasts, width - 1.0)
        at = HEAD_S + slot * width + chance.uniform(0.0, max(0.0, width - lasts - 1.0))
        found.append(Disturbance(round(at, 2), kind, round(lasts, 2)))
    for kind, (least, most) in SOURCE_KINDS.items():
        for _ in range(max(1, int(seconds // 40))):
            lasts = round(chance.uniform(least, most))
            at = chance.randint(2, max(2, int(seconds - TAIL_S - lasts)))
            found.append(Disturbance(float(at), kind, float(lasts)))
    return sorted(found)
