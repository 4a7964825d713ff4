"""Splitting a stream anywhere gives the same report: frames, events, grades and figures, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.plants import NOW_NS, NS, Row, engine_of, readings_of, roster_of
from twin.engine import Engine, Settings, State
from twin.frames import Event, Frame, Readings, Report
from twin.signals import SIGNALS, by_name, of_topic

pytestmark = pytest.mark.long

POTS = 3
# Seconds after T0 (06:00 UTC) of an hour's, a shift's and a day's end.
BOUNDARIES = (3600, 2 * 3600, 18 * 3600)
Fold = dict[tuple[int, str, int], tuple[object, ...]]


@dataclass
class Told:
    """What an engine has told over several steps."""

    state: State
    report: Report
    events: list[Event] = field(default_factory=list)
    figures: Fold = field(default_factory=dict)


def run(engine: Engine, parts: list[Readings]) -> Told:
    """Step through the parts; figures by key, the last ones told."""
    state, report = engine.step(engine.start(), Readings.empty())
    told = Told(state, report)
    for part in parts:
        told.state, told.report = engine.step(told.state, part)
        told.events += told.report.events
        for f in told.report.figures:
            values = tuple((name, value.tobytes()) for name, value in f.kpis.items())
            told.figures[int(f.units[0]), f.window, f.start_ns] = (f.end_ns, f.open, f.units.tobytes(), values)
    return told


def frame_bits(frame: Frame) -> tuple[object, ...]:
    arrays = (frame.units, frame.value, frame.age_s, frame.quality)
    return frame.time_ns, frame.signals, *(array.tobytes() for array in arrays)


def final(told: Told) -> dict[str, object]:
    """What the last report says of now."""
    report, state = told.report, told.state
    now = {(int(f.units[0]), f.window, f.start_ns) for f in report.figures if f.open}
    return {
        "time": report.time_ns,
        "pots": frame_bits(report.pots),
        "lines": frame_bits(report.lines),
        "active": report.active.tobytes(),
        "grades": repr(report.grades),
        "open": sorted(now),
        # Ticks that will close; how many readings wait that are too late to change anything depends on the splitting.
        "pending": sorted(set(state.pending_tick.tolist())),
        "newest": state.newest_tick,
        "old": [ledger.too_old for ledger in state.books.ledgers.values()],
    }


def same(one: Told, other: Told) -> None:
    assert final(one) == final(other)
    assert one.events == other.events
    assert one.figures == other.figures


def stream(rng: np.random.Generator) -> Readings:
    """Some minutes of a line round the end of a window: strikes, gaps, silence, late, early and repeated readings."""
    middle = int(rng.choice(BOUNDARIES))
    step = int(rng.choice([1, 1, 5, 30]))
    second = np.arange(middle - 40 * step, middle + 20 * step, step)
    rows: list[Row] = []
    for now in second.tolist():
        if rng.random() < 0.1:
            continue
        rows += [(now, 0, "line_current_ka", 500.0 + rng.normal()), (now, 0, "line_voltage_v", 12.0 + rng.normal())]
        rows += [(now, 0, "ac_energy_kwh", 10.0 * (now - second[0]))]
        for pot in range(1, POTS + 1):
            volt = float(rng.choice([4.0, 8.5, 30.0, 0.3, float("nan")], p=[0.7, 0.1, 0.1, 0.05, 0.05]))
            rows.append((now + float(rng.choice([0.0, 0.02, 0.4])), pot, "voltage_v", volt))
            rows.append((now, pot, "bath_temperature_c", 960.0 + 10 * rng.normal()))
        if rng.random() < 0.1:
            rows.append((now, int(rng.integers(1, POTS + 1)), "tapped_metal_kg", float(rng.integers(1, 3000))))
    found = readings_of(rows)
    order = np.argsort(found.time_ns + rng.choice([0, 0, 0, 1, 5, 90], len(found)) * NS, kind="stable")
    again = rng.integers(0, len(order), len(order) // 20)
    return found.take(np.insert(order, np.sort(again), order[again]))


def engine(rng: np.random.Generator) -> Engine:
    return engine_of(
        roster_of(POTS), Settings(tick_s=float(rng.choice([1.0, 0.5, 5.0])), grace=int(rng.choice([0, 2, 10])))
    )


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_any_splitting_gives_the_same_report(seed: int) -> None:
    rng = np.random.default_rng(seed)
    whole, twin = stream(rng), engine(rng)
    cuts = np.sort(rng.integers(0, len(whole) + 1, int(rng.integers(1, 20))))  # some parts are empty
    parts = [whole.take(part) for part in np.split(np.arange(len(whole)), cuts)]
    same(run(twin, [whole]), run(twin, parts))


@settings(max_examples=5)
@given(st.integers(0, 2**32))
def test_one_reading_at_a_time_gives_the_same_report(seed: int) -> None:
    rng = np.random.default_rng(seed)
    whole, twin = stream(rng), engine(rng)
    whole = whole.take(slice(0, 120))
    same(run(twin, [whole]), run(twin, [whole.take(slice(n, n + 1)) for n in range(len(whole))]))


def test_a_window_that_ends_in_silence_is_told_once_more_when_it_is_over() -> None:
    twin = engine_of()
    rows = [(second, 0, "line_current_ka", 500.0) for second in range(3000, 3590)]
    parts = [readings_of(rows), readings_of([(3601, 0, "line_current_ka", 500.0)])]
    apart, together = run(twin, parts), run(twin, [Readings.concat(parts)])
    same(apart, together)
    assert apart.figures[0, "hour", NOW_NS][1] is False


def test_every_signal_reaches_its_frame() -> None:
    rows = [(0, 0 if s.topic == "line" else 1, s.name, s.low) for s in SIGNALS if s.topic != "event"]
    told = run(engine_of(), [readings_of([*rows, (60, 0, "line_current_ka", 500.0)])])
    assert told.report.pots.signals == (*of_topic("telemetry"), *of_topic("sample"))
    assert told.report.lines.signals == of_topic("line")
    assert np.isfinite(told.report.pots.value[0]).all()
    assert np.isfinite(told.report.lines.value[0]).all()
    assert told.report.pots.column(by_name("superheat_c"))[0] == -20.0, "a difference has no offset"
    assert told.report.pots.column(by_name("bath_temperature_c"))[0] == 973.15
