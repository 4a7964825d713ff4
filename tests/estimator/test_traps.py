"""What misled other estimators (page 7): the rich branch of V(C), blind minutes, anode effects, the flat minimum.

The pots here obey the estimator's own equations, with noise: that finds mistakes of the filter, not of the model.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from twin.estimator import Estimator, Inputs, State
from twin.estimator.advance import CHANNELS
from twin.estimator.belief import Belief
from twin.estimator.design import Design
from twin.estimator.drive import MEMORIES, USUAL_EFFICIENCY, Drive, fresh_memory, prepare
from twin.estimator.gaussian import update
from twin.estimator.model import move
from twin.estimator.states import ALUMINA, DISTANCE, ELECTRIC, FEED_GAIN, ONSET, TEMPERATURE, VOLTAGE
from twin.estimator.voltage import shown
from twin.frames import Floats
from twin.physics.faraday import ALUMINA_PER_METAL, METAL_PER_COULOMB
from twin.plant import PotDesign

pytestmark = pytest.mark.long

POTS, AMPERES = 4, 500e3
USUAL = USUAL_EFFICIENCY * METAL_PER_COULOMB * ALUMINA_PER_METAL * AMPERES * 60.0  # kg of alumina a minute
LEAN = 2.3  # wt%


@dataclass(slots=True)
class Pots:
    """Pots that obey the reduced model; feeders go 25 minutes at 70 % and 25 at 130 %."""

    twin: Estimator = field(default_factory=lambda: Estimator([PotDesign()] * POTS))
    counter: float = 0.0
    minute: int = 0
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))
    state: State = field(init=False)
    truth: Floats = field(init=False)
    memory: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.state, self.truth = self.twin.start(), self.twin.design.mean.copy()
        self.memory = fresh_memory(self.twin.design)
        assert self.memory.shape[0] == len(MEMORIES)
        self.truth[ALUMINA] = LEAN
        self.truth[ONSET] = 1.65

    def run(
        self, minutes: int, *, counted: float = 1.0, arrived: float = 1.0, extra: float = 0.0, **events: float
    ) -> None:
        """So many minutes; `counted` and `arrived` share of the usual feed; `extra` volts; events at first."""
        for n in range(minutes):
            pace = USUAL * (0.7 if self.minute % 50 < 25 else 1.3)
            self.counter += counted * pace
            seen = Inputs.nothing(POTS)
            seen.covered_s[:], seen.current[:], seen.beam[:] = 60.0, AMPERES, 0.2
            seen.alumina_counter[:], seen.alf3_counter[:] = self.counter, 0.05 * self.minute
            seen.wave_noise[:], seen.bubble_noise[:] = 3e-3, 6e-3
            for name, value in events.items() if n == 0 else ():
                getattr(seen, name)[:] = value
            seen.voltage[:] = self._voltage(seen, arrived * pace) + extra + 1.5e-3 * self.rng.standard_normal(POTS)
            self.state = self.twin.step(self.state, self.minute, seen)
            self.minute += 1

    def _voltage(self, seen: Inputs, fed: float) -> Floats:
        """Move the truth on; the voltage it shows."""
        design = self.twin.design
        drive = Drive.of(prepare(design, self.memory, seen, 60.0))
        drive.fed[:] = fed
        self.truth, _ = move(design, self.truth, drive, 60.0)
        self.truth[DISTANCE] = design.mean[DISTANCE]  # the controller holds it
        nothing = np.zeros((len(self.truth), len(self.truth), POTS))
        return shown(design, self.truth, nothing, np.full(POTS, AMPERES)).voltage

    def alumina(self) -> Floats:
        found: Floats = self.state.belief.mean[ALUMINA].copy()
        return found

    def error(self) -> float:
        return float(np.abs(self.alumina() - self.truth[ALUMINA]).max())


def test_alumina_is_found_from_the_voltage_alone() -> None:
    pots = Pots()
    pots.run(200)
    sd = np.sqrt(pots.state.belief.cov[ALUMINA, ALUMINA])
    assert pots.error() < 0.25
    assert (np.abs(pots.alumina() - pots.truth[ALUMINA]) < 3.0 * sd).all()
    assert (sd < 0.2).all()


def test_work_at_the_pot_does_not_send_alumina_to_the_rich_branch() -> None:
    for event in ({"tapped": 4300.0}, {"raised": 1.0}, {"anodes_changed": 1.0}):
        pots = Pots()
        pots.run(200)
        before = pots.alumina() - pots.truth[ALUMINA]
        pots.run(3, extra=0.15, **event)  # the blip of work, +0.15 V for 200 s
        pots.run(60, extra=0.03)  # and a distance that is not what it was
        assert np.abs(pots.alumina() - pots.truth[ALUMINA] - before).max() < 0.25, event


def test_a_step_of_voltage_that_nobody_reported_is_no_alumina() -> None:
    for step in (-0.06, 0.2):
        pots = Pots()
        pots.run(200)
        pots.run(90, extra=step)
        assert pots.error() < 0.5, step
        assert pots.alumina().max() < 3.3, step


def test_the_voltage_of_blind_minutes_says_nothing_of_alumina() -> None:
    calm, shaken = Pots(), Pots()
    for pots, blip in ((calm, 0.0), (shaken, 0.15)):
        pots.run(120)
        pots.run(3, extra=blip, tapped=4300.0)
    assert np.isnan(shaken.state.belief.innovation[CHANNELS.index("voltage")]).all()
    assert np.abs(calm.alumina() - shaken.alumina()).max() < 1e-3
    shaken.run(1)
    assert np.isfinite(shaken.state.belief.innovation[CHANNELS.index("voltage")]).all()


def test_an_anode_effect_tells_alumina_and_not_the_distance() -> None:
    pots = Pots()
    pots.run(200)
    while pots.truth[ALUMINA].max() > 1.65:  # the feeder hangs while its counter runs on
        pots.run(1, arrived=0.0)
    before = pots.state.belief.mean.copy()
    pots.run(2, arrived=0.0, extra=25.0)
    after = pots.state.belief
    assert np.isfinite(after.innovation[CHANNELS.index("onset")]).all()
    assert np.abs(after.mean[ALUMINA] - after.mean[ONSET]).max() < 0.2
    assert np.abs(after.mean[DISTANCE] - before[DISTANCE]).max() < 1e-3
    assert np.abs(after.mean[VOLTAGE] - before[VOLTAGE]).max() < 0.05
    assert (after.mean[TEMPERATURE] > before[TEMPERATURE]).all()


def test_a_feeder_that_lies_is_found() -> None:
    pots = Pots()
    pots.run(200)
    pots.run(50, counted=1.0, arrived=0.85)
    assert (pots.state.belief.mean[FEED_GAIN] < -0.03).all()
    assert pots.error() < 0.3


def test_at_the_minimum_of_the_curve_the_voltage_tells_nothing() -> None:
    design = Design.of([PotDesign()])
    left = {}
    for alumina in (2.3, 4.2):
        belief = Belief.prior(design)
        belief.mean[ALUMINA] = alumina
        belief.cov[ALUMINA, ALUMINA] = 0.3**2
        belief.cov[VOLTAGE, VOLTAGE] = belief.cov[DISTANCE, DISTANCE] = 1e-12
        seen = shown(design, belief.mean, belief.cov, design.rated_current)
        noise = 1e-6 + seen.bend
        update(belief.mean, belief.cov, ELECTRIC, seen.slopes, np.array([0.005]), noise)
        left[alumina] = float(belief.cov[ALUMINA, ALUMINA, 0] ** 0.5)
    assert left[2.3] < 0.2
    assert left[4.2] > 0.25
