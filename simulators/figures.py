"""Figures of a simulated line beside their published ranges: what an engineer looks at first.

    python -m simulators.figures PLANT.toml --pots 300 --hours 168 --step 1 --seed 7

prints a Markdown table; "plan" is the energy page, "physics" the pot-physics page.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np

from simulators.potline import Potline
from twin.frames import Floats
from twin.plant import parse
from twin.units import KELVIN_AT_0_C

__all__ = ["Figure", "Survey", "table"]

EVERY_S = 300.0
START_NS = 1_760_000_000_000_000_000


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its spread and the range a source gives."""

    name: str
    mean: float
    low: float  # 5 %
    high: float  # 95 %
    published: str


@dataclass(slots=True)
class Survey:
    """Runs a line and gathers its figures."""

    line: Potline
    rows: dict[str, list[Floats]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    cycles: int = 0
    effect_s: float = 0.0
    metal: Floats = field(default_factory=lambda: np.zeros(0))
    energy: Floats = field(default_factory=lambda: np.zeros(0))

    def run(self, hours: float, dt: float) -> None:
        """Advance by so many hours."""
        line = self.line
        self.metal, self.energy = np.zeros(line.pots), np.zeros(line.pots)
        mode = line.control.mode.copy()
        every = round(EVERY_S / dt)
        for n in range(round(hours * 3600.0 / dt)):
            line.step(dt)
            self.metal += line.alumina.made
            self.energy += line.electric.total * (line.rectifier.current * dt)
            if line.state.effect.any():
                self.effect_s += float(line.state.effect.sum()) * dt
            self.cycles += int(((line.control.mode == 2) & (mode != 2)).sum())
            mode[:] = line.control.mode
            if n % every == 0:
                self._look()

    def _look(self) -> None:
        for name, values in self.line.truth().items():
            self.rows.setdefault(name, []).append(values)
        for _, _, name, _ in self.line.journal.take()[0]:
            self.counts[name] = self.counts.get(name, 0) + 1

    def _of(self, name: str, key: str, published: str, scale: float = 1.0, offset: float = 0.0) -> Figure:
        return _figure(name, np.array(self.rows[key]) * scale + offset, published)

    def figures(self) -> list[Figure]:
        """All figures of the run."""
        line = self.line
        days = line.pots * line.time_s / 86400.0
        changes, taps = self.counts.get("anode_changed", 1), self.counts.get("tapped_metal_kg", 1)
        effects = int(line.effect.count.sum())
        noise = np.hypot(self.rows["bubble_noise_v"], self.rows["metal_wave_v"]) * 1e3
        dc = self.energy / 3.6e3 / self.metal
        ac = line.rectifier.ac.energy / 3.6e3 / self.metal.sum()
        alumina = np.percentile(np.array(self.rows["alumina_wt_pct"]), (5, 95), axis=0)
        return [
            self._of("current efficiency [%]", "efficiency", "92.5-94.5 (plan 6)", 100.0),
            self._of("bath temperature [C]", "temperature_k", "945-960 (plan 6)", offset=-KELVIN_AT_0_C),
            self._of("superheat [C]", "superheat_k", "8-12 (plan 6)"),
            self._of("excess AlF3 [wt%]", "excess_alf3_wt_pct", "9-12 (plan 6)"),
            self._of("alumina [wt%]", "alumina_wt_pct", "2-4 (physics 4)"),
            _figure("alumina swing of a feed cycle, 5-95 % [wt%]", alumina[1] - alumina[0], "about 0.5 (physics 6)"),
            self._of("pot voltage [V]", "pot_voltage_v", "3.92-4.0 (plan 6)"),
            self._of("cathode drop [mV]", "cathode_drop_v", "250-320 (plan 6)", 1e3),
            self._of("ledge [cm]", "ledge_m", "5-10 (physics 4)", 100.0),
            self._of("distance anode to metal [mm]", "distance_m", "not published for this class", 1e3),
            _figure("voltage noise of a sample [mV]", noise, "6-8 (physics 6)"),
            _one("feed cycle [min]", days * 1440.0 / max(self.cycles, 1), "87 at one 126 kA pot (physics 6)"),
            _one("anode effects per pot-day", effects / days, "0.02-0.1 (plan 5)"),
            _one("length of an anode effect [min]", self.effect_s / 60.0 / max(effects, 1), "1-3 (U)"),
            _one("anode life [d]", line.anode_count * days / changes, "30-33 (plan 6)"),
            _one("hours between taps", days * 24.0 / taps, "24-32 (plan 6)"),
            _figure("DC of a pot [kWh/t]", dc, "12,430-12,840 from 3.92-4.05 V at 94 % (plan 3)"),
            _one("AC of the line [kWh/t]", ac, "plan: <= 13,000 (plan 1)"),
        ]


def _figure(name: str, values: Floats, published: str) -> Figure:
    low, high = np.percentile(values, (5, 95))
    return Figure(name, float(values.mean()), float(low), float(high), published)


def _one(name: str, value: float, published: str) -> Figure:
    return Figure(name, value, value, value, published)


def table(figures: list[Figure]) -> str:
    """Markdown."""
    lines = ["| figure | mean | 5-95 % | published |", "|---|---|---|---|"]
    for one in figures:
        digits = 0 if abs(one.mean) >= 1000 else (1 if abs(one.mean) >= 20 else 2)
        spread = "" if one.low == one.high else f"{one.low:.{digits}f}-{one.high:.{digits}f}"
        lines.append(f"| {one.name} | {one.mean:.{digits}f} | {spread} | {one.published} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description="Figures of a simulated line beside their published ranges.")
    parser.add_argument("plant", type=Path)
    parser.add_argument("--pots", type=int, help="default: as in the plant file")
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--step", type=float, default=5.0, help="s, a whole part of 5")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args(arguments)
    plant = parse(given.plant.read_text("utf-8"), str(given.plant))
    site, line = next(plant.lines())
    line = msgspec.structs.replace(line, pots=given.pots or line.pots)
    survey = Survey(Potline.of(plant, line, site.id, seed=given.seed, start_ns=START_NS))
    survey.run(given.hours, given.step)
    sys.stdout.write(table(survey.figures()))


if __name__ == "__main__":
    main(sys.argv[1:])
