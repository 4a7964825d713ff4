"""Carbon: worked figures of the domain page, what is a lower bound, what is off until it is known."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.carbon import (
    NATIONAL_GRID_KG_KWH,
    Carbon,
    Cbam,
    Ets,
    Kills,
    allowance,
    benchmark_share,
    cbam_against,
    clean_share,
    direct,
    intensity,
    parse,
    pfc_method,
    scope_2,
)
from twin.errors import ConfigError
from twin.units import to_si

PAGE = Path(__file__).parents[2] / "docs" / "method" / "plan-and-carbon.md"
AUTOMATIC = Kills(automatic=4, controller="3.2")


def proposed() -> dict[str, Any]:
    """The `[carbon]` table as the page proposes it."""
    blocks = PAGE.read_text("utf-8").split("```toml\n")[1:]
    tables = [tomllib.loads(block.split("```")[0]) for block in blocks]
    table: dict[str, Any] = next(t["carbon"] for t in tables if "carbon" in t)
    return table


CARBON = parse(proposed(), "plan.toml")


def test_the_table_of_the_page_is_the_domain() -> None:
    assert Carbon(clean_targets=CARBON.clean_targets) == CARBON, "the defaults are what the page says"
    assert (CARBON.cbam.benchmark_t_t, CARBON.cbam.default_t_t) == (1.423, 3.0)
    assert not CARBON.ets.enabled
    assert (CARBON.net_carbon_t_t, CARBON.sulphur_pct, CARBON.ash_pct, CARBON.gwp) == (0.411, 2.0, 0.4, "AR5")
    for province, limit in (("Shandong", 21), ("Inner Mongolia", 29), ("yunnan ", 70)):
        target = CARBON.clean_target(province, 2024)
        assert target is not None
        assert (target.limit_pct, target.sure) == (limit, "S")
    assert CARBON.clean_target("Shandong", 2025) is None, "a share of one year is not the next year's"
    assert CARBON.clean_target("Xinjiang", 2024) is None


@pytest.mark.parametrize(
    ("name", "cf4", "ratio"),
    [("cwpb", 0.143, 0.121), ("pfpb_legacy", 0.122, 0.097), ("pfpb_modern", 0.104, 0.057), ("china", 0.143, 0.100)],
)
def test_gases_of_one_minute_of_anode_effect_a_pot_day(name: str, cf4: float, ratio: float) -> None:
    method = pfc_method(name, AUTOMATIC)
    found = direct(1000.0, method, CARBON, effect_time=60.0)  # one tonne
    assert found.cf4 == pytest.approx(cf4)
    assert found.c2f6 == pytest.approx(cf4 * ratio)
    assert found.co2 == pytest.approx(1471, abs=0.5)
    assert method.lower_bound
    assert method.source
    assert (method.used, method.kills.controller) == (name, "3.2")


def test_the_overvoltage_method() -> None:
    method = pfc_method("overvoltage_cwpb", AUTOMATIC)
    found = direct(1000.0, method, CARBON, overvoltage=0.005, efficiency=0.95)
    assert found.cf4 == pytest.approx(1.16 * 5 / 95)
    assert found.c2f6 == pytest.approx(found.cf4 * 0.121)
    assert math.isnan(direct(1000.0, method, CARBON, effect_time=60.0).cf4), "the method needs the overvoltage"


@pytest.mark.parametrize("kills", [Kills(automatic=9, manual=1), Kills(unrecorded=1)])
def test_the_slope_of_automatic_kill_is_for_automatic_kill(kills: Kills) -> None:
    method = pfc_method("pfpb_modern", kills)
    assert (method.chosen, method.used, method.c2f6_ratio) == ("pfpb_modern", "cwpb", 0.121)
    assert method.why.startswith("1 anode effects")
    assert pfc_method("pfpb_modern", AUTOMATIC).used == "pfpb_modern"
    assert pfc_method("pfpb_legacy", kills).used == "pfpb_legacy"


def test_potentials_are_applied_only_when_asked_and_masses_stay() -> None:
    masses = direct(2000.0, pfc_method("cwpb", AUTOMATIC), CARBON, effect_time=60.0, net_carbon=0.400)
    co2 = 0.400 * 0.976 * 44 / 12
    assert masses.co2 == pytest.approx(2000 * co2)
    for gwp, cf4, c2f6 in (("AR4", 7390, 12200), ("AR5", 6630, 11100), ("AR6", 7380, 12400)):
        assert intensity(masses, 2000.0, gwp) == pytest.approx(co2 + 0.143e-3 * (cf4 + 0.121 * c2f6))
    assert math.isnan(intensity(masses, 0.0, "AR5"))


def test_a_plants_own_data_are_worth_more_than_the_default() -> None:
    found = cbam_against(1.58, Cbam())
    assert found.below_default == pytest.approx(1.42)
    assert found.above_benchmark == pytest.approx(0.157)


def test_allowances_by_year() -> None:
    off, on = Ets(), Ets(enabled=True, balance_t_t=1.6)
    assert allowance(1000.0, 1.58, off, 2024) == 1000.0
    assert allowance(1000.0, 1.58, on, 2024) == 1000.0
    assert math.isnan(allowance(1000.0, 1.58, off, 2025))
    assert math.isnan(allowance(1000.0, 1.58, on, 2023))
    assert allowance(1000.0, 1.6, on, 2025) == pytest.approx(1000.0)
    assert allowance(1000.0, 1.584, on, 2025) == pytest.approx(1010.0)
    assert allowance(1000.0, 1.0, on, 2026) == pytest.approx(1030.0)
    assert allowance(1000.0, 2.0, on, 2026) == pytest.approx(970.0)
    many = allowance(np.array([1000.0, np.nan]), np.array([2.0, 2.0]), on, 2025)
    assert many[0] == pytest.approx(970.0)
    assert math.isnan(many[1])


def test_electricity_at_the_sites_own_factor() -> None:
    energy = to_si(13000.0, "kWh")
    assert scope_2(energy, 0.5306) == pytest.approx(6897.8)
    assert NATIONAL_GRID_KG_KWH == (0.5306, 0.5568)


def test_the_clean_share_and_its_uncertainty_by_monte_carlo() -> None:
    energy = {"hydro": 10.0, "wind": 12.0, "solar": 6.0, "nuclear": 2.0, "coal": 70.0}
    u = {"hydro": 1.0, "wind": 1.5, "solar": 0.5, "coal": 2.0}
    found = clean_share(energy, u, CARBON.clean_sources)
    assert found.value == pytest.approx(0.30)
    assert type(found.value) is type(found.u) is float
    assert found.by_source["coal"] == pytest.approx(0.70)
    random = np.random.default_rng(5)
    drawn = {name: random.normal(value, u.get(name, 0.0), 100_000) for name, value in energy.items()}
    share = 1 - drawn["coal"] / sum(drawn.values())
    assert found.u == pytest.approx(share.std(), rel=0.02)


def test_which_source_is_clean_is_the_plans_to_say() -> None:
    energy = {"hydro": 10.0, "nuclear": 10.0, "coal": 80.0}
    assert clean_share(energy, {}, CARBON.clean_sources).value == pytest.approx(0.2)
    assert clean_share(energy, {}, ("hydro",)).value == pytest.approx(0.1)
    assert clean_share(energy, {}, ()).value == 0.0


@given(st.lists(st.floats(0.1, 1e3), min_size=3, max_size=3), st.floats(1e-3, 1e9))
def test_the_clean_share_does_not_know_the_unit(mix: list[float], scale: float) -> None:
    names = ("hydro", "wind", "coal")
    u = {"hydro": 0.1, "coal": 0.05}
    plain = clean_share(dict(zip(names, mix, strict=True)), u, CARBON.clean_sources)
    scaled = clean_share(
        {name: value * scale for name, value in zip(names, mix, strict=True)},
        {name: value * scale for name, value in u.items()},
        CARBON.clean_sources,
    )
    assert scaled.value == pytest.approx(plain.value)
    assert scaled.u == pytest.approx(plain.u)
    assert 0.0 <= plain.value <= 1.0
    assert sum(plain.by_source.values()) == pytest.approx(1.0)


def test_a_mix_that_is_not_known_keeps_to_its_line() -> None:
    energy = {"hydro": np.array([1.0, np.nan, 0.0]), "coal": np.array([3.0, 1.0, 0.0])}
    found = clean_share(energy, {"coal": 0.1}, CARBON.clean_sources)
    assert found.value[0] == 0.25
    assert np.isnan(found.value).tolist() == np.isnan(found.u).tolist() == [False, True, True]


def test_capacity_at_benchmark() -> None:
    capacity = np.array([100e3, 200e3, 300e3, 400e3])
    figure = np.array([12900.0, 13000.0, 13100.0, np.nan])
    probability = np.array([0.99, 0.5, 0.05, np.nan])
    found = benchmark_share(capacity, figure, probability, 13000.0)
    assert found.measured == pytest.approx(300 / 600)
    assert found.expected == pytest.approx((99 + 100 + 15) / 600)
    assert (found.low, found.high, found.unknown) == pytest.approx((0.3, 0.7, 0.4))
    random = np.random.default_rng(6)
    drawn = (random.uniform(size=(100_000, 3)) < probability[:3]) @ capacity[:3] / 600e3
    assert found.u == pytest.approx(drawn.std(), rel=0.02)
    assert found.expected == pytest.approx(drawn.mean(), rel=0.02)


def test_capacity_of_nothing_known() -> None:
    found = benchmark_share(np.array([1.0]), np.array([np.nan]), np.array([np.nan]), 13000.0)
    assert math.isnan(found.measured)
    assert (found.low, found.high, found.unknown) == (0.0, 1.0, 1.0)


def test_many_lines_at_once_and_a_nan_keeps_to_its_line() -> None:
    metal, time = np.array([1000.0, 1000.0, np.nan]), np.array([60.0, np.nan, 60.0])
    found = direct(metal, pfc_method("china", AUTOMATIC), CARBON, effect_time=time)
    assert np.isnan(found.cf4).tolist() == [False, True, True]
    assert np.isnan(found.co2).tolist() == [False, False, True]
    assert np.isnan(intensity(found, metal, "AR5")).tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"method": "tier_3"}, "method 'tier_3' is not one of cwpb"),
        ({"gwp": "AR7"}, "gwp 'AR7' is not one of AR4"),
        ({"ets": {"enabled": True}}, "without balance_t_t"),
        ({"sulphur_pct": 200}, "sulphur_pct"),
        ({"price": 80}, "price"),
    ],
)
def test_a_wrong_table_says_where(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=rf"plan\.toml: carbon: .*{said}"):
        parse({**proposed(), **change}, "plan.toml")


def test_a_target_given_twice_is_refused() -> None:
    rows = proposed()["clean_targets"]
    with pytest.raises(ConfigError, match="shandong 2024 is given twice"):
        parse({"clean_targets": [*rows, {**rows[0], "province": "SHANDONG"}]}, "plan.toml")
