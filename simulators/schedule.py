"""Schedule: which cause strikes whom, when, for how long, how badly; and what of it is at work now.

Causes come from a scenario, or by themselves (`strike`): feeders that hang now and then. Both are labelled alike.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from simulators import chance
from simulators.causes import CAUSES, CauseKind
from twin.frames import Ints

if TYPE_CHECKING:
    from simulators.potline import Potline

__all__ = ["Cause", "Causes", "Label"]

WARM_DAYS = (4.0, 26.0)  # (U) age of an anode that a cause strikes unless one is named
KEPT = 100_000  # labels of causes that are over


@dataclass(frozen=True, slots=True)
class Cause:
    """One line of a schedule. `pot` is an index, None for a cause of the whole line; times count from the start of
    the simulation. `values` replace defaults of the cause's parameters; `anode` counts from 0, None = chance."""

    name: str
    pot: int | None
    start_s: float
    duration_s: float
    severity: float = 1.0
    values: Mapping[str, float] = field(default_factory=dict)
    anode: int | None = None

    @property
    def kind(self) -> CauseKind:
        return CAUSES[self.name]

    def level(self, time_s: float) -> float:
        """How far it has grown, times the severity."""
        since = time_s - self.start_s
        if self.kind.growth == "step":
            return self.severity
        if self.kind.growth == "fade":
            return self.severity * max(1.0 - since / max(self.duration_s, 1.0), 0.0)
        length = self.kind.ramp_s if self.kind.growth == "ramp" else self.duration_s
        return self.severity * min(max(since / max(length, 1.0), 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Label:
    """Truth about a cause at work: for judging a twin, never published."""

    cause: str
    pots: tuple[int, ...]  # empty for the line
    anode: int | None
    start_ns: int
    end_ns: int
    severity: float
    faults: tuple[str, ...]


@dataclass(slots=True)
class Struck:
    """A cause at work: on whom, and until when."""

    cause: Cause
    pots: Ints
    anode: int
    end_s: float


class Causes:
    """The schedule of one potline; `apply` is called each slow step."""

    def __init__(self, line: Potline, schedule: Iterable[Cause]) -> None:
        self.line = line
        self.schedule = tuple(sorted(schedule, key=lambda cause: (cause.start_s, cause.name, cause.pot or 0)))
        for cause in self.schedule:
            self._check(cause)
        self._next = 0
        self._active: list[Struck] = []
        self._over: deque[Label] = deque(maxlen=KEPT)

    def _check(self, cause: Cause) -> None:
        kind = CAUSES.get(cause.name)
        if kind is None:
            raise ValueError(f"cause {cause.name!r} is not in the table: {', '.join(CAUSES)}")
        if (cause.pot is None) != (kind.scope == "line"):
            raise ValueError(f"cause {cause.name!r} strikes a {kind.scope}, the schedule says pot {cause.pot}")
        if cause.pot is not None and not 0 <= cause.pot < self.line.pots:
            raise ValueError(f"cause {cause.name!r}: the line has no pot with index {cause.pot}")
        if unknown := set(cause.values) - {parameter.name for parameter in kind.parameters}:
            raise ValueError(f"cause {cause.name!r} has no parameter {', '.join(sorted(unknown))}")

    def labels(self) -> list[Label]:
        """What is over, what is at work, what the schedule still has to come; only what is over has its final end."""
        to_come = [self._label(cause, cause.anode, _end(cause)) for cause in self.schedule[self._next :]]
        return [*self._over, *self.active(), *to_come]

    def active(self) -> list[Label]:
        """The causes at work now, those that came by themselves among them."""
        return [self._label(struck.cause, struck.anode, struck.end_s) for struck in self._active]

    def _label(self, cause: Cause, anode: int | None, end_s: float) -> Label:
        at = self.line.journal.at
        one = any(p.target in ("connection", "spike") for p in cause.kind.parameters) or cause.name == "anode_slip"
        return Label(
            cause.name,
            tuple(self._pots(cause).tolist()),
            anode if one else None,
            at(cause.start_s),
            at(end_s),
            cause.severity,
            cause.kind.faults,
        )

    def _pots(self, cause: Cause) -> Ints:
        if cause.pot is None:
            return np.zeros(0, np.int64)
        if cause.kind.scope == "pot":
            return np.array([cause.pot])
        section = self.line.line.section_of(cause.pot)
        return np.array([pot for pot in range(self.line.pots) if self.line.line.section_of(pot) == section])

    def _anode(self, cause: Cause) -> int:
        """The anode that is struck: the one named, or one that is neither new nor worn."""
        if cause.anode is not None:
            return cause.anode
        if cause.pot is None:
            return 0
        days = self.line.state.age[:, cause.pot] / 86400.0
        good = np.flatnonzero((days > WARM_DAYS[0]) & (days < WARM_DAYS[1]))
        if not len(good):
            return int(days.argmax())
        luck = chance.uniform(self.line.seed, 91, cause.pot, round(cause.start_s))
        return int(good[int(luck * len(good))])

    def strike(self, cause: Cause) -> None:
        """A cause that comes by itself, now."""
        self._begin(cause)

    def lift(self, name: str, pot: int, time_s: float) -> None:
        """Somebody or something ends this cause at this pot before its time."""
        for struck in self._active:
            if struck.cause.name == name and struck.cause.pot == pot:
                struck.end_s = min(struck.end_s, time_s)

    def apply(self, time_s: float) -> None:
        """Set the effects of this moment; run what begins and what ends."""
        if not self._active and (self._next >= len(self.schedule) or self.schedule[self._next].start_s > time_s):
            return
        while self._next < len(self.schedule) and self.schedule[self._next].start_s <= time_s:
            self._begin(self.schedule[self._next])
            self._next += 1
        over = [struck for struck in self._active if struck.end_s <= time_s]
        self._active = [struck for struck in self._active if struck.end_s > time_s]
        for struck in over:
            self._once(struck, begins=False)
            self._over.append(self._label(struck.cause, struck.anode, struck.end_s))
        self.line.effects.reset()
        for struck in self._active:
            self._act(struck.cause, struck.pots, struck.anode, struck.cause.level(time_s))

    def _begin(self, cause: Cause) -> None:
        struck = Struck(cause, self._pots(cause), self._anode(cause), _end(cause))
        self._active.append(struck)
        self._once(struck, begins=True)

    def values(self, cause: Cause) -> dict[str, float]:
        """Parameters of a cause: the table's defaults under the schedule's own."""
        return {p.name: cause.values.get(p.name, p.default) for p in cause.kind.parameters}

    def _once(self, struck: Struck, *, begins: bool) -> None:
        cause = struck.cause
        act = cause.kind.begin if begins else cause.kind.end
        if act is not None:
            strong = {name: value * cause.severity for name, value in self.values(cause).items()}
            for pot in struck.pots.tolist():
                act(self.line, pot, struck.anode, strong)

    def _act(self, cause: Cause, pots: Ints, anode: int, level: float) -> None:
        effects, values = self.line.effects, self.values(cause)
        for parameter in cause.kind.parameters:
            value = values[parameter.name]
            if parameter.how == "value":
                continue
            field_ = getattr(effects, parameter.target)
            if isinstance(field_, float):
                changed = field_ * (1.0 + level * value) if parameter.how == "times" else field_ + level * value
                setattr(effects, parameter.target, changed)
                continue
            place: object = slice(None) if cause.pot is None else pots
            if parameter.target in ("connection", "spike"):
                place = (anode, pots)
            elif parameter.target == "stuck":
                place = (round(value), pots)
            if parameter.how == "mask":
                field_[place] = True
            elif parameter.how == "times":
                field_[place] *= max(1.0 + level * value, 0.0)
            else:
                field_[place] += level * value


def _end(cause: Cause) -> float:
    return cause.start_s + cause.duration_s
