"""The table of causes as the models name them: what a person reads, and what to do.

A row names a cause of `simulators.causes` (a test compares the names); its number in the store is its place here, from
1; `normal` has none: 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["CAUSES", "Cause", "cause_of", "number_of"]


@dataclass(frozen=True, slots=True)
class Cause:
    """One row. kind: trouble of the process, or of an instrument that tells it."""

    name: str
    title: str
    kind: Literal["process", "sensor"]
    advice: str


_PROCESS = (
    ("anode_effect", "Feeders starve the pot", "Check the feeders now; feed by hand."),
    ("feeder_hang", "Feeders hang", "Check feeders, breakers and silo; feed by hand until they work."),
    ("feeder_plugged", "Feeder plugged", "Free the plugged feeder; check the breakers one by one."),
    ("feeder_overdosing", "Feeder gives too much", "Weigh the shots of each feeder; correct the dose."),
    ("sludge", "Sludge on the cathode", "Feed less for some hours; raise superheat."),
    ("anode_slip", "Anode slipped", "Measure the anode currents; set the anode that carries most back up."),
    ("anode_spike", "Spike under an anode", "Measure the anode currents; raise the anode and knock the spike off."),
    ("burn_off", "Anode burned off", "Take the stub out; set a new anode."),
    ("bad_connection", "Bad clamp of an anode", "Measure the clamp drops; clean and tighten the worst."),
    ("cold_pot", "Cold pot: cover lost", "Look at the cover; dress it. Raise the voltage for some hours if needed."),
    ("hot_pot", "Hot pot", "Check cover and set point; lower the voltage in small steps."),
    ("alf3_error", "AlF3 does not arrive", "Check AlF3 feeder and hopper; add by hand after the next result."),
    ("ledge_loss", "Ledge melts at the side wall", "Look at the shell and cool it; lower superheat."),
    ("pad_instability", "Metal pad unstable", "Raise the voltage; check anode currents, metal height and last work."),
    ("cathode_wear", "Cathode wears towards a bar", "Measure bar currents and temperatures; follow the iron."),
    ("start_up", "Pot just started", "Follow the start-up plan."),
    ("rectifier_loss", "Rectifier loses efficiency", "Check diodes, fuses and transformers; compare the meters."),
    ("line_current_loss", "Line current lost", "Ask the rectifier station; feed by the current that is left."),
    ("power_modulation", "Power modulation", "None: the line follows the grid."),
)
_SENSORS = (
    ("ac_meter_drift", "AC meter drifts", "Compare with the meter of the grid; have it calibrated."),
    ("voltage_drift", "Voltage sensor drifts", "Measure the pot voltage by hand; calibrate the sensor."),
    ("stuck_sensor", "Reading stuck", "Check instrument and cable; restart the gateway."),
    ("thermocouple_bias", "Thermocouple off", "Measure by hand; change the thermocouple."),
    ("tap_scale", "Ladle scale off", "Check the scale with a weight; correct the taps since."),
    ("clock_skew", "Clock of the gateway wrong", "Set the clock of the gateway; check its time server."),
    ("gateway_outage", "Gateway silent", "Check power and network of the gateway."),
)
CAUSES: tuple[Cause, ...] = (
    *(Cause(name, title, "process", advice) for name, title, advice in _PROCESS),
    *(Cause(name, title, "sensor", advice) for name, title, advice in _SENSORS),
)
_PLACE = {row.name: n for n, row in enumerate(CAUSES)}


def cause_of(name: str) -> Cause:
    """The row of a name; a cause that a model of one's own names gets a row without advice."""
    place = _PLACE.get(name)
    return Cause(name, name.replace("_", " "), "process", "") if place is None else CAUSES[place]


def number_of(name: str) -> int:
    """The number of a cause in the store, 0 for `normal` and for names that are not in the table."""
    return _PLACE.get(name, -1) + 1
