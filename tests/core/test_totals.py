"""What is summed up: a section is its pots, a site its lines, whatever the plant looks like and the books say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.books import SEEDS, SHAPES, Shape, basis_of, random_site, roster_of_shapes
from twin.cells import MEASURED, QUANTITIES
from twin.frames import Floats
from twin.kpis import compute
from twin.totals import Totals, rows_of
from twin.uncertainty import Instruments, metered

ADDED = ("ac_energy_kwh", "tapped_t", "stopped_kwh")  # of a line too: its own row is a measurement of its own


def close(found: Floats | float, wanted: Floats | float) -> None:
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-6)  # sums of numbers of up to 1e6


@given(SHAPES, SEEDS)
def test_a_section_is_the_sum_of_its_pots_and_a_site_that_of_its_lines(shapes: list[Shape], seed: int) -> None:
    site = random_site(shapes, seed)
    for row, path in site.of_kind("section", "site").items():
        members = site.members(path)
        assert members
        for quantity in QUANTITIES:
            close(site.totals.of(quantity)[row], site.totals.of(quantity)[members].sum())
    for row, path in site.of_kind("section", "line").items():
        members = site.members(path)
        for over, quantity in (("seen", "covered"), ("pots_energy", "dc_energy"), ("pots_charge", "dc_charge")):
            close(getattr(site.totals, over)[row], site.totals.of(quantity)[members].sum())


@given(SHAPES, SEEDS)
def test_lines_and_pots_are_as_the_books_have_them(shapes: list[Shape], seed: int) -> None:
    site = random_site(shapes, seed)
    for (row, path), (sums, mix) in zip(site.of_kind("line").items(), site.lines, strict=True):
        rows = [row, *site.members(path)]
        assert site.totals.sums[:, rows].tobytes() == sums.tobytes()
        assert all(site.totals.own[one] == row for one in rows)
        assert (site.totals.by_source[:, rows] == mix[:, None]).all()
    assert site.totals.own[-1] == len(site.totals.own) - 1
    close(site.totals.by_source[:, -1], np.sum([mix for _, mix in site.lines], axis=0))


@given(SHAPES)
def test_every_unit_of_a_site_has_one_row_and_no_other_has(shapes: list[Shape]) -> None:
    roster = roster_of_shapes(shapes)
    rows = rows_of(roster, roster.codes["s"])
    mine = [path for path in roster.paths if path.split("/")[0] == "s"]
    assert sorted(roster.paths[code] for code in rows.units.tolist()) == sorted(mine)
    assert roster.paths[rows.units[-1]] == "s"
    assert [roster.paths[rows.units[span.row]] for span in rows.spans] == [f"s/{n}" for n in "ABC"[: len(shapes)]]


@given(SHAPES)
def test_pots_are_counted_and_a_discovered_pot_is_in_no_section(shapes: list[Shape]) -> None:
    site = random_site(shapes, 0)
    counts = dict(zip(site.paths, site.rows.pots.tolist(), strict=True))
    assert counts["s"] == sum(shape.pots + shape.more for shape in shapes)
    for name, shape in zip("ABC", shapes, strict=False):
        assert counts[f"s/{name}"] == shape.pots + shape.more
        in_sections = [counts[path] for path in site.paths if path.startswith(f"s/{name}/section:")]
        assert sum(in_sections) == shape.pots
        assert len(in_sections) == -(-shape.pots // shape.section)
        assert max(in_sections) <= shape.section


@settings(max_examples=40)
@given(SHAPES, SEEDS)
def test_figures_that_are_sums_add_up(shapes: list[Shape], seed: int) -> None:
    site = random_site(shapes, seed, explained=False)
    found = {name: figure.value for name, figure in compute(site.totals, basis_of(site), "day").items()}
    metal = site.totals.of("dc_charge") * 0.94
    for row, path in site.of_kind("section", "site").items():
        members = site.members(path)
        for kpi in (*ADDED, "metal_t"):
            assert found[kpi][row] == pytest.approx(found[kpi][members].sum(), rel=1e-9)
        if metal[row]:
            mean = np.nansum(found["dc_kwh_t"][members] * metal[members]) / metal[row]
            lost = site.totals.of("dc_energy")[members][metal[members] == 0]
            assert not lost.any()
            assert found["dc_kwh_t"][row] == pytest.approx(mean, rel=1e-9)


@settings(max_examples=40)
@given(SHAPES, SEEDS)
def test_anode_effects_of_a_section_are_those_of_its_pots_by_their_time(shapes: list[Shape], seed: int) -> None:
    site = random_site(shapes, seed)
    found = {name: figure.value for name, figure in compute(site.totals, basis_of(site), "day").items()}
    for row, path in site.of_kind("section").items():
        members, days = site.members(path), site.totals.of("covered") / 86400.0
        for kpi in ("anode_effects_per_day", "anode_effect_s_per_day"):
            rate, each = found[kpi][row], found[kpi][members]
            if days[members].sum() > 0:
                assert rate * days[members].sum() == pytest.approx(np.nansum(each * days[members]), rel=1e-9)
            else:
                assert np.isnan(rate)


@given(SHAPES, SEEDS, st.floats(0.0, 3e6))
def test_coverage_is_that_of_the_mean_pot_or_line(shapes: list[Shape], seed: int, elapsed_s: float) -> None:
    site = random_site(shapes, seed, elapsed_s)
    coverage = compute(site.totals, basis_of(site), "hour")["coverage_pct"].value
    assert ((coverage >= 0.0) & (coverage <= 100.0)).all()
    for row, path in site.of_kind("section", "site").items():
        members = site.members(path)
        seen = site.totals.of("covered")[members]
        if elapsed_s == 0.0:
            assert coverage[row] == 0.0
        elif (seen <= elapsed_s).all():
            assert coverage[row] == pytest.approx(coverage[members].mean(), rel=1e-9)
        assert coverage[row] >= coverage[members].mean() * (1 - 1e-9), "where a pot's or line's own is capped"


@given(SHAPES, SEEDS)
def test_rows_of_sites_stand_behind_each_other(shapes: list[Shape], seed: int) -> None:
    one, other = random_site(shapes, seed), random_site(shapes[:1], seed + 1)
    both = Totals.concat([one.totals, other.totals])
    size = len(one.totals.own)
    for part, totals in ((slice(0, size), one.totals), (slice(size, None), other.totals)):
        assert both.sums[:, part].tobytes() == totals.sums.tobytes()
        assert both.elapsed[part].tobytes() == totals.elapsed.tobytes()
        assert (both.own[part] - (part.start or 0)).tolist() == totals.own.tolist()
    bases = [basis_of(one), basis_of(other)]
    sharing, together = (np.concatenate([getattr(b, name) for b in bases]) for name in ("sharing", "together"))
    joined = replace(bases[0], sharing=sharing, together=together)
    alone = [compute(site.totals, basis, "month") for site, basis in zip((one, other), bases, strict=True)]
    for kpi, figure in compute(both, joined, "month").items():
        assert figure.value.tobytes() == b"".join(each[kpi].value.tobytes() for each in alone), kpi
        assert figure.u.tobytes() == b"".join(each[kpi].u.tobytes() for each in alone), kpi


SHARES = st.tuples(st.integers(1, 400), st.integers(1, 400)).map(sorted)


@given(SHARES, st.floats(0.01, 5.0))
def test_the_error_of_a_share_is_that_of_the_rest(share: list[int], class_pct: float) -> None:
    """All shares of a meter add up to it: what some pots get too much, the others get too little."""
    some, pots = share
    tools = Instruments(0.0, class_pct)
    error = metered(1e9 * some / pots, "ac", tools, float(pots), float(some)).parts["allocation"]
    rest = metered(1e9 * (pots - some) / pots, "ac", tools, float(pots), float(pots - some)).parts["allocation"]
    if some < pots:
        assert error == pytest.approx(rest, rel=1e-9)
        assert error > 0.0
    else:
        assert error == 0.0, "all pots together are the line"


@given(SHAPES, SEEDS)
def test_the_more_pots_share_the_less_the_share_errs(shapes: list[Shape], seed: int) -> None:
    site = random_site(shapes, seed)
    basis = basis_of(site)
    relative = metered(np.ones(len(site.paths)), "ac", basis.instruments, basis.sharing, basis.together)
    error = np.asarray(relative.parts["allocation"])
    for row in site.of_kind("line", "site"):
        assert error[row] == 0.0, "a meter of its own"
    for row, path in site.of_kind("section").items():
        members = site.members(path)
        assert (error[row] < error[members]).all() if len(members) > 1 else error[row] == error[members[0]]


def test_the_columns_are_there() -> None:
    assert set(MEASURED) < set(QUANTITIES)
    assert len(set(QUANTITIES)) == len(QUANTITIES)


@given(st.integers(0, 2**32))
def test_gases_of_a_site_are_those_of_its_lines(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = 7  # two lines of two pots and no section, a site
    own, site = np.array([0, 0, 0, 3, 3, 3, 6]), np.full(rows, 6)
    nothing = np.zeros(rows)
    sums, mix = np.zeros((len(QUANTITIES), rows)), np.zeros((6, rows))
    totals = Totals(sums, mix, nothing, nothing, nothing, nothing, own, site)
    values = rng.random(rows)
    found = totals.over_lines(values)
    assert found[:6].tolist() == values[:6].tolist()
    assert found[6] == values[0] + values[3]
    both = Totals.concat([totals, totals]).over_lines(np.concatenate([values, 2 * values]))
    assert both.tolist() == [*found.tolist(), *(2 * found).tolist()]
