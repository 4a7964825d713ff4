"""Controllers and crews act as in a real line."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.controller import NOMINAL, OVERFEED, QUENCH, STOPPED, UNDERFEED, Controller, Tuning
from simulators.journal import Journal
from simulators.parameters import draw
from simulators.schedule import Cause
from tests.simulators.lines import Run, potline, run


def controller(pots: int = 4) -> Controller:
    p = draw(pots, 500e3, np.random.default_rng(1))
    control = Controller(pots, p, 500e3, Journal(0), Tuning())
    control.settle(np.full(pots, 3.98), 500e3)
    return control


def feed_slope(control: Controller, millivolts_per_minute: float, minutes: float) -> None:
    """Show all pots a voltage that rises this fast."""
    line = potline(len(control.mode))
    for n in range(round(minutes * 12.0)):
        volts = np.full(len(control.mode), 3.98 + millivolts_per_minute * 1e-3 * n / 12.0)
        control.see(line.state, volts, 500e3, n * 5.0, 5.0)


def test_slope_is_that_of_the_window() -> None:
    control = controller()
    feed_slope(control, 3.0, 10.0)
    line = potline(4)
    control.decide(line.state, np.zeros(4), np.zeros(4), 500e3, 600.0, 10.0)
    assert control.slope * 500e3 * 60.0 == pytest.approx(np.full(4, 3e-3), rel=1e-6)


@pytest.mark.parametrize(
    ("mode", "slope", "age", "wave", "expected"),
    [
        (UNDERFEED, 4.0, 1000.0, 0.0, OVERFEED),
        (UNDERFEED, 0.5, 1000.0, 0.0, UNDERFEED),
        (UNDERFEED, 4.0, 60.0, 0.0, UNDERFEED),  # slow alumina still dissolves
        (UNDERFEED, 9.0, 60.0, 0.0, OVERFEED),
        (UNDERFEED, 0.0, 6000.0, 0.0, STOPPED),
        (STOPPED, 4.0, 600.0, 0.0, OVERFEED),
        (OVERFEED, 0.0, 1300.0, 0.0, UNDERFEED),
        (OVERFEED, 0.0, 600.0, 0.0, OVERFEED),
        (NOMINAL, 0.0, 600.0, 0.0, UNDERFEED),
        (UNDERFEED, 4.0, 1000.0, 0.030, NOMINAL),  # no slope can be read in a wavy pot
    ],
)
def test_feed_modes(mode: int, slope: float, age: float, wave: float, expected: int) -> None:
    control = controller()
    feed_slope(control, slope, 10.0)
    control.mode[:] = mode
    control.mode_age[:] = age
    line = potline(4)
    control.decide(line.state, np.full(4, wave), np.zeros(4), 500e3, 7200.0, 10.0)
    assert (control.mode == expected).all()


@pytest.mark.parametrize(("mode", "factor"), [(NOMINAL, 1.0), (UNDERFEED, 0.7), (OVERFEED, 1.4), (STOPPED, 0.0)])
def test_alumina_commanded_in_each_mode(mode: int, factor: float) -> None:
    """Page 6: 70 and 140 % of what the current needs."""
    control, line = controller(), potline(4)
    control.mode[:] = mode
    control.decide(line.state, np.zeros(4), np.zeros(4), 500e3, 0.0, 0.0)
    control.timer[:] = control.interval
    before = control.counter.copy()
    for _ in range(720):
        control.feed(5.0)
    hourly = 500.0 * 0.335573 * 0.94 * 1.889
    assert control.counter - before == pytest.approx(np.full(4, factor * hourly), abs=4.0)


def test_beam_brings_the_pot_back_to_its_target() -> None:
    line = potline(10)
    line.state.distance[:5] += 2e-3  # 60 mV too high
    line.state.distance[5:] -= 2e-3
    result = run(line, 3.0)
    off = result.true("pot_voltage_v").T
    target = line.control.target[:, None]
    assert np.abs((off - target)[:, :6].mean(axis=1)).mean() > 0.03
    assert np.abs((off - target)[:, -12:].mean(axis=1)).mean() < 0.025
    moves = [event for event in result.events if event[2] == "beam_move_mm" and abs(event[3]) < 2.0]
    down = sum(event[3] for event in moves if event[1] < 5)
    up = sum(event[3] for event in moves if event[1] >= 5)
    assert down > 5.0
    assert up < -5.0


def test_anode_effect_is_seen_quenched_and_killed() -> None:
    """Plan 5: above 8 V for 3 s; 10-50 V; fed and pumped; killed automatically or by hand."""
    line = potline(12, [Cause("anode_effect", pot, 60.0, 2400.0) for pot in range(6)])
    modes, volts = set(), []
    for _ in range(2160):
        line.step(2.5)
        modes |= set(line.control.mode[:6].tolist())
        if line.state.effect.any():
            volts += line.electric.total[line.state.effect].tolist()
    assert QUENCH in modes
    events, _ = line.journal.take()
    kills = [event for event in events if event[2] == "anode_effect_kill"]
    assert {event[1] for event in kills} == set(range(6))
    assert not line.state.effect.any()
    assert 10.0 < np.mean(volts) < 50.0
    assert np.percentile(volts, 99) < 50.0
    assert (line.state.temperature[:6].mean() - line.state.temperature[6:].mean()) > 5.0


def test_nobody_quenches_and_the_anode_effect_stays() -> None:
    deaf = Tuning(effect_voltage=1e3)
    line = potline(4, [Cause("anode_effect", pot, 60.0, 1000.0) for pot in range(4)], tuning=deaf)
    for _ in range(1000):
        line.step(5.0)
    assert line.state.effect.all()
    assert (line.bath.alumina > line.p.alumina_ae + 0.1).all()  # fed again, and still no end


def test_tap_takes_metal_and_moves_the_beam(day: Run) -> None:
    line = day.line
    tapped = sum(day.values("tapped_metal_kg"))
    under_way = float((line.rounds.tap_rate > 0.0).sum()) * 4500.0
    grown = line.state.metal.sum() - day.first["metal_kg"].sum()
    assert grown == pytest.approx(day.made_kg - tapped, abs=0.01 * tapped + under_way)
    lowered = [millimetre for millimetre in day.values("beam_move_mm") if millimetre > 15.0]
    assert 20.0 < np.mean(lowered) < 28.0  # 4.4 t on 80 m2


def test_nobody_begins_work_while_the_shifts_change(day: Run) -> None:
    starts = [event[0] for event in day.events if event[2] == "anode_changed"]
    local = (np.array(starts) / 1e9 + 8 * 3600.0) % 86400.0  # Asia/Shanghai
    since = np.min([(local - hour * 3600.0) % 86400.0 for hour in (0, 8, 16)], axis=0)
    assert len(starts) > 20
    assert (since >= 1199.0).all()


def test_alf3_is_added_against_what_is_lost() -> None:
    line = potline(10)
    dosing = line.dosing
    usual = dosing.usual.mean()
    assert 40.0 < usual < 110.0  # kg/d: 10-30 kg per t of metal
    dosing.learn(3, "excess_alf3_pct", float(line.p.alf3[3]) - 2.0)
    assert dosing.decide(3, 7000.0) > 0.0  # a bag
    assert dosing.daily[3] > 1.3 * dosing.usual[3]
    dosing.learn(4, "bath_temperature_manual_c", float(dosing.target_temperature[4]) - 273.15 - 10.0)
    assert dosing.decide(4, 7000.0) == 0.0
    assert dosing.daily[4] < dosing.usual[4]
