"""The instruments of a simulated pot: which signals of the twin's table it says, how noisily, in which steps.

A signal of the table that has no row here is not said by a simulated line, and nothing else minds.
"""

from __future__ import annotations

__all__ = ["READING", "TELEMETRY"]

# signal -> (standard deviation of the reading's noise, quantisation step), rim units; all U but for the voltage
READING: dict[str, tuple[float, float]] = {
    "voltage_v": (0.0005, 0.001),
    "voltage_set_v": (0.0, 0.001),
    "resistance_uohm": (0.0, 0.001),
    "resistance_slope_nohm_min": (0.0, 0.01),
    "noise_mv": (0.25, 0.1),
    "metal_wave_mv": (0.25, 0.1),
    "bath_temperature_c": (0.35, 0.1),
    "side_wall_temperature_c": (0.5, 0.1),
    "cathode_temperature_c": (0.5, 0.1),
    "duct_temperature_c": (0.3, 0.1),
    "duct_flow_m3_s": (0.02, 0.01),
    "alumina_feed_kg": (0.0, 0.1),
    "alf3_feed_kg": (0.0, 0.1),
    "feed_interval_s": (0.0, 0.1),
    "feed_mode": (0.0, 1.0),
    "beam_position_mm": (0.0, 0.1),
    "anode_current_max_ka": (0.03, 0.01),
    "anode_current_min_ka": (0.03, 0.01),
    "anode_current_spread_pct": (0.1, 0.01),
    "cathode_drop_mv": (0.5, 0.1),
}

TELEMETRY: tuple[str, ...] = tuple(READING)
