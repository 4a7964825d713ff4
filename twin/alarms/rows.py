"""The table of alarms: what an operator is told of, how urgently, and what happens when nothing is done.

An alarm asks for an action; everything else is an event. Every fault of `twin.faults` is an alarm: its limit and
deadband stand there, what stands here is the rationalization (ISA-18.2 clause 7). A fault without a row in `RATIONAL`
gets the one of its severity. Root alarms stand for many others: while one is there, those it covers are suppressed and
listed under it. Delays and times to respond are defaults (U) of this table and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from twin.faults import FAULTS, JUDGED

__all__ = ["ALARMS", "PRIORITIES", "AlarmRow", "index_of"]

Priority = Literal["low", "medium", "high"]
PRIORITIES: tuple[Priority, ...] = ("low", "medium", "high")
Class = Literal["process", "energy", "emission", "instrument", "system"]
Scope = Literal["pot", "section", "line", "site"]


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One row. Times in s; `realarm_s` 0 = never.

    scope: kind of unit that has it; latching: stays until it is reset, also when its condition is over
    share: of the units below whose `counts` alarm begins and ends a root alarm (begin, end); counts "" = told otherwise
    covers: codes that it stands for at every unit below, while it is there and `linger_s` longer
    """

    code: str
    title: str
    priority: Priority
    klass: Class
    cause: str
    consequence: str
    advice: str
    respond_min: int
    scope: Scope = "pot"
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    realarm_s: float = 0.0
    latching: bool = False
    counts: str = ""
    share: tuple[float, float] = (0.0, 0.0)
    covers: tuple[str, ...] = ()
    linger_s: float = 0.0

    @property
    def is_root(self) -> bool:
        return bool(self.covers)


@dataclass(frozen=True, slots=True)
class Rational:
    """What rationalization adds to a fault; priority None = the fault's severity."""

    klass: Class
    cause: str
    consequence: str
    respond_min: int
    priority: Priority | None = None
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    realarm_s: float = 0.0
    latching: bool = False


R = Rational
# fmt: off
RATIONAL: Mapping[str, Rational] = MappingProxyType({
    "anode_effect": R("emission", "Too little alumina dissolved: a feeder hangs, or the bath is cold.",
        "PFC emissions (CF4, C2F6), some 30 V of extra voltage, a pot that overheats.", 3, on_delay_s=150,
        realarm_s=1800),
    "voltage_high": R("energy", "Anode-cathode distance too large, bath resistance high, or a bad contact.",
        "Each 100 mV costs about 320 kWh/t.", 60, "low", on_delay_s=300, off_delay_s=600, realarm_s=86400),
    "voltage_low": R("process", "Anode-cathode distance too small: a spike, a slipped anode, or the beam too low.",
        "Short circuit through the metal, loss of current efficiency.", 30, on_delay_s=300, off_delay_s=600,
        realarm_s=7200),
    "bath_hot": R("process", "Too much superheat: voltage target, cover or AlF3 do not fit.",
        "Ledge melts, side wall and iron at risk, current efficiency falls.", 120, "low", on_delay_s=900,
        off_delay_s=1800, realarm_s=86400),
    "bath_cold": R("process", "Heat is lost: cover missing, a new anode, low voltage, or less line current.",
        "Alumina does not dissolve: sludge, then anode effects.", 120, "low", on_delay_s=900, off_delay_s=1800,
        realarm_s=86400),
    "noisy": R("process", "Metal pad unstable: anode too low, spike, sludge, or a ledge that is not even.",
        "Loss of current efficiency; the controller opens the distance and spends energy.", 60, "low", on_delay_s=600,
        off_delay_s=1200, realarm_s=86400),
    "no_data": R("instrument", "Sensor, cable or pot controller silent.",
        "The pot is not watched: anode effects and leaks are not seen.", 60, "low", on_delay_s=60, off_delay_s=300,
        realarm_s=86400),
})
BY_SEVERITY: Mapping[str, Rational] = MappingProxyType({
    severity: R("process", "See the advice.", "The pot leaves its normal operation.", minutes, on_delay_s=delay,
                off_delay_s=2 * delay, realarm_s=again)
    for severity, minutes, delay, again in (("low", 120, 300, 86400), ("medium", 30, 60, 14400), ("high", 5, 0, 1800))
})

EVENTS = frozenset({"start_up"})  # known to everybody, and planned: an event, not an alarm

ROOTS: tuple[AlarmRow, ...] = (
    AlarmRow("broker_lost", "Broker lost", "high", "system", "The MQTT broker is down or cannot be reached.",
        "Nothing of the plant is watched.", "Restart the broker or mend its network.", 5, scope="site", on_delay_s=15,
        off_delay_s=10, realarm_s=1800, covers=("line_silent", "gateway_silent", "no_data"), linger_s=600),
    AlarmRow("line_silent", "Line silent", "high", "system", "The line's network or all of its gateways are down.",
        "No pot of the line is watched.", "Check the line's network and power of its gateways.", 5, scope="line",
        realarm_s=1800, counts="no_data", share=(0.8, 0.3), covers=("gateway_silent", "no_data"), linger_s=600),
    AlarmRow("line_current_low", "Line current low", "high", "process",
        "A rectifier tripped, or the grid or the line was cut.",
        "Pots cool; the bath freezes within hours.", "Find out why and for how long; cover the pots.", 5, scope="line",
        on_delay_s=10, off_delay_s=60, realarm_s=1800, latching=True, share=(0.85, 0.92),
        covers=("voltage_low", "voltage_high", "noisy"), linger_s=7200),
    AlarmRow("gateway_silent", "Gateway silent", "medium", "instrument",
        "The gateway of a section has no power or no network.",
        "No pot of the section is watched.", "Check power and network of the section's gateway.", 15,
        scope="section", on_delay_s=20, off_delay_s=60, realarm_s=7200, counts="no_data", share=(0.6, 0.3),
        covers=("no_data",), linger_s=600),
)
# fmt: on


def _row(code: str, title: str, severity: str, advice: str, scope: Scope) -> AlarmRow:
    why, (own,) = RATIONAL.get(code) or BY_SEVERITY[severity], [one for one in PRIORITIES if one == severity]
    return AlarmRow(
        code, title, why.priority or own, why.klass, why.cause, why.consequence, advice,
        why.respond_min, scope, why.on_delay_s, why.off_delay_s, why.realarm_s, why.latching,
    )  # fmt: skip


def _rows() -> Iterator[AlarmRow]:
    """What rules find and what models say, without what a root stands for by itself, and what asks for no action."""
    roots = {row.code for row in ROOTS}
    for fault in FAULTS:
        if fault.code not in roots | EVENTS:
            scope: Scope = "line" if fault.of == "line" else "pot"
            yield _row(fault.code, fault.title, fault.severity, fault.advice, scope)
    for code, (title, severity, advice) in JUDGED.items():
        yield _row(code, title, severity, advice, "pot")


# Roots first, the widest before those that it covers: within one second they are settled in this order.
ALARMS: tuple[AlarmRow, ...] = (*ROOTS, *_rows())
_INDEX = {row.code: index for index, row in enumerate(ALARMS)}


def index_of(code: str) -> int:
    """Place of an alarm in `ALARMS`; raises KeyError for an unknown code."""
    return _INDEX[code]
