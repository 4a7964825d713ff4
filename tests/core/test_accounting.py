"""The books of a line: the domain's own numbers come out, and nothing is made up."""

from __future__ import annotations

import numpy as np
import pytest

from tests.core.ledgers import DAY, HOUR, add, figures, filled, ledger_of, totals
from tests.core.plants import NOW_NS, NS, readings_of, steady
from twin.frames import Readings
from twin.signals import by_name

KWH = 3.6e6


def without(readings: Readings, name: str, first: float, last: float, unit: int | None = None) -> Readings:
    """Readings but for those of a signal (of a unit) from `first` to before `last` seconds."""
    second = (readings.time_ns - NOW_NS) / NS
    gone = (readings.signal == by_name(name)) & (second >= first) & (second < last)
    if unit is not None:
        gone &= readings.unit == unit
    assert gone.any()
    return readings.take(~gone)


@pytest.mark.parametrize(("volt", "ac"), [(3.90, 12552), (3.95, 12713), (4.00, 12874), (4.05, 13035), (4.10, 13196)])
def test_the_table_of_the_domain(volt: float, ac: float) -> None:
    found = figures(filled(3, steady(range(3600), volt=volt)))
    assert found["dc_kwh_t"] == pytest.approx([2980 * volt / 0.94] * 4, rel=1e-5)
    assert found["ac_liquid_kwh_t"] == pytest.approx([ac] * 4, abs=0.5)
    assert found["ac_comprehensive_kwh_t"] == pytest.approx(
        found["ac_liquid_kwh_t"] + 0.02 * found["dc_kwh_t"], rel=1e-9
    )
    assert found["coverage_pct"].tolist() == [100.0] * 4


def test_metal_is_that_of_faraday() -> None:
    found = figures(filled(3, steady(range(3600))))
    assert found["metal_t"][1:] == pytest.approx([0.0080537 * 500 * 0.94 / 24] * 3, rel=1e-4)
    assert found["metal_t"][0] == pytest.approx(3 * found["metal_t"][1], rel=1e-12)


def ac_liquid(volt: float = 4.0, efficiency: float = 0.94, rectifier: float = 0.985) -> float:
    """AC per tonne of a steady line, its meter read at another rectifier efficiency than `steady` assumes."""
    readings = steady(range(600), volt=volt)
    ac = readings.signal == by_name("ac_energy_kwh")
    value = np.where(ac, (readings.value - 1000) * 0.985 / rectifier, readings.value)
    told = Readings.of(readings.time_ns, readings.unit, readings.signal, value)
    return float(figures(filled(3, told), efficiency)["ac_liquid_kwh_t"][0])


def test_sensitivities_of_the_domain() -> None:
    base = ac_liquid()
    assert ac_liquid(volt=4.01) - base == pytest.approx(32, abs=0.5)
    assert ac_liquid(efficiency=0.93) - base == pytest.approx(138, abs=1.5)  # +137 at the domain's rounding
    assert ac_liquid(rectifier=0.984) - base == pytest.approx(13, abs=0.5)


def test_an_anode_effect_of_two_minutes_costs_what_the_domain_says() -> None:
    seconds = np.arange(-6 * 3600, 18 * 3600)
    struck = (seconds >= 0) & (seconds < 120)
    count = len(seconds)
    time = NOW_NS + seconds * NS
    current = Readings.of(time, [0] * count, [by_name("line_current_ka")] * count, [500.0] * count)
    calm = Readings.of(time, [1] * count, [by_name("voltage_v")] * count, [4.0] * count)
    struck_pot = Readings.of(time, [1] * count, [by_name("voltage_v")] * count, np.where(struck, 30.0, 4.0))
    quiet, effect = (filled(1, current, pot) for pot in (calm, struck_pot))
    more = (totals(effect, DAY).of("dc_energy")[1] - totals(quiet, DAY).of("dc_energy")[1]) / KWH
    assert more == pytest.approx(434, abs=1)
    per_tonne = figures(effect, window=DAY)["dc_kwh_t"][1] - figures(quiet, window=DAY)["dc_kwh_t"][1]
    assert per_tonne == pytest.approx(115, abs=1)


def test_a_gap_of_a_pot_is_not_integrated_over_and_shows() -> None:
    whole = steady(range(3600))
    ledger = filled(3, without(whole, "voltage_v", 600, 1200, unit=1))
    found, sums = figures(ledger), totals(ledger)
    assert sums.of("dc_energy")[1] == pytest.approx(4.0 * 500e3 * 3000, rel=1e-9)
    assert sums.of("covered").tolist() == [3600.0, 3000.0, 3600.0, 3600.0]
    assert found["coverage_pct"][1] == pytest.approx(100 * 3000 / 3600)
    assert found["dc_kwh_t"][1:] == pytest.approx([found["dc_kwh_t"][2]] * 3, rel=1e-9)


def test_without_current_nothing_is_booked() -> None:
    sums = totals(filled(3, without(steady(range(3600)), "line_current_ka", 0, 1800)))
    assert sums.of("covered").tolist() == [1800.0] * 4
    assert sums.of("dc_energy")[1:] == pytest.approx([4.0 * 500e3 * 1800] * 3, rel=1e-9)
    only_pots = steady(range(3600)).take(steady(range(3600)).unit > 0)
    assert totals(filled(3, only_pots)).of("dc_energy").tolist() == [0.0] * 4


def test_a_gap_of_the_meter_is_not_integrated_over() -> None:
    whole, gap = steady(range(3600)), without(steady(range(3600)), "ac_energy_kwh", 600, 1200)
    complete, holed = totals(filled(3, whole)), totals(filled(3, gap))
    # The first minute has no reading before it; after the gap another one starts afresh.
    assert holed.of("ac_energy")[0] / complete.of("ac_energy")[0] == pytest.approx((59 - 11) / 59, rel=1e-9)
    assert figures(filled(3, gap))["ac_liquid_kwh_t"] == pytest.approx(
        figures(filled(3, whole))["ac_liquid_kwh_t"], rel=1e-9
    )


def meter(readings: Readings, change: str) -> Readings:
    """The AC meter's register: rolled over at 2000 kWh, or set to zero half way."""
    ac = readings.signal == by_name("ac_energy_kwh")
    half = readings.time_ns >= NOW_NS + 1800 * NS
    value = readings.value % 2000 if change == "rollover" else np.where(half, readings.value - 4000, readings.value)
    return Readings.of(readings.time_ns, readings.unit, readings.signal, np.where(ac, value, readings.value))


def test_a_rollover_of_the_meter_changes_nothing() -> None:
    whole = steady(range(3600))
    plain, rolled = (totals(filled(3, r, rollover=2000)) for r in (whole, meter(whole, "rollover")))
    assert rolled.of("ac_energy") == pytest.approx(plain.of("ac_energy"), rel=1e-9)
    assert rolled.of("ac_charge").tolist() == plain.of("ac_charge").tolist()


def test_a_reset_of_the_meter_costs_one_minute() -> None:
    whole = steady(range(3600))
    plain, reset = (totals(filled(3, r)) for r in (whole, meter(whole, "reset")))
    assert reset.of("ac_energy") / plain.of("ac_energy") == pytest.approx([58 / 59] * 4, rel=1e-9)
    assert reset.of("ac_charge") / plain.of("ac_charge") == pytest.approx([58 / 59] * 4, rel=1e-9)


def test_a_pot_that_is_cut_out_makes_no_metal_and_takes_no_energy() -> None:
    running = steady(range(3600), pots=2)
    shorted = readings_of((second, 3, "voltage_v", 0.3) for second in range(3600))
    ledger = filled(3, running, shorted)
    sums, found = totals(ledger), figures(ledger)
    assert (sums.of("dc_charge")[3], sums.of("ac_energy")[3], found["metal_t"][3]) == (0.0, 0.0, 0.0)
    assert np.isnan(found["dc_kwh_t"][3])
    assert sums.of("covered")[3] == 3600.0
    assert found["metal_t"][0] == pytest.approx(found["metal_t"][1:3].sum(), rel=1e-12)
    assert found["ac_liquid_kwh_t"][0] == pytest.approx(12874, abs=0.5)
    assert sums.of("ac_energy")[1:].sum() == pytest.approx(sums.of("ac_energy")[0], rel=1e-12)


def test_tapped_metal_is_booked_once_where_it_was_tapped() -> None:
    taps = readings_of([(100, 1, "tapped_metal_kg", 2000.0), (2000, 1, "tapped_metal_kg", 500.0)])
    other = readings_of([(100, 2, "tapped_metal_kg", 1500.0), (3599, 2, "tapped_metal_kg", 1.0)])
    ledger = filled(3, steady(range(3600)), taps, other, taps)
    assert totals(ledger).of("tapped").tolist() == [4001.0, 2500.0, 1501.0, 0.0]
    found = figures(ledger, window=DAY)
    assert found["tapped_t"].tolist() == pytest.approx([4.001, 2.5, 1.501, 0.0])
    assert found["ac_liquid_tapped_kwh_t"][0] == pytest.approx(totals(ledger).of("ac_energy")[0] / KWH / 4.001)
    assert np.isnan(found["ac_liquid_tapped_kwh_t"][3])


def test_a_sample_stands_for_its_period() -> None:
    sums = totals(filled(3, steady(range(0, 3600, 5)), period=5.0))
    assert sums.of("covered").tolist() == [3600.0] * 4
    assert sums.of("dc_energy")[1:] == pytest.approx([4.0 * 500e3 * 3600] * 3, rel=1e-9)


def test_values_that_are_bad_are_not_booked() -> None:
    bad = readings_of((second, 1, "voltage_v", float("nan")) for second in range(3600))
    assert totals(filled(3, bad, steady(range(3600)))).of("covered").tolist() == [3600.0] * 4
    ledger = filled(3, bad)
    assert ledger.newest_ns == 0
    assert ledger.dirty == set()


def test_other_signals_are_not_booked() -> None:
    ledger = filled(3, readings_of([(0, 1, "noise_mv", 3.0), (0, 1, "bath_temperature_c", 960.0)]))
    assert ledger.newest_ns == 0


def test_what_is_older_than_the_horizon_is_counted_and_left_out() -> None:
    ledger = ledger_of(1, horizon_h=25)
    add(ledger, steady([0], pots=1))
    old = steady([-25 * 3600], pots=1)
    add(ledger, old)
    assert ledger.too_old == len(old)
    add(ledger, steady([-24 * 3600], pots=1))
    assert ledger.too_old == len(old)
    then = NOW_NS // NS - 24 * 3600
    settled = {cell * 900 for cell in ledger.settle()}
    assert settled == {NOW_NS // NS, then, then + 900}, "the next quarter hour asks this one about anode effects"


def test_a_gap_across_a_quarter_hour_loses_nothing_before_it() -> None:
    for last in (14 * 60, 13 * 60, 60):
        parts = [steady(range(last)), steady(range(16 * 60, 17 * 60))]
        apart, together = ledger_of(3), filled(3, Readings.concat(parts))
        for part in parts:
            add(apart, part)
            apart.settle()
        assert totals(apart).of("covered").tolist() == totals(together).of("covered").tolist() == [last + 60.0] * 4


def test_a_late_meter_reading_at_the_end_of_a_quarter_hour_changes_the_next_one() -> None:
    whole = steady(range(1800))
    ac, second = whole.signal == by_name("ac_energy_kwh"), (whole.time_ns - NOW_NS) / NS
    late = ac & (second >= 890) & (second < 900)
    ledger = ledger_of(3)
    for part in (whole.take(~late), whole.take(late)):
        add(ledger, part)
        ledger.settle()
    assert totals(ledger).of("ac_energy").tolist() == totals(filled(3, whole)).of("ac_energy").tolist()


def test_a_pot_enrolled_later_is_booked_from_then_on() -> None:
    ledger = filled(2, steady(range(900), pots=2))
    ledger.grow(3)
    add(ledger, steady(range(900, 1800), pots=3))
    ledger.settle()
    sums = totals(ledger)
    assert sums.of("covered").tolist() == [1800.0, 1800.0, 1800.0, 900.0]
    assert sums.of("dc_charge")[3] == pytest.approx(500e3 * 900, rel=1e-9)


def test_a_window_is_the_sum_of_the_windows_in_it() -> None:
    ledger = filled(3, steady(range(-3600, 3600, 2)), period=2.0)
    before = type(HOUR)(HOUR.start_ns - 3600 * NS, HOUR.start_ns, "hour")
    parts = [totals(ledger, before), totals(ledger, HOUR)]
    for name in ("dc_energy", "dc_charge", "covered", "ac_energy", "ac_charge", "auxiliary_energy", "tapped"):
        assert totals(ledger, DAY).of(name) == pytest.approx(sum(p.of(name) for p in parts), rel=1e-12)


def test_the_dc_meter_is_compared_over_its_own_time() -> None:
    """The line's voltage times current is 6 MW: a meter that says so differs by nothing, from its first minute on."""
    meter = readings_of((second, 0, "dc_energy_kwh", 12.0 * 500 / 3600 * second) for second in range(0, 600, 5))
    found = figures(filled(3, steady(range(600)), meter), window=DAY)
    assert found["dc_difference_pct"][0] == pytest.approx(0.0, abs=1e-9)
    assert np.isnan(found["dc_difference_pct"][1:]).all()
