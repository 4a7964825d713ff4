"""A connection over time: pauses, alarms and counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.link import CEILING_S, STEADY_S, Link


class Rig:
    def __init__(self) -> None:
        self.told: list[str] = []
        self.alarms: list[str] = []
        self.now = 0.0
        self.link = Link("id", self.told.append, self.alarms.append, lambda: self.now)

    def connect(self, lasts: float, *, present: bool = True) -> float:
        """Connect, be told well if it is believed, break after `lasts` seconds; returns the pause."""
        self.link.opened(present)
        if self.link.doubt_s <= lasts:
            self.link.tell("")
        self.now += lasts
        return self.link.failed("broken")


@pytest.fixture
def longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.link.random.uniform", lambda low, high: high)


@pytest.mark.usefixtures("longest")
def test_pauses_double_up_to_thirty_seconds() -> None:
    link = Rig().link
    pauses = [link.failed("away") for _ in range(14)]
    assert pauses[:4] == [0.2, 0.4, 0.8, 1.6]
    assert pauses[8:] == [CEILING_S] * 6 == [30.0] * 6


def test_pauses_are_drawn_from_nothing_to_their_bound() -> None:
    link = Rig().link
    for _ in range(20):
        link.failed("away")
    pauses = [link.failed("away") for _ in range(400)]
    assert min(pauses) < 3
    assert max(pauses) > 27
    assert sum(pauses) / 400 == pytest.approx(15, abs=2)


@pytest.mark.usefixtures("longest")
def test_a_steady_connection_starts_anew() -> None:
    rig = Rig()
    for _ in range(9):
        rig.link.failed("away")
    assert rig.connect(STEADY_S) == 0.2


@pytest.mark.usefixtures("longest")
def test_connections_that_break_at_once_are_one_alarm_and_ever_longer_pauses() -> None:
    rig = Rig()
    pauses = [rig.connect(0.1) for _ in range(12)]
    assert pauses[-1] == 30.0
    assert pauses == sorted(pauses)
    assert rig.told[:5] == ["", "broken", "", "broken", ""]
    assert len(rig.told) == 6, "after three it is not told to be well before it has lasted"
    assert rig.told[5].endswith("again and again: does another client use the client id 'id'?")
    assert rig.link.doubt_s == STEADY_S
    rig.connect(STEADY_S)
    assert rig.told[6:] == ["", "broken"]
    assert rig.link.doubt_s == 0
    assert (rig.link.connections, rig.link.failures) == (13, 13)


def test_what_is_wrong_is_told_once_while_it_stays_the_same() -> None:
    rig = Rig()
    for _ in range(5):
        rig.link.failed("away")
    rig.link.tell("refused")
    rig.link.tell("refused")
    assert rig.told == ["away", "refused"]


def test_a_lost_session_is_an_alarm_but_not_at_the_first_connection() -> None:
    rig = Rig()
    for present in (False, True, False):
        rig.connect(20, present=present)
    assert rig.link.sessions_lost == 1
    (alarm,) = rig.alarms
    assert alarm.startswith(
        "the broker has forgotten the session of 'id': what was published while it was away is lost"
    )


@given(st.lists(st.floats(0, 100), max_size=40))
def test_a_pause_is_never_beyond_the_ceiling_and_told_alternates(lasts: list[float]) -> None:
    rig = Rig()
    for seconds in lasts:
        assert 0 <= rig.connect(seconds) <= CEILING_S
    assert all(one != other for one, other in zip(rig.told, rig.told[1:], strict=False))
    assert rig.link.problem.startswith("broken" if lasts else "not connected yet")
