"""Causes of trouble: one row each, with its parameters, how it comes and grows, and the faults it should raise.

A parameter is a number on one field of `Effects`, which physics and sensors read; severity is a factor on it. To add
a cause, add a row: scenarios, labels and the test of the whole table follow. All default strengths are U: of the size
that smelters report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from simulators.onset import drop_anode, put_back_anode, restart, set_new_anode

if TYPE_CHECKING:
    from simulators.potline import Potline

__all__ = ["CAUSES", "CauseKind", "Parameter"]

How = Literal["times", "plus", "mask", "value"]
Growth = Literal["step", "ramp", "slow", "fade"]
Once = Callable[["Potline", int, int, Mapping[str, float]], None]  # line, pot, anode, values


@dataclass(frozen=True, slots=True)
class Parameter:
    """A strength. `times`: field *= 1 + level value; `plus`: field += level value; `mask`: True; `value`: for begin."""

    name: str
    default: float
    unit: str
    help: str
    target: str = ""
    how: How = "value"


@dataclass(frozen=True, slots=True)
class CauseKind:
    """One row. growth: `step` at once, `ramp` within `ramp_s`, `slow` over the whole duration, `fade` from all to
    nothing over the duration. Scope `section` acts
    on all pots of the section of the given pot; `anode` parameters act on one anode of the pot."""

    name: str
    title: str
    scope: Literal["pot", "section", "line"]
    acts_on: Literal["process", "sensor"]
    growth: Growth
    ramp_s: float
    hours: float  # usual duration
    faults: tuple[str, ...]
    parameters: tuple[Parameter, ...] = ()
    begin: Once | None = None
    end: Once | None = None


def times(name: str, default: float, target: str, text: str) -> Parameter:
    return Parameter(name, default, "1", text, target, "times")


def plus(name: str, default: float, unit: str, target: str, text: str) -> Parameter:
    return Parameter(name, default, unit, text, target, "plus")


# fmt: off
_FEED = (
    CauseKind("anode_effect", "Anode effect: feeders starve the pot", "pot", "process",
        "step", 0, 0.6, ("anode_effect",), (
            times("missing", -1.0, "feed_gain", "share of the commanded alumina that does not arrive"),)),
    CauseKind("feeder_hang", "Feeders hang for a while", "pot", "process",
        "step", 0, 0.7, ("feeder_hang",), (
            times("missing", -0.75, "feed_gain", "share of the commanded alumina that does not arrive"),)),
    CauseKind("feeder_plugged", "Feeder plugged", "pot", "process",
        "step", 0, 8, ("feeder_plugged",), (
            times("missing", -0.167, "feed_gain", "share that does not arrive: one of six feeders"),)),
    CauseKind("feeder_overdosing", "Feeder gives too much", "pot", "process",
        "ramp", 1800, 24, ("feeder_overdosing",), (
            times("surplus", 0.30, "feed_gain", "share that arrives on top"),)),
    CauseKind("sludge", "Sludge builds up", "pot", "process",
        "ramp", 3600, 24, ("sludge",), (
            plus("settling", 0.30, "1", "settling", "added share of the slow alumina that sinks"),
            times("redissolving", -0.9, "redissolving", "share of the sludge's dissolution that is lost"))),
)
_ANODES = (
    CauseKind("anode_slip", "Anode slipped: too low", "pot", "process",
        "step", 0, 12, ("anode_current_high",), (
            Parameter("drop", 0.018, "m", "how far it slips down"),), drop_anode, put_back_anode),
    CauseKind("anode_spike", "Anode spike towards the metal", "pot", "process",
        "ramp", 4 * 3600, 16, ("anode_current_high", "noisy"), (
            plus("length", 0.034, "m", "spike", "length of the spike"),
            times("unrest", 2.5, "wave", "growth of the metal wave"))),
    CauseKind("burn_off", "Anode burned off its stem", "pot", "process",
        "step", 0, 6, ("anode_current_low",), (
            times("open", 1e4, "connection", "growth of its resistance"),
            times("unrest", 0.8, "wave", "growth of the metal wave")), None, set_new_anode),
    CauseKind("bad_connection", "Bad clamp between anode and beam", "pot", "process",
        "ramp", 1800, 24, ("anode_current_low",), (
            times("resistance", 5.0, "connection", "growth of its resistance"),)),
)
_HEAT = (
    CauseKind("cold_pot", "Cold pot: cover lost", "pot", "process",
        "ramp", 3600, 12, ("bath_cold", "off_gas_hot"), (
            times("loss", 0.20, "top_loss", "growth of the heat lost through the cover"),)),
    CauseKind("hot_pot", "Hot pot: superheat drifts up", "pot", "process",
        "ramp", 7200, 24, ("bath_hot", "off_gas_cool"), (
            times("loss", -0.18, "top_loss", "change of the heat lost through the cover"),)),
    CauseKind("alf3_error", "AlF3 does not arrive", "pot", "process",
        "step", 0, 72, ("alf3_low",), (
            times("missing", -1.0, "alf3_gain", "share of the commanded AlF3 that does not arrive"),)),
    CauseKind("ledge_loss", "Ledge melts at the side wall", "pot", "process",
        "ramp", 2 * 3600, 12, ("side_wall_hot",), (
            times("transfer", 0.2, "ledge_transfer", "growth of heat transfer to the ledge"),
            times("loss", -0.09, "top_loss", "change of the heat lost through the cover: it has to leave at the side"),
            times("local", 0.35, "wall_local", "growth of heat flow at the hottest shell point"))),
)
_PAD = (
    CauseKind("pad_instability", "Metal pad unstable", "pot", "process",
        "ramp", 600, 4, ("noisy",), (
            times("unrest", 7.0, "wave", "growth of the metal wave"),
            times("bubbling", 0.5, "bubbles", "growth of bubble noise"))),
    CauseKind("cathode_wear", "Cathode wears towards a bar", "pot", "process",
        "slow", 0, 96, ("cathode_drop_high", "iron_high", "collector_bar_hot"), (
            times("drop", 0.30, "r_cathode", "growth of the cathode's resistance"),
            plus("bar", 60.0, "K", "bar_temperature", "rise at the hottest collector bar"),
            plus("iron", 1500.0, "ppm", "iron", "iron added to the metal"))),
    CauseKind("start_up", "Pot just started", "pot", "process",
        "fade", 0, 480, ("start_up",), (
            plus("voltage", 0.35, "V", "voltage_set", "target above normal at the start"),
            Parameter("hotter", 22.0, "K", "bath above normal at the start"),
            Parameter("alf3_part", 0.25, "1", "AlF3 over normal at the start"),
            Parameter("ledge_part", 0.25, "1", "ledge over normal at the start")), restart),
)
_LINE = (
    CauseKind("rectifier_loss", "Rectifier loses efficiency", "line", "process",
        "step", 0, 24, ("rectifier_efficiency_low",), (
            plus("loss", 0.012, "1", "rectifier_loss", "added share of AC power lost"),)),
    CauseKind("line_current_loss", "Line current lost", "line", "process",
        "step", 0, 0.7, ("line_current_low",), (
            times("loss", -0.35, "current", "change of line current"),)),
    CauseKind("power_modulation", "Power modulation", "line", "process",
        "ramp", 900, 3, (), (
            times("depth", -0.08, "current", "change of line current"),
            plus("voltage", 0.06, "V", "voltage_set", "targets raised to keep the pots warm"))),
    CauseKind("ac_meter_drift", "AC meter drifts", "line", "sensor",
        "ramp", 6 * 3600, 48, ("energy_meter_drift",), (
            times("error", 0.02, "ac_meter", "what it counts too much"),)),
)
_SENSORS = (
    CauseKind("voltage_drift", "Voltage sensor drifts", "pot", "sensor",
        "ramp", 6 * 3600, 24, ("voltage_sensor_drift",), (
            plus("bias", 0.08, "V", "voltage_bias", "what it shows too much; the controller believes it"),)),
    CauseKind("stuck_sensor", "Reading stuck", "pot", "sensor",
        "step", 0, 6, ("stuck",), (
            Parameter("row", 6.0, "1", "number of the telemetry signal, 6 = bath temperature", "stuck", "mask"),)),
    CauseKind("thermocouple_bias", "Thermocouple biased", "pot", "sensor",
        "ramp", 1800, 24, ("thermocouple_bias",), (
            plus("bias", -15.0, "K", "thermocouple_bias", "what it shows too much"),)),
    CauseKind("tap_scale", "Ladle scale wrong", "line", "sensor",
        "step", 0, 48, ("metal_scale_error",), (
            times("error", 0.03, "tap_scale", "what it weighs too much"),)),
    CauseKind("clock_skew", "Clock of the pot's gateway wrong", "section", "sensor",
        "step", 0, 12, ("clock_skew",), (
            plus("ahead", 90.0, "s", "clock", "how far it is ahead"),)),
    CauseKind("gateway_outage", "Gateway silent", "section", "sensor",
        "step", 0, 0.25, ("no_data",), (
            Parameter("row", 1.0, "1", "nothing of its pots arrives", "offline", "mask"),)),
)
# fmt: on

CAUSES: Mapping[str, CauseKind] = MappingProxyType(
    {kind.name: kind for kind in (*_FEED, *_ANODES, *_HEAT, *_PAD, *_LINE, *_SENSORS)}
)
