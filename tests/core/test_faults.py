"""Faults: they begin after their hold, end after their clear hold, and are not invented from silence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.plants import NOW_NS, NS
from twin.faults import EXPLAINS, FAULTS, TIMED, Fault, FaultState, watch
from twin.frames import Event
from twin.signals import SIGNALS, by_name
from twin.units import to_si

BY_CODE = {fault.code: fault for fault in FAULTS}
EFFECT = BY_CODE["anode_effect"]
NAN = math.nan


def events_of(code: str, ticks: Iterable[tuple[float, float]], *, pots: int = 1) -> list[tuple[bool, float]]:
    """(began, seconds) of a fault at the last pot that shows rim `value` at each (second, value); NaN = no value."""
    fault = BY_CODE[code]
    state, found = FaultState(pots), []
    for second, value in ticks:
        values = np.full((pots, len(SIGNALS)), NAN)
        said = np.full((pots, len(SIGNALS)), -1, np.int64)
        now = NOW_NS + round(second * NS)
        if fault.sense == "old":
            values[-1, fault.column] = 4.0
            said[-1, fault.column] = now - round(value * NS) if value == value else -1
        else:
            values[-1, fault.column] = to_si(value, SIGNALS[fault.column].unit)
            said[-1, fault.column] = now
        found += [
            event for event in watch(state, now, values, said, np.arange(pots, dtype=np.int32)) if event.code == code
        ]
    return [(event.began, (event.time_ns - NOW_NS) / NS) for event in found]


def every_second(*stretches: tuple[int, float]) -> list[tuple[float, float]]:
    """(second, value) for stretches of (seconds, value) one after the other."""
    values = [value for seconds, value in stretches for _ in range(seconds)]
    return [(float(second), value) for second, value in enumerate(values)]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.code)
def test_a_row_is_sane(fault: Fault) -> None:
    assert [f.code for f in FAULTS].count(fault.code) == 1
    if fault.sense == "below":
        assert fault.clear >= fault.limit, "it clears on the good side of its limit"
    else:
        assert fault.clear <= fault.limit
    assert fault.hold_s >= 0
    assert fault.clear_hold_s >= 0
    assert fault.rim(fault.si(fault.limit)) == pytest.approx(fault.limit)
    assert fault.title
    assert fault.advice.endswith(".")
    for name, minutes in fault.explained_by:
        assert name in EXPLAINS
        assert (minutes > 0) == (name in TIMED)
    if fault.of == "signal":
        signal = SIGNALS[fault.column]
        assert signal.name == fault.signal
        assert fault.sense == "old" or signal.low < fault.limit < signal.high


def test_the_anode_effect_is_that_of_the_domain() -> None:
    assert (EFFECT.limit, EFFECT.hold_s, EFFECT.clear_hold_s, EFFECT.signal) == (8.0, 3, 900, "voltage_v")


def test_a_fault_begins_when_it_has_held_and_tells_when_it_began() -> None:
    assert events_of("anode_effect", every_second((10, 4.0), (3, 30.0))) == []
    assert events_of("anode_effect", every_second((10, 4.0), (4, 30.0))) == [(True, 10.0)]
    assert events_of("anode_effect", every_second((10, 4.0), (3, 30.0), (1, 4.0), (3, 30.0))) == [], (
        "the hold starts anew"
    )


def test_the_limit_itself_is_good() -> None:
    assert events_of("anode_effect", every_second((60, 8.0))) == []
    assert events_of("anode_effect", every_second((60, math.nextafter(8.0, 9.0)))) == [(True, 0.0)]
    assert events_of("voltage_low", every_second((400, 3.6))) == []
    assert events_of("voltage_low", every_second((400, 3.59))) == [(True, 0.0)]


def test_a_fault_ends_when_it_has_stayed_away() -> None:
    strike = every_second((10, 4.0), (20, 30.0), (900, 4.0))
    assert events_of("anode_effect", strike) == [(True, 10.0)]
    assert events_of("anode_effect", [*strike, (930.0, 4.0)]) == [(True, 10.0), (False, 30.0)]


def test_a_restrike_within_fifteen_minutes_is_the_same_event() -> None:
    restrike = every_second((10, 30.0), (899, 4.0), (10, 30.0), (901, 4.0))
    assert events_of("anode_effect", restrike) == [(True, 0.0), (False, 919.0)]
    apart = every_second((10, 30.0), (901, 4.0), (10, 30.0))
    assert events_of("anode_effect", apart) == [(True, 0.0), (False, 10.0), (True, 911.0)]


def test_between_limit_and_clear_limit_nothing_changes() -> None:
    hot = [(0.0, 980.0), (900.0, 980.0), (1000.0, 972.0), (5000.0, 972.0)]
    assert events_of("bath_hot", hot) == [(True, 0.0)], "972 C is not hot enough to begin, nor cool enough to end"
    assert events_of("bath_hot", [*hot, (6000.0, 969.0), (6900.0, 969.0)]) == [(True, 0.0), (False, 6000.0)]
    assert events_of("bath_hot", [(0.0, 972.0), (5000.0, 972.0)]) == []


def test_an_unknown_value_begins_nothing_and_ends_nothing() -> None:
    assert events_of("anode_effect", every_second((100, NAN))) == []
    assert events_of("anode_effect", every_second((10, 30.0), (2000, NAN))) == [(True, 0.0)]
    gap = every_second((2, 30.0), (60, NAN), (1, 30.0))
    assert events_of("anode_effect", gap) == [(True, 0.0)], "what held before and after is taken to have held"
    assert events_of("anode_effect", every_second((2, 30.0), (60, NAN), (1, 4.0), (2, 30.0))) == []


def test_silence_is_a_fault_of_those_who_have_spoken() -> None:
    assert events_of("no_data", [(0.0, 1.0), (1.0, 60.0)]) == []
    assert events_of("no_data", [(0.0, 1.0), (1.0, 60.5), (2.0, 61.5), (3.0, 0.5)]) == [(True, 1.0), (False, 3.0)]
    assert events_of("no_data", [(float(second), NAN) for second in range(500)]) == [], "it was never heard of"


def test_the_event_says_what_was_seen() -> None:
    state = FaultState(2)
    values, said = np.full((2, len(SIGNALS)), NAN), np.full((2, len(SIGNALS)), -1, np.int64)
    values[1, by_name("bath_temperature_c")] = 980.0 + 273.15
    said[1, by_name("bath_temperature_c")] = NOW_NS
    units = np.array([7, 9], np.int32)
    assert list(watch(state, NOW_NS, values, said, units)) == []
    (event,) = watch(state, NOW_NS + 900 * NS, values, said, units)
    assert event.value == pytest.approx(980.0)
    assert event == Event(NOW_NS, 9, "bath_hot", True, "medium", event.value, 975.0)
    assert state.active[[f.code for f in FAULTS].index("bath_hot")].tolist() == [False, True]


def test_growing_keeps_what_is_known() -> None:
    state = FaultState(1)
    state.active[0, 0] = True
    state.since[1, 0] = 5
    state.grow(3)
    assert state.active[0].tolist() == [True, False, False]
    assert state.since[1, 0] == 5
    assert (state.since[:, 1:] == state.since[2, 0]).all()


def slowly(ticks: Sequence[tuple[float, float]], fault: Fault) -> list[tuple[bool, float]]:
    """One pot and one `above` fault, in the plainest way: when has the value been on the other side for long enough."""
    active, since, found = False, None, []
    for second, value in ticks:
        if value != value:
            continue
        beyond = value > (fault.clear if active else fault.limit)
        if beyond == active:
            since = None
            continue
        since = second if since is None else since
        if second - since >= (fault.clear_hold_s if active else fault.hold_s):
            active = not active
            found.append((active, since))
            since = None
    return found


STEPS = st.lists(
    st.tuples(st.sampled_from([1, 2, 3, 400, 900]), st.sampled_from([4.0, 8.0, 8.1, 30.0, NAN])), max_size=25
)


@given(STEPS)
def test_events_are_those_of_the_plain_way(steps: list[tuple[int, float]]) -> None:
    ticks, second = [], 0.0
    for pause, value in steps:
        second += pause
        ticks.append((second, value))
    assert events_of("anode_effect", ticks) == slowly(ticks, EFFECT)
