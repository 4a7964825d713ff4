"""Unit conversion: there and back, and by the numbers everybody knows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.catalogue import CATALOGUE
from twin.units import SI, from_si, to_si

SENSIBLE = st.floats(-1e9, 1e9).filter(lambda x: x == 0 or abs(x) > 1e-9)


@given(st.sampled_from(sorted(SI)), SENSIBLE)
def test_there_and_back_is_the_same(unit: str, value: float) -> None:
    assert from_si(to_si(value, unit), unit) == pytest.approx(
        value, rel=1e-12, abs=1e-12 * abs(SI[unit][1] / SI[unit][0])
    )


@pytest.mark.parametrize(
    ("value", "unit", "si"),
    [
        (960.0, "C", 1233.15),
        (500.0, "kA", 500e3),
        (1.0, "kWh", 3.6e6),
        (13000.0, "kWh/t", 46.8e6),  # 13 kWh/kg
        (4.0, "mV", 4e-3),
        (94.0, "%", 0.94),
        (60.0, "nOhm/min", 1e-9),
        (12.0, "uOhm", 12e-6),
        (2.0, "h", 7200.0),
        (30.0, "mm", 0.03),
        (20.0, "cm", 0.2),
        (2.5, "t", 2500.0),
        (700.0, "ppm", 7e-4),
        (11.0, "wt%", 11.0),
    ],
)
def test_known_conversions(value: float, unit: str, si: float) -> None:
    assert to_si(value, unit) == pytest.approx(si, rel=1e-15)
    assert from_si(si, unit) == pytest.approx(value, rel=1e-15)


def test_array_in_array_out_scalar_in_scalar_out() -> None:
    assert isinstance(to_si(1.0, "kA"), float)
    converted = to_si(np.array([0.0, 100.0]), "C")
    assert converted.tolist() == [273.15, 373.15]
    assert from_si(converted, "C").tolist() == [0.0, 100.0]


def test_an_unknown_unit_is_an_error() -> None:
    with pytest.raises(KeyError):
        to_si(1.0, "furlong")


def test_every_unit_has_a_use() -> None:
    used = {signal.unit for signal in CATALOGUE}
    assert set(SI) - used <= {"h"}, "no row of a table is in this unit"
