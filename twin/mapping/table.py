"""All rows of a mapping file, as the codec takes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from twin.decoded import Gathering
from twin.errors import ConfigError, PayloadError
from twin.mapping.decode import LONGEST, MappedRow
from twin.mapping.file import parse
from twin.mapping.pattern import Pattern
from twin.ports import Message
from twin.salvage import check_depth
from twin.sparkplug.session import NAMESPACE, told
from twin.topics import Router

__all__ = ["Mapping", "mapping"]

_KNOWN = 65_536  # topics remembered
_NOBODY = (-1,)  # rows of a Sparkplug message that no row is about: an edge node has more than we map


class Mapping:
    """The rows of a file, on one plant. `filters`: the subscriptions that they need (not those of Sparkplug rows: the
    host takes these, and hands on below `root`; `sparkplug` says whether there are any); `fresh`: those among them
    whose retained messages are not wanted, because their time would be that of each new start (F16).
    """

    def __init__(self, rows: Sequence[MappedRow], root: str, max_payload: int) -> None:
        self.rows = rows
        self._max_payload = max_payload
        self._host_tells = told(root, f"{NAMESPACE}/")
        self._known: dict[str, tuple[int, ...]] = {}
        self._json = frozenset(place for place, row in enumerate(rows) if row.row.format == "json")
        self.sparkplug = any(row.row.format == "sparkplug" for row in rows)
        self.filters = tuple(dict.fromkeys(r.pattern.filter for r in rows if r.row.format != "sparkplug"))
        self.fresh = frozenset(row.pattern.filter for row in rows if row.arrival)
        self.taken: Counter[str] = Counter({row.row.format: 0 for row in rows})
        self.parked: Counter[str] = Counter(self.taken)

    def of(self, topic: str) -> tuple[int, ...]:
        """Places of the rows that a topic matches."""
        found = self._known.get(topic)
        if found is None:
            found = tuple(place for place, row in enumerate(self.rows) if row.pattern.match(topic) is not None)
            if not found and self.sparkplug and topic.startswith(self._host_tells):
                found = _NOBODY
            if len(self._known) < _KNOWN and len(topic) <= LONGEST:
                self._known[topic] = found
        return found

    def decode(
        self, places: Sequence[int], messages: Sequence[Message], now_ns: int, latest_ns: int, found: Gathering
    ) -> None:
        """Messages that `of` has rows for; never raises on what they hold."""
        groups = dict[int, list[int]]()
        for index in places:
            rows = self.of(messages[index].topic)
            if rows is _NOBODY:
                found.unknown["Sparkplug messages that no row maps"] += 1
                continue
            first = self.rows[rows[0]]
            self.taken[first.row.format] += 1
            try:
                self._check(messages[index], rows)
            except PayloadError as error:
                first.park(index, messages[index], error, found)
                self.parked[first.row.format] += 1
                continue
            for place in rows:
                groups.setdefault(place, []).append(index)
        for place, indices in groups.items():
            before = len(found.parked)
            self.rows[place].decode(indices, messages, now_ns, latest_ns, found)
            self.parked[self.rows[place].row.format] += len(found.parked) - before

    def _check(self, message: Message, rows: tuple[int, ...]) -> None:
        """The limits of every message, before anything is decoded. Raises PayloadError."""
        if len(message.payload) > self._max_payload:
            raise PayloadError("oversize", f"{len(message.payload)} bytes, at most {self._max_payload}")
        if not self._json.isdisjoint(rows):
            check_depth(message.payload)


def mapping(text: str, where: str, router: Router, *, max_payload: int = 262_144) -> Mapping:
    """Read a mapping file for a plant. Raises ConfigError."""
    rows = []
    for number, row in enumerate(parse(text, where), 1):
        if row.format != "sparkplug" and _reaches(row.topic, router.root):
            raise ConfigError(
                f"{where}: row {number} ({row.title}): topics below {router.root!r} are those of the data contract; "
                "give mqtt.root another name"
            )
        try:
            rows.append(MappedRow(row, router))
        except ValueError as error:
            raise ConfigError(f"{where}: row {number} ({row.title}): {error}") from error
    return Mapping(rows, router.root, max_payload)


def _reaches(topic: str, root: str) -> bool:
    """Whether a pattern may match topics below `root`."""
    levels, above = topic.split("/"), root.split("/")
    for level, wanted in zip(levels, above, strict=False):
        if level == "#":
            return True
        if level != "+" and Pattern(level).match(wanted) is None:
            return False
    return len(levels) > len(above)
