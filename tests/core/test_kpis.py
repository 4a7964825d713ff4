"""The table of KPIs: invariants of its rows, and what is said where nothing is known."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np
import pytest

from tests.core.plants import packaged_plan
from twin.cells import PLACE, QUANTITIES
from twin.formulas import Account
from twin.frames import Floats
from twin.kpis import KPIS, METRICS, Basis, Kpi, compute
from twin.physics.faraday import METAL_PER_COULOMB
from twin.totals import Totals
from twin.uncertainty import Instruments
from twin.units import SI
from twin.windows import WINDOWS

KWH = 3.6e6
ENDINGS = {"kWh/t": "_kwh_t", "t": "_t", "%": "_pct", "1": "_per_day", "s": "_s_per_day", "kWh": "_kwh", "kg": "_kg"}
ENDINGS |= {"t/t": "_t_t", "yuan/t": "_yuan_t"}
SHARING = np.array([1.0, 2.0, 2.0])
BASIS = Basis(np.full(3, 0.94), np.full(3, 0.006), Instruments(0.2, 0.2), sharing=SHARING)


def values(totals: Totals, window: str = "hour") -> dict[str, Floats]:
    return {name: figure.value for name, figure in compute(totals, BASIS, window).items()}


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
        "dc_metered": [190.0, 0.0, 0.0],
        "dc_compared": [191.9, 0.0, 0.0],
        "tapped": [4.0, 4.0, 0.0],
        "effect_time": [60.0, 60.0, 0.0],
        "effect_energy": [10.0, 10.0, 0.0],
        "effects": [1.0, 1.0, 0.0],
        "kills_automatic": [1.0, 1.0, 0.0],
        "kills_manual": [0.0, 0.0, 0.0],
    }
    return totals_of({**base, **changes}, 1800.0)


def totals_of(columns: dict[str, list[float]], elapsed_s: float) -> Totals:
    """Totals of a line and two pots from sums by their names; what is left out is 0."""
    sums = np.zeros((len(QUANTITIES), 3))
    for name, values in columns.items():
        sums[PLACE[name]] = values

    def over_pots(name: str) -> Floats:
        pots = sums[PLACE[name], 1:]
        return np.array([pots.sum(), *pots])

    return Totals(
        sums, np.zeros((6, 3)), np.full(3, elapsed_s), over_pots("covered"), over_pots("dc_energy"),
        over_pots("dc_charge"), np.zeros(3, np.int64), np.full(3, -1),
    )  # fmt: skip


@pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.name)
def test_a_row_is_sane(kpi: Kpi) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", kpi.name)
    assert kpi.unit in SI
    assert kpi.name.endswith(ENDINGS[kpi.unit]), "the unit is part of the name"
    assert set(kpi.windows) <= set(WINDOWS)
    assert kpi.windows
    assert kpi.help.endswith(".")
    value = kpi.compute(Account(sums(), BASIS)).value
    assert value.shape == (3,)
    assert not np.isinf(value).any()


def test_names_are_unique() -> None:
    assert len({kpi.name for kpi in KPIS}) == len(KPIS)


def test_the_figures_by_hand() -> None:
    metal = 100 * METAL_PER_COULOMB * 0.94
    found = values(sums(), "day")
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
    found = values(sums(), "day")
    for kpi in KPIS:
        known = (kpi.unit in ("t", "kWh") and kpi.name != "production_t") or kpi.name == "coverage_pct"
        assert np.isfinite(found[kpi.name][2]) == known, kpi.name


def test_a_comprehensive_figure_needs_both_its_parts() -> None:
    found = values(sums(auxiliary_charge=[0.0, 0.0, 0.0]), "hour")
    assert np.isnan(found["ac_comprehensive_kwh_t"]).all()
    assert np.isfinite(found["ac_liquid_kwh_t"][0])


def test_coverage_is_never_more_than_all_and_nothing_of_nothing() -> None:
    assert values(sums(covered=[1801.0, 1800.0, 0.0]), "hour")["coverage_pct"].tolist() == [100.0, 100.0, 0.0]
    assert values(totals_of({}, 0.0))["coverage_pct"].tolist() == [0.0, 0.0, 0.0]


def test_anode_effects_are_told_per_pot_day() -> None:
    found = values(sums(covered=[1800.0, 86400.0, 43200.0]), "day")
    assert found["anode_effects_per_day"] == pytest.approx([1 / 1.5, 1.0, 0.0])
    assert found["anode_effect_s_per_day"] == pytest.approx([40.0, 60.0, 0.0])


def test_emissions_are_those_of_the_plans_method() -> None:
    """60 s in anode effect in half a day is 2 minutes a pot-day: 0.143 kg CF4/t each; anode carbon 1.471 t CO2/t."""
    found = values(sums(covered=[0.0, 43200.0, 0.0], effect_time=[60.0, 60.0, 0.0]), "day")
    metal = found["metal_t"][1]
    assert found["cf4_kg"][1] == pytest.approx(2 * 0.143 * metal)
    assert found["c2f6_kg"][1] == pytest.approx(2 * 0.143 * 0.100 * metal)
    assert found["anode_co2_t"][1] == pytest.approx(1.471 * metal, rel=1e-3)
    assert found["direct_co2e_t_t"][1] == pytest.approx(1.471 + 2 * 0.143 * (6630 + 0.1 * 11100) / 1000, rel=1e-3)


def test_the_cross_check_compares_the_same_time() -> None:
    assert values(sums(), "day")["dc_difference_pct"][0] == pytest.approx(1.0)


def test_clean_share_is_by_energy() -> None:
    totals = dataclasses.replace(sums(), by_source=np.repeat([[1.0], [1.0], [0.5], [0.5], [6.0], [1.0]], 3, axis=1))
    assert values(totals, "month")["clean_share_pct"] == pytest.approx([30.0] * 3)


def test_the_surcharge_of_the_tiered_price() -> None:
    """13,400 against 13,300: 0.05 yuan/kWh, about 670 yuan/t."""
    tariff = packaged_plan().tariff
    metal = 100 * METAL_PER_COULOMB * 0.94 / 1000
    parts = {"ac_energy": [13000 * metal * KWH] * 2 + [0.0], "auxiliary_energy": [400 * metal * KWH / 2] * 2 + [0.0]}
    basis = dataclasses.replace(BASIS, tariff=tariff, step_kwh_t=13300.0)
    assert compute(sums(**parts), basis, "month")["surcharge_yuan_t"].value[0] == pytest.approx(670.0)


def test_uncertainty_is_that_of_meter_current_and_efficiency() -> None:
    figure = compute(sums(), BASIS, "hour")["ac_liquid_kwh_t"]
    parts = (0.005 / math.sqrt(3), 0.002 / math.sqrt(3), 0.006 / 0.94)  # AC meter by default, current, efficiency
    assert figure.u[0] == pytest.approx(figure.value[0] * math.hypot(*parts))
    assert figure.u[1] > figure.value[1] * math.hypot(*parts), "a pot's share has the error of sharing too"


def test_every_metric_of_a_plan_is_in_its_unit() -> None:
    unit_of = {kpi.name: kpi.unit for kpi in KPIS}
    for metric, (unit, kpi) in METRICS.items():
        assert unit in SI, metric
        assert not kpi or unit_of[kpi] == unit, metric
    assert {"dc", "ac_liquid", "ac_comprehensive", "ac_ingot"} <= set(METRICS)
