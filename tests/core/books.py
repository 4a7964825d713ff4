"""Plants of any shape and books of any content, for the tests of what is summed up from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from twin import plant
from twin.cells import MEASURED, PARTS, PLACE, QUANTITIES, SOURCES, explain
from twin.cells import RATES as RATE_NAMES
from twin.formulas import Basis
from twin.frames import Floats
from twin.plant import Roster
from twin.totals import Rows, Totals, gather, rows_of
from twin.uncertainty import Instruments

Sums = tuple[Floats, Floats]
TOOLS = Instruments(current_class_pct=0.3, voltage_class_pct=0.4, ac_class_pct=0.2)


@dataclass(frozen=True)
class Shape:
    """A line: pots of the plant file, pots in a section, pots discovered later."""

    pots: int
    section: int
    more: int


SHAPES = st.lists(st.builds(Shape, st.integers(1, 7), st.integers(1, 4), st.integers(0, 2)), min_size=1, max_size=3)
SEEDS = st.integers(0, 2**32)


def roster_of_shapes(shapes: list[Shape]) -> Roster:
    """One site `s` with a line per shape, named A, B, C; then a site `t` with one line of its own."""
    lines = "".join(
        f'[[sites.lines]]\nid = "{name}"\npots = {shape.pots}\nsection_pots = {shape.section}\ndesign = "d"\n'
        for name, shape in zip("ABC", shapes, strict=False)
    )
    other = '[[sites]]\nid = "t"\n[[sites.lines]]\nid = "A"\npots = 2\ndesign = "d"\n'
    roster = Roster(plant.parse(f'[[sites]]\nid = "s"\n{lines}{other}[designs.d]\n', "shapes"))
    for name, shape in zip("ABC", shapes, strict=False):
        for number in range(shape.more):
            roster.add(f"s/{name}/X{number}")
    return roster


def random_books(rng: np.random.Generator, pots: int, *, explained: bool = True) -> Sums:
    """Sums of a line over a window: its own row from its own instruments, and its pots, some cut out or not seen."""
    sums = np.zeros((len(QUANTITIES), 1 + pots))
    sums[: len(MEASURED)] = rng.uniform(0.0, 1e6, (len(MEASURED), 1 + pots))
    sums[PLACE["dc_charge"]] = sums[PLACE["ac_charge"]] * rng.uniform(0.9, 1.1, 1 + pots)
    sums[: len(MEASURED), 1:][:, rng.random(pots) < 0.2] = 0.0
    if explained:
        explain(sums, random_rates(rng, pots), rng.uniform(1e4, 2e4, pots))
        sums[PLACE["beyond"], 1:] = sums[PLACE["explained"], 1:] * rng.normal(0.0, 0.01, pots)
        sums[PLACE["beyond"], 0] = sums[PLACE["beyond"], 1:].sum()
    return sums, rng.uniform(0.0, 1e6, len(SOURCES))


def random_rates(rng: np.random.Generator, pots: int, known: NDArray[np.bool_] | None = None) -> Floats:
    """What an estimator could say (RATES, pots); of some pots nothing."""
    rates = np.empty((len(RATE_NAMES), pots))
    for row, name in enumerate(RATE_NAMES):
        low, high = {"quiet": (0.9, 0.97), "metal": (1e4, 2e4)}.get(name, (0.0, 1.5 if name in PARTS else 0.1))
        rates[row] = rng.uniform(low, high, pots)
    nothing = rng.random(pots) < 0.2 if known is None else ~known
    rates[:, nothing] = np.nan
    return rates


@dataclass(frozen=True)
class Site:
    """The site `s` of a plant, its books, and who stands in which row."""

    roster: Roster
    rows: Rows
    lines: list[Sums]
    totals: Totals

    @property
    def paths(self) -> list[str]:
        return [self.roster.paths[code] for code in self.rows.units.tolist()]

    def members(self, path: str) -> list[int]:
        """Rows of the pots of a section or a line, or of the lines of a site."""
        kind, code = self.roster.kinds[self.roster.codes[path]], self.roster.codes[path]
        if kind == "site":
            return [row for row, unit in enumerate(self.rows.units.tolist()) if self.roster.is_line(unit)]
        line, section = self.roster.line_of[code], self.roster.section_of(code)
        return [
            row
            for row, unit in enumerate(self.rows.units.tolist())
            if self.roster.is_pot(unit)
            and self.roster.line_of[unit] == line
            and (kind == "line" or self.roster.section_of(unit) == section)
        ]

    def of_kind(self, *kinds: str) -> dict[int, str]:
        """Row -> path of the units of these kinds."""
        return {row: path for row, path in enumerate(self.paths) if self.roster.kinds[self.rows.units[row]] in kinds}


def random_site(shapes: list[Shape], seed: int, elapsed_s: float = 1e6, *, explained: bool = True) -> Site:
    """A site of lines of these shapes with random books."""
    rng = np.random.default_rng(seed)
    roster = roster_of_shapes(shapes)
    rows = rows_of(roster, roster.codes["s"])
    lines = [random_books(rng, shape.pots + shape.more, explained=explained) for shape in shapes]
    return Site(roster, rows, lines, gather(rows, lines, elapsed_s))


def basis_of(site: Site) -> Basis:
    """What figures of a site rest on, as `twin.figures` makes it, without an estimate."""
    own = site.rows.own == np.arange(len(site.rows.own))
    return Basis(
        0.94, 0.006, TOOLS, u_own=0.004, together=np.where(own, 1.0, site.rows.pots),
        sharing=np.where(own, 1.0, site.rows.pots[site.rows.own]),
    )  # fmt: skip
