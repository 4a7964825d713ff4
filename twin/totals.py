"""Sums of one window over every unit that has figures: lines, pots, sections of a line, sites.

A section is the sum of its pots, a site that of its lines; both follow from the books of the lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from twin.cells import PLACE, QUANTITIES, SOURCES
from twin.frames import Codes, Floats, Ints
from twin.plant import Roster

__all__ = ["Rows", "Totals", "gather", "rows_of"]


@dataclass(frozen=True, slots=True)
class Span:
    """Where a line stands among the rows of its site: its own row, then `pots`, then sections that begin at `starts`.

    `starts` are places among the pots; `planned` pots stand in a section, those discovered later do not.
    """

    row: int
    pots: int
    planned: int
    starts: Ints

    @property
    def first_section(self) -> int:
        return self.row + 1 + self.pots

    @property
    def end(self) -> int:
        return self.first_section + len(self.starts)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one site: of each line the line, its pots and its sections; last the site. Arrays (rows,).

    `units` roster codes; `own` row of the line a row belongs to (the site: its own); `pots` how many pots it has;
    `clocks` whose time adds up to its coverage (a section: its pots, a site: its lines).
    """

    units: Codes
    own: Ints
    pots: Floats
    clocks: Floats
    spans: tuple[Span, ...]

    def spread(self, per_pot: Sequence[Floats]) -> Floats:
        """Sums (rows,) of what is known of the pots (pots,) of each line."""
        out = np.zeros(len(self.units))
        for span, values in zip(self.spans, per_pot, strict=True):
            out[span.row] = values.sum()
            out[span.row + 1 : span.first_section] = values
            if len(span.starts):
                out[span.first_section : span.end] = np.add.reduceat(values[: span.planned], span.starts)
            out[-1] += out[span.row]
        return out


def rows_of(roster: Roster, site: int) -> Rows:
    """The rows of the site with this roster code."""
    sections: dict[int, list[int]] = {}
    for code in roster.of_kind("section"):
        sections.setdefault(roster.line_of[code], []).append(code)
    pots: dict[int, list[int]] = {}
    for code in roster.pot_codes():
        pots.setdefault(roster.line_of[code], []).append(code)
    units, own, spans = list[int](), list[int](), list[Span]()
    for (at, line), code in zip(roster.plant.lines(), roster.line_codes(), strict=True):
        if at.id != roster.paths[site]:
            continue
        starts = np.arange(0, line.pots, line.section_pots)
        span = Span(len(units), len(pots[code]), line.pots, starts)
        spans.append(span)
        units += [code, *pots[code], *sections[code]]
        own += [span.row] * (span.end - span.row)
    units.append(site)
    own.append(len(units) - 1)
    rows = Rows(np.array(units, np.int32), np.array(own), np.ones(len(units)), np.ones(len(units)), tuple(spans))
    rows.pots[:] = rows.spread([np.ones(span.pots) for span in spans])
    for span in spans:
        rows.clocks[span.first_section : span.end] = rows.pots[span.first_section : span.end]
    rows.clocks[-1] = len(spans)
    return rows


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over one window; arrays (rows,). Energy [J], charge [A s], time [s], mass [kg].

    sums (QUANTITIES, rows), by their names through `of`. Allocated AC of a pot and its charge cover the same minutes.
    by_source (SOURCES, rows) [J]: AC of the line by source. elapsed [s] of the window up to the newest data,
    times the clocks of the row. seen [s], pots_energy [J], pots_charge [A s]: time, DC and charge summed over the row's
    pots, where a line's own come from the line's instruments. own, site (rows,): row of the line and of the site that a
    row belongs to (-1: none); a site is its own line.
    """

    sums: Floats
    by_source: Floats
    elapsed: Floats
    seen: Floats
    pots_energy: Floats
    pots_charge: Floats
    own: Ints
    site: Ints

    def of(self, quantity: str) -> Floats:
        """One quantity of `cells.QUANTITIES` (rows,)."""
        row: Floats = self.sums[PLACE[quantity]]
        return row

    def over_lines(self, values: Floats) -> Floats:
        """The same values (rows,), those of a site replaced by the sum over its lines."""
        row = np.arange(len(self.own))
        lines = (self.own == row) & (self.site != row) & (self.site >= 0)
        out = np.where(self.site == row, 0.0, values)
        np.add.at(out, self.site[lines], values[lines])
        return out

    @classmethod
    def concat(cls, parts: Sequence[Totals]) -> Totals:
        """Rows of several windows or sites, one behind the other."""
        if len(parts) == 1:
            return parts[0]
        starts = np.cumsum([0, *(len(part.own) for part in parts[:-1])]).tolist()

        def joined(column: Callable[[Totals], Floats]) -> Floats:
            return np.concatenate([column(part) for part in parts], axis=-1)

        def moved(rows: Callable[[Totals], Ints]) -> Ints:
            return np.concatenate([rows(part) + start for part, start in zip(parts, starts, strict=True)])

        return cls(
            joined(lambda t: t.sums), joined(lambda t: t.by_source), joined(lambda t: t.elapsed),
            joined(lambda t: t.seen), joined(lambda t: t.pots_energy), joined(lambda t: t.pots_charge),
            moved(lambda t: t.own), moved(lambda t: t.site),
        )  # fmt: skip


def gather(rows: Rows, lines: Sequence[tuple[Floats, Floats]], elapsed: float) -> Totals:
    """Totals of a site from the sums (QUANTITIES, 1 + pots) and the AC by source of each line; `elapsed` [s]."""
    size = len(rows.units)
    sums, by_source = np.zeros((len(QUANTITIES), size)), np.zeros((len(SOURCES), size))
    for span, (mine, mix) in zip(rows.spans, lines, strict=True):
        sums[:, span.row : span.first_section] = mine
        if len(span.starts):
            planned = mine[:, 1 : 1 + span.planned]
            sums[:, span.first_section : span.end] = np.add.reduceat(planned, span.starts, axis=1)
        by_source[:, span.row : span.end] = mix[:, None]
        sums[:, -1] += mine[:, 0]
        by_source[:, -1] += mix

    def over_pots(quantity: str) -> Floats:
        return rows.spread([mine[PLACE[quantity], 1:] for mine, _ in lines])

    return Totals(
        sums, by_source, elapsed * rows.clocks, over_pots("covered"), over_pots("dc_energy"), over_pots("dc_charge"),
        rows.own, np.full(size, size - 1),
    )  # fmt: skip
