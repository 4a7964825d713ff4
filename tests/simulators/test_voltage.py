"""The pot's voltage shows what section 9 of the physics page asks for."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.potline import Potline
from simulators.schedule import Cause
from tests.simulators.lines import potline
from twin.frames import Floats
from twin.physics.liquidus import liquidus


def voltage_at(line: Potline, alumina: float | Floats, further: float = 0.0) -> Floats:
    """Voltage [V] of every pot at this alumina content and this much more distance [m]."""
    line.bath.alumina[:] = alumina
    line.state.distance += further
    line.electric.step(line.state, line.bath, line.current_rated, line.anodes.excess, line.state.effect_voltage)
    line.state.distance -= further
    return line.electric.total.copy()


def test_least_voltage_at_3_5_to_4_5_percent() -> None:
    """Page 9; the pots' own anode-effect limit moves it a little."""
    line = potline(40)
    contents = np.arange(2.0, 6.0, 0.05)
    volts = np.array([voltage_at(line, float(content)) for content in contents])
    lowest = contents[volts.argmin(axis=0)]
    assert 3.5 < lowest.mean() < 4.5
    assert ((lowest > 3.5) & (lowest < 4.7)).all()
    assert (volts[0] > volts[20]).all()
    assert (volts[-1] > volts.min(axis=0)).all()


def test_a_millimetre_is_31_to_36_millivolts() -> None:
    """Page 9: +34 mV/mm at 0.85 A/cm2; this pot runs at 0.80."""
    line = potline(40)
    slope = voltage_at(line, 3.0, 1e-3) - voltage_at(line, 3.0)
    assert ((slope > 0.029) & (slope < 0.036)).all()


@pytest.mark.parametrize(("alumina", "low", "high"), [(2.5, 2.0, 4.0), (2.0, 7.0, 10.0)])
def test_slope_without_feed(alumina: float, low: float, high: float) -> None:
    """Page 9: 2-4 mV/min at 2.5 and 7-10 at 2.0 wt%, for C_AE 1.5 and 6-8 t of bath at 350 kA: made alike here."""
    line = potline(20, [Cause("anode_effect", pot, 0.0, 9000.0) for pot in range(20)])
    state, bath = line.state, line.bath
    line.p.alumina_ae[:] = 1.5
    larger = 7000.0 / 350.0 * 500.0 / bath.mass
    state.undissolved[:] = 0.0
    state.sludge[:] = 0.0
    state.drift[:2] *= larger  # cryolite, AlF3
    state.additives *= larger
    bath.refresh(state)
    state.dissolved[:] = bath.solvent * (alumina + 0.09) / (100.0 - alumina - 0.09)
    bath.refresh(state)
    contents = []
    for n in range(36):
        line.step(5.0)
        if n in (11, 35):
            contents.append(bath.alumina.copy())
    before, after = contents
    assert (before + after).mean() / 2.0 == pytest.approx(alumina, abs=0.03)
    rise = voltage_at(line, after) - voltage_at(line, before)  # without the bath's warming, some -0.5 mV/min
    assert low < np.median(rise) * 1e3 / 2.0 < high


def test_liquidus_is_solheims() -> None:
    line = potline(5)
    for _ in range(20):
        line.step(1.0)
    bath = line.bath
    expected = liquidus(bath.alumina, bath.alf3, bath.caf2, bath.mgf2, bath.lif, bath.kf)
    assert bath.liquidus == pytest.approx(expected, abs=0.05)
    step = liquidus(bath.alumina, bath.alf3 + 1.0, bath.caf2, bath.mgf2, bath.lif, bath.kf) - expected
    assert ((step < -3.0) & (step > -5.5)).all()  # page 1: -4.4 C per wt%


def test_noise_of_the_voltage() -> None:
    """Page 6: sigma 6-8 mV at 5 s; current 0.05 % with dips of 0.24 %; bubbles near 1 Hz, wave at 0.008-0.05 Hz."""
    line = potline(30)
    volts, amperes = [], []
    for _ in range(1800):
        line.step(1.0)
        volts.append(line.measured - line.electric.total)
        amperes.append(line.rectifier.current)
    noise = np.array(volts)
    assert 6e-3 < np.median(noise[::5].std(axis=0)) < 8.5e-3
    power = np.abs(np.fft.rfft(noise, axis=0)) ** 2
    frequency = np.fft.rfftfreq(len(noise), 1.0)
    band = (frequency > 0.008) & (frequency < 0.05)
    assert power[band].mean() > 5.0 * power[frequency > 0.1].mean()
    current = np.array(amperes) / line.current_rated
    assert 3e-4 < np.percentile(np.abs(current - 1.0), 68) < 9e-4
    assert -0.006 < current.min() - 1.0 < -0.0012


def test_current_of_a_smaller_line_gives_the_same_pot() -> None:
    """A 300 kA line is the same design made smaller."""
    line = potline(20, current_ka=300.0)
    for _ in range(60):
        line.step(5.0)
    truth = line.truth()
    assert truth["pot_voltage_v"].mean() == pytest.approx(3.99, abs=0.05)
    assert truth["power_w"].mean() == pytest.approx(300e3 * 3.82, rel=0.03)


def test_a_line_that_stood_still_comes_back_at_a_voltage_that_exists() -> None:
    """And cools by no more than some 30 K an hour: the carbon of cathode and anodes keeps heat (docs/simulator.md)."""
    line = potline(10, [Cause("line_current_loss", None, 60.0, 3600.0, 1.0, {"loss": -1.0})])
    before, volts = line.state.temperature.mean(), []
    for _ in range(760):
        line.step(5.0)
        volts.append(line.electric.total.max())
        if line.time_s == 3600.0:
            assert 15.0 < before - line.state.temperature.mean() < 50.0
    assert line.rectifier.current > 450e3
    assert max(volts) < 8.0
