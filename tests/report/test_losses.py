"""The loss tree of the report: sums exactly, in numbers and as printed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report.making import report_of, rows_of
from twin.losses import TERMS
from twin.report.bars import waterfall
from twin.report.losses import figure_of, loss_view

IN_TREE = [term.name for term in TERMS if term.name != "auxiliary"]
Figures = st.fixed_dictionaries({figure_of(name): st.floats(-3000, 7000) for name in (*IN_TREE, "auxiliary")})


@given(Figures, Figures)
def test_terms_add_up_to_the_total_and_changes_to_its_change(now: dict[str, float], then: dict[str, float]) -> None:
    view = loss_view(now, then, "before")
    assert view.total is not None
    assert view.change is not None
    assert view.comprehensive is not None
    assert view.terms[0].from_level == 0.0
    assert [term.to_level for term in view.terms[:-1]] == [term.from_level for term in view.terms[1:]]
    assert view.terms[-1].to_level == view.total == pytest.approx(sum(now[figure_of(n)] for n in IN_TREE), abs=1e-6)
    assert sum(term.change_kwh_t or 0.0 for term in view.terms) == pytest.approx(view.change, abs=1e-6)
    before = sum(then[figure_of(n)] for n in IN_TREE)
    assert view.change == pytest.approx(view.total - before, abs=1e-6)
    assert view.comprehensive == pytest.approx(view.total + now["loss_auxiliary_kwh_t"], abs=1e-9)


def printed(svg: str) -> list[int]:
    """The figures beside the bars of the wide drawing, and the changes, in order."""
    found = re.findall(r'class="figure ?[a-z ]*">([^<]*)<', svg)
    return [int(text.replace(",", "").replace("−", "-")) for text in found if text]


@given(Figures)
def test_what_is_printed_adds_up(now: dict[str, float]) -> None:
    numbers = printed(str(waterfall(loss_view(now, {}, "before"), "before", "tree")).split('class="narrow"')[0])
    terms, total, auxiliary, whole = numbers[: len(IN_TREE)], *numbers[len(IN_TREE) :]
    assert sum(terms) == total
    assert total + auxiliary == whole


def test_the_tree_of_the_story_ends_at_the_metered_figure() -> None:
    (line,) = report_of(rows_of()).lines
    metered = {metric.name: metric.now.value for metric in line.metrics}
    assert line.losses.total == pytest.approx(metered["ac_liquid_kwh_t"])
    assert line.losses.comprehensive == pytest.approx(metered["ac_comprehensive_kwh_t"])
    assert line.losses.gap == pytest.approx(0.0, abs=1e-6)


def test_a_missing_term_is_told_and_no_tree_is_drawn() -> None:
    now = {figure_of(name): 1.0 for name in IN_TREE if name != "bath"}
    view = loss_view(now, {}, "before")
    assert (view.terms, view.total) == ([], None)
    assert "bath at target distance" in view.why
    assert str(waterfall(view, "before", "tree")) == ""
    assert "no loss terms" in loss_view({}, {}, "before").why
    whole = dict(now, loss_bath_kwh_t=1.0)
    assert "no complete loss tree of before" in loss_view(whole, now, "before").why_no_change
