"""The table of alarms: what an operator is told of, how urgently, and what happens when nothing is done.

An alarm asks for an action; everything else is an event. Every fault of `twin.faults` is an alarm, and what models say
is: limit and deadband stand there, what stands here is the rationalization (ISA-18.2 clause 7). A fault without a row
in `RATIONAL` gets the one of its severity. Root alarms stand for many others: while one is there, those it covers are
suppressed and listed under it. Delays and times to respond are defaults (U) of this table and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from twin.faults import FAULTS, JUDGED

__all__ = ["ALARMS", "EVENTS", "OF_LINE", "PLANNED", "PRIORITIES", "AlarmRow", "index_of"]

Priority = Literal["low", "medium", "high"]
PRIORITIES: tuple[Priority, ...] = ("low", "medium", "high")
Class = Literal["process", "energy", "emission", "instrument", "system"]
Scope = Literal["pot", "section", "line", "site"]


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One row. Times in s; `realarm_s` 0 = never: who acknowledged is on it, and the next shift must know of it, so
    most are told again twice a shift (high) or once a shift (medium), an anode effect every half hour.

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
        off_delay_s=900, realarm_s=1800),
    "voltage_high": R("energy", "Anode-cathode distance too large, bath resistance high, or a bad contact.",
        "Each 100 mV costs about 320 kWh/t.", 60, "low", on_delay_s=300, off_delay_s=600, realarm_s=86400),
    "voltage_low": R("process", "Anode-cathode distance too small: a spike, a slipped anode, or the beam too low.",
        "Short circuit through the metal, loss of current efficiency.", 30, on_delay_s=300, off_delay_s=600,
        realarm_s=14400),
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
    # Rules on features hold, and hold clear, for longer than a delay would: most need none.
    "feeder_hang": R("process", "Point feeders or breakers hang, or the day bin is empty.",
        "Alumina falls by about 0.1 wt% each 2 min without feed: an anode effect follows.", 15, on_delay_s=60,
        realarm_s=14400),
    "feeder_plugged": R("process", "The hole of one feeder is closed: breaker worn, crust or sludge below it.",
        "The others feed for it, alumina is uneven, sludge and anode effects come.", 120, "low", realarm_s=86400),
    "feeder_overdosing": R("process", "The shots of a feeder are too heavy, or its gate does not close.",
        "Alumina that does not dissolve: sludge, a cold pot, noise.", 240, "low", realarm_s=86400),
    "sludge": R("process", "Fed more than dissolves, or little superheat.",
        "Cathode drop and noise rise, current efficiency falls, the lining is attacked.", 240, "medium",
        realarm_s=86400),
    "anode_current_high": R("process", "An anode hangs too low: it slipped, has a spike, or was set too low.",
        "Anode and stub overheat and burn off, the metal pad becomes unstable.", 30, "medium", on_delay_s=300,
        realarm_s=28800),
    "anode_current_low": R("process", "Burn-off: carbon fell off, or the clamp has no contact.",
        "Its neighbours take the current; carbon in the bath, iron of the stub in the metal.", 30, "medium",
        on_delay_s=300, realarm_s=28800),
    "alf3_low": R("process", "The AlF3 feeder does not deliver, or the dose is too small for the soda of the alumina.",
        "Liquidus rises by 4 to 5 C for each wt%: a hot bath, current efficiency falls.", 480, "low", realarm_s=172800),
    "side_wall_hot": R("process", "Ledge is gone at this place: superheat, or flow of metal and bath against it.",
        "The side lining is attacked: the pot taps out through the shell.", 10, realarm_s=14400),
    "cathode_drop_high": R("energy", "Sludge or crust on the cathode, worn blocks, or bad bar joints.",
        "Each 100 mV costs about 320 kWh/t; bars carry unequal current.", 480, "low", realarm_s=604800),
    "collector_bar_hot": R("process", "Metal comes near the bar through a worn block, or the bar carries too much.",
        "Metal reaches the bar: iron in the metal, then a tap-out at the bottom.", 60, realarm_s=14400),
    "iron_high": R("process", "A stub or burnt-off anode dissolves, a tool was left, or metal attacks a bar.",
        "The metal loses its grade; with a hot bar: tap-out ahead.", 240, "medium", realarm_s=86400),
    "off_gas_hot": R("emission", "Crust or cover is open, or a hood is not closed.",
        "Heat, fluoride and anodes are lost to air burn.", 240, "low", realarm_s=86400),
    "off_gas_cool": R("energy", "Cover is thicker than usual, or superheat is lost.",
        "Heat stays in the pot: bath and ledge move.", 480, "low", realarm_s=172800),
    "stuck": R("instrument", "Instrument, cable or input card frozen.",
        "The reading means nothing: rules and control are blind for it.", 480, "low", on_delay_s=300, off_delay_s=600,
        realarm_s=172800),
    "thermocouple_bias": R("instrument", "Thermocouple worn or not deep enough, or the hand measurement was wrong.",
        "The heat balance is run by a wrong temperature.", 480, "low", realarm_s=172800),
    "clock_skew": R("instrument", "The gateway's clock was set wrongly or has no time server.",
        "Events and energies of the pot count at wrong times.", 480, "low", on_delay_s=60, off_delay_s=300,
        realarm_s=172800),
    "rectifier_efficiency_low": R("energy", "Diodes or fuses of a rectifier have failed, or a transformer tap is off.",
        "Each 1 % costs about 130 kWh/t; what is left is overloaded.", 60, "medium", realarm_s=86400),
    "energy_meter_drift": R("instrument", "AC meter or its current transformer counts too much.",
        "Energy figures and their proofs are wrong by as much.", 480, "low", realarm_s=604800),
    "metal_scale_error": R("instrument", "The scale of a crane or ladle is off, or its tare is wrong.",
        "Metal, current efficiency and kWh/t of the line are wrong by as much.", 480, "low", realarm_s=604800),
    # without a message's own cause; the likely cause and its advice stand in the message
    "anomaly": R("process", "As the model says; see its cause.", "The trouble grows until a limit is crossed.", 60,
        "medium", on_delay_s=300, off_delay_s=600, realarm_s=86400),
    "line_anomaly": R("energy", "As the model says; see its cause.", "The trouble grows until a limit is crossed.", 60,
        "medium", on_delay_s=300, off_delay_s=600, realarm_s=86400),
    # a guess, however good, stands below the effect itself
    "anode_effect_warning": R("emission", "The pot is starved: a feeder hangs or gives too little.",
        "An anode effect within half an hour: PFC emissions, a pot that overheats.", 10, "medium", on_delay_s=60,
        off_delay_s=300, realarm_s=14400),
})
BY_SEVERITY: Mapping[str, Rational] = MappingProxyType({
    severity: R("process", "See the advice.", "The pot leaves its normal operation.", minutes, on_delay_s=delay,
                off_delay_s=2 * delay, realarm_s=again)
    for severity, minutes, delay, again in (("low", 120, 300, 86400), ("medium", 30, 60, 28800), ("high", 5, 0, 14400))
})

EVENTS = frozenset({"start_up"})  # known to everybody, and planned: an event, not an alarm
PLANNED = frozenset({"start_up", "power_modulation"})  # and the same as causes that models name
OF_LINE = MappingProxyType({"anomaly": "line_anomaly"})  # what models say of a line has an alarm of its own

# what is said of pots that nobody hears, and of pots and meters without their current
_UNSEEN = ("no_data", "stuck", "clock_skew", "anomaly", "anode_effect_warning")
_OF_CURRENT = (
    "voltage_low", "voltage_high", "noisy", "feeder_hang", "anode_current_high", "anode_current_low", "anomaly",
    "anode_effect_warning", "rectifier_efficiency_low", "energy_meter_drift", "line_anomaly",
)
ROOTS: tuple[AlarmRow, ...] = (
    AlarmRow("broker_lost", "Broker lost", "high", "system", "The MQTT broker is down or cannot be reached.",
        "Nothing of the plant is watched.", "Restart the broker or mend its network.", 5, scope="site", on_delay_s=15,
        off_delay_s=10, realarm_s=1800, covers=("line_silent", "gateway_silent", "line_anomaly", *_UNSEEN),
        linger_s=600),
    AlarmRow("line_silent", "Line silent", "high", "system", "The line's network or all of its gateways are down.",
        "No pot of the line is watched.", "Check the line's network and power of its gateways.", 5, scope="line",
        realarm_s=1800, counts="no_data", share=(0.8, 0.3), covers=("gateway_silent", "line_anomaly", *_UNSEEN),
        linger_s=600),
    AlarmRow("line_current_low", "Line current low", "high", "process",
        "A rectifier tripped, or the grid or the line was cut.",
        "Pots cool; the bath freezes within hours.", "Find out why and for how long; cover the pots.", 5, scope="line",
        on_delay_s=10, off_delay_s=60, realarm_s=1800, latching=True, share=(0.85, 0.92),
        covers=_OF_CURRENT, linger_s=7200),
    AlarmRow("gateway_silent", "Gateway silent", "medium", "instrument",
        "The gateway of a section has no power or no network.",
        "No pot of the section is watched.", "Check power and network of the section's gateway.", 15,
        scope="section", on_delay_s=20, off_delay_s=60, realarm_s=7200, counts="no_data", share=(0.6, 0.3),
        covers=_UNSEEN, linger_s=600),
    AlarmRow("gateway_clock", "Clock of the gateway wrong", "low", "instrument",
        "The gateway's clock was set wrongly or has no time server.", "Events and energies of its pots count at wrong "
        "times.", "Set the clock of the gateway; check its time server.", 240, scope="section", on_delay_s=20,
        off_delay_s=300, realarm_s=172800, counts="clock_skew", share=(0.6, 0.3), covers=("clock_skew",),
        linger_s=600),
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
        if code in OF_LINE:
            yield _row(OF_LINE[code], f"{title} of the line", severity, advice, "line")


# Roots first, the widest before those that it covers: within one second they are settled in this order.
ALARMS: tuple[AlarmRow, ...] = (*ROOTS, *_rows())
_INDEX = {row.code: index for index, row in enumerate(ALARMS)}


def index_of(code: str) -> int:
    """Place of an alarm in `ALARMS`; raises KeyError for an unknown code."""
    return _INDEX[code]
