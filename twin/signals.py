"""The table of signals: what is measured, in which unit, on which topic, in which database field.

A signal is one row. The codec, the frame, the store, the page and the reference page follow from it.
`low` and `high` bound what a sensor can truthfully say (outside: parked, not stored); `deadband` is the
smallest change worth showing. The unit is part of the name because names travel without the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["MEASUREMENTS", "SIGNALS", "Signal", "by_name", "of_topic"]

# topic kind -> measurement in the store
MEASUREMENTS: Mapping[str, str] = MappingProxyType(
    {"telemetry": "pot", "line": "line", "event": "event", "sample": "sample"}
)


@dataclass(frozen=True, slots=True)
class Signal:
    """One row: `name` is unique; `topic_field` and `db_field` are the name unless told otherwise."""

    name: str
    unit: str
    low: float
    high: float
    deadband: float
    topic: str
    help: str
    topic_field: str = ""
    db_field: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "topic_field", self.topic_field or self.name)
        object.__setattr__(self, "db_field", self.db_field or self.name)

    @property
    def measurement(self) -> str:
        return MEASUREMENTS.get(
            self.topic, self.topic
        )  # what the twin says (twin_pot, twin_line) has no topic of its own


def _rows(topic: str, *rows: tuple[str, str, float, float, float, str]) -> tuple[Signal, ...]:
    return tuple(Signal(name, unit, low, high, deadband, topic, text) for name, unit, low, high, deadband, text in rows)


SIGNALS: tuple[Signal, ...] = (
    *_rows(
        "telemetry",
        ("voltage_v", "V", -2.0, 150.0, 0.002, "Pot voltage, average over the sample period."),
        ("voltage_set_v", "V", 0.0, 10.0, 0.001, "Target pot voltage of the pot controller."),
        ("resistance_uohm", "uOhm", -10.0, 500.0, 0.005, "Pseudo-resistance (V - 1.65 V)/I."),
        (
            "resistance_slope_nohm_min",
            "nOhm/min",
            -1e5,
            1e5,
            0.5,
            "Slope of the pseudo-resistance used by demand feeding.",
        ),
        ("noise_mv", "mV", 0.0, 5000.0, 0.5, "Voltage noise in the bubble band (about 1 Hz)."),
        ("metal_wave_mv", "mV", 0.0, 5000.0, 0.5, "Voltage noise in the metal-wave band (0.008-0.05 Hz)."),
        ("bath_temperature_c", "C", 700.0, 1200.0, 0.2, "Bath temperature by continuous thermocouple."),
        ("side_wall_temperature_c", "C", -20.0, 900.0, 0.5, "Shell temperature at the hottest side-wall point."),
        ("cathode_temperature_c", "C", -20.0, 1100.0, 0.5, "Collector-bar temperature, hottest bar."),
        ("duct_temperature_c", "C", -20.0, 500.0, 0.5, "Off-gas temperature in the pot's duct."),
        ("duct_flow_m3_s", "m3/s", 0.0, 20.0, 0.02, "Off-gas flow of the pot."),
        ("alumina_feed_kg", "kg", 0.0, 1e9, 0.0, "Alumina fed, cumulative counter."),
        ("alf3_feed_kg", "kg", 0.0, 1e9, 0.0, "Aluminium fluoride fed, cumulative counter."),
        ("feed_interval_s", "s", 0.0, 86400.0, 0.1, "Time between two alumina shots."),
        (
            "feed_mode",
            "1",
            0.0,
            9.0,
            0.0,
            "Feed mode: 0 nominal, 1 underfeed, 2 overfeed, 3 stopped, 4 anode-effect quench.",
        ),
        ("beam_position_mm", "mm", 0.0, 1000.0, 0.05, "Position of the anode beam, larger = lower."),
        ("anode_current_max_ka", "kA", -5.0, 100.0, 0.02, "Largest single-anode current."),
        ("anode_current_min_ka", "kA", -5.0, 100.0, 0.02, "Smallest single-anode current."),
        ("anode_current_spread_pct", "%", 0.0, 500.0, 0.1, "Standard deviation of the anode currents over their mean."),
        ("cathode_drop_mv", "mV", 0.0, 2000.0, 0.5, "Cathode voltage drop."),
    ),
    *_rows(
        "line",
        ("line_current_ka", "kA", -10.0, 1000.0, 0.05, "Line current."),
        ("line_voltage_v", "V", -10.0, 3000.0, 0.1, "Line voltage at the rectifier, busbars included."),
        ("ac_energy_kwh", "kWh", 0.0, 1e13, 0.0, "AC energy into the rectifier station, cumulative meter."),
        ("dc_energy_kwh", "kWh", 0.0, 1e13, 0.0, "DC energy after rectification, cumulative meter."),
        (
            "auxiliary_energy_kwh",
            "kWh",
            0.0,
            1e13,
            0.0,
            "Potroom auxiliaries (gas treatment, air, cranes ...), cumulative meter.",
        ),
        ("power_hydro_pct", "%", 0.0, 100.0, 0.1, "Share of hydro power in the supply."),
        ("power_wind_pct", "%", 0.0, 100.0, 0.1, "Share of wind power in the supply."),
        ("power_solar_pct", "%", 0.0, 100.0, 0.1, "Share of solar power in the supply."),
        ("power_nuclear_pct", "%", 0.0, 100.0, 0.1, "Share of nuclear power in the supply."),
        ("power_coal_pct", "%", 0.0, 100.0, 0.1, "Share of coal power in the supply."),
        ("power_gas_pct", "%", 0.0, 100.0, 0.1, "Share of gas power in the supply."),
    ),
    *_rows(
        "event",
        ("tapped_metal_kg", "kg", 0.0, 50000.0, 0.0, "Metal tapped, as weighed by the crane or ladle scale."),
        ("anode_changed", "1", 1.0, 200.0, 0.0, "Number of the anode that was changed."),
        ("beam_move_mm", "mm", -200.0, 200.0, 0.0, "Beam move, positive = anodes down."),
        ("beam_raised", "1", 0.0, 1.0, 0.0, "1 when a beam raise begins, 0 when it ends."),
        ("anode_effect_kill", "1", 1.0, 2.0, 0.0, "Anode effect killed: 1 automatically, 2 by hand."),
        ("alf3_bag_kg", "kg", 0.0, 2000.0, 0.0, "Aluminium fluoride added by hand."),
        ("soda_added_kg", "kg", 0.0, 2000.0, 0.0, "Soda added by hand."),
    ),
    *_rows(
        "sample",
        ("excess_alf3_pct", "wt%", -5.0, 40.0, 0.01, "Excess AlF3 in the bath, laboratory."),
        ("alumina_pct", "wt%", 0.0, 20.0, 0.01, "Alumina in the bath, laboratory."),
        ("caf2_pct", "wt%", 0.0, 20.0, 0.01, "CaF2 in the bath, laboratory."),
        ("mgf2_pct", "wt%", 0.0, 10.0, 0.01, "MgF2 in the bath, laboratory."),
        ("lif_pct", "wt%", 0.0, 10.0, 0.01, "LiF in the bath, laboratory."),
        ("bath_temperature_manual_c", "C", 700.0, 1200.0, 0.1, "Bath temperature by hand."),
        ("superheat_c", "K", -20.0, 100.0, 0.1, "Superheat by hand-held sensor: a difference, so 1 C is 1 K."),
        ("bath_level_cm", "cm", 0.0, 100.0, 0.1, "Bath height, rod measurement."),
        ("metal_level_cm", "cm", 0.0, 100.0, 0.1, "Metal height, rod measurement."),
        ("iron_ppm", "ppm", 0.0, 100000.0, 1.0, "Iron in the metal, laboratory."),
        ("silicon_ppm", "ppm", 0.0, 100000.0, 1.0, "Silicon in the metal, laboratory."),
        ("cathode_drop_manual_mv", "mV", 0.0, 2000.0, 0.5, "Cathode voltage drop by hand."),
    ),
)

_BY_NAME = {signal.name: code for code, signal in enumerate(SIGNALS)}


def by_name(name: str) -> int:
    """Code of a signal, its place in `SIGNALS`; raises KeyError for an unknown name."""
    return _BY_NAME[name]


def of_topic(topic: str) -> tuple[int, ...]:
    """Codes of the signals of one topic kind, in table order."""
    return tuple(code for code, signal in enumerate(SIGNALS) if signal.topic == topic)
