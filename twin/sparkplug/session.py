"""What a host knows of its edge nodes: births, aliases, sequence, deaths. Pure: messages and the time go in, what is
to be read and which nodes are to be born again comes out.

Every message of a node goes out again, so that the counts of the ingest hold: with the names of its aliases filled in,
or as it is where they are not known, and then it is parked. Deaths go out as messages, one of each device, that say of
every metric that it has no value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from twin.errors import PayloadError
from twin.ports import Message
from twin.sparkplug.payload import Payload, metrics, parse, resolved, seq_of, stale

__all__ = ["NAMESPACE", "Host", "Outcome", "told"]

NAMESPACE = "spBv1.0"
_SEQ = 256
_MOST_NODES = 10_000
_MOST_PARTS = 50_000  # nodes and devices together
_MOST_METRICS = 100_000  # of one node or device
_WILDEST_MS = 86_400_000  # a clock further ahead than this says nothing
_KINDS = frozenset(("NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH"))


def told(root: str, topic: str) -> str:
    """The topic under which what a host has made of a message goes on: below that of our own messages.

    It needs no session to be read, so it may be kept, parked and published again; in the namespace of Sparkplug that
    would take the place of what the node itself says.
    """
    return f"{root}/{topic}"


@dataclass
class Outcome:
    """`messages` for the ingest, in order; `rebirths`: (group, node) to send the command to."""

    messages: list[Message] = field(default_factory=list)
    rebirths: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class _Part:
    """A node itself (`name` "") or one of its devices."""

    name: str
    online: bool = False
    aliases: dict[int, tuple[str, int]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


@dataclass
class _Node:
    group: str
    name: str
    online: bool = False
    birth_seq: int | None = None  # bdSeq
    next_seq: int = 0
    parts: dict[str, _Part] = field(default_factory=dict)
    held: dict[int, tuple[Message, Payload, str, str]] = field(default_factory=dict)  # by seq, came too early
    give_up_ms: int | None = None  # when what is missing is not waited for any longer
    unborn: set[str] = field(default_factory=set)  # devices of before the node's new birth
    unborn_ms: int | None = None
    asked_ms: int | None = None
    skew_ms: int | None = None  # the node's clock less ours
    newest_ms: int = 0

    def clock_ms(self, now_ms: int) -> int:
        """Now by the node's own clock, and after all that it has said."""
        return max(now_ms + (self.skew_ms or 0), self.newest_ms + 1)


class Host:
    """All nodes. `reorder_ms`: how long a message that is missing is waited for; `debounce_ms`: between two commands
    to one node; a message larger than `max_payload` is handed on unread.

    Counts: `gaps`, `old_deaths`, `asked` (commands to be born again), `died` (nodes and devices).
    """

    def __init__(self, *, reorder_ms: int = 2000, debounce_ms: int = 10_000, max_payload: int = 262_144) -> None:
        self._reorder_ms, self._debounce_ms, self._max_payload = reorder_ms, debounce_ms, max_payload
        self._parts = 0
        self._nodes: dict[tuple[str, str], _Node] = {}
        self.gaps = self.old_deaths = self.asked = self.died = 0

    def deadline_ms(self) -> int | None:
        """When `tick` has something to do."""
        due = [t for node in self._nodes.values() for t in (node.give_up_ms, node.unborn_ms) if t is not None]
        return min(due, default=None)

    def online(self, group: str, node: str, device: str = "") -> bool:
        """Whether a node or device is born and not dead."""
        found = self._nodes.get((group, node))
        part = found.parts.get(device) if found else None
        return bool(found and found.online and part and part.online)

    def born(self) -> int:
        """How many nodes and devices are online."""
        return sum(part.online for node in self._nodes.values() if node.online for part in node.parts.values())

    def take(self, message: Message, now_ms: int) -> Outcome:
        """One message as it came."""
        out, levels = Outcome(), message.topic.split("/")
        if levels[0] != NAMESPACE or len(levels) not in (4, 5) or levels[2] not in _KINDS:
            return out  # commands and states of others
        device = levels[4] if len(levels) == 5 else ""
        if (levels[2][0] == "D") != (len(levels) == 5) or len(message.payload) > self._max_payload:
            out.messages.append(message)
            return out
        node = self._nodes.get((levels[1], levels[3]))
        if node is None:
            node = _Node(levels[1], levels[3])
            if len(self._nodes) < _MOST_NODES:
                self._nodes[levels[1], levels[3]] = node
        try:
            self._sort(node, levels[2], device, message, parse(message.payload), now_ms, out)
        except PayloadError:
            out.messages.append(message)  # the decoder says what is wrong with it
        return out

    def tick(self, now_ms: int) -> Outcome:
        """Give up what has been waited for long enough."""
        out = Outcome()
        for node in self._nodes.values():
            if node.give_up_ms is not None and now_ms >= node.give_up_ms:
                self.gaps += 1
                node.next_seq = min(node.held, key=lambda seq: (seq - node.next_seq) % _SEQ, default=node.next_seq)
                node.give_up_ms = None
                self._ask(node, now_ms, out)
                self._release(node, now_ms, out)
            if node.unborn_ms is not None and now_ms >= node.unborn_ms:
                for device in sorted(node.unborn):
                    self._die(node, node.parts[device], now_ms, out)
                node.unborn, node.unborn_ms = set(), None
        return out

    def lost(self, now_ms: int) -> Outcome:
        """Our own connection is gone: nothing is known to hold any more."""
        out = Outcome()
        for node in self._nodes.values():
            self._flush(node, now_ms, out)
            self._node_dies(node, now_ms, out)
        return out

    def _sort(
        self, node: _Node, kind: str, device: str, message: Message, payload: Payload, now_ms: int, out: Outcome
    ) -> None:
        if kind == "NBIRTH":
            self._node_birth(node, message, payload, now_ms, out)
        elif kind == "NDEATH":
            self._node_death(node, message, payload, now_ms, out)
        elif not node.online:
            out.messages.append(message)
            self._ask(node, now_ms, out)
        else:
            self._in_order(node, kind, device, message, payload, now_ms, out)

    def _in_order(
        self, node: _Node, kind: str, device: str, message: Message, payload: Payload, now_ms: int, out: Outcome
    ) -> None:
        seq = seq_of(payload)
        if seq is None or seq >= _SEQ:
            self._ask(node, now_ms, out)
            self._apply(node, kind, device, message, payload, now_ms, out)
            return
        ahead = (seq - node.next_seq) % _SEQ
        if ahead == 0:
            node.next_seq = (seq + 1) % _SEQ
            self._apply(node, kind, device, message, payload, now_ms, out)
            self._release(node, now_ms, out)
        elif ahead < _SEQ // 2 and seq not in node.held:
            node.held[seq] = (message, payload, kind, device)
            if node.give_up_ms is None:
                node.give_up_ms = now_ms + self._reorder_ms
        elif kind.endswith("DATA"):  # late, or there twice: its values have their own times
            self._apply(node, kind, device, message, payload, now_ms, out)
        else:
            out.messages.append(Message(message.topic, stale((), node.clock_ms(now_ms))))

    def _release(self, node: _Node, now_ms: int, out: Outcome) -> None:
        """What waited for its turn."""
        while node.next_seq in node.held:
            message, payload, kind, device = node.held.pop(node.next_seq)
            node.next_seq = (node.next_seq + 1) % _SEQ
            self._apply(node, kind, device, message, payload, now_ms, out)
        node.give_up_ms = (node.give_up_ms or now_ms + self._reorder_ms) if node.held else None

    def _flush(self, node: _Node, now_ms: int, out: Outcome) -> None:
        """Everything that waits, in order; what is missing does not come any more."""
        for seq in sorted(node.held, key=lambda seq: (seq - node.next_seq) % _SEQ):
            message, payload, kind, device = node.held[seq]
            self._apply(node, kind, device, message, payload, now_ms, out)
        node.held, node.give_up_ms = {}, None

    def _apply(
        self, node: _Node, kind: str, device: str, message: Message, payload: Payload, now_ms: int, out: Outcome
    ) -> None:
        try:
            self._read(node, kind, device, message, payload, now_ms, out)
        except PayloadError:
            out.messages.append(message)

    def _read(
        self, node: _Node, kind: str, device: str, message: Message, payload: Payload, now_ms: int, out: Outcome
    ) -> None:
        part = node.parts.get(device)
        if kind == "DBIRTH":
            part = self._born(node, device, payload)
            node.unborn.discard(device)
        elif part is None or not part.online:
            out.messages.append(message)
            self._ask(node, now_ms, out)
            return
        elif kind == "DDEATH":
            self._die(node, part, now_ms, out)
            return
        elif any(not one.name and one.alias not in part.aliases for one in metrics(payload)):
            self._ask(node, now_ms, out)
        self._hand(node, part, message, payload, now_ms, out, birth=kind == "DBIRTH")

    def _node_birth(self, node: _Node, message: Message, payload: Payload, now_ms: int, out: Outcome) -> None:
        self._flush(node, now_ms, out)
        node.online, node.next_seq = True, ((seq_of(payload) or 0) + 1) % _SEQ
        node.birth_seq = _birth_seq(payload)
        node.unborn = {name for name, part in node.parts.items() if name and part.online}
        node.unborn_ms = now_ms + self._reorder_ms if node.unborn else None
        for name in node.unborn:
            node.parts[name].online = False
        part = self._born(node, "", payload)
        self._hand(node, part, message, payload, now_ms, out, birth=True)

    def _node_death(self, node: _Node, message: Message, payload: Payload, now_ms: int, out: Outcome) -> None:
        said = _birth_seq(payload)
        if not node.online or (said is not None and said != node.birth_seq):
            self.old_deaths += 1  # a will of an earlier connection, overtaken by the new birth (F28)
            out.messages.append(Message(message.topic, stale((), node.clock_ms(now_ms))))
            return
        self._flush(node, now_ms, out)
        self._node_dies(node, now_ms, out)

    def _node_dies(self, node: _Node, now_ms: int, out: Outcome) -> None:
        for part in node.parts.values():
            if part.online or part.name in node.unborn:
                self._die(node, part, now_ms, out)
        node.online, node.unborn, node.unborn_ms = False, set(), None

    def _die(self, node: _Node, part: _Part, now_ms: int, out: Outcome) -> None:
        part.online = False
        self.died += 1
        kind, below = ("DDEATH", f"/{part.name}") if part.name else ("NDEATH", "")
        topic = f"{NAMESPACE}/{node.group}/{kind}/{node.name}{below}"
        out.messages.append(Message(topic, stale(sorted(part.names), node.clock_ms(now_ms))))

    def _born(self, node: _Node, name: str, payload: Payload) -> _Part:
        part = _Part(name, online=True)
        if name in node.parts or self._parts < _MOST_PARTS:
            self._parts += name not in node.parts
            node.parts[name] = part
        for one in metrics(payload)[:_MOST_METRICS]:
            if one.name:
                part.names.add(one.name)
                if one.alias is not None:
                    part.aliases[one.alias] = (one.name, one.datatype)
        return part

    def _hand(
        self, node: _Node, part: _Part, message: Message, payload: Payload, now_ms: int, out: Outcome, *, birth: bool
    ) -> None:
        out.messages.append(Message(message.topic, resolved(payload, part.aliases, birth=birth)))
        newest = max(_times(payload), default=0)
        if node.newest_ms < newest <= now_ms + _WILDEST_MS:
            node.newest_ms, node.skew_ms = newest, newest - now_ms

    def _ask(self, node: _Node, now_ms: int, out: Outcome) -> None:
        if node.asked_ms is None or now_ms - node.asked_ms >= self._debounce_ms:
            node.asked_ms = now_ms
            self.asked += 1
            out.rebirths.append((node.group, node.name))


def _birth_seq(payload: Payload) -> int | None:
    for one in metrics(payload):
        if one.name == "bdSeq" and isinstance(one.value, int):
            return one.value
    return None


def _times(payload: Payload) -> Iterator[int]:
    if payload.HasField("timestamp"):
        yield int(payload.timestamp)
    for one in payload.metrics:
        if one.HasField("timestamp") and not one.is_historical:
            yield int(one.timestamp)
