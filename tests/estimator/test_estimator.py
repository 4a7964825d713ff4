"""Invariants of the batched estimator: covariances, independence of pots, late samples, restarts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from twin.estimator import SAMPLES, Estimator, Inputs, Samples, State, from_bytes, to_bytes
from twin.plant import PotDesign

POTS = 5


def inputs(step: int, rng: np.random.Generator, pots: int = POTS) -> Inputs:
    """A minute of a pot that is fed evenly, with noise; sometimes something is missing or happens."""
    seen = Inputs.nothing(pots)
    seen.covered_s[:] = 60.0
    seen.voltage[:] = 4.0 + 0.02 * rng.standard_normal(pots)
    seen.current[:] = 500e3
    seen.alumina_counter[:] = 5.0 * step
    seen.alf3_counter[:] = 0.05 * step
    seen.beam[:] = 0.2
    seen.thermocouple[:] = 1228.0 + rng.standard_normal(pots)
    seen.wave_noise[:], seen.bubble_noise[:] = 4e-3, 6e-3
    seen.tapped[:] = np.where(rng.random(pots) < 0.02, 3000.0, 0.0)
    seen.anodes_changed[:] = rng.random(pots) < 0.02
    lost = rng.random(pots) < 0.1
    seen.voltage[lost] = np.nan
    seen.covered_s[lost] = 0.0
    return seen


def run(twin: Estimator, state: State, first: int, last: int, seed: int = 1) -> State:
    for step in range(first, last):
        state = twin.step(state, step, inputs(step, np.random.default_rng([seed, step])))
    return state


def estimator(pots: int = POTS) -> Estimator:
    return Estimator([PotDesign()] * pots)


def same(one: State, other: State) -> bool:
    pairs = ((one.belief.mean, other.belief.mean), (one.belief.cov, other.belief.cov))
    return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def test_covariances_stay_symmetric_and_positive() -> None:
    for seed in range(3):
        state = run(twin := estimator(), twin.start(), 0, 200, seed)
        cov = np.moveaxis(state.belief.cov, -1, 0)
        assert np.isfinite(cov).all()
        assert np.allclose(cov, np.swapaxes(cov, 1, 2), rtol=1e-6, atol=1e-12)
        scale = np.sqrt(np.einsum("pii->pi", cov))
        assert np.linalg.eigvalsh(cov / scale[:, :, None] / scale[:, None, :]).min() > -1e-8


def test_a_pot_without_readings_does_not_touch_the_others() -> None:
    twin = estimator()
    state, blind = twin.start(), twin.start()
    for step in range(60):
        seen = inputs(step, np.random.default_rng(step))
        hidden = Inputs(*(np.array(getattr(seen, field.name)) for field in dataclasses.fields(seen)))
        hidden.voltage[2] = hidden.thermocouple[2] = np.nan
        hidden.covered_s[2] = 0.0
        state, blind = twin.step(state, step, seen), twin.step(blind, step, hidden)
    others = [0, 1, 3, 4]
    assert np.array_equal(state.belief.mean[:, others], blind.belief.mean[:, others])
    assert not np.array_equal(state.belief.mean[:, 2], blind.belief.mean[:, 2])


def test_a_gap_lets_the_variance_grow() -> None:
    twin = estimator()
    state = run(twin, twin.start(), 0, 120)
    before = np.einsum("iip->ip", state.belief.cov).copy()
    state = run(twin, state, 360, 361)
    grown = np.einsum("iip->ip", state.belief.cov) / before
    assert (grown.max(axis=0) > 1.5).all()


def late(step: int, pot: int, kind: int, value: float) -> Samples:
    return Samples(np.array([step]), np.array([pot]), np.array([kind]), np.array([value]))


@pytest.mark.parametrize("kind", range(len(SAMPLES)))
def test_a_late_sample_is_worth_as_much_as_one_on_time(kind: int) -> None:
    twin = estimator()
    value = 1230.0 if "temperature" in str(SAMPLES[kind]) else 0.2 if "level" in str(SAMPLES[kind]) else 9.0
    on_time = run(twin, twin.late(run(twin, twin.start(), 0, 60), late(60, 3, kind, value)), 60, 150)
    never = run(twin, twin.start(), 0, 150)
    without = never.belief.mean.copy()
    assert same(on_time, twin.late(never, late(60, 3, kind, value)))
    assert not np.array_equal(on_time.belief.mean, without)


def test_a_restart_at_any_moment_changes_nothing() -> None:
    twin = estimator()
    whole = run(twin, twin.start(), 0, 300)
    half = from_bytes(twin, to_bytes(run(twin, twin.start(), 0, 137)))
    assert same(whole, run(twin, half, 137, 300))


def test_steps_go_forward() -> None:
    twin = estimator()
    state = run(twin, twin.start(), 0, 2)
    with pytest.raises(ValueError, match="is not after"):
        twin.step(state, 1, Inputs.nothing(POTS))
