"""The session of a host with its edge nodes: examples, then any order, loss and repetition."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.sparkplug.wire import NOW_MS, message, said
from twin.ports import Message
from twin.sparkplug.session import Host, Outcome

ALIASES = {"U": 1, "T": 2}
BORN = message("NBIRTH", 0, {"up": 1.0}, birth_seq=7)
DEVICE = message("DBIRTH", 1, {"U": 4.0, "T": 957.0}, device="d", aliases=ALIASES)


def host_with(*messages: Message) -> Host:
    host = Host(reorder_ms=2000, debounce_ms=10_000)
    for one in messages:
        assert host.take(one, NOW_MS).rebirths == []
    return host


def data(seq: int, volt: float = 4.1, time_ms: int = NOW_MS) -> Message:
    return message("DDATA", seq, {1: volt}, device="d", time_ms=time_ms)


def values(out: Outcome) -> list[dict[str, float | None]]:
    return [said(one) for one in out.messages]


def test_aliases_are_resolved_by_the_birth() -> None:
    host = host_with(BORN, DEVICE)
    out = host.take(data(2), NOW_MS)
    assert (values(out), out.rebirths) == ([{"U": 4.1}], [])
    assert host.online("G", "N", "d")


def test_data_before_birth_goes_out_as_it_is_and_asks_for_one_rebirth() -> None:
    host = host_with()
    out = host.take(data(5), NOW_MS)
    assert (out.messages, out.rebirths) == ([data(5)], [("G", "N")])
    assert host.take(data(6), NOW_MS + 9_999).rebirths == [], "debounced"
    assert host.take(data(7), NOW_MS + 10_000).rebirths == [("G", "N")]


def test_an_unknown_alias_asks_for_a_rebirth_and_the_rest_is_read() -> None:
    out = host_with(BORN, DEVICE).take(message("DDATA", 2, {1: 4.2, 9: 5.0}, device="d"), NOW_MS)
    assert (values(out), out.rebirths) == ([{"U": 4.2, "alias 9": 5.0}], [("G", "N")])


def test_messages_out_of_order_wait_for_their_turn() -> None:
    host = host_with(BORN, DEVICE)
    assert host.take(data(4, 4.4), NOW_MS).messages == host.take(data(3, 4.3), NOW_MS).messages == []
    assert host.deadline_ms() == NOW_MS + 2000
    assert values(host.take(data(2, 4.2), NOW_MS)) == [{"U": 4.2}, {"U": 4.3}, {"U": 4.4}]
    assert (host.deadline_ms(), host.gaps) == (None, 0)


def test_a_gap_is_waited_for_then_the_rest_is_read_and_a_rebirth_asked_for() -> None:
    host = host_with(BORN, DEVICE)
    host.take(data(3, 4.3), NOW_MS)
    assert host.tick(NOW_MS + 1999) == Outcome()
    out = host.tick(NOW_MS + 2000)
    assert (values(out), out.rebirths, host.gaps) == ([{"U": 4.3}], [("G", "N")], 1)
    assert values(host.take(data(4, 4.4), NOW_MS + 2001)) == [{"U": 4.4}]


def test_the_sequence_wraps() -> None:
    host = host_with(BORN, DEVICE)
    for number in range(2, 600):
        assert len(host.take(data(number % 256), NOW_MS + number).messages) == 1
    assert (host.gaps, host.asked) == (0, 0)


def test_a_death_makes_every_metric_stale_by_the_nodes_own_clock() -> None:
    host = host_with(BORN, DEVICE)
    host.take(data(2, time_ms=NOW_MS - 60_000 + 5_000), NOW_MS + 5_000)  # a clock that is behind
    out = host.take(message("NDEATH", None, {}, birth_seq=7, time_ms=NOW_MS - 10**6), NOW_MS + 9_000)
    assert values(out) == [{"up": None}, {"U": None, "T": None}]
    assert [one.topic for one in out.messages] == ["spBv1.0/G/NDEATH/N", "spBv1.0/G/DDEATH/N/d"]
    assert not host.online("G", "N")
    assert not host.online("G", "N", "d")


def test_the_will_of_an_earlier_connection_changes_nothing() -> None:
    host = host_with(BORN, DEVICE)
    out = host.take(message("NDEATH", None, {}, birth_seq=6), NOW_MS)
    assert values(out) == [{}], "it is counted, and says nothing"
    assert (host.online("G", "N", "d"), host.old_deaths) == (True, 1)


def test_the_death_of_a_device_is_its_own() -> None:
    host = host_with(BORN, DEVICE)
    assert values(host.take(message("DDEATH", 2, {}, device="d"), NOW_MS)) == [{"U": None, "T": None}]
    assert host.online("G", "N")
    assert host.take(data(3), NOW_MS).rebirths == [("G", "N")], "data of a device that is dead"


def test_after_a_new_birth_a_device_that_is_not_born_again_becomes_stale() -> None:
    host = host_with(BORN, DEVICE, message("DBIRTH", 2, {"U": 4.0}, device="e"))
    host.take(message("NBIRTH", 0, {"up": 1.0}, birth_seq=8), NOW_MS)
    host.take(message("DBIRTH", 1, {"U": 4.0}, device="e"), NOW_MS)
    assert values(host.tick(NOW_MS + 2000)) == [{"U": None, "T": None}]
    assert host.online("G", "N", "e")
    assert not host.online("G", "N", "d")


def test_an_alias_of_an_earlier_birth_is_not_known_any_more() -> None:
    host = host_with(BORN, DEVICE)
    host.take(message("NBIRTH", 0, {"up": 1.0}, birth_seq=8), NOW_MS)
    host.take(message("DBIRTH", 1, {"U": 4.0}, device="d", aliases={"U": 5}), NOW_MS)
    out = host.take(message("DDATA", 2, {5: 4.1, 2: 9.0}, device="d"), NOW_MS)
    assert (values(out), out.rebirths) == ([{"U": 4.1, "alias 2": 9.0}], [("G", "N")])
    assert values(host.take(message("DDEATH", 3, {}, device="d"), NOW_MS)) == [{"U": None}], "T is not its any more"


def test_when_our_own_connection_is_lost_all_is_stale() -> None:
    host = host_with(BORN, DEVICE)
    host.take(data(4, 4.4), NOW_MS)
    assert values(host.lost(NOW_MS)) == [{"U": 4.4}, {"up": None}, {"U": None, "T": None}]
    assert host.lost(NOW_MS) == Outcome()
    assert host.take(data(5), NOW_MS).rebirths == [("G", "N")]


def test_what_is_no_message_of_a_node_is_none_of_ours_and_what_is_broken_is_handed_on() -> None:
    host = host_with()
    for topic in ("spBv1.0/G/NCMD/N", "spBv1.0/STATE/h", "spBv1.0/G/DCMD/N/d", "other/G/NDATA/N", "spBv1.0"):
        assert host.take(Message(topic, b"x"), NOW_MS) == Outcome()
    for topic in ("spBv1.0/G/NDATA/N", "spBv1.0/G/NDATA/N/d", "spBv1.0/G/DDATA/N"):
        broken = Message(topic, b"\xff\xff")
        assert host.take(broken, NOW_MS).messages == [broken]


class Lossy(RuleBasedStateMachine):
    """A node whose aliases change at every birth, behind a network that delays, loses and repeats.

    The value of a metric is its true name's number, so that a wrong alias shows.
    """

    NUMBERS = {"up": 1.0, "U": 2.0, "T": 3.0}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.host = Host(reorder_ms=2000, debounce_ms=10_000)
        self.now, self.seq, self.birth, self.born = NOW_MS, 0, 0, False
        self.aliases: dict[str, int] = {}
        self.network: list[Message] = []
        self.harmed = True  # something was lost or came to the host out of turn since the last whole birth
        self.sent = self.came = 0
        self.asked_at: list[int] = []
        self.out: list[Message] = []

    def _send(self, one: Message) -> None:
        self.network.append(one)

    def _next(self) -> int:
        self.seq = (self.seq + 1) % 256
        return self.seq

    def _take(self, out: Outcome) -> None:
        self.out += out.messages
        self.asked_at += [self.now] * len(out.rebirths)

    @rule(shift=st.integers(0, 2))
    def is_born(self, shift: int) -> None:
        self.birth, self.seq, self.born = self.birth + 1, 0, True
        self.aliases = {"U": shift, "T": 2 - shift if shift != 1 else 5}
        self.network.clear()  # a new connection: what was under way is lost with the old one
        self._send(message("NBIRTH", 0, {"up": 1.0}, birth_seq=self.birth, time_ms=self.now))
        dressed: dict[str | int, float | None] = {name: self.NUMBERS[name] for name in self.aliases}
        birth = message("DBIRTH", self._next(), dressed, device="d", aliases=self.aliases, time_ms=self.now)
        self._send(birth)
        self.harmed = False
        self._deliver(2)

    @precondition(lambda self: self.born)
    @rule(name=st.sampled_from(["U", "T"]))
    def says(self, name: str) -> None:
        self._send(
            message("DDATA", self._next(), {self.aliases[name]: self.NUMBERS[name]}, device="d", time_ms=self.now)
        )

    def _deliver(self, count: int) -> None:
        for _ in range(min(count, len(self.network))):
            self.came += 1
            self._take(self.host.take(self.network.pop(0), self.now))

    @rule(count=st.integers(1, 5))
    def delivers(self, count: int) -> None:
        self._deliver(count)

    @precondition(lambda self: len(self.network) > 1)
    @rule(data=st.data())
    def delivers_out_of_turn(self, data: st.DataObject) -> None:
        place = data.draw(st.integers(1, len(self.network) - 1))
        self.network.insert(0, self.network.pop(place))
        self._deliver(1)

    @precondition(lambda self: len(self.network) > 1)
    @rule()
    def loses_one(self) -> None:
        self.network.pop(0)
        self.harmed = True

    @precondition(lambda self: self.network)
    @rule()
    def repeats_one(self) -> None:
        self.network.insert(0, self.network[0])

    @rule(ms=st.integers(1, 15_000))
    def time_passes(self, ms: int) -> None:
        if self.network:
            self.harmed = True  # what is under way for that long may be given up
        self.now += ms
        self._take(self.host.tick(self.now))
        due = self.host.deadline_ms()
        assert due is None or due > self.now, "what is due is done"

    @precondition(lambda self: self.born)
    @rule(old=st.booleans())
    def dies(self, old: bool) -> None:
        self._deliver(len(self.network))
        before = self.host.online("G", "N", "d")
        self.came += 1
        out = self.host.take(message("NDEATH", None, {}, birth_seq=self.birth - old), self.now)
        self._take(out)
        if old:
            assert self.host.online("G", "N", "d") == before
        else:
            assert not self.host.online("G", "N")
            gone: dict[str, float | None] = {}
            for one in out.messages:
                gone |= {name: value for name, value in said(one).items() if value is None}
            assert set(gone) >= {"up"}
            self.born = False

    @precondition(lambda self: self.born and not self.harmed)
    @rule()
    def an_unharmed_session_asks_for_nothing_and_reads_all(self) -> None:
        asked, before = len(self.asked_at), len(self.out)
        waiting = len(self.network)
        self._deliver(waiting)
        assert len(self.asked_at) == asked
        assert len(self.out) >= before + waiting
        assert self.host.online("G", "N", "d")

    @invariant()
    def no_alias_is_ever_resolved_to_a_wrong_name(self) -> None:
        for one in self.out:
            for name, value in said(one).items():
                if name in self.NUMBERS and value is not None:
                    assert value == self.NUMBERS[name], one.topic
        self.sent += len(self.out)
        self.out.clear()

    @invariant()
    def commands_to_a_node_keep_their_distance(self) -> None:
        assert all(later - earlier >= 10_000 for earlier, later in zip(self.asked_at, self.asked_at[1:], strict=False))

    def teardown(self) -> None:
        """Every message that came has gone out, once nothing is waited for."""
        self._deliver(len(self.network))
        self.now += 10**6
        self._take(self.host.tick(self.now))
        assert self.sent + len(self.out) >= self.came
        assert self.host.deadline_ms() is None


TestLossy = Lossy.TestCase
TestLossy.settings = settings(max_examples=150, stateful_step_count=40)
