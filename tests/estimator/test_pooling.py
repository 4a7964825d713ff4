"""What pooling may and may not do: against the joint distribution of all pots, and whatever the beliefs are."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.estimator.belief import Belief
from twin.estimator.design import Design
from twin.estimator.outputs import derive, drawn, told
from twin.estimator.pooling import PLACE, believed, efficiency_offset, line_efficiency, pool
from twin.estimator.states import CAVITY, EFFICIENCY, METAL, METALLIC
from twin.frames import Floats, Ints
from twin.plant import PotDesign

seeds = st.integers(0, 2**32 - 1)
counts = st.integers(1, 12)


def design(pots: int) -> Design:
    return Design.of([PotDesign()] * pots)


def some_belief(pots: int, seed: int, silent: Ints | None = None) -> Belief:
    """Priors after a few made-up measurements of efficiency, pad and metal; `silent` pots measured nothing."""
    rng = np.random.default_rng(seed)
    belief = Belief.prior(design(pots))
    for pot in range(pots):
        if silent is not None and pot in silent:
            continue
        for _ in range(rng.integers(1, 4)):
            slopes = np.zeros(len(belief.mean))
            slopes[[EFFICIENCY, CAVITY]] = rng.normal(0.0, [1.0, 0.1])
            slopes[METAL] = rng.normal(0.0, 1e-6)
            cov = belief.cov[:, :, pot]
            cross = cov @ slopes
            total = float(slopes @ cross) + 10.0 ** rng.uniform(-6.0, -3.0)
            belief.mean[:, pot] += cross * (rng.normal(0.0, total**0.5) / total)
            belief.cov[:, :, pot] = cov - np.outer(cross, cross) / total
    return belief


def jointly(of: Design, belief: Belief) -> tuple[Floats, Floats]:
    """Mean (pots, k) and covariance (pots k, pots k) of the pooled offsets, all pots of one line at once."""
    pots, k = len(of), len(PLACE)
    own, total = np.square(of.own), np.square(of.sd[PLACE])
    prior = np.kron(np.ones((pots, pots)), np.diag(total[:, 0] - own[:, 0])) + np.diag(own.T.ravel())
    precision, push = np.linalg.inv(prior), np.zeros(pots * k)
    for pot in range(pots):
        cov, here = belief.cov[np.ix_(PLACE, PLACE)][:, :, pot], slice(pot * k, pot * k + k)
        off = belief.mean[PLACE, pot] - of.mean[PLACE, pot]
        precision[here, here] += np.linalg.inv(cov) - np.diag(1.0 / total[:, pot])
        push[here] += np.linalg.solve(cov, off)
    implied = float(np.mean(of.mean[METAL] / belief.mean[METAL] - 1.0))  # the metal in the plant file: of the line
    unsure = 0.01 + float(np.mean(belief.cov[METAL, METAL] / np.square(belief.mean[METAL])))
    line = np.linalg.inv(np.diag(1.0 / (total - own)[:, 0]))
    told_line = np.linalg.inv(np.linalg.inv(line) + np.diag([0.0, 1.0 / unsure]))
    prior = np.kron(np.ones((pots, pots)), told_line) + np.diag(own.T.ravel())
    shift = np.tile(told_line @ np.array([0.0, implied / unsure]), pots)
    again = np.linalg.inv(prior)
    precision += again - np.linalg.inv(np.kron(np.ones((pots, pots)), line) + np.diag(own.T.ravel()))
    cov = np.linalg.inv(precision)
    return (cov @ (push + again @ shift)).reshape(pots, k) + of.mean[PLACE].T, cov


@given(counts, seeds)
@settings(max_examples=30, deadline=None)
def test_pooling_is_the_joint_distribution_of_all_pots(pots: int, seed: int) -> None:
    of, belief = design(pots), some_belief(pots, seed)
    mean, cov = jointly(of, belief)
    pooled = pool(of, belief, np.zeros(pots, np.int64))
    scale = of.sd[PLACE].T
    assert np.allclose(pooled.mean / scale, mean / scale, atol=1e-6)
    k = len(PLACE)
    for pot in range(pots):
        here = slice(pot * k, pot * k + k)
        both = (pooled.own + pooled.common)[pot] / np.outer(scale[pot], scale[pot])
        assert np.allclose(both, cov[here, here] / np.outer(scale[pot], scale[pot]), atol=1e-6)


@given(counts, seeds)
@settings(max_examples=30, deadline=None)
def test_pooling_never_makes_a_pot_less_sure_than_the_plant_file(pots: int, seed: int) -> None:
    of, belief = design(pots), some_belief(pots, seed)
    _, common, own = efficiency_offset(of, belief, np.zeros(pots, np.int64))
    prior_own = of.own[0]
    assert (own <= prior_own * (1 + 1e-9)).all()
    assert (common <= np.sqrt(np.square(of.sd[EFFICIENCY]) - np.square(prior_own)) * (1 + 1e-9)).all()
    assert (common > 0.0).all()
    assert (own > 0.0).all()


@given(counts, seeds)
@settings(max_examples=30, deadline=None)
def test_a_pot_that_measured_nothing_takes_the_lines_word_and_says_nothing(pots: int, seed: int) -> None:
    belief = some_belief(pots + 1, seed, silent=np.array([pots]))
    belief.mean[METAL], belief.cov[METAL, METAL] = belief.mean[METAL, pots], belief.cov[METAL, METAL, pots]
    line = np.zeros(pots + 1, np.int64)
    with_it = pool(design(pots + 1), belief, line)
    without = pool(design(pots), belief.take(np.arange(pots)), line[:pots])
    assert np.allclose(with_it.line_mean, without.line_mean, atol=1e-9)
    assert np.allclose(with_it.line_cov, without.line_cov, rtol=1e-9, atol=1e-15)
    assert np.allclose(with_it.common[pots], with_it.line_cov[0], rtol=1e-6, atol=1e-15)
    assert np.allclose(np.sqrt(np.diagonal(with_it.own[pots])), design(1).own[:, 0])


@given(counts, counts, seeds)
@settings(max_examples=30, deadline=None)
def test_lines_do_not_hear_of_each_other_and_order_is_nothing(first: int, second: int, seed: int) -> None:
    pots = first + second
    belief, line = some_belief(pots, seed), np.repeat([7, 3], [first, second])
    whole = efficiency_offset(design(pots), belief, line)
    alone = efficiency_offset(design(first), belief.take(np.arange(first)), line[:first])
    order = np.random.default_rng(seed).permutation(pots)
    mixed = efficiency_offset(design(pots), belief.take(order), line[order])
    for a, b, c in zip(whole, alone, mixed, strict=True):
        assert np.allclose(a[:first], b, atol=1e-10)
        assert np.allclose(a[order], c, atol=1e-10)


def test_more_pots_make_the_line_surer_but_not_what_a_pot_keeps_to_itself() -> None:
    one = some_belief(1, 5)
    found = []
    for pots in (1, 10, 100, 1000):
        belief = one.take(np.zeros(pots, np.int64))
        found.append(line_efficiency(design(pots), belief).sd)
        _, common, own = efficiency_offset(design(pots), belief, np.zeros(pots, np.int64))
        assert own[0] > 0.5 * design(1).own[0, 0]
        assert common[0] <= found[-1] * (1 + 1e-9)
    assert found == sorted(found, reverse=True)
    assert found[3] < 0.2 * found[0]


@given(counts, seeds)
@settings(max_examples=20, deadline=None)
def test_what_is_told_has_a_covariance(pots: int, seed: int) -> None:
    of, belief = design(pots), some_belief(pots, seed)
    estimate, known = told(of, belief, np.arange(pots, dtype=np.int32), np.zeros(pots, np.int64), drawn(of))
    scale = np.sqrt(np.einsum("pii->pi", estimate.cov))
    assert np.isfinite(estimate.mean).all()
    assert np.linalg.eigvalsh(estimate.cov / scale[:, :, None] / scale[:, None, :]).min() > -1e-8
    assert known.shape == estimate.mean.shape
    after = believed(belief, pool(of, belief, np.zeros(pots, np.int64)))
    rest = slice(0, METALLIC.start)
    assert np.array_equal(after.mean[rest], belief.mean[rest])
    assert np.array_equal(after.cov[rest, rest], belief.cov[rest, rest])


def test_nothing_is_known_before_anything_was_measured() -> None:
    of = design(4)
    estimate, known = told(of, Belief.prior(of), np.arange(4, dtype=np.int32), np.zeros(4, np.int64), drawn(of))
    names = dict(zip(estimate.states, known.T, strict=True))
    for name in ("efficiency", "metal_kg", "alumina_wt_pct", "temperature_k", "superheat_k", "distance_m", "bath_kg"):
        assert not names[name].any(), name
    assert np.isfinite(derive(of, Belief.prior(of))[1]).all()
