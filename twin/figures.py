"""Figures of windows from the books of the lines: which windows to tell, and every KPI of them in one go.

All lines and sites whose windows are of one kind are computed together: arrays over rows, never a loop over pots.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from twin.accounting import LineLedger
from twin.deductions import given_energy, takes_stopped
from twin.formulas import Basis
from twin.frames import Codes, Floats, WindowFigures
from twin.kpis import compute
from twin.plan import Plan
from twin.plant import Line, Roster
from twin.times import day_of
from twin.totals import Rows, Totals, gather, rows_of
from twin.uncertainty import Figure, Instruments
from twin.windows import CELL_MINUTES, LONG, MINUTE_NS, WINDOWS, Calendar, Window

__all__ = ["Belief", "Books", "Figures"]


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of the pots of one line (pots,): `offset` efficiency beyond the model's [1], its uncertainty in
    two parts (`u_common` of all pots, `u_own`) [1], how far it was `learnt` from taps [1], and `metal_sd` [kg] of the
    metal in each pot."""

    offset: Floats
    u_common: Floats
    u_own: Floats
    learnt: Floats
    metal_sd: Floats

    @classmethod
    def fixed(cls, pots: int, u_efficiency: float) -> Belief:
        """Where no state is estimated."""
        return cls(np.zeros(pots), np.full(pots, u_efficiency), *(np.zeros(pots) for _ in range(3)))


@dataclass(slots=True)
class Books:
    """What the caller keeps: the ledger of each line by its code, and up to when the figures of a site were told."""

    ledgers: dict[int, LineLedger]
    told_ns: dict[int, int]


@dataclass(frozen=True, slots=True)
class _Job:
    """One window of one site, to be computed."""

    site: int
    window: Window
    totals: Totals
    open: bool


class Figures:
    """The constant part: sites, calendars, instruments; rows are made anew when pots are enrolled."""

    def __init__(self, roster: Roster, plan: Plan, efficiency: float) -> None:
        self._roster = roster
        self._plan = plan
        self._efficiency = efficiency
        self.lines_of: dict[int, list[int]] = {}
        self._line: Mapping[int, Line] = {
            code: line for code, (_, line) in zip(roster.line_codes(), roster.plant.lines(), strict=True)
        }
        self._calendar: dict[int, Calendar] = {}
        for code, site in zip(roster.of_kind("site"), roster.plant.sites, strict=True):
            self.lines_of[code] = [line for line in self._line if roster.paths[line].startswith(f"{site.id}/")]
            self._calendar[code] = Calendar(site)
        self._rows: dict[int, tuple[Rows, Instruments, Floats, Floats]] = {}
        self._size = 0

    def rows(self, site: int) -> Rows:
        """The rows of a site."""
        return self._facts(site)[0]

    def tell(
        self, books: Books, settled: Mapping[int, set[int]], beliefs: Mapping[int, Belief]
    ) -> Iterator[WindowFigures]:
        """Figures of every window that got data (`settled`: line -> quarter hours), that was open before, or is now.

        A window whose beginning is forgotten stays as it was told last: late data would tell of its end alone.
        """
        jobs = [job for site in self.lines_of for job in self._jobs(site, books, settled, beliefs)]
        for kind in WINDOWS:
            mine = [job for job in jobs if job.window.kind == kind]
            if mine:
                bases = [self._basis(job, books, beliefs) for job in mine]
                found = compute(Totals.concat([job.totals for job in mine]), _joined(bases), kind)
                yield from self._split(mine, found)

    def _jobs(
        self, site: int, books: Books, settled: Mapping[int, set[int]], beliefs: Mapping[int, Belief]
    ) -> Iterator[_Job]:
        lines = [code for code in self.lines_of[site] if code in books.ledgers]
        ledgers = [books.ledgers[code] for code in lines]
        now = max(ledger.newest_ns for ledger in ledgers)
        if max(ledger.ring.newest for ledger in ledgers) < 0:
            return
        calendar, offsets = self._calendar[site], [beliefs[code].offset for code in lines]
        moments = [now - 1, books.told_ns.get(site, now) - 1]
        moments += [cell * CELL_MINUTES * MINUTE_NS for code in lines for cell in settled.get(code, ())]
        books.told_ns[site] = now
        windows = {calendar.window(kind, moment) for kind in WINDOWS for moment in moments}
        oldest = max(ledger.ring.oldest for ledger in ledgers) * MINUTE_NS
        whole = sorted(w for w in windows if w.kind in LONG or w.start_ns >= oldest)
        for day in (window for window in whole if window.kind == "day"):
            month = calendar.window("month", day.start_ns)
            for ledger, offset in zip(ledgers, offsets, strict=True):
                ledger.keep_day(day, month, offset)
        for window in whole:
            sums = [ledger.sums(window, offset) for ledger, offset in zip(ledgers, offsets, strict=True)]
            totals = gather(self.rows(site), sums, (min(now, window.end_ns) - window.start_ns) / 1e9)
            yield _Job(site, window, totals, window.start_ns < now <= window.end_ns)

    def _facts(self, site: int) -> tuple[Rows, Instruments, Floats, Floats]:
        """Rows of a site, classes of their instruments, how many pots stand together, and how many share a meter."""
        if self._size != len(self._roster):
            self._rows, self._size = {}, len(self._roster)
        if site not in self._rows:
            rows = rows_of(self._roster, site)
            lines = [self._line[code] for code in self.lines_of[site]]
            instruments = Instruments(
                current_class_pct=_classes(rows, lines, [line.current_class_pct for line in lines]),
                voltage_class_pct=_classes(rows, lines, [line.voltage_class_pct for line in lines]),
                ac_class_pct=_classes(rows, lines, [line.ac_meter.accuracy_class for line in lines]),
                dc_class_pct=_classes(rows, lines, [line.dc_meter.accuracy_class for line in lines]),
                auxiliary_class_pct=_classes(rows, lines, [line.auxiliary_meter.accuracy_class for line in lines]),
                scale_class_pct=_classes(rows, lines, [line.scale_class_pct for line in lines]),
            )
            shared = rows.pots[rows.own]
            together = np.where(rows.own == np.arange(len(rows.own)), 1.0, rows.pots)
            sharing = np.where(rows.own == np.arange(len(rows.own)), 1.0, shared)
            self._rows[site] = rows, instruments, together, sharing
        return self._rows[site]

    def _basis(self, job: _Job, books: Books, beliefs: Mapping[int, Belief]) -> Basis:
        rows, instruments, together, sharing = self._facts(job.site)
        mine = [beliefs[code] for code in self.lines_of[job.site]]
        now = max(books.ledgers[code].newest_ns for code in self.lines_of[job.site])
        tariff = self._plan.tariff
        return Basis(
            efficiency=np.full(len(rows.units), self._efficiency),
            u_common=rows.spread([belief.u_common for belief in mine]) / rows.pots,
            u_own=np.sqrt(rows.spread([np.square(belief.u_own) for belief in mine])) / rows.pots,
            learnt=rows.spread([belief.learnt for belief in mine]) / rows.pots,
            inventory_sd=np.sqrt(rows.spread([np.square(belief.metal_sd) for belief in mine])),
            instruments=instruments,
            together=together,
            sharing=sharing,
            carbon=self._plan.carbon,
            tariff=tariff,
            step_kwh_t=float("nan") if tariff is None else tariff.step_on(day_of(now - 1)),
            stopped_off=takes_stopped(self._plan.deductions),
            given=self._given(job, rows),
        )

    def _given(self, job: _Job, rows: Rows) -> Floats:
        """Energy [J] that the plan takes off the AC of each row's line in this window."""
        out = np.zeros(len(rows.units))
        if self._plan.deductions:
            for span, code in zip(rows.spans, self.lines_of[job.site], strict=True):
                window, path = job.window, self._roster.paths[code]
                out[span.row : span.end] = given_energy(self._plan.deductions, path, window.start_ns, window.end_ns)
                out[-1] += out[span.row]
        return out

    def _split(self, jobs: Sequence[_Job], found: Mapping[str, Figure[Floats]]) -> Iterator[WindowFigures]:
        """Figures by line (with its pots and sections) and by site."""
        start = 0
        for job in jobs:
            rows = self.rows(job.site)
            size = len(rows.units)
            for part in [slice(span.row, span.end) for span in rows.spans] + [slice(size - 1, size)]:
                at = slice(start + part.start, start + part.stop)
                units: Codes = rows.units[part]
                kpis = {name: figure.value[at] for name, figure in found.items()}
                u = {name: figure.u[at] for name, figure in found.items()}
                window = job.window
                yield WindowFigures(window.kind, window.start_ns, window.end_ns, job.open, units, kpis, u)
            start += size


def _classes(rows: Rows, lines: Sequence[Line], classes: Sequence[float]) -> Floats:
    """Class of an instrument [%] for each row; of a site that of the sum over its lines, which err independently."""
    out = np.empty(len(rows.units))
    for span, of_line in zip(rows.spans, classes, strict=True):
        out[span.row : span.end] = of_line
    weight = np.array([float(line.pots) for line in lines])
    out[-1] = np.sqrt(np.square(weight * np.array(classes)).sum()) / weight.sum()
    return out


def _joined(bases: Sequence[Basis]) -> Basis:
    """The basis of several windows, rows one behind the other."""
    if len(bases) == 1:
        return bases[0]
    first = bases[0]

    def rows(name: str) -> Floats:
        return np.concatenate([getattr(basis, name) for basis in bases])

    def classes(name: str) -> Floats:
        return np.concatenate([getattr(basis.instruments, name) for basis in bases])

    instruments = Instruments(
        classes("current_class_pct"), classes("voltage_class_pct"), classes("ac_class_pct"), classes("dc_class_pct"),
        classes("auxiliary_class_pct"), classes("scale_class_pct"),
    )  # fmt: skip
    return Basis(
        rows("efficiency"), rows("u_common"), instruments, rows("u_own"), rows("learnt"), rows("inventory_sd"),
        rows("together"), rows("sharing"), first.carbon, first.tariff, first.step_kwh_t, first.stopped_off,
        rows("given"),
    )  # fmt: skip
