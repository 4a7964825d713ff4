"""Suppression by design: the declared states of a pot in which some of its alarms say nothing (ISA-18.2 clause 12).

Each row documents what begins the condition, for how long it holds, and which alarms it silences. Crews report
tapping when the ladle is weighed and a beam raise when it begins and ends; a start-up is declared by a person.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.alarms.rows import ALARMS

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

# fmt: off
DESIGNED: tuple[Condition, ...] = (
    Condition("tapping", "Tapping", ("voltage_high", "voltage_low", "noisy"), 1800, signal="tapped_metal_kg",
        why="The anodes follow the metal down; voltage and noise move until the controller is back."),
    Condition("anode_change", "Anode change", ("voltage_high", "voltage_low", "noisy", "bath_cold"), 7200,
        signal="anode_changed",
        why="A cold anode carries no current for hours and takes heat; its neighbours carry more."),
    Condition("beam_raise", "Beam raise", ("voltage_high", "voltage_low", "noisy"), 3600, 600, signal="beam_raised",
        ends=True, why="Anodes hang in the auxiliary frame; contacts are remade."),
    Condition("start_up", "Start-up", ("voltage_high", "voltage_low", "noisy", "bath_hot", "bath_cold"), 60 * 86400,
        declared=True, why="A young pot runs hot, at high voltage and without ledge, on purpose."),
    Condition("quenched", "Anode effect quenched", ("anode_effect",), 1800, signal="anode_effect_kill",
        limit_of="anode_effect", why="The controller killed it before anybody could; a re-strike speaks at once."),
    Condition("anode_effect", "Anode effect in progress", ("voltage_high", "noisy"), WHILE, 1800,
        alarm="anode_effect", why="One alarm for the effect; its traces in voltage and noise fade."),
    Condition("anode_effect_heat", "Heat of an anode effect", ("bath_hot",), WHILE, 14400, alarm="anode_effect",
        why="Some 30 V times the line current have gone into the bath; it cools for hours."),
    Condition("cooled", "Pots cooled by lost line current", ("bath_cold", "bath_hot"), WHILE, 43200,
        alarm="line_current_low", why="Every pot of the line is cold, then hot while it is brought back."),
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
