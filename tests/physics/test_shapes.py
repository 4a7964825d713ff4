"""Every function of the physics: scalar in = scalar out, array in = array out, with the same numbers."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import astuple
from types import FunctionType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twin.physics
from twin.physics.voltage import PotVoltage

Function = Callable[..., Any]

# argument -> range, wide of the operating window; the same name means the same quantity everywhere
RANGES: dict[str, tuple[float, float]] = {
    "alf3": (0.0, 18.0),
    "alumina": (0.0, 10.0),
    "alumina_ae": (1.0, 2.5),
    "alumina_rate": (0.0, 0.2),
    "ambient": (250.0, 330.0),
    "anode_area": (1.0, 80.0),
    "anode_effect_time": (0.0, 900.0),
    "anodes": (1.0, 64.0),
    "area": (5.0, 30.0),
    "ash": (0.0, 0.01),
    "bath_resistance": (2e-5, 2e-4),
    "c2f6": (0.0, 1.0),
    "caf2": (0.0, 8.0),
    "cathode_area": (5.0, 90.0),
    "cf4": (0.0, 1.0),
    "co2": (0.0, 5.0),
    "coefficient": (0.5, 3.0),
    "conductivity": (0.5, 3.0),
    "constant": (0.8, 1.0),
    "critical": (1.0, 40e3),
    "current": (0.0, 700e3),
    "density": (0.0, 30e3),
    "distance": (0.01, 0.06),
    "efficiency": (0.5, 1.0),
    "emf": (1.5, 1.8),
    "fanning": (1.0, 1.3),
    "internal_voltage": (3.0, 50.0),
    "kf": (0.0, 4.0),
    "ledge_density": (1500.0, 4000.0),
    "latent": (2e5, 6e5),
    "lif": (0.0, 5.0),
    "liquidus": (1200.0, 1260.0),
    "metal_rate": (0.0, 0.1),
    "mgf2": (0.0, 4.0),
    "net_carbon": (0.3, 0.6),
    "nominal_current": (1e5, 7e5),
    "overvoltage": (0.0, 0.2),
    "r_anode": (0.0, 5e-6),
    "r_cathode": (0.0, 5e-6),
    "r_external": (0.0, 5e-6),
    "ratio": (0.9, 1.5),
    "resistance": (1e-3, 1e-2),
    "saturation": (0.0, 1.5),
    "shell_transfer": (5.0, 50.0),
    "slope": (0.05, 0.2),
    "sulphur": (0.0, 0.05),
    "superheat": (-5.0, 40.0),
    "temperature": (1180.0, 1320.0),
    "thickness": (0.0, 0.3),
    "voltage": (0.0, 60.0),
    "wall_conductivity": (5.0, 60.0),
    "wall_thickness": (0.05, 0.4),
}
NOT_QUANTITIES = {"bubble_layer_in_bath", "potential", "return"}
OWN_TESTS = {"twin.physics.elementary"}  # no equation, doctests only


def functions() -> list[Function]:
    found: list[Function] = []
    for info in pkgutil.iter_modules(twin.physics.__path__, "twin.physics."):
        if info.name not in OWN_TESTS:
            module = importlib.import_module(info.name)
            found += [each for each in map(module.__dict__.get, module.__all__) if isinstance(each, FunctionType)]
    return found


def arguments(function: Function) -> list[str]:
    return [name for name in function.__annotations__ if name not in NOT_QUANTITIES]


def columns(result: Any) -> tuple[Any, ...]:
    return astuple(result) if isinstance(result, PotVoltage) else (result,)


def sample(function: Function, seed: int, rows: int) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    random = np.random.default_rng(seed)
    return {name: random.uniform(*RANGES[name], size=rows) for name in arguments(function)}


@pytest.mark.parametrize("function", functions(), ids=lambda each: each.__name__)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 9))
def test_array_result_is_the_scalar_result_of_every_element(function: Function, seed: int, rows: int) -> None:
    given_arrays = sample(function, seed, rows)
    before = {name: column.copy() for name, column in given_arrays.items()}
    together = columns(function(**given_arrays))
    for row in range(rows):
        alone = columns(function(**{name: float(column[row]) for name, column in given_arrays.items()}))
        for part, scalar in zip(together, alone, strict=True):
            assert part.shape == (rows,)
            assert type(scalar) is float
            np.testing.assert_allclose(part[row], scalar, rtol=1e-11, atol=1e-15)
    for name, column in given_arrays.items():
        assert (column == before[name]).all(), f"{name} was written to"


@pytest.mark.parametrize("function", functions(), ids=lambda each: each.__name__)
def test_one_array_among_scalars_is_enough(function: Function) -> None:
    arrays = sample(function, 7, 4)
    scalars = {name: float(column[0]) for name, column in arrays.items()}
    for name in arguments(function):
        mixed = columns(function(**{**scalars, name: np.full(4, scalars[name])}))
        for part, scalar in zip(mixed, columns(function(**scalars)), strict=True):
            assert part.shape == (4,)
            np.testing.assert_allclose(part, scalar, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("function", functions(), ids=lambda each: each.__name__)
def test_results_stay_finite_at_the_edges_and_wide_of_them(function: Function) -> None:
    random = np.random.default_rng(11)
    edges = {name: random.choice(RANGES[name], size=256) for name in arguments(function)}
    missing_current = {"normalised_voltage", "pseudo_resistance"}
    for part in columns(function(**edges)):
        assert np.isfinite(part).all() or function.__name__ in missing_current


@pytest.mark.parametrize("function", functions(), ids=lambda each: each.__name__)
def test_a_missing_value_does_not_reach_its_neighbours(function: Function) -> None:
    arrays = sample(function, 3, 3)
    for column in arrays.values():
        column[1] = np.nan
    scalars = {name: float("nan") for name in arrays}
    for part, scalar in zip(columns(function(**arrays)), columns(function(**scalars)), strict=True):
        assert np.isnan(part).tolist() == [False, True, False]
        assert np.isnan(scalar)
