"""The table of KPIs: invariants of its rows, and what is said where nothing is known."""

from __future__ import annotations

import re

import numpy as np
import pytest

from twin.accounting import Totals
from twin.kpis import KPIS, METRICS, Kpi, compute
from twin.physics.faraday import METAL_PER_COULOMB
from twin.units import SI
from twin.windows import WINDOWS

KWH = 3.6e6


def sums(**changes: list[float]) -> Totals:
    """Totals of a line and two pots over an hour that is half over; the second pot was not seen."""
    base = {
        "dc_energy": [200.0, 200.0, 0.0],
        "dc_charge": [100.0, 100.0, 0.0],
        "covered": [1800.0, 900.0, 0.0],
        "ac_energy": [220.0, 210.0, 0.0],
        "ac_charge": [100.0, 100.0, 0.0],
        "auxiliary_energy": [10.0, 10.0, 0.0],
        "auxiliary_charge": [50.0, 50.0, 0.0],
        "tapped": [4.0, 4.0, 0.0],
    }
    return Totals(1800.0, **{name: np.array(value) for name, value in {**base, **changes}.items()})


@pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.name)
def test_a_row_is_sane(kpi: Kpi) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", kpi.name)
    assert kpi.unit in SI
    assert kpi.name.endswith({"kWh/t": "_kwh_t", "t": "_t", "%": "_pct"}[kpi.unit]), "the unit is part of the name"
    assert set(kpi.windows) <= set(WINDOWS)
    assert kpi.windows
    assert kpi.help.endswith(".")
    value = kpi.compute(sums(), 0.94)
    assert value.shape == (3,)
    assert not np.isinf(value).any()


def test_names_are_unique() -> None:
    assert len({kpi.name for kpi in KPIS}) == len(KPIS)


def test_the_figures_by_hand() -> None:
    metal = 100 * METAL_PER_COULOMB * 0.94
    found = compute(sums(), 0.94, "hour")
    per_tonne = 1000 / KWH
    assert found["dc_kwh_t"][:2] == pytest.approx([200 / metal * per_tonne] * 2)
    assert found["ac_liquid_kwh_t"][:2] == pytest.approx([220 / metal * per_tonne, 210 / metal * per_tonne])
    both = 220 / metal + 10 / (metal / 2)
    assert found["ac_comprehensive_kwh_t"][0] == pytest.approx(both * per_tonne), (
        "each over the metal of its own minutes"
    )
    assert found["ac_liquid_tapped_kwh_t"][:2] == pytest.approx([220 / 4 * per_tonne, 210 / 4 * per_tonne])
    assert found["metal_t"] == pytest.approx([metal / 1000, metal / 1000, 0.0])
    assert found["tapped_t"].tolist() == [0.004, 0.004, 0.0]
    assert found["coverage_pct"].tolist() == [100.0, 50.0, 0.0]


def test_without_metal_there_is_no_figure_a_tonne() -> None:
    found = compute(sums(), 0.94, "hour")
    for kpi in KPIS:
        assert np.isnan(found[kpi.name][2]) == (kpi.unit == "kWh/t"), kpi.name


def test_a_comprehensive_figure_needs_both_its_parts() -> None:
    found = compute(sums(auxiliary_charge=[0.0, 0.0, 0.0]), 0.94, "hour")
    assert np.isnan(found["ac_comprehensive_kwh_t"]).all()
    assert np.isfinite(found["ac_liquid_kwh_t"][0])


def test_coverage_is_never_more_than_all_and_nothing_of_nothing() -> None:
    assert compute(sums(covered=[1801.0, 1800.0, 0.0]), 0.94, "hour")["coverage_pct"].tolist() == [100.0, 100.0, 0.0]
    nothing = Totals(0.0, *(np.zeros(2) for _ in range(8)))
    assert compute(nothing, 0.94, "hour")["coverage_pct"].tolist() == [0.0, 0.0]


def test_every_metric_of_a_plan_is_in_its_unit() -> None:
    unit_of = {kpi.name: kpi.unit for kpi in KPIS}
    for metric, (unit, kpi) in METRICS.items():
        assert unit in SI, metric
        assert not kpi or unit_of[kpi] == unit, metric
    assert {"dc", "ac_liquid", "ac_comprehensive", "ac_ingot"} <= set(METRICS)
