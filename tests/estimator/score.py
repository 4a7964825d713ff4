"""Errors of an estimator and of the naive method against the truth, and the table of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from twin.estimator import OUTPUTS, SAMPLES
from twin.estimator.advance import CHANNELS
from twin.frames import Estimate, Floats

__all__ = ["LIMITS", "Score"]

JUDGED = {
    "alumina_wt_pct": 1.0,
    "temperature_k": 1.0,
    "excess_alf3_wt_pct": 1.0,
    "superheat_k": 1.0,
    "ledge_m": 1e3,
    "distance_m": 1e3,
    "metal_kg": 1.0,
    "bath_kg": 1.0,
    "efficiency": 100.0,
}
UNITS = ("wt%", "K", "wt%", "K", "mm", "mm", "kg", "kg", "points")
LEAN = 3.0  # wt%
MINIMUM, CLEARLY = 4.2, 0.5  # wt%: where V(C) turns (page 2), and how far off it must be to be the wrong branch
NORMAL_95 = 1.959964
LIMITS = {
    "temperature_k": "<= 3 K",
    "alumina_wt_pct": "<= 0.35, <= 0.2 below 3",
    "efficiency": "<= 1.0",
}


@dataclass(slots=True)
class Errors:
    """Sums over all pots and moments looked at."""

    count: float = 0.0
    square: float = 0.0
    total: float = 0.0
    covered: float = 0.0

    def add(self, error: Floats, sd: Floats | None = None) -> None:
        good = np.isfinite(error)
        self.count += float(good.sum())
        self.square += float(np.square(error[good]).sum())
        self.total += float(error[good].sum())
        if sd is not None:
            self.covered += float((np.abs(error[good]) < NORMAL_95 * sd[good]).sum())

    @property
    def rmse(self) -> float:
        return (self.square / self.count) ** 0.5 if self.count else float("nan")

    def share(self, sums: float) -> float:
        return sums / self.count if self.count else float("nan")


@dataclass(slots=True)
class Score:
    """Filled moment by moment; `rows` gives the table."""

    mine: dict[str, Errors] = field(default_factory=lambda: {name: Errors() for name in JUDGED})
    naive: dict[str, Errors] = field(default_factory=lambda: {name: Errors() for name in JUDGED})
    lean: Errors = field(default_factory=Errors)
    lean_naive: Errors = field(default_factory=Errors)
    wrong: Errors = field(default_factory=Errors)
    inside: dict[str, Errors] = field(default_factory=dict)
    known: dict[str, Errors] = field(default_factory=lambda: {name: Errors() for name in JUDGED})
    week: list[tuple[str, float, float, float]] = field(default_factory=list)  # name, mine, naive, truth [points]
    pot_week: Errors = field(default_factory=Errors)
    pot_week_naive: Errors = field(default_factory=Errors)

    def look(self, truth: dict[str, Floats], estimate: Estimate, known: np.ndarray, naive: dict[str, Floats]) -> None:
        """Compare at one moment."""
        places = {output.name: n for n, output in enumerate(OUTPUTS)}
        for name, scale in JUDGED.items():
            n = places[name]
            true = truth[name] * scale
            error = estimate.mean[:, n] * scale - true
            self.mine[name].add(error, np.sqrt(estimate.cov[:, n, n]) * scale)
            self.known[name].add(known[:, n].astype(np.float64))
            if name in naive:
                self.naive[name].add(naive[name] * scale - true)
        alumina, true = estimate.mean[:, places["alumina_wt_pct"]], truth["alumina_wt_pct"]
        self.lean.add((alumina - true)[true < LEAN])
        self.lean_naive.add((naive["alumina_wt_pct"] - true)[true < LEAN])
        other_side = ((alumina > MINIMUM) != (true > MINIMUM)) & (np.abs(alumina - true) > CLEARLY)
        self.wrong.add(other_side.astype(np.float64))

    def surprised(self, channel: str, sigmas: Floats) -> None:
        """Count innovations of one channel inside the 95 % band."""
        sigmas = sigmas[np.isfinite(sigmas)]
        self.inside.setdefault(channel, Errors()).add(sigmas, np.ones_like(sigmas))

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Figure, twin, naive, limit."""
        table = []
        for (name, mine), unit in zip(self.mine.items(), UNITS, strict=True):
            naive, known = self.naive[name], self.known[name]
            text = f"{mine.rmse:.3g} (bias {mine.share(mine.total):+.2g})"
            theirs = f"{naive.rmse:.3g}" if naive.count else "-"
            table.append((f"{name.rsplit('_', 1)[0] if unit != 'points' else name} RMSE [{unit}]", text, theirs,
                          LIMITS.get(name, "")))  # fmt: skip
            covered = f"{100 * mine.share(mine.covered):.1f} %, known {100 * known.share(known.total):.0f} %"
            table.append(("  its 95 % interval covers", covered, "-", "90-98 %"))
        table.append(("alumina below 3 wt% RMSE", f"{self.lean.rmse:.3g}", f"{self.lean_naive.rmse:.3g}", "<= 0.2"))
        table.append(("wrong branch, share of time", f"{100 * self.wrong.share(self.wrong.total):.2f} %", "-", "< 1 %"))
        for channel in (*CHANNELS, *(kind.signal for kind in SAMPLES)):
            if channel in self.inside:
                found = self.inside[channel]
                share = f"{100 * found.share(found.covered):.1f} % of {found.count:.0f}"
                table.append((f"innovation inside 95 %: {channel}", share, "-", "90-98 %"))
        theirs = f"{self.pot_week_naive.rmse:.2f}"
        table.append(("pot-week efficiency RMSE [points]", f"{self.pot_week.rmse:.2f}", theirs, "<= 1.0"))
        for name, mine_, naive_, true in self.week:
            table.append((f"line efficiency, {name} [points]", f"{mine_ - true:+.2f} ({mine_:.2f})",
                          f"{naive_ - true:+.2f}", "+-0.3"))  # fmt: skip
        return table
