"""Where units stand: what lies below a section, line or site, and the rated current of each line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.frames import Floats, Ints
from twin.plant import Roster

__all__ = ["Layout"]


@dataclass(frozen=True, slots=True)
class Layout:
    """Constant while the roster does not grow. Arrays by unit code; -1 = stands in none.

    section, line, site: the unit's own section, line and site; a section, line or site is its own.
    """

    paths: tuple[str, ...]
    kinds: tuple[str, ...]
    is_pot: NDArray[np.bool_]
    section: Ints
    line: Ints
    site: Ints
    rated_ka: Floats

    @classmethod
    def of(cls, roster: Roster) -> Layout:
        """The layout of a roster as it is now."""
        count = len(roster)
        section, site, rated = np.full(count, -1), np.full(count, -1), np.full(count, np.nan)
        sections = {(roster.line_of[u], roster.section_of(u)): u for u in roster.of_kind("section")}
        sites = {roster.paths[u]: u for u in roster.of_kind("site")}
        line = np.array([-1 if kind == "site" else of for kind, of in zip(roster.kinds, roster.line_of, strict=True)])
        for unit in range(count):
            section[unit] = sections.get((roster.line_of[unit], roster.section_of(unit)), -1)
            site[unit] = sites[roster.paths[unit].partition("/")[0]]
        for code, (_, described) in zip(roster.line_codes(), roster.plant.lines(), strict=True):
            rated[code] = roster.plant.rated_current_ka(described)
        is_pot = np.array([kind == "pot" for kind in roster.kinds])
        return cls(tuple(roster.paths), tuple(roster.kinds), is_pot, section, line, site, rated)

    def __len__(self) -> int:
        return len(self.paths)

    def home(self, scope: str) -> Ints:
        """The unit of a kind (section, line, site) in which each unit stands."""
        return {"section": self.section, "line": self.line, "site": self.site}[scope]

    def below(self, unit: int) -> Ints:
        """Units that stand in this one, itself left out."""
        kind = self.kinds[unit]
        if kind == "pot":
            return np.zeros(0, np.int64)
        found = np.flatnonzero(self.home(kind) == unit)
        inside: Ints = found[found != unit]
        return inside

    def share(self, scope: str, on: NDArray[np.bool_], fewest: int) -> Floats:
        """By unit of a kind: the share of its pots that are `on`; 0 where it has fewer than `fewest` pots."""
        home = self.home(scope)
        pots = self.is_pot & (home >= 0)
        total = np.bincount(home[pots], minlength=len(self))
        part = np.bincount(home[pots], weights=on[pots].astype(float), minlength=len(self))
        return np.where(total >= fewest, part / np.maximum(total, 1), 0.0)
