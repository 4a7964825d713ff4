"""The books do not depend on the order, the grouping or the number of times that readings come; and they close."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.core.ledgers import DAY, HOUR, add, ledger_of, site_totals, totals
from tests.core.plants import NOW_NS, NS, Row, readings_of
from twin.accounting import LineLedger
from twin.frames import Readings
from twin.signals import by_name
from twin.windows import Window

POTS = 3
SPAN_S = 5400
QUARTER = Window(NOW_NS, NOW_NS + 900 * NS, "quarter")


def stream(rng: np.random.Generator) -> Readings:
    """An hour and a half of a line with gaps, cut-out pots, taps and a meter that rolls over; one sample a second."""
    parts = []
    step = int(rng.choice([7, 20, 61]))
    for unit, name, low, high in (
        *((pot, "voltage_v", -0.5, 8.0) for pot in range(1, POTS + 1)),
        (0, "line_current_ka", 0.0, 600.0),
        (0, "line_voltage_v", 0.0, 20.0),
    ):
        second = np.flatnonzero(rng.random(SPAN_S // step) > rng.choice([0.0, 0.3, 0.9])) * step
        for start in rng.integers(0, SPAN_S, 2).tolist():  # gaps of up to 20 minutes
            second = second[(second < start) | (second > start + rng.integers(0, 1200))]
        time = NOW_NS + second * NS + rng.integers(0, 1000, len(second)) * (NS // 1000)
        value = rng.uniform(low, high, len(second))
        parts.append(Readings.of(time, [unit] * len(second), [by_name(name)] * len(second), value))
    second = np.arange(0, SPAN_S, step * 2)
    for name in ("ac_energy_kwh", "auxiliary_energy_kwh"):
        register = (rng.uniform(0, 3, len(second)).cumsum() + rng.uniform(0, 100)) % 100
        parts.append(Readings.of(NOW_NS + second * NS, [0] * len(second), [by_name(name)] * len(second), register))
    silent = [(start, start + int(rng.integers(0, 1500))) for start in rng.integers(0, SPAN_S, 2).tolist()]
    taps = [(float(rng.integers(0, SPAN_S)), pot, "tapped_metal_kg", float(rng.uniform(0, 3000))) for pot in (1, 1, 2)]
    told = Readings.concat(parts)
    second = (told.time_ns - NOW_NS) // NS
    heard = np.all([(second < first) | (second > last) for first, last in silent], axis=0)  # at times nobody is
    return Readings.concat([told.take(heard), readings_of(taps)])


def book(parts: list[Readings], rng: np.random.Generator) -> LineLedger:
    """A ledger that is settled after some of the parts, and at the end."""
    ledger = ledger_of(POTS, horizon_h=25, rollover=100)
    for part in parts:
        add(ledger, part)
        if rng.random() < 0.5:
            ledger.settle()
    ledger.settle()
    return ledger


def bits(ledger: LineLedger) -> list[object]:
    """Every total of every window, as bytes."""
    found: list[object] = []
    for window in (QUARTER, HOUR, DAY):
        sums = site_totals(ledger, window)
        found += [np.asarray(getattr(sums, field.name)).tobytes() for field in fields(sums)]
    return found


@settings(max_examples=100)
@given(st.integers(0, 2**32))
def test_any_order_grouping_and_repetition_gives_bit_equal_books(seed: int) -> None:
    rng = np.random.default_rng(seed)
    whole = stream(rng)
    order = rng.permutation(np.concatenate([np.arange(len(whole)), rng.integers(0, len(whole), len(whole) // 3)]))
    if rng.random() < 0.3:
        order = np.sort(order)  # as it comes, only repeated
    cuts = np.sort(rng.integers(0, len(order), rng.integers(0, 12)))
    mixed = [whole.take(part) for part in np.split(order, cuts)]
    assert bits(book([whole], rng)) == bits(book(mixed, rng))


@given(st.integers(0, 2**32))
def test_in_the_order_of_time_any_splitting_gives_bit_equal_books(seed: int) -> None:
    rng = np.random.default_rng(seed)
    whole = stream(rng)
    whole = whole.take(np.argsort(whole.time_ns, kind="stable"))
    parts = [whole.take(part) for part in np.split(np.arange(len(whole)), np.sort(rng.integers(0, len(whole), 30)))]
    assert bits(book([whole], rng)) == bits(book(parts, rng))


VOLTS = st.lists(st.floats(1.7, 40.0), min_size=POTS, max_size=POTS)


@given(VOLTS, st.floats(1.0, 600.0), st.floats(0.0, 1e4))
@example([4.0, 4.0, 4.0], 500.0, 100.0)
def test_allocated_energy_closes_when_every_pot_is_seen(volts: list[float], current: float, kwh: float) -> None:
    rows: list[Row] = []
    for second in range(0, 1800, 10):
        rows += [(second, 0, "line_current_ka", current), (second, 0, "ac_energy_kwh", kwh * second / 1800)]
        rows += [(second, 0, "auxiliary_energy_kwh", kwh * second / 90000)]
        rows += [(second, pot, "voltage_v", volt) for pot, volt in enumerate(volts, 1)]
    sums = totals(book([readings_of(rows)], np.random.default_rng(0)))
    for name in ("ac", "auxiliary"):
        energy, charge = sums.of(f"{name}_energy"), sums.of(f"{name}_charge")
        assert energy[1:].sum() == pytest.approx(energy[0], rel=1e-12)
        assert charge[1:].sum() == pytest.approx(charge[0], rel=1e-12)
    shares = sums.of("ac_energy")[1:]
    if kwh > 1:
        assert shares / shares.sum() == pytest.approx(np.array(volts) / sum(volts), rel=1e-4)  # volts in steps of 10 uV


def test_a_pot_that_is_not_seen_is_not_paid_by_the_others() -> None:
    rows: list[Row] = []
    for second in range(0, 1800, 10):
        rows += [(second, 0, "line_current_ka", 500.0), (second, 0, "ac_energy_kwh", second)]
        rows += [(second, pot, "voltage_v", 4.0) for pot in (1, 2)]
    sums = totals(book([readings_of(rows)], np.random.default_rng(0)))
    assert sums.of("ac_energy")[1:] / sums.of("ac_energy")[0] == pytest.approx([1 / 3, 1 / 3, 0.0])
    assert sums.of("ac_charge")[0] == pytest.approx(3 * sums.of("ac_charge")[1])
