"""Suppression by design: the declared states of a pot in which some of its alarms say nothing (ISA-18.2 clause 12).

Each row documents what begins the condition, for how long it holds, and which alarms it silences. Crews report
tapping when the ladle is weighed and a beam raise when it begins and ends; a start-up is declared by a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from twin.alarms.rows import ALARMS, AlarmRow

__all__ = ["CONDITIONS", "DECLARED", "Condition", "condition_index"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One row. `signal`: event of the pot that begins it ("" = none), with value 0 ends it where `ends`; `alarm`: the
    alarm whose being there is the condition; `holds_s`: longest time, `linger_s`: how long it goes on after its end.
    `limit_of`: a value beyond the limit of this fault ends it. `declared`: begun and ended by command.
    """

    name: str
    title: str
    silences: tuple[str, ...]
    holds_s: float
    linger_s: float = 0.0
    signal: str = ""
    ends: bool = False
    alarm: str = ""
    limit_of: str = ""
    declared: bool = False
    why: str = ""


WHILE = 36500 * 86400.0  # as long as its alarm is there


def _tells(row: AlarmRow) -> bool:
    """Whether an alarm of a pot or line stands for what models say beside it: not a less urgent one of a pot."""
    urgent = row.priority != "low" or row.scope == "line"
    own = row.code == "anode_effect" or row.code.endswith("anomaly")
    return urgent and row.scope in ("pot", "line") and not row.is_root and not own


_VOLTAGE = ("voltage_high", "voltage_low", "noisy")  # what any work at the anodes moves
_CURRENTS = ("anode_current_high", "anode_current_low")
# What a rule tells of the same trouble makes nobody act twice: the rule's alarm is there, the other is silent.
_SAME: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "feeder_hang": ("feeder_plugged", "anode_effect_warning"), "sludge": ("feeder_plugged", "cathode_drop_high"),
    "anode_current_high": ("noisy",), "anode_current_low": ("noisy",),
    "energy_meter_drift": ("rectifier_efficiency_low",),
})  # fmt: skip

# fmt: off
DESIGNED: tuple[Condition, ...] = (
    Condition("tapping", "Tapping", (*_VOLTAGE, "anode_current_high", "feeder_hang", "anomaly"), 1800,
        signal="tapped_metal_kg",
        why="The anodes follow the metal down; voltage, its slope and noise move until the controller is back."),
    Condition("anode_change", "Anode change", (*_VOLTAGE, *_CURRENTS, "bath_cold", "off_gas_hot", "anomaly"), 7200,
        signal="anode_changed", why="A cold anode carries no current for hours and takes heat, its neighbours carry "
        "more; hood and crust are open."),
    Condition("beam_raise", "Beam raise", (*_VOLTAGE, *_CURRENTS, "feeder_hang", "anomaly"), 3600, 600,
        signal="beam_raised", ends=True, why="Anodes hang in the auxiliary frame; contacts are remade."),
    Condition("start_up", "Start-up", (*_VOLTAGE, "bath_hot", "bath_cold", "alf3_low", "sludge", "cathode_drop_high",
        "collector_bar_hot", "iron_high", "off_gas_hot", "off_gas_cool", "anomaly"), 60 * 86400, declared=True,
        why="A young pot runs hot, at high voltage, without ledge and far from what is usual, on purpose; its side "
        "wall speaks."),
    Condition("quenched", "Anode effect quenched", ("anode_effect",), 1800, signal="anode_effect_kill",
        limit_of="anode_effect", why="The controller killed it before anybody could; a re-strike is in sight at once."),
    Condition("anode_effect", "Anode effect in progress", ("voltage_high", "noisy", *_CURRENTS, "feeder_hang",
        "feeder_plugged", "anomaly", "anode_effect_warning"), WHILE, 900, alarm="anode_effect",
        why="One alarm for the effect, which stands for half an hour after its last strike; its traces in voltage, "
        "noise and currents fade. A feeder that still hangs speaks after it."),
    Condition("anode_effect_heat", "Heat of an anode effect", ("bath_hot", "off_gas_hot"), WHILE, 13500,
        alarm="anode_effect", why="Some 30 V times the line current have gone into the bath; it cools for hours."),
    Condition("cooled", "Pots cooled by lost line current", ("bath_cold", "bath_hot", "off_gas_hot", "off_gas_cool",
        "feeder_plugged", "feeder_overdosing", "sludge"), WHILE, 43200, alarm="line_current_low",
        why="Every pot of the line is cold, then hot while it is brought back; feed follows the current."),
    Condition("silent", "Pot without data", ("stuck", "clock_skew", "anomaly", "anode_effect_warning"), WHILE, 600,
        alarm="no_data", why="Of a pot that is not heard nothing can be said."),
    *(Condition(f"told_by_{row.code}", f"Told already: {row.title}", (*_SAME.get(row.code, ()),
        "line_anomaly" if row.scope == "line" else "anomaly"), WHILE, 3600, alarm=row.code,
        why="One alarm for one trouble at a unit; the models' cause is on the page.")
      for row in ALARMS if _tells(row)),
)
# fmt: on
# Roots are conditions too: of every unit below theirs.
CONDITIONS: tuple[Condition, ...] = (
    *(Condition(r.code, r.title, r.covers, WHILE, r.linger_s, alarm=r.code) for r in ALARMS if r.is_root),
    *DESIGNED,
)
DECLARED = tuple(condition.name for condition in CONDITIONS if condition.declared)
_INDEX = {condition.name: index for index, condition in enumerate(CONDITIONS)}


def condition_index(name: str) -> int:
    """Place of a condition in `CONDITIONS`; raises KeyError for an unknown name."""
    return _INDEX[name]
