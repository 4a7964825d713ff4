"""What the estimated state adds to the books, and the efficiency and loss tree made of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.books import SEEDS, SHAPES, Shape, basis_of, random_books, random_rates, random_site
from tests.core.ledgers import add, ledger_of
from tests.core.plants import NOW_NS, NS, steady
from twin.cells import MEASURED, PARTS, PLACE, QUANTITIES, RATES, explain
from twin.formulas import Account
from twin.frames import Floats
from twin.kpis import compute
from twin.losses import TERMS
from twin.totals import Totals
from twin.windows import Window

TREE = [f"loss_{term.name}_kwh_t" for term in TERMS if term.name != "auxiliary"]
CELL_S = 900


@given(st.integers(1, 6), SEEDS)
def test_of_a_pot_of_which_nothing_is_said_nothing_is_written(pots: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    known = rng.random(pots) < 0.5
    sums, _ = random_books(rng, pots, explained=False)
    before = sums.copy()
    explain(sums, random_rates(rng, pots, known), np.full(pots, np.nan))
    assert sums[: len(MEASURED)].tobytes() == before[: len(MEASURED)].tobytes(), "what was measured stays"
    assert not sums[len(MEASURED) :, 1:][:, ~known].any()
    assert np.isfinite(sums).all()


@given(st.integers(1, 6), SEEDS)
def test_what_is_said_is_weighed_by_charge_and_the_line_is_the_sum_of_its_pots(pots: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    sums, _ = random_books(rng, pots, explained=False)
    rates, before = random_rates(rng, pots, np.ones(pots, bool)), rng.uniform(1e4, 2e4, pots)
    explain(sums, rates, before)
    charge, said = sums[PLACE["dc_charge"], 1:], dict(zip(RATES, rates, strict=True))
    assert sums[PLACE["explained"], 1:].tolist() == charge.tolist()
    for name in ("quiet", *PARTS, "above_target", "instability"):
        np.testing.assert_allclose(sums[PLACE[name], 1:], said[name] * charge, rtol=1e-12)
    np.testing.assert_allclose(sums[PLACE["inventory"], 1:], said["metal"] - before, rtol=1e-9)
    for name in QUANTITIES[len(MEASURED) :]:
        assert sums[PLACE[name], 0] == pytest.approx(sums[PLACE[name], 1:].sum(), rel=1e-12)


def test_a_quarter_hour_that_is_said_again_is_not_said_twice() -> None:
    rng = np.random.default_rng(1)
    sums, _ = random_books(rng, 4, explained=False)
    rates = random_rates(rng, 4, np.ones(4, bool))
    explain(sums, random_rates(rng, 4, np.ones(4, bool)), np.zeros(4))
    explain(sums, rates, np.full(4, 1e4))
    once = random_books(np.random.default_rng(1), 4, explained=False)[0]
    explain(once, rates, np.full(4, 1e4))
    assert sums.tobytes() == once.tobytes()


@settings(max_examples=40)
@given(SHAPES, SEEDS)
def test_efficiency_is_the_mean_by_charge(shapes: list[Shape], seed: int) -> None:
    site = random_site(shapes, seed)
    account = Account(site.totals, basis_of(site))
    explained = site.totals.of("explained")
    assert (account.efficiency[explained == 0] == 0.94).all(), "where nothing is estimated it is as set"
    for row, path in site.of_kind("section", "line", "site").items():
        members = site.members(path)
        if explained[members].any():
            mean = (account.efficiency * explained)[members].sum() / explained[members].sum()
            assert account.efficiency[row] == pytest.approx(mean, rel=1e-12)


@settings(max_examples=60)
@given(SHAPES, SEEDS)
def test_the_loss_tree_adds_up_to_the_metered_figure(shapes: list[Shape], seed: int) -> None:
    site = random_site(shapes, seed)
    found = {name: figure.value for name, figure in compute(site.totals, basis_of(site), "day").items()}
    total, terms = found["ac_liquid_kwh_t"], np.array([found[name] for name in TREE])
    known = np.isfinite(terms).all(axis=0)
    assert (known <= np.isfinite(total)).all()
    size = np.abs(terms[:, known]).max(axis=0, initial=0.0)
    assert (np.abs(terms[:, known].sum(axis=0) - total[known]) <= 1e-9 * size).all()
    explained = (site.totals.of("explained") > 0) & (total > 0) & (site.totals.of("dc_energy")[site.totals.own] > 0)
    explained &= site.totals.of("ac_energy")[site.totals.own] > 0
    assert (known == explained).all(), "of every pot, section, line and site that can be explained there is a tree"
    assert np.isnan(terms[-1][~known]).all(), "nothing is explained halfway: the rest is not known"


@pytest.mark.parametrize("kind", ["pot", "section", "line", "site"])
def test_every_kind_of_unit_has_a_tree(kind: str) -> None:
    site = random_site([Shape(4, 2, 1), Shape(3, 3, 0)], 5)
    found = {name: figure.value for name, figure in compute(site.totals, basis_of(site), "month").items()}
    rows = list(site.of_kind(kind))
    terms = np.array([found[name][rows] for name in TREE])
    assert np.isfinite(terms[-1]).any()
    known = np.isfinite(terms[-1])
    np.testing.assert_allclose(terms.sum(axis=0)[known], found["ac_liquid_kwh_t"][rows][known], rtol=1e-9)


@given(SHAPES, SEEDS)
def test_without_an_estimate_there_is_no_tree_and_no_production(shapes: list[Shape], seed: int) -> None:
    site = random_site(shapes, seed, explained=False)
    found = {name: figure.value for name, figure in compute(site.totals, basis_of(site), "day").items()}
    assert np.isnan(found["loss_unexplained_kwh_t"]).all()
    assert np.isnan(found["production_t"]).all()
    assert np.isnan(found["ac_liquid_produced_kwh_t"]).all()
    assert np.isfinite(found["ac_liquid_kwh_t"]).any()
    made = site.totals.of("dc_charge") > 0
    assert found["efficiency_pct"][made] == pytest.approx(np.full(made.sum(), 94.0))
    assert np.isnan(found["efficiency_pct"][~made]).all()


def whole(totals: Totals, seen: float) -> Totals:
    """The same with `seen` [1] of the time covered."""
    sums = totals.sums.copy()
    sums[PLACE["covered"]] = seen * totals.elapsed
    return replace(totals, sums=sums)


@given(SHAPES, SEEDS)
def test_production_is_what_was_tapped_and_what_stayed_in_the_pots(shapes: list[Shape], seed: int) -> None:
    site = random_site(shapes, seed)
    seen = whole(site.totals, 1.0)
    found = {name: figure.value for name, figure in compute(seen, basis_of(site), "day").items()}
    known = seen.of("explained") > 0
    made = (seen.of("tapped") + seen.of("inventory")) / 1000
    np.testing.assert_allclose(found["production_t"][known], made[known], rtol=1e-12)
    per_tonne = found["ac_energy_kwh"] / np.where(made > 0, made, np.nan)
    np.testing.assert_allclose(found["ac_liquid_produced_kwh_t"][known], per_tonne[known], rtol=1e-9)
    missed = compute(whole(site.totals, 0.98), basis_of(site), "day")
    assert np.isnan(missed["ac_liquid_produced_kwh_t"].value).all(), "scales saw all of the time, meters did not"


def test_the_books_ask_of_every_quarter_hour_and_weigh_what_is_believed_now() -> None:
    """The efficiency of a window is the model's by quarter hours, and the pots' own offset by what is believed now."""
    asked: list[int] = []
    quiet = {NOW_NS // NS // CELL_S + n: 0.93 + n / 100 for n in range(4)}

    def rates(cell: int) -> tuple[Floats, Floats] | None:
        asked.append(cell)
        if cell not in quiet:
            return None
        said = np.zeros((len(RATES), 2))
        said[RATES.index("quiet")] = quiet[cell]
        return said, np.zeros(2)

    ledger = ledger_of(2)
    add(ledger, steady(range(0, 2 * CELL_S, 5), pots=2))
    ledger.settle(rates)
    hour = Window(NOW_NS, NOW_NS + 3600 * NS, "hour")
    sums, _ = ledger.sums(hour, np.array([0.01, -0.02]))
    charge = sums[PLACE["explained"]]
    assert (sums[PLACE["quiet"]] / charge)[1:] == pytest.approx([0.935, 0.935])
    assert (sums[PLACE["beyond"]] / charge)[1:] == pytest.approx([0.01, -0.02])
    assert sums[PLACE["beyond"], 0] == sums[PLACE["beyond"], 1:].sum()
    first = min(quiet)
    quiet[first] = 0.90
    asked.clear()
    ledger.touch({first, first - 1000, first + 1000})
    assert ledger.settle(rates) == {first}, "what is forgotten or to come is not asked of"
    assert asked == [first]
    sums, _ = ledger.sums(hour, np.zeros(2))
    assert (sums[PLACE["quiet"]] / charge)[1:] == pytest.approx([0.92, 0.92])
    assert not sums[PLACE["beyond"]].any()
