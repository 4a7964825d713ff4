"""Parked messages as an operator meets them: which ones are meant, what is told of one and of many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

__all__ = ["Dropped", "Group", "Letter", "Selection", "State"]

State = Literal["waiting", "replayed", "any"]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which parked problems: by id, or by reason, MQTT topic filter, time [ns] and what became of them."""

    ids: tuple[int, ...] = ()
    reason: str | None = None
    topic: str | None = None
    since_ns: int = 0
    state: State = "waiting"
    up_to: int = 0  # newest id that is meant; 0 = any

    def sql(self) -> tuple[str, list[object]]:
        """Condition and its values; what is named by id is meant whatever became of it."""
        if self.ids:
            return f"id IN ({', '.join('?' * len(self.ids))})", list(self.ids)
        parts, values = ["received_ns >= ?"], list[object]([self.since_ns])
        if self.reason is not None:
            parts.append("reason = ?")
            values.append(self.reason)
        if self.topic is not None:
            parts.append("topic_fits(topic, ?)")
            values.append(self.topic)
        if self.up_to:
            parts.append("id <= ?")
            values.append(self.up_to)
        if self.state != "any":
            parts.append("replayed_ns IS NULL" if self.state == "waiting" else "replayed_ns IS NOT NULL")
        return " AND ".join(parts), values


class Group(NamedTuple):
    """The parked problems of one reason; `newest` id and its topic; `again`: parked again after a replay."""

    reason: str
    problems: int
    messages: int
    first_ns: int
    last_ns: int
    again: int
    newest: int
    topic: str
    hint: str


class Letter(NamedTuple):
    """One parked problem; `again_as`: ids under which its message was parked again after a replay."""

    id: int
    received_ns: int
    topic: str
    payload: bytes
    reason: str
    field: str
    detail: str
    hint: str
    attempted_ns: int | None
    replayed_ns: int | None
    again_of: int | None
    again_as: tuple[int, ...] = ()


class Dropped(NamedTuple):
    """One time that parked messages were dropped on purpose; `reasons` and `selection` are JSON."""

    time_ns: int
    messages: int
    problems: int
    bytes: int
    reasons: str
    selection: str
