"""The journal's chain: each row carries the hash of the row before, so that a change anywhere shows at the next row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from twin.alarms.moved import Transition

__all__ = ["START", "Entry", "Selection", "broken", "link"]

START = "0" * 64  # hash before the first row


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A row of the journal: its number from 1, the transition, and the hash that ends the chain with it."""

    number: int
    transition: Transition
    hash: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows: time [ns] from (inclusive) to (exclusive), unit (with all below), code, state after it, number.

    `newest`: the last `limit` rows, else the first; both come in order of time.
    """

    since_ns: int = 0
    until_ns: int = 0  # 0 = no end
    unit: str = ""
    code: str = ""
    state: str = ""
    after: int = 0  # number of the last row that is known
    limit: int = 1000
    newest: bool = True

    def fits(self, entry: Entry) -> bool:
        """Whether a row is meant, the limit left aside."""
        t = entry.transition
        return (
            t.time_ns >= self.since_ns
            and (not self.until_ns or t.time_ns < self.until_ns)
            and (not self.unit or t.unit == self.unit or t.unit.startswith(self.unit + "/"))
            and self.code in ("", t.code)
            and self.state in ("", t.after)
            and entry.number > self.after
        )

    def sql(self) -> tuple[str, list[object]]:
        """The same as a condition and its values."""
        parts, values = ["number > ?", "time_ns >= ?"], list[object]([self.after, self.since_ns])
        for text, value in (("time_ns < ?", self.until_ns), ("code = ?", self.code), ("after = ?", self.state)):
            if value:
                parts.append(text)
                values.append(value)
        if self.unit:
            parts.append("(unit = ? OR substr(unit, 1, ?) = ?)")
            values += [self.unit, len(self.unit) + 1, self.unit + "/"]
        return " AND ".join(parts), values


def link(before: str, number: int, transition: Transition) -> str:
    """The hash of a row."""
    content = msgspec.json.encode([before, number, *msgspec.structs.astuple(transition)])
    return hashlib.sha256(content).hexdigest()


def broken(entries: Iterable[Entry], last: int, head: str) -> str:
    """What is wrong with a whole journal, "" when nothing is. `last`, `head`: number and hash noted of its last row."""
    before, number = START, 0
    for entry in entries:
        number += 1
        if entry.number != number:
            return f"row {number} is missing: the next one is {entry.number}"
        before = link(before, number, entry.transition)
        if entry.hash != before:
            return f"row {number} was changed, or a row before it"
    if (number, before) != (last, head):
        return f"the journal ends with row {number}, but {last} were written"
    return ""
