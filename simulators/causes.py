"""Causes of trouble: one row each, with its parameters, how it comes and grows, and the fault codes it should raise.

A cause acts through `Effects` (factors and offsets that physics and sensors read) or, once, on the state when it
begins or ends. To add one: write what it does, add a row to `CAUSES`; scenarios and the tests follow. Severity is a
factor on the strength: 1 is the row's default. All default strengths are U: of the size a smelter reports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from simulators.acts import (
    Act,
    alf3_error,
    anode_slip,
    anode_slip_begin,
    anode_slip_end,
    bad_connection,
    burn_off,
    burn_off_end,
    cathode_wear,
    clock_skew,
    cold_pot,
    feeder_overdosing,
    feeder_plugged,
    gateway_outage,
    hot_pot,
    ledge_loss,
    line_current_loss,
    meter_drift,
    pad_instability,
    power_modulation,
    rectifier_loss,
    sludge,
    spike,
    starved,
    start_up,
    start_up_begin,
    stuck_sensor,
    tap_scale,
    thermocouple_bias,
    voltage_drift,
    wrong_dose,
)
