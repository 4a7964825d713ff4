"""The estimator as others see it: start, step, late samples, estimate.

    estimator = Estimator([design of each pot ...])
    state = estimator.start()
    state = estimator.step(state, number, inputs)        # number = time_ns // step; steps follow each other
    state = estimator.late(state, samples)               # when they come, hours late
    estimate, known = estimator.estimate(state, units, line_of)   # frames.Estimate; what is not known is not shown

The state is consumed: go on with the one returned. Pots do not know of each other, except where `estimate` pools what
the pots of a line say of current efficiency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.estimator.advance import CHANNELS, advance
from twin.estimator.belief import Belief
from twin.estimator.design import Design
from twin.estimator.drive import Drive, Inputs, fresh_memory, prepare
from twin.estimator.marks import Marks, mark
from twin.estimator.measurements import SAMPLES, weigh
from twin.estimator.outputs import drawn, told
from twin.estimator.window import NEVER, Window
from twin.frames import Codes, Estimate, Floats, Ints
from twin.plant import PotDesign
from twin.units import NS_PER_S

__all__ = ["Estimator", "Samples", "Settings", "State"]

CHUNK = 256  # pots whose covariances stay in a core's cache


@dataclass(frozen=True, slots=True)
class Settings:
    """`step_s` [s]; `horizon_h` [h] within which a sample can come late; a belief is kept every `keep_h` [h].

    The books get a mark every `mark_min` [min].
    """

    step_s: int = 60
    horizon_h: int = 36
    keep_h: int = 2
    mark_min: int = 15


@dataclass(frozen=True, slots=True)
class Samples:
    """Columns: `number` of the step in which each was taken, `pot` (place in the estimator), `kind` (place in
    `measurements.SAMPLES`), `value` [SI]."""

    number: Ints
    pot: Ints
    kind: Ints
    value: Floats


@dataclass(slots=True)
class State:
    """Everything the estimator remembers; `number` of the last step, `too_old` samples that came beyond the horizon."""

    number: int
    belief: Belief
    memory: Floats
    window: Window
    marks: Marks
    too_old: int = 0


class Estimator:
    """The constant part: designs and settings. Pots go by their place in `designs`."""

    def __init__(self, designs: Sequence[PotDesign], settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.design = Design.of(designs)
        self._drawn = drawn(self.design)
        self.steps = self.settings.horizon_h * 3600 // self.settings.step_s
        self.every = self.settings.keep_h * 3600 // self.settings.step_s
        self.steps_a_mark = self.settings.mark_min * 60 // self.settings.step_s

    def number(self, time_ns: Ints | int) -> Ints | int:
        """The step that a moment belongs to."""
        return time_ns // (self.settings.step_s * NS_PER_S)

    def start(self) -> State:
        """Before the first step: the priors of the plant file."""
        pots = len(self.design)
        window = Window.empty(self.steps, self.every, pots)
        marks = Marks.empty(self.steps // self.steps_a_mark + 2, pots)
        return State(NEVER, Belief.prior(self.design), fresh_memory(self.design), window, marks)

    def adopt(self, state: State) -> State:
        """Go on with the state of an estimator that had fewer pots: those behind them are new.

        What was known of the old ones stays; samples that are older than this moment come too late.
        """
        old = state.belief.mean.shape[1]
        new = self.design.take(slice(old, None))
        belief = state.belief.join(Belief.prior(new))
        memory = np.concatenate([state.memory, fresh_memory(new)], axis=1)
        window = Window.empty(self.steps, self.every, len(self.design))
        window.begin(state.number, belief)
        state.marks.grow(len(self.design))
        return State(state.number, belief, memory, window, state.marks, state.too_old)

    def step(self, state: State, number: int, inputs: Inputs) -> State:
        """Take the inputs of the next step; steps that were left out are steps of which nothing is known."""
        if state.number == NEVER:
            state.number = number - 1
            state.window.begin(state.number, state.belief)
        if number <= state.number:
            raise ValueError(f"step {number} is not after step {state.number}")
        nothing = Inputs.nothing(len(self.design))
        if number - state.number > self.steps:  # a gap beyond the horizon: no belief can get wider in the rest of it
            state.number = number - self.steps
        while state.number < number:
            self._step(state, inputs if state.number == number - 1 else nothing)
        return state

    def _step(self, state: State, inputs: Inputs) -> None:
        state.number += 1
        number, step_s = state.number, float(self.settings.step_s)
        rows = prepare(self.design, state.memory, inputs, step_s)
        state.window.note(number, rows)
        for start in range(0, len(self.design), CHUNK):
            pots = slice(start, start + CHUNK)
            some = state.belief.of(pots)
            drive = Drive.of(rows[:, pots])
            some.innovation[: len(CHANNELS)] = advance(
                self.design.take(pots), some.mean, some.cov, some.trend, drive, number, step_s
            )
        pots_all = np.arange(len(self.design))
        self._weigh(state.window, number, state.belief, pots_all)
        state.window.keep(number, state.belief)
        self._mark(state, number, state.belief, pots_all)

    def _mark(self, state: State, number: int, belief: Belief, pots: Ints) -> None:
        """At the end of a quarter hour put down what the books want; row n of the belief is the pot `pots[n]`."""
        cell, left = divmod(number + 1, self.steps_a_mark)
        if left == 0:
            current = state.window.drive(number, pots).current
            state.marks.put(cell - 1, pots, mark(self.design.take(pots), belief.mean, current))

    def _weigh(self, window: Window, number: int, belief: Belief, pots: Ints) -> None:
        """Weigh the samples of a step; row n of the belief is the pot `pots[n]`."""
        for kind, (sampled, values) in window.sampled(number).items():
            here = np.isin(sampled, pots)
            sampled, values = sampled[here], values[here]
            if len(sampled):
                rows = np.searchsorted(pots, sampled)
                mean, cov = belief.mean[:, rows], belief.cov[:, :, rows]
                sigmas = weigh(self.design.take(sampled), mean, cov, kind, values)
                belief.innovation[len(CHANNELS) + kind, rows] = sigmas
                belief.mean[:, rows], belief.cov[:, :, rows] = mean, cov

    def late(self, state: State, samples: Samples) -> State:
        """Take samples whenever they come: the pots' windows are run again from before the oldest of them."""
        good = np.isfinite(samples.value) & (samples.kind >= 0) & (samples.kind < len(SAMPLES))
        good &= (samples.pot >= 0) & (samples.pot < len(self.design))
        old = good & (samples.number <= state.window.first())
        state.too_old += int(old.sum())
        good &= ~old
        for n in np.flatnonzero(good).tolist():
            kept = state.window.samples.setdefault(int(samples.number[n]), {})
            kept[int(samples.pot[n]), int(samples.kind[n])] = float(samples.value[n])
        past = good & (samples.number <= state.number)  # what is of a step to come waits for it
        if past.any():
            self._again(state, np.unique(samples.pot[past]), int(samples.number[past].min()))
        return state

    def _again(self, state: State, pots: Ints, first: int) -> None:
        """Run some pots again from the belief kept before the step `first` up to now."""
        window, design = state.window, self.design.take(pots)
        number, belief = window.before(first, pots)
        while number < state.number:
            number += 1
            drive = window.drive(number, pots)
            belief.innovation[: len(CHANNELS)] = advance(
                design, belief.mean, belief.cov, belief.trend, drive, number, float(self.settings.step_s)
            )
            self._weigh(window, number, belief, pots)
            window.keep(number, belief, pots)
            self._mark(state, number, belief, pots)
        state.belief.put(pots, belief)

    def estimate(self, state: State, units: Codes, line_of: Ints) -> tuple[Estimate, NDArray[np.bool_]]:
        """What is believed now, in the order of `outputs.OUTPUTS`, and which figures (pots, outputs) are known.

        `units` roster codes of the pots; `line_of` (pots,) the line of each: its pots are pooled for efficiency.
        """
        return told(self.design, state.belief, units, line_of, self._drawn)
