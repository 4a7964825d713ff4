"""Streams for an engine that estimates, and every bit that such an engine remembers and tells."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from tests.core.plants import Row, engine_of, readings_of, roster_of
from twin.engine import Engine, Settings, State
from twin.frames import Estimate, Readings, Report
from twin.units import NS_PER_S

POTS = 3
PERIOD_S = 30
HORIZON_H = 25
Bits = dict[str, object]


def tracking(pots: int = POTS, *, tick_s: float = 10.0, grace: int = 2, estimate: bool = True) -> Engine:
    """An engine that estimates the pots of one line."""
    settings = Settings(tick_s=tick_s, grace=grace, horizon_h=HORIZON_H, estimate=estimate)
    return engine_of(roster_of(pots, period=PERIOD_S), settings)


def minutes(rng: np.random.Generator, first: int, last: int, pots: int = POTS, *, gaps: float = 0.0) -> list[Row]:
    """Telemetry of a line from minute `first` up to before `last`, minutes after T0; `gaps` of the samples missing."""
    rows: list[Row] = []
    for second in range(first * 60, last * 60, PERIOD_S):
        current, volts = 500.0 + rng.normal(), 4.0 + 0.02 * rng.normal(size=pots)
        rows += [(second, 0, "line_current_ka", current), (second, 0, "line_voltage_v", float(volts.sum()))]
        rows.append((second, 0, "ac_energy_kwh", 1.0e6 + pots * 4.0 * 500.0 * second / 3600 / 0.985))
        for pot in range(1, pots + 1):
            rows.append((second, pot, "voltage_v", float(volts[pot - 1])))
            rows.append((second, pot, "voltage_set_v", 4.0 + 0.05 * (pot == 2 and second % 600 >= 300)))
            if second % 60 == 0:
                rows.append((second, pot, "bath_temperature_c", 958.0 + rng.normal()))
                rows.append((second, pot, "alumina_feed_kg", 9000.0 + 0.0747 * 1.05 * second + pot))
                rows.append((second, pot, "metal_wave_mv", 30.0 if pot == 2 and second % 600 >= 300 else 5.0))
    return [row for row in rows if rng.random() >= gaps]


def sample(minute: float, pot: int, name: str, value: float) -> Row:
    return (60.0 * minute, pot, name, value)


def arriving(rows: list[Row], late_s: dict[int, float]) -> Readings:
    """Readings in the order in which they arrive; `late_s` place of a row -> how long it was on the way [s]."""
    found = readings_of(rows)
    arrival = found.time_ns + np.array([round(late_s.get(n, 0.0) * NS_PER_S) for n in range(len(rows))])
    return found.take(np.argsort(arrival, kind="stable"))


def run(engine: Engine, *parts: Readings, state: State | None = None) -> tuple[State, Report]:
    """Step through the parts, and once more with nothing: figures of everything that is open or has changed."""
    state = engine.start() if state is None else state
    for part in parts:
        state, _ = engine.step(state, part)
    return engine.step(state, Readings.empty())


def estimate_bits(estimate: Estimate | None) -> Bits:
    """Everything that an estimate says."""
    assert estimate is not None
    assert estimate.known is not None
    arrays = (estimate.units, estimate.mean, estimate.cov, estimate.innovation, estimate.known)
    return {"time": estimate.time_ns, "states": estimate.states, "arrays": [array.tobytes() for array in arrays]}


def track_bits(state: State, pots: slice = slice(None)) -> Bits:
    """Everything that is remembered of the estimate of some pots; samples and what waits of all."""
    track = state.track
    assert track is not None
    belief, window, marks = track.state.belief, track.state.window, track.state.marks
    arrays = {f"belief.{f.name}": getattr(belief, f.name) for f in fields(belief)}
    arrays |= {"memory": track.state.memory, "drives": window.drives, "kept": window.kept, "marks": marks.rows}
    arrays |= {name: getattr(track, name) for name in ("offset", "u_common", "u_own", "metal_sd", "quiet_set", "extra")}
    arrays |= {"instability": track.instability, "voltage": track.voltage, "voltage_n": track.voltage_n}
    found: Bits = {name: np.ascontiguousarray(array[..., pots]).tobytes() for name, array in arrays.items()}
    found |= {"kept_at": window.kept_at.tolist(), "cell": marks.cell.tolist(), "at": track.instability_at.tolist()}
    return found | {
        "number": track.state.number,
        "minute": track.minute,
        "extra_n": track.extra_n,
        "samples": window.samples,
        "waiting": sorted(track.waiting),
        "too_old": track.state.too_old,
    }


def figure_bits(report: Report) -> dict[tuple[int, str, int], Bits]:
    """Figures and their uncertainties by unit, window and start."""
    found: dict[tuple[int, str, int], Bits] = {}
    for f in report.figures:
        columns = {**f.kpis, **{f"u_{name}": v for name, v in f.u.items()}}
        found[int(f.units[0]), f.window, f.start_ns] = {name: v.tobytes() for name, v in columns.items()}
    return found
