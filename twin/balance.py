"""The balance sheet of one way in: what came is accounted for, to the message and to the reading.

    received + carried = stored + spooled + parked + rejected + set aside + under way

Each place books its own side where it happens; nothing is worked out from the others. `off` is what the two sides
differ by: anything but 0 is a fault of the product, never of the plant.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Balance", "Figures", "Pair", "SpoolCounts"]


@dataclass(slots=True)
class Pair:
    """So many messages with so many readings. A reading is one value of one signal of one unit."""

    messages: int = 0
    readings: int = 0

    def add(self, messages: int, readings: int) -> None:
        """Move in (positive) or out (negative)."""
        self.messages += messages
        self.readings += readings


@dataclass
class Balance:
    """The sheet of one source since this process began; `source` names it.

    received: came from the broker. carried: was in the spool when the process began. stored: the store has it.
    spooled: on disk, waiting for the store. parked: in the dead letters; a message with one bad value counts here,
    its good readings as stored. rejected: not kept, because a setting says so (this process does not store). aside: in
    a spool file that was damaged and is kept under another name. under_way: in memory, not yet acknowledged.
    """

    source: str = ""
    received: Pair = field(default_factory=Pair)
    carried: Pair = field(default_factory=Pair)
    stored: Pair = field(default_factory=Pair)
    spooled: Pair = field(default_factory=Pair)
    parked: Pair = field(default_factory=Pair)
    rejected: Pair = field(default_factory=Pair)
    aside: Pair = field(default_factory=Pair)
    under_way: Pair = field(default_factory=Pair)

    def came(self, messages: int, readings: int) -> None:
        """A batch came in; it is under way until one of the others says where it went."""
        self.received.add(messages, readings)
        self.under_way.add(messages, readings)

    def left(self, messages: int, readings: int) -> None:
        """A batch that was under way is safe."""
        self.under_way.add(-messages, -readings)

    def settled(self, messages: int, readings: int, parked: int, kept: int) -> None:
        """Of a batch `kept` readings are in the store; `parked` messages and the other readings are parked."""
        self.stored.add(messages - parked, kept)
        self.parked.add(parked, readings - kept)

    @property
    def off(self) -> Pair:
        """Both sides' difference in messages and readings: 0 and 0 at every moment."""
        came = (self.received, self.carried)
        went = (self.stored, self.spooled, self.parked, self.rejected, self.aside, self.under_way)
        return Pair(
            sum(pair.messages for pair in came) - sum(pair.messages for pair in went),
            sum(pair.readings for pair in came) - sum(pair.readings for pair in went),
        )


@dataclass
class SpoolCounts:
    """What has happened to the spool since this process began. All only grow."""

    batches: int = 0  # that were put into the spool
    drained_batches: int = 0  # that left it
    expired_messages: int = 0  # parked, because they were older than spool.max_h
    damaged_files: int = 0  # that were set aside
    high_marks: int = 0  # times that the high watermark was reached
    pauses: int = 0  # times that acknowledging stopped, because neither store nor spool took a batch
    outages: int = 0  # of the store: it is away, or does not answer within spool.patience_s
    slow: int = 0  # batches that went to the spool though the store was there: too many waited for it


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that is counted on the way in, at one moment: for a metrics endpoint.

    Counters (they only grow while the process runs): the *_messages and *_readings of received, stored, parked,
    rejected; unknown_values; spool_batches_total to store_slow. The rest are gauges; paused, high and away are 0 or 1.
    """

    source: str
    received_messages: int
    received_readings: int
    stored_messages: int
    stored_readings: int
    parked_messages: int
    parked_readings: int
    rejected_messages: int
    rejected_readings: int
    unknown_values: int  # under names that no signal has: not kept, and no fault of a message
    spool_batches_total: int
    spool_drained_batches: int
    spool_expired_messages: int
    spool_damaged_files: int
    spool_high_marks: int
    pauses: int
    store_outages: int
    store_slow: int
    carried_messages: int
    carried_readings: int
    spooled_messages: int
    spooled_readings: int
    aside_messages: int
    aside_readings: int
    under_way_messages: int
    under_way_readings: int
    off_messages: int
    off_readings: int
    spool_bytes: int = 0
    spool_max_bytes: int = 0
    spool_batches: int = 0
    spool_oldest_age_s: float = 0.0  # 0 when the spool is empty
    spool_high: int = 0
    paused: int = 0
    store_away: int = 0

    @classmethod
    def of(cls, balance: Balance, outages: int, counts: SpoolCounts | None = None, *, unknown_values: int) -> Figures:
        """Sheet and counts laid side by side; gauges of spool and store are those of a way in without trouble."""
        counts = counts or SpoolCounts()
        places = ("received", "stored", "parked", "rejected", "carried", "spooled", "aside", "under_way", "off")
        pairs: dict[str, int] = {}
        for name in places:
            pair: Pair = getattr(balance, name)
            pairs |= {f"{name}_messages": pair.messages, f"{name}_readings": pair.readings}
        return cls(
            source=balance.source,
            unknown_values=unknown_values,
            spool_batches_total=counts.batches,
            spool_drained_batches=counts.drained_batches,
            spool_expired_messages=counts.expired_messages,
            spool_damaged_files=counts.damaged_files,
            spool_high_marks=counts.high_marks,
            pauses=counts.pauses,
            store_outages=outages,
            store_slow=counts.slow,
            **pairs,
        )
