"""Writes the figures, tables and plots of docs/simulator.md from one seeded run: `./dev simulator-report`.

The run is a `normal-week` of 300 pots at one-second steps, some minutes of one core. `--tables` runs nothing and only
writes the tables of causes, scenarios and parameters; `--check` says whether they are those of the code (exit code 1).
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import get_type_hints

import numpy as np

from simulators import scenarios
from simulators.causes import CAUSES, CauseKind
from simulators.figure_rows import table
from simulators.figures import Survey, line_of
from simulators.parameters import Parameters, Row
from simulators.potline import Potline
from twin.frames import Floats
from twin.plant import parse

__all__ = ["Recorder"]

DOCS = Path(__file__).parent
PAGE = DOCS / "simulator.md"
PLANT = DOCS.parent / "twin" / "plants" / "demo.toml"
SCENARIO = "normal-week"
DAY_S = 86400.0
FIRST_S = DAY_S  # the plots look at the second day: the start is forgotten
RING = 1500  # s kept around an anode effect
AFTER = 900  # of them after its begin


class Recorder:
    """Keeps what the plots need: every pot each minute of the second day, one anode effect, one new anode."""

    def __init__(self, line: Potline) -> None:
        self.minutes: dict[str, list[Floats]] = {name: [] for name in ("time_s", "volts", "alumina", "kelvin", "mode")}
        self.effect: dict[str, Floats] = {}  # seconds around the begin of an anode effect
        self.anode: dict[str, list[float]] = {name: [] for name in ("hours", "share", "kelvin", "wave_mv")}
        self._struck: tuple[int, int] | None = None  # pot, step of the anode effect that is being recorded
        self._changed: tuple[int, int, float] | None = None  # pot, anode, begin
        self._ring = np.zeros((RING, 4, line.pots), np.float32)
        self._volts = np.zeros(line.pots)
        self._count = 0

    def watch(self, line: Potline) -> None:
        """See the line after every step."""
        self._volts += line.measured
        self._count += 1
        self._remember(line)
        if line.steps % 60:
            return
        if FIRST_S <= line.time_s < 2.0 * DAY_S:
            now = (np.array(line.time_s), self._volts / self._count, line.bath.alumina, line.state.temperature)
            for name, value in zip(self.minutes, (*now, line.control.mode.astype(float)), strict=True):
                self.minutes[name].append(value.copy())
        self._volts.fill(0.0)
        self._count = 0
        self._follow_anode(line)

    def _remember(self, line: Potline) -> None:
        place = self._ring[line.steps % RING]
        place[:] = line.measured, line.bath.alumina, line.state.temperature, line.control.mode
        if self._struck is None and line.time_s > FIRST_S and len(line.effect.begun):
            self._struck = int(line.effect.begun[0]), line.steps
        if self._struck and not self.effect and line.steps == self._struck[1] + AFTER:
            rows = np.roll(self._ring[:, :, self._struck[0]], -(line.steps % RING) - 1, axis=0)
            names = ("volts", "alumina", "kelvin", "mode")
            self.effect = {name: np.asarray(rows[:, n], np.float64) for n, name in enumerate(names)}
            self.effect["seconds"] = np.arange(RING, dtype=np.float64) - (RING - 1.0 - AFTER)

    def _follow_anode(self, line: Potline) -> None:
        """The first anode that is set on the second day, for two days."""
        if self._changed is None and line.time_s > FIRST_S:
            youngest = line.state.age.min(axis=0)
            if youngest.min() < 60.0:
                pot = int(youngest.argmin())
                self._changed = pot, int(line.state.age[:, pot].argmin()), line.time_s
        if self._changed and line.time_s - self._changed[2] < 2.0 * DAY_S:
            pot, anode, begin = self._changed
            now = (line.anodes.share[anode, pot], line.state.temperature[pot], line.noise.sigma_wave[pot] * 1e3)
            for name, value in zip(self.anode, ((line.time_s - begin) / 3600.0, *now), strict=True):
                self.anode[name].append(float(value))


def rows_of(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    names = list(head)
    lines = (names, ["---"] * len(names), *rows)
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def _comes(kind: CauseKind) -> str:
    return {"step": "at once", "ramp": f"within {kind.ramp_s / 60.0:g} min", "slow": "grows all the time"}.get(
        kind.growth, "strongest at once, fades"
    )


def _strengths(kind: CauseKind) -> str:
    units = {"1": ""}
    return "; ".join(f"`{p.name}` {p.default:g}{units.get(p.unit, ' ' + p.unit)}: {p.help}" for p in kind.parameters)


def causes() -> str:
    """The table of causes, one row each."""
    rows = (
        (
            f"`{kind.name}`", kind.title, kind.scope, _comes(kind), f"{kind.hours:g}",
            _strengths(kind), ", ".join(f"`{fault}`" for fault in kind.faults),
        )
        for kind in CAUSES.values()
    )  # fmt: skip
    head = ("cause", "what happens", "strikes", "comes", "lasts [h]", "parameters", "faults it should raise")
    return rows_of(head, rows)


def scenario_rows() -> str:
    """The scenarios that come with the product."""
    found = ((name, scenarios.load(name)) for name in scenarios.names())
    rows = (
        (
            f"`{name}`", one.title, f"{one.hours:g}",
            ", ".join(sorted({f"`{entry.name}`" for entry in one.cause})) if len(one.cause) < 20 else "all",
            ", ".join(f"`{entry.name}` {entry.per_pot_day:g}" for entry in one.random),
        )
        for name, one in found
    )  # fmt: skip
    return rows_of(("scenario", "title", "hours", "at a set time", "by chance, per pot-day"), rows)


def parameter_rows() -> str:
    """Parameters of a pot of 500 kA."""
    found = ((name, kind.__metadata__[0]) for name, kind in get_type_hints(Parameters, include_extras=True).items())
    scale = {0: "", 1: "I", -1: "1/I"}

    def row(name: str, about: Row) -> tuple[str, ...]:
        return f"`{name}`", about.unit, f"{about.default:g}", f"{about.spread:g}", scale[about.scale], about.source

    head = ("parameter", "unit", "default", "sigma between pots", "scales with", "source")
    return rows_of(head, (row(name, about) for name, about in found))


STATIC: dict[str, Callable[[], str]] = {"causes": causes, "scenarios": scenario_rows, "parameters": parameter_rows}


def put(text: str, name: str, block: str) -> str:
    """The page with this block between its markers."""
    begin, end = f"<!-- {name}: written by ./dev simulator-report -->\n", f"<!-- end of {name} -->\n"
    before, _, rest = text.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{PAGE.name} has no markers for {name}")
    return f"{before}{begin}\n{block}\n{end}{after}"


def _static(text: str) -> str:
    """The page with the tables that need no run."""
    for name, block in STATIC.items():
        text = put(text, name, block())
    return text


def said(survey: Survey) -> str:
    """What run the figures are of: nothing here depends on the machine."""
    line = survey.line
    version = tomllib.loads((DOCS.parent / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    shares = np.percentile(np.array(survey.rows["alumina_wt_pct"]), (1, 5, 25, 50, 75, 95, 99))
    natural = [label for label in line.causes.labels() if label.cause == "feeder_hang"]
    return (
        f"`{SCENARIO}`, seed {line.seed}, {line.pots} pots, {line.time_s / 3600.0:g} h at 1 s steps, smelter-twin "
        f"{version}. Spread is over pots and time, of DC energy over pots.\n\n{table(survey.figures())}\n"
        f"Alumina, percentiles 1, 5, 25, 50, 75, 95, 99: {', '.join(f'{share:.2f}' for share in shares)} wt%. "
        f"Feeders that hung by themselves: {len(natural)}, {len(natural) / survey.pot_days:.3f} per pot-day; "
        f"anode effects: {survey.effects}. Beam moves of the controllers and crews: "
        f"{survey.counts.get('beam_move_mm', 0) / survey.pot_days:.0f} per pot-day.\n"
    )


def main(arguments: list[str]) -> int:
    """Run, then write the page and the plots; or compare the tables."""
    parser = argparse.ArgumentParser(prog="./dev simulator-report", description=__doc__)
    parser.add_argument("--pots", type=int, default=300)
    parser.add_argument("--hours", type=float, default=168.0, help="at least 96, so that the plots have their days")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--tables", action="store_true", help="only write the tables that need no run")
    parser.add_argument("--check", action="store_true", help="only compare them")
    given = parser.parse_args(arguments)
    text = PAGE.read_text("utf-8")
    if given.check:
        if stale := _static(text) != text:
            sys.stderr.write("docs/simulator.md is out of date; run ./dev simulator-report --tables\n")
        return int(stale)
    if given.tables:
        PAGE.write_text(_static(text), "utf-8")
        return 0
    import simulator_plots  # here: matplotlib is only needed for the plots

    line = line_of(parse(PLANT.read_text("utf-8"), str(PLANT)), pots=given.pots, seed=given.seed, scenario=SCENARIO)
    survey, recorder = Survey(line), Recorder(line)
    survey.run(given.hours, 1.0, recorder.watch)
    simulator_plots.draw(DOCS / "images", survey, recorder)
    PAGE.write_text(put(_static(PAGE.read_text("utf-8")), "figures", said(survey)), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
