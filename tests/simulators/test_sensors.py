"""Observations: every signal, in its range and steps; what is missing, stuck, doubled, late."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.instruments import READING
from simulators.schedule import Cause
from simulators.sensors import Imperfection, Sensors
from tests.simulators.lines import FLAWLESS, Run, potline
from twin.signals import SIGNALS, by_name, of_topic

# What every plan and model needs; a signal added to the table need not be simulated.
NEEDED = {"voltage_v", "noise_mv", "bath_temperature_c", "alumina_feed_kg", "beam_position_mm", "line_current_ka"}
NEEDED |= {"ac_energy_kwh", "dc_energy_kwh", "auxiliary_energy_kwh"}


def test_every_instrument_of_pot_and_line_is_said_in_its_range() -> None:
    line = potline(30)
    sensors = Sensors(line, 1, FLAWLESS)
    for _ in range(30):
        line.step()
    said = sensors.observe()
    table = [SIGNALS[code].name for code in of_topic("telemetry")]
    assert list(said.telemetry) == list(READING) == [name for name in table if name in READING]
    assert set(said.line) <= {SIGNALS[code].name for code in of_topic("line")}
    assert set(said.telemetry) | set(said.line) >= NEEDED
    for name, values in said.telemetry.items():
        signal = SIGNALS[by_name(name)]
        assert values.shape == (30,)
        assert ((values >= signal.low) & (values <= signal.high)).all(), name
        steps = values / READING[name][1]
        assert steps == pytest.approx(np.rint(steps), abs=1e-4), name
    for name, value in said.line.items():
        signal = SIGNALS[by_name(name)]
        assert signal.low <= value <= signal.high, name
    assert said.telemetry["resistance_uohm"] == pytest.approx(
        (said.telemetry["voltage_v"] - 1.65) / said.line["line_current_ka"] * 1e3, abs=0.005
    )


def test_events_and_samples_name_signals_of_their_topic(day: Run) -> None:
    kinds: dict[str, set[str]] = {"event": set(), "sample": set()}
    for said in day.seen:
        kinds["event"] |= {event[2] for event in said.events}
        kinds["sample"] |= {sample[3] for sample in said.samples}
        assert all(available <= said.time_ns for _, available, *_ in said.samples)
        assert all(time_ns <= said.time_ns for time_ns, *_ in said.events)
    for topic, names in kinds.items():
        known = {SIGNALS[code].name for code in of_topic(topic)}
        assert names <= known
        assert len(names) >= 3


def test_voltage_is_the_mean_of_the_sample_period() -> None:
    line = potline(4)
    sensors = Sensors(line, 1, FLAWLESS)
    sensors.observe()
    seen = []
    for _ in range(5):
        line.step()
        seen.append(line.measured.copy())
    assert sensors.observe().telemetry["voltage_v"] == pytest.approx(np.mean(seen, axis=0), abs=0.0025)


def test_flaws_come_as_often_as_said() -> None:
    line = potline(50)
    flaws = Imperfection(dropout=0.01, hang=1e-4, hang_s=300.0, duplicate=0.02, late=0.03, late_s=5.0, clock_s=0.05)
    sensors = Sensors(line, 1, flaws)
    said = []
    for _ in range(400):
        line.step()
        said.append(sensors.observe())
    missing = np.mean([np.isnan(values).mean() for one in said for values in one.telemetry.values()])
    assert missing == pytest.approx(0.01, rel=0.1)
    assert np.mean([one.duplicated.mean() for one in said]) == pytest.approx(0.02, rel=0.2)
    late = np.array([one.delay_s for one in said])
    assert np.mean(late > 0.0) == pytest.approx(0.03, rel=0.2)
    assert late[late > 0.0].mean() == pytest.approx(5.0, rel=0.25)
    skew = np.array([one.pot_time_ns - one.time_ns for one in said]) / 1e9
    assert 0.03 < skew[0].std() < 0.07
    assert (skew == skew[0]).all()
    walls = np.array([one.telemetry["voltage_v"] for one in said])
    stuck = (np.diff(walls, axis=0) == 0.0).mean()
    assert stuck > 0.005


def test_meters_show_no_flaws_when_there_are_none() -> None:
    line = potline(50)
    sensors = Sensors(line, 1, FLAWLESS)
    for _ in range(50):
        line.step()
        said = sensors.observe()
        assert not any(np.isnan(values).any() for values in said.telemetry.values())
        assert not said.duplicated.any()
        assert not said.delay_s.any()
        assert not said.offline.any()
        assert (said.pot_time_ns == said.time_ns).all()


def test_truth_and_observation_share_no_memory() -> None:
    line = potline(5, [Cause("thermocouple_bias", 0, 0.0, 3600.0)])
    line.step()
    truth, said = line.truth(), Sensors(line, 1).observe()
    state = line.state
    for values in (*truth.values(), *said.telemetry.values()):
        assert not np.shares_memory(values, state.drift)
        assert not np.shares_memory(values, line.bath.mass)
    assert set(truth).isdisjoint(said.telemetry)
