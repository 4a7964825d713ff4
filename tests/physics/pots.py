"""The two published pots that the physics is tested against."""

from __future__ import annotations

from typing import Any

from twin.physics.elementary import T
from twin.physics.voltage import PotVoltage, pot_voltage

KELVIN = 273.15

POT_126: dict[str, Any] = {
    "anode_area": 10.4652,
    "anodes": 20,
    "cathode_area": 11.5348,
    "r_anode": 3.02e-6,
    "r_cathode": 2.15e-6,
    "r_external": 2.01e-6,
    "alumina_ae": 1.80,
}
# 0.85 A/cm2. The published table does not give the cathode area: 44.1 m2 reproduces all its voltages (see
# test_voltage); the plain anode area would put every one of them 5 mV higher.
POT_350: dict[str, Any] = {
    "anode_area": 350e3 / 8500.0,
    "anodes": 40,
    "cathode_area": 44.1,
    "r_anode": 0.90e-6,
    "r_cathode": 0.95e-6,
    "r_external": 0.50e-6,
    "alumina_ae": 1.5,
}


def pot_126(alumina: T | float, distance: T | float, current: T | float) -> PotVoltage[T]:
    """126 kA prebake pot at 963 C, AlF3 12, CaF2 4.1, MgF2 0.25, in the manner of the published vectors."""
    return pot_voltage(
        current, 963.0 + KELVIN, alumina, 12.0, 4.1, 0.25, 0.0, distance, **POT_126, bubble_layer_in_bath=True
    )


def pot_350(alumina: T | float, distance: T | float = 0.042, temperature: T | float = 960.0 + KELVIN) -> PotVoltage[T]:
    """350 kA pot at AlF3 10.5, CaF2 5."""
    return pot_voltage(350e3, temperature, alumina, 10.5, 5.0, 0.0, 0.0, distance, **POT_350)
