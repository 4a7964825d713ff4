"""The golden hour: a recorded hour of a small line, and what the engine says about it.

    python -m tests.golden.make            records the hour anew and writes its report (the simulator has changed)
    python -m tests.golden.make report     writes the report of the recording there is (the engine has changed)

Either is a decision: look at the difference of report.jsonl before it is committed, and say in the commit why the
figures are now better. `hour.npz` holds the columns of Readings in the order in which they came, `signals.txt` the
table of signals then, in the order of the numbers; `report.jsonl` has one line a window and unit, event, grade and unit
of a frame, with the signals of then. Floats are written by `repr`: every bit counts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simulators.publish import SimulatedLine
from simulators.schedule import Cause, Causes
from simulators.sensors import Imperfection
from tests.core.plants import packaged_plan
from twin import plant
from twin.engine import Engine
from twin.frames import Event, Frame, Readings, Report, WindowFigures
from twin.plan import Grade
from twin.plant import Roster
from twin.portfolio import PORTFOLIO
from twin.signals import SIGNALS, by_name
from twin.times import iso

RECORDING = Path(__file__).with_name("hour.npz")
REPORT = Path(__file__).with_name("report.jsonl")
NAMES = Path(__file__).with_name("signals.txt")
PLANT = """
title = "Golden plant"
[[sites]]
id = "demo"
time_zone = "Asia/Shanghai"
[[sites.lines]]
id = "A"
pots = 6
pot_prefix = "A"
section_pots = 2
design = "p500"
sample_period_s = 5
[designs.p500]
"""
START_NS = 1_763_969_400_000_000_000  # 2025-11-24T07:30:00Z: at 08:00 an hour and a shift of Shanghai end
PERIOD_S = 5
SEED = 7
CAUSES = (
    Cause("anode_effect", 2, 60.0, 900.0),
    Cause("gateway_outage", 4, 1500.0, 240.0),
    Cause("line_current_loss", None, 2700.0, 300.0, severity=0.5),
)
FLAWS = Imperfection(dropout=1e-3, duplicate=2e-3, late=5e-3)


def roster() -> Roster:
    """The roster of the golden plant."""
    return Roster(plant.parse(PLANT, "golden"))


def record() -> Readings:
    """One hour as its sensors send it, late, repeated and missing readings included."""
    units = roster()
    ((site, line),) = units.plant.lines()
    simulated = SimulatedLine(units, site, line, SEED, START_NS)
    simulated.potline.causes = Causes(simulated.potline, CAUSES)
    simulated._sensors.flaws = FLAWS
    return Readings.concat([part for _ in range(3600 // PERIOD_S) for part in simulated.advance(PERIOD_S)])


def save(readings: Readings) -> None:
    """Write the columns, compressed."""
    np.savez_compressed(
        RECORDING,
        time_ns=readings.time_ns,
        unit=readings.unit.astype(np.uint8),
        signal=readings.signal.astype(np.uint8),
        value=readings.value,
    )
    NAMES.write_text("".join(f"{signal.name}\n" for signal in SIGNALS), "utf-8")


def numbers() -> list[int]:
    """What the signals of the recording are called now, by their numbers then."""
    return [by_name(name) for name in NAMES.read_text("utf-8").split()]


def load() -> Readings:
    """The recorded hour, in the numbers that its signals have now."""
    codes = np.array(numbers())
    with np.load(RECORDING) as columns:
        return Readings.of(columns["time_ns"], columns["unit"], codes[columns["signal"]], columns["value"])


def report(parts: Iterable[Readings]) -> str:
    """What the engine says of the parts, one after the other: the last word on each window, and now."""
    units = roster()
    engine = Engine(units, packaged_plan())
    state, events = engine.start(), list[Event]()
    windows: dict[tuple[int, str, int], WindowFigures] = {}
    for part in parts:
        state, latest = engine.step(state, part)
        events += latest.events
        windows.update({(f.start_ns, f.window, int(f.units[0])): f for f in latest.figures})
    lines = [
        *_windows(windows, units.paths),
        *_events(events, units.paths),
        *_grades(latest, units.paths),
        *_now(latest, units.paths),
    ]
    return "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines)


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _windows(windows: dict[tuple[int, str, int], WindowFigures], paths: Sequence[str]) -> Iterator[dict[str, Any]]:
    for _, figures in sorted(windows.items()):
        for row, unit in enumerate(figures.units.tolist()):
            yield {
                "window": figures.window,
                "start": iso(figures.start_ns),
                "end": iso(figures.end_ns),
                "open": figures.open,
                "unit": paths[unit],
                **{name: _known(float(values[row])) for name, values in figures.kpis.items()},
            }


def _events(events: Sequence[Event], paths: Sequence[str]) -> Iterator[dict[str, Any]]:
    for event in events:
        began = "began" if event.began else "ended"
        yield {"event": event.code, began: iso(event.time_ns), "unit": paths[event.unit], "value": event.value}


def _grades(latest: Report, paths: Sequence[str]) -> Iterator[dict[str, Any]]:
    for grade in latest.grades:
        assert isinstance(grade, Grade)
        unit = "portfolio" if grade.unit == PORTFOLIO else paths[grade.unit]
        figures = {"value": _known(grade.value), "margin": _known(grade.margin), "coverage_pct": grade.coverage_pct}
        told = {"rule": grade.rule.id, "unit": unit, "window": grade.window}
        yield {**told, **figures, "verdict": grade.verdict, "why": grade.why}


def _now(latest: Report, paths: Sequence[str]) -> Iterator[dict[str, Any]]:
    codes = set(numbers())

    def values(frame: Frame, row: int) -> dict[str, float | None]:
        found = zip(frame.signals, frame.value[row].tolist(), strict=True)
        return {SIGNALS[code].name: _known(value) for code, value in found if code in codes}

    yield {"now": iso(latest.time_ns)}
    for frame in (latest.lines, latest.pots):
        for row, unit in enumerate(frame.units.tolist()):
            yield {"unit": paths[unit], "faults": latest.active[unit].astype(int).tolist(), **values(frame, row)}


def main() -> None:
    """Write the files anew."""
    if "report" not in sys.argv[1:]:
        save(record())
    REPORT.write_text(report([load()]), "utf-8")


if __name__ == "__main__":
    main()
