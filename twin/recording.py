"""What every recording has in common: its columns, the choice of units and times, and what cannot be read.

A recording is a table of long rows in the order of arrival (docs/replay.md). Its `path` and `signal` are texts, so
that it can be read without the plant file and with a later table of signals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from twin.errors import ConfigError, PayloadError
from twin.frames import Readings
from twin.plant import Plant, Roster
from twin.signals import SIGNALS
from twin.topics import Router
from twin.units import NS_PER_S

__all__ = ["COLUMNS", "EVER", "FORMAT", "Selection", "Skipped", "paged", "plant_from", "plant_text", "unit_of", "wrong"]

FORMAT = 1  # of the recording: a reader refuses a larger one
COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "seq": "BIGINT",
        "arrival_ns": "BIGINT",
        "time_ns": "BIGINT",
        "path": "VARCHAR",
        "signal": "VARCHAR",
        "value": "DOUBLE",
        "quality": "UTINYINT",
    }
)
EVER = (100_000_000 * NS_PER_S, 4_000_000_000 * NS_PER_S)  # every source time that the wire takes lies between
_LOW = np.array([signal.low for signal in SIGNALS])
_HIGH = np.array([signal.high for signal in SIGNALS])
_FIRST_SPAN_NS = 60 * NS_PER_S
_LONGEST_SPAN_NS = 6 * 3600 * NS_PER_S


def plant_text(plant: Plant) -> str:
    """A plant as one line of JSON, as recordings carry it."""
    return msgspec.json.encode(plant).decode()


def plant_from(text: str, where: str) -> Plant:
    """The plant in a recording's metadata. Raises ConfigError."""
    try:
        return msgspec.json.decode(text, type=Plant)
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"{where}: the plant in its metadata cannot be read ({error}); name one: --set plant.file=FILE"
        ) from error


@dataclass
class Skipped:
    """What of a recording cannot be read: the first such thing is an error, or (`keep`) all are counted by reason."""

    keep: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)  # reason -> where it was met first

    def bad(self, reason: str, where: str, advice: str, count: int = 1) -> None:
        """`count` rows cannot be used, the first at `where`. Raises ConfigError unless they are to be skipped."""
        if not self.keep:
            raise ConfigError(f"{where}: {reason}. {advice}; or keep what can be read with --skip-bad.")
        self.counts[reason] += count
        self.first.setdefault(reason, where)

    def told(self) -> list[str]:
        """One line a reason, for people."""
        return [
            f"{f'skipped {count}' if count else 'put up with'}: {reason} (first: {self.first[reason]})"
            for reason, count in self.counts.items()
        ]


@dataclass(frozen=True, slots=True)
class Selection:
    """Readings with start_ns <= source time < end_ns of some lines and pots; none named = all.

    A line is named by `line` or `site/line`, a pot by `pot` or `site/line/pot`. The readings of a pot's line itself
    (current, meters) go along with the pot: without them it has no energy.
    """

    start_ns: int = EVER[0]
    end_ns: int = EVER[1]
    lines: tuple[str, ...] = ()
    pots: tuple[str, ...] = ()

    @property
    def everything(self) -> bool:
        """True when no unit is left out."""
        return not self.lines and not self.pots

    def units(self, roster: Roster) -> NDArray[np.bool_]:
        """By roster code: whether the unit is chosen. Raises ConfigError for a name that fits no unit."""
        for kind, names in (("line", self.lines), ("pot", self.pots)):
            for name in names:
                if not any(roster.kinds[code] == kind and _named(path, name) for path, code in roster.codes.items()):
                    raise ConfigError(f"--{kind} {name}: there is no such {kind}; there are {_some(roster, kind)}")
        chosen = np.ones(len(roster), bool)
        for code, path in enumerate(roster.paths):
            if roster.kinds[code] in ("section", "site"):  # nothing is measured there
                chosen[code] = False
                continue
            line = roster.paths[roster.line_of[code]]
            if self.lines and not any(_named(line, name) for name in self.lines):
                chosen[code] = False
            elif self.pots and not roster.is_line(code):
                chosen[code] = any(_named(path, name) for name in self.pots)
        if self.pots:
            with_pots = {roster.line_of[code] for code in roster.pot_codes() if chosen[code]}
            for code in roster.line_codes():
                chosen[code] &= code in with_pots
        return chosen

    def of(self, readings: Readings, units: NDArray[np.bool_]) -> Readings:
        """The selected readings; `units` from `units`."""
        kept = (readings.time_ns >= self.start_ns) & (readings.time_ns < self.end_ns)
        if not self.everything:
            kept &= units[readings.unit]
        return readings if kept.all() else readings.take(kept)


def _named(path: str, name: str) -> bool:
    return name in (path, path.rsplit("/", 1)[-1])


def _some(roster: Roster, kind: str) -> str:
    paths = [path for path, code in roster.codes.items() if roster.kinds[code] == kind]
    return ", ".join(paths[:4]) + (f" ... {paths[-1]}" if len(paths) > 4 else "")


def unit_of(router: Router, path: str) -> int:
    """Code of a unit path in a recording, enrolling a pot where the settings allow it; -1 when it cannot be used."""
    try:
        code = router.roster.code(path)
        return code if code is not None else router.pot(path)
    except PayloadError:
        return -1


def wrong(readings: Readings) -> NDArray[np.bool_]:
    """Which values their signal cannot have (codec: out_of_range); missing ones are not wrong."""
    return (readings.value < _LOW[readings.signal]) | (readings.value > _HIGH[readings.signal])


async def paged(
    read: Callable[[int, int], Awaitable[Readings]],
    next_ns: Callable[[int], Awaitable[int | None]],
    start_ns: int,
    end_ns: int,
    rows: int,
) -> AsyncIterator[Readings]:
    """Pages of a store by time, about `rows` readings each: `read` gives [from, to), `next_ns` the first time from.

    Within a page the order is that of (time, unit, signal), so it does not depend on where pages end.
    """
    span, at = _FIRST_SPAN_NS, start_ns
    while at < end_ns:
        until = min(at + span, end_ns)
        found = await read(at, until)
        if not len(found):
            after = await next_ns(until)
            if after is None:
                return
            at = max(after, until)
            continue
        yield found.take(np.lexsort((found.signal, found.unit, found.time_ns)))
        at = until
        span = int(np.clip(span * min(rows / len(found), 4.0), NS_PER_S, _LONGEST_SPAN_NS))


def metadata(plant: Plant, version: str, created_by: str) -> dict[str, Any]:
    """What a recording says of itself."""
    return {
        "smelter_twin_format": str(FORMAT),
        "plant": plant_text(plant),
        "product_version": version,
        "created_by": created_by,
    }
