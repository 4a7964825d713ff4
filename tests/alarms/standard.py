"""The transitions of ISA-18.2-2016 figure 3 / IEC 62682:2022 figure 4 as data: (state, stimulus) -> state."""

from __future__ import annotations

from collections.abc import Mapping

NORMAL, UNACK, ACKED, RTNUN = "normal", "unacknowledged", "acknowledged", "returned_unacknowledged"
LATUN, LATAK = "latched_unacknowledged", "latched_acknowledged"
SHELVED, SUPPRESSED, OUT = "shelved", "suppressed", "out_of_service"

COMMON: Mapping[tuple[str, str], str] = {
    (NORMAL, "occurs"): UNACK,
    (UNACK, "ack"): ACKED,
    (ACKED, "realarm"): UNACK,
}
PLAIN: Mapping[tuple[str, str], str] = {
    **COMMON,
    (UNACK, "returns"): RTNUN,
    (ACKED, "returns"): NORMAL,
    (RTNUN, "ack"): NORMAL,
    (RTNUN, "occurs"): UNACK,
}
LATCHING: Mapping[tuple[str, str], str] = {
    **COMMON,
    (UNACK, "returns"): LATUN,
    (ACKED, "returns"): LATAK,
    (LATUN, "ack"): LATAK,
    (LATUN, "occurs"): UNACK,
    (LATAK, "reset"): NORMAL,
    (LATAK, "occurs"): UNACK,
}
# From anywhere, and back: to normal, or to unacknowledged where the condition of the alarm is there.
AWAY: Mapping[str, tuple[str, str]] = {
    "shelve": (SHELVED, "unshelve"),
    "suppress": (SUPPRESSED, "unsuppress"),
    "remove": (OUT, "restore"),
}
# How to come to a state from normal.
WAY: Mapping[str, tuple[str, ...]] = {
    NORMAL: (),
    UNACK: ("occurs",),
    ACKED: ("occurs", "ack"),
    RTNUN: ("occurs", "returns"),
    LATUN: ("occurs", "returns"),
    LATAK: ("occurs", "ack", "returns"),
}
STIMULI = ("occurs", "returns", "ack", "reset", "realarm")
