"""All rows of a mapping file, as the codec takes them."""

from __future__ import annotations

from collections.abc import Sequence

from twin.decoded import Decoded
from twin.errors import ConfigError, PayloadError
from twin.mapping.decode import Found, MappedRow
from twin.mapping.file import parse
from twin.ports import Message
from twin.sparkplug.session import NAMESPACE
from twin.topics import Router

__all__ = ["Mapping", "mapping"]

_KNOWN = 65_536  # topics remembered
_NOBODY = (-1,)  # rows of a Sparkplug message that no row is about: an edge node has more than we map
_SPARKPLUG = f"{NAMESPACE}/"


class Mapping:
    """The rows of a file, on one plant. `filters`: the subscriptions that they need (those of Sparkplug rows are the
    host's, `sparkplug` says whether there are any); `fresh`: those among them whose
    retained messages are not wanted, because their time would be that of each new start (F16).
    """

    def __init__(self, rows: Sequence[MappedRow], max_payload: int) -> None:
        self.rows = rows
        self._max_payload = max_payload
        self._known: dict[str, tuple[int, ...]] = {}
        arrival = {row.pattern.filter for row in rows if row.arrival}
        self.sparkplug = any(row.row.format == "sparkplug" for row in rows)
        self.filters = tuple(dict.fromkeys(r.pattern.filter for r in rows if r.row.format != "sparkplug"))
        self.fresh = frozenset(arrival)

    def of(self, topic: str) -> tuple[int, ...]:
        """Places of the rows that a topic matches."""
        found = self._known.get(topic)
        if found is None:
            found = tuple(place for place, row in enumerate(self.rows) if row.pattern.match(topic) is not None)
            if not found and self.sparkplug and topic.startswith(_SPARKPLUG):
                found = _NOBODY
            if len(self._known) < _KNOWN:
                self._known[topic] = found
        return found

    def decode(self, messages: Sequence[Message], now_ns: int, latest_ns: int) -> Decoded:
        """Messages that `of` has rows for; never raises on what they hold."""
        found, groups = Found(), dict[int, list[int]]()
        for index, message in enumerate(messages):
            rows = self.of(message.topic)
            if rows is _NOBODY:
                found.unknown["Sparkplug messages that no row maps"] += 1
                continue
            if len(message.payload) > self._max_payload:
                error = PayloadError("oversize", f"{len(message.payload)} bytes, at most {self._max_payload}")
                found.problem(index, message, self.rows[rows[0]].row, error)
                continue
            for row in rows:
                groups.setdefault(row, []).append(index)
        for place, indices in groups.items():
            self.rows[place].decode(indices, messages, now_ns, latest_ns, found)
        return found.decoded()


def mapping(text: str, where: str, router: Router, *, max_payload: int = 262_144) -> Mapping:
    """Read a mapping file for a plant. Raises ConfigError."""
    rows = []
    for number, row in enumerate(parse(text, where), 1):
        if row.topic.split("/")[0] == router.root:
            raise ConfigError(
                f"{where}: row {number} ({row.title}): topics below {router.root!r} are those of the data contract; "
                "give mqtt.root another name"
            )
        try:
            rows.append(MappedRow(row, router))
        except ValueError as error:
            raise ConfigError(f"{where}: row {number} ({row.title}): {error}") from error
    return Mapping(rows, max_payload)
