"""Transitions and notices for the tests of what goes out."""

from __future__ import annotations

from tests.core.plants import NOW_NS, NS
from twin.alarms.moved import Transition
from twin.alarms.notices import kind_of, notice
from twin.outgoing import Outgoing


def transition(
    n: int = 0, code: str = "anode_effect", unit: str = "s/L/001", *, before: str = "normal",
    after: str = "unacknowledged", event: str = "activated", who: str = "", why: str = "",
) -> Transition:  # fmt: skip
    """A transition `n` seconds after NOW_NS."""
    priority = "high" if code in ("anode_effect", "line_current_low") else "low"
    return Transition(
        NOW_NS + n * NS, unit, code, before, after, event, who, why, priority, NOW_NS - 60 * NS, 31.5, 8.0,
        "voltage_v 31.5 > 8 since 2025-11-24T05:59:00Z",
    )  # fmt: skip


def outgoing(channel: str, n: int = 0, code: str = "anode_effect", unit: str = "s/L/001", language: str = "en",
             after: str = "unacknowledged") -> Outgoing:  # fmt: skip
    """What a channel is given of it."""
    one = transition(n, code, unit, after=after)
    return Outgoing(channel, f"{n}-{kind_of(one)}", notice(one, kind_of(one), language, "http://twin.example/"))
